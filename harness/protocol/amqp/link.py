"""Links: attach and detach (AMQP 1.0 part 2, section 2.6); `sender` and `receiver` add credit and deliveries.

Every method that sends raises LocalProtocolError before our ATTACH, because its owner is wrong, and does nothing after
either side's end (except to answer it), because the peer may have left while the owner was still answering what came
before. In between it does what it is told: settling late, twice, or not at all, and detaching without closing, are the
owner's to decide.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from harness.errors import LocalProtocolError
from harness.protocol.amqp.events import DetachReceived, LinkViolation
from harness.protocol.amqp.performatives import RECEIVER, SENDER, Attach, Detach, Error, Flow, Source, Target, Transfer
from harness.protocol.amqp.state import Half
from harness.protocol.amqp.types import Described, Value

if TYPE_CHECKING:
    from harness.protocol.amqp.session import Session

MAX_TAG = 32
"""Bytes of a delivery tag (section 2.8.7)."""


class Link(ABC):
    """One link; `SenderLink` or `ReceiverLink` by our role.

    Attributes:
        session: where it lives.
        name: the same on both sides.
        handle: ours.
        local, remote: see `state`.
        attach: the peer's ATTACH; where it is to be answered only until then, for it is most of what a link takes in memory.
        peer_snd_settle_mode: the sender settle mode of the peer's ATTACH, None before it came.
        delivery_count, credit: section 2.6.7. A sender may send `credit` more messages; a receiver granted as many.
    """

    __slots__ = (
        "attach",
        "credit",
        "delivery_count",
        "handle",
        "local",
        "name",
        "peer_snd_settle_mode",
        "remote",
        "session",
    )
    role: ClassVar[bool]

    def __init__(self, session: Session, handle: int, name: str) -> None:
        self.session, self.handle, self.name = session, handle, name
        self.local = self.remote = Half.UNUSED
        self.attach: Attach | None = None
        self.peer_snd_settle_mode: int | None = None
        self.delivery_count = self.credit = 0

    @property
    def refused(self) -> bool:
        """The peer answered our ATTACH without the terminus that is its own; DETACH follows (section 2.6.3)."""
        if self.attach is None:
            return False
        return (self.attach.source if self.role is RECEIVER else self.attach.target) is None

    def accept(
        self,
        *,
        source: Source | Described | None = None,
        target: Target | Described | None = None,
        snd_settle_mode: int | None = None,
        rcv_settle_mode: int | None = None,
        max_message_size: int | None = None,
        properties: dict[str, Value] | None = None,
    ) -> None:
        """Answer the peer's ATTACH; what is not given is as the peer proposed. Credit may be granted only then.

        Raises:
            LocalProtocolError: there is no ATTACH to answer.
        """
        if self.local is Half.ENDED:  # too late
            return
        asked = self._asked()
        self.send_attach(
            source=source or asked.source,
            target=target or asked.target,
            snd_settle_mode=asked.snd_settle_mode if snd_settle_mode is None else snd_settle_mode,
            rcv_settle_mode=asked.rcv_settle_mode if rcv_settle_mode is None else rcv_settle_mode,
            max_message_size=max_message_size,
            properties=properties,
        )
        self.attach = None

    def refuse(self, error: Error) -> None:
        """Answer the peer's ATTACH with one that has no terminus, then DETACH with the error (section 2.6.3).

        Raises:
            LocalProtocolError: there is no ATTACH to answer.
        """
        if self.local is Half.ENDED:  # too late
            return
        asked = self._asked()
        self.send_attach(None, None, asked.snd_settle_mode, asked.rcv_settle_mode, None, None)
        self.detach(error)

    def detach(self, error: Error | None = None, *, closed: bool = True) -> None:
        """Queue DETACH, as an announcement or an answer; messages that wait for credit or window are dropped.

        To a peer that detached before its ATTACH was answered there is nothing to say.

        Raises:
            LocalProtocolError: it is too early.
        """
        if self.local is Half.UNUSED and self.remote is Half.ENDED:
            self.local = Half.ENDED
            self._release()
        elif self.local is Half.UNUSED:
            raise LocalProtocolError(f"link {self.name!r} is not attached")
        elif self.local is Half.ACTIVE:
            self.session.send_frame(Detach(self.handle, closed, error))
            self.local = Half.ENDED
            self._forget()
            self._release()

    def on_attach(self, attach: Attach) -> None:
        """The peer's ATTACH."""
        self.attach, self.remote = attach, Half.ACTIVE
        self.peer_snd_settle_mode = attach.snd_settle_mode

    def on_detach(self, detach: Detach) -> None:
        """The peer's DETACH."""
        self.remote = Half.ENDED
        self._forget()
        self.session.emit(DetachReceived(self, detach))
        self._release()

    @abstractmethod
    def on_flow(self, flow: Flow) -> None:
        """The peer's FLOW for this link."""

    @abstractmethod
    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """The peer's TRANSFER."""

    def end(self) -> None:
        """The session or connection ended, and the link with it."""
        self.local = self.remote = Half.ENDED
        self._forget()

    @abstractmethod
    def _forget(self) -> None:
        """Drop what waits, and what is unsettled."""

    def _asked(self) -> Attach:
        if self.attach is None or self.local is Half.ACTIVE:
            raise LocalProtocolError(f"there is no ATTACH to answer on link {self.name!r}")
        return self.attach

    def send_attach(
        self,
        source: Source | Described | None,
        target: Target | Described | None,
        snd_settle_mode: int,
        rcv_settle_mode: int,
        max_message_size: int | None,
        properties: dict[str, Value] | None,
    ) -> None:
        """Queue ATTACH."""
        self.local = Half.ACTIVE
        self.session.send_frame(
            Attach(
                self.name,
                self.handle,
                self.role,
                snd_settle_mode,
                rcv_settle_mode,
                source,
                target,
                initial_delivery_count=self.delivery_count if self.role is SENDER else None,
                max_message_size=max_message_size,
                properties=properties,
            )
        )
        self.session.attached(self)

    def _may_send(self) -> bool:
        """True while the link is in use, False after either side's end, an error before our ATTACH."""
        if self.local is Half.UNUSED:
            raise LocalProtocolError(f"link {self.name!r} is not attached")
        return self.local is Half.ACTIVE and self.remote is not Half.ENDED

    def _release(self) -> None:
        if self.local is self.remote is Half.ENDED:
            self.session.release(self)

    def _violation(self, condition: str, reason: str) -> None:
        """DETACH with the condition; before our ATTACH only the session can say it."""
        if self.local is Half.UNUSED:
            self.session.violation(condition, reason)
        else:
            self.session.emit(LinkViolation(self, condition, reason))
            self.detach(Error(condition, reason))
