"""The pump that puts an emulated device on real sockets."""

import asyncio
import errno
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import pytest
from support.net_world import NAME, QUICK, Watched, World, asynchronous, serving

from harness.clock import RealClock
from harness.device.actions import Action, Dial, Hangup, Write
from harness.device.driver import DeviceCallbacks
from harness.net.addresses import DOORS
from harness.net.certificates import Authority, make_authority
from harness.net.device_certificates import self_signed
from harness.net.dial import DevicePump
from harness.net.stream import Limits


class FakeDevice(Watched):
    """Dials when told to open, and remembers; `on_event` and the like of a real one are the test's business."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[object] = []
        self.heard: list[object] = []
        self.pending: list[Action] = []
        self.reports: list[dict[str, object]] = [{"event": "hello"}]
        self.deadline: float | None = None
        self.obeys = True
        self.farewell: list[Action] = []
        self.on_lost: Callable[[], list[Action]] = list

    def command(self, command: Mapping[str, object], _now: float) -> None:
        """`open` makes it dial, `close` makes it close."""
        self.commands.append(command["cmd"])
        if command["cmd"] == "open":
            self.pending.append(Dial())
        if command["cmd"] == "close" and self.obeys:
            self.pending += self.farewell
            self.reports.append({"event": "closed"})

    def connected(self, _now: float) -> None:
        """Heard."""
        self.heard.append("connected")
        self.touch()

    def receive(self, data: bytes, _now: float) -> None:
        """Heard."""
        self.heard.append(data)
        self.touch()

    def lost(self, how: str, _now: float) -> None:
        """Heard; the test decides what comes next."""
        self.heard.append(("lost", how))
        self.pending += self.on_lost()
        self.touch()

    def next_deadline(self) -> float | None:
        """What the test has set."""
        return self.deadline

    def on_time(self, _now: float) -> None:
        """Heard."""
        self.deadline = None
        self.heard.append("time")
        self.touch()

    def actions(self) -> list[Action]:
        """Drained."""
        pending, self.pending = self.pending, []
        return pending

    def events(self) -> list[dict[str, object]]:
        """Drained."""
        reports, self.reports = self.reports, []
        return reports

    async def hears(self, *expected: object) -> None:
        """Wait until exactly this was heard, in this order."""
        await self.until(lambda: len(self.heard) >= len(expected))
        assert self.heard == list(expected)


class Rig:
    """A pump, its device, and what it reported."""

    def __init__(self, world: World, port: int, transport: str, limits: Limits | None) -> None:
        self.device = FakeDevice()
        self.told: list[object] = []
        callbacks = DeviceCallbacks(
            on_event=lambda event, _: self.told.append(event),
            on_log=lambda text, _: self.told.append(text),
            on_noise=lambda text, _: self.told.append(text),
            on_exit=lambda code, _: self.told.append(code),
            on_failure=lambda problem, _: self.told.append(problem),
        )
        self.ca_pem = world.authority.ca_pem
        address = world.reservation.address
        self.pump = DevicePump(self.device, address, port, transport, callbacks, RealClock(), limits=limits)

    def open(self, connection_string: str = f"HostName=x;DeviceId=d;GatewayHostName={NAME}", **fields: object) -> None:
        """The command that makes the fake device dial."""
        self.pump.send({"cmd": "open", "connection_string": connection_string, "ca_pem": self.ca_pem, **fields})

    def do(self, *actions: Action) -> None:
        """Let the device want something."""
        self.device.pending += actions
        self.pump.send({"cmd": "send"})


@asynccontextmanager
async def rigged(
    transport: str = "mqtt",
    *,
    world: World | None = None,
    port: int = 0,
    limits: Limits | None = None,
    authority: Authority | None = None,
) -> AsyncIterator[tuple[Rig, World]]:
    """A started pump in front of a served cell."""
    async with serving(authority=authority) as served:
        own = served.reservation.ports[DOORS[transport]]
        rig = Rig(world or served, port or own, transport, limits)
        await rig.pump.start()
        try:
            yield rig, served
        finally:
            await rig.pump.stop()


@pytest.mark.parametrize("transport", DOORS)
@asynchronous
async def test_dial_write_receive(transport: str) -> None:
    """The device is told when it can begin, and bytes go both ways; where there is no WebSocket on its port, a request has to begin."""
    first, rest = (b"GET / HTTP/1.1\r\n", b"Host: h\r\n\r\n") if transport == "https" else (b"CONN", b"ECT")
    async with rigged(transport) as (rig, world):
        rig.open()
        await rig.device.hears("connected")
        rig.do(Write(first), Write(rest))
        await rig.device.hears("connected", first + rest)
        assert world.hub.transports[0][0] == DOORS[transport]
        assert world.hub.connections[0].received == first + rest


@pytest.mark.parametrize(("transport", "subprotocol"), [("mqtt-ws", "mqtt"), ("amqp-ws", "AMQPWSB10")])
@asynchronous
async def test_the_subprotocol_is_that_of_the_transport(transport: str, subprotocol: str) -> None:
    """In the spelling of the specifications."""
    async with rigged(transport) as (rig, world):
        rig.open()
        await rig.device.hears("connected")
        assert world.hub.connections[0].fields("websocket")["subprotocol"] == subprotocol


@pytest.mark.parametrize(
    ("transport", "how"),
    [
        ("mqtt", "fin"),
        ("mqtt", "close-notify"),
        ("mqtt", "rst"),
        ("mqtt-ws", "fin"),
        ("mqtt-ws", "close-notify"),
        ("mqtt-ws", "websocket-close"),
    ],
)
@asynchronous
async def test_hang_up(transport: str, how: str) -> None:
    """The hub gets what was written and sees the device close first, and how; the device hears `lost` at once."""
    async with rigged(transport) as (rig, world):
        rig.open()
        await rig.device.hears("connected")
        rig.do(Write(b"DISCONNECT"), Hangup(how))  # type: ignore[arg-type]
        assert rig.device.heard == ["connected", ("lost", how)]
        [endpoint] = world.hub.connections
        await endpoint.until(lambda: endpoint.closed)
        assert (endpoint.received, endpoint.closed) == (b"DISCONNECT", ("device", how))


@asynchronous
async def test_renewal_dials_again_while_the_old_socket_closes() -> None:
    """The new connection is up although the old one is still parting, and only the new one is heard."""
    async with rigged() as (rig, world):
        rig.open()
        await rig.device.hears("connected")
        rig.device.on_lost = lambda: [Dial()]
        rig.do(Write(b"old"), Hangup("fin"))
        await rig.device.hears("connected", ("lost", "fin"), "connected")
        rig.do(Write(b"new"))
        await rig.device.hears("connected", ("lost", "fin"), "connected", b"new")
        assert [endpoint.received for endpoint in world.hub.connections] == [b"old", b"new"]


@pytest.mark.parametrize(("request_", "how"), [("fin", "close-notify"), ("tcp-fin", "fin"), ("rst", "rst")])
@asynchronous
async def test_hub_closes(request_: str, how: str) -> None:
    """The device hears how."""
    async with rigged() as (rig, world):
        rig.open()
        await rig.device.hears("connected")
        world.hub.connections[0].part(request_)
        await rig.device.hears("connected", ("lost", how))


@asynchronous
async def test_nobody_listens() -> None:
    """A refused dial is a loss."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with rigged(port=unused.getsockname()[1]) as (rig, _):
            rig.open()
            await rig.device.until(lambda: rig.device.heard)
            assert f"Errno {errno.ECONNREFUSED}" in str(rig.device.heard)


@pytest.mark.parametrize(
    ("connection_string", "reason"),
    [("HostName=other.example", "Hostname mismatch"), ("HostName=127.0.0.9", "IP address mismatch")],
)
@asynchronous
async def test_server_that_cannot_prove_its_name(connection_string: str, reason: str) -> None:
    """A certificate for another name is a loss with TLS's reason."""
    async with rigged() as (rig, _):
        rig.open(connection_string)
        await rig.device.until(lambda: rig.device.heard)
        assert reason in str(rig.device.heard)


@asynchronous
async def test_server_of_another_authority() -> None:
    """So is a certificate by somebody else."""
    async with rigged() as (rig, _):
        rig.ca_pem = make_authority().ca_pem
        rig.open()
        await rig.device.until(lambda: rig.device.heard)
        assert "certificate verify failed" in str(rig.device.heard)


@pytest.mark.parametrize(
    ("connection_string", "ca_pem"), [("DeviceId=d", None), ("HostName=h", ""), ("HostName=h", "no")]
)
@asynchronous
async def test_open_command_nothing_can_be_dialled_with(connection_string: str, ca_pem: str | None) -> None:
    """No host, no authority: a loss, not a crash."""
    async with rigged() as (rig, _):
        rig.ca_pem = rig.ca_pem if ca_pem is None else ca_pem
        rig.open(connection_string)
        assert "cannot dial" in str(rig.device.heard)


@pytest.mark.parametrize("transport", ["mqtt", "amqp-ws"])
@asynchronous
async def test_a_device_presents_its_certificate(transport: str) -> None:
    """On every connection, to a hub that asks."""
    mine = self_signed("d")
    async with rigged(transport, authority=make_authority(client_trust=mine.certificate)) as (rig, world):
        rig.open(cert_pem=mine.certificate, key_pem=mine.key)
        await rig.device.hears("connected")
        endpoint = world.hub.connections[0]
        await endpoint.until(lambda: endpoint.certificate)  # by TLS 1.3, the hub's end of the handshake comes last
        assert endpoint.certificate == mine.facts


@asynchronous
async def test_a_certificate_without_its_key() -> None:
    """Nothing can be dialled with it."""
    async with rigged() as (rig, _):
        rig.open(cert_pem=self_signed("d").certificate)
        assert "cannot dial" in str(rig.device.heard)


@asynchronous
async def test_server_that_never_speaks() -> None:
    """A dial that gets no further than TCP ends with the set-up limit."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with serving() as world:
            rig = Rig(world, silent.getsockname()[1], "mqtt", QUICK)
            rig.pump._address = "127.0.0.1"
            await rig.pump.start()
            rig.open()
            await rig.device.hears(("lost", "not done within 0.1 s"))
            await rig.pump.stop()


@asynchronous
async def test_upgrade_refused() -> None:
    """A WebSocket server that says no is a loss with its reason."""
    async with rigged("mqtt-ws") as (rig, world):
        world.hub.prepare = lambda endpoint: setattr(endpoint, "close_request", "fin")
        rig.open()
        await rig.device.until(lambda: rig.device.heard)
        assert "lost" in str(rig.device.heard)


@asynchronous
async def test_hang_up_during_the_dial() -> None:
    """A dial under way is given up; nothing is left of it."""
    async with rigged() as (rig, _):
        rig.open()
        rig.do(Hangup("rst"))
        assert rig.device.heard == [("lost", "rst")]


@asynchronous
async def test_write_without_a_link_is_dropped() -> None:
    """A device that writes or hangs up where nothing is, does no harm."""
    async with rigged() as (rig, _):
        rig.do(Write(b"x"), Hangup("fin"))
        assert rig.device.heard == []


@asynchronous
async def test_device_gets_its_time() -> None:
    """The device's deadline comes true."""
    async with rigged() as (rig, _):
        rig.device.deadline = time.time() + 0.02
        rig.do()
        await rig.device.hears("time")


@asynchronous
async def test_reports_keep_their_order() -> None:
    """Events and log lines come in order, even if a command is sent from inside a report."""
    async with rigged() as (rig, _):
        rig.device.reports += [{"event": "first"}, {"event": "sdk_log", "text": "line"}]
        rig.do()
        assert rig.told == [{"event": "hello"}, {"event": "first"}, "line"]


@asynchronous
async def test_command_from_inside_a_report() -> None:
    """What it causes is reported after what was already waiting."""
    async with serving() as world:
        rig = Rig(world, 1, "mqtt", None)

        def on_event(event: dict[str, object], _: float) -> None:
            rig.told.append(event["event"])
            if event["event"] == "hello":
                rig.device.reports.append({"event": "later"})
                rig.do()

        rig.pump._callbacks = DeviceCallbacks(on_event, *[lambda *_: None] * 4)
        rig.device.reports.append({"event": "sooner"})
        await rig.pump.start()
        assert rig.told == ["hello", "sooner", "later"]
        await rig.pump.stop()


@asynchronous
async def test_stop_closes_the_device_and_its_sockets() -> None:
    """The device gets its close command; a link it leaves open is reset."""
    async with rigged() as (rig, world):
        rig.open()
        await rig.device.hears("connected")
        await rig.pump.stop()
        await rig.pump.stop()
        assert rig.device.commands == ["open", "close"]
        [endpoint] = world.hub.connections
        await endpoint.until(lambda: endpoint.closed)
        assert endpoint.closed == ("device", "rst")
        assert rig.device.heard == ["connected"]


@asynchronous
async def test_stop_lets_the_farewell_reach_the_hub() -> None:
    """What the device writes before it hangs up is sent, and its socket is closed, not reset."""
    async with rigged() as (rig, world):
        rig.device.farewell = [Write(b"bye"), Hangup("fin")]
        rig.open()
        await rig.device.hears("connected")
        await rig.pump.stop()
        [endpoint] = world.hub.connections
        assert endpoint.received == b"bye"
        assert endpoint.closed == ("device", "fin")


@asynchronous
async def test_stop_during_a_dial() -> None:
    """Stopped right after the dial began, nothing is left open."""
    async with rigged() as (rig, world):
        rig.open()
        await rig.pump.stop()
        await asyncio.sleep(0)
        assert rig.device.heard == []
        assert all(endpoint.received == b"" for endpoint in world.hub.connections)


@asynchronous
async def test_stop_of_a_device_that_never_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for in bounded time."""
    monkeypatch.setattr("harness.net.dial._CLOSE_S", 0.01)
    async with rigged() as (rig, _):
        rig.device.obeys = False
        await rig.pump.stop()
        assert {"event": "closed"} not in rig.told
