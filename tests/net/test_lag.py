"""The event loop's lag."""

import asyncio
import time

from support.net_world import asynchronous

from harness.net.lag import LagMonitor


@asynchronous
async def test_a_blocked_loop_is_reported() -> None:
    """The worst lag of a window is at least what the loop was blocked for, beyond one interval."""
    reports: asyncio.Queue[tuple[float, float]] = asyncio.Queue()
    monitor = LagMonitor(lambda *report: reports.put_nowait(report), interval_s=0.001, window_s=0.02)
    time.sleep(0.05)  # noqa: ASYNC251 - the very thing to be noticed
    worst_ms, over_s = await reports.get()
    monitor.stop()
    assert worst_ms >= 45
    assert over_s >= 0.02


@asynchronous
async def test_stop_reports_the_rest() -> None:
    """The window under way is not lost, and nothing is reported after it."""
    reports: list[tuple[float, float]] = []
    monitor = LagMonitor(lambda *report: reports.append(report), interval_s=0.001, window_s=60)
    await asyncio.sleep(0.002)
    monitor.stop()
    await asyncio.sleep(0.002)
    assert len(reports) == 1
