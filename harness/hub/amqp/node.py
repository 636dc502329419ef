"""What stands at the hub's end of a link: the base of all kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar

from harness.hub.amqp.figures import MAX_WAITING_ANSWERS
from harness.protocol.amqp.conditions import RESOURCE_LIMIT_EXCEEDED, AmqpViolation
from harness.protocol.amqp.events import DispositionReceived, TransferReceived
from harness.protocol.amqp.link import Link
from harness.protocol.amqp.messages import Message, encode_message
from harness.protocol.amqp.performatives import ACCEPTED, DeliveryState, SenderSettleMode
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.state import Half

if TYPE_CHECKING:
    from harness.hub.amqp.addresses import Kind
    from harness.hub.amqp.cbs import PutToken, Reply
    from harness.hub.device import Device
    from harness.protocol.amqp.session import Session

__all__ = ["CORRELATION_ID", "Node", "Owner", "Throttling"]

CORRELATION_ID = "com.microsoft:channel-correlation-id"
"""The link property that makes a pair of two links (Azure IoT SDKs)."""


Throttling: TypeAlias = Literal["", "once", "meanwhile"]
"""`once`: the next telemetry message is one too many. `meanwhile`: so is each, while the device's burden lasts."""


class Owner(Protocol):
    """The connection, as far as its nodes need it.

    `nodes`: those of attached links, oldest first. `silent`: telemetry gets no dispositions any more. `throttling`: which telemetry is refused.
    """

    nodes: dict[Link, Node]
    silent: bool
    throttling: Throttling

    @property
    def device(self) -> Device:
        """What all connections of the device share."""
        ...

    @property
    def recording(self) -> bool:
        """Whether anybody wants to know what `note` is told."""
        ...

    def note(self, kind: str, now: float, /, **fields: object) -> None:
        """Record an event of this connection."""
        ...

    def next_tag(self) -> bytes:
        """A delivery tag that was never used, of 16 bytes."""
        ...

    def heed_in(self, properties: Mapping[str, str | None], session: Session, now: float) -> None:
        """A message that may be a test message has come by this session, with these application properties."""
        ...

    def put_token(self, request: PutToken, reply: Reply, now: float) -> None:
        """Judge a request and answer it by `reply`, unless it is to be left unanswered."""
        ...


class Node:
    """One attached link of the device. Methods that a kind has no use for do nothing."""

    __slots__ = ("correlation_id", "kind", "link", "owner")

    def __init__(self, owner: Owner, link: Link, kind: Kind, properties: Mapping[str, object]) -> None:
        self.owner, self.link, self.kind = owner, link, kind
        self.correlation_id = properties.get(CORRELATION_ID)

    def received(self, transfer: TransferReceived, now: float) -> None:
        """A message of the device.

        Raises:
            RemoteProtocolError: it cannot be read; the link is to be detached.
        """

    def settled(self, disposition: DispositionReceived, now: float) -> None:  # noqa: ARG002 - for those that record it
        """The device's word on a message of ours; for most that is the last one, and is confirmed where it waits for that."""
        if not disposition.settled:
            disposition.link.settle(disposition.tag, disposition.state)

    def deliver(self, now: float) -> None:
        """Something may be waiting for the device."""

    def lost(self, now: float) -> None:
        """The link is gone."""

    @property
    def device_role(self) -> str:
        """What the device is on the link: "sender" or "receiver"."""
        return "receiver" if isinstance(self.link, SenderLink) else "sender"

    @property
    def is_there(self) -> bool:
        """Whether what is sent now is sent: the device may have detached in the same read as what is being handled."""
        return self.link.local is self.link.remote is Half.ACTIVE

    @property
    def may_send(self) -> bool:
        """Whether a message would leave at once."""
        link = self.link
        assert isinstance(link, SenderLink)
        return self.is_there and link.credit > 0 and not link.waiting and link.session.may_transfer

    def settle(self, transfer: TransferReceived, state: DeliveryState = ACCEPTED) -> bool:
        """Say what became of a message, if that is still to be said."""
        if transfer.settled or not self.is_there:
            return False
        transfer.link.settle(transfer.delivery_id, state)
        return True

    def reply(self, message: Message) -> None:
        """Send a message, settled unless the device wants it otherwise, as soon as there is credit for it.

        Raises:
            AmqpViolation: the device takes no answers, or does not settle them, and asks on.
        """
        link = self.link
        assert isinstance(link, SenderLink)
        if link.waiting + len(link.unsettled) >= MAX_WAITING_ANSWERS:
            raise AmqpViolation(RESOURCE_LIMIT_EXCEEDED, f"more than {MAX_WAITING_ANSWERS} answers wait for the device")
        link.send(encode_message(message), settled=link.peer_snd_settle_mode != SenderSettleMode.UNSETTLED)

    def partner(self, kind: type[NodeT]) -> NodeT | None:
        """The node which answers to this one leave by: of the same pair, else of the same session, else any; the newest."""
        nodes = [node for node in reversed(self.owner.nodes.values()) if isinstance(node, kind) and node.is_there]
        nodes.sort(key=self._distance)
        return nodes[0] if nodes else None

    def _distance(self, other: Node) -> tuple[bool, bool]:
        return (self.correlation_id != other.correlation_id, self.link.session is not other.link.session)


NodeT = TypeVar("NodeT", bound=Node)
