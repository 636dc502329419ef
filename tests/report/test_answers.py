"""The first table of page and published comparison."""

from collections.abc import Callable

import msgspec
from support.analysis_logs import LogBuilder, header, renews_in_place, waits_for_the_cut

from harness.analysis import Row, analyse
from harness.analysis.findings import AbsenceFinding
from harness.report.answers import AnswerLine, answer_lines, code_named

NOTHING = "Nothing: the device comes back by itself."


def cut_rows(**changes: object) -> list[Row]:
    """The rows of a device that waits for the cut, with the default lifetime from another cell."""
    logs = [
        *(
            waits_for_the_cut(at, header(cell=f"a-{at}", settings={"lifetime_s": at, "index": n})).log()
            for n, at in enumerate((20.0, 60.0))
        ),
        LogBuilder(header("defaults", cell="b")).at(0.1).connect(3600).at(5).close().end().log(),
    ]
    return [msgspec.structs.replace(row, **changes) for row in analyse(logs)]


def first(rows: list[Row]) -> AnswerLine:
    """Their first line."""
    return answer_lines(rows)[0]


def test_errors_a_day_with_the_time_away() -> None:
    """Each time, and in a day."""
    one = first(cut_rows())
    assert (one.errors, one.bar, one.each_time, one.a_day) == ("41.1", 100.0, "310 ms", "6.4 s")


def test_errors_bear_their_names() -> None:
    """As the documents call them; another has its number."""
    assert first(cut_rows()).codes == ("401003", "404104")
    assert (code_named("401003"), code_named("400027")) == ("401003 IoTHubUnauthorized", "400027")


def test_what_is_noise_is_marked() -> None:
    """As in the other tables."""
    noisy = [_changed(row, lambda one: msgspec.structs.replace(one, noisy=True)) for row in cut_rows()]
    assert first(noisy).each_time == "310 ms~"


def test_those_of_whom_nothing_is_known_come_last() -> None:
    """With the reason, and without a figure."""
    rows = [
        *analyse([LogBuilder(header(cell="c", sdk="other")).end("environment", "not installed").log()]),
        *cut_rows(),
    ]
    last = answer_lines(rows)[-1]
    assert (last.sdk, last.bar, last.errors, last.made_of) == ("other", None, "not observed", "not installed")
    assert (last.codes, last.each_time, last.app, last.advice) == (
        ("not observed",),
        "not observed",
        ("not observed",),
        "",
    )


def test_who_renews_in_place_is_never_away() -> None:
    """Which is said of nobody else."""
    one = first(list(analyse([renews_in_place().log()])))
    assert (one.each_time, one.a_day) == ("never", "never")


def test_transports_that_agree_share_a_line() -> None:
    """With the span over both, and a cell of each."""
    longer = [_changed(row, lambda one: msgspec.structs.replace(one, gap_ms=500.0)) for row in cut_rows()]
    one = first([*cut_rows(), *(msgspec.structs.replace(row, transport="mqtt-ws") for row in longer)])
    assert (one.transports, one.each_time) == (("mqtt", "mqtt-ws"), "310 to 500 ms")
    assert [transport for transport, _ in one.cells] == ["mqtt", "mqtt-ws"]


def test_a_dated_row_says_so() -> None:
    """With its day; it is no recording for that."""
    one = first(cut_rows(origin={"kind": "this-run", "date": "2026-11-30"}))
    assert (one.word, one.evidence) == ("real", "real, recorded 2026-11-30")


def test_what_to_do_about_errors() -> None:
    """Nothing, or what leaves none."""
    assert first(cut_rows()).advice == f"{NOTHING} If the errors disturb: another SDK leaves none."
    quiet = [msgspec.structs.replace(_quiet(row), transport="amqp") for row in cut_rows()]
    assert first([*cut_rows(), *quiet]).advice == f"{NOTHING} If the errors disturb: over amqp it leaves none."


def _changed(row: Row, change: Callable[[AbsenceFinding], AbsenceFinding]) -> Row:
    """The row with every absence of its cells changed."""
    cells = (msgspec.structs.replace(cell, absences=tuple(map(change, cell.absences))) for cell in row.cells)
    return msgspec.structs.replace(row, cells=tuple(cells))


def _quiet(row: Row) -> Row:
    """The row with renewals that left no error."""
    return _changed(
        row, lambda one: msgspec.structs.replace(one, signature=msgspec.structs.replace(one.signature, errors=0))
    )


def test_what_to_do_without_errors() -> None:
    """Nothing."""
    rows = list(map(_quiet, cut_rows()))
    assert first(rows).advice == NOTHING


def test_what_to_do_where_the_hubs_log_is_not_known() -> None:
    """Nothing, if it was seen to come back."""
    assert first(cut_rows(lacks=("hub-log",))).advice == NOTHING


def test_what_to_do_where_nobody_renews() -> None:
    """Hand over another token."""
    (row, *_) = cut_rows()
    assert row.law is not None
    assert row.law.fit is not None
    never = msgspec.structs.replace(row.law, fit=msgspec.structs.replace(row.law.fit, law="none"))
    assert (
        first(cut_rows(law=never)).advice
        == "Hand over a new token before the old one ends: the hub turns the device out."
    )
