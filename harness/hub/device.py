"""All the hub remembers about its device, whatever connection it comes by, and which connection that is now."""

from collections.abc import Callable
from typing import Protocol

from harness.events import Emit
from harness.hub.auth import Gate, Refusal
from harness.hub.credentials import Credentials
from harness.hub.faults import Fault, Faults
from harness.hub.identity import Identity
from harness.hub.methods import MethodCalls
from harness.hub.policy import Policy
from harness.hub.session import DeviceSession
from harness.hub.topics import DeviceTopics
from harness.hub.twin import Twin

__all__ = ["Device", "Occupant"]


class Occupant(Protocol):
    """A connection, and at most one of them is the one the device is on."""

    number: int

    def displaced(self, newer: int, now: float) -> None:
        """The device came by connection `newer`, so this one ends."""
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
    not be written. `connections` holds those whose transport is still there, by number.
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
        self.faults = Faults(policy.faults)
        self.recording = emit is not None
        self.emit: Emit = _silent if emit is None else emit
        self.connections: dict[int, Occupant] = {}
        self._occupant: Occupant | None = None

    def judge(self, credentials: Credentials, now: float) -> Refusal | Fault | None:
        """Whether the device is let in: None. Else why not, or the fault that befalls a token that is good."""
        refusal = self.gate.judge(credentials, now)
        if refusal is not None or not self.faults:
            return refusal
        assert credentials.token is not None  # the gate lets nobody in without
        fault = self.faults.renewal(credentials.token)
        if fault is not None and fault.action == "refuse":
            return self.gate.refuse_as_expired(credentials)
        return fault

    def enter(self, occupant: Occupant, now: float) -> None:
        """The device is on this connection from now on."""
        former, self._occupant = self._occupant, occupant
        if former is not None:
            former.displaced(occupant.number, now)

    def leave(self, occupant: Occupant) -> None:
        """The connection is over; no matter if the device is on a newer one already."""
        if self._occupant is occupant:
            self._occupant = None

    def deliver(self, now: float) -> None:
        """Send what waits, if the device is there."""
        if self._occupant is not None:
            self._occupant.deliver(now)


def _silent(kind: str, now: float, /, **fields: object) -> None:
    """Record nothing."""
