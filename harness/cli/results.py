"""From a run's folder to what the user gets: tables or JSON on standard output, and the derived files in the folder."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from harness.analysis import Row, analyse, summary
from harness.errors import LogError
from harness.events import CellLog
from harness.hub.diagnostics import row_view
from harness.report.comparison import comparison
from harness.runfolder import read_cells, read_run, write_derived

__all__ = ["deliver"]


def deliver(path: Path, *, as_json: bool, quiet: bool = False, keep: bool = True) -> list[LogError]:
    """Analyse the run in `path`, print it, and write the derived files beside the logs (with `keep`).

    Returns what could not be read, each already told on standard error.

    Raises:
        LogError: `path` is no run.
    """
    record = read_run(path)
    read = list(read_cells(path))
    logs = [log for log in read if isinstance(log, CellLog)]
    problems = [problem for problem in read if isinstance(problem, LogError)]
    rows = analyse(logs)
    if keep:
        _keep(path, rows, logs)
    if as_json:
        click.echo(json.dumps(summary(rows), indent=2))
    else:
        click.echo(comparison(rows, "text"))
    for problem in problems:
        click.echo(f"harness: {problem}", err=True)
    if missing := len(record.cells) - len(read):
        click.echo(f"harness: {missing} of the {len(record.cells)} planned cells never began", err=True)
    if keep and not quiet:
        click.echo(f"Logs, findings and the full tables: {path}", err=True)
    return problems


def _keep(path: Path, rows: Sequence[Row], logs: Sequence[CellLog]) -> None:
    findings = {**summary(rows), "details": msgspec.to_builtins(rows)}
    write_derived(path, "findings.json", json.dumps(findings, indent=1) + "\n")
    write_derived(path, "table.md", comparison(rows, "markdown") + "\n")
    records = [
        dict(record) for log in logs for event in log.events if isinstance(record := event.fields.get("record"), dict)
    ]
    write_derived(path, "diagnostics/connections.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    write_derived(path, "diagnostics/azure-diagnostics.json", json.dumps(list(map(row_view, records)), indent=1) + "\n")
