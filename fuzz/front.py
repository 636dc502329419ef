"""Targets in front of the protocols: the WebSocket on port 443, both sides, and the text of tokens."""

import base64
from random import Random
from typing import Final

from websockets.frames import Frame, Opcode

from fuzz.mutation import Mutator, Seed, fragments
from fuzz.target import Outcome, Target, require
from harness.net.websocket import PATH, WebSocket, WebSocketClient, WebSocketServer
from harness.sas import SCHEME, MalformedTokenError, make_token, parse

_KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
_ACCEPT: Final = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 section 1.3
_WORDS: Final = (
    *(
        b"\r\n",
        b"\r\n\r\n",
        b": ",
        b"\0",
        b"\xff",
        b"\xe2\x82",
        b"http://[",
        b"//[",
        b"https://x:99999/",
        b"%00",
        b"%ff",
        b"%",
    ),
    *(
        b" ",
        b"\t",
        b",",
        b";",
        b"=",
        b'"',
        b"\\",
        b"mqtt",
        b"MQTT",
        b"Upgrade: ",
        b"Sec-WebSocket-Extensions: ",
        b"x" * 90,
    ),
    *(
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"permessage-deflate",
        b"HTTP/1.1 101 \r\n",
        b"GET ",
    ),
)
_FRAME_WORDS: Final = (
    b"\x82\xff",
    b"\x82\xfe\xff\xff",
    b"\x00\x80",
    b"\x89\x80",
    b"\x88\x82\x00\x00\x00\x00\x03\xe8",
    b"\xf2\x80",
    b"\x81\x81",
)
_TOKEN_WORDS: Final = (
    b"&",
    b"=",
    b"sr=",
    b"sig=",
    b"se=",
    b"skn=",
    b"%2F",
    b"%25",
    b"%",
    b"%00",
    b"\xff",
    b" ",
    b"\xd9\xa1",
    b"SharedAccess",
)
_TARGETS: Final = (
    *(PATH.encode(), PATH.encode() + b"?x=y", b"https://h:443" + PATH.encode(), b"/%24iothub/websocket", b"/", b"*"),
    *(b"//[", b"http://[::1/", b"http://x:99999/", b"/%", b"/#", b"/\xff", b"h:443"),
)
_LINES: Final = (
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Sec-WebSocket-Extensions: permessage-deflate\r\n"),
    *(
        b"Upgrade: a, websocket/1\r\n",
        b"Sec-WebSocket-Protocol: mqtt\r\n",
        b"Origin: \xff\xfe\r\n",
        b"X: " + b"x" * 9_000 + b"\r\n",
    ),
    *(
        b" folded\r\n",
        b"no colon\r\n",
        b": no name\r\n",
        b"Sec-WebSocket-Version: 8\r\n",
        b"Connection: close\r\n",
        b"\r\n",
    ),
)
_DEVICE_KEY: Final = base64.b64encode(bytes(32)).decode()


def websocket_server() -> Target:
    """The hub's side."""
    frames = tuple(_frames(mask=True))
    heads = [_request(target) for target in _TARGETS[:3]] + [_request(protocols="a, MQTT")]
    seeds: list[Seed] = [*heads, *[(*heads[0], *frames)] * 5, *((*heads[0], frame) for frame in frames)]
    stock = [*_TARGETS, *_LINES, *frames, *heads[0]]
    mutator = Mutator(seeds, stock=stock, words=(*_WORDS, *_FRAME_WORDS), lead=len(heads[0]))
    title = "what a client sends -> WebSocketServer; refusal or failure"
    return Target("websocket-server", title, "bytes of payload", mutator, _read_server)


def websocket_client() -> Target:
    """A device's side."""
    frames = tuple(_frames(mask=False))
    answer = _lines(
        "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {_ACCEPT}", "Sec-WebSocket-Protocol: mqtt", "",
    )  # fmt: skip
    refusal = (*_lines("HTTP/1.1 404 Not Found", "Content-Length: 3", ""), b"no\n")
    chunked = (*_lines("HTTP/1.1 400 Bad Request", "Transfer-Encoding: chunked", "", "3"), b"no\n\r\n", b"0\r\n\r\n")
    seeds: list[Seed] = [*[(*answer, *frames)] * 5, *((*answer, frame) for frame in frames), refusal, chunked]
    mutator = Mutator(seeds, stock=[*_LINES, *frames, *answer], words=(*_WORDS, *_FRAME_WORDS), lead=len(answer))
    title = "what a server sends -> WebSocketClient; refusal or failure"
    return Target("websocket-client", title, "bytes of payload", mutator, _read_client)


def sas_tokens() -> Target:
    """Tokens in the spelling of every SDK."""
    resources = (
        "h%2Fdevices%2Fd",
        "h/devices/d",
        "h%2fdevices%2fd%25201",
        "HTTPS://h/devices/d/modules/m/?api-version=1",
    )
    texts = [
        make_token(resource, _DEVICE_KEY, 2_000_000_000, skn) for resource in resources for skn in (None, "", "owner")
    ]
    texts.append(f"{SCHEME} se=1&skn=d&SIG=c2ln&sr=h")
    mutator = Mutator([(text.encode(),) for text in texts], words=_TOKEN_WORDS)
    return Target("sas", "text -> token; MalformedTokenError", "fields", mutator, _read_token)


def _lines(*lines: str) -> Seed:
    """Lines of a head."""
    return tuple(f"{line}\r\n".encode() for line in lines)


def _request(target: bytes = PATH.encode(), protocols: str = "mqtt") -> Seed:
    """A request, its target apart."""
    head = _lines(
        "Host: h:443", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {_KEY}",
        "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Protocol: {protocols}", "",
    )  # fmt: skip
    return (b"GET ", target, b" HTTP/1.1\r\n", *head)


def _frames(*, mask: bool) -> list[bytes]:
    """Frames of every kind."""
    kinds = (
        *((Opcode.BINARY, b"CONNECT", True), (Opcode.BINARY, b"PUB", False), (Opcode.PING, b"?", True)),
        *((Opcode.CONT, b"LISH", True), (Opcode.PONG, b"", True), (Opcode.BINARY, b"x" * 200, True)),
        *((Opcode.TEXT, b"text", True), (Opcode.CLOSE, b"\x03\xe8bye", True)),
    )
    frames = [Frame(opcode, data, fin).serialize(mask=False) for opcode, data, fin in kinds]
    return [_masked(frame) for frame in frames] if mask else frames


def _masked(frame: bytes) -> bytes:
    """A client's frame. A mask of zeros changes nothing, so that seeds are the same in every process."""
    start = 4 if frame[1] == 126 else 2  # noqa: PLR2004 - a length of two bytes follows
    return frame[:1] + bytes((frame[1] | 0x80,)) + frame[2:start] + bytes(4) + frame[start:]


def _read_server(chunks: list[bytes], random: Random) -> Outcome:
    return _drive(WebSocketServer(), chunks, random)


def _read_client(chunks: list[bytes], random: Random) -> Outcome:
    side = WebSocketClient("127.64.0.1", 443, "mqtt")
    side._client.key = _KEY  # noqa: SLF001 - the library draws one, and the answer has to fit it
    return _drive(side, chunks, random)


def _drive(side: WebSocket, chunks: list[bytes], random: Random) -> Outcome:
    """The input arrives in parts and is answered; what has happened is fit for a log."""
    payload, sent = 0, 0
    for part in fragments(chunks, random):
        payload += len(side.receive(part))
        side.send(b"x")
        sent += len(side.data_to_send())
    size = sum(map(len, chunks))
    require(payload <= size, "more payload than bytes")
    require(sent <= 20_000 + 8 * size, "far more is answered than was asked")
    require(side.upgrade is None or side.refusal is None, "upgraded and refused")
    for happened in (side.upgrade, side.refusal, side.failure):
        str(happened or "").encode()
    reason = side.failure if side.refusal is None else f"status {side.refusal.status}: {side.refusal.reason}"
    return Outcome(reason and ":".join(reason.split(":")[:2]), payload)  # more quotes the input


def _read_token(chunks: list[bytes], _random: Random) -> Outcome:
    text = b"".join(chunks).decode(errors="replace")
    try:
        token = parse(text)
    except MalformedTokenError as error:
        return Outcome(str(error), 0)
    require(sum(map(len, token.scopes()[0])) <= len(text), "the scope is longer than the text")
    token.verify(_DEVICE_KEY)
    token.policy_name("d")
    require(token.expiry >= 0 and len(token.digest) == 16, "a token without expiry or digest")  # noqa: PLR2004
    return Outcome(None, text.count("&") + 1)
