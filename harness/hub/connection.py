"""A connection that speaks MQTT, from accept to the end: CONNECT, its deadlines, and who ends it, how and why.

    open --CONNECT--> accepted --DISCONNECT--> taken leave --the device closes, or LINGER_S--> closed
      |                  |
      +------ cut -------+--- cut or lost --> closed

A cut is the hub's own decision; `ending` says what each cause leaves in the diagnostics. The token's deadline holds even if its timer
is late: what arrives after it is not read.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import assert_never

from harness.errors import RemoteProtocolError
from harness.hub.admitting import CAUSES, OTHER_CLIENT, AdmittingConnection
from harness.hub.auth import Refusal
from harness.hub.base import shown_certificate, shown_token
from harness.hub.credentials import Credentials, read_credentials
from harness.hub.device import Device
from harness.hub.diagnostics import CLOSED_AS_ASKED, CLOSED_REMOTELY, DISPLACED, QUOTA_EXCEEDED, Origin, Problem
from harness.hub.ending import LINGER_S, RECORDS, Cause, CloseMode, TransportClose, of_transport
from harness.hub.fault_messages import End, FaultMessage
from harness.hub.faults import Fault, IdentityChange
from harness.hub.link import DeviceLink, QuotaError, ThrottledError
from harness.protocol.mqtt.events import (
    ConnectReceived,
    DisconnectReceived,
    PingReceived,
    ProtocolViolation,
    PubackReceived,
    PublishReceived,
    ServerEvent,
    SubscribeReceived,
    Timeout,
    UnsubscribeReceived,
)
from harness.protocol.mqtt.packets import ConnackCode, Connect
from harness.protocol.mqtt.server import ServerConnection

__all__ = ["MqttConnection"]

_NO_CONNACK = "instead of CONNACK"


class MqttConnection(AdmittingConnection):
    """One connection of a device over `mqtt` or `mqtt-ws`; `now` is when it was accepted, the rest as in `HubConnection`."""

    __slots__ = ("_link", "_server")

    def __init__(
        self, device: Device, number: int, transport: str, peer: str, *, now: float, wake: Callable[[], None]
    ) -> None:
        super().__init__(device, number, transport, peer, wake)
        self._server = ServerConnection(now=now, connect_timeout_s=device.policy.connect_timeout_s)
        self.data_to_send = self._server.data_to_send
        self._link = DeviceLink(device, self._server, number, self)
        self._due = self._earliest_deadline()

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the device; ignored once the connection is over."""
        if now >= self._deadline:
            self.on_time(now)
            if self._over:
                return
        try:
            for event in self._server.read(data, now):
                if type(event) is PublishReceived:  # nearly all there is: not by way of `_handle`
                    self._link.published(event.packet, now)
                else:
                    self._handle(event, now)
        except RemoteProtocolError as error:
            self._break(error, now)

    def next_deadline(self) -> float | None:
        """When `on_time` is wanted at the latest, None for never.

        That is when something was due as of the last change of state: a packet moves the end of the keep-alive on, and to find that
        out when the former end has come costs less than with every packet.
        """
        return self._due

    def on_time(self, now: float) -> None:
        """Do what is due; earlier calls do nothing."""
        try:
            self._suffer(now)
        except RemoteProtocolError as error:
            self._break(error, now)
        if now < self._deadline:
            self._server.on_time(now)
            for event in self._server.events():
                self._handle(event, now)
        elif self._over:
            self._end("fin", now)
        else:
            self._end_grace(now)
        self._due = self._earliest_deadline()

    def peer_closed(self, how: str, now: float) -> None:  # noqa: ARG002 - the hub treats all ways alike
        """The device closed the transport; all that it had sent was received before."""
        if self._accepted and not self._over:
            self._log("deviceDisconnect", now, CLOSED_REMOTELY)
        self._end("fin", now)

    def displaced(self, newer: int | None, now: float) -> None:
        """The device came by connection `newer`, or (None) another client with its identity, so this one ends."""
        if newer is None:
            self._cut("other-client", now, OTHER_CLIENT)
        else:
            self._cut("takeover", now, f"by connection {newer}")
        self._wake()

    def evicted(self, change: IdentityChange, close: CloseMode | None, now: float) -> None:
        """The device's identity was changed, so the connection ends, by `close` or the transport's own way."""
        self._cut(CAUSES[change], now, "", of_transport(close))
        self._wake()

    def deliver(self, now: float) -> None:
        """Something may be waiting for the device."""
        self._link.deliver(now)
        self._wake()

    def stop(self, now: float) -> None:
        """The hub stops."""
        if self._over:
            self._end("fin", now)
        else:
            self._cut("hub-stopped", now, "")
        self._wake()

    def _earliest_deadline(self) -> float | None:
        limit = self._server.next_deadline()
        deadline = min(self._deadline, self._fault_at)
        if limit is not None and limit < deadline:
            return limit
        return None if deadline == math.inf else deadline

    def _handle(self, event: ServerEvent, now: float) -> None:  # noqa: C901 - a line or two per event
        match event:
            case PublishReceived(packet):
                self._link.published(packet, now)
            case ConnectReceived(packet):
                self._connect(packet, now)
            case DisconnectReceived():
                self._take_leave(now)
            case PubackReceived(packet_id):
                self._link.acknowledged(packet_id, now)
            case SubscribeReceived(packet):
                self._link.subscribe(packet, now)
            case UnsubscribeReceived(packet):
                self._link.unsubscribe(packet, now)
            case PingReceived():
                self.note("ping", now)
            case ProtocolViolation(reason, answered):
                if answered is not None:
                    self.note("connack", now, code=answered, session_present=False, reason=reason)
                self._cut("protocol", now, reason)
            case Timeout(which):
                self._cut("connect-timeout" if which == "connect" else "keep-alive", now, "")
            case _:
                assert_never(event)

    def _connect(self, connect: Connect, now: float) -> None:
        credentials = read_credentials(connect, self._certificate, self._transport)
        if self._device.recording:
            for secret in credentials.secrets:
                self._device.learn_secret(secret)
            hub_name, sdk = self._device.identity.hub_name, credentials.sdk_version
            by_certificate = credentials.certificate is not None
            self._origin = Origin(hub_name, credentials.client_id, self._transport, self._peer, sdk, by_certificate)
            self._record_connect(connect, credentials, now)
        verdict = self._device.judge(credentials, now, self.number)
        if isinstance(verdict, Fault):
            self._hold(verdict, partial(self._judge_late, connect, credentials), now, _NO_CONNACK)
        else:
            self._decide(verdict, connect, credentials, now)
        self._due = self._earliest_deadline()

    def _judge_late(self, connect: Connect, credentials: Credentials, now: float) -> None:
        self._decide(self._device.refusal(credentials, now), connect, credentials, now)

    def _decide(self, refusal: Refusal | None, connect: Connect, credentials: Credentials, now: float) -> None:
        if refusal is None:
            self._accept(connect, credentials, now)
        else:
            self._refuse(refusal, now)

    def _accept(self, connect: Connect, credentials: Credentials, now: float) -> None:
        device, token = self._device, credentials.token
        # A certificate is judged once, and ends nothing (IoT Hub's maintainers, issue 1406 of the C SDK): faults are of tokens.
        fault = device.answering(token, now, self.number) if device.faults and token is not None else None
        device.enter(self, now)
        present = device.session.begin(clean=connect.clean_session)
        self._accepted = True
        if token is not None:
            self._time_the_token(token, now)
        if fault is None:
            self._welcome(connect, now, present=present)
        if device.recording:
            self._log("deviceConnect", now)
            if token is not None:
                self.note("deadline", now, se=token.expiry, cut_at=self._deadline)
        if fault is None:
            self._begin(credentials, now)
        else:
            late = partial(self._welcome_late, connect, credentials, present=present)
            self._hold(fault, late, now, _NO_CONNACK)

    def _welcome(self, connect: Connect, now: float, *, present: bool) -> None:
        keep_alive = self._device.policy.keep_alive_timeout_s(connect.keep_alive)
        self._server.accept(session_present=present, keep_alive_timeout_s=keep_alive, now=now)
        if self._device.recording:
            self.note("connack", now, code=int(ConnackCode.ACCEPTED), session_present=present, reason="accepted")

    def _begin(self, credentials: Credentials, now: float) -> None:
        self._link.open(credentials.api_version, now)
        for event in self._server.events():  # what the device sent without waiting for the answer
            self._handle(event, now)

    def _welcome_late(self, connect: Connect, credentials: Credentials, now: float, *, present: bool) -> None:
        self._welcome(connect, now, present=present)
        self._begin(credentials, now)

    def _refuse(self, refusal: Refusal, now: float) -> None:
        check = refusal.check
        self._server.refuse(check.connack, now)
        self.note("connack", now, code=int(check.connack), session_present=False, reason=refusal.text, **refusal.shown)
        self._log("deviceConnect", now, Problem(check.code, refusal.message))
        self._cut("refused", now, check.name)

    def _take_leave(self, now: float) -> None:
        if self._device.recording:
            self.note("disconnect", now)
            self._log("deviceDisconnect", now)
        self._device.leave(self, now)
        self._forget_the_token()
        self._over, self._deadline = True, now + LINGER_S
        self._due = self._deadline

    def _fail(self, fault: Fault, now: float, detail: str) -> None:
        self._cut("fault", now, detail, of_transport(fault.close))

    def _expire(self, close: CloseMode | None, now: float) -> None:
        self._cut("token-expired", now, f"the token expired {self._device.policy.grace_s:g} s ago", of_transport(close))

    def _withhold(self) -> None:
        self._link.mood = "silent"

    def _throttle(self) -> None:
        self._link.mood = "throttling"

    def _burden(self) -> None:
        self._link.mood = self._link.mood or "burdened"

    def _end_as_asked(self, message: FaultMessage, now: float) -> None:
        close = message.deed.close if isinstance(message.deed, End) else None
        self._cut("fault", now, message.detail, of_transport(close), (CLOSED_AS_ASKED,))

    def _break(self, error: RemoteProtocolError, now: float) -> None:
        if isinstance(error, QuotaError):
            self._cut("fault", now, str(error), records=(QUOTA_EXCEEDED, CLOSED_REMOTELY))
        else:
            self._cut("throttled" if isinstance(error, ThrottledError) else "protocol", now, str(error))

    def _cut(
        self,
        cause: Cause,
        now: float,
        detail: str,
        close: TransportClose = "fin",
        records: Sequence[Problem | None] | None = None,
    ) -> None:
        self._end(close, now)
        self.note("cut", now, cause=cause, close=close, detail=detail)
        for problem in (RECORDS[cause] if records is None else records) if self._accepted else ():
            self._log("deviceDisconnect", now, problem or DISPLACED)

    def _end(self, close: TransportClose, now: float) -> None:
        """Nothing is read any more; the transport is to be closed, unless it was already to be."""
        if self.close_request is None:
            self._server.close()
            self._device.leave(self, now)
            self._forget_the_token()
            self._over, self._due = True, None
            self.close_request = close

    def _record_connect(self, connect: Connect, credentials: Credentials, now: float) -> None:
        self.note(
            "connect", now, client_id=connect.client_id, username=connect.username, keep_alive_s=connect.keep_alive,
            clean_session=connect.clean_session, will=connect.will is not None, sdk_version=credentials.sdk_version,
            token=shown_token(credentials.token, now + self._device.policy.clock_shift_s),
            **({} if credentials.certificate is None else {"certificate": shown_certificate(credentials.certificate)}),
        )  # fmt: skip
