"""What of a log is shown, and what is left out of it."""

from collections.abc import Callable

import pytest
from support.analysis_logs import LogBuilder

from harness.analysis.excerpt import DEEPEST, LONGEST_TEXT, Excerpt, excerpt
from harness.events import CellLog, Event


def taken(log: LogBuilder, most: int = 100) -> Excerpt:
    """An excerpt of what was built."""
    return excerpt(log.log(), most)


def kinds(found: Excerpt) -> list[str]:
    """The kinds of the trace's events."""
    return [event.kind for event in found.trace.events]


def busy(messages: int) -> LogBuilder:
    """A connection, messages, and a cut; every message is three events."""
    return LogBuilder().connect(60).delivered(*range(1, messages + 1)).cut()


def test_a_short_log_is_shown_whole() -> None:
    """But for what the harness measured of its own delay; lines of the SDK stand by themselves."""
    log = LogBuilder().connect(60).harness("lag", worst_ms=1.0).emit("sdk-log", "line", text="a").send(1)
    found = taken(log)
    assert kinds(found) == ["accepted", "tls", "connect", "connack", "record", "command"]
    assert (found.trace.total, found.trace.gaps) == (6, {})
    assert [event.fields["text"] for event in found.sdk_log.events] == ["a"]


def test_a_record_is_shown_once() -> None:
    """Not as a row too; nor is the device's own clock."""
    found = taken(LogBuilder().record("deviceConnect").status("CONNECTED"))
    record, status = found.trace.events
    assert set(record.fields) == {"record"}
    assert set(status.fields) == {"status"}


def test_quiet_traffic_goes_first() -> None:
    """From the middle; everything else stays."""
    found = taken(busy(20), 15)
    assert len(found.trace.events) == 15
    assert [kind for kind in kinds(found) if kind not in {"command", "telemetry", "sent"}] == [
        *("accepted", "tls", "connect", "connack", "record"),
        *("cut", "record", "record", "closed"),
    ]
    assert found.trace.gaps == {8: 54}
    assert found.trace.total == 69


def test_commands_other_than_to_send_are_not_quiet() -> None:
    """They begin and end the cell."""
    log = LogBuilder().harness("command", cmd="open").delivered(*range(1, 9)).harness("command", cmd="close")
    found = taken(log, 4)
    assert [event.fields.get("cmd") for event in found.trace.events if event.kind == "command"] == [
        "open",
        "send",
        "close",
    ]


def test_where_there_is_no_quiet_traffic_the_middle_goes() -> None:
    """The first and the last stay."""
    log = LogBuilder()
    for number in range(10):
        log.status(str(number))
    found = taken(log, 5)
    assert [event.fields["status"] for event in found.trace.events] == ["0", "1", "2", "8", "9"]
    assert found.trace.gaps == {3: 5}


def test_a_gap_at_the_end() -> None:
    """It stands behind the last event."""
    found = taken(LogBuilder().status("a").delivered(1, 2), 1)
    assert (kinds(found), found.trace.gaps) == (["status"], {1: 6})


def test_the_sdks_log_is_cut_in_its_middle() -> None:
    """Whatever its lines say."""
    log = LogBuilder()
    for number in range(10):
        log.emit("sdk-log", "line", text=f"ERROR {number}")
    found = taken(log, 4).sdk_log
    assert [event.fields["text"] for event in found.events] == ["ERROR 0", "ERROR 1", "ERROR 8", "ERROR 9"]
    assert (found.gaps, found.total) == ({2: 6}, 10)


def test_long_texts_are_shortened() -> None:
    """Wherever they stand, and it is said by how much."""
    long = "x" * (LONGEST_TEXT + 7)
    (event,) = taken(
        LogBuilder().app("failed", error=[{"class": "A", "message": long}], deep={"a": long, "n": 1})
    ).trace.events
    shortened = "x" * LONGEST_TEXT + " … (7 more)"
    assert event.fields["error"] == [{"class": "A", "message": shortened}]
    assert event.fields["deep"] == {"a": shortened, "n": 1}


@pytest.mark.parametrize("wrapped", [lambda one: [one], lambda one: {"a": one}])
def test_what_is_nested_deeper_than_anybody_reads_is_left_out(wrapped: Callable[[object], object]) -> None:
    """As deep as it may be, and no deeper."""
    value: object = "x"
    for _ in range(900):
        value = wrapped(value)
    log = LogBuilder().log()
    event = Event(0, 0, "app", "failed", {"deep": value})
    told, depth = excerpt(CellLog(log.header, (event,), complete=False), 10).trace.events[0].fields["deep"], 0
    while isinstance(told, list | dict):
        told = told[0] if isinstance(told, list) else told["a"]
        depth += 1
    assert (told, depth) == ("… (nested deeper)", DEEPEST)


@pytest.mark.parametrize(
    ("value", "told"),
    [(2**53 - 1, 2**53 - 1), (2**53, "9007199254740992"), (-(2**53), "-9007199254740992"), (True, True), (None, None)],
)
def test_a_number_that_a_browser_would_change_is_told_as_text(value: object, told: object) -> None:
    """At any depth."""
    (event,) = taken(LogBuilder().app("failed", n=value, deep=[value])).trace.events
    assert (event.fields["n"], event.fields["deep"]) == (told, [told])
