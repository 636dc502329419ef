"""What the connection machine tells its owner, in the order it happened; `Event` is all of it.

Events of sessions and links carry them, as objects that stay the same for life. They may have moved on when the owner
sees the event: methods that come too late do nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from harness.protocol.amqp.performatives import (
    Attach,
    Begin,
    Close,
    DeliveryState,
    Detach,
    End,
    Flow,
    Open,
    SaslInit,
)

if TYPE_CHECKING:
    from harness.protocol.amqp.link import Link
    from harness.protocol.amqp.receiver import ReceiverLink
    from harness.protocol.amqp.sender import SenderLink
    from harness.protocol.amqp.session import Session


class SaslInitReceived(Struct, frozen=True):
    """Server role: the owner answers with `sasl_outcome`, and nothing is read before."""

    init: SaslInit


class SaslOutcomeReceived(Struct, frozen=True):
    """Client role: how the SASL exchange ended, a `SaslCode`; with one other than OK the machine is closed."""

    code: int


class OpenReceived(Struct, frozen=True):
    """The peer's OPEN; a server answers with `open`."""

    open: Open


class HeartbeatReceived(Struct, frozen=True):
    """An empty frame: the peer is alive."""


class CloseReceived(Struct, frozen=True):
    """The peer's CLOSE; the owner owes one, unless its own came first: then the machine is closed."""

    close: Close


class ProtocolViolation(Struct, frozen=True):
    """The peer broke the protocol; the machine has queued a CLOSE, if OPEN was sent, and is closed.

    `reason` never quotes a field that may be a secret.
    """

    condition: str
    reason: str


class Timeout(Struct, frozen=True):
    """The peer was silent for too long; the machine is closed.

    `open`: no OPEN came. `idle`: nothing came for too long, CLOSE is queued. `close`: no CLOSE came in answer to ours.
    """

    which: Literal["open", "idle", "close"]


class BeginReceived(Struct, frozen=True):
    """The peer's BEGIN; the owner answers with `session.accept`, unless the session is its own."""

    session: Session
    begin: Begin


class EndReceived(Struct, frozen=True):
    """The peer's END, which detaches all links as well; the owner owes `session.end`, unless its own came first."""

    session: Session
    end: End


class SessionViolation(Struct, frozen=True):
    """The peer broke a rule of the session; the machine has queued END with this condition."""

    session: Session
    condition: str
    reason: str


class AttachReceived(Struct, frozen=True):
    """The peer's ATTACH; the owner answers with `link.accept` or `link.refuse`, unless the link is its own."""

    link: Link
    attach: Attach


class DetachReceived(Struct, frozen=True):
    """The peer's DETACH; the owner owes `link.detach`, unless its own came first."""

    link: Link
    detach: Detach


class LinkViolation(Struct, frozen=True):
    """The peer broke a rule of the link; the machine has queued DETACH with this condition."""

    link: Link
    condition: str
    reason: str


class FlowReceived(Struct, frozen=True):
    """The peer's FLOW for a link: news of its credit, which the machine has taken in."""

    link: Link
    flow: Flow


class TransferReceived(Struct, frozen=True):
    """A whole message arrived; unless `settled` the owner owes `link.settle(delivery_id)`, or withholds it on purpose."""

    link: ReceiverLink
    delivery_id: int
    tag: bytes
    payload: bytes
    settled: bool
    message_format: int


class DispositionReceived(Struct, frozen=True):
    """What became of the message sent under `tag`. Not `settled`, it awaits `link.settle(tag)` (receiver settles second)."""

    link: SenderLink
    tag: bytes
    state: DeliveryState | None
    settled: bool


class SenderSettled(Struct, frozen=True):
    """The peer settled a message that it sent and we had not settled."""

    link: ReceiverLink
    delivery_id: int
    state: DeliveryState | None


Event: TypeAlias = (
    SaslInitReceived
    | SaslOutcomeReceived
    | OpenReceived
    | HeartbeatReceived
    | CloseReceived
    | ProtocolViolation
    | Timeout
    | BeginReceived
    | EndReceived
    | SessionViolation
    | AttachReceived
    | DetachReceived
    | LinkViolation
    | FlowReceived
    | TransferReceived
    | DispositionReceived
    | SenderSettled
)
