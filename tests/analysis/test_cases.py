"""Tests of a run as test cases: what fails, what is skipped, and by which names."""

from support.rows import CONFIRMED, DIFFERS, RECORDED, SILENT, UNSEEN, a_row, known, not_run

from harness.analysis import Case, Required, Row, check, suites
from harness.known import Entry


def cases(*rows: Row, entries: tuple[Entry, ...] = (), required: tuple[Required, ...] = ()) -> list[Case]:
    """All cases of a run with these rows."""
    return [case for suite in suites(check(rows, entries, required)) for case in suite.cases]


def outcomes(*rows: Row, **more: tuple[Entry, ...]) -> list[tuple[str, str]]:
    """Name and outcome of each case."""
    return [(case.name, case.outcome) for case in cases(*rows, **more)]  # type: ignore[arg-type] # entries alone


def test_a_suite_for_each_sdk_and_transport() -> None:
    """In the order of the rows, with what its cases have in common."""
    found = suites(check([a_row(), a_row(transport="amqp"), a_row(scenario="expiry"), a_row(sdk="c", version="1")], []))
    assert [(one.name, len(one.cases)) for one in found] == [("python mqtt", 2), ("python amqp", 1), ("c mqtt", 1)]
    assert found[0].properties == (
        ("sdk.name", "SDK for Python"),
        ("sdk.version", "2.14.0"),
        ("device", "real, this-run"),
    )
    assert found[0].seconds == 5.0
    assert (found[0].count("passed"), found[0].count("failed", "error")) == (2, 0)


def test_a_measured_row_with_what_it_shows_of_claims() -> None:
    """A case of its own and one for each claim; where documents are silent, a line."""
    found = cases(a_row(CONFIRMED, UNSEEN, SILENT, notes=("a note",)))
    assert [(one.name, one.outcome, one.verdict) for one in found] == [
        ("measured", "passed", "measured"),
        ("hub-log", "passed", "confirmed"),
        ("lifetime", "skipped", "not observed"),
    ]
    assert found[0].details == ("documents silent: closes-first: device", "a note")
    assert (found[0].group, found[0].seconds, found[0].cells) == (
        "python.mqtt.renewal",
        2.5,
        ("python-mqtt-renewal-1",),
    )
    assert (found[2].message, found[2].details) == ("no token was seen", ("claimed: 60 min",))


def test_what_fails_the_check_fails_its_case() -> None:
    """An unlisted difference, and an entry that no longer holds."""
    unlisted, stale = cases(a_row(DIFFERS, CONFIRMED), entries=(known("hub-log"),))[1:]
    assert (unlisted.outcome, unlisted.message) == (
        "failed",
        "differs from the documents: claimed lifetime + 0 s, observed lifetime - 120 s",
    )
    assert (stale.outcome, stale.verdict, stale.where) == ("failed", "stale entry", "known.toml")
    assert "known.toml: differences[0] (python hub-log) says that it differs: remove the entry" in stale.message


def test_a_known_difference_neither_passes_nor_fails() -> None:
    """It has its reason and link."""
    case = cases(a_row(DIFFERS), entries=(known(),))[1]
    assert (case.outcome, case.verdict) == ("known", "differs")
    assert case.message.endswith("observed lifetime - 120 s; It is so.")
    assert case.details[-2:] == ("known: It is so.", "https://example.org/why")


def test_what_did_not_run_is_skipped_and_what_broke_is_an_error() -> None:
    """With the reason."""
    rows = [
        a_row(),
        *(
            not_run(status, scenario=status)
            for status in ("unsupported", "environment", "interrupted", "harness-error", "adapter-error")
        ),
    ]
    assert [one.outcome for one in cases(*rows)] == ["passed", "skipped", "skipped", "failed", "error", "error"]
    assert cases(rows[1])[0].message == "unsupported: because"


def test_what_was_cut_short_fails() -> None:
    """As it fails the check: nobody takes it for measured."""
    (case,) = cases(a_row(complete=False))
    assert (case.outcome, case.verdict, case.message) == ("failed", "incomplete", "it did not run to its end")


def test_where_nothing_was_measured_a_case_fails() -> None:
    """Whoever reads the file alone would take skipped cases, or none, for a pass."""
    told = [("check", "measured", "failed", "nothing was measured, so nothing passes")]
    assert [(one.group, one.name, one.outcome, one.message) for one in cases()] == told
    skipped, failed = cases(not_run("environment"))
    assert (skipped.outcome, failed.outcome) == ("skipped", "failed")
    assert "check" not in {one.group for one in cases(a_row(), not_run("environment", sdk="c"))}


def test_where_cells_never_began_a_case_fails() -> None:
    """Of which nothing else tells."""
    *_, suite = suites(check([a_row()], [], never_began=3))
    told = [("begun", "failed", "3 of the planned cells never began")]
    assert [(one.name, one.outcome, one.message) for one in suite.cases] == told


def test_a_required_cell_that_did_not_run_fails() -> None:
    """In the row's own case, or in one of its own where there is no row."""
    _, *found = cases(
        a_row(sdk="node"), not_run("environment"), required=(Required("python"), Required("c", transport="mqtt"))
    )
    assert [(one.group, one.name, one.outcome) for one in found] == [
        ("python.mqtt.renewal", "measured", "failed"),
        ("c.mqtt", "required", "failed"),
    ]
    assert found[0].message == "python is required and did not run: environment: because"
    assert found[1].message == "c/mqtt is required and did not run: the run has no such cell"


def test_cases_of_other_devices_have_other_names() -> None:
    """So that a name means one thing; versions are part of it where there are several."""
    assert [name for name, _ in outcomes(a_row(), a_row(device="emulated"), a_row(origin=RECORDED))] == [
        "measured",
        "measured (emulated)",
        "measured (recorded 2026-11-24)",
    ]
    names = [name for name, _ in outcomes(a_row(), a_row(version="2.9.0", device="emulated"))]
    assert names == ["measured (2.14.0)", "measured (2.9.0, emulated)"]
