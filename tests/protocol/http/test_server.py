"""The server role: requests in pieces and in advance, and everything that is none."""

from http import HTTPStatus

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocol.http.messages import MAX_BODY, Rejected, Request, Response
from harness.protocol.http.server import HttpServer

GET = b"GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
OK = Response(200, (("x-one", "1"),), b"body")


def served(server: HttpServer, data: bytes) -> list[Request | Rejected]:
    """What comes out of `data`, each request answered by OK."""
    found = []
    for item in server.receive(data):
        found.append(item)
        if isinstance(item, Request):
            server.respond(OK)
    return found


def test_a_request_comes_whole() -> None:
    """Method, target, headers in lower case, body."""
    (found,) = served(HttpServer(), POST)
    assert found == Request("POST", "/a", (("host", "h"), ("content-length", "2")), b"hi")


@given(st.integers(1, 20))
def test_it_may_come_in_any_pieces(size: int) -> None:
    """And is given out once."""
    server = HttpServer()
    found = [item for start in range(0, len(POST), size) for item in served(server, POST[start : start + size])]
    assert [type(item) for item in found] == [Request]


def test_headers_are_looked_up_by_name() -> None:
    """None where there is none."""
    request, response = Request("GET", "/", (("a", "1"), ("a", "2"))), Response(200, (("b", "3"),))
    assert (request.header("a"), request.header("b"), response.header("b")) == ("1", None, "3")


def test_a_repr_shows_no_header() -> None:
    """One of them holds the token."""
    assert "secret" not in repr(Request("GET", "/secret", (("authorization", "secret"),), b"secret"))


def test_the_answer_has_its_length() -> None:
    """And the reason phrase of its status."""
    server = HttpServer()
    served(server, GET)
    assert server.data_to_send() == b"HTTP/1.1 200 OK\r\nx-one: 1\r\ncontent-length: 4\r\n\r\nbody"


def test_no_content_has_none() -> None:
    """RFC 9110 section 8.6."""
    server = HttpServer()
    for _ in server.receive(GET):
        server.respond(Response(204))
    assert server.data_to_send() == b"HTTP/1.1 204 No Content\r\n\r\n"


def test_head_is_answered_without_the_body() -> None:
    """With its length all the same (RFC 9110 section 9.3.2)."""
    server = HttpServer()
    served(server, GET.replace(b"GET", b"HEAD"))
    assert server.data_to_send().endswith(b"content-length: 4\r\n\r\n")


def test_a_broken_head_request_is_refused_without_one_too() -> None:
    """Its method is known by then."""
    server = HttpServer()
    head = b"HEAD / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n"
    assert served(server, head) == [Rejected(400, "illegal chunk header")]
    assert server.data_to_send().endswith(b"\r\n\r\n")


def test_the_connection_goes_on() -> None:
    """As HTTP/1.1 has it by default."""
    server = HttpServer()
    assert [len(served(server, GET)), len(served(server, POST)), server.over] == [1, 1, False]


def test_requests_in_advance_wait_for_their_turn() -> None:
    """Both are answered, in order."""
    server = HttpServer()
    assert [item.method for item in served(server, GET + POST) if isinstance(item, Request)] == ["GET", "POST"]


def test_a_request_that_is_not_answered_yet_holds_up_the_next() -> None:
    """Nothing is read on."""
    server = HttpServer()
    waiting = server.receive(GET + POST)
    next(waiting)
    assert (list(waiting), server.in_request) == ([], True)


@pytest.mark.parametrize(
    "last", [GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), b"GET / HTTP/1.0\r\n\r\n"]
)
def test_the_last_request_ends_it(last: bytes) -> None:
    """By the client's wish or its version."""
    server = HttpServer()
    served(server, last)
    assert (server.over, served(server, GET)) == (True, [])


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (POST.replace(b": 2", b": -2"), 400),
        (POST.replace(b": 2", b": 2\r\nContent-Length: 3"), 400),
        (POST.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked\r\n\r\nno length"), 400),
        (POST.replace(b"Content-Length: 2", b"Transfer-Encoding: gzip"), 501),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 20_000, 431),
    ],
    ids=["tls", "host", "blanks", "negative", "two-lengths", "chunk", "coding", "head"],
)
def test_what_is_no_request(data: bytes, status: int) -> None:
    """It is answered, and nothing is read after it."""
    server = HttpServer()
    (found,) = served(server, data)
    assert isinstance(found, Rejected)
    assert (found.status, server.over, served(server, GET)) == (status, True, [])
    assert server.data_to_send().startswith(f"HTTP/1.1 {status} ".encode())


def test_the_reason_quotes_nothing() -> None:
    """A line that is no header may be the one with the token."""
    (found,) = served(HttpServer(), b"GET / HTTP/1.1\r\nHost: h\r\nAuthorization : secret\r\n\r\n")
    assert found == Rejected(400, "illegal header line")


def test_a_body_without_end_is_refused() -> None:
    """Before it is there."""
    server = HttpServer()
    head = f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n".encode()
    found = served(server, head + bytes(MAX_BODY + 1))
    assert found == [Rejected(413, f"the body is longer than {MAX_BODY} bytes")]


def test_garbage_behind_a_request_that_was_answered() -> None:
    """It gets its own answer."""
    server = HttpServer()
    assert [type(item) for item in served(server, GET + b"\0\0\r\n\r\n")] == [Request, Rejected]


def test_a_client_that_waits_for_100_is_told_to_go_on() -> None:
    """RFC 9110 section 10.1.1."""
    server = HttpServer()
    assert served(server, POST.replace(b"\r\n\r\nhi", b"\r\nExpect: 100-continue\r\n\r\n")) == []
    assert server.data_to_send().startswith(b"HTTP/1.1 100")
    assert len(served(server, b"hi")) == 1


def test_too_slow() -> None:
    """The owner says so."""
    server = HttpServer()
    served(server, POST[:-1])
    assert server.in_request
    server.reject(HTTPStatus.REQUEST_TIMEOUT)
    assert (server.over, server.data_to_send().split(b"\r\n")[0]) == (True, b"HTTP/1.1 408 Request Timeout")


def test_too_many() -> None:
    """The owner says so between two requests, and the second is not given out."""
    server, found = HttpServer(), []
    for item in server.receive(GET + GET):
        assert isinstance(item, Request)
        found.append(item)
        server.respond(Response(204))
        assert server.in_request
        server.reject(HTTPStatus.TOO_MANY_REQUESTS)
    assert (len(found), server.over) == (1, True)
    assert b"HTTP/1.1 429 Too Many Requests" in server.data_to_send()


def test_a_request_for_another_protocol_is_one_like_any_other() -> None:
    """It was not switched to."""
    server = HttpServer()
    assert len(served(server, GET.replace(b"\r\n\r\n", b"\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n") + GET)) == 2


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([GET, POST, b"\r\n", b"GET "])), max_size=6))
def test_garbage_raises_nothing(chunks: list[bytes]) -> None:
    """It is rejected, or waited for."""
    server = HttpServer()
    for chunk in chunks:
        served(server, chunk)
    answers = h11.Connection(h11.CLIENT)
    answers.receive_data(server.data_to_send())
