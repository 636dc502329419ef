"""All the hub remembers about its device, whatever connection it comes by, and which connection that is now."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from harness.events import Emit
from harness.hub.auth import Gate, Refusal
from harness.hub.credentials import Credentials
from harness.hub.ending import CloseMode
from harness.hub.fault_messages import Strain
from harness.hub.faults import IDENTITY, Anchor, Fault, Faults, IdentityChange
from harness.hub.https.locks import Locks
from harness.hub.https.orders import Orders
from harness.hub.identity import Identity
from harness.hub.methods import MethodCalls
from harness.hub.outage import Outage
from harness.hub.policy import Policy
from harness.hub.session import DeviceSession
from harness.hub.topics import DeviceTopics
from harness.hub.twin import Twin
from harness.sas import Token

__all__ = ["Device", "Occupant"]


class Occupant(Protocol):
    """A connection, and at most one of them is the one the device is on."""

    number: int

    def displaced(self, newer: int | None, now: float) -> None:
        """The device came by connection `newer`, or (None) another client with its identity, so this one ends."""
        ...

    def evicted(self, change: IdentityChange, close: CloseMode | None, now: float) -> None:
        """The device's identity was changed, so this connection ends."""
        ...

    def deliver(self, now: float) -> None:
        """Something may be waiting for the device."""
        ...

    def stop(self, now: float) -> None:
        """The hub stops."""
        ...


class Device:
    """The device of this hub. There is one connection at a time; the newest wins.

    `recording` is false where nobody wants events; `emit` may be called all the same. `learn_secret` is told every text that must
    not be written. `connections` holds those whose transport is still there, by number. `outage`: one that is asked for and has not been taken.
    `burden`: what the hub refuses the device, and until when, as a test message asked for; see `burdened`. `_lost`: the connections that the last
    outage took, whether or not the hub has heard of their end.
    """

    def __init__(
        self,
        identity: Identity,
        policy: Policy,
        names: frozenset[str],
        emit: Emit | None,
        learn_secret: Callable[[str], None],
    ) -> None:
        self.identity, self.policy, self.learn_secret = identity, policy, learn_secret
        self.gate = Gate(identity, policy, frozenset(name.lower() for name in (identity.hub_name, *names)))
        self.topics = DeviceTopics(identity.device_id)
        self.session, self.twin, self.methods = DeviceSession(), Twin(), MethodCalls()
        self.locks, self.orders = Locks(self.session), Orders()
        self.faults = Faults(policy.faults)
        self.recording = emit is not None
        self.emit: Emit = _silent if emit is None else emit
        self.connections: dict[int, Occupant] = {}
        self.outage: Outage | None = None
        self.burden: tuple[Strain, float] | None = None
        self._occupant: Occupant | None = None
        self._lost: frozenset[int] = frozenset()

    @property
    def is_away(self) -> bool:
        """Whether the device is on no connection: it left, was turned out, another client has its place, or an outage took its connection."""
        return self._occupant is None or self._occupant.number in {_Stranger.number, *self._lost}

    def judge(self, credentials: Credentials, now: float, by: int) -> Refusal | Fault | None:
        """Whether the device, on connection `by`, is let in: None. Else why not, or the fault (`cut`, `ignore`, `delay`) that befalls a good token."""
        refusal = self.refusal(credentials, now)
        if refusal is not None or not self.faults or credentials.token is None:  # faults belong to the life of a token
            return refusal
        fault = self._told(self.faults.arriving(credentials.token, away=self.is_away), now, by)
        if fault is None:
            return None
        if fault.action == "refuse":
            return self.gate.refuse_by_fault(credentials, fault.code, fault.status)
        if (change := IDENTITY.get(fault.action)) is not None:
            self.change(change, fault.close, now)
            return self.gate.judge(credentials, now)
        return fault

    def refusal(self, credentials: Credentials, now: float) -> Refusal | None:
        """Why the device is refused at `now`, faults aside; None if it is let in."""
        refusal = self.gate.judge(credentials, now)
        if refusal is None and self.burden is not None and self.burdened(now) == "unauthorized":
            return self.gate.refuse_as_asked(credentials)
        return refusal

    def burdened(self, now: float) -> Strain | None:
        """What the hub refuses the device now: its messages (`throttled`, `quota`), its credentials (`unauthorized`), or nothing."""
        if self.burden is not None and now >= self.burden[1]:
            self.burden = None
        return None if self.burden is None else self.burden[0]

    def answering(self, token: Token, now: float, by: int) -> Fault | None:
        """What goes wrong with the answer to a token that lets the device in. To be called before that counts."""
        return self._told(self.faults.answering(token), now, by)

    def strike(self, anchor: Anchor, now: float, by: int) -> Fault | None:
        """The anchor has come on connection `by`: what goes wrong."""
        return self._told(self.faults.at(anchor), now, by)

    def _told(self, fault: Fault | None, now: float, by: int) -> Fault | None:
        if fault is not None:
            self.emit("fault", now, conn=by, at=fault.at, action=fault.action)
            if fault.outage is not None:
                self.outage, self._lost = fault.outage, frozenset(self.connections)
        return fault

    def change(self, change: IdentityChange, close: CloseMode | None, now: float) -> None:
        """Change the identity; an established connection ends by `close`."""
        self.identity = _AFTER[change](self.identity)
        self.gate = replace(self.gate, identity=self.identity)
        if self._occupant is not None:
            self._occupant.evicted(change, close, now)

    def take_over(self, now: float) -> None:
        """Another client comes with the identity of the device, and stays until the device comes back."""
        self.enter(_Stranger(), now)

    def enter(self, occupant: Occupant, now: float) -> None:
        """The device is on this connection from now on."""
        former, self._occupant = self._occupant, occupant
        if former is not None:
            former.displaced(occupant.number or None, now)

    def leave(self, occupant: Occupant, now: float) -> None:
        """The connection is over; no matter if the device is on a newer one already."""
        if self._occupant is occupant:
            self._occupant = None
            self.faults.left(now)

    def deliver(self, now: float) -> None:
        """Send what waits, if the device is there."""
        if self._occupant is not None:
            self._occupant.deliver(now)


class _Stranger:
    """Another client of the same identity, of which nothing is seen but that it is there."""

    number = 0

    def displaced(self, newer: int | None, now: float) -> None:
        """It goes, and does not come back."""

    def evicted(self, change: IdentityChange, close: CloseMode | None, now: float) -> None:
        """The same."""

    def deliver(self, now: float) -> None:
        """It listens for nothing."""

    def stop(self, now: float) -> None:
        """It has no connection."""


_AFTER: Final[dict[IdentityChange, Callable[[Identity], Identity]]] = {
    "roll-key": Identity.with_rolled_key,
    "disable": lambda identity: replace(identity, status="disabled"),
    "delete": lambda identity: replace(identity, registered=False),
}


def _silent(kind: str, now: float, /, **fields: object) -> None:
    """Record nothing."""
