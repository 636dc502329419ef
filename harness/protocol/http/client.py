"""One network connection in the client role: a request, its response, and the next one where the server lets the connection stand."""

import h11

from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.protocol.http.messages import MAX_BODY, MAX_HEAD, Request, Response, without_quotes

__all__ = ["HttpClient"]


class HttpClient:
    """Requests in, bytes out; bytes in, responses out. `over`: no further request can be made on this connection."""

    __slots__ = ("_body", "_http", "_response", "over")

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._response: h11.Response | None = None
        self._body = bytearray()
        self.over = False

    def request(self, request: Request) -> bytes:
        """The bytes of a request; `content-length` is added where there is a body.

        Raises:
            LocalProtocolError: the one before has no response yet, or the connection is over.
        """
        length = (("content-length", str(len(request.body))),) if request.body else ()
        head = h11.Request(method=request.method, target=request.target, headers=[*request.headers, *length])
        events = (head, *([h11.Data(data=request.body)] if request.body else []), h11.EndOfMessage())
        try:
            return b"".join(self._http.send(event) or b"" for event in events)
        except h11.LocalProtocolError as error:
            raise LocalProtocolError(f"no request can be made now: {error}") from error

    def receive(self, data: bytes) -> Response | None:
        """Take bytes; the response, once it is whole.

        Raises:
            RemoteProtocolError: no HTTP, a head above `MAX_HEAD`, or a body above `MAX_BODY`.
        """
        if not data:
            return None  # to h11, that is the end of the connection
        self._http.receive_data(data)
        try:
            while True:
                event = self._http.next_event()
                if isinstance(event, h11.Response):
                    self._response, self._body = event, bytearray()
                elif isinstance(event, h11.Data):
                    self._grow(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    return self._finish()
                elif not isinstance(event, h11.InformationalResponse):
                    return None
        except h11.RemoteProtocolError as error:
            self.over = True
            raise RemoteProtocolError(f"the server's answer: {without_quotes(error)}") from error

    def _grow(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > MAX_BODY:
            self.over = True
            raise RemoteProtocolError(f"the body of the answer is longer than {MAX_BODY} bytes")

    def _finish(self) -> Response:
        event = self._response
        assert event is not None  # h11 ends no message that it did not begin
        self._response = None
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self.over = True
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers)
        return Response(event.status_code, headers, bytes(self._body))
