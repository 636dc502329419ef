"""From a run's folder to what the user gets: tables or JSON on standard output, and the derived files in the folder.

Recordings are analysed by themselves, so that no figure of a run has any part in them, and shown beside the run's rows.
"""

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.analysis import (
    Check,
    Claims,
    Row,
    RunFacts,
    Trouble,
    analyse,
    check_summary,
    latest_claims,
    likenesses,
    summary,
    tell,
    troubles,
)
from harness.cli.streams import complain, json_text, show
from harness.errors import LogError, UserInputError
from harness.events import FORMAT, CellLog
from harness.hub.diagnostics import row_view
from harness.profile import find_profiles
from harness.recorded import find_recorded, logs_below
from harness.report.check import check_text
from harness.report.comparison import comparison
from harness.report.fidelity import fidelity_table
from harness.report.troubles import troubles_table
from harness.runfolder import RunRecord, default_root, read_cells, read_recordings, read_run, write_derived

__all__ = [
    "Results",
    "are_recordings",
    "attempt",
    "deliver",
    "derive",
    "derive_either",
    "derive_recordings",
    "facts_of",
    "keep",
    "latest_run",
    "tell_what_is_missing",
    "without_collections",
]


@dataclass(frozen=True, slots=True)
class Results:
    """What a run's logs give: the rows of the table, those of recordings among them, the run's own logs, and what could not be read.

    `recorded`: the logs of the recordings that are shown. `folder`: the run's, or null for recordings.
    """

    record: RunRecord
    rows: tuple[Row, ...]
    logs: tuple[CellLog, ...]
    problems: tuple[LogError, ...]
    refused: tuple[LogError, ...] = ()
    recorded: tuple[CellLog, ...] = ()
    folder: Path | None = None

    @property
    def missing(self) -> int:
        """How many planned cells never began."""
        return max(len(self.record.cells) - len(self.logs) - len(self.problems), 0)


@contextmanager
def without_collections() -> Iterator[None]:
    """Nothing that is made here is garbage, and looking for some among all events of all logs, again and again, takes time (`benchmarks/run.py --only page`)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def derive(run: Path, *, dated: bool = False) -> Results:
    """Read and analyse the run in the folder `run`; the recordings beside it are judged by the claims of its cells.

    `dated`: for readers of another day. What was measured in the run has its date then, as recordings have theirs.

    Raises:
        LogError: `run` is no run.
    """
    with without_collections():
        return _derive(run, dated=dated)


def _derive(run: Path, *, dated: bool) -> Results:
    record = read_run(run)
    logs, problems = _parted(read_cells(run))
    if dated:
        logs = tuple(_dated(log, record.started[:10]) for log in logs)
    recorded, refused = _parted(read_recordings(run))
    claims = _latest_by_sdk(logs)
    scenarios = list(dict.fromkeys(str(log.header.scenario.get("id")) for log in logs))
    rows = analyse(logs)
    beside = [row for row in _rows_of(recorded, claims, scenarios) if row.scenario in scenarios]
    shown = tuple(log for log in recorded if log.header.scenario.get("id") in scenarios)
    return Results(record, _side_by_side(rows, beside), logs, problems, refused, shown, run)


def _latest_by_sdk(logs: Iterable[CellLog]) -> dict[str, Claims]:
    """What is claimed of each SDK, where cells of several runs do not agree in it as for a row of them."""
    said: dict[str, list[Claims]] = {}
    for log in logs:
        said.setdefault(log.header.sdk, []).append(log.header.claims)
    return {sdk: latest_claims(sets) for sdk, sets in said.items()}


def _dated(log: CellLog, date: str) -> CellLog:
    origin = {**log.header.origin, "date": date}
    return msgspec.structs.replace(log, header=msgspec.structs.replace(log.header, origin=origin))


def are_recordings(path: Path) -> bool:
    """Whether it is a log, or there are logs below it, and not those of a run, nor of several."""
    runs = (path / "run.json", *path.glob("*/run.json"))
    return path.is_file() or (any(logs_below(path)) and not any(run.exists() for run in runs))


def derive_either(path: Path) -> Results:
    """Read and analyse a run's folder, or recordings.

    Raises:
        LogError: it is neither.
    """
    return derive_recordings(path) if are_recordings(path) else derive(path)


def derive_recordings(path: Path) -> Results:
    """Read and analyse the recorded log `path`, or those below the folder `path`, judged by the bundled profiles where they bring no claims.

    Raises:
        LogError: there is none.
    """
    logs, refused = _parted(find_recorded(path))
    if not logs and not refused:
        raise LogError(
            "holds neither a run nor a recorded log", where=str(path), remedy="Name a run's folder, or recordings"
        )
    claims = {one.profile.sdk: tuple(map(msgspec.to_builtins, one.profile.claims)) for one in find_profiles()}
    record = RunRecord(FORMAT, path.name, "", "finished", ())
    return Results(record, tuple(_rows_of(logs, claims)), (), (), refused, logs)


def latest_run(working_folder: Path, *, remedy: str) -> Path:
    """The folder of the latest run that was written from there.

    Raises:
        UserInputError: there is none; `remedy` is what to do then.
    """
    root = default_root(working_folder)
    runs = sorted(path.parent for path in root.glob("*/run.json"))
    if not runs:
        raise UserInputError("holds no run", where=str(root), remedy=remedy)
    return runs[-1]


def _parted(read: Iterable[CellLog | LogError]) -> tuple[tuple[CellLog, ...], tuple[LogError, ...]]:
    found = tuple(read)
    logs = tuple(one for one in found if isinstance(one, CellLog))
    return logs, tuple(one for one in found if isinstance(one, LogError))


def _rows_of(
    recorded: Sequence[CellLog], claims: Mapping[str, Claims], first: Sequence[str] = ("renewal",)
) -> tuple[Row, ...]:
    """The rows of recordings; those of the scenarios `first` stand first, so that claims drawn from all of them are judged there."""
    ordered = sorted(recorded, key=lambda log: log.header.scenario.get("id") not in first)
    return analyse(_judged_by(log, claims.get(log.header.sdk, ())) for log in ordered)


def _judged_by(log: CellLog, claims: Claims) -> CellLog:
    if log.header.claims:
        return log
    return msgspec.structs.replace(log, header=msgspec.structs.replace(log.header, claims=claims))


def _side_by_side(rows: Sequence[Row], recorded: Iterable[Row]) -> tuple[Row, ...]:
    """Each recorded row after the last one of its scenario with its SDK and transport, else after the last of its scenario and SDK."""
    shown = list(rows)
    for row in recorded:
        alike = (
            [n for n, one in enumerate(shown) if _place(one, exact=exact) == _place(row, exact=exact)]
            for exact in (True, False)
        )
        shown.insert(next((places[-1] + 1 for places in alike if places), len(shown)), row)
    return tuple(shown)


def _place(row: Row, *, exact: bool) -> tuple[str, ...]:
    return (row.scenario, row.sdk, row.transport) if exact else (row.scenario, row.sdk)


def keep(results: Results, run: Path) -> None:
    """Write findings, tables and diagnostics beside the logs.

    Raises:
        UserInputError: the folder cannot be written.
    """
    write_derived(run, "findings.json", json.dumps(summary(results.rows), indent=1) + "\n")
    write_derived(run, "table.md", comparison(results.rows, "markdown", brief=False) + "\n")
    write_derived(run, "errors.md", (troubles_table(_wrong(results), "markdown") or _nothing_wrong(results)) + "\n")
    told = (event.fields.get("record") for log in results.logs for event in log.events if event.kind == "record")
    records = [dict(record) for record in told if isinstance(record, dict)]
    write_derived(run, "diagnostics/connections.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    write_derived(run, "diagnostics/azure-diagnostics.json", json.dumps(list(map(row_view, records)), indent=1) + "\n")


def _nothing_wrong(results: Results) -> str:
    short = results.missing or any(not log.complete for log in results.logs) or results.record.status == "interrupted"
    return "Nothing went wrong as far as the run went: it was cut short." if short else "Nothing went wrong."


def deliver(results: Results, *, as_json: bool, errors: bool = False, found: Check | None = None) -> None:
    """Print the tables, or the rows as JSON; what is missing goes to standard error.

    `errors`: with what went wrong and how the application was told. Where a real device and its emulated one were both measured, with what differs.
    `found`: with what a check found, at the end.

    Raises:
        UserInputError: standard output cannot be written.
    """
    wrong = _wrong(results) if errors else ()
    alike = likenesses(cell for row in results.rows for cell in row.cells)
    if as_json:
        further: dict[str, object] = {"errors": wrong} if errors else {}
        further |= {"fidelity": alike} if alike else {}
        further |= {"check": check_summary(found)} if found else {}
        show(json_text(summary(results.rows) | further))
    else:
        tables = (comparison(results.rows, "text", brief=True), troubles_table(wrong, "text"), fidelity_table(alike))
        show("\n\n".join(filter(None, (*tables, check_text(found) if found else ""))))
    tell_what_is_missing(results)


def _wrong(results: Results) -> tuple[Trouble, ...]:
    return troubles(map(tell, (*results.logs, *results.recorded)))


def facts_of(record: RunRecord) -> RunFacts:
    """What the record says of the run as a whole."""
    machine = {name: str(value) for name, value in record.machine.items()}
    return RunFacts(record.run, record.started, record.finished, record.harness, machine)


def tell_what_is_missing(results: Results) -> None:
    """Say on standard error which logs could not be read, and how many cells never began."""
    for problem in (*results.problems, *results.refused):
        complain(problem)
    if results.missing:
        planned = len(results.record.cells)
        complain(f"{results.missing} of the {planned} planned cells never began")


def attempt(*steps: Callable[[], None]) -> int:
    """Take every step, whatever comes of the others; how many wrote nothing, which is told on standard error."""
    failed = 0
    for step in steps:
        try:
            step()
        except UserInputError as problem:
            complain(problem)
            failed += 1
    return failed
