"""The client role, held against the server role and against answers that are none."""

import pytest

from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.protocol.http.client import HttpClient
from harness.protocol.http.messages import MAX_BODY, Request, Response
from harness.protocol.http.server import HttpServer

HOST = (("host", "h"),)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def asked() -> HttpClient:
    """A client that has made a request."""
    client = HttpClient()
    client.request(Request("GET", "/", HOST))
    return client


def test_both_roles_understand_each_other() -> None:
    """Twice on one connection."""
    client, server = HttpClient(), HttpServer()
    for number in (b"1", b"2"):
        (request,) = server.receive(client.request(Request("POST", "/a", HOST, number)))
        assert isinstance(request, Request)
        server.respond(Response(200, (), request.body))
        answer = client.receive(server.data_to_send())
        assert answer == Response(200, (("content-length", "1"),), number)
    assert not client.over


def test_an_answer_in_pieces() -> None:
    """Nothing before it is whole."""
    client = asked()
    assert [client.receive(bytes([byte])) for byte in ANSWER][-2:] == [
        None,
        Response(200, (("content-length", "2"),), b"hi"),
    ]


def test_an_interim_answer_is_passed_over() -> None:
    """RFC 9110 section 15.2."""
    answer = asked().receive(b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER)
    assert answer is not None
    assert (answer.status, answer.header("content-length")) == (200, "2")


def test_no_bytes_are_no_end() -> None:
    """Whoever carries them says when it is over."""
    client = asked()
    assert (client.receive(b""), client.over) == (None, False)


def test_the_server_may_end_it() -> None:
    """No further request then."""
    client = asked()
    client.receive(ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert client.over
    with pytest.raises(LocalProtocolError):
        client.request(Request("GET", "/", HOST))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x16\x03\x01\0\r\n\r\n", "the server's answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000, "the server's answer"),
        (f"HTTP/1.1 200 OK\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n".encode() + bytes(MAX_BODY + 1), "longer than"),
    ],
    ids=["garbage", "head", "body"],
)
def test_what_is_no_answer(data: bytes, reason: str) -> None:
    """It ends the connection."""
    client = asked()
    with pytest.raises(RemoteProtocolError, match=reason):
        client.receive(data)
    assert client.over
