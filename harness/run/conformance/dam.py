"""A dam between the hub and its sockets: while it is shut, the device is heard and gets no answer, as behind a network that swallows them.

What the hub decides meanwhile stands in its log and reaches nobody, over every transport alike: acknowledgements as well as the end of a connection.
"""

from collections.abc import Callable

from harness.hub.certificates import Certificate
from harness.net.endpoint import Endpoint, HubCore, OutageRequest

__all__ = ["Dam"]


class Dam:
    """A `HubCore` in front of another; open at first."""

    def __init__(self, hub: HubCore) -> None:
        self._hub = hub
        self.is_shut = False
        self.wakes: dict[object, Callable[[], None]] = {}

    def shut(self) -> None:
        """From now on nothing reaches the device."""
        self.is_shut = True

    def release(self) -> None:
        """Let through what was held back, and all that follows."""
        self.is_shut = False
        for wake in tuple(self.wakes.values()):
            wake()

    def open(self, transport: str, peer: str, now: float, wake: Callable[[], None]) -> Endpoint:
        """A device connected."""
        return _Sluice(self, self._hub.open(transport, peer, now, wake), wake)

    def next_deadline(self) -> float | None:
        """That of the hub."""
        return self._hub.next_deadline()

    def on_time(self, now: float) -> None:
        """The hub's time has come."""
        self._hub.on_time(now)

    def take_outage(self) -> OutageRequest | None:
        """That of the hub."""
        return self._hub.take_outage()

    def stop(self, now: float) -> None:
        """The hub stops; what it still has to say may leave."""
        self.release()
        self._hub.stop(now)


class _Sluice:
    """One connection behind the dam."""

    def __init__(self, dam: Dam, endpoint: Endpoint, wake: Callable[[], None]) -> None:
        self._dam, self._endpoint = dam, endpoint
        dam.wakes[self] = wake

    @property
    def close_request(self) -> str | None:
        """The hub's wish to part, which a shut dam holds back as it does everything the hub says."""
        return None if self._dam.is_shut else self._endpoint.close_request

    @property
    def recording(self) -> bool:
        """That of the hub's endpoint."""
        return self._endpoint.recording

    def data_to_send(self) -> bytes:
        """What the hub has to say, later if the dam is shut."""
        return b"" if self._dam.is_shut else self._endpoint.data_to_send()

    def receive(self, data: bytes, now: float) -> None:
        """What the device says reaches the hub."""
        self._endpoint.receive(data, now)

    def next_deadline(self) -> float | None:
        """That of the hub's endpoint."""
        return self._endpoint.next_deadline()

    def on_time(self, now: float) -> None:
        """The endpoint's time has come."""
        self._endpoint.on_time(now)

    def peer_closed(self, how: str, now: float) -> None:
        """The device closed first."""
        self._endpoint.peer_closed(how, now)

    def transport_closed(self, first: str, how: str, now: float) -> None:
        """Both sides are done."""
        del self._dam.wakes[self]
        self._endpoint.transport_closed(first, how, now)

    def note(self, kind: str, now: float, /, **fields: object) -> None:
        """Report an event of the transport's own."""
        self._endpoint.note(kind, now, **fields)

    def proven(self, certificate: Certificate) -> None:
        """The device has a certificate."""
        self._endpoint.proven(certificate)

    def upgraded(self, subprotocol: str, path: str, now: float) -> Endpoint:
        """The WebSocket is open; whoever speaks from now on stands behind the dam, too."""
        self._endpoint = self._endpoint.upgraded(subprotocol, path, now)
        return self
