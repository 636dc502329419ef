"""What a renewal leaves behind: reckoned from what was seen of renewals, and said of nobody else."""

from typing import Any

import msgspec
import pytest
from support.analysis_findings import renewal, renewing

from harness.analysis.answers import Answer, answers, error_codes
from harness.analysis.findings import Signature
from harness.analysis.law import Fit, LawFinding, Observation
from harness.analysis.rows import Row

HUB_CUT = Fit("hub-cut", 0.0, 0.0, 0.0, 0.1)
FRACTION = Fit("fraction", 0.79, 0.8, 0.81, 0.1)
NEVER = Fit("none", 0.0, 0.0, 0.0, 0.0)
WITHOUT_A_GAP = renewal(15.0, gap_ms=None)


def a_row(fit: Fit | None = HUB_CUT, errors: int = 2, **changes: object) -> Row:
    """A row whose device was away for 300 ms to renew, and for 400 ms where its tokens lived longer."""
    signature = Signature(errors=errors, informational=1)
    cells = (
        renewing(10, 15.0, absences=(renewal(15.0, "hub-cut", signature=signature, gap_ms=300.0),)),
        renewing(50, 55.0, absences=(renewal(55.0, "hub-cut", signature=signature, gap_ms=400.0, noisy=True),)),
    )
    row = Row(
        "java", "SDK for Java", "2.5.0", "mqtt", "renewal", "sending", "real", {"kind": "this-run"}, default_lifetime_s=3600.0,
        law=LawFinding(fit, observations=(Observation(10.0, 15.0),)), hub_log=("401003", "404104", "401003", "connect"),
        gap_ms=(300.0,), renewal="hub-cut", cells=cells,
    )  # fmt: skip
    return msgspec.structs.replace(row, **changes)


def only(row: Row) -> Answer:
    """The only answer of a row."""
    (found,) = answers([row])
    return found


def test_errors_are_named_each_once() -> None:
    """Connects and disconnects are none."""
    assert only(a_row()).codes == ("401003", "404104")


def test_a_refused_attempt_is_an_error_too() -> None:
    """Its code is the last word."""
    assert error_codes(a_row(hub_log=("disconnect", "refused 401003"))) == ("401003",)


@pytest.mark.parametrize("changes", [{"lacks": ("hub-log",)}, {"status": "environment"}])
def test_without_a_log_no_error_is_known(changes: dict[str, Any]) -> None:
    """Nor that there is none."""
    assert error_codes(a_row(**changes)) is None


def test_time_away_a_day() -> None:
    """The gap, whatever the tokens' lifetime, times 20.571 renewals."""
    assert only(a_row()).away_s_per_day == pytest.approx((6.17, 8.23), abs=0.01)


@pytest.mark.parametrize(("shown", "noisy"), [(1, False), (2, True)])
def test_what_the_machine_may_have_made_is_marked(shown: int, *, noisy: bool) -> None:
    """If it is among those that are told."""
    assert only(a_row(cells=a_row().cells[:shown])).noisy is noisy


def test_who_renews_in_place_is_never_away() -> None:
    """Neither each time nor in a day."""
    found = only(
        a_row(FRACTION, 0, renewal="in-band", gap_ms=(), cells=(renewing(10, 15.0, absences=(WITHOUT_A_GAP,)),))
    )
    assert (found.away_ms, found.away_s_per_day) == ((0.0, 0.0), (0.0, 0.0))


@pytest.mark.parametrize(
    "changes",
    [
        {"cells": (renewing(10, 15.0, absences=(WITHOUT_A_GAP,)),)},
        {"clock_rate": 60.0},
        {"clock_rate": 60.0, "renewal": "in-band"},
        {"cells": ()},
    ],
)
def test_time_away_that_was_not_seen(changes: dict[str, Any]) -> None:
    """No gap, one of a clock that ran ahead, or one that was no renewal's."""
    found = only(a_row(**changes))
    assert (found.away_ms, found.away_s_per_day) == (None, None)


def test_without_a_number_of_renewals_there_is_no_time_a_day() -> None:
    """Each time is known all the same."""
    found = only(a_row(default_lifetime_s=None))
    assert (found.away_ms, found.away_s_per_day) == ((300.0, 400.0), None)


def test_who_is_never_away_is_not_for_a_day() -> None:
    """However often it renews."""
    found = only(a_row(None, renewal="in-band", cells=(renewing(10, 15.0, absences=(WITHOUT_A_GAP,)),)))
    assert (found.away_ms, found.away_s_per_day) == ((0.0, 0.0), (0.0, 0.0))


@pytest.mark.parametrize(
    ("row", "outcome", "codes"),
    [
        (a_row(), "noise", ("401003", "404104")),
        (a_row(errors=0, hub_log=("connect",)), "quiet", ()),
        (a_row(default_lifetime_s=None), "unknown", ("401003", "404104")),
        (a_row(NEVER, cells=()), "ends", ("401003", "404104")),
        (a_row(None, cells=()), "unknown", None),
    ],
)
def test_what_comes_of_it(row: Row, outcome: str, codes: tuple[str, ...] | None) -> None:
    """Errors are said of renewals, and of the end of a device that never renews."""
    assert (only(row).outcome, only(row).codes) == (outcome, codes)


def test_the_ways_without_errors_are_those_of_the_same_evidence() -> None:
    """An emulated device says nothing of the SDK."""
    quiet = a_row(FRACTION, 0)
    rows = [
        a_row(),
        msgspec.structs.replace(quiet, transport="amqp"),
        msgspec.structs.replace(quiet, transport="amqp-ws", device="emulated"),
    ]
    assert answers(rows)[0].quiet_over == ("amqp",)
