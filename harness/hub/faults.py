"""What goes wrong on purpose: a renewal that is refused or not answered, a connection that breaks halfway through its token's time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.hub.ending import CloseMode
from harness.sas import Token

__all__ = ["Fault", "Faults"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, `times` times.

    `renewal`: when the device that was let in before comes with a good token it has not been let in with. `refuse` answers as if the
    token were expired; `cut` does not answer and ends the connection.
    `half-life`: when half of what was left of the token at its acceptance is over; only `cut`.
    `close`: how a `cut` is made; None is the transport's own way, as in `Policy`. Over AMQP its error is that of an expired token, so that
    it shows what an SDK makes of such an end while its token is good. Raises `ValueError` for what cannot happen.
    """

    at: Literal["renewal", "half-life"]
    action: Literal["refuse", "cut"]
    close: CloseMode | None = None
    times: int = 1

    def __post_init__(self) -> None:
        """Check the combination."""
        if (self.at, self.action) == ("half-life", "refuse"):
            raise ValueError("at half-life there is nothing to refuse")
        if self.times < 1:
            raise ValueError(f"times = {self.times} has to be 1 or more")


class Faults:
    """The faults of one device that are still to come, over all its connections. False when there were none."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._to_come = [fault for fault in faults for _ in range(fault.times)]
        self._any = bool(faults)
        self._accepted: set[tuple[str, int]] = set()

    def __bool__(self) -> bool:
        return self._any

    def renewal(self, token: Token) -> Fault | None:
        """The device comes with a good token: what goes wrong, None if it may be let in; then the token counts as accepted."""
        known = (token.digest, token.expiry)
        fault = self._take("renewal") if self._accepted and known not in self._accepted else None
        if fault is None:
            self._accepted.add(known)
        return fault

    def half_life(self, token: Token, now: float) -> float:
        """When half of what is left of the token will be over, if anything is to go wrong then; else never."""
        if self._to_come and any(fault.at == "half-life" for fault in self._to_come) and token.expiry > now:
            return now + (token.expiry - now) / 2
        return math.inf

    def halfway(self) -> Fault | None:
        """Half the time is over: what goes wrong."""
        return self._take("half-life")

    def _take(self, at: str) -> Fault | None:
        fault = next((fault for fault in self._to_come if fault.at == at), None)
        if fault is not None:
            self._to_come.remove(fault)
        return fault
