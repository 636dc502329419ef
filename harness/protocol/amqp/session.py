"""Sessions: channels, handles, windows and settlement (AMQP 1.0 part 2, section 2.5).

Both windows count transfer frames. Ours is announced afresh whenever half of it is used; the peer's stops our messages,
never anything else: a disposition overtakes a message that waits, so that two full windows cannot lock each other.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from harness.errors import LocalProtocolError
from harness.protocol.amqp.conditions import (
    FRAMING_ERROR,
    HANDLE_IN_USE,
    RESOURCE_LIMIT_EXCEEDED,
    UNATTACHED_HANDLE,
    WINDOW_VIOLATION,
    AmqpViolation,
)
from harness.protocol.amqp.events import AttachReceived, BeginReceived, EndReceived, Event, SessionViolation
from harness.protocol.amqp.frames import HEADER_SIZE
from harness.protocol.amqp.link import Link
from harness.protocol.amqp.numbers import SERIAL_MASK, Numbers, serial_distance
from harness.protocol.amqp.performatives import (
    ACCEPTED,
    NO_LIMIT,
    RECEIVER,
    Attach,
    Begin,
    DeliveryState,
    Detach,
    Disposition,
    End,
    Error,
    Flow,
    ReceiverSettleMode,
    SenderSettleMode,
    Source,
    Target,
    Transfer,
)
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.schema import encode_composite
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.state import LINK_READS, Half
from harness.protocol.amqp.types import Value

if TYPE_CHECKING:
    from harness.protocol.amqp.connection import Connection

FIRST_TRANSFER_ID = 1


class Session:
    """One session. Sending follows the rules of `link`, with BEGIN and END for ATTACH and DETACH.

    Attributes:
        connection: where it lives.
        channel: ours.
        local, remote: see `state`.
        begin: the peer's BEGIN, once it came.
        limits: those of the connection.
    """

    __slots__ = (
        "_attached", "_flow_owed", "_handles", "_links", "_next_delivery_id", "_next_incoming_id", "_next_outgoing_id",
        "_outgoing", "_peer_window", "_stalled", "_to_answer", "_unanswered", "_window_left", "begin", "channel",
        "connection", "limits", "local", "remote", "remote_channel",
    )  # fmt: skip

    def __init__(self, connection: Connection, channel: int) -> None:
        self.connection, self.channel, self.limits = connection, channel, connection.limits
        self.local = self.remote = Half.UNUSED
        self.begin: Begin | None = None
        self.remote_channel: int | None = None
        self._handles = Numbers()
        self._links: dict[int, Link] = {}  # by our handle
        self._attached: dict[int, Link] = {}  # by the peer's
        self._unanswered: dict[tuple[str, bool], Link] = {}  # our ATTACH was sent, by name and our role
        self._to_answer: dict[Link, None] = {}  # the peer's ATTACH came; used as a set, like those below
        self._flow_owed = False
        self._stalled: dict[SenderLink, None] = {}
        self._outgoing: dict[int, tuple[SenderLink, bytes]] = {}  # sent and unsettled, by delivery id
        self._next_delivery_id = 0
        self._next_outgoing_id = FIRST_TRANSFER_ID
        self._peer_window = 0
        self._next_incoming_id: int | None = None
        self._window_left = self.limits.incoming_window

    @property
    def links(self) -> tuple[Link, ...]:
        """Those of which at least one side has not detached, in the order of their handles."""
        return tuple(self._links[handle] for handle in sorted(self._links))

    @property
    def link_count(self) -> int:
        """How many they are."""
        return len(self._links)

    @property
    def may_transfer(self) -> bool:
        """The peer's window has room."""
        return self._peer_window > 0

    def accept(self, *, outgoing_window: int | None = None, properties: dict[str, Value] | None = None) -> None:
        """Answer the peer's BEGIN. By default our outgoing window is as large as the peer's incoming one.

        Raises:
            LocalProtocolError: there is no BEGIN to answer.
        """
        if self.begin is None or self.local is Half.ACTIVE:
            raise LocalProtocolError("there is no BEGIN to answer")
        window = self.begin.incoming_window if outgoing_window is None else outgoing_window
        self.send_begin(window, properties)

    def sender(
        self,
        name: str,
        target: Target,
        *,
        source: Source | None = None,
        snd_settle_mode: int = SenderSettleMode.MIXED,
        rcv_settle_mode: int = ReceiverSettleMode.FIRST,
        properties: dict[str, Value] | None = None,
    ) -> SenderLink:
        """Queue ATTACH for a link on which we send.

        Raises:
            LocalProtocolError: it is too early, or all handles are taken.
        """
        link = SenderLink(self, self._handles.take(self._handle_max()), name)
        self._start(link, source or Source(), target, snd_settle_mode, rcv_settle_mode, properties)
        return link

    def receiver(
        self,
        name: str,
        source: Source,
        *,
        target: Target | None = None,
        snd_settle_mode: int = SenderSettleMode.MIXED,
        rcv_settle_mode: int = ReceiverSettleMode.FIRST,
        properties: dict[str, Value] | None = None,
    ) -> ReceiverLink:
        """Queue ATTACH for a link on which we receive.

        Raises:
            LocalProtocolError: it is too early, or all handles are taken.
        """
        link = ReceiverLink(self, self._handles.take(self._handle_max()), name)
        self._start(link, source, target or Target(), snd_settle_mode, rcv_settle_mode, properties)
        return link

    def end(self, error: Error | None = None) -> None:
        """Queue END, as an announcement or an answer; the links end without a word.

        To a peer that ended before its BEGIN was answered there is nothing to say.

        Raises:
            LocalProtocolError: it is too early.
        """
        if self.local is Half.UNUSED and self.remote is not Half.ENDED:
            raise LocalProtocolError("END before BEGIN")
        if self.local is Half.ACTIVE:
            self.send_frame(End(error))
        self.local = Half.ENDED
        self._end_links()
        self._release()

    # What the connection calls.

    def send_begin(self, outgoing_window: int, properties: dict[str, Value] | None) -> None:
        """Queue BEGIN, if it is not too late."""
        if self.local is Half.UNUSED:
            self.local = Half.ACTIVE
            limits = self.limits
            self.send_frame(
                Begin(
                    self.remote_channel,
                    self._next_outgoing_id,
                    limits.incoming_window,
                    outgoing_window,
                    limits.handle_max,
                    properties=properties,
                )
            )

    def on_begin(self, begin: Begin, channel: int) -> None:
        """The peer's BEGIN on its channel."""
        self.begin, self.remote_channel, self.remote = begin, channel, Half.ACTIVE
        self._next_incoming_id = begin.next_outgoing_id
        self._peer_window = begin.incoming_window
        self.emit(BeginReceived(self, begin))

    def on_frame(self, body: Struct, payload: bytes) -> None:
        """A frame that SESSION_READS allows."""
        if isinstance(body, End):
            self._on_end(body)
        elif self.local is Half.ENDED:
            pass
        elif isinstance(body, Transfer):
            self._on_transfer(body, payload)
        elif isinstance(body, Disposition):
            self._on_disposition(body)
        elif isinstance(body, Flow):
            self._on_flow(body)
        elif isinstance(body, Attach):
            self._on_attach(body)
        elif isinstance(body, Detach) and (link := self._find(body)) is not None:
            del self._attached[body.handle]
            self._to_answer.pop(link, None)
            link.on_detach(body)

    def finish(self) -> None:
        """The connection ended, and the session with it."""
        self.local = self.remote = Half.ENDED
        self._end_links()

    # What the links call.

    def emit(self, event: Event) -> None:
        """Tell the owner."""
        self.connection.emit(event)

    def send_frame(self, body: Struct) -> None:
        """Queue a frame on our channel."""
        self.connection.send_frame(self.channel, body)

    def send_transfer(self, head: Transfer, payload: bytes, start: int) -> int:
        """Queue a TRANSFER with as much of the payload from `start` on as the peer's frames hold; returns how much."""
        room = self.connection.max_outgoing_frame - HEADER_SIZE
        left = len(payload) - start
        encoded = encode_composite(replace(head, more=False))
        if len(encoded) + left > room:
            encoded = encode_composite(head)
            left = room - len(encoded)
        self._peer_window -= 1
        self._next_outgoing_id = (self._next_outgoing_id + 1) & SERIAL_MASK
        self.connection.send_encoded(self.channel, encoded + payload[start : start + left])
        return left

    def send_disposition(self, delivery_id: int, state: DeliveryState, *, settled: bool) -> None:
        """Queue our word on a message that we received."""
        if settled and state is ACCEPTED:
            self.connection.send_accepted(self.channel, delivery_id)
        else:
            self.send_frame(Disposition(RECEIVER, delivery_id, settled=settled, state=state))

    def send_flow(self, link: Link | None = None, *, drain: bool = False) -> None:
        """Queue FLOW for a link, or else for the session; either announces our whole window afresh.

        One for the session waits until the peer's ATTACHes are answered: the C SDK takes it for the link's and gives up.
        """
        if link is None and self._to_answer:
            self._flow_owed = True
            return
        self._window_left = self.limits.incoming_window
        flow = Flow(self._next_incoming_id, self._window_left, self._next_outgoing_id, NO_LIMIT >> 1)
        if link is not None:
            flow = replace(
                flow, handle=link.handle, delivery_count=link.delivery_count, link_credit=link.credit, drain=drain
            )
        self.send_frame(flow)

    def take_delivery_id(self) -> int:
        """A fresh one."""
        delivery_id, self._next_delivery_id = self._next_delivery_id, (self._next_delivery_id + 1) & SERIAL_MASK
        return delivery_id

    def remember(self, delivery_id: int, link: SenderLink, tag: bytes) -> None:
        """A message went out unsettled."""
        self._outgoing[delivery_id] = (link, tag)

    def forget(self, delivery_id: int) -> None:
        """It is settled, or its link is gone."""
        self._outgoing.pop(delivery_id, None)

    def stall(self, link: SenderLink, *, stalled: bool) -> None:
        """Whether the link has messages that wait."""
        if stalled:
            self._stalled[link] = None
        else:
            self._stalled.pop(link, None)

    def count_unsettled(self, change: int) -> None:
        """So many more messages of the peer are unsettled."""
        self.connection.count_unsettled(change)

    def count_buffered(self, change: int) -> None:
        """So many more bytes of unfinished messages are held."""
        self.connection.count_buffered(change)

    def attached(self, link: Link) -> None:
        """Our ATTACH was queued."""
        if link.attach is None:
            self._unanswered[link.name, link.role] = link
        self._to_answer.pop(link, None)
        if self._flow_owed and not self._to_answer:
            self._flow_owed = False
            self.send_flow()

    def release(self, link: Link) -> None:
        """Both sides have detached: its handle is free."""
        if self._links.pop(link.handle, None) is not None:
            self._handles.release(link.handle)

    def violation(self, condition: str, reason: str) -> None:
        """END with the condition; before our BEGIN only the connection can say it.

        Raises:
            AmqpViolation: our BEGIN was not sent.
        """
        if self.local is Half.UNUSED:
            raise AmqpViolation(condition, reason)
        self.emit(SessionViolation(self, condition, reason))
        self.end(Error(condition, reason))

    def _start(
        self,
        link: Link,
        source: Source,
        target: Target,
        snd_settle_mode: int,
        rcv_settle_mode: int,
        properties: dict[str, Value] | None,
    ) -> None:
        if self._may_send():
            self._links[link.handle] = link
            link.send_attach(source, target, snd_settle_mode, rcv_settle_mode, None, properties)
        else:
            link.end()

    def _may_send(self) -> bool:
        if self.local is Half.UNUSED:
            raise LocalProtocolError("the session has not begun")
        return self.local is Half.ACTIVE and self.remote is not Half.ENDED

    def _handle_max(self) -> int:
        return self.limits.handle_max if self.begin is None else self.begin.handle_max

    def _find(self, body: Attach | Detach | Transfer | Flow) -> Link | None:
        """The link of the peer's handle, if LINK_READS allows the frame; else the session ends."""
        handle = body.handle
        link = self._attached.get(handle) if handle is not None else None
        if type(body) in LINK_READS[Half.UNUSED if link is None else Half.ACTIVE]:
            return link
        name = type(body).__name__.upper()
        if link is None:
            self.violation(UNATTACHED_HANDLE, f"{name} with the unattached handle {handle}")
        else:
            self.violation(HANDLE_IN_USE, f"{name} with the attached handle {handle}")
        return None

    def _on_end(self, end: End) -> None:
        self.remote = Half.ENDED
        self._end_links()
        self.emit(EndReceived(self, end))
        self._release()

    def _on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        if not self._window_left:
            self.violation(WINDOW_VIOLATION, "more transfers than the window allows")
            return
        self._window_left -= 1
        self._next_incoming_id = ((self._next_incoming_id or 0) + 1) & SERIAL_MASK
        link = self._find(transfer)
        if link is not None:
            link.on_transfer(transfer, payload)
            if 2 * self._window_left <= self.limits.incoming_window:
                self.send_flow()

    def _on_disposition(self, disposition: Disposition) -> None:
        first = disposition.first
        last = first if disposition.last is None else disposition.last
        if disposition.role is RECEIVER:
            for delivery_id in _between(self._outgoing, first, last):
                link, tag = self._outgoing[delivery_id]
                link.on_disposition(delivery_id, tag, disposition)
        elif disposition.settled:
            for receiver in self._links.values():
                if isinstance(receiver, ReceiverLink):
                    for delivery_id in _between(receiver.unsettled, first, last):
                        receiver.on_settled(delivery_id, disposition.state)

    def _on_flow(self, flow: Flow) -> None:
        expected = FIRST_TRANSFER_ID if flow.next_incoming_id is None else flow.next_incoming_id
        self._peer_window = max(0, serial_distance(expected, self._next_outgoing_id) + flow.incoming_window)
        if flow.handle is None:
            for link in tuple(self._stalled):
                link.pump()
            if flow.echo and self.local is Half.ACTIVE:
                self.send_flow()
        elif (found := self._find(flow)) is not None:
            found.on_flow(flow)
            for link in tuple(self._stalled):
                link.pump()

    def _on_attach(self, attach: Attach) -> None:
        if attach.handle > self.limits.handle_max:
            raise AmqpViolation(FRAMING_ERROR, f"handle {attach.handle} exceeds {self.limits.handle_max}")
        self._find(attach)
        if self.local is Half.ENDED:
            return
        link = self._unanswered.pop((attach.name, not attach.role), None) or self._invited(attach)
        self._attached[attach.handle] = link
        link.on_attach(attach)
        self.emit(AttachReceived(link, attach))

    def _invited(self, attach: Attach) -> Link:
        """A link that the peer begins."""
        self.connection.check_links()
        try:
            handle = self._handles.take(self._handle_max())
        except LocalProtocolError:
            raise AmqpViolation(RESOURCE_LIMIT_EXCEEDED, "more links than the peer allows us to answer") from None
        link = (SenderLink if attach.role is RECEIVER else ReceiverLink)(self, handle, attach.name)
        self._links[handle] = link
        self._to_answer[link] = None
        return link

    def _end_links(self) -> None:
        for link in self._links.values():
            link.end()
        self._links.clear()
        self._attached.clear()
        self._unanswered.clear()
        self._to_answer.clear()

    def _release(self) -> None:
        if self.local is self.remote is Half.ENDED:
            self.connection.release(self)


def _between(ids: Collection[int], first: int, last: int) -> list[int]:
    """Those of `ids` from `first` to `last`, in order, without walking through a range of the peer's choice."""
    distance = serial_distance(last, first)
    if distance < len(ids):
        return [number for step in range(distance + 1) if (number := (first + step) & SERIAL_MASK) in ids]
    return sorted(
        (number for number in ids if 0 <= serial_distance(number, first) <= distance),
        key=lambda number: serial_distance(number, first),
    )
