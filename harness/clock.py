"""The one clock protocol. Machines never read a clock: whoever drives them reads one of these and passes `now` in."""

import time
from typing import Protocol

__all__ = ["Clock", "RealClock"]


class Clock(Protocol):
    """Tells the time as float seconds since the Unix epoch; never runs backwards."""

    def now(self) -> float:
        """The present moment."""
        ...


class RealClock:
    """The wall clock read once, carried on by the monotonic clock, so that a step of the wall clock cannot bend a measurement."""

    def __init__(self) -> None:
        self._anchor = time.time() - time.monotonic()

    def now(self) -> float:
        """The present moment, in seconds since the Unix epoch as it was told at construction."""
        return self._anchor + time.monotonic()
