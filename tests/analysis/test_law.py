"""The family of laws and the choice among them."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.law import (
    TOLERANCE_S,
    Actor,
    Fit,
    Observation,
    consistent,
    describe,
    describe_interval,
    describe_short,
    fit_law,
    seconds,
)
from harness.law import Law


def at(*points: tuple[float, float | None], by: Actor = "device") -> list[Observation]:
    """Observations of (lifetime, point), at a hub with 5 s of grace."""
    return [Observation(lifetime, point, by, 5.0) for lifetime, point in points]


def chosen(observations: Sequence[Observation]) -> str:
    """The member that was chosen, or the reason why none was."""
    found = fit_law(observations)
    return found.fit.law if found.fit else found.reason


def test_margin() -> None:
    """Always 120 s before the end, as Python does."""
    fit = fit_law(at((130, 10.4), (170, 50.0))).fit
    assert fit is not None
    assert (fit.law, fit.low, fit.value, fit.high) == ("margin", 118.75, 119.8, 120.85)
    assert (fit.residual_s, fit.at_3600_s) == (0.2, (3479.15, 3481.25))


def test_fraction() -> None:
    """Always after 80 %, on the whole second after it, as C does."""
    fit = fit_law(at((20, 17.0), (60, 49.0))).fit
    assert fit is not None
    assert (fit.law, fit.value) == ("fraction", 0.82)
    assert fit.low < 0.8 < fit.high
    assert fit.at_3600_s == (2865.0, 3015.0)


EIGHTY_PERCENT = Law(law="fraction", fraction=0.8)


def test_a_busy_machine_makes_a_device_late() -> None:
    """By less than a second: the earliest act with an equal token is held against the law."""
    late = at((20, 17.0), (20, 17.4), (50, 41.0))
    assert consistent(EIGHTY_PERCENT, late)
    fit = fit_law(late).fit
    assert fit is not None
    assert (fit.law, fit.low < 0.8 < fit.high) == ("fraction", True)


@pytest.mark.parametrize(
    "points", [((20, 17.0), (20, 18.5), (50, 41.0)), ((20, 17.4), (50, 41.0)), ((20, 14.7), (20, 15.5), (50, 41.0))]
)
def test_what_is_later_than_that_or_early_counts(points: Sequence[tuple[float, float]]) -> None:
    """And what comes by itself has nothing to be late against."""
    assert not consistent(EIGHTY_PERCENT, at(*points))


def test_hub_cut() -> None:
    """Never before the hub acts; in an hour's life, that is with the service's own grace."""
    fit = fit_law(at((10, 15.25), (30, 34.75), by="hub")).fit
    assert fit == Fit("hub-cut", -0.25, 0.0, 0.25, 0.25, (4199.75, 4200.25))


def test_never() -> None:
    """It did not happen in the whole life of either token."""
    assert fit_law(at((10, None), (30, None))).fit == Fit("none", 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("observations", "reason"),
    [
        ([], "it was not seen to happen, and no token was watched to its end"),
        (at((130, 10), (159, 39)), "a law needs two lifetimes 30 s or a factor of 2 apart, this is about 130 s, 159 s"),
        (at((10, 9), (20, 18.5)), "lifetime - 1.2 s and 92 % of the lifetime fit alike"),
        (at((130, 10), (170, 140)), "no law of the family fits all that was observed"),
        (at((10, 20), (30, 40)), "no law of the family fits all that was observed"),
        (at((10, 15), (30, 40), by="hub"), "no law of the family fits all that was observed"),
        ([*at((10, 15)), *at((30, 35), by="hub")], "no law of the family fits all that was observed"),
        (at((10, 9), (30, None)), "no law of the family fits all that was observed"),
    ],
)
def test_no_choice(observations: list[Observation], reason: str) -> None:
    """Too little was observed, more than one member fits, or none does."""
    assert chosen(observations) == reason


@pytest.mark.parametrize(("first", "second"), [(130, 160), (10, 20)])
def test_far_enough_apart(first: float, second: float) -> None:
    """30 s, or a factor of 2."""
    assert not chosen(at((first, 1), (second, 1))).startswith("a law needs")


def test_two_that_fit_are_both_named() -> None:
    """The candidates are kept although none was chosen."""
    assert [fit.law for fit in fit_law(at((10, 9), (20, 18.5))).candidates] == ["margin", "fraction"]


LIFETIMES = st.lists(st.integers(10, 300), min_size=2, max_size=6).filter(lambda some: max(some) - min(some) >= 30)
NOISE = st.lists(st.floats(-TOLERANCE_S / 2, TOLERANCE_S / 2), min_size=6, max_size=6)


@given(LIFETIMES, st.floats(0, 9), NOISE)
def test_a_margin_is_never_missed(lifetimes: list[int], margin: float, noise: list[float]) -> None:
    """Points of a margin, each off by less than the tolerance: it is among what fits, with the margin in its interval."""
    observations = at(*((life, life - margin + off) for life, off in zip(lifetimes, noise, strict=False)))
    fits = {fit.law: fit for fit in fit_law(observations).candidates}
    assert fits["margin"].low - 1e-5 <= margin <= fits["margin"].high + 1e-5
    assert consistent(Law(law="margin", seconds=margin), observations)


@given(LIFETIMES, st.floats(0.05, 1), NOISE)
def test_a_fraction_is_never_missed(lifetimes: list[int], fraction: float, noise: list[float]) -> None:
    """The same for a fraction."""
    observations = at(*((life, fraction * life + off) for life, off in zip(lifetimes, noise, strict=False)))
    fits = {fit.law: fit for fit in fit_law(observations).candidates}
    assert fits["fraction"].low - 1e-5 <= fraction <= fits["fraction"].high + 1e-5
    assert consistent(Law(law="fraction", fraction=fraction), observations)


@given(st.lists(st.tuples(st.integers(1, 300), st.floats(0, 300)), max_size=6).flatmap(st.permutations))
def test_what_is_chosen_predicts_all(points: list[tuple[int, float]]) -> None:
    """Whatever was observed, in whatever order: a law that is chosen fits within the tolerance, and so does its value."""
    observations = at(*points)
    found, again = fit_law(observations), fit_law(list(reversed(observations)))
    assert (found.fit is None) == (again.fit is None)
    if found.fit:
        assert found.fit.low <= found.fit.value <= found.fit.high
        assert found.candidates == (found.fit,)


@pytest.mark.parametrize(
    ("law", "by", "point", "expected"),
    [
        (Law(law="margin", seconds=10), "device", 50.0, True),
        (Law(law="margin", seconds=10), "device", 51.5, False),
        (Law(law="margin", seconds=10), "hub", 50.0, False),
        (Law(law="fraction", fraction=0.5), "device", 31.0, True),
        (Law(law="fraction", fraction=0.5), "hub", 31.0, False),
        (Law(law="lifespan"), "device", 60.5, True),
        (Law(law="lifespan", seconds=5), "hub", 65.0, True),
        (Law(law="lifespan", seconds=5), "device", 60.0, False),
        (Law(law="hub-cut"), "hub", 64.0, True),
        (Law(law="hub-cut"), "device", 65.0, False),
        (Law(law="none"), "device", None, True),
        (Law(law="none"), "device", 60.0, False),
        (Law(law="margin", seconds=10), "device", None, False),
    ],
)
def test_consistent(law: Law, by: Actor, point: float | None, expected: bool) -> None:  # noqa: FBT001 - a column
    """A claimed law against one observation of a token made for 60 s."""
    assert consistent(law, at((60, point), by=by)) is expected


@pytest.mark.parametrize(
    ("law", "text"),
    [
        (Law(law="margin", seconds=120), "lifetime - 120 s"),
        (Law(law="fraction", fraction=0.85), "85 % of the lifetime"),
        (Law(law="lifespan"), "lifetime + 0 s"),
        (Law(law="hub-cut"), "the hub's cut (lifetime + grace)"),
        (Law(law="none"), "never"),
        (Fit("margin", 119, 119.75, 121, 0.1), "lifetime - 119.8 s"),
        (Fit("fraction", 0.8, 0.8172, 0.83, 0.1), "81.7 % of the lifetime"),
        (Fit("none", 0, 0, 0, 0), "never"),
    ],
)
def test_describe(law: Law | Fit, text: str) -> None:
    """Laws in words."""
    assert describe(law) == text


@pytest.mark.parametrize(
    ("fit", "text"),
    [
        (Fit("margin", 119, 120, 121, 0.1), "lifetime - 120 s (119.0 to 121.0)"),
        (Fit("fraction", 0.8, 0.82, 0.83, 0.1), "82 % of the lifetime (80.0 to 83.0)"),
        (Fit("hub-cut", 0, 0, 0, 0), "the hub's cut (lifetime + grace)"),
    ],
)
def test_describe_interval(fit: Fit, text: str) -> None:
    """With the interval, where the law has a parameter."""
    assert describe_interval(fit) == text


@pytest.mark.parametrize(("value", "text"), [(3600, "3600 s"), (0.26, "0.3 s"), (31_536_000, "31536000 s")])
def test_seconds(value: float, text: str) -> None:
    """One decimal at most, and never an exponent."""
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("fit", "text"),
    [
        (Fit("margin", 118, 119.8, 121, 0), "L - 120 s"),
        (Fit("margin", 118, 120, 122, 0), "L - 120 s"),
        (Fit("margin", 118, 120, 122.01, 0), "L - 118 to 122 s"),
        (Fit("margin", 117.9, 120, 121, 0), "L - 118 to 121 s"),
        (Fit("fraction", 0.8, 0.82, 0.85, 0), "0.80 to 0.85 x L"),
        (Fit("fraction", 0.8, 0.805, 0.81, 0), "0.81 x L"),
        (Fit("fraction", 0.79, 0.805, 0.82, 0), "0.79 to 0.82 x L"),
        (Fit("hub-cut", -1, 0, 1, 0), "L + grace"),
        (Fit("none", 0, 0, 0, 0), "never"),
    ],
)
def test_describe_short(fit: Fit, text: str) -> None:
    """For a table: the interval only where it is wider than 1 % or 2 s to either side."""
    assert describe_short(fit) == text
