"""Tests of the real clock."""

import time

import pytest

from harness.clock import RealClock


def test_it_tells_the_wall_clock() -> None:
    """Seconds since the Unix epoch."""
    assert abs(RealClock().now() - time.time()) < 1


def test_a_step_of_the_wall_clock_does_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its construction reads the wall clock."""
    clock = RealClock()
    before = clock.now()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert clock.now() >= before
