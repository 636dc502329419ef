"""One timer for a deadline that moves all the time, at the price of next to nothing per move."""

import asyncio
from collections.abc import Callable

from harness.clock import Clock

__all__ = ["Timer"]


class Timer:
    """Calls `on_time(now)` once the deadline has come, on the clock given.

    A deadline that moves later leaves the event loop's handle alone: it fires at the old time, finds that it is early, and
    re-arms itself. Only a deadline that moves earlier costs a new handle. After `on_time` the timer is at rest until set again.
    `deadline`: when `on_time` will be called, in seconds since the Unix epoch; to be changed by `set`.
    """

    __slots__ = ("_clock", "_handle", "_handle_due", "_loop", "_on_time", "deadline")

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, on_time: Callable[[float], None]) -> None:
        self._loop, self._clock, self._on_time = loop, clock, on_time
        self.deadline: float | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._handle_due = 0.0

    def set(self, deadline: float | None, now: float | None = None) -> None:
        """Move the deadline; `None` takes it away. `now`: the present, where the caller knows it."""
        self.deadline = deadline
        if deadline is None:
            return
        if self._handle is not None:
            if self._handle_due <= deadline:
                return
            self._handle.cancel()
        self._arm(deadline, self._clock.now() if now is None else now)

    def stop(self) -> None:
        """Take the deadline away and let go of the event loop: for the end of the timer's owner."""
        self.deadline = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, deadline: float, now: float) -> None:
        self._handle_due = deadline
        self._handle = self._loop.call_later(max(0.0, deadline - now), self._fire)

    def _fire(self) -> None:
        self._handle = None
        if self.deadline is None:
            return
        now = self._clock.now()
        if now < self.deadline:
            self._arm(self.deadline, now)
            return
        self.deadline = None
        self._on_time(now)
