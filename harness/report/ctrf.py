"""CTRF, the Common Test Report Format (ctrf.io): one JSON document about all cases. Its schema leaves no room for fields of our own but in `extra`."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from typing import Final

from harness.analysis import Case, Outcome, RunFacts, Suite

__all__ = ["ctrf"]

SPEC: Final = "0.0.0"
"""The version of the specification, which has no other yet."""
_STATUS: Final[dict[Outcome, str]] = {
    "passed": "passed",
    "failed": "failed",
    "error": "failed",
    "skipped": "skipped",
    "known": "other",
}


def ctrf(suites: Sequence[Suite], facts: RunFacts) -> str:
    """The document. `rawStatus` is the verdict in the harness's words; a known difference is `other`."""
    tests = [_test(case, suite, facts) for suite in suites for case in suite.cases]
    document = {
        "reportFormat": "CTRF",
        "specVersion": SPEC,
        "generatedBy": "harness",
        "results": {
            "tool": {"name": "iot-credential-expiry-harness", "version": facts.harness},
            "summary": _summary(tests, suites, facts),
            "tests": tests,
            "environment": {"extra": {"run": facts.run, **facts.machine}},
        },
    }
    return json.dumps(document, indent=1) + "\n"


def _summary(tests: Sequence[dict[str, object]], suites: Sequence[Suite], facts: RunFacts) -> dict[str, object]:
    counted = Counter(str(test["status"]) for test in tests)
    named = ("passed", "failed", "skipped", "pending", "other")
    start, stop = _milliseconds(facts.started), _milliseconds(facts.finished)
    return {
        "tests": len(tests),
        **{name: counted[name] for name in named},
        "suites": len(suites),
        "start": start,
        "stop": max(start, stop),
    }


def _test(case: Case, suite: Suite, facts: RunFacts) -> dict[str, object]:
    row = case.row
    about = {} if row is None else {"version": row.version, "device": row.device, "scenario": row.scenario}
    told = {"message": case.message, "trace": "\n".join(case.details)}
    return {
        "name": f"{case.group}: {case.name}",
        "status": _STATUS[case.outcome],
        "rawStatus": case.verdict,
        "duration": round(case.seconds * 1e3),
        "suite": [suite.name, *([row.scenario] if row else [])],
        **{name: text for name, text in told.items() if text},
        "extra": {"run": facts.run, **about, "cells": list(case.cells)},
    }


def _milliseconds(moment: str) -> int:
    return round(dt.datetime.fromisoformat(moment).timestamp() * 1e3) if moment else 0
