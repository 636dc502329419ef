"""Hub side and application side of an absence."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.analysis_logs import LogBuilder, header

from harness.analysis.findings import Signature
from harness.analysis.signatures import (
    REPEATED,
    Record,
    app_text,
    collapse,
    firsts,
    hub_records,
    in_brief,
    is_cut_short,
    levels_of,
    overall,
    signatures,
)
from harness.analysis.timeline import make_timeline
from harness.events import CellLog, Event


def found(log: LogBuilder) -> tuple[Signature, ...]:
    """The signatures of what was built."""
    read = log.log()
    timeline = make_timeline(read)
    return signatures(read.events, timeline, hub_records(read.events, timeline.closing_s))


@pytest.mark.parametrize(
    ("operation", "code", "expected"),
    [
        ("deviceConnect", "", "connect"),
        ("deviceDisconnect", "", "disconnect"),
        ("deviceConnect", "401003", "refused 401003"),
        ("deviceDisconnect", "404104", "404104"),
        ("deviceMoved", "", "deviceMoved"),
        ("deviceMoved", "500001", "deviceMoved 500001"),
    ],
)
def test_codes(operation: str, code: str, expected: str) -> None:
    """Each record of the hub as one code."""
    assert [record.code for record in hub_records(LogBuilder().record(operation, code).log().events, 0.0)] == [expected]


def test_an_error_without_a_code() -> None:
    """A disconnect that failed for no stated reason is still a disconnect."""
    log = LogBuilder().emit("hub", "record", record={"operationName": "deviceDisconnect", "level": "Error"})
    assert hub_records(log.log().events, 0.0) == (Record(0.0, "disconnect", "Error"),)


def test_records_of_the_ending_are_left_out() -> None:
    """What the harness's own closing wrote into the hub's log tells nothing of the device."""
    log = LogBuilder().record("deviceConnect").at(5).record("deviceDisconnect")
    assert [record.code for record in hub_records(log.log().events, 4.0)] == ["connect"]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([], ""),
        (["Information"], "informational"),
        (["Error", "Error"], "error"),
        (["Error", "Information"], "informational+error"),
    ],
)
def test_levels(levels: Sequence[str], expected: str) -> None:
    """The levels that occur, in the words of claims."""
    assert levels_of(Record(0.0, "c", level) for level in levels) == expected


def test_renewal_signature() -> None:
    """A clean renewal: a disconnect, a connect, and what the application saw of it."""
    log = LogBuilder().connect(60).status("True").at(10).disconnect().after(0.001).status("False", callback="changed")
    log.after(0.003).connect(60).after(0.001).status("True", "WHY", "changed").at(40).status("False")
    shown = ("changed False", "changed True/WHY")
    expected = Signature(("disconnect", "connect"), "informational", shown, informational=2)
    assert found(log) == (expected,)


def test_cut_signature_without_return() -> None:
    """To the end of the cell, with refused attempts, each repetition once."""
    log = LogBuilder().connect(60).at(65).cut()
    for _ in range(3):
        log.after(5).refused(60, made_at=0.0).failure("send_failed", "CredentialError", "UnauthorizedError", id=1)
    expected = Signature(
        ("401003", "404104", "refused 401003"), "error", ("send_failed: CredentialError <- UnauthorizedError", REPEATED),
        errors=5, app_errors=3,
    )  # fmt: skip
    assert found(log.after(1).end()) == (expected,)


def test_nothing_seen_is_empty() -> None:
    """An application that is told nothing; ordinary events and quiet log lines are nothing."""
    log = LogBuilder().connect(60).at(10).disconnect().app("sent", id=1).app("new_kind", status="x")
    log.emit("sdk-log", "line", text="INFO renewing").after(0.1).connect(60)
    assert (found(log)[0].app, found(log)[0].log) == ((), ())


@pytest.mark.parametrize(
    ("fields", "notable"),
    [
        ({"text": "x", "level": "WARNING"}, True),
        ({"text": "ERROR x", "level": "info"}, False),
        ({"text": "2026-01-01 WARN pool: x"}, True),
        ({"text": "INFO pool: an ERROR was mentioned"}, False),
        ({"text": "no level at all"}, False),
        ({"text": "x" * 90 + " ERROR"}, False),
    ],
)
def test_notable_log_lines(fields: dict[str, object], notable: bool) -> None:  # noqa: FBT001 - a column of the table
    """By their level, or the level's word near the beginning."""
    log = LogBuilder().connect(60).at(10).disconnect().emit("sdk-log", "line", **fields).after(0.1).connect(60)
    assert found(log)[0].log == ((fields["text"],) if notable else ())


@pytest.mark.parametrize(
    ("at", "seen"),
    [(9.499999, ()), (9.5, ("changed",)), (12.099999, ("changed",)), (12.1, ())],
)
def test_how_far_an_absence_reaches(at: float, seen: tuple[str, ...]) -> None:
    """From half a second before it to two seconds after."""
    events = sorted(
        LogBuilder().connect(60).at(10).disconnect().at(10.1).connect(60).at(at).status("changed").log().events,
        key=lambda event: event.t,
    )
    log = CellLog(header(), (*events, Event(99, 60_000_000, "harness", "note")), complete=False)
    timeline = make_timeline(log)
    assert signatures(log.events, timeline, ())[0].app == seen


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (LogBuilder().connect(60).at(10).disconnect().at(11.999999), (True, True)),
        (LogBuilder().connect(60).at(10).disconnect().at(12), (False, True)),
        (LogBuilder().connect(60).at(9).disconnect().at(10).connect(60).at(11.999999), (True, True)),
        (LogBuilder().connect(60).at(9).disconnect().at(10).connect(60).at(12), (False, False)),
    ],
)
def test_cut_short(log: LogBuilder, expected: tuple[bool, bool]) -> None:
    """By the cell's own end, less than two seconds after the return; without a return also by whatever interrupted the cell."""
    timeline = make_timeline(log.harness("command", cmd="close").log())
    absence = timeline.absences[0]
    assert (
        is_cut_short(absence, timeline, interrupted=False),
        is_cut_short(absence, timeline, interrupted=True),
    ) == expected


def test_the_signature_of_a_whole_cell() -> None:
    """Up to its closing, whether the device was away or not."""
    log = LogBuilder().connect(60).failure("open_failed", "TimeoutError").at(5).close().status("False").log()
    timeline = make_timeline(log)
    found = overall(log.events, timeline, hub_records(log.events, timeline.closing_s))
    assert found == Signature(
        ("connect",), "informational", ("open_failed: TimeoutError",), informational=1, app_errors=1
    )


@pytest.mark.parametrize(
    ("entries", "expected"),
    [("", ()), ("ab", ("a", "b")), ("aaa", ("a", REPEATED)), ("abcbcb", ("a", "b", "c", REPEATED))],
)
def test_firsts(entries: str, expected: tuple[str, ...]) -> None:
    """Each once, and whether anything came again."""
    assert firsts(entries) == expected


@given(st.lists(st.permutations("bcd"), min_size=2, max_size=8))
def test_firsts_do_not_depend_on_a_race(rounds: list[list[str]]) -> None:
    """However often threads report the same in whatever order after a first round, the text is the same."""
    assert firsts(["a", *"bcd", *(entry for one in rounds for entry in one)]) == ("a", "b", "c", "d", REPEATED)


def test_neighbours_share_nothing() -> None:
    """Between two absences close to each other, an event belongs to one of them."""
    log = LogBuilder().connect(60).at(10).disconnect().status("a").at(10.1).connect(60).status("b")
    log.at(10.9).status("c").at(11).disconnect().status("d").at(11.1).connect(60)
    assert [one.app for one in found(log.after(5).end())] == [("a", "b"), ("c", "d")]


def test_neighbours_within_half_a_second() -> None:
    """The first keeps what came until the device was back, the second the rest."""
    log = LogBuilder().connect(60).at(10).disconnect().status("a").at(10.1).connect(60).at(10.2).status("b")
    log.at(10.3).disconnect().status("c").at(10.4).connect(60)
    assert [one.app for one in found(log.after(5).end())] == [("a",), ("b", "c")]


def test_a_connection_owns_nothing_from_before_it() -> None:
    """The status of the first connecting does not belong to a leaving that soon follows."""
    log = LogBuilder().at(0.9).status("Connecting").at(1).connect(60).at(1.2).disconnect().status("gone")
    assert found(log.after(1).end())[0].app == ("gone",)


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("status", {"status": "False", "callback": "changed"}, "changed False"),
        ("status", {"status": "DISCONNECTED", "reason": "EXPIRED"}, "DISCONNECTED/EXPIRED"),
        ("status", {"status": "DISCONNECTED", "error": [{"class": "E"}]}, "DISCONNECTED: E"),
        ("token_required", {}, "token_required"),
        ("background_exception", {"error": [{"class": "a.A"}, {"class": "B"}]}, "background_exception: a.A <- B"),
        ("background_exception", {"error": [{"class": "A"}], "callback": "on_error"}, "on_error: A"),
    ],
)
def test_app_text(kind: str, fields: dict[str, object], expected: str) -> None:
    """Callback or kind, status and reason, classes of the exception."""
    assert app_text(LogBuilder().app(kind, **fields).log().events[0]) == expected


@pytest.mark.parametrize(
    ("entries", "expected"),
    [("", ""), ("a", "a"), ("aaa", "a"), ("abab", "ab"), ("abba", "aba"), ("abcabcabx", "abcabx")],
)
def test_collapse(entries: str, expected: str) -> None:
    """A sequence that repeats itself at once stands once."""
    assert "".join(collapse(entries)) == expected


@given(st.text("ab", max_size=40))
def test_collapse_leaves_no_repetition(entries: str) -> None:
    """Collapsing again changes nothing, and what was there still is."""
    once = collapse(entries)
    assert (collapse(once), set(once)) == (once, set(entries))


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12), st.integers(1, 6))
def test_collapse_of_repetitions(cycle: list[str], times: int) -> None:
    """However often a sequence repeats itself, it reads like once."""
    assert collapse(cycle * times) == collapse(cycle)


def test_in_brief() -> None:
    """Each thing once, classes without their packages; the SDK's own word stays as it is."""
    seen = ("a.b.STATE: x.y.Outer <- z.Inner", "a.b.STATE: Outer <- Inner", "STATE")
    assert in_brief(seen) == ("a.b.STATE: Outer <- Inner", "STATE")
