"""Tests of CTRF JSON: as its schema asks, with our words where it has room for them."""

import json
from typing import Any

from support.ci_formats import check_ctrf
from support.rows import CONFIRMED, DIFFERS, UNSEEN, a_row, known, not_run

from harness.analysis import Required, Row, RunFacts, check, suites
from harness.known import Entry
from harness.report.ctrf import ctrf

FACTS = RunFacts("r1", "2026-11-30T06:53:17Z", "2026-11-30T06:54:17Z", "0.1.0", {"system": "Linux"})


def written(*rows: Row, entries: tuple[Entry, ...] = (), required: tuple[Required, ...] = ()) -> Any:
    """The document about these rows."""
    document = json.loads(ctrf(suites(check(rows, entries, required)), FACTS))
    check_ctrf(document)
    return document["results"]


def test_statuses_and_verdicts() -> None:
    """A known difference is `other`; what broke has failed."""
    rows = [
        a_row(CONFIRMED, DIFFERS, UNSEEN),
        a_row(DIFFERS, scenario="expiry"),
        not_run("harness-error", transport="amqp"),
    ]
    found = written(*rows, entries=(known(scenarios=("renewal",)),), required=(Required("c"),))
    assert [(test["name"], test["status"], test["rawStatus"]) for test in found["tests"]] == [
        ("python.mqtt.renewal: measured", "passed", "measured"),
        ("python.mqtt.renewal: hub-log", "passed", "confirmed"),
        ("python.mqtt.renewal: drop", "other", "differs"),
        ("python.mqtt.renewal: lifetime", "skipped", "not observed"),
        ("python.mqtt.expiry: measured", "passed", "measured"),
        ("python.mqtt.expiry: drop", "failed", "differs"),
        ("python.amqp.renewal: measured", "failed", "harness-error"),
        ("c: required", "failed", "not run"),
    ]


def test_times_are_milliseconds() -> None:
    """Of the run since the epoch, of a case its own."""
    found = written(a_row())
    assert (found["summary"]["start"], found["summary"]["stop"]) == (1796021597000, 1796021657000)
    assert found["tests"][0]["duration"] == 2500
    assert found["tests"][0]["suite"] == ["python mqtt", "renewal"]


def test_a_run_whose_times_nobody_knows_is_valid() -> None:
    """As recordings are, which are of no run; and one that has not ended."""
    for facts in (RunFacts("recordings"), RunFacts("r", started="2026-11-30T06:53:17Z")):
        check_ctrf(json.loads(ctrf(suites(check([a_row()], [])), facts)))
