"""The WebSocket layer in memory: the upgrade in all its spellings, frames, both ways to end, and what is none on the same port."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from harness.net.websocket import MESSAGE_SIZE, PATH, FrontDoor, Refusal, Upgrade, WebSocketClient, WebSocketServer

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 section 1.3


def request(target: str = PATH, protocols: str = "mqtt", **headers: str) -> bytes:
    """An upgrade request as the Python SDK's MQTT client writes it; `headers` replace those of the same name."""
    lines = {
        "Host": "127.64.0.1:443",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Origin": "https://127.64.0.1:443",
        "Sec-WebSocket-Key": KEY,
        "Sec-Websocket-Version": "13",
        "Sec-Websocket-Protocol": protocols,
        **headers,
    }
    head = "\r\n".join(f"{name}: {value}" for name, value in lines.items() if value)
    return f"GET {target} HTTP/1.1\r\n{head}\r\n\r\n".encode()


def frame(payload: bytes, opcode: Opcode = Opcode.BINARY, *, fin: bool = True, mask: bool = True) -> bytes:
    """One frame of a client."""
    return Frame(opcode, payload, fin).serialize(mask=mask)


def opened() -> WebSocketServer:
    """A server after the upgrade."""
    server = WebSocketServer()
    server.receive(request())
    server.data_to_send()
    return server


# The upgrade.


def test_answer_is_spelled_as_the_strictest_client_wants_it() -> None:
    """Exact Connection and Accept lines; no other line may hold the word "connection"."""
    server = WebSocketServer()
    server.receive(request())
    lines = server.data_to_send().split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 101 Switching Protocols"
    assert {b"Connection: Upgrade", b"Upgrade: websocket", ACCEPT, b"Sec-WebSocket-Protocol: mqtt"} <= set(lines)
    assert [line for line in lines if b"connection" in line.lower()] == [b"Connection: Upgrade"]


@pytest.mark.parametrize(
    "target",
    [
        PATH,
        PATH + "?iothub-no-client-cert=true",
        "/%24iothub/websocket",
        f"https://contoso.azure-devices.net:443{PATH}",
        f"wss://contoso.azure-devices.net{PATH}?x=y",
    ],
)
def test_target_in_every_form(target: str) -> None:
    """Query, percent-encoding and absolute form lead to the same place."""
    server = WebSocketServer()
    server.receive(request(target))
    assert server.upgrade == Upgrade(target, "mqtt")


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("MQTT", "MQTT"),
        ("mqttv3.1,Mqtt", "Mqtt"),
        ("AMQPWSB10", "AMQPWSB10"),
        ("amqpwsb10", "amqpwsb10"),
        ("AMQPWSB10, mqtt", "AMQPWSB10"),
        ("mqtt, AMQPWSB10", "mqtt"),
    ],
)
def test_subprotocol_comes_back_in_the_clients_spelling(offered: str, chosen: str) -> None:
    """Upper and lower case are one; of several, the first that is known."""
    server = WebSocketServer()
    server.receive(request(protocols=offered))
    assert server.upgrade == Upgrade(PATH, chosen)
    assert f"Sec-WebSocket-Protocol: {chosen}\r\n".encode() in server.data_to_send()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (request("/"), 404),
        (request("/$iothub/websocket/"), 404),
        (request("//["), 404),
        (request("https://[::1/$iothub/websocket"), 404),
        (request(protocols="amqp"), 400),
        (request(protocols=""), 400),
        (request(Upgrade=""), 426),
        (request(**{"Sec-Websocket-Version": "8"}), 400),
        (request(**{"Content-Length": "5"}), 400),
        (request().replace(b"GET", b"POST"), 405),
        (request().replace(b"HTTP/1.1", b"HTTP/1.0"), 505),
        (b"\x10\x20\x00\x04MQTT\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (request("/" + "x" * 9000), 414),
        (request(Cookie="x" * 9000), 431),
        (request(**{f"X-{number}": "x" * 4000 for number in range(5)}), 431),
    ],
    ids=lambda value: value[:60].decode("latin-1") if isinstance(value, bytes) else str(value),
)
def test_refusals(head: bytes, status: int) -> None:
    """Every broken request has its status, on the wire and in the refusal."""
    server = WebSocketServer()
    assert server.receive(head) == b""
    assert server.data_to_send().startswith(f"HTTP/1.1 {status} ".encode())
    assert server.refusal is not None
    assert server.refusal.status == status
    assert server.refusal.reason


def test_endless_head_is_cut_off() -> None:
    """A head that grows without end is refused before it is complete."""
    server = WebSocketServer()
    for _ in range(17):
        server.receive(b"x" * 1024)
    assert server.refusal == Refusal("", 431, "the head is longer than 16384 bytes")


def test_nothing_is_read_after_a_refusal() -> None:
    """What follows a refused request is dropped."""
    server = WebSocketServer()
    server.receive(request("/"))
    server.data_to_send()
    assert (server.receive(request()), server.data_to_send(), server.upgrade) == (b"", b"", None)


def test_request_in_single_bytes() -> None:
    """The head may come in any pieces."""
    server = WebSocketServer()
    for byte in request():
        server.receive(bytes([byte]))
    assert server.upgrade == Upgrade(PATH, "mqtt")


def test_frame_in_the_same_segment_as_the_request() -> None:
    """A client in a hurry is served."""
    server = WebSocketServer()
    assert server.receive(request() + frame(b"CONNECT")) == b"CONNECT"


# Frames.


@given(payloads=st.lists(st.binary(min_size=1, max_size=300), max_size=4), step=st.integers(1, 500))
def test_client_to_server_under_any_fragmentation(payloads: list[bytes], step: int) -> None:
    """What the client sends is what the server receives, however the stream is cut, and the reverse."""
    client, server = WebSocketClient("127.64.0.1", 443, "mqtt"), WebSocketServer()
    server.receive(client.data_to_send())
    client.receive(server.data_to_send())
    assert client.upgrade == server.upgrade == Upgrade(PATH, "mqtt")
    for sender, receiver in ((client, server), (server, client)):
        for payload in payloads:
            sender.send(payload)
        stream = sender.data_to_send()
        parts = [receiver.receive(stream[cut : cut + step]) for cut in range(0, len(stream), step)]
        assert b"".join(parts) == b"".join(payloads)


def test_message_in_fragments_with_a_ping_between() -> None:
    """Fragments are passed on as they come; the ping is answered at once."""
    server = opened()
    payload = server.receive(frame(b"CON", fin=False) + frame(b"?", Opcode.PING) + frame(b"NECT", Opcode.CONT))
    assert (payload, server.data_to_send()) == (b"CONNECT", frame(b"?", Opcode.PONG, mask=False))


def test_pong_is_ignored() -> None:
    """An unasked pong is fine."""
    server = opened()
    assert (server.receive(frame(b"", Opcode.PONG)), server.failure) == (b"", None)


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        pytest.param(frame(b"hello", Opcode.TEXT), 1003, id="text"),
        pytest.param(frame(b"hello", Opcode.TEXT, fin=False), 1003, id="fragment of a text"),
        pytest.param(frame(b"hello", fin=False) + frame(b"!"), 1002, id="message inside a message"),
        pytest.param(frame(b"unmasked", mask=False), 1002, id="no mask"),
        pytest.param(frame(b"nothing to continue", Opcode.CONT), 1002, id="stray continuation"),
        pytest.param(b"\x82\xff" + (1 << 30).to_bytes(8) + bytes(4), 1009, id="gigabyte"),
    ],
)
def test_violations_end_in_a_close_frame_with_the_code(stream: bytes, code: int) -> None:
    """Text, missing masks, stray continuations, frames of a gigabyte."""
    server = opened()
    server.receive(stream)
    assert server.failure
    assert server.data_to_send()[2:4] == code.to_bytes(2)


def test_long_output_is_several_messages() -> None:
    """None is larger than what the most modest client takes, and nothing is lost or changes places."""
    client, server = WebSocketClient("127.64.0.1", 443, "AMQPWSB10"), WebSocketServer()
    server.receive(client.data_to_send())
    client.receive(server.data_to_send())
    payload = bytes(range(256)) * (3 * MESSAGE_SIZE // 256) + b"end"
    server.send(payload)
    stream = server.data_to_send()
    heads = [frame(b"", mask=False)[:1] + b"\x7f" + MESSAGE_SIZE.to_bytes(8)] * 3
    assert [stream[start : start + 10] for start in range(0, 3 * (MESSAGE_SIZE + 10), MESSAGE_SIZE + 10)] == heads
    assert client.receive(stream) == payload


def test_empty_output_is_no_frame() -> None:
    """Nothing to say means nothing sent."""
    server = opened()
    server.send(b"")
    assert server.data_to_send() == b""


# The end.


def test_close_frame_of_the_client_is_echoed() -> None:
    """The client closed first; data before it are delivered, data after it are not."""
    server = opened()
    close = frame((1000).to_bytes(2), Opcode.CLOSE)
    assert server.receive(frame(b"DISCONNECT") + close + frame(b"?")) == b"DISCONNECT"
    assert server.peer_closed
    assert server.data_to_send() == frame((1000).to_bytes(2), Opcode.CLOSE, mask=False)
    server.send(b"too late")
    server.close()
    assert server.data_to_send() == b""


def test_own_close_frame_answered_is_no_close_of_the_peer() -> None:
    """The echo of our close frame does not make the peer the first."""
    server = opened()
    server.close()
    assert server.data_to_send() == frame((1000).to_bytes(2), Opcode.CLOSE, mask=False)
    server.receive(frame((1000).to_bytes(2), Opcode.CLOSE))
    assert not server.peer_closed


# The device's side.


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        pytest.param(frame((1001).to_bytes(2), Opcode.CLOSE, mask=False), 1001, id="close"),
        pytest.param(frame(b"masked"), 1002, id="violation"),
    ],
)
def test_client_whose_upgrade_ends_in_the_same_segment(stream: bytes, code: int) -> None:
    """The upgrade has succeeded all the same, and what came before the end is delivered."""
    client, server = WebSocketClient("127.64.0.1", 443, "mqtt"), WebSocketServer()
    server.receive(client.data_to_send())
    payload = client.receive(server.data_to_send() + frame(b"CONNACK", mask=False) + stream)
    assert (client.upgrade, client.refusal, payload) == (Upgrade(PATH, "mqtt"), None, b"CONNACK")
    assert (client.peer_closed, client.failure is not None) == (code == 1001, code != 1001)


def test_client_that_is_refused() -> None:
    """The status and the reason are there."""
    client = WebSocketClient("127.64.0.1", 443, "mqtt")
    client.receive(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    assert client.refusal is not None
    assert (client.refusal.status, client.upgrade) == (404, None)


def test_client_that_meets_no_http() -> None:
    """Something else answers on the port."""
    client = WebSocketClient("127.64.0.1", 443, "mqtt")
    client.receive(b"SSH-2.0\r\n")
    assert client.refusal is not None
    assert client.refusal.status == 0
    assert "HTTP" in client.refusal.reason


# The door, through which plain requests come too.

PLAIN = b"POST /devices/d/messages/events?api-version=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"


def test_a_plain_request_passes_as_it_is() -> None:
    """And so does everything after it, in both directions."""
    door = FrontDoor()
    assert door.receive(PLAIN) == PLAIN
    assert door.upgrade == Upgrade("/devices/d/messages/events", "")
    door.send(b"HTTP/1.1 204 No Content\r\n\r\n")
    door.close()
    assert (door.data_to_send(), door.receive(b"\0"), door.data_to_send()) == (
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"\0",
        b"",
    )


def test_its_head_may_come_in_any_pieces() -> None:
    """Nothing is passed on before it is there, and nothing is lost."""
    door = FrontDoor()
    assert b"".join(door.receive(bytes([byte])) for byte in PLAIN) == PLAIN


def test_a_websocket_is_one_as_before() -> None:
    """With what followed its request."""
    door = FrontDoor()
    assert door.receive(request() + frame(b"x")) == b"x"
    assert door.upgrade == Upgrade(PATH, "mqtt")
    door.data_to_send()
    door.send(b"y")
    assert door.data_to_send() == b"\x82\x01y"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (request("/"), 404),
        (request(Upgrade=""), 426),
        (b"\x10\x20\x00\x04MQTT\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (PLAIN.replace(b"Host", b"X: " + b"x" * 17_000 + b"\r\nHost"), 431),
    ],
    ids=["another-path", "no-upgrade", "mqtt", "version", "head"],
)
def test_what_is_refused_at_the_door(head: bytes, status: int) -> None:
    """A WebSocket that is none of ours, and what is no request of HTTP/1.1."""
    door = FrontDoor()
    assert door.receive(head) == b""
    assert door.refusal is not None
    assert door.refusal.status == status
    assert door.data_to_send().startswith(f"HTTP/1.1 {status}".encode())
