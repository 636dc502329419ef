"""Links on which we send: credit, messages in frames of the peer's size, and what became of them (section 2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from harness.errors import LocalProtocolError
from harness.protocol.amqp.conditions import INVALID_FIELD, AmqpViolation
from harness.protocol.amqp.events import DispositionReceived, FlowReceived
from harness.protocol.amqp.link import MAX_TAG, Link
from harness.protocol.amqp.numbers import SERIAL_MASK, serial_distance
from harness.protocol.amqp.performatives import SENDER, DeliveryState, Disposition, Flow, SenderSettleMode, Transfer
from harness.protocol.amqp.state import Half

if TYPE_CHECKING:
    from harness.protocol.amqp.session import Session


class Outgoing(Struct):
    """A message on its way out."""

    tag: bytes
    payload: bytes
    message_format: int
    settled: bool
    delivery_id: int | None = None
    sent: int = 0


class SenderLink(Link):
    """We send.

    `unsettled` holds the delivery ids of the messages sent and not settled, by tag; it survives the link's end, so that its
    owner sees what was in the air.
    """

    __slots__ = ("_next_tag", "_waiting", "unsettled")
    role = SENDER

    def __init__(self, session: Session, handle: int, name: str) -> None:
        super().__init__(session, handle, name)
        self._waiting: list[Outgoing] = []  # an empty deque would be ten times as large, on every link; few ever wait
        self._next_tag = 0
        self.unsettled: dict[bytes, int] = {}

    @property
    def waiting(self) -> int:
        """How many messages wait for credit or window."""
        return len(self._waiting)

    def send(
        self, payload: bytes, *, tag: bytes | None = None, settled: bool | None = None, message_format: int = 0
    ) -> bytes:
        """Queue a message; it leaves in frames of the peer's size, as soon as credit and window allow.

        Args:
            payload: the encoded message.
            tag: names the delivery, and no other until it is settled; by default a running number.
            settled: nothing is awaited; by default as the link's settle mode says.
            message_format: see `messages`.

        Returns:
            The tag.

        Raises:
            LocalProtocolError: it is too early, or the tag is too long.
        """
        if tag is None:
            tag, self._next_tag = self._next_tag.to_bytes(4, "big"), (self._next_tag + 1) & SERIAL_MASK
        if len(tag) > MAX_TAG:
            raise LocalProtocolError(f"a delivery tag of {len(tag)} bytes is longer than {MAX_TAG}")
        if self._may_send():
            if settled is None:
                mode = self.peer_snd_settle_mode
                settled = mode == SenderSettleMode.SETTLED
            self._waiting.append(Outgoing(tag, payload, message_format, settled))
            self.pump()
        return tag

    def settle(self, tag: bytes, state: DeliveryState | None = None) -> None:
        """Settle a message that was sent: the last word where the receiver settles second. Unknown tags are ignored.

        Raises:
            LocalProtocolError: it is too early.
        """
        if self._may_send() and (delivery_id := self.unsettled.pop(tag, None)) is not None:
            self.session.forget(delivery_id)
            self.session.send_frame(Disposition(SENDER, delivery_id, settled=True, state=state))

    def pump(self) -> None:
        """Send what credit and window allow."""
        waiting, session = self._waiting, self.session
        while waiting and session.may_transfer and (self.credit or waiting[0].sent):
            self._send_part(waiting[0])
        session.stall(self, stalled=bool(waiting))

    def on_flow(self, flow: Flow) -> None:
        """The peer's FLOW for this link: its credit."""
        if flow.link_credit is not None:
            before = self.delivery_count if flow.delivery_count is None else flow.delivery_count
            self.credit = max(0, serial_distance(before, self.delivery_count) + flow.link_credit)
        if self.local is Half.ACTIVE:
            self.pump()
            if flow.drain and self.credit:
                self.delivery_count = (self.delivery_count + self.credit) & SERIAL_MASK
                self.credit = 0
                self.session.send_flow(self, drain=True)
            elif flow.echo:
                self.session.send_flow(self)
        self.session.emit(FlowReceived(self, flow))

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:  # noqa: ARG002 - the receiver's business
        """Never allowed here."""
        raise AmqpViolation(INVALID_FIELD, "TRANSFER to a link whose sender we are")

    def on_disposition(self, delivery_id: int, tag: bytes, disposition: Disposition) -> None:
        """The peer's word on one message."""
        if disposition.settled:
            self.session.forget(delivery_id)
            self.unsettled.pop(tag, None)
        self.session.emit(DispositionReceived(self, tag, disposition.state, disposition.settled))

    def _send_part(self, message: Outgoing) -> None:
        if message.delivery_id is None:
            message.delivery_id = self._begin(message)
            head = Transfer(
                self.handle, message.delivery_id, message.tag, message.message_format, message.settled, more=True
            )
        else:
            head = Transfer(self.handle, more=True)
        message.sent += self.session.send_transfer(head, message.payload, message.sent)
        if message.sent == len(message.payload):
            del self._waiting[0]

    def _begin(self, message: Outgoing) -> int:
        self.credit -= 1
        self.delivery_count = (self.delivery_count + 1) & SERIAL_MASK
        delivery_id = self.session.take_delivery_id()
        if not message.settled:
            self.unsettled[message.tag] = delivery_id
            self.session.remember(delivery_id, self, message.tag)
        return delivery_id

    def _forget(self) -> None:
        self._waiting.clear()
        self.session.stall(self, stalled=False)
        for delivery_id in self.unsettled.values():
            self.session.forget(delivery_id)
