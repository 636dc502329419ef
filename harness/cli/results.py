"""From a run's folder to what the user gets: tables or JSON on standard output, and the derived files in the folder."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.analysis import Row, analyse, summary
from harness.cli.streams import complain, show
from harness.errors import LogError, UserInputError
from harness.events import CellLog
from harness.hub.diagnostics import row_view
from harness.report.comparison import comparison
from harness.runfolder import RunRecord, read_cells, read_run, write_derived

__all__ = ["Results", "attempt", "deliver", "derive", "keep"]


@dataclass(frozen=True, slots=True)
class Results:
    """What a run's logs give: the rows of the table, the logs themselves, and what could not be read."""

    record: RunRecord
    rows: tuple[Row, ...]
    logs: tuple[CellLog, ...]
    problems: tuple[LogError, ...]

    @property
    def missing(self) -> int:
        """How many planned cells never began."""
        return len(self.record.cells) - len(self.logs) - len(self.problems)


def derive(run: Path) -> Results:
    """Read and analyse the run in the folder `run`.

    Raises:
        LogError: `run` is no run.
    """
    record = read_run(run)
    read = tuple(read_cells(run))
    logs = tuple(log for log in read if isinstance(log, CellLog))
    problems = tuple(problem for problem in read if isinstance(problem, LogError))
    return Results(record, analyse(logs), logs, problems)


def keep(results: Results, run: Path) -> None:
    """Write findings, tables and diagnostics beside the logs.

    Raises:
        UserInputError: the folder cannot be written.
    """
    write_derived(run, "findings.json", json.dumps(summary(results.rows), indent=1) + "\n")
    write_derived(run, "table.md", comparison(results.rows, "markdown", brief=False) + "\n")
    told = (event.fields.get("record") for log in results.logs for event in log.events if event.kind == "record")
    records = [dict(record) for record in told if isinstance(record, dict)]
    write_derived(run, "diagnostics/connections.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    write_derived(run, "diagnostics/azure-diagnostics.json", json.dumps(list(map(row_view, records)), indent=1) + "\n")


def deliver(results: Results, *, as_json: bool) -> None:
    """Print the tables, or the rows as JSON; what is missing goes to standard error.

    Raises:
        UserInputError: standard output cannot be written.
    """
    show(json.dumps(summary(results.rows), indent=2) if as_json else comparison(results.rows, "text", brief=True))
    for problem in results.problems:
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
