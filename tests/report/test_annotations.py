"""Tests of annotations: their level, what they stand beside, and that nothing in them ends them early."""

from support.rows import CONFIRMED, DIFFERS, UNSEEN, a_row, known, not_run

from harness.analysis import Case, Required, Row, Verdict, check, suites
from harness.known import Entry
from harness.report.annotations import annotations


def log_of(case: Case) -> str:
    """The log of the case's first cell."""
    return f"cells/{case.cells[0]}.jsonl" if case.cells else ""


def file_of(case: Case) -> str:
    """The file of the entry that the case is about."""
    return case.where


def lines(
    *rows: Row, entries: tuple[Entry, ...] = (), required: tuple[Required, ...] = (), strict: bool = True
) -> list[str]:
    """The annotations of these rows."""
    return annotations(suites(check(rows, entries, required)), file_of, log_of, strict=strict)


def test_what_is_as_it_should_be_is_not_annotated() -> None:
    """Nor what was not observed."""
    assert lines(a_row(CONFIRMED, UNSEEN), not_run("unsupported")) == []


def test_levels() -> None:
    """What fails is an error, what broke a warning, what is known a notice."""
    rows = [a_row(DIFFERS), a_row(DIFFERS, scenario="expiry"), not_run("harness-error", transport="amqp")]
    found = lines(*rows, entries=(known(scenarios=("expiry",)),), required=(Required("c"),))
    assert [line.partition(" ")[0] for line in found] == ["::error", "::notice", "::warning", "::error"]
    assert found[0] == (
        "::error title=python mqtt renewal drop::"
        "differs from the documents: claimed lifetime + 0 s, observed lifetime - 120 s (log: cells/python-mqtt-renewal-1.jsonl)"
    )
    assert found[1].startswith("::notice file=known.toml,title=python mqtt expiry drop::")
    assert found[3] == "::error title=c required::c is required and did not run: the run has no such cell"


def test_without_a_check_nothing_is_an_error() -> None:
    """The step does not fail, so that its annotations do not say so."""
    assert lines(a_row(DIFFERS), strict=False)[0].startswith("::warning ")


def test_transports_that_agree_share_a_line() -> None:
    """A step shows no more than ten of a kind."""
    (line,) = lines(a_row(DIFFERS), a_row(DIFFERS, transport="mqtt-ws"))
    assert "title=python mqtt%2C mqtt-ws renewal drop::" in line


def test_what_would_end_a_command_is_escaped() -> None:
    """Line breaks and percent signs everywhere, colons and commas in properties."""
    hostile = Verdict("a:b,c%\n::error::x", "unaware", "differs", "50 %\r\n::stop-commands::x", "y")
    (line,) = lines(a_row(hostile))
    assert "\n" not in line
    assert "title=python mqtt renewal a%3Ab%2Cc%25%0A%3A%3Aerror%3A%3Ax::" in line
    assert line.endswith("claimed 50 %25%0D%0A::stop-commands::x, observed y (log: cells/python-mqtt-renewal-1.jsonl)")
