"""Tests of JUnit XML: valid, whole, and unbroken by what stands in it."""

from support.ci_formats import check_junit
from support.rows import CONFIRMED, DIFFERS, SILENT, UNSEEN, a_row, known, not_run

from harness.analysis import Required, Row, RunFacts, Verdict, check, suites
from harness.known import Entry
from harness.report.junit import junit

FACTS = RunFacts("r1", "2026-11-30T06:53:17Z", "2026-11-30T06:54:17Z", "0.1.0", {"system": "Linux", "python": "3.11"})


def written(*rows: Row, entries: tuple[Entry, ...] = (), required: tuple[Required, ...] = ()) -> str:
    """The document about these rows."""
    return junit(suites(check(rows, entries, required)), FACTS)


def test_every_outcome_is_valid() -> None:
    """Passed, failed, skipped, known, broken, absent."""
    rows = [
        a_row(CONFIRMED, DIFFERS, UNSEEN, SILENT),
        a_row(DIFFERS, scenario="expiry"),
        not_run("harness-error", transport="amqp"),
        not_run("unsupported", transport="amqp-ws"),
    ]
    root = check_junit(written(*rows, entries=(known(scenarios=("renewal",)),), required=(Required("c"),)))
    counts = [(suite.get("name"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) for suite in root]
    assert counts == [
        ("python mqtt", "1", "0", "2"),
        ("python amqp", "0", "1", "0"),
        ("python amqp-ws", "0", "0", "1"),
        ("c", "1", "0", "0"),
    ]


def test_a_suite_tells_its_versions_and_what_documents_are_silent_about() -> None:
    """With run, harness and machine."""
    (suite,) = check_junit(written(a_row(SILENT)))
    told = {one.get("name"): one.get("value") for one in suite[0]}
    assert told["sdk.version"] == "2.14.0"
    assert (told["run"], told["harness.version"], told["system"], told["python"]) == ("r1", "0.1.0", "Linux", "3.11")
    assert suite.get("timestamp") == "2026-11-30T06:53:17"
    assert suite.findtext("system-out") == "python.mqtt.renewal measured: documents silent: closes-first: device"


def test_a_known_difference_is_skipped_with_its_reason() -> None:
    """In the message and below it."""
    (suite,) = check_junit(written(a_row(DIFFERS), entries=(known(),)))
    (skipped,) = suite.iter("skipped")
    assert "differs, as is known: " in (skipped.get("message") or "")
    assert "It is so." in (skipped.get("message") or "")
    assert (skipped.text or "").splitlines()[-1] == "https://example.org/why"


def test_markup_and_control_characters_break_nothing() -> None:
    """What XML cannot hold is replaced, the rest is escaped."""
    hostile = Verdict("a<b>\x00", "unaware", "differs", ']]>"&\x1b[31m', "\ud800\uffff\U0001f600", source="\x07")
    (suite,) = check_junit(written(a_row(hostile, sdk_name="<&>", notes=("<script>\x08",))))
    (failure,) = suite.iter("failure")
    assert (
        failure.get("message") == 'differs from the documents: claimed ]]>"&\ufffd[31m, observed \ufffd\ufffd\U0001f600'
    )
    assert [case.get("name") for case in suite.iter("testcase")] == ["measured", "a<b>\ufffd"]


def test_a_run_of_nothing_is_valid() -> None:
    """And so is one whose beginning nobody knows."""
    (suite,) = check_junit(written())
    assert (suite.get("name"), suite.get("failures")) == ("check", "1")
    check_junit(junit(suites(check([a_row()], [])), RunFacts("recordings")))
