"""Targets of HTTPS: what comes in at port 443 and is no WebSocket, up to the hub's answers; and a device's side."""

import base64
from random import Random
from typing import Final

from fuzz.mutation import Mutator, Seed, fragments
from fuzz.target import Outcome, Target, require
from harness.errors import RemoteProtocolError
from harness.hub.hub import Hub
from harness.hub.identity import Identity
from harness.hub.policy import Policy
from harness.net.websocket import FrontDoor
from harness.protocol.http.client import HttpClient
from harness.protocol.http.messages import Request
from harness.sas import make_token

_NOW: Final = 1_767_225_600.0
_KEY: Final = base64.b64encode(bytes(32)).decode()
_TOKEN: Final = make_token("h%2Fdevices%2Fd", _KEY, int(_NOW) + 60).encode()
_WORDS: Final = (
    *(b"\r\n", b"\r\n\r\n", b": ", b" ", b"\t", b"\0", b"\xff", b"%", b"%00", b"%2F", b"//[", b"?", b"&", b"=", b'"', b"*"),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n", b"HTTP/1.0", b"CONNECT "),
    *(b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Upgrade: websocket\r\n", b"Upgrade: h2c\r\n", b"reject", b"d"),
)  # fmt: skip
_BATCH: Final = b'[{"body":"YQ==","properties":{"iothub-messageid":"1"}},{"body":"a","base64Encoded":false}]'
_LINES: Final = (
    *(b"X: " + b"x" * 9_000 + b"\r\n", b" folded\r\n", b"no colon\r\n", b"Authorization : x\r\n", b"Host: g\r\n"),
    *(b"Authorization: " + _TOKEN + b"\r\n", b"iothub-app-\xe4: \xff\r\n", b"Content-Length: 99999999999\r\n"),
)


def server() -> Target:
    """The hub's side, from the door on."""
    c2d = b"/devices/d/messages/devicebound"
    seeds: list[Seed] = [
        _request(b"POST", b"/devices/d/messages/events?api-version=1", b"{}"),
        _request(
            b"POST", b"/devices/d/messages/events", _BATCH, b"Content-Type: application/vnd.microsoft.iothub.json\r\n"
        ),
        (
            *_request(b"POST", b"/devices/d/messages/events", b"", b"Transfer-Encoding: chunked\r\n"),
            b"2\r\n{}\r\n",
            b"0\r\n\r\n",
        ),
        _request(b"GET", c2d) + _request(b"DELETE", c2d + b"/x?reject") + _request(b"POST", c2d + b"/x/abandon"),
        _request(b"HEAD", b"https://h/") + _request(b"GET", c2d),
    ]
    mutator = Mutator(seeds, stock=[*_LINES, *seeds[0], *seeds[3]], words=_WORDS)
    return Target(
        "https-server", "what a client sends -> the hub's answers; refusal", "requests", mutator, _read_server
    )


def client() -> Target:
    """A device's side."""
    seeds: list[Seed] = [
        (b"HTTP/1.1 204 No Content\r\n", b"Server: x\r\n", b"\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b'ETag: "x"\r\n', b"Content-Length: 2\r\n", b"\r\n", b"{}"),
        (b"HTTP/1.1 100 Continue\r\n", b"\r\n", b"HTTP/1.1 401 Unauthorized\r\n", b"Content-Length: 0\r\n", b"\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n", b"2\r\n{}\r\n", b"0\r\n\r\n"),
    ]
    mutator = Mutator(seeds, stock=[*_LINES, *seeds[1]], words=_WORDS)
    return Target(
        "https-client", "what a server sends -> HttpClient; RemoteProtocolError", "responses", mutator, _read_client
    )


def _request(method: bytes, target: bytes, body: bytes = b"", more: bytes = b"") -> Seed:
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    lines = (
        b"Host: h\r\n",
        b"Authorization: " + _TOKEN + b"\r\n",
        b"iothub-messageid: 1\r\n",
        length,
        more,
        b"\r\n",
        body,
    )
    return (method + b" " + target + b" HTTP/1.1\r\n", *filter(None, lines))


def _read_server(chunks: list[bytes], random: Random) -> Outcome:
    """The input arrives in parts; every request is answered, in order, and nothing of the token stands in an event."""
    told: list[tuple[str, dict[str, object]]] = []

    def emit(kind: str, _now: float, /, **fields: object) -> None:
        told.append((kind, fields))

    hub = Hub(Identity("h", "d", _KEY, _KEY), Policy(), emit=emit)
    hub.send_c2d("m", b"{}", _NOW)
    door, side = FrontDoor(), hub.open("websocket", "127.0.0.1:1", _NOW, lambda: None)
    upgraded, sent = False, 0
    for part in fragments(chunks, random):
        payload = door.receive(part)
        if door.upgrade is not None and not upgraded:
            upgraded, side = True, side.upgraded(door.upgrade.subprotocol, door.upgrade.path, _NOW)
        if payload and upgraded:
            side.receive(payload, _NOW)
            door.send(side.data_to_send())
        sent += len(door.data_to_send())
    asked, answered = (sum(kind == one for kind, _ in told) for one in ("http-request", "http-response"))
    require(asked == answered, "a request without an answer")
    require(_TOKEN.decode() not in str(told), "a token in an event")
    require(sent <= 20_000 + 8 * sum(map(len, chunks)), "far more is answered than was asked")
    problem = next(
        (f"{fields['status']}: {fields['reason']}" for kind, fields in told if kind == "http-rejected"), None
    )
    refused = f"status {door.refusal.status}" if door.refusal is not None else None
    return Outcome(problem or refused, asked)


def _read_client(chunks: list[bytes], random: Random) -> Outcome:
    side, answers = HttpClient(), 0
    ask = Request("GET", "/", (("host", "h"),))
    side.request(ask)
    try:
        for part in fragments(chunks, random):
            if side.receive(part) is not None:
                answers += 1
                if side.over:
                    break
                side.request(ask)
    except RemoteProtocolError as error:
        return Outcome(str(error), answers)
    return Outcome(None, answers)
