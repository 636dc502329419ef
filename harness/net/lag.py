"""How late the event loop is: a time measured on a busy loop is no better than that."""

import asyncio
from collections.abc import Callable

__all__ = ["LagMonitor"]

_TIMER_STEP_S = 0.001


class LagMonitor:
    """Asks to be called every `interval_s` and reports, once per `window_s`, how late the latest call came.

    `report(worst_ms, over_s)`: the worst lag in milliseconds, and the seconds it is the worst of. The event loop waits for timers in
    whole milliseconds, rounded up; news of a socket does not wait that long, so as much is not counted as lag.
    """

    def __init__(
        self, report: Callable[[float, float], None], *, interval_s: float = 0.01, window_s: float = 0.25
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._report, self._interval_s, self._window_s = report, interval_s, window_s
        self._worst = 0.0
        self._began = self._loop.time()
        self._wait(self._began)

    def stop(self) -> None:
        """End the watch; the last, incomplete window is reported too."""
        self._handle.cancel()
        self._close_window(self._loop.time())

    def _wait(self, now: float) -> None:
        self._due = now + self._interval_s
        self._handle = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        self._worst = max(self._worst, now - self._due - _TIMER_STEP_S)
        if now - self._began >= self._window_s:
            self._close_window(now)
        self._wait(now)

    def _close_window(self, now: float) -> None:
        self._report(self._worst * 1000, now - self._began)
        self._worst, self._began = 0.0, now
