"""A network connection that carries requests. The device is on none of them: whatever it may do, each request shows by its own token.

So nothing is cut when a token ends, no connection is displaced by a newer one, and the diagnostics have neither connects nor disconnects
(IoT Hub documentation, "React to IoT Hub events by using Event Grid": devices over HTTPS raise none). Only a request that is refused leaves a
record: a `deviceConnect` with the error, as a refused CONNECT does, since the category is said to serve to find attempts of those who may not connect. No
record of the kind has been published.

A request has `REQUEST_S` to come, from its first byte on; between two of them a connection may be silent for `IDLE_S`. Who sends more than
`MAX_AT_ONCE` requests without waiting for an answer is left: the SDKs send one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

from harness.hub.auth import Refusal
from harness.hub.base import HubConnection, shown_certificate, shown_token
from harness.hub.credentials import Credentials
from harness.hub.device import Device
from harness.hub.diagnostics import Origin, Problem
from harness.hub.ending import Cause, CloseMode, TransportClose, of_transport
from harness.hub.fault_messages import Burden, FaultMessage, read_fault_message
from harness.hub.faults import Fault, IdentityChange
from harness.hub.https import answers
from harness.hub.https.answers import Error, Writer
from harness.hub.https.routes import Route, read_credentials, read_route
from harness.hub.https.telemetry import MAX_MESSAGE, Message, TooManyError, is_batch, read_messages
from harness.protocol.http.messages import Rejected, Request, Response
from harness.protocol.http.server import HttpServer

__all__ = ["IDLE_S", "MAX_AT_ONCE", "REQUEST_S", "HttpsConnection"]

REQUEST_S: Final = 20.0
IDLE_S: Final = 120.0
MAX_AT_ONCE: Final = 100
_SHOWN: Final = 300  # characters of a path
_STATES: Final = {"complete": "accepted", "reject": "rejected"}


class HttpsConnection(HubConnection):
    """One connection over `https`; `now` is when it was accepted, the rest as in `HubConnection`."""

    __slots__ = ("_busy", "_deadline", "_http", "_kill", "_kill_at", "_requests")

    def __init__(
        self, device: Device, number: int, transport: str, peer: str, *, now: float, wake: Callable[[], None]
    ) -> None:
        super().__init__(device, number, transport, peer, wake)
        self._http = HttpServer()
        self.data_to_send = self._http.data_to_send
        self._requests = 0
        self._busy = False
        self._deadline: float | None = now + REQUEST_S
        self._kill, self._kill_at = "", math.inf  # as a test message asked for

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the device; ignored once the connection is over."""
        if self._over:
            return
        if self._due is not None and now >= self._due:
            self.on_time(now)
            return
        before = self._requests
        for item in self._http.receive(data):
            if isinstance(item, Rejected):
                self.note("http-rejected", now, status=item.status, reason=item.reason)
            elif not self._serve(item, now):
                return
            elif self._requests - before == MAX_AT_ONCE and self._http.in_request and not self._http.over:
                self._reject(HTTPStatus.TOO_MANY_REQUESTS, f"{MAX_AT_ONCE} requests came at once, and more", now)
        if self._http.over:
            self._end("fin")
        else:
            self._set_deadline(now, served=self._requests > before)

    def next_deadline(self) -> float | None:
        """When the request has to be there, or the next one; or when the connection is to be reset, as a test message asked for."""
        return self._due

    @property
    def _due(self) -> float | None:
        return None if self._deadline is None else min(self._deadline, self._kill_at)

    def on_time(self, now: float) -> None:
        """Give up on a request that does not come; reset the connection, if that was asked for."""
        if self._due is None or now < self._due:
            return
        if now >= self._kill_at:
            self._cut("fault", now, self._kill, "rst")
            return
        if self._http.in_request:
            self._reject(HTTPStatus.REQUEST_TIMEOUT, f"not there within {REQUEST_S:g} s", now)
        self._end("fin")

    def _reject(self, status: HTTPStatus, reason: str, now: float) -> None:
        self._http.reject(status)
        self.note("http-rejected", now, status=int(status), reason=reason)

    def peer_closed(self, how: str, now: float) -> None:  # noqa: ARG002 - no connection was counted
        """The device closed the transport."""
        self._end("fin")

    def displaced(self, newer: int | None, now: float) -> None:
        """The device is on no connection of this kind."""

    def evicted(self, change: IdentityChange, close: CloseMode | None, now: float) -> None:
        """Nor is it turned out of one: the next request is judged by what the identity is then."""

    def deliver(self, now: float) -> None:
        """The device asks for what waits."""

    def stop(self, now: float) -> None:
        """The hub stops."""
        if not self._over:
            self._cut("hub-stopped", now, "", "fin")
        self._wake()

    def _set_deadline(self, now: float, *, served: bool) -> None:
        busy = self._http.in_request
        if busy != self._busy or served:
            self._busy, self._deadline = busy, now + (REQUEST_S if busy else IDLE_S)

    # A request

    def _serve(self, request: Request, now: float) -> bool:
        """Answer a request; whether the connection goes on."""
        self._requests += 1
        for burden, until in self._device.orders.due(now):
            self._device.burden = (burden.strain, until)
        route = read_route(request.method, request.target)
        credentials = read_credentials(request, route, self._certificate)
        self._record(request, route, credentials, now)
        verdict = self._judge(credentials, now) if route.device_id else None
        if isinstance(
            verdict, Fault
        ):  # whatever keeps the answer away: without it, nothing can follow on this connection
            self._cut("fault", now, "instead of an answer", of_transport(verdict.close))
            return False
        writer = Writer(self.number, self._requests, now)
        if isinstance(verdict, Refusal):
            error = answers.of_refusal(verdict)
            self._log("deviceConnect", now, Problem(verdict.check.code, verdict.message))
            self._answer(writer.error(error), now, reason=verdict.text, error=error.name, **verdict.shown)
            return True
        done = self._do(request, route, writer, now)
        response = writer.error(done) if isinstance(done, Error) else done
        self._answer(response, now, **({"error": done.name} if isinstance(done, Error) else {}))
        return True

    def _judge(self, credentials: Credentials, now: float) -> Refusal | Fault | None:
        device, token = self._device, credentials.token
        verdict = device.judge(credentials, now, self.number)
        if verdict is None and device.faults and token is not None:
            verdict = device.answering(token, now, self.number)
            device.faults.accepted(token, now, token.expiry)  # what else may come of it belongs to a connection
        return verdict

    def _record(self, request: Request, route: Route, credentials: Credentials, now: float) -> None:
        device = self._device
        if not device.recording:
            return
        for secret in credentials.secrets:
            device.learn_secret(secret)
        hub_name, sdk = device.identity.hub_name, credentials.sdk_version
        by_certificate = credentials.certificate is not None
        self._origin = Origin(hub_name, credentials.client_id, self._transport, self._peer, sdk, by_certificate)
        self.note(
            "http-request", now, request=self._requests, method=request.method, path=route.path[:_SHOWN],
            operation=route.operation, api_version=route.api_version, device_id=route.device_id, sdk_version=sdk,
            size=len(request.body), token=shown_token(credentials.token, now + self._device.policy.clock_shift_s),
            **({} if credentials.certificate is None else {"certificate": shown_certificate(credentials.certificate)}),
        )  # fmt: skip

    def _answer(self, response: Response, now: float, **about: object) -> None:
        self._http.respond(response)
        self.note("http-response", now, request=self._requests, status=int(response.status), **about)

    def _do(self, request: Request, route: Route, writer: Writer, now: float) -> Response | Error:
        if not route.device_id:
            return answers.NOT_FOUND
        if route.operation is None:
            return answers.NOT_ALLOWED
        if route.operation == "send":
            return self._take(request, writer, now)
        self._expire(now)
        if route.operation == "receive":
            return self._give(writer, now)
        if route.operation == "abandon":
            return self._abandon(route.lock, writer, now)
        return self._settle(route.lock, _STATES[route.operation], writer, now)

    def _take(self, request: Request, writer: Writer, now: float) -> Response | Error:
        """Telemetry."""
        if len(request.body) > MAX_MESSAGE:
            return answers.TOO_LARGE
        if (strain := self._device.burdened(now)) is not None:
            return answers.BURDENS[strain]
        try:
            messages = read_messages(request)
        except TooManyError:
            return answers.TOO_MANY
        except ValueError:
            return answers.BAD_BATCH
        self._record_telemetry(request, messages, now)
        for message in messages:
            self._heed(message.properties, now)
        return writer.done()

    def _record_telemetry(self, request: Request, messages: Sequence[Message], now: float) -> None:
        batch = {"batch": len(messages)} if is_batch(request) else {}
        for message in messages:
            self.note(
                "telemetry", now, message_id=message.message_id, request=self._requests, size=message.size,
                properties=message.properties, **batch,
            )  # fmt: skip

    def _heed(self, properties: Mapping[str, str], now: float) -> None:
        """The properties of a message that may be a test message; what it asks for is done after its delay."""
        message = read_fault_message(properties, "https")
        if message is None:
            return
        orders = self._device.orders
        if message.problem is None and orders.full:
            message = message._replace(problem="too many wait already")
        self.note("fault-message", now, **message.shown)
        if message.problem is not None:
            return
        if isinstance(message.deed, Burden):
            orders.wait(message.deed, message, now)
        else:
            self._kill_after(message, now)

    def _kill_after(self, message: FaultMessage, now: float) -> None:
        assert message.delay_s is not None  # that would be a problem
        if now + message.delay_s < self._kill_at:
            self._kill, self._kill_at = message.detail, now + message.delay_s

    def _give(self, writer: Writer, now: float) -> Response:
        """The next cloud-to-device message, if one waits."""
        device = self._device
        locked = device.locks.receive(now)
        if locked is None:
            return writer.done()
        self.note("c2d-sent", now, message_id=locked.message.message_id, lock=locked.token)
        return writer.message(locked, device.identity.device_id)

    def _settle(self, lock: str, state: str, writer: Writer, now: float) -> Response | Error:
        message = self._device.locks.settle(lock)
        if message is None:
            return answers.LOCK_LOST
        self.note("c2d-acknowledged", now, message_id=message.message_id, state=state)
        return writer.done()

    def _abandon(self, lock: str, writer: Writer, now: float) -> Response | Error:
        returned = self._device.locks.abandon(lock)
        if returned is None:
            return answers.LOCK_LOST
        self.note(returned.kind, now, message_id=returned.message_id, why="abandoned")
        return writer.done()

    def _expire(self, now: float) -> None:
        for one in self._device.locks.expire(now):
            self.note(one.kind, now, message_id=one.message_id, why="lock-expired")

    # The end

    def _cut(self, cause: Cause, now: float, detail: str, close: TransportClose) -> None:
        self._end(close)
        self.note("cut", now, cause=cause, close=close, detail=detail)

    def _end(self, close: TransportClose) -> None:
        self._over, self._deadline = True, None
        self.close_request = self.close_request or close
