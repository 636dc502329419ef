"""What connections have in common that can let a device in: the deadline of its token, faults that strike meanwhile, test messages, answers that are late."""

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from harness.hub.base import HubConnection
from harness.hub.device import Device
from harness.hub.ending import Cause, CloseMode
from harness.hub.fault_messages import MOST_WAITING, Burden, End, FaultMessage, read_fault_message
from harness.hub.faults import IDENTITY, Anchor, Fault, IdentityChange, Moment
from harness.sas import Token

__all__ = ["CAUSES", "AdmittingConnection"]

CAUSES: Final[dict[IdentityChange, Cause]] = {
    "roll-key": "key-rolled",
    "disable": "device-disabled",
    "delete": "device-deleted",
}
OTHER_CLIENT: Final = "another client came with the same identity"
_MOMENTS: Final[dict[Anchor, str]] = {
    "before-renewal": "a renewal is about to come",
    "half-life": "half of the token's time is over",
    "expiry": "the token expires",
    "grace-end": "the token's grace is over",
}

Late = tuple[float, Callable[[float], None]]
"""When something is to be done that was put off, and what; it is told the time."""


class AdmittingConnection(HubConnection):
    """A connection by which the device can be let in.

    `_deadline`: that of the token, or of a device which has taken leave. `_fault_at`: when a fault strikes or an answer that was put off is
    due, whichever is first. `_due`: what `next_deadline` says.
    """

    __slots__ = ("_deadline", "_due", "_fault_at", "_late", "_moments")

    def __init__(self, device: Device, number: int, transport: str, peer: str, wake: Callable[[], None]) -> None:
        super().__init__(device, number, transport, peer, wake)
        self._deadline = self._fault_at = math.inf
        self._moments: Sequence[Moment] = ()
        self._late: Sequence[Late] = ()
        self._due: float | None

    @abstractmethod
    def _earliest_deadline(self) -> float | None:
        """When `on_time` is wanted, None for never."""

    @abstractmethod
    def _fail(self, fault: Fault, now: float, detail: str) -> None:
        """End the connection as the fault says."""

    @abstractmethod
    def _expire(self, close: CloseMode | None, now: float) -> None:
        """End the connection because the token's grace is over."""

    @abstractmethod
    def _withhold(self) -> None:
        """Acknowledge no telemetry any more."""

    @abstractmethod
    def _throttle(self) -> None:
        """Refuse the next message."""

    @abstractmethod
    def _burden(self) -> None:
        """Refuse messages for as long as the device's burden lasts."""

    @abstractmethod
    def _end_as_asked(self, message: FaultMessage, now: float) -> None:
        """End the connection, because a test message asked for that, or for refusals of the device's credentials."""

    def _time_the_token(self, token: Token, now: float) -> None:
        """The device was let in with this token: its deadline, and the faults that will strike until then."""
        policy, faults = self._device.policy, self._device.faults
        self._deadline = policy.cut_at(token.expiry)
        if faults:
            self._moments = faults.accepted(token, now, self._deadline - policy.grace_s)
            self._look_ahead()

    def _forget_the_token(self) -> None:
        """The device is not in any more; what was put off is left undone."""
        self._deadline = self._fault_at = math.inf
        self._moments = self._late = ()

    def _put_off(self, due: float, act: Callable[[float], None]) -> None:
        """Do something later, unless the device is gone by then."""
        self._late = sorted([*self._late, (due, act)], key=lambda late: late[0])
        self._look_ahead()

    def _look_ahead(self) -> None:
        self._fault_at = min((one[0] for one in (*self._moments[:1], *self._late[:1])), default=math.inf)

    def _suffer(self, now: float) -> None:
        """Let strike what is due, and give the answers that are."""
        while now >= self._fault_at:
            if self._late and self._late[0][0] <= self._fault_at:
                (_, act), *self._late = self._late
                self._look_ahead()
                act(now)
            else:
                (_, anchor), *self._moments = self._moments
                self._look_ahead()
                fault = self._device.strike(anchor, now, self.number)
                assert fault is not None  # only one connection has the device, so nobody else has met it
                self._bear(fault, now)

    def _end_grace(self, now: float) -> None:
        """The token's grace is over: the ordinary cut, or what comes instead of it."""
        fault = self._device.strike("grace-end", now, self.number)
        if fault is None or fault.action == "cut":
            self._expire((fault and fault.close) or self._device.policy.close, now)
        else:
            self._deadline = math.inf
            self._bear(fault, now)

    def _bear(self, fault: Fault, now: float) -> None:
        """Let it strike an established connection; `ignore` leaves out the cut at the end of the grace, and that is all. An `outage` is no affair of this connection alone."""
        if (change := IDENTITY.get(fault.action)) is not None:
            self._device.change(change, fault.close, now)
        elif fault.action == "cut":
            self._fail(fault, now, _MOMENTS[fault.at])
        elif fault.action == "takeover":
            self._device.take_over(now)
        elif fault.action == "withhold-puback":
            self._withhold()
        elif fault.action == "throttle":
            self._throttle()

    def heed(
        self,
        properties: Mapping[str, str | None],
        now: float,
        obey: Callable[[FaultMessage, float], None] | None = None,
    ) -> None:
        """The application properties of a message that may be a test message: let `obey` do what it asks for, when it is time."""
        message = read_fault_message(properties, "amqp" if self._transport.startswith("amqp") else "mqtt")
        if message is None:
            return
        if message.problem is None and len(self._late) >= MOST_WAITING:
            message = message._replace(problem="too many wait already")
        self.note("fault-message", now, **message.shown)
        if message.problem is None:
            assert message.delay_s is not None  # that would be a problem
            self._put_off(now + message.delay_s, partial(obey or self._obey, message))
            self._due = self._earliest_deadline()

    def _obey(self, message: FaultMessage, now: float) -> None:
        """Do what a test message asks for."""
        deed = message.deed
        if isinstance(deed, Burden):
            assert message.duration_s is not None  # as above
            self._device.burden = (deed.strain, now + message.duration_s)
        if isinstance(deed, End) or deed == Burden("unauthorized"):
            self._end_as_asked(message, now)
        else:
            self._burden()

    def _hold(self, fault: Fault, answer: Callable[[float], None], now: float, detail: str) -> None:
        """An answer that a fault befell: cut instead, give it later, or never."""
        if fault.action == "cut":
            self._fail(fault, now, detail)
        elif fault.action == "delay":
            self._put_off(now + fault.delay_s, answer)
