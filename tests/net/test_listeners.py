"""The listeners of a cell: both doors, the hub's timer, and an end that leaves nothing open."""

import asyncio
import gc
import socket
import time

import pytest
from support.net_world import (
    NAME,
    QUICK,
    FakeEndpoint,
    FakeHub,
    World,
    asynchronous,
    in_thread,
    recv_all,
    serving,
)
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from harness.clock import RealClock
from harness.net.addresses import AddressPool
from harness.net.certificates import client_context, make_authority
from harness.net.listeners import CellServer
from harness.net.websocket import PATH


def websocket(world: World, path: str = PATH, subprotocol: str = "MQTT") -> connect:
    """A WebSocket to the cell, by the websockets library's own client."""
    address, port = world.reservation.address, world.reservation.ports["websocket"]
    context = client_context(world.authority.ca_pem)
    return connect(f"wss://{address}:{port}{path}", ssl=context, subprotocols=[Subprotocol(subprotocol)], proxy=None)


def upgrade_request() -> bytes:
    """The opening handshake of RFC 6455 section 1.3."""
    lines = ("Host: h", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    more = ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: mqtt", "", "")
    return "\r\n".join((f"GET {PATH} HTTP/1.1", *lines, *more)).encode()


async def closed(endpoint: FakeEndpoint) -> tuple[str, str] | None:
    """Who closed first, and how."""
    await endpoint.until(lambda: endpoint.closed)
    return endpoint.closed


@pytest.mark.parametrize("subprotocol", ["MQTT", "amqpwsb10"])
@asynchronous
async def test_websocket_door(subprotocol: str) -> None:
    """Bytes go both ways inside binary messages; the endpoint is told of the upgrade, and of the device's close frame."""
    async with serving() as world:
        async with websocket(world, subprotocol=subprotocol) as device:
            assert device.subprotocol == subprotocol
            await device.send(b"CONNECT")
            assert await device.recv() == b"CONNECT"
        [endpoint] = world.hub.connections
        assert world.hub.transports[0][0] == "websocket"
        assert [kind for kind, _ in endpoint.notes] == ["tls", "websocket"]
        assert endpoint.fields("websocket") == {"path": PATH, "subprotocol": subprotocol}
        assert await closed(endpoint) == ("device", "websocket-close")


@asynchronous
async def test_another_endpoint_may_speak_after_the_upgrade() -> None:
    """The one that was opened hears no byte and no end: all is the other's."""
    first, second = FakeEndpoint(), FakeEndpoint()
    first.successor = second
    hub = FakeHub()
    hub.opened = [first]
    async with serving(hub) as world:
        async with websocket(world, subprotocol="AMQPWSB10") as device:
            await device.send(b"AMQP")
            assert await device.recv() == b"AMQP"
        assert await closed(second) == ("device", "websocket-close")
        assert (first.reads, first.left, first.closed) == ([], [], None)


@asynchronous
async def test_an_upgrade_that_comes_too_late() -> None:
    """The endpoint has just asked to close, and is not asked to speak any more."""
    async with serving() as world:
        with await in_thread(lambda: world.tls(port=world.reservation.ports["websocket"])) as device:
            endpoint = await world.hub.connection()
            endpoint.close_request = "fin"
            device.sendall(upgrade_request())
            await in_thread(recv_or_end, device)
        assert await closed(endpoint) == ("hub", "fin")
        assert [kind for kind, _ in endpoint.notes] == ["tls"]


@asynchronous
async def test_amqp_door() -> None:
    """AMQP has a port of its own; what it carries is no business of the listener."""
    async with serving() as world:
        with await in_thread(lambda: world.tls(port=world.reservation.ports["amqp"])) as device:
            device.sendall(b"AMQP\x00\x01\x00\x00")
            assert await in_thread(device.recv, 8) == b"AMQP\x00\x01\x00\x00"
        assert world.hub.transports[0][0] == "amqp"


@asynchronous
async def test_websocket_to_another_path() -> None:
    """It is refused with 404, the refusal is an event, and the hub closes."""
    async with serving() as world:
        with pytest.raises(InvalidStatus, match="404"):
            await websocket(world, "/").__aenter__()
        [endpoint] = world.hub.connections
        assert await closed(endpoint) == ("hub", "fin")
        assert endpoint.fields("websocket-refused") == {
            "path": "/", "status": 404, "reason": "There is only /$iothub/websocket here.",
        }  # fmt: skip


@asynchronous
async def test_text_message_ends_the_connection() -> None:
    """The device gets a close frame with the code; the hub was first."""
    async with serving() as world:
        async with websocket(world) as device:
            await device.send("text")
            await device.wait_closed()
        [endpoint] = world.hub.connections
        assert await closed(endpoint) == ("hub", "websocket-close")
        assert "text message" in str(endpoint.fields("websocket-failed"))
        assert device.close_code == 1003


@asynchronous
async def test_hub_can_close_the_websocket_itself() -> None:
    """`websocket-close`: a close frame, then the rest."""
    async with serving() as world:
        async with websocket(world) as device:
            endpoint = await world.hub.connection()
            endpoint.part("websocket-close")
            await device.wait_closed()
        assert await closed(endpoint) == ("hub", "websocket-close")
        assert device.close_code == 1000


@asynchronous
async def test_websocket_that_ends_without_a_close_frame() -> None:
    """A device that just closes its socket: fin, as everywhere."""
    async with serving() as world:
        async with websocket(world) as device:
            device.transport.abort()
        [endpoint] = world.hub.connections
        assert await closed(endpoint) == ("device", "fin")


@asynchronous
async def test_upgrade_that_never_comes() -> None:
    """TLS alone does not keep the WebSocket door open."""
    async with serving(limits=QUICK) as world:
        with await in_thread(lambda: world.tls(port=world.reservation.ports["websocket"])) as device:
            device.sendall(b"GET / HTTP/1.1\r\n")
            assert await in_thread(recv_or_end, device) == b""
        [endpoint] = world.hub.connections
        await endpoint.until(lambda: endpoint.closed)
        assert endpoint.fields("websocket-refused") == {"path": "", "status": 0, "reason": "not done within 0.1 s"}
        assert endpoint.closed == ("hub", "timeout")


def recv_or_end(device: socket.socket) -> bytes:
    """Everything up to the end, even an abrupt one."""
    try:
        return recv_all(device)
    except OSError:
        return b""


@asynchronous
async def test_listening_is_an_event() -> None:
    """It has the address and every port."""
    events: list[tuple[str, dict[str, object]]] = []

    def emit(kind: str, _: float, /, **fields: object) -> None:
        events.append((kind, fields))

    reservation = await AddressPool().acquire()
    server = await CellServer.start(FakeHub(), make_authority(), reservation, RealClock(), names=[NAME], emit=emit)
    await server.stop()
    ports = {"mqtt": 8883, "amqp": 5671, "websocket": reservation.ports["websocket"]}
    assert events == [("listening", {"address": reservation.address, "ports": ports})]


@asynchronous
async def test_cells_do_not_hear_each_other() -> None:
    """Two cells, two addresses, two hubs."""
    async with serving() as one, serving() as other:
        with await in_thread(one.tls), await in_thread(other.tls):
            assert (len(one.hub.connections), len(other.hub.connections)) == (1, 1)
        assert one.reservation.address != other.reservation.address


@asynchronous
async def test_hub_gets_its_time() -> None:
    """A deadline of the hub itself comes true after `wake`."""
    async with serving() as world:
        world.hub.deadline = time.time() + 0.02
        world.server.wake()
        await world.hub.until(lambda: world.hub.ticks)


@asynchronous
async def test_connection_may_bring_the_hubs_deadline_forward() -> None:
    """While the hub waits for something, every read is followed by a look at its deadline."""
    async with serving() as world:
        world.hub.deadline = time.time() + 60
        world.server.wake()
        with await in_thread(world.tls) as device:
            endpoint = await world.hub.connection()

            def answer(_: bytes) -> bytes:
                world.hub.deadline = time.time() + 0.01
                return b""

            endpoint.answer = answer
            device.sendall(b"SUBSCRIBE")
            await world.hub.until(lambda: world.hub.ticks)


@asynchronous
async def test_stop_closes_everything() -> None:
    """Connections get the hub's farewell, the port is free, the address is released."""
    async with serving() as world:
        device = await in_thread(world.tls)
        with device:
            stopping = asyncio.create_task(world.server.stop())
            assert await in_thread(device.recv, 1) == b""
        await stopping
        assert world.hub.connections[0].closed == ("hub", "fin")
        with pytest.raises(ConnectionRefusedError):
            world.tcp()


@asynchronous
async def test_stop_does_not_wait_for_a_hub_that_does_not_let_go() -> None:
    """What is still open after twice the linger is reset."""
    hub = FakeHub()
    async with serving(hub, limits=QUICK) as world:
        with await in_thread(world.tls):
            hub.lets_go = False
            await world.server.stop()
            assert hub.connections[0].closed == ("hub", "rst")


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # what asyncio drops it leaves to the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as does 3.13 itself
@pytest.mark.parametrize("turns", range(6))
@asynchronous
async def test_stop_finds_connections_accepted_a_moment_ago(caplog: pytest.LogCaptureFixture, turns: int) -> None:
    """A connection still on its way through the event loop does not outlive the server, however far it has got."""
    caplog.set_level("CRITICAL", "asyncio")  # which tells of connections it drops
    async with serving() as world:
        with world.tcp():
            for _ in range(turns):
                await asyncio.sleep(0)
            await world.server.stop()
        gc.collect()
        assert all(endpoint.closed for endpoint in world.hub.connections)


@asynchronous
async def test_wake_after_the_end_is_harmless() -> None:
    """The hub may call a connection that has just closed."""
    async with serving() as world:
        (await in_thread(world.tls)).close()
        endpoint = await world.hub.connection()
        await endpoint.until(lambda: endpoint.closed)
        endpoint.wake()
        await asyncio.sleep(0)
        assert endpoint.closed == ("device", "fin")
