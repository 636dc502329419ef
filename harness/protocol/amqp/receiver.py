"""Links on which we receive: credit, messages put together from frames, and settlement (section 2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from harness.protocol.amqp.conditions import (
    INVALID_FIELD,
    MESSAGE_SIZE_EXCEEDED,
    TRANSFER_LIMIT_EXCEEDED,
    AmqpViolation,
)
from harness.protocol.amqp.events import FlowReceived, SenderSettled, TransferReceived
from harness.protocol.amqp.link import MAX_TAG, Link
from harness.protocol.amqp.numbers import SERIAL_MASK, serial_distance
from harness.protocol.amqp.performatives import (
    ACCEPTED,
    RECEIVER,
    Attach,
    DeliveryState,
    Flow,
    Source,
    Target,
    Transfer,
)
from harness.protocol.amqp.state import Half
from harness.protocol.amqp.types import Described, Value

if TYPE_CHECKING:
    from harness.protocol.amqp.session import Session

PART_COST = 64
"""What a part of a message takes in memory beside its bytes, roughly."""


class Partial(Struct):
    """A message of which more frames are to come."""

    delivery_id: int
    tag: bytes
    message_format: int
    settled: bool
    parts: list[bytes]
    size: int = 0

    @property
    def held(self) -> int:
        """Bytes of memory that the parts take, roughly: small ones have their price too."""
        return self.size + PART_COST * len(self.parts)


class ReceiverLink(Link):
    """We receive.

    `unsettled` holds the ids of the messages received and not settled. `max_message_size` is what we announced, or else
    the limit of the connection.
    """

    __slots__ = ("_partial", "_refill", "max_message_size", "unsettled")
    role = RECEIVER

    def __init__(self, session: Session, handle: int, name: str) -> None:
        super().__init__(session, handle, name)
        self.max_message_size = session.limits.max_message_size
        self.unsettled: set[int] = set()
        self._refill = 0
        self._partial: Partial | None = None

    def grant(self, credit: int, *, refill: bool = True) -> None:
        """Let the peer send `credit` messages; with `refill`, again so many whenever half of them have come.

        Raises:
            LocalProtocolError: it is too early.
        """
        if self._may_send():
            self.credit, self._refill = credit, credit if refill else 0
            self.session.send_flow(self)

    def drain(self) -> None:
        """Ask the peer to use its credit up now, or give it back.

        Raises:
            LocalProtocolError: it is too early.
        """
        if self._may_send():
            self._refill = 0
            self.session.send_flow(self, drain=True)

    def settle(self, delivery_id: int, state: DeliveryState = ACCEPTED, *, settled: bool = True) -> None:
        """Say what became of a message; not `settled`, the peer has the last word (receiver settles second).

        Raises:
            LocalProtocolError: it is too early.
        """
        if self._may_send():
            if settled and delivery_id in self.unsettled:
                self.unsettled.remove(delivery_id)
                self.session.count_unsettled(-1)
            self.session.send_disposition(delivery_id, state, settled=settled)

    def send_attach(
        self,
        source: Source | Described | None,
        target: Target | Described | None,
        snd_settle_mode: int,
        rcv_settle_mode: int,
        max_message_size: int | None,
        properties: dict[str, Value] | None,
    ) -> None:
        """Queue ATTACH, which may announce a limit of its own."""
        self.max_message_size = max_message_size or self.max_message_size
        super().send_attach(source, target, snd_settle_mode, rcv_settle_mode, max_message_size, properties)

    def on_attach(self, attach: Attach) -> None:
        """The peer's ATTACH."""
        super().on_attach(attach)
        if attach.initial_delivery_count is None:
            raise AmqpViolation(INVALID_FIELD, "ATTACH of a sender without initial-delivery-count")
        self.delivery_count = attach.initial_delivery_count

    def on_flow(self, flow: Flow) -> None:
        """The peer's FLOW for this link: what it has used of our credit."""
        if flow.delivery_count is not None:
            given_back = serial_distance(flow.delivery_count, self.delivery_count)
            if 0 < given_back <= self.credit:
                self.delivery_count = flow.delivery_count
                self.credit -= given_back
        if flow.echo and self.local is Half.ACTIVE:
            self.session.send_flow(self)
        self.session.emit(FlowReceived(self, flow))

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """A message, or a part of one."""
        if self.local is Half.ENDED:
            return
        partial = self._partial
        if partial is not None or transfer.more or transfer.aborted:
            self._on_part(transfer, payload)
        elif self._may_begin() and self._fits(len(payload)):
            delivery_id, tag = self._named(transfer)
            self._arrived(delivery_id, tag, payload, transfer.settled is True, transfer.message_format or 0)

    def on_settled(self, delivery_id: int, state: DeliveryState | None) -> None:
        """The sender settled a message that we have not."""
        self.unsettled.remove(delivery_id)
        self.session.count_unsettled(-1)
        self.session.emit(SenderSettled(self, delivery_id, state))

    def _named(self, transfer: Transfer) -> tuple[int, bytes]:
        if transfer.delivery_id is None or transfer.delivery_tag is None or len(transfer.delivery_tag) > MAX_TAG:
            raise AmqpViolation(INVALID_FIELD, "the first TRANSFER of a message without delivery-id or a proper tag")
        return transfer.delivery_id, transfer.delivery_tag

    def _may_begin(self) -> bool:
        if self.credit:
            self.credit -= 1
            self.delivery_count = (self.delivery_count + 1) & SERIAL_MASK
            return True
        self._violation(TRANSFER_LIMIT_EXCEEDED, "a message without credit")
        return False

    def _fits(self, size: int) -> bool:
        if size <= self.max_message_size:
            return True
        self._violation(MESSAGE_SIZE_EXCEEDED, f"a message of more than {self.max_message_size} bytes")
        return False

    def _on_part(self, transfer: Transfer, payload: bytes) -> None:
        if self._partial is None:
            if not self._may_begin():
                return
            self._partial = Partial(*self._named(transfer), transfer.message_format or 0, False, [])
        partial = self._partial
        if transfer.delivery_id not in (None, partial.delivery_id):
            raise AmqpViolation(INVALID_FIELD, "TRANSFER of another message before the last one was complete")
        partial.settled = partial.settled or transfer.settled is True
        partial.size += len(payload)
        if payload:  # empty frames are free for the peer
            partial.parts.append(payload)
            self.session.count_buffered(len(payload) + PART_COST)
        if transfer.aborted:
            self._drop_partial()
            self._top_up()
        elif self._fits(partial.size) and not transfer.more:
            self._drop_partial()
            whole = b"".join(partial.parts)
            self._arrived(partial.delivery_id, partial.tag, whole, partial.settled, partial.message_format)

    def _arrived(self, delivery_id: int, tag: bytes, payload: bytes, settled: bool, message_format: int) -> None:  # noqa: FBT001
        session = self.session
        if not settled and delivery_id not in self.unsettled:
            self.unsettled.add(delivery_id)
            session.count_unsettled(1)
        session.emit(TransferReceived(self, delivery_id, tag, payload, settled, message_format))
        self._top_up()

    def _top_up(self) -> None:
        if self._refill and 2 * self.credit <= self._refill:
            self.credit = self._refill
            self.session.send_flow(self)

    def _drop_partial(self) -> None:
        if self._partial is not None:
            self.session.count_buffered(-self._partial.held)
            self._partial = None

    def _forget(self) -> None:
        self._drop_partial()
        self.session.count_unsettled(-len(self.unsettled))
        self.unsettled.clear()
