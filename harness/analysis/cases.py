"""A run as suites of test cases, as CI systems know them: a suite for each SDK and transport, a case for each row and for each of its claims.

| outcome of a case | when |
|---|---|
| `failed` | it fails the check (`harness.analysis.check`): an unlisted difference, a stale entry, a required cell that did not run, a row that was cut short |
| `error` | the harness or a device program broke |
| `skipped` | it is no statement about the SDK: `unsupported`, `environment`, `not observed` |
| `known` | the claim differs, and that is known |
| `passed` | the row was measured, the claim confirmed |

Where nothing was measured, or planned cells never began, a suite `check` has a case that fails, as the check does. Where documents are silent there is nothing to pass or to fail: what was observed is told with the row's own case.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from harness.analysis.check import Check, Judged
from harness.analysis.required import Missing
from harness.analysis.rows import Row

__all__ = ["Case", "Outcome", "RunFacts", "Suite", "suites"]

Outcome = Literal["passed", "failed", "error", "skipped", "known"]
MEASURED: Final = "measured"
"""The name of a row's own case."""
REQUIRED: Final = "required"
NOT_RUN: Final = frozenset({"unsupported", "environment"})
INTERRUPTED: Final = "interrupted"
OF_VERDICT: Final[Mapping[str, Outcome]] = {"confirmed": "passed", "harness error": "error"}


class RunFacts(msgspec.Struct, frozen=True):
    """What there is to say about a run as a whole. Times as UTC text with whole seconds, or empty; `machine` by what is told about it."""

    run: str
    started: str = ""
    finished: str = ""
    harness: str = ""
    machine: Mapping[str, str] = {}


class Case(msgspec.Struct, frozen=True):
    """One test case. `group` and `name` are its name, the same in every run; `verdict` the word of ours behind its outcome.

    `message` says in one line what is to be said of it, `details` the same line by line. `seconds`: for how long its cells were watched. `cells`: whose logs
    show it. `row`: null for a required cell of which the run has no row.
    """

    group: str
    name: str
    outcome: Outcome
    verdict: str
    message: str = ""
    details: tuple[str, ...] = ()
    seconds: float = 0.0
    cells: tuple[str, ...] = ()
    row: Row | None = None
    where: str = ""


class Suite(msgspec.Struct, frozen=True):
    """The cases of an SDK over a transport. `properties` are what all of them have in common, as pairs of name and text."""

    sdk: str
    transport: str
    properties: tuple[tuple[str, str], ...]
    cases: tuple[Case, ...]

    @property
    def name(self) -> str:
        """What it is called."""
        return " ".join(filter(None, (self.sdk, self.transport)))

    @property
    def seconds(self) -> float:
        """For how long its cells were watched, one after the other."""
        return round(sum(case.seconds for case in self.cases), 3)

    def count(self, *outcomes: Outcome) -> int:
        """How many cases came out so."""
        return sum(case.outcome in outcomes for case in self.cases)


def suites(found: Check) -> tuple[Suite, ...]:
    """The suites of a run, in the order of its rows; required cells that the run does not have come last in theirs."""
    cases: dict[tuple[str, str], list[Case]] = {}
    for row in found.rows:
        cases.setdefault((row.sdk, row.transport), []).extend(_of_row(row, found))
    for one in found.missing:
        if one.row is None:
            cases.setdefault((one.required.sdk, one.required.transport), []).append(_absent(one))
    own = tuple(_of_the_check(found))
    told = tuple(Suite(*key, _properties(group), _told_apart(group)) for key, group in cases.items())
    return (*told, Suite("check", "", (), own)) if own else told


def _of_the_check(found: Check) -> Iterator[Case]:
    """What fails the check and belongs to no row."""
    if not found.measured:
        yield Case("check", MEASURED, "failed", "not measured", "nothing was measured, so nothing passes")
    if found.never_began:
        yield Case("check", "begun", "failed", "not run", f"{found.never_began} of the planned cells never began")


def _of_row(row: Row, found: Check) -> Iterator[Case]:
    required = [one for one in found.missing if one.row is row]
    yield _measured(row, required)
    for judged in found.judged:
        if judged.row is row and judged.verdict.verdict != "documents silent":
            yield _claim(judged)


def _measured(row: Row, required: Sequence[Missing]) -> Case:
    """The case of the row itself: whether it was measured, and what it shows of which no document speaks."""
    silent = [one for one in row.verdicts if one.verdict == "documents silent"]
    details = [*(f"documents silent: {one.claim}: {one.observed}" for one in silent), *row.notes]
    case = _case(row, MEASURED, "passed", "measured", "", details)
    case = msgspec.structs.replace(case, seconds=round(sum(cell.watched_s for cell in row.cells), 3))
    if required:
        return msgspec.structs.replace(case, outcome="failed", verdict="not run", message=_required(required[0]))
    if row.status:
        outcome: Outcome = "skipped" if row.status in NOT_RUN else "failed" if row.status == INTERRUPTED else "error"
        return msgspec.structs.replace(case, outcome=outcome, verdict=row.status, message=f"{row.status}: {row.reason}")
    if not row.complete:
        return msgspec.structs.replace(
            case, outcome="failed", verdict="incomplete", message="it did not run to its end"
        )
    return case


def _claim(judged: Judged) -> Case:
    row, verdict = judged.row, judged.verdict
    details = [
        f"{name}: {text}"
        for name, text in (("claimed", verdict.claimed), ("observed", verdict.observed), ("source", verdict.source))
        if text
    ]
    case = _case(
        row, verdict.claim, OF_VERDICT.get(verdict.verdict, "skipped"), verdict.verdict, verdict.reason, details
    )
    if judged.mark == "":
        return case
    compared = f"claimed {verdict.claimed}, observed {verdict.observed}"
    if judged.entry is None:
        told = f"differs from the documents: {compared}"
        return msgspec.structs.replace(case, outcome="failed", message=told)
    known = judged.entry.difference
    case = msgspec.structs.replace(
        case, details=(*details, f"known: {known.reason}", known.link), where=judged.entry.where
    )
    if judged.mark == "known":
        return msgspec.structs.replace(
            case, outcome="known", message=f"differs, as is known: {compared}; {known.reason}"
        )
    told = (
        f"is confirmed now ({compared}), and {judged.entry.name} says that it differs: remove the entry, or narrow it"
    )
    return msgspec.structs.replace(case, outcome="failed", message=told, verdict="stale entry")


def _case(row: Row, name: str, outcome: Outcome, verdict: str, message: str, details: Iterable[str]) -> Case:
    cells = tuple(cell.cell for cell in row.cells)
    group = f"{row.sdk}.{row.transport}.{row.scenario}"
    return Case(group, name, outcome, verdict, message, tuple(details), cells=cells, row=row)


def _absent(one: Missing) -> Case:
    group = ".".join(filter(None, (one.required.sdk, one.required.transport, one.required.scenario)))
    return Case(group, REQUIRED, "failed", "not run", _required(one))


def _required(one: Missing) -> str:
    return f"{one.required} is required and did not run: {one.reason}"


def _told_apart(group: Sequence[Case]) -> tuple[Case, ...]:
    """The cases, each with what tells it from those of the same name: another device than the real one of this run, and the version where there are several."""
    several = len(_versions(group)) > 1
    return tuple(msgspec.structs.replace(case, name=_qualified(case, with_version=several)) for case in group)


def _qualified(case: Case, *, with_version: bool) -> str:
    if case.row is None:
        return case.name
    row = case.row
    recorded = f"recorded {row.origin.get('date', '')}" if row.origin.get("kind") == "recorded" else ""
    parts = [row.version if with_version else "", "" if row.device == "real" else row.device, recorded]
    told = ", ".join(filter(None, parts))
    return f"{case.name} ({told})" if told else case.name


def _versions(group: Iterable[Case]) -> list[str]:
    return list(dict.fromkeys(case.row.version for case in group if case.row))


def _properties(group: Sequence[Case]) -> tuple[tuple[str, str], ...]:
    rows = [case.row for case in group if case.row]
    devices = dict.fromkeys(f"{row.device}, {row.origin.get('kind', 'this-run')}" for row in rows)
    named = dict.fromkeys(row.sdk_name for row in rows)
    found = (("sdk.name", named), ("sdk.version", _versions(group)), ("device", devices))
    return tuple((name, value) for name, values in found for value in values)
