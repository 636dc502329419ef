"""One connection over real sockets: every way to close, every broken start, back-pressure."""

import asyncio
import contextlib
import errno
import gc
import socket
import ssl
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
    read_reset,
    recv_all,
    reset_socket,
    serving,
)

from harness.net.certificates import client_context, make_authority
from harness.net.stream import PARTINGS, Limits, Stream
from harness.net.tls import TlsConnection


def say(connection: ssl.SSLSocket, data: bytes = b"hello") -> bytes:
    """Send, and read as much back."""
    connection.sendall(data)
    answer = b""
    while len(answer) < len(data):
        answer += connection.recv(65_536)
    return answer


async def closed(world: World, number: int = 0) -> tuple[str, str]:
    """Who closed the connection first, and how."""
    endpoint = await world.hub.connection(number)
    await endpoint.until(lambda: endpoint.closed)
    assert endpoint.closed is not None
    return endpoint.closed


async def established(world: World) -> tuple[ssl.SSLSocket, FakeEndpoint]:
    """A TLS connection, and its end at the hub."""
    device = await in_thread(world.tls)
    endpoint = await world.hub.connection()
    await endpoint.until(lambda: endpoint.notes)
    return device, endpoint


# Bytes.


@asynchronous
async def test_bytes_go_up_and_answers_come_down() -> None:
    """What the device sends reaches the endpoint, and its answer the device."""
    async with serving() as world:
        device, endpoint = await established(world)
        with device:
            assert await in_thread(say, device) == b"hello"
        assert endpoint.received == b"hello"


@asynchronous
async def test_a_large_message_passes_both_ways() -> None:
    """A message of many TLS records arrives whole, and so does the answer."""
    async with serving() as world:
        device, _ = await established(world)
        with device:
            message = bytes(range(256)) * 1024
            assert await in_thread(say, device, message) == message


@asynchronous
async def test_tls_event_says_what_was_agreed() -> None:
    """The event `tls` has version, cipher, server name and no client certificate."""
    async with serving() as world:
        device, endpoint = await established(world)
        with device:
            cipher = device.cipher()
            assert cipher is not None
            agreed = {"version": "TLSv1.3", "cipher": cipher[0], "sni": NAME, "client_certificate": False}
            assert endpoint.notes == [("tls", agreed)]


@asynchronous
async def test_peer_is_named_by_address_and_port() -> None:
    """The hub is told transport and "address:port" of who connects."""
    async with serving() as world:
        device, _ = await established(world)
        with device:
            host, port = device.getsockname()
            assert world.hub.transports == [("mqtt", f"{host}:{port}")]


@asynchronous
async def test_answers_to_one_read_leave_in_one_record() -> None:
    """Many packets in one segment get their answers in one TLS record."""
    async with serving() as world:
        world.hub.prepare = lambda endpoint: setattr(endpoint, "answer", lambda data: b"\x40\x02" * len(data))
        tls = client_tls(world)

        def exchange() -> list[int]:
            with world.tcp() as connection:
                shake_hands(tls, connection)
                for _ in range(10):
                    tls.send(b"p")
                connection.sendall(tls.data_to_send())
                return record_types(connection.recv(65_536))

        assert await in_thread(exchange) == [23]


def record_types(ciphertext: bytes) -> list[int]:
    """The content types of the TLS records in `ciphertext` (RFC 8446 section 5.1)."""
    types = []
    while ciphertext:
        types.append(ciphertext[0])
        ciphertext = ciphertext[5 + int.from_bytes(ciphertext[3:5]) :]
    return types


@asynchronous
async def test_endpoint_speaks_unasked_after_wake() -> None:
    """Output that no read brought about leaves after `wake`."""
    async with serving() as world:
        device, endpoint = await established(world)
        with device:
            endpoint.out += b"c2d"
            endpoint.wake()
            endpoint.wake()
            assert await in_thread(device.recv, 100) == b"c2d"


@asynchronous
async def test_nothing_leaves_before_the_handshake_is_done() -> None:
    """Output that is there from the start waits for TLS."""
    async with serving(FakeHub(lambda endpoint: setattr(endpoint, "out", b"early"))) as world:
        device, _ = await established(world)
        with device:
            assert await in_thread(device.recv, 100) == b"early"


@asynchronous
async def test_endpoint_gets_its_time() -> None:
    """The endpoint's deadline comes true although no byte moves."""
    async with serving() as world:
        device, endpoint = await established(world)
        with device:
            endpoint.deadline = time.time() + 0.02
            endpoint.wake()
            await endpoint.until(lambda: endpoint.ticks)


@asynchronous
async def test_endpoint_gets_its_time_during_the_handshake() -> None:
    """The hub's own limits count from the accept on."""
    async with serving(FakeHub(lambda endpoint: setattr(endpoint, "deadline", time.time() + 0.02))) as world:
        with world.tcp():
            endpoint = await world.hub.connection()
            await endpoint.until(lambda: endpoint.ticks)


# The hub closes.


@asynchronous
async def test_fin_says_close_notify_and_fin_after_the_data() -> None:
    """`fin`: data, close_notify, FIN, in this order."""
    async with serving() as world:
        device, endpoint = await established(world)
        with device:
            endpoint.out = b"last words"
            endpoint.part("fin")
            assert await in_thread(recv_all, device) == b"last words"
            with device.unwrap() as plain:
                assert plain.recv(1) == b""
        assert await closed(world) == ("hub", "fin")
        assert endpoint.left == []


@asynchronous
async def test_tcp_fin_says_no_close_notify() -> None:
    """`tcp-fin`: the stream just ends."""
    async with serving() as world:
        device, endpoint = await established(world)
        with device:
            endpoint.part("tcp-fin")
            with pytest.raises(ssl.SSLEOFError):
                await in_thread(device.recv, 1)
        assert await closed(world) == ("hub", "fin")


@asynchronous
async def test_rst_is_a_real_reset() -> None:
    """`rst`: what was ready is sent, then the device sees a reset."""
    async with serving() as world:
        device, endpoint = await established(world)
        with device:
            endpoint.out = b"CONNACK 5"
            endpoint.part("rst")
            assert await in_thread(device.recv, 100) == b"CONNACK 5"
            with pytest.raises(ConnectionResetError):
                await in_thread(read_reset, device)
        assert await closed(world) == ("hub", "rst")


@pytest.mark.parametrize("how", [*PARTINGS, "rst"])
@asynchronous
async def test_socket_closes_although_the_device_ignores_it(how: str) -> None:
    """A device that stays after the hub's farewell keeps the socket no longer than the linger."""
    async with serving(limits=QUICK) as world:
        device, endpoint = await established(world)
        with device:
            endpoint.part(how)
            assert (await closed(world))[0] == "hub"


@asynchronous
async def test_what_comes_after_the_farewell_is_not_read() -> None:
    """After the hub's close request nothing reaches the endpoint."""
    async with serving() as world:
        device, endpoint = await established(world)
        with device:
            endpoint.part("fin")
            await in_thread(recv_all, device)
            await in_thread(device.sendall, b"too late")
            endpoint.wake()
        assert await closed(world) == ("hub", "fin")
        assert endpoint.received == b""


@asynchronous
async def test_refusal_before_the_first_byte() -> None:
    """A connection the hub resets at once never gets to TLS."""
    async with serving(FakeHub(lambda endpoint: setattr(endpoint, "close_request", "rst"))) as world:
        with pytest.raises(ConnectionResetError):
            await in_thread(world.tls)
        assert await closed(world) == ("hub", "rst")


# The device closes.


@asynchronous
async def test_device_fin_without_close_notify() -> None:
    """A device that just closes its socket: fin."""
    async with serving() as world:
        device, endpoint = await established(world)
        device.sendall(b"DISCONNECT")
        device.close()
        assert await closed(world) == ("device", "fin")
        assert (endpoint.received, endpoint.left) == (b"DISCONNECT", ["fin"])


@asynchronous
async def test_device_close_notify() -> None:
    """A device that closes TLS first gets the hub's close_notify back."""
    async with serving() as world:
        device, endpoint = await established(world)
        endpoint.answer = lambda _: b""
        device.sendall(b"DISCONNECT")
        (await in_thread(device.unwrap)).close()
        assert await closed(world) == ("device", "close-notify")
        assert (endpoint.received, endpoint.left) == (b"DISCONNECT", ["close-notify"])


@asynchronous
async def test_device_close_notify_and_then_nothing() -> None:
    """A device that closes TLS but never TCP loses the socket after the linger."""
    async with serving(limits=QUICK) as world:
        device, _ = await established(world)
        with await in_thread(device.unwrap):
            assert await closed(world) == ("device", "close-notify")


@asynchronous
async def test_half_closed_device_gets_its_answer() -> None:
    """A device that sends FIN and still reads gets what the hub had to say, and close_notify."""
    async with serving() as world:
        device, _ = await established(world)
        with device:
            device.sendall(b"hello")
            socket.socket.shutdown(device, socket.SHUT_WR)
            assert await in_thread(recv_all, device) == b"hello"
            assert await closed(world) == ("device", "fin")


@asynchronous
async def test_device_reset() -> None:
    """A device's RST: rst."""
    async with serving() as world:
        device, endpoint = await established(world)
        reset_socket(device)
        assert await closed(world) == ("device", "rst")
        assert endpoint.left == ["rst"]


@asynchronous
async def test_device_that_closed_in_the_same_segment_was_first() -> None:
    """Data and close_notify in one read: the hub's wish to close, made on that data, comes second."""

    def wants_to_close(endpoint: FakeEndpoint) -> None:
        def answer(_: bytes) -> bytes:
            endpoint.close_request = "rst"
            return b""

        endpoint.answer = answer

    async with serving(FakeHub(wants_to_close)) as world:
        tls = client_tls(world)

        def leave() -> None:
            with world.tcp() as connection:
                shake_hands(tls, connection)
                tls.send(b"DISCONNECT")
                tls.close()
                connection.sendall(tls.data_to_send())
                recv_all(connection)

        await in_thread(leave)
        assert await closed(world) == ("device", "close-notify")
        assert world.hub.connections[0].received == b"DISCONNECT"


def client_tls(world: World) -> TlsConnection:
    """A device's TLS whose records can be sent when and as the test likes."""
    return TlsConnection(client_context(world.authority.ca_pem), server_side=False, server_hostname=NAME)


def shake_hands(tls: TlsConnection, connection: socket.socket) -> None:
    """Bring the handshake to its end."""
    while not tls.established:
        connection.sendall(tls.data_to_send())
        tls.receive(connection.recv(65_536))


@asynchronous
async def test_reset_after_the_hubs_farewell_changes_nothing() -> None:
    """A device that answers FIN by RST was not the first to close."""
    async with serving() as world:
        device, endpoint = await established(world)
        endpoint.part("fin")
        await in_thread(recv_all, device)
        reset_socket(device)
        assert await closed(world) == ("hub", "fin")


# Broken starts.


@asynchronous
async def test_half_a_handshake_runs_out_of_time() -> None:
    """A client that stops in the middle of its ClientHello loses the connection."""
    async with serving(limits=QUICK) as world:
        with world.tcp() as connection:
            connection.sendall(bytes.fromhex("16030100c8010000"))
            assert await in_thread(connection.recv, 1) == b""
        assert await closed(world) == ("hub", "timeout")
        endpoint = world.hub.connections[0]
        assert endpoint.fields("tls-failed") == {"reason": "not done within 0.1 s"}
        assert endpoint.left == []


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [(b"GET / HTTP/1.1\r\n\r\n", "http request"), (b"\x10\x20\x00\x04MQTT\x04\xc2\x00\x3c", "wrong version number")],
)
@asynchronous
async def test_no_tls_at_all(garbage: bytes, reason: str) -> None:
    """Plain HTTP or plain MQTT on the TLS port ends that connection and no other."""
    async with serving() as world:
        device, _ = await established(world)
        with device, world.tcp() as connection:
            connection.sendall(garbage)
            await in_thread(recv_all, connection)
            connection.close()
            assert await closed(world, 1) == ("hub", "fin")
            assert world.hub.connections[1].fields("tls-failed") == {"reason": reason}
            assert await in_thread(say, device) == b"hello"


@asynchronous
async def test_connection_closed_during_the_handshake() -> None:
    """A client that connects and leaves is told apart from a broken handshake."""
    async with serving() as world:
        world.tcp().close()
        assert await closed(world) == ("device", "fin")
        reason = "the peer closed the connection during the handshake"
        assert world.hub.connections[0].fields("tls-failed") == {"reason": reason}


@asynchronous
async def test_connection_reset_during_the_handshake() -> None:
    """The same with an RST."""
    async with serving() as world:
        connection = world.tcp()
        await world.hub.connection()
        reset_socket(connection)
        assert await closed(world) == ("device", "rst")
        reason = "the peer reset the connection during the handshake"
        assert world.hub.connections[0].fields("tls-failed") == {"reason": reason}


@asynchronous
async def test_client_that_does_not_trust_the_authority() -> None:
    """The alert's text is the reason, and the device is the one that left."""
    async with serving() as world:
        stranger = client_context(make_authority().ca_pem)
        with pytest.raises(ssl.SSLCertVerificationError):
            await in_thread(lambda: world.tls(context=stranger))
        assert await closed(world) == ("device", "fin")
        assert world.hub.connections[0].fields("tls-failed") == {"reason": "tlsv1 alert unknown ca"}


@asynchronous
async def test_damaged_record_ends_the_connection() -> None:
    """A record that does not decrypt is a failure of TLS, and of the hub's choosing."""
    async with serving() as world:
        device, endpoint = await established(world)
        with socket.socket(fileno=device.detach()) as plain:
            plain.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
            plain.setblocking(True)
            with contextlib.suppress(ConnectionResetError):
                await in_thread(recv_all, plain)
        assert await closed(world) == ("hub", "fin")
        assert "bad record mac" in str(endpoint.fields("tls-failed"))


# Trouble.


@asynchronous
async def test_peer_that_never_reads_is_not_listened_to() -> None:
    """What such a peer is owed stays bounded; once it reads, everything comes."""
    part, parts = bytes(1 << 20), 24
    async with serving() as world:
        world.hub.prepare = lambda endpoint: setattr(endpoint, "answer", lambda data: part * len(data))
        device, endpoint = await established(world)
        [stream] = world.server._streams
        with device:
            for _ in range(parts):
                device.sendall(b"x")
                await asyncio.sleep(0.002)
            assert stream._stalled
            assert len(endpoint.received) < parts
            endpoint.out += b"end"
            endpoint.wake()

            def read_all() -> int:
                total = 0
                while total < parts * len(part) + 3:
                    total += len(device.recv(1 << 20))
                return total

            assert await in_thread(read_all) == parts * len(part) + 3


@asynchronous
async def test_peer_that_never_reads_can_be_cut() -> None:
    """The hub's fin ends such a connection after the linger."""
    async with serving(limits=Limits(linger_s=0.1)) as world:
        world.hub.prepare = lambda endpoint: setattr(endpoint, "answer", lambda _: bytes(1 << 24))
        device, endpoint = await established(world)
        with device:
            device.sendall(b"x")
            await endpoint.until(lambda: endpoint.reads)
            endpoint.part("fin")
            assert await closed(world) == ("hub", "fin")


@asynchronous
async def test_defect_of_an_endpoint_costs_its_connection_only(caplog: pytest.LogCaptureFixture) -> None:
    """An exception out of an endpoint resets that connection, and is not blamed on the device."""
    async with serving() as world:
        device, endpoint = await established(world)

        def answer(_: bytes) -> bytes:
            raise LookupError("defect")

        endpoint.answer = answer
        with device:
            device.sendall(b"x")
            assert await closed(world) == ("hub", "rst")
            assert endpoint.left == []
        with await in_thread(world.tls) as other:
            assert await in_thread(say, other) == b"hello"
    assert "defect" in caplog.text


@asynchronous
async def test_reset_that_asyncio_has_not_heard_of_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sending FIN on a connection the peer has just reset fails; it is then gone, and that is all."""
    async with serving() as world:
        device, endpoint = await established(world)
        [stream] = world.server._streams

        def write_eof() -> None:
            raise OSError(errno.ENOTCONN, "not connected")

        with device:
            monkeypatch.setattr(stream._transport, "write_eof", write_eof)
            endpoint.part("fin")
            assert await closed(world) == ("hub", "fin")


@asynchronous
async def test_closed_connection_needs_no_garbage_collector() -> None:
    """What OpenSSL holds is free with the last reference to the stream, which is the endpoint's."""
    gc.collect()
    gc.disable()
    try:
        async with serving() as world:
            device, endpoint = await established(world)
            device.close()
            await closed(world)
            endpoint.wake = lambda: None
            assert [item for item in gc.get_objects() if isinstance(item, Stream)] == []
    finally:
        gc.enable()
