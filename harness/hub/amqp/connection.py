"""A connection that speaks AMQP, from accept to the end: OPEN, put-token, deadlines, and who ends it, how and why.

    open --OPEN--> opened --put-token 200--> admitted --CLOSE--> taken leave --the device closes, or LINGER_S--> closed
                    |   ^                     |  | ^
                    |   +-- cut by DETACH ----+  +-+ put-token 200 moves the deadline
                    |                         |
                    +---- cut by CLOSE -------+-----> closing --the device's CLOSE, or 10 s--> closed
                    +---- cut otherwise, lost -+----> closed

A device that came by SASL PLAIN is admitted before its OPEN, one with a client certificate when it attaches its first link. The token's deadline holds even if its timer is late: it is
served before what arrives after it is read. Frames leave in the order in which the hub decides; credit is granted last, for the
C SDK wants its links to be attached before any of them flows.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, assert_never

from harness.errors import RemoteProtocolError
from harness.hub.admitting import CAUSES, OTHER_CLIENT
from harness.hub.amqp import figures
from harness.hub.amqp.addresses import read_address
from harness.hub.amqp.authentication import AuthenticatingConnection
from harness.hub.amqp.node import CORRELATION_ID, Node, Throttling
from harness.hub.amqp.nodes import NODES
from harness.hub.amqp.refusals import (
    OF_LOST_IDENTITY,
    STOLEN_ERROR,
    TOKEN_INVALID,
    Asked,
    Refusal,
    lost_identity,
    no_cbs,
    refuse,
    unauthorized,
)
from harness.hub.amqp.texts import condition_of, shown
from harness.hub.device import Device
from harness.hub.diagnostics import CLOSED_AS_ASKED, CLOSED_REMOTELY, CONFLICT, Problem
from harness.hub.ending import LINGER_S, RECORDS, Cause, CloseMode, TransportClose
from harness.hub.fault_messages import End, FaultMessage, KillLinks, KillSession
from harness.hub.faults import Fault, IdentityChange
from harness.protocol.amqp.conditions import (
    CONNECTION_FORCED,
    DECODE_ERROR,
    DETACH_FORCED,
    INTERNAL_ERROR,
    AmqpViolation,
)
from harness.protocol.amqp.events import (
    AttachReceived,
    BeginReceived,
    CloseReceived,
    DetachReceived,
    DispositionReceived,
    EndReceived,
    Event,
    FlowReceived,
    HeartbeatReceived,
    LinkViolation,
    OpenReceived,
    ProtocolViolation,
    SaslInitReceived,
    SaslOutcomeReceived,
    SenderSettled,
    SessionViolation,
    Timeout,
    TransferReceived,
)
from harness.protocol.amqp.link import Link
from harness.protocol.amqp.performatives import Error, Open, Source, Target
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.server import ServerConnection
from harness.protocol.amqp.session import Session
from harness.protocol.amqp.state import Half, Phase

__all__ = ["AmqpConnection"]

_DETACH: Final = ("detach", "detach-not-closed")
_TIMEOUTS: Final[dict[str, tuple[Cause, str]]] = {
    "open": ("connect-timeout", "no OPEN came"),
    "idle": ("keep-alive", "nothing came for too long"),
}
_CLIENT_VERSION: Final = "com.microsoft:client-version"
_STOPPED: Final = Error(CONNECTION_FORCED, "The hub stops.")


class AmqpConnection(AuthenticatingConnection):
    """One connection of a device over `amqp` or `amqp-ws`; `now` is when it was accepted, the rest as in `HubConnection`.

    `nodes`: what stands at the hub's ends of the attached links, oldest first. `silent`, `throttling`: see `Owner`.
    """

    __slots__ = (
        "_credit_due", "_ended", "_leave_by", "_opened", "_pinged_at", "_tags", "nodes", "silent", "throttling",
    )  # fmt: skip

    def __init__(
        self, device: Device, number: int, transport: str, peer: str, *, now: float, wake: Callable[[], None]
    ) -> None:
        engine = ServerConnection(now=now, limits=figures.limits(device.policy))
        super().__init__(device, number, transport, peer, wake, engine)
        self.data_to_send = engine.data_to_send
        self.nodes: dict[Link, Node] = {}
        self._credit_due: list[tuple[ReceiverLink, int]] = []
        self._ended: dict[Session, None] = {}  # by us; used as a set, for it is nearly always empty
        self._opened = False  # OPEN was answered
        self._tags = 0
        self._pinged_at = -math.inf
        self._leave_by = math.inf
        self.silent = False
        self.throttling: Throttling = ""
        self._due = self._earliest_deadline()

    # What the owner of the transport calls.

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the device; ignored once the connection is over."""
        if now >= self._deadline:
            self.on_time(now)
        if self.close_request is None:
            self._engine.receive(data, now)
            self._process(now)

    def next_deadline(self) -> float | None:
        """When `on_time` is wanted at the latest, None for never; what has moved on since is found out when it has come."""
        return self._due

    def on_time(self, now: float) -> None:
        """Do what is due; earlier calls do nothing."""
        self._suffer(now)
        if now >= self._leave_by:
            self._end("fin", now)
        elif now >= self._deadline:
            self._end_grace(now)
        elif now >= self._authenticate_by:
            self._cut("connect-timeout", now, "no token was accepted", "close", unauthorized(self._seed, now))
        self._engine.on_time(now)
        self._process(now)
        self._due = self._earliest_deadline()

    def peer_closed(self, how: str, now: float) -> None:  # noqa: ARG002 - the hub treats all ways alike
        """The device closed the transport; all that it had sent was received before."""
        if self._accepted and not self._over:
            self._log("deviceDisconnect", now, CLOSED_REMOTELY)
        self._end("fin", now)

    def displaced(self, newer: int | None, now: float) -> None:
        """The device came by connection `newer`, or (None) another client with its identity: the links are stolen, then the transport is closed."""
        if newer is None:
            self._cut("other-client", now, OTHER_CLIENT, "fin", STOLEN_ERROR)
        else:
            self._cut("takeover", now, f"by connection {newer}", "fin", STOLEN_ERROR)
        self._wake()

    def evicted(self, change: IdentityChange, close: CloseMode | None, now: float) -> None:
        """The device's identity was changed, so the connection ends, by `close` or AMQP's own way, which has two forms: see `refusals`."""
        error = lost_identity(change, self._device.identity.device_id)
        self._cut(CAUSES[change], now, "", self._own(close or OF_LOST_IDENTITY.get(change)), error)
        self._wake()

    def deliver(self, now: float) -> None:
        """Something may be waiting for the device."""
        self._deliver(now)
        self._wake()

    def stop(self, now: float) -> None:
        """The hub stops."""
        if not self._over:
            self._cut("hub-stopped", now, "", "close", _STOPPED)
        self._end("fin", now)
        self._wake()

    # What the nodes call.

    @property
    def device(self) -> Device:
        """What all connections of the device share."""
        return self._device

    def next_tag(self) -> bytes:
        """A delivery tag that was never used, of 16 bytes like the service's lock tokens."""
        self._tags += 1
        return hashlib.sha256(f"{self._seed} {self._tags}".encode()).digest()[:16]

    def heed_in(self, properties: Mapping[str, str | None], session: Session, now: float) -> None:
        """A message that may be a test message has come by this session, with these application properties."""
        self.heed(properties, now, partial(self._obey_in, session))

    # What arrives.

    def _process(self, now: float) -> None:
        only_messages = True
        while events := self._engine.events():  # again, since the answer to SASL lets the machine read on
            for event in events:
                if self._over:
                    break
                if type(event) is TransferReceived:  # nearly all of them
                    self._to_node(event, now)
                else:
                    only_messages = False
                    self._handle(event, now)
        if self._over and self._engine.phase is Phase.CLOSED and self._leave_by == math.inf:  # both sides said CLOSE
            self._end("fin", now)
        if self._credit_due:
            self._grant()
        if self._device.session.waiting or self._device.methods.waiting:
            self._deliver(now)
        if not only_messages:
            self._due = self._earliest_deadline()

    def _handle(self, event: Event, now: float) -> None:  # noqa: C901, PLR0912 - a line or two per event
        match event:
            case DispositionReceived(link):
                node = self.nodes.get(link)
                if node is not None:
                    node.settled(event, now)
            case AttachReceived():
                self._attach(event, now)
            case DetachReceived(link, detach):
                node = self.nodes.pop(link, None)
                if node is not None:
                    link.detach(closed=detach.closed)
                    self._note_detach(node, "device", now, closed=detach.closed, condition=condition_of(detach.error))
                    node.lost(now)
            case LinkViolation(link, condition):
                self._detached(link, condition, now)
            case BeginReceived(session):
                session.accept()
            case EndReceived(session, end):
                session.end()
                self._session_ended(session, "device", condition_of(end.error), now)
            case SessionViolation(session, condition):
                self._session_ended(session, "hub", condition, now)
            case OpenReceived(peer):
                self._open(peer, now)
            case SaslInitReceived(init):
                self._sasl(init, now)
            case HeartbeatReceived():
                self._ping(now)
            case CloseReceived(close):
                self._take_leave(condition_of(close.error), now)
            case ProtocolViolation(condition, reason):
                self._cut("protocol", now, f"{condition}: {reason}", "close")
            case Timeout(which):
                cause, detail = _TIMEOUTS[which]
                self._cut(cause, now, detail, "close")
            case FlowReceived() | SenderSettled() | SaslOutcomeReceived() | TransferReceived():
                pass  # the machine has taken it in, or `_process` has
            case _:
                assert_never(event)

    def _to_node(self, event: TransferReceived, now: float) -> None:
        node = self.nodes.get(event.link)
        if node is None:  # detached by the hub, and the device had not heard of it
            return
        try:
            node.received(event, now)
        except RemoteProtocolError as error:
            condition = error.condition if isinstance(error, AmqpViolation) else DECODE_ERROR
            event.link.detach(Error(condition, str(error)))
            self._detached(event.link, condition, now)

    def _open(self, peer: Open, now: float) -> None:
        self.note(
            "amqp-open",
            now,
            container_id=shown(peer.container_id),
            hostname=shown(peer.hostname),
            max_frame_size=int(peer.max_frame_size),
            channel_max=int(peer.channel_max),
            idle_timeout_ms=None if peer.idle_time_out is None else int(peer.idle_time_out),
            sasl=shown(self._engine.mechanism),
        )
        hub_name = self._device.identity.hub_name
        self._engine.open(figures.container_id(hub_name), hostname=hub_name, idle_time_out_ms=figures.IDLE_TIME_OUT_MS)
        self._opened = self._engine.local is Half.ACTIVE
        if not self._accepted:
            self._authenticate_by = now + self._device.policy.connect_timeout_s

    def _attach(self, event: AttachReceived, now: float) -> None:
        link, attach = event.link, event.attach
        device_role = "sender" if isinstance(link, ReceiverLink) else "receiver"
        terminus = attach.target if device_role == "sender" else attach.source
        address = terminus.address if isinstance(terminus, Source | Target) else None
        place = read_address(address, device_role)
        properties = attach.properties or {}
        self._sdk = shown(properties.get(_CLIENT_VERSION)) or self._sdk
        refusal = self._refusal(Asked(place, device_role, properties.get(CORRELATION_ID)), now)
        missing = None if refusal is None else self._missing(place.client_id or "")
        self.note(
            "attach",
            now,
            link=shown(link.name),
            link_kind=place.kind,
            device_role=device_role,
            address=shown(address),
            sdk_version=shown(properties.get(_CLIENT_VERSION)),
            condition=None if refusal is None else refusal.error.condition,
            reason="accepted" if refusal is None else refusal.reason,
            **(missing.shown if missing is not None else {}),
        )
        if missing is not None:
            self._log_refusal(missing, self._origin_of(place.client_id or ""), now)
        if refusal is not None:
            link.refuse(refusal.error)
            return
        if self._device.burden is not None:
            self._burden()
        link.accept(max_message_size=figures.MAX_MESSAGE_SIZE)
        self.nodes[link] = NODES[place.kind, device_role](self, link, place.kind, properties)
        if isinstance(link, ReceiverLink):
            self._credit_due.append((link, figures.CREDIT[place.kind]))

    def _refusal(self, asked: Asked, now: float) -> Refusal | None:
        if asked.place.kind == "cbs" and self._plain:
            return no_cbs()
        client_id = None if self._accepted else asked.place.client_id
        if self._certificate is not None and client_id is not None:
            self._judge(self._certificate, client_id, now)
        device_id = self._device.identity.device_id if self._accepted else None
        return refuse(asked, device_id, self.nodes.values(), self._seed, now)

    def _grant(self) -> None:
        """Give the credit that new links are due."""
        for link, credit in self._credit_due:
            link.grant(credit)
        self._credit_due.clear()

    def _deliver(self, now: float) -> None:
        """Send what waits, by the newest links that take it."""
        for node in reversed(tuple(self.nodes.values())) if self._accepted else ():
            node.deliver(now)

    def _ping(self, now: float) -> None:
        """Tell of a sign of life, of one a second at most: a device may send them without end."""
        if now >= self._pinged_at + 1:
            self._pinged_at = now
            self.note("ping", now)

    # How it ends.

    def _take_leave(self, condition: str | None, now: float) -> None:
        self.note("disconnect", now, condition=condition)
        if self._accepted:
            self._log("deviceDisconnect", now)
        self._dismiss(now)
        self._engine.close(now=now)
        self._over, self._leave_by = True, now + LINGER_S

    def _own(self, close: CloseMode | None) -> CloseMode:
        """How to cut, where None is AMQP's own way; a device that cannot put a token has no use for a connection without."""
        chosen = close or "detach"
        return "fin" if self._plain and chosen in _DETACH else chosen

    def _fail(self, fault: Fault, now: float, detail: str) -> None:
        self._cut("fault", now, detail, self._own(fault.close))

    def _expire(self, close: CloseMode | None, now: float) -> None:
        self._cut("token-expired", now, f"the token expired {self._device.policy.grace_s:g} s ago", self._own(close))

    def _withhold(self) -> None:
        self.silent = True

    def _throttle(self) -> None:
        self.throttling = "once"

    def _burden(self) -> None:
        self.throttling = self.throttling or "meanwhile"

    def _obey_in(self, session: Session, message: FaultMessage, now: float) -> None:
        """Do what a test message asks for that came by this session."""
        match message.deed:
            case KillSession() if session.local is Half.ACTIVE:
                session.end(Error(INTERNAL_ERROR, message.reason))
                self._session_ended(session, "hub", INTERNAL_ERROR, now)
            case KillLinks(kind, role) if nodes := self._nodes_of(kind, role):
                self._detach(nodes, Error(DETACH_FORCED, message.reason), now, closed=True)
            case KillSession() | KillLinks():
                self.note("fault-message", now, **message.shown | {"problem": "it is gone, or was never there"})
            case _:
                self._obey(message, now)

    def _end_as_asked(self, message: FaultMessage, now: float) -> None:
        close: CloseMode
        if isinstance(message.deed, End):
            close, error = message.deed.close or "close", Error(CONNECTION_FORCED, message.reason)
        else:
            close, error = self._own(None), unauthorized(self._seed, now)
        self._cut("fault", now, message.detail, close, error, (CLOSED_AS_ASKED,))

    def _cut(
        self,
        cause: Cause,
        now: float,
        detail: str,
        close: CloseMode,
        error: Error = TOKEN_INVALID,
        records: Sequence[Problem | None] | None = None,
    ) -> None:
        if not self._opened and close != "rst":
            close = "fin"
        accepted = self._accepted
        self.note("cut", now, cause=cause, close=close, detail=detail)
        if close in _DETACH or error is STOLEN_ERROR:
            self._detach_links(error, now, closed=close != "detach-not-closed")
        if close == "close":
            self._over = True
            self._dismiss(now)
            self._engine.close(error, now=now)
        elif close in _DETACH:
            self._leave(now)
        else:
            self._end("rst" if close == "rst" else "fin", now)
        for problem in (RECORDS[cause] if records is None else records) if accepted else ():
            self._log("deviceDisconnect", now, problem or CONFLICT)
        self._due = self._earliest_deadline()

    def _end(self, close: TransportClose, now: float) -> None:
        """Nothing is read any more; the transport is to be closed, unless it was already to be."""
        self._over, self._leave_by = True, math.inf
        self.close_request = self.close_request or close
        self._dismiss(now)
        self._engine.abandon()
        self._due = None

    def _dismiss(self, now: float) -> None:
        """The device is not on this connection any more, and its links are no more."""
        self._leave(now)
        self._authenticate_by = math.inf
        nodes, self.nodes = self.nodes, {}
        for node in nodes.values():
            node.lost(now)

    def _leave(self, now: float) -> None:
        self._device.leave(self, now)
        self._accepted, self._judged_at = False, -math.inf
        self._forget_the_token()

    def _detach_links(self, error: Error, now: float, *, closed: bool) -> None:
        """Detach the device's links; `$cbs` stays."""
        self._detach([node for node in self.nodes.values() if node.kind != "cbs"], error, now, closed=closed)

    def _nodes_of(self, kind: str, device_role: str) -> list[Node]:
        return [node for node in self.nodes.values() if (node.kind, node.device_role) == (kind, device_role)]

    def _detach(self, nodes: Iterable[Node], error: Error, now: float, *, closed: bool) -> None:
        for node in nodes:
            del self.nodes[node.link]
            node.link.detach(error, closed=closed)
            self._note_detach(node, "hub", now, closed=closed, condition=error.condition)
            node.lost(now)

    def _detached(self, link: Link, condition: str, now: float) -> None:
        """The link broke a rule and was detached."""
        node = self.nodes.pop(link, None)
        if node is not None:
            self._note_detach(node, "hub", now, closed=True, condition=condition)
            node.lost(now)

    def _session_ended(self, session: Session, by: str, condition: str | None, now: float) -> None:
        if by == "hub":
            self._ended[session] = None
        elif session in self._ended:  # the answer to ours
            del self._ended[session]
            return
        self.note("session-end", now, by=by, condition=condition)
        for node in [node for node in self.nodes.values() if node.link.session is session]:
            del self.nodes[node.link]
            node.lost(now)

    def _note_detach(self, node: Node, by: str, now: float, *, closed: bool, condition: str | None) -> None:
        self.note(
            "detach", now, link=shown(node.link.name), link_kind=node.kind, by=by, closed=closed, condition=condition
        )

    def _earliest_deadline(self) -> float | None:
        limit = self._engine.next_deadline()
        engine = math.inf if limit is None else limit
        deadline = min(self._deadline, self._authenticate_by, self._leave_by, self._fault_at, engine)
        return None if deadline == math.inf else deadline
