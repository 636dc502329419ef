"""The timer that is cheap to move."""

import asyncio
from collections.abc import Callable
from typing import cast

from harness.net.timers import Timer


class FakeHandle:
    """What `call_later` gives back."""

    def __init__(self, delay: float, callback: Callable[[], None]) -> None:
        self.delay, self.callback, self.cancelled = delay, callback, False

    def cancel(self) -> None:
        """Take it back."""
        self.cancelled = True


class Bench:
    """A timer, its loop and its clock."""

    def __init__(self) -> None:
        self.time = 100.0
        self.handles: list[FakeHandle] = []
        self.calls: list[float] = []
        self.timer = Timer(cast("asyncio.AbstractEventLoop", self), self, self.calls.append)

    def now(self) -> float:
        """The clock's side."""
        return self.time

    def call_later(self, delay: float, callback: Callable[[], None]) -> FakeHandle:
        """The loop's side."""
        self.handles.append(FakeHandle(delay, callback))
        return self.handles[-1]

    def fire(self, at: float) -> None:
        """The latest handle's time has come."""
        self.time = at
        self.handles[-1].callback()


def test_fires_at_the_deadline_with_the_time() -> None:
    """Set, wait, called; then at rest."""
    bench = Bench()
    bench.timer.set(105.0)
    bench.fire(105.5)
    assert (bench.calls, bench.timer.deadline, bench.handles[0].delay) == ([105.5], None, 5.0)


def test_later_deadline_costs_no_handle_until_the_old_time() -> None:
    """The handle stays, fires early, and is renewed for the rest."""
    bench = Bench()
    bench.timer.set(105.0)
    for deadline in (106.0, 107.0, 110.0):
        bench.timer.set(deadline)
    assert len(bench.handles) == 1
    bench.fire(105.0)
    assert (bench.calls, len(bench.handles), bench.handles[1].delay) == ([], 2, 5.0)
    bench.fire(110.0)
    assert bench.calls == [110.0]


def test_earlier_deadline_replaces_the_handle() -> None:
    """Too late is not an option."""
    bench = Bench()
    bench.timer.set(105.0)
    bench.timer.set(101.0)
    assert ([handle.cancelled for handle in bench.handles], bench.handles[1].delay) == ([True, False], 1.0)


def test_deadline_in_the_past_fires_at_once() -> None:
    """The delay is never negative."""
    bench = Bench()
    bench.timer.set(90.0)
    assert bench.handles[0].delay == 0.0


def test_no_deadline_means_no_call() -> None:
    """Taken away before its time, it does not come."""
    bench = Bench()
    bench.timer.set(105.0)
    bench.timer.set(None)
    bench.fire(105.0)
    assert bench.calls == []


def test_stop_lets_go_of_the_loop() -> None:
    """After `stop` the handle is cancelled; a second `stop` does nothing."""
    bench = Bench()
    bench.timer.set(105.0)
    bench.timer.stop()
    bench.timer.stop()
    assert bench.handles[0].cancelled


def test_set_again_from_the_call() -> None:
    """The owner re-arms it in its callback."""
    bench = Bench()
    timer = Timer(cast("asyncio.AbstractEventLoop", bench), bench, lambda now: timer.set(now + 1))
    timer.set(101.0)
    bench.fire(101.0)
    assert (timer.deadline, bench.handles[-1].delay) == (102.0, 1.0)
