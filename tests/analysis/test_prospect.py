"""What a run shows of one SDK over one transport, and what that is in a day."""

import pytest
from msgspec.structs import replace
from support.advice_rows import (
    FRACTION,
    HUB_CUT,
    MARGIN,
    NEVER,
    RECORDED,
    a_defaults_row,
    a_row,
    an_end,
    an_sdk,
    cells_of,
    in_place,
    left,
    per_request,
    sent,
)
from support.analysis_findings import cell

from harness.analysis.findings import Exchanges, Messages
from harness.analysis.law import Fit
from harness.analysis.prospect import Figure, Prospect, figures_at, origin_of, prospects, tally
from harness.analysis.rows import Row


def only(*rows: Row) -> Prospect:
    """The only prospect of these rows."""
    (found,) = prospects([("run", rows)])
    return found


@pytest.mark.parametrize(
    ("fit", "lifetime_s", "per_day"),
    [
        (MARGIN, 3600.0, (24.82, 24.83)),
        (FRACTION, 3600.0, (28.24, 32.0)),
        (HUB_CUT, 3600.0, (20.57, 20.57)),
        (MARGIN, 86520.0, (1.0, 1.0)),
    ],
)
def test_renewals_a_day_follow_from_law_and_lifetime(fit: Fit, lifetime_s: float, per_day: tuple[float, float]) -> None:
    """The least and the most, by the interval of the law's parameter."""
    assert figures_at(only(*an_sdk(fit=fit)), lifetime_s).renewals_per_day == pytest.approx(per_day, abs=0.01)


def test_each_figure_is_what_a_renewal_costs_times_renewals() -> None:
    """Errors on either side, connections that end, and seconds away."""
    found = figures_at(only(a_row(HUB_CUT, cells_of(left(10.0, 2), left(50.0, 2, gap_ms=300.0)))), 3600.0)
    assert found.errors == Figure(2.0, (41.14, 41.14))
    assert (found.app_errors.per_day, found.reconnects.per_day) == ((20.57, 20.57), (20.57, 20.57))
    assert found.away_s == Figure(0.2, (4.11, 4.11))


def test_renewals_in_place_end_no_connection() -> None:
    """Which is no lack of knowledge."""
    found = figures_at(only(a_row(FRACTION, cells_of(in_place(10.0), in_place(50.0)))), 3600.0)
    assert (found.reconnects.per_day, found.away_s.per_day) == ((0.0, 0.0), (0.0, 0.0))


def test_gaps_that_the_machine_made_count_only_without_others() -> None:
    """Of 100 and 900 ms, the second too short for the load: 100."""
    mixed = cells_of(left(10.0), left(50.0, gap_ms=900.0, noisy=True))
    noisy = cells_of(left(10.0, gap_ms=900.0, noisy=True))
    assert figures_at(only(a_row(cells=mixed)), 3600.0).away_s.per_renewal == 0.1
    assert figures_at(only(a_row(cells=noisy)), 3600.0).away_s.per_renewal == 0.9


@pytest.mark.parametrize(
    ("row", "name", "reason"),
    [
        (a_row(None), "errors", "the law was not observed: two fit alike"),
        (a_row(default_lifetime_s=None), "errors", "the default lifetime was not observed"),
        (a_row(NEVER), "away_s", "it never renews"),
        (a_row(default_lifetime_s=100.0), "errors", "lifetime - 120 s leaves nothing of a lifetime of 100 s"),
        (a_row(cells=cells_of(left(10.0, cut_short=True))), "errors", "no renewal was seen to its end"),
        (a_row(lacks=("hub-log",)), "errors", "the recording holds none of the hub's records"),
        (a_row(clock_rate=60.0), "away_s", "the clock ran 60 times as fast, and such a gap is not the SDK's"),
        (a_row(cells=cells_of(left(10.0, gap_ms=None))), "away_s", "no gap was measured"),
        (a_row(cells=cells_of(in_place(10.0, left=True))), "reconnects", "it left while it renewed in place"),
        (a_row(cells=(), status="environment", reason="no port"), "errors", "no port"),
    ],
)  # fmt: skip
def test_what_was_not_observed_has_a_reason_and_no_figure(row: Row, name: str, reason: str) -> None:
    """Never a nought."""
    figure = figures_at(only(row), row.default_lifetime_s).of(name)
    assert (figure.per_day, figure.reason) == (None, reason)


def test_a_recording_without_the_hubs_records_still_shows_how_long_it_was_away() -> None:
    """What is lacking is lacking in one figure."""
    assert figures_at(only(a_row(lacks=("hub-log",))), 3600.0).away_s.per_renewal == 0.1


def test_what_ran_tells_more_than_what_did_not() -> None:
    """Whichever comes first."""
    failed = a_row(cells=(), status="environment", reason="no port", scenario="expiry")
    assert only(failed, an_end("none")).row is not None


def test_runs_are_told_apart_and_a_recording_is_told_once() -> None:
    """Though both runs show it."""
    recorded = a_row(origin=RECORDED)
    found = prospects([("one", [a_row(), recorded]), ("two", [a_row(), recorded])])
    assert [(one.run, origin_of(one.rows[0])) for one in found] == [
        ("one", "real"),
        ("one", "real, recorded 2026-01-02"),
        ("two", "real"),
    ]


def test_devices_versions_and_transports_are_told_apart() -> None:
    """One prospect each, in the order of the rows."""
    rows = [a_row(), a_row(device="emulated"), a_row(version="2.0"), a_row(transport="amqp"), a_row(sdk="b")]
    assert [one.rows for one in prospects([("run", rows)])] == [(row,) for row in rows]


def test_the_law_rests_on_cells_of_any_row_and_on_the_one_with_the_default() -> None:
    """Those whose renewals it was fitted to."""
    elsewhere = replace(cells_of(left(50.0))[0], cell="elsewhere")
    unlike = replace(cells_of(left(77.0))[0], cell="unlike")
    found = only(a_row(cells=cells_of(left(10.0))), a_row(cells=[elsewhere, unlike], scenario="idle"), a_defaults_row())
    assert [one.cell for one in found.fitted] == ["L1", "elsewhere", "defaults"]


def test_the_default_rests_on_a_cell_that_was_let_in() -> None:
    """Where there is one: what a refused device shows of it is the same, and less of a witness."""
    refused = cell(cell="refused", scenario="wrong-key", first_lifetime_s=3599.6, connections=0)
    rows = [a_row(cells=[refused], scenario="wrong-key", law=None), a_row(cells=cells_of(left(10.0))), a_defaults_row()]
    assert [one.cell for one in only(*rows).fitted] == ["L1", "defaults"]
    assert [one.cell for one in only(*rows[:2]).fitted] == ["refused", "L1"]


def test_what_costs_nothing_each_time_costs_nothing_in_a_day() -> None:
    """Where each request has a token of its own: their number is the application's affair."""
    cells = cells_of(per_request(10.0))
    free = figures_at(only(a_row(None, cells, token_use="each-request", transport="https")), 3600.0)
    assert (free.errors.per_day, free.away_s.per_day, free.renewals_per_day) == ((0.0, 0.0), (0.0, 0.0), None)
    kept = figures_at(only(a_row(None, cells, token_use="kept", transport="https")), 3600.0)
    assert kept.errors.per_day is None


def test_without_a_law_nothing_was_fitted() -> None:
    """Nor is there a default to rest on."""
    assert only(a_row(law=None)).fitted == ()
    assert only(a_row(cells=(), status="environment")).fitted == ()


@pytest.mark.parametrize(
    ("rows", "lifetime_s", "obeys"),
    [
        (an_sdk(), 86400.0, True),
        ([a_row(cells=cells_of(left(10.0), capabilities=())), a_defaults_row()], 86400.0, True),
        ([a_row(cells=cells_of(left(10.0), capabilities=()))], 86400.0, False),
        ([a_row(cells=cells_of(left(10.0)))], 86400.0, None),
        ([a_defaults_row()], 3600.0, True),
        ([a_row(cells=cells_of(left(10.0), first_lifetime_s=3599.6)), a_defaults_row()], 86400.0, False),
    ],
)
def test_whether_tokens_can_live_that_long(rows: list[Row], lifetime_s: float, obeys: bool | None) -> None:  # noqa: FBT001 - a table
    """By default, because setting the lifetime had an effect, or because its adapter has no such setting; else nobody knows."""
    assert only(*rows).obeys(lifetime_s) is obeys


def test_how_it_came_back_is_told_by_the_way() -> None:
    """Of the rows that are about that."""
    found = only(a_row(), an_end("none"), an_end("by-itself", "cut-sending"), an_end("none", "hub-restart"))
    assert {how: [row.scenario for row in rows] for how, rows in found.returns.items()} == {
        "none": ["cut-idle", "hub-restart"],
        "by-itself": ["cut-sending"],
    }


def test_the_tally_counts_both_directions() -> None:
    """And names who lost something, and who does not tell."""
    cells = [
        cell(cell="a", messages=sent(10, lost=2, send_failed=1, unfinished=3)),
        cell(cell="b", messages=Messages(c2d=Exchanges(4, 3, 1), gap_c2d=Exchanges(1, 1))),
        cell(cell="c", messages=sent(5, lost=9, untold=("lost",))),
    ]
    found = tally(cells)
    assert (found.sent, found.received, found.lost, found.send_failed, found.unfinished) == (15, 5, 3, 1, 3)
    assert (found.cells, found.losing, found.untold) == (("a", "b", "c"), ("a", "b"), ("c",))
