"""One run against another: what is compared, what has changed, and what is told apart."""

from typing import Any

import msgspec
import pytest
from support.analysis_findings import cell, renewal
from support.rows import CONFIRMED, DIFFERS, a_row, not_run

from harness.analysis.behaviour import baseline
from harness.analysis.cases import RunFacts
from harness.analysis.diff import Compared, Diff, Side, diff
from harness.analysis.findings import Signature
from harness.analysis.history import Change
from harness.analysis.rows import Row


def between(old: list[Row], new: list[Row]) -> Diff:
    """What these rows show otherwise."""
    return diff(baseline(old, RunFacts("old")), baseline(new, RunFacts("new")))


def compared(old: Row, new: Row) -> Compared:
    """The only pair."""
    (found,) = between([old], [new]).compared
    return found


def test_a_change_of_behaviour_names_both_versions() -> None:
    """And what they show."""
    found = compared(a_row(renewal="reconnect", version="1"), a_row(renewal="in-band", version="2"))
    assert (found.old_version, found.new_version) == ("1", "2")
    assert found.behaviour == (Change("renewal", "reconnect", "in-band", "1"),)


def test_what_is_alike_has_not_changed() -> None:
    """Nothing of it."""
    found = between([a_row(CONFIRMED, renewal="reconnect")], [a_row(CONFIRMED, renewal="reconnect")])
    assert not found.changed
    assert (found.compared[0].behaviour, found.compared[0].timing, found.compared[0].one_sided) == ((), (), ())


def test_a_gap_that_is_longer_is_a_timing_and_no_behaviour() -> None:
    """The check of a busy machine does not fail for it."""
    found = between([a_row(gap_ms=(50.0,))], [a_row(gap_ms=(900.0,))])
    assert found.compared[0].timing == (Change("gap", "50 ms", "900 ms", "2.14.0"),)
    assert not found.changed


def test_a_gap_within_the_noise_is_nothing() -> None:
    """Whatever class of lengths it is in."""
    assert compared(a_row(gap_ms=(90.0,)), a_row(gap_ms=(200.0,))).timing == ()


def test_a_device_that_does_not_come_back_behaves_otherwise() -> None:
    """It is no question of how long that takes."""
    found = compared(a_row(gap_ms=(50.0,)), a_row(points_s=(10.0,), first=("hub",)))
    assert ("shortest gap", "below 0.1 s", "not back") in {(one.what, one.before, one.after) for one in found.behaviour}


def test_an_end_that_is_noticed_later_is_a_timing() -> None:
    """One that is not noticed at all is not."""
    later, never = a_row(unaware_s=9.0), a_row(silent_s=9.0)
    assert [one.what for one in compared(a_row(unaware_s=0.0), later).timing] == ["unaware"]
    assert compared(a_row(unaware_s=0.0), later).behaviour == ()
    assert [one.what for one in compared(a_row(unaware_s=0.0), never).behaviour] == ["unaware"]


CLAIMED_OTHERWISE = msgspec.structs.replace(DIFFERS, claimed="lifetime - 5 s", verdict="confirmed")
OTHER_VERDICT = msgspec.structs.replace(DIFFERS, verdict="confirmed")


def test_another_verdict_on_the_same_claim_is_behaviour() -> None:
    """For the claim has not changed."""
    found = compared(a_row(DIFFERS), a_row(OTHER_VERDICT))
    assert found.behaviour == (Change("verdict on drop", "differs", "confirmed", "2.14.0"),)
    assert found.claims == ()


def test_another_claim_is_a_change_of_the_documents() -> None:
    """Whatever the verdict is."""
    found = compared(a_row(DIFFERS), a_row(CLAIMED_OTHERWISE))
    told = Change("verdict on drop", "lifetime + 0 s: differs", "lifetime - 5 s: confirmed", "2.14.0")
    assert (found.behaviour, found.claims) == ((), (told,))


def test_what_only_one_shows_is_told() -> None:
    """Nobody can say whether it changed."""
    found = between([a_row(CONFIRMED, recovery="retries")], [a_row(returned="none")])
    assert not found.changed
    assert found.compared[0].one_sided == (
        Change("return", "not seen", "none", "2.14.0"),
        Change("after a refusal", "retries", "not seen", "2.14.0"),
        Change("verdict on hub-log", "confirmed", "not seen", "2.14.0"),
    )


@pytest.mark.parametrize(
    "other",
    [
        {"sdk": "node"},
        {"transport": "amqp"},
        {"scenario": "expiry"},
        {"traffic": "idle"},
        {"device": "emulated"},
        {"origin": {"kind": "recorded"}},
        {"settings": {"lifetime_s": 20.0}},
    ],
)
def test_rows_under_other_circumstances_are_not_compared(other: dict[str, Any]) -> None:
    """Each run has one that the other has not."""
    found = between([a_row()], [a_row(**other)])
    assert found.compared == ()
    assert [(one.old, one.new) for one in found.apart] == [
        ("not in this run", "measured"),
        ("measured", "not in this run"),
    ]


def versions(old: str, new: str) -> list[tuple[str, str]]:
    """Which versions go together, where each letter stands for one."""
    found = between([a_row(version=one) for one in old], [a_row(version=one) for one in new])
    pairs = [(one.old_version, one.new_version) for one in found.compared]
    return pairs + [(one.old_version, one.new_version) for one in found.apart]


@pytest.mark.parametrize(
    ("old", "new", "pairs"),
    [
        ("1", "2", [("1", "2")]),
        ("12", "12", [("1", "1"), ("2", "2")]),
        ("12", "23", [("2", "2"), ("1", "3")]),
        ("21", "3", [("2", "3"), ("1", "")]),
        ("1", "132", [("1", "1"), ("", "2"), ("", "3")]),
    ],
)
def test_the_same_version_first_then_the_newest(old: str, new: str, pairs: list[tuple[str, str]]) -> None:
    """What is left is in one run alone."""
    assert versions(old, new) == pairs


@pytest.mark.parametrize(
    ("old", "new", "states"),
    [
        (a_row(), not_run("environment", "no Java"), ("measured", "environment: no Java")),
        (not_run("unsupported"), a_row(), ("unsupported: because", "measured")),
        (
            a_row(complete=False),
            not_run("unsupported"),
            ("incomplete: a log ends before the scenario does", "unsupported: because"),
        ),
    ],
)
def test_a_row_that_was_not_measured_says_why(old: Row, new: Row, states: tuple[str, str]) -> None:
    """And is never taken for a change."""
    found = between([old], [new])
    assert (found.changed, found.compared) == (False, ())
    assert [(one.old, one.new) for one in found.apart] == [states]


def test_both_runs_say_who_they_are() -> None:
    """By their names."""
    found = between([a_row(renewal="none")], [a_row(renewal="in-band")])
    assert (found.old, found.new, found.changed) == (Side("old"), Side("new"), True)


def test_what_may_be_chance_is_told_and_is_no_change() -> None:
    """Equal runs on one machine differ in it."""
    found = between([a_row(app=("off", "on"))], [a_row(app=("off", "busy", "on"))])
    assert not found.changed
    assert found.compared[0].behaviour == ()
    assert found.compared[0].chance == (Change("application saw", "off, on", "off, busy, on", "2.14.0"),)


@pytest.mark.parametrize("known", ["old", "new"])
def test_that_a_fault_struck_is_known_of_either(known: str) -> None:
    """A baseline that an older harness wrote does not tell."""
    struck, quiet = (a_row(sent=9, cells=(cell(disturbed=one),)) for one in (True, False))
    old, new = (struck, quiet) if known == "old" else (quiet, struck)
    found = compared(old, msgspec.structs.replace(new, send_failed=1))
    assert (found.behaviour, [one.what for one in found.chance]) == ((), ["sends failed"])


def test_occurrences_are_kept_in_a_baseline() -> None:
    """So that two runs are compared by them."""
    absences = [renewal(10.0, signature=Signature(app=app)) for app in (("off", "on"), ("on", "off"))]
    both = a_row(app=("off", "on"), cells=(cell(absences=tuple(absences)),))
    assert compared(both, a_row(app=("on", "off"))).behaviour == ()


@pytest.mark.parametrize(("old", "new", "told"), [("a", "b", True), ("a", "a", False), ("", "b", False)])
def test_other_circumstances_are_told(old: str, new: str, told: bool) -> None:  # noqa: FBT001 - a column of the table
    """Unless a kept baseline does not know them."""
    before, after = (a_row(cells=(cell(circumstances=one),)) for one in (old, new))
    assert compared(before, after).circumstances_changed is told


def test_a_row_whose_cells_differ_has_no_circumstances_of_its_own() -> None:
    """So that nothing is said of it."""
    mixed = a_row(cells=(cell(circumstances="a"), cell(circumstances="b")))
    assert compared(mixed, a_row(cells=(cell(circumstances="a"),))).circumstances_changed is False
