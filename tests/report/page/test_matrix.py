"""The matrix."""

from typing import Any

import pytest

from harness.analysis import FirstRefusal, Row, Verdict
from harness.report.page.matrix import Entry, matrix


def a_row(**changes: Any) -> Row:
    """A measured row."""
    fields: dict[str, Any] = {
        "sdk": "python", "sdk_name": "An SDK", "version": "2.14.0", "transport": "mqtt", "scenario": "renewal", "traffic": "idle", "device": "real",
        "origin": {"kind": "this-run"}, "renewal": "reconnect", "hub_log": ("disconnect", "connect"), "gap_ms": (4.0, 6.0), **changes,
    }  # fmt: skip
    return Row(**fields)


def entry(**changes: Any) -> Entry:
    """The only entry of a matrix of one row."""
    return matrix([a_row(**changes)], {0: "cell"}, {}).lines[0].entries[0][0]


def test_lines_and_columns_are_those_of_the_rows() -> None:
    """Where nothing was asked for there is nothing; a recording stands beside what was measured here."""
    rows = [
        a_row(),
        a_row(transport="amqp"),
        a_row(sdk="node"),
        a_row(scenario="expiry"),
        a_row(origin={"kind": "recorded", "date": "2026-11-24"}),
    ]
    found = matrix(rows, {0: "a cell"}, {"expiry": "It expires"})
    assert [(one.sdk, one.transports) for one in found.columns] == [("python", ("mqtt", "amqp")), ("node", ("mqtt",))]
    assert [[len(place) for place in line.entries] for line in found.lines] == [[2, 1, 1], [1, 0, 0]]
    assert [(line.scenario, line.title) for line in found.lines] == [("renewal", ""), ("expiry", "It expires")]
    assert [one.evidence for one in found.lines[0].entries[0]] == ["real", "recorded"]
    assert [one.link for one in found.lines[0].entries[0]] == ["a cell", ""]


def test_what_can_be_filtered_for() -> None:
    """Each value once, in the order of the rows."""
    verdicts = (Verdict("a", "a", "differs"), Verdict("b", "b", "confirmed"))
    found = matrix([a_row(verdicts=verdicts), a_row(device="emulated"), a_row(status="environment")], {}, {})
    assert found.options == {
        "sdk": ("python",),
        "transport": ("mqtt",),
        "scenario": ("renewal",),
        "device": ("real", "emulated"),
        "verdict": ("differs", "confirmed", "environment"),
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ("reconnect", "no error", "4 to 6 ms", "clean")),
        ({"complete": False}, ("incomplete", "", "4 to 6 ms", "unknown")),
        ({"hub_log": ("401003", "404104", "refused 401003")}, ("reconnect", "401003 404104", "4 to 6 ms", "errors")),
        ({"lacks": ("hub-log",), "hub_log": ()}, ("reconnect", "log unknown", "4 to 6 ms", "unknown")),
        ({"first_refusal": FirstRefusal("hub", 1.0)}, ("refused", "no error", "4 to 6 ms", "clean")),
        ({"renewal": None, "refused_renewal": "in-band"}, ("in-band refused", "no error", "4 to 6 ms", "clean")),
        ({"renewal": None, "gap_ms": ()}, ("-", "no error", "", "clean")),
        ({"gap_ms": (), "points_s": (1.0,), "first": ("hub",)}, ("reconnect", "no error", "not back", "clean")),
        ({"renewal": "none"}, ("no renewal", "no error", "4 to 6 ms", "clean")),
        ({"renewal": None, "returned": "by-itself"}, ("back by itself", "no error", "4 to 6 ms", "clean")),
        ({"gap_ms": (126.0, 1234.0)}, ("reconnect", "no error", "0.13 to 1.23 s", "clean")),
        ({"gap_median_ms": 1234.0}, ("reconnect", "no error", "1.2 s", "clean")),
        ({"gap_ms": (5.0, 5.2)}, ("reconnect", "no error", "5 ms", "clean")),
    ],
)
def test_what_an_entry_says(changes: dict[str, Any], said: tuple[str, ...]) -> None:
    """How it renews, which errors, how long away."""
    one = entry(**changes)
    assert (one.way, one.log, one.away, one.outcome) == said


def test_a_row_that_did_not_run_says_why() -> None:
    """And no figure."""
    one = entry(status="environment", reason="Java is not installed")
    assert (one.way, one.log, one.away, one.outcome, one.hint) == (
        "environment",
        "",
        "",
        "none",
        "Java is not installed",
    )


def test_claims_that_differ_are_counted() -> None:
    """Whatever the others say."""
    verdicts = (Verdict("a", "a", "differs"), Verdict("b", "b", "confirmed"), Verdict("c", "c", "differs"))
    one = entry(verdicts=verdicts)
    assert (one.differs, one.verdicts) == (2, ("differs", "confirmed"))


def test_devices_are_named_with_their_date() -> None:
    """Where all of a kind have the same; the filter has the word alone."""
    first, second = ({"kind": "recorded", "date": f"2026-11-2{day}"} for day in (4, 5))
    rows = [a_row(origin={"kind": "this-run", "date": "2026-11-30"}), a_row(origin=first)]
    assert matrix(rows, {}, {}).devices == {
        "real": "real, recorded 2026-11-30",
        "recorded": "real, recorded 2026-11-24",
    }
    assert matrix([*rows, a_row(origin=second)], {}, {}).devices["recorded"] == "recorded"


def test_an_entry_says_when_it_was_recorded() -> None:
    """In words; what it is filtered by stays."""
    one = entry(origin={"kind": "this-run", "date": "2026-11-30"})
    assert (one.evidence, one.said) == ("real", "real, recorded 2026-11-30")
