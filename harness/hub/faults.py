"""Faults in the hub: which of a device's scripted mishaps strikes, and when. `harness.fault_words` has the table of anchors and actions.

The hub cannot know an SDK's law, so the cell's first renewal is the measure of `before-renewal`: it strikes from the second renewal on,
`LEAD_S` before, or `LEAD` of the age where that is more, but never more than half the age. Where a device left for its first renewal, the age at which it
left counts, however long it took to come back.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.fault_words import IDENTITY, POSSIBLE, Action, Anchor, CloseMode, IdentityChange, OutageHow
from harness.hub.ending import of_transport
from harness.hub.outage import Outage
from harness.sas import Token

__all__ = ["IDENTITY", "Action", "Anchor", "Fault", "Faults", "IdentityChange", "Moment"]

Moment = tuple[float, Anchor]
"""When an anchor on an established connection comes, in seconds since the Unix epoch."""

LEAD_S: Final = 1.0
LEAD: Final = 0.05


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, `times` times. The fields are those of a scenario's fault (`harness.fault`), which is checked before.

    Raises `ValueError` for what cannot happen.
    """

    at: Anchor
    action: Action
    close: CloseMode | None = None
    times: int = 1
    delay_s: float = 0.0
    code: int | None = None
    status: int | None = None
    how: OutageHow | None = None
    for_s: float | None = None

    def __post_init__(self) -> None:
        """Check the combination."""
        if self.action not in POSSIBLE[self.at]:
            raise ValueError(f"{self.action} cannot be at {self.at}")
        if self.times < 1:
            raise ValueError(f"times = {self.times} has to be 1 or more")
        if (self.action == "delay") != (self.delay_s > 0):
            raise ValueError(f"delay_s = {self.delay_s} does not go with {self.action}")
        if (self.action == "outage") != (self.outage is not None):
            raise ValueError("how and for_s go with an outage, which needs both")

    @property
    def outage(self) -> Outage | None:
        """The outage to be asked for."""
        if self.how is None or self.for_s is None:
            return None
        return Outage(self.how, self.for_s, self.close and of_transport(self.close))


class Faults:
    """The faults of one device that are still to come, over all its connections. False when there were none."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._to_come = [fault for fault in faults for _ in range(fault.times)]
        self._any = bool(faults)
        self._accepted: dict[tuple[str, int], float] = {}  # when each token was first, oldest first
        self._renewed_at_age: float | None = None  # of the first renewal
        self._left_at: float | None = None

    def __bool__(self) -> bool:
        return self._any

    def arriving(self, token: Token, *, away: bool) -> Fault | None:
        """The device comes with a good token, `away`: having been on no connection. What goes wrong, None if it may be let in."""
        anchors: set[Anchor] = {"away"} if away and self._accepted else set()
        return self._take(anchors | ({"renewal"} if self._is_renewal(token) else set()))

    def answering(self, token: Token) -> Fault | None:
        """The device is being let in with this token: what goes wrong with the answer. To be called before `accepted`."""
        return self._take({"renewal-answer"}) if self._is_renewal(token) else None

    def accepted(self, token: Token, now: float, expiry: float) -> Sequence[Moment]:
        """The device is let in; `expiry` is that of the token on the caller's clock. The moments to come on this connection, in order."""
        known = (token.digest, token.expiry)
        if self._accepted and known not in self._accepted and self._renewed_at_age is None:
            self._renewed_at_age = (now if self._left_at is None else self._left_at) - next(
                reversed(self._accepted.values())
            )
        since, self._left_at = self._accepted.setdefault(known, now), None
        moments: tuple[Moment, ...] = (
            (self._before_renewal(since), "before-renewal"),
            (now + (expiry - now) / 2, "half-life"),
            (expiry, "expiry"),
        )
        wanted = {fault.at for fault in self._to_come}
        return sorted(moment for moment in moments if moment[1] in wanted and now < moment[0] < math.inf)

    def left(self, now: float) -> None:
        """The device is on no connection any more."""
        self._left_at = now

    def at(self, anchor: Anchor) -> Fault | None:
        """The anchor has come on an established connection: what goes wrong."""
        return self._take({anchor})

    def _is_renewal(self, token: Token) -> bool:
        return bool(self._accepted) and (token.digest, token.expiry) not in self._accepted

    def _before_renewal(self, since: float) -> float:
        """Shortly before a token that was accepted at `since` is as old as the first was when it was renewed; never before that is known."""
        age = self._renewed_at_age
        return math.inf if age is None else since + age - min(max(LEAD_S, LEAD * age), age / 2)

    def _take(self, anchors: set[Anchor]) -> Fault | None:
        fault = next((fault for fault in self._to_come if fault.at in anchors), None)
        if fault is not None:
            self._to_come.remove(fault)
        return fault
