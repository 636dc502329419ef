"""When a timing has changed: beyond the spread of what was measured, the lag of the hub, and what few values leave open."""

from typing import Any

import pytest
from support.rows import a_row

from harness.analysis.timings import timings
from harness.analysis.traits import Trait


def timed(what: str, /, **changes: Any) -> Trait:
    """A timing of a row."""
    return timings(a_row(**changes))[what]


def gap(*gaps_ms: float, lag_ms: float = 0.0) -> Trait:
    """The gap of a row with these gaps and that lag."""
    return timed("gap", gap_ms=gaps_ms, lag_ms=(lag_ms,) * len(gaps_ms))


@pytest.mark.parametrize(("other_ms", "alike"), [(295.0, True), (305.0, False), (34.0, True), (33.0, False)])
def test_a_single_gap_against_a_single_gap_changes_beyond_three_times(other_ms: float, *, alike: bool) -> None:
    """No spread is known of either."""
    assert gap(100.0).is_like(gap(other_ms)) is alike


@pytest.mark.parametrize(("lag_ms", "alike"), [(0.0, False), (15.0, False), (30.0, True)])
def test_the_lag_of_the_hub_counts_five_times(lag_ms: float, *, alike: bool) -> None:
    """Of both runs: 100 to 600 ms are three times and 254 ms apart."""
    assert gap(100.0, lag_ms=lag_ms / 2).is_like(gap(600.0, lag_ms=lag_ms)) is alike


def test_a_gap_without_its_lag_has_none() -> None:
    """As a row may be that was made by hand."""
    assert timed("gap", gap_ms=(100.0,)) == gap(100.0)


def test_five_gaps_show_a_spread() -> None:
    """Half as much again is a change then, a tenth is not: it may be the run's."""
    steady = gap(100.0, 101.0, 102.0, 103.0, 104.0)
    assert steady.is_like(gap(110.0, 111.0, 112.0, 113.0, 114.0))
    assert not steady.is_like(gap(150.0, 151.0, 152.0, 153.0, 154.0))


def test_the_shortest_gaps_differ_by_some_milliseconds() -> None:
    """Whatever their spread is."""
    assert gap(4.0, 4.0, 4.0, 4.0, 4.0).is_like(gap(12.0, 12.0, 12.0, 12.0, 12.0))


def test_a_wide_spread_is_noise() -> None:
    """The medians are far apart, and what was measured is not."""
    assert gap(100.0, 200.0, 300.0, 900.0, 1000.0).is_like(gap(500.0, 600.0, 700.0, 800.0, 900.0))


def test_noisy_gaps_are_left_out_where_there_are_others() -> None:
    """Else they say how little is known."""
    assert timed("gap", gap_ms=(100.0, 700.0), lag_ms=(2.0, 400.0)).text == "100 ms"
    assert gap(100.0, lag_ms=400.0).low == 0.0


def test_a_gap_is_told_with_its_spread() -> None:
    """Its median, the shortest and the longest, and how many there were."""
    assert gap(100.0).text == "100 ms"
    assert gap(100.0, 2000.0).text == "1.1 s (100 ms to 2 s, of 2)"


@pytest.mark.parametrize(("other_s", "alike"), [(12.4, True), (12.6, False)])
def test_a_point_changes_beyond_what_a_law_leaves_open(other_s: float, *, alike: bool) -> None:
    """To either side."""
    one, other = (timed("renewal or cut", points_s=(9.0, at_s)) for at_s in (10.0, other_s))
    assert one.text == "at 9.5 s"
    assert timed("renewal or cut", points_s=(10.0,)).is_like(timed("renewal or cut", points_s=(other_s,))) is alike
    assert one.is_like(other)


def test_a_point_on_a_busy_machine_is_less_certain() -> None:
    """By five times the lag."""
    busy = timed("renewal or cut", points_s=(13.0,), gap_ms=(900.0,), lag_ms=(150.0,))
    assert busy.is_like(timed("renewal or cut", points_s=(10.0,)))


def test_an_accelerated_clock_makes_more_of_a_second() -> None:
    """And gaps that are none of the SDK's."""
    found = timings(a_row(points_s=(3000.0,), gap_ms=(900.0,), clock_rate=60.0))
    assert list(found) == ["renewal or cut"]
    assert (found["renewal or cut"].low, found["renewal or cut"].high) == (2925.0, 3075.0)


def test_the_time_in_which_an_end_went_unnoticed() -> None:
    """Is known to a second or so."""
    assert timed("unaware", unaware_s=4.0) == Trait("4 s", "s", 2.75, 5.25)
    assert timings(a_row()) == {}
