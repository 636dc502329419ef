"""The dam: what the hub says is held back, what the device says is not."""

from collections.abc import Callable

import pytest

from harness.hub.certificates import Certificate
from harness.hub.outage import Outage
from harness.net.endpoint import Endpoint
from harness.run.conformance.dam import Dam


class Speaker:
    """A hub and its only connection, which notes what it is told."""

    recording = True

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.close_request: str | None = None

    def open(self, transport: str, peer: str, now: float, _wake: Callable[[], None]) -> Endpoint:
        """Let the device in."""
        self.told.append((transport, peer, now))
        return self

    def receive(self, data: bytes, now: float) -> None:
        """Note it."""
        self.told.append((data, now))

    def data_to_send(self) -> bytes:
        """Always the same."""
        return b"puback"

    def next_deadline(self) -> float | None:
        """Always the same."""
        return 7.0

    def on_time(self, now: float) -> None:
        """Note it."""
        self.told.append(("time", now))

    def peer_closed(self, how: str, now: float) -> None:
        """Note it."""
        self.told.append((how, now))

    def transport_closed(self, first: str, how: str, now: float) -> None:
        """Note it."""
        self.told.append((first, how, now))

    def note(self, kind: str, now: float, /, **fields: object) -> None:
        """Note it."""
        self.told.append((kind, now, fields))

    def proven(self, certificate: Certificate) -> None:
        """Note it."""
        self.told.append((certificate,))

    def upgraded(self, subprotocol: str, path: str, now: float) -> Endpoint:
        """Stay the same."""
        self.told.append((subprotocol, path, now))
        return self

    def take_outage(self) -> Outage | None:
        """Always the same."""
        return Outage("rst", 1.0)

    def stop(self, now: float) -> None:
        """Note it."""
        self.told.append(("stop", now))


@pytest.fixture
def speaker() -> Speaker:
    """What stands behind the dam."""
    return Speaker()


def test_what_the_hub_says_waits_until_the_release(speaker: Speaker) -> None:
    """Bytes and the wish to part; the socket is told when there is something again."""
    woken: list[str] = []
    dam = Dam(speaker)
    connection = dam.open("mqtt", "peer", 1.0, lambda: woken.append("woken"))
    speaker.close_request = "fin"
    dam.shut()
    assert (connection.data_to_send(), connection.close_request, woken) == (b"", None, [])
    dam.release()
    assert (connection.data_to_send(), connection.close_request, woken) == (b"puback", "fin", ["woken"])


def test_what_the_device_says_is_let_through(speaker: Speaker) -> None:
    """Also while the dam is shut; and so is what the socket tells."""
    dam = Dam(speaker)
    connection = dam.open("websocket", "peer", 1.0, lambda: None)
    dam.shut()
    certificate = Certificate("AA", "BB", "dev1", 0.0, 1.0, "CC")
    connection.proven(certificate)
    assert connection.upgraded("mqtt", "/", 2.0) is connection
    connection.receive(b"publish", 3.0)
    connection.on_time(4.0)
    connection.note("tls", 5.0, version="1.3")
    connection.peer_closed("fin", 6.0)
    connection.transport_closed("device", "fin", 7.0)
    assert speaker.told[1:] == [
        (certificate,), ("mqtt", "/", 2.0), (b"publish", 3.0), ("time", 4.0), ("tls", 5.0, {"version": "1.3"}), ("fin", 6.0), ("device", "fin", 7.0),
    ]  # fmt: skip
    assert (connection.next_deadline(), connection.recording) == (7.0, True)


def test_a_connection_that_is_gone_is_not_woken(speaker: Speaker) -> None:
    """Its socket is gone, too."""
    woken: list[str] = []
    dam = Dam(speaker)
    dam.open("mqtt", "peer", 1.0, lambda: woken.append("woken")).transport_closed("hub", "fin", 2.0)
    dam.release()
    assert woken == []


def test_stopping_releases(speaker: Speaker) -> None:
    """A hub that stops has last words; its own deadlines are its own affair."""
    dam = Dam(speaker)
    dam.shut()
    dam.on_time(1.0)
    dam.stop(2.0)
    assert (dam.is_shut, dam.next_deadline(), speaker.told) == (False, 7.0, [("time", 1.0), ("stop", 2.0)])
