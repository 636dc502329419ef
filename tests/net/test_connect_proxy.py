"""The CONNECT proxy: the one thing it does, all it refuses, and tunnels that hide nothing."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from support.net_world import NAME, World, asynchronous, in_thread, read_reset, recv_all, reset_socket, serving

from harness.net.certificates import client_context
from harness.net.connect_proxy import ConnectProxy, ProxyLimits

Target = tuple[str, int]


@asynccontextmanager
async def proxying(targets: Mapping[Target, Target], limits: ProxyLimits | None = None) -> AsyncIterator[ConnectProxy]:
    """Run a proxy."""
    proxy = await ConnectProxy.start(targets, limits=limits)
    try:
        yield proxy
    finally:
        await proxy.stop()


def ask(proxy: ConnectProxy, request: bytes) -> bytes:
    """Send a request to the proxy; everything it answers until it closes."""
    with socket.create_connection((proxy.address, proxy.port), timeout=5) as connection:
        connection.sendall(request)
        return recv_all(connection)


def tunnel(proxy: ConnectProxy, target: str, first: bytes = b"") -> socket.socket:
    """A connection through the proxy, right after its answer; `first` follows the request in the same segment."""
    connection = socket.create_connection((proxy.address, proxy.port), timeout=5)
    connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode() + first)
    # One read of the whole head: that is how some clients take it.
    assert connection.recv(4096) == b"HTTP/1.1 200 Connection established\r\n\r\n"
    return connection


async def through(proxy: ConnectProxy, world: World) -> ssl.SSLSocket:
    """TLS to the hub through the proxy, under the hub's own name."""
    context = client_context(world.authority.ca_pem)
    plain = await in_thread(tunnel, proxy, f"{NAME}:8883")
    return await in_thread(lambda: context.wrap_socket(plain, server_hostname=NAME, suppress_ragged_eofs=False))


@asynchronous
async def test_only_the_loopback_interface_is_listened_on() -> None:
    """Nobody outside this machine can use it."""
    async with proxying({}) as proxy:
        assert proxy.address == "127.0.0.1"
        assert proxy.port > 0


@asynchronous
async def test_tunnel_leads_to_the_hub() -> None:
    """TLS under the hub's own name works through it, server name included."""
    async with serving() as world, proxying(world.reservation.targets([NAME.upper()])) as proxy:
        with await through(proxy, world) as device:
            device.sendall(b"hello")
            assert await in_thread(device.recv, 100) == b"hello"
        assert world.hub.connections[0].fields("tls")["sni"] == NAME


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"CONNECT other.example:8883 HTTP/1.1", 403),
        (b"CONNECT hub.example:22 HTTP/1.1", 403),
        (b"GET http://hub.example/ HTTP/1.1", 400),
        (b"CONNECT hub.example HTTP/1.1", 400),
        (b"CONNECT hub.example:https HTTP/1.1", 400),
        (b"CONNECT :443 HTTP/1.1", 400),
        (b"CONNECT hub.example:1234567 HTTP/1.1", 400),
        (b"CONNECT hub.example:443 SPDY/3", 400),
        (b"\x16\x03\x01\x00\xc8", 400),
        (b"X" * 9000, 431),
    ],
    ids=lambda value: value[:40].decode("latin-1") if isinstance(value, bytes) else str(value),
)
@asynchronous
async def test_refusals(request_head: bytes, status: int) -> None:
    """Any other target, any other method, anything else at all."""
    async with proxying({("hub.example", 443): ("127.0.0.1", 9)}) as proxy:
        answer = await in_thread(ask, proxy, request_head + b"\r\n\r\n")
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


@asynchronous
async def test_target_where_nobody_listens() -> None:
    """502."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with proxying({("hub.example", 443): unused.getsockname()}) as proxy:
            answer = await in_thread(ask, proxy, b"CONNECT hub.example:443 HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 502 ")


@asynchronous
async def test_request_that_does_not_end() -> None:
    """408 after the limit."""
    async with proxying({}, ProxyLimits(head_s=0.05)) as proxy:
        answer = await in_thread(ask, proxy, b"CONNECT hub.exam")
    assert answer.startswith(b"HTTP/1.1 408 ")


@asynchronous
async def test_too_many_clients() -> None:
    """503 for the one too many; room again when one has left."""
    async with proxying({}, ProxyLimits(connections=1)) as proxy:
        with socket.create_connection((proxy.address, proxy.port)):
            assert (await in_thread(ask, proxy, b"")).startswith(b"HTTP/1.1 503 ")
        assert (await in_thread(ask, proxy, b"?\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


@asynchronous
async def test_client_that_leaves_in_its_request() -> None:
    """Nothing is left of it."""
    async with proxying({}) as proxy:
        with socket.create_connection((proxy.address, proxy.port)) as connection:
            connection.sendall(b"CONN")
            connection.shutdown(socket.SHUT_WR)
            assert await in_thread(recv_all, connection) == b""


@asynchronous
async def test_hubs_reset_arrives_as_a_reset() -> None:
    """And the hub was first."""
    async with serving() as world, proxying(world.reservation.targets([NAME])) as proxy:
        with await through(proxy, world) as device:
            world.hub.connections[0].part("rst")
            with pytest.raises(ConnectionResetError):
                await in_thread(read_reset, device)


@asynchronous
async def test_hubs_fin_arrives_as_a_fin() -> None:
    """After close_notify; and the hub hears the device's."""
    async with serving() as world, proxying(world.reservation.targets([NAME])) as proxy:
        endpoint = world.hub
        with await through(proxy, world) as device:
            world.hub.connections[0].part("fin")
            assert await in_thread(device.recv, 1) == b""
            with device.unwrap() as plain:
                assert plain.recv(1) == b""
        connection = await endpoint.connection()
        await connection.until(lambda: connection.closed)
        assert connection.closed == ("hub", "fin")


@pytest.mark.parametrize("how", ["fin", "rst"])
@asynchronous
async def test_devices_end_arrives_at_the_hub_as_it_was(how: str) -> None:
    """FIN as FIN, RST as RST."""
    async with serving() as world, proxying(world.reservation.targets([NAME])) as proxy:
        device = await through(proxy, world)
        if how == "fin":
            device.close()
        else:
            reset_socket(device)
        [connection] = world.hub.connections
        await connection.until(lambda: connection.closed)
        assert connection.closed == ("device", how)


@asynchronous
async def test_half_closed_tunnel_carries_the_answer() -> None:
    """One direction may end before the other; much data in both, faster than they are read."""
    size = 8 << 20
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def echo_late() -> None:
            with listener.accept()[0] as connection:
                connection.settimeout(5)
                connection.sendall(recv_all(connection))

        def send() -> int:
            with tunnel(proxy, "hub.example:443", b"first") as connection:
                connection.sendall(bytes(size))
                connection.shutdown(socket.SHUT_WR)
                return len(recv_all(connection))

        async with proxying({("hub.example", 443): listener.getsockname()}) as proxy:
            _, received = await asyncio.gather(in_thread(echo_late), in_thread(send))
    assert received == size + 5


@asynchronous
async def test_stop_resets_tunnels() -> None:
    """Both ends of an open tunnel see a reset."""
    async with serving() as world, proxying(world.reservation.targets([NAME])) as proxy:
        with await through(proxy, world) as device:
            await proxy.stop()
            with pytest.raises(ConnectionResetError):
                await in_thread(read_reset, device)
        connection = await world.hub.connection()
        await connection.until(lambda: connection.closed)
        assert connection.closed == ("device", "rst")
