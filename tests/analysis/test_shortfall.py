"""Which needs are not met, and the lifetime with which they would be."""

import pytest
from support.advice_rows import (
    FRACTION,
    HUB_CUT,
    MARGIN,
    NEVER,
    a_defaults_row,
    a_row,
    an_end,
    an_sdk,
    cells_of,
    in_place,
    left,
    sent,
)
from support.analysis_findings import renewing

from harness.analysis.law import Fit
from harness.analysis.needs import Needs
from harness.analysis.prospect import Prospect, figures_at, prospects
from harness.analysis.rows import Row
from harness.analysis.shortfall import Miss, enough_s, misses

CUT = an_sdk(fit=HUB_CUT, cells=cells_of(left(10.0, 2), left(50.0, 2)))


def only(rows: list[Row]) -> Prospect:
    """The only prospect of these rows."""
    (found,) = prospects([("run", rows)])
    return found


def missed(rows: list[Row], needs: Needs) -> tuple[Miss, ...]:
    """What it does not meet, at its default or at the lifetime asked for."""
    one = only(rows)
    lifetime_s = needs.lifetime_s or one.volume.default_lifetime_s
    return misses(one, needs, figures_at(one, lifetime_s), lifetime_set=needs.lifetime_s is not None)


def test_whoever_asks_nothing_misses_nothing() -> None:
    """Limits that are kept are none either, to the point."""
    assert missed(CUT, Needs()) == ()
    assert missed(CUT, Needs(max_errors_per_day=41.14, no_loss=True, comes_back=True)) == ()


@pytest.mark.parametrize(
    ("rows", "needs", "miss"),
    [
        (
            CUT, Needs(max_errors_per_day=5.0),
            Miss("max_errors_per_day", True, "41.1 errors in the hub's log a day, where at most 5 may be", ("L1", "L2")),
        ),
        (
            CUT, Needs(max_app_errors_per_day=0.0),
            Miss("max_app_errors_per_day", True, "20.6 errors the application is shown a day, where none may be, and no lifetime brings that about", ("L1", "L2")),
        ),
        (
            CUT, Needs(max_away_s_per_day=1.0),
            Miss("max_away_s_per_day", True, "2.06 seconds away a day, where at most 1 may be", ("L1", "L2")),
        ),
        (
            an_sdk(lacks=("hub-log",)), Needs(max_errors_per_day=5.0),
            Miss("max_errors_per_day", False, "not measured: errors in the hub's log a day: the recording holds none of the hub's records", ("L1", "L2")),
        ),
        (
            [a_row(NEVER)], Needs(),
            Miss("renews", True, "it never renews its token: the hub cuts it for good 600 s after that has expired", ("L1", "L2")),
        ),
        ([a_row(cells=(), status="environment", reason="no port")], Needs(), Miss("renews", False, "not measured: no port")),
        (
            an_sdk(cells=cells_of(left(10.0), messages=sent(9, lost=1))), Needs(no_loss=True),
            Miss("no_loss", True, "1 message lost", ("L1",)),
        ),
        (
            an_sdk(cells=cells_of(left(10.0), messages=sent(9, untold=("lost",)))), Needs(no_loss=True),
            Miss("no_loss", False, "not measured: whether messages were lost: these logs do not tell", ("L1",)),
        ),
        (
            [a_row(cells=cells_of(left(10.0), messages=sent(0)))], Needs(no_loss=True),
            Miss("no_loss", False, "not measured: lost messages: none was sent", ("L1",)),
        ),
        (
            [a_row(), an_end("by-itself"), an_end("next-send", "cut-sending")], Needs(comes_back=True),
            Miss("comes_back", True, "it did not come back by itself in cut-sending", ("cut-sending",)),
        ),
        (
            [a_row()], Needs(comes_back=True),
            Miss("comes_back", False, "not measured: whether it comes back: nothing but its token ended a connection"),
        ),
    ],
)  # fmt: skip
def test_what_is_not_met_says_so(rows: list[Row], needs: Needs, miss: Miss) -> None:
    """With the figure or the reason, and the cells that show it."""
    assert missed(rows, needs) == (miss,)


NO_SETTING = [a_row(cells=cells_of(left(10.0), capabilities=()))]
ONE_LIFETIME = [a_row(cells=cells_of(left(10.0)))]
WITH_A_MARGIN = [
    a_row(cells=[*cells_of(left(10.0)), renewing(130, 60.0, margin_s=70.0, cell="m")]),
    a_defaults_row(),
]


@pytest.mark.parametrize(
    ("rows", "lifetime_s", "measured", "text"),
    [
        (NO_SETTING, 86400.0, True, "its tokens cannot be made to live 24 h: the adapter offers no such setting"),
        (ONE_LIFETIME, 86400.0, False, "not measured: whether its tokens can live 24 h: it needs cells with two lifetimes"),
        (an_sdk(), 100.0, True, "lifetime - 120 s leaves nothing of a lifetime of 100 s: it takes a longer one"),
        (
            WITH_A_MARGIN, 100.0, True,
            "lifetime - 120 s leaves nothing of a lifetime of 100 s: it takes a longer one, or a smaller margin, which can be set",
        ),
    ],
)  # fmt: skip
def test_a_lifetime_that_cannot_be_is_missed(rows: list[Row], lifetime_s: float, measured: bool, text: str) -> None:  # noqa: FBT001 - a table
    """Because it cannot be set, because nobody knows, or because the margin eats it."""
    (miss,) = missed(rows, Needs(lifetime_s=lifetime_s))
    assert (miss.need, miss.measured, miss.text) == ("lifetime_s", measured, text)


@pytest.mark.parametrize("fit", [FRACTION, None])
def test_a_lifetime_that_can_be_is_not_missed(fit: Fit | None) -> None:
    """Whatever the law, and without one."""
    assert missed(an_sdk(fit=fit), Needs(lifetime_s=86400.0)) == ()


def test_what_was_measured_comes_first() -> None:
    """What nobody knows after it."""
    needs = Needs(max_errors_per_day=0.0, max_away_s_per_day=0.0)
    assert [miss.measured for miss in missed(an_sdk(lacks=("hub-log",)), needs)] == [True, False]


@pytest.mark.parametrize(
    ("fit", "needs", "hours"),
    [
        (MARGIN, Needs(max_away_s_per_day=0.1), 25),
        (FRACTION, Needs(max_away_s_per_day=0.1), 32),
        (HUB_CUT, Needs(max_away_s_per_day=0.1), 24),
        (MARGIN, Needs(max_away_s_per_day=0.1, max_reconnects_per_day=0.5), 49),
        (MARGIN, Needs(max_away_s_per_day=0.001), None),
        (MARGIN, Needs(max_away_s_per_day=100.0), None),
        (MARGIN, Needs(max_away_s_per_day=0.0), None),
        (MARGIN, Needs(max_errors_per_day=0.0), None),
        (NEVER, Needs(max_away_s_per_day=0.1), None),
        (None, Needs(max_away_s_per_day=0.1), None),
    ],
)
def test_the_lifetime_that_is_long_enough(fit: Fit | None, needs: Needs, hours: int | None) -> None:
    """In whole hours; none where it would be over a week, none is needed, or none helps."""
    assert enough_s(only(an_sdk(fit=fit)), needs, 3600.0) == (None if hours is None else hours * 3600.0)


def test_the_lifetime_keeps_the_limit_it_was_chosen_for() -> None:
    """Held against the same figures."""
    needs = Needs(max_errors_per_day=1.0)
    found = enough_s(only(CUT), needs, 3600.0)
    assert found == 48 * 3600.0
    assert missed(CUT, Needs(max_errors_per_day=1.0, lifetime_s=found)) == ()


def test_what_costs_nothing_needs_no_other_lifetime() -> None:
    """Renewals in place."""
    assert enough_s(only([a_row(FRACTION, cells_of(in_place(10.0)))]), Needs(max_away_s_per_day=1.0), 3600.0) is None
