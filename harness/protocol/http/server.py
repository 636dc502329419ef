"""One network connection in the server role: requests one after the other, each answered before the next is looked at.

| what comes | what is done |
|---|---|
| a request | it is given out once its body is there; 100 (Continue) is sent where the client waits for it |
| requests in advance of their answers | they wait (RFC 9112 section 9.3.2) |
| no HTTP, no `Host`, a length that is none | 400, and the connection is over |
| a head above `MAX_HEAD` | 431, the same |
| a body above `MAX_BODY` | 413, the same |
| a part of a request, for too long; more requests than its owner likes | what the owner rejects it with, the same |

The connection is over too after an answer to a client that wants it so (`Connection: close`, HTTP/1.0).
"""

from collections.abc import Iterator
from http import HTTPStatus

import h11

from harness.protocol.http.messages import MAX_BODY, MAX_HEAD, Rejected, Request, Response, without_quotes

__all__ = ["HttpServer"]


class HttpServer:
    """Bytes in, requests out, answers back. `over`: nothing more is read; close once `data_to_send` is sent."""

    __slots__ = ("_body", "_http", "_out", "_request", "over")

    def __init__(self) -> None:
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._out: list[bytes] = []
        self._request: h11.Request | None = None
        self._body = bytearray()
        self.over = False

    @property
    def in_request(self) -> bool:
        """Whether a request has begun to come and is not answered yet."""
        return self._request is not None or bool(self._http.trailing_data[0])

    def receive(self, data: bytes) -> Iterator[Request | Rejected]:
        """Take bytes and give out what is complete; each `Request` has to be answered before the next is asked for."""
        if self.over or not data:
            return
        self._http.receive_data(data)
        while not self.over:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                yield self._reject(error.error_status_hint, without_quotes(error))
                return
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return
            if (found := self._take(event)) is not None:
                yield found

    def respond(self, response: Response) -> None:
        """Answer the request that was given out last."""
        self._send(response)
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self.over = True

    def reject(self, status: HTTPStatus) -> None:
        """The owner will not have what comes, be it whole or not; every request that was given out is answered."""
        self._reject(status, "")

    def data_to_send(self) -> bytes:
        """Give away the bytes that are ready to leave."""
        out, self._out = b"".join(self._out), []
        return out

    def _take(self, event: object) -> Request | Rejected | None:
        if isinstance(event, h11.Request):
            self._request, self._body = event, bytearray()
        elif isinstance(event, h11.Data):
            self._body += event.data
            if len(self._body) > MAX_BODY:
                return self._reject(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is longer than {MAX_BODY} bytes")
        else:  # the end of the message: h11 tells of nothing else before the end of the bytes, of which it is not told
            assert self._request is not None
            return _request(self._request, bytes(self._body))
        if self._http.they_are_waiting_for_100_continue:
            self._out.append(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        return None

    def _reject(self, status: int, reason: str) -> Rejected:
        self.over = True
        text = f"{HTTPStatus(status).phrase}\n".encode()
        self._send(Response(status, (("content-type", "text/plain"), ("connection", "close")), text))
        return Rejected(status, reason)

    def _send(self, response: Response) -> None:
        asked, self._request = self._request, None
        body = b"" if asked is not None and asked.method == b"HEAD" else response.body
        length = () if response.status == HTTPStatus.NO_CONTENT else (("content-length", str(len(response.body))),)
        head = h11.Response(
            status_code=response.status,
            headers=[*response.headers, *length],
            reason=HTTPStatus(response.status).phrase.encode(),
        )
        events = (head, h11.Data(data=body), h11.EndOfMessage()) if body else (head, h11.EndOfMessage())
        self._out += [self._http.send(event) or b"" for event in events]


def _request(event: h11.Request, body: bytes) -> Request:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers)
    return Request(event.method.decode("ascii"), event.target.decode("latin-1"), headers, body)
