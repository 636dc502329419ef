"""What is kept of a row."""

import msgspec
import pytest
from support.rows import CONFIRMED, DIFFERS, SILENT, UNSEEN, a_row, not_run

from harness.analysis.behaviour import Baseline, Judgement, baseline, behaviour
from harness.analysis.cases import RunFacts
from harness.analysis.rows import Row
from harness.analysis.traits import Trait

GAP = a_row(renewal="reconnect", gap_ms=(100.0,), lag_ms=(0.0,), default_lifetime_s=3600.0)


def test_traits_and_timings_come_back_as_they_were() -> None:
    """With their spans; a trait and a timing of one name are two."""
    found = behaviour(GAP)
    assert found.traits["renewal"] == Trait("reconnect")
    assert found.traits["default lifetime"] == Trait("60 min", "s", 3598.75, 3601.25)
    assert found.timed["gap"] == Trait("100 ms", "ms", 57.7, 173.2)
    timed = behaviour(a_row(unaware_s=4.0))
    assert (timed.traits["unaware"].text, timed.timed["unaware"].text) == ("1 to 10 s", "4 s")


def test_claims_that_were_judged_are_kept() -> None:
    """What was not observed, or never claimed, is no behaviour."""
    found = behaviour(a_row(CONFIRMED, DIFFERS, UNSEEN, SILENT))
    assert found.claims == {
        "hub-log": Judgement("disconnect, connect", "confirmed"),
        "drop": Judgement("lifetime + 0 s", "differs"),
    }


@pytest.mark.parametrize(
    ("row", "status", "reason"),
    [
        (not_run("unsupported", "no such call"), "unsupported", "no such call"),
        (a_row(complete=False, renewal="none"), "incomplete", "a log ends before the scenario does"),
    ],
)
def test_what_was_not_measured_to_its_end_shows_nothing(row: Row, status: str, reason: str) -> None:
    """But why."""
    found = behaviour(row)
    assert (found.status, found.reason, found.shows, found.timings) == (status, reason, {}, {})


def test_a_baseline_is_json_and_back() -> None:
    """Nothing of it is lost."""
    kept = baseline([GAP, a_row(CONFIRMED)], RunFacts("run", "2026-01-01T00:00:00Z", "", "1.0", {"system": "Linux"}))
    assert (kept.run, kept.started, kept.harness, kept.machine) == (
        "run",
        "2026-01-01T00:00:00Z",
        "1.0",
        {"system": "Linux"},
    )
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Baseline) == kept
