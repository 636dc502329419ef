"""WebSocket without a socket, for both sides: bytes of the TLS stream in, bytes of MQTT, AMQP or HTTP out, and the reverse.

Framing and the opening handshake are the `websockets` library's (RFC 6455); this module adds what an IoT Hub is:

=================================  ==================================================================================
request                            answer
=================================  ==================================================================================
another path                       404; any query is ignored, absolute-form targets count (RFC 9112 section 3.2.2)
neither subprotocol offered        400; the first one known is taken: upper and lower case are one, and its spelling comes back
no upgrade, another version, …     the library's: 400, 405, 426, 505
no HTTP                            400
a head of over 16 KiB              431
another path, and no upgrade       none of ours: `FrontDoor` lets it through
=================================  ==================================================================================

MQTT is a stream of bytes inside binary messages (MQTT 3.1.1 section 6.0), and so is AMQP ("AMQP WebSocket Binding", section 2.3):
messages need not match packets or frames, so fragments are passed on as they come. A text message is an error in both.
"""

import http
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import NegotiationError
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Protocol, State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

__all__ = [
    "AMQP",
    "MESSAGE_SIZE",
    "MQTT",
    "PATH",
    "SUBPROTOCOLS",
    "FrontDoor",
    "Refusal",
    "Upgrade",
    "WebSocket",
    "WebSocketClient",
    "WebSocketServer",
]

PATH = "/$iothub/websocket"  # IoT Hub documentation, "Communicate with an IoT hub using the MQTT protocol", port 443
MQTT = "mqtt"
AMQP = "AMQPWSB10"
SUBPROTOCOLS = (MQTT, AMQP)
MESSAGE_SIZE = 65_536
"""No message we send is larger, in bytes: the Java SDK's client takes a quarter of a MiB at most."""
_KNOWN = frozenset(name.lower() for name in SUBPROTOCOLS)
_FIRST_LINE = re.compile(rb"[A-Z]{1,16} (?P<target>[!-~]+) HTTP/1\.[01]")
_ASKS_FOR_WEBSOCKET = re.compile(rb"upgrade[ \t]*:.*websocket", re.IGNORECASE)
_MAX_HEAD = 16_384
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The opening handshake succeeded: the target as the client wrote it, and the subprotocol agreed on."""

    path: str
    subprotocol: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The opening handshake failed; `status` is the HTTP status, 0 where no HTTP answer came."""

    path: str
    status: int
    reason: str


class WebSocket(ABC):
    """What both sides share. The attributes say what has happened; none of them is ever taken back.

    `upgrade` or `refusal`: how the opening handshake ended. `failure`: the peer broke the protocol; a close frame that says so
    is ready to leave. `peer_closed`: the peer sent a close frame before we did; the echo is ready to leave.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self.upgrade: Upgrade | None = None
        self.refusal: Refusal | None = None
        self.failure: str | None = None
        self.peer_closed = False

    def receive(self, data: bytes) -> bytes:
        """Take what TLS brought; the payload in it."""
        if self.refusal or self.failure or self.peer_closed:
            return b""
        self._protocol.receive_data(data)
        payload: list[bytes] = []
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event, payload)
            else:
                self._handshake(event)
        self._settle()
        return b"".join(payload)

    def send(self, payload: bytes) -> None:
        """Send as few binary messages as it takes; dropped when the WebSocket is not open."""
        if self._protocol.state is State.OPEN:
            for start in range(0, len(payload), MESSAGE_SIZE):
                self._protocol.send_binary(payload[start : start + MESSAGE_SIZE])

    def close(self) -> None:
        """Send a close frame, if the WebSocket is open."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)

    def data_to_send(self) -> bytes:
        """Give away the bytes that are ready to leave."""
        return b"".join(self._protocol.data_to_send())

    @abstractmethod
    def _handshake(self, event: Request | Response) -> None:
        """The peer's half of the opening handshake has come."""
        ...

    def _take(self, frame: Frame, payload: list[bytes]) -> None:
        if frame.opcode is Opcode.BINARY or frame.opcode is Opcode.CONT:
            payload.append(bytes(frame.data))
        elif frame.opcode is Opcode.TEXT and self.failure is None:
            self.failure = "a text message, where binary ones are needed"
            self._protocol.fail(CloseCode.UNSUPPORTED_DATA, self.failure)

    def _settle(self) -> None:
        protocol = self._protocol
        if protocol.parser_exc is not None:
            self.failure = self.failure or str(protocol.parser_exc)
        elif protocol.close_rcvd is not None and protocol.close_rcvd_then_sent:
            self.peer_closed = True


class WebSocketServer(WebSocket):
    """The hub's side."""

    def __init__(self) -> None:
        self._server = ServerProtocol(select_subprotocol=_select_subprotocol)
        super().__init__(self._server)
        self._head: bytearray | None = bytearray()
        self._answer = b""

    def receive(self, data: bytes) -> bytes:
        """Take what TLS brought; the payload in it."""
        if self._head is None:
            return super().receive(data)
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if len(head) > _MAX_HEAD:
            self._refuse(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"the head is longer than {_MAX_HEAD} bytes")
        elif end:
            self._head = None
            return self._begin(bytes(head + end), bytes(rest))
        return b""

    def data_to_send(self) -> bytes:
        """Give away the bytes that are ready to leave."""
        answer, self._answer = self._answer, b""
        return answer + super().data_to_send()

    def _begin(self, head: bytes, rest: bytes) -> bytes:
        """The head of the request is there; the payload in what followed it."""
        super().receive(head)  # alone, so that the library sees no frame before the request is judged
        return super().receive(rest)

    def _handshake(self, event: Request | Response) -> None:
        assert isinstance(event, Request)
        if _path(event.path) == PATH:
            response = self._server.accept(event)
        else:
            response = self._server.reject(http.HTTPStatus.NOT_FOUND, f"There is only {PATH} here.\n")
        self._server.send_response(response)
        if self._server.state is State.OPEN:
            self.upgrade = Upgrade(event.path[:_SHOWN], self._server.subprotocol or "")
        else:
            reason = bytes(response.body).decode().strip()
            self.refusal = Refusal(event.path[:_SHOWN], response.status_code, reason)

    def _settle(self) -> None:
        super()._settle()
        if self.upgrade is None and self.refusal is None:
            self._refuse(http.HTTPStatus.BAD_REQUEST, _reason(self._server.handshake_exc))

    def _refuse(self, status: http.HTTPStatus, reason: str) -> None:
        # The library answers some broken requests itself, others not at all.
        self._answer = super().data_to_send() or self._server.reject(status, f"{reason}\n").serialize()
        self.refusal = Refusal("", int(self._answer.split(None, 2)[1]), reason)


class FrontDoor(WebSocketServer):
    """What answers on port 443: a WebSocket, or plain HTTP where the first request is for another path and asks for no WebSocket.

    Of the latter nothing is judged here: `upgrade` has no subprotocol then, and the bytes pass in both directions as they are, from the
    first request on.
    """

    def __init__(self) -> None:
        super().__init__()
        self._plain = False
        self._out: list[bytes] = []

    def receive(self, data: bytes) -> bytes:
        """Take what TLS brought; the payload in it."""
        return data if self._plain else super().receive(data)

    def send(self, payload: bytes) -> None:
        """Send a payload."""
        if self._plain:
            self._out.append(payload)
        else:
            super().send(payload)

    def data_to_send(self) -> bytes:
        """Give away the bytes that are ready to leave."""
        out, self._out = self._out, []
        return b"".join(out) if self._plain else super().data_to_send()

    def _begin(self, head: bytes, rest: bytes) -> bytes:
        path = _plain_path(head)
        if path is None:
            return super()._begin(head, rest)
        self._plain = True
        self.upgrade = Upgrade(path[:_SHOWN], "")
        return head + rest


class WebSocketClient(WebSocket):
    """The device's side; the request is ready to leave from the start."""

    def __init__(self, host: str, port: int, subprotocol: str) -> None:
        uri = WebSocketURI(secure=True, host=host, port=port, path=PATH, query="")
        self._client = ClientProtocol(uri, subprotocols=[Subprotocol(subprotocol)])
        super().__init__(self._client)
        self._client.send_request(self._client.connect())

    def _handshake(self, event: Request | Response) -> None:
        assert isinstance(event, Response)
        if self._client.handshake_exc is None:  # frames in the same segment may have closed the WebSocket already
            self.upgrade = Upgrade(PATH, self._client.subprotocol or "")
        else:
            self.refusal = Refusal(PATH, event.status_code, _reason(self._client.handshake_exc))

    def _settle(self) -> None:
        super()._settle()
        if self._client.handshake_exc is not None and self.refusal is None:
            self.refusal = Refusal(PATH, 0, _reason(self._client.handshake_exc))


def _plain_path(head: bytes) -> str | None:
    """The path of a request that is no WebSocket's, None where the head is a WebSocket's or none at all."""
    first, *lines = head.split(b"\r\n")
    match = _FIRST_LINE.fullmatch(first)
    if match is None or any(_ASKS_FOR_WEBSOCKET.match(line) for line in lines):
        return None
    path = _path(match["target"].decode("ascii"))
    return None if path == PATH else path


def _path(target: str) -> str:
    """The path of a request's target; none where that is no URI, as `//[` is not."""
    try:
        return unquote(urlsplit(target).path)
    except ValueError:
        return ""


def _reason(problem: BaseException | None) -> str:
    texts: list[str] = []
    while problem is not None:
        texts.append(str(problem))
        problem = problem.__cause__
    return ": ".join(texts)[:_SHOWN]


def _select_subprotocol(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol:
    for subprotocol in offered:
        if subprotocol.lower() in _KNOWN:
            return subprotocol
    raise NegotiationError(f"neither subprotocol, {' or '.join(SUBPROTOCOLS)}, is offered")
