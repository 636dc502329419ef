"""`harness explain`: the story of one cell, from its log alone."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.analysis import story
from harness.cli.results import latest_run
from harness.cli.streams import json_text, show
from harness.errors import LogError, UserInputError
from harness.events import CellLog
from harness.recorded import read_log
from harness.report.story import story_text

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["explain"]

NEAR = 6
NO_RUN = "Name a run's folder after the cell, or run `harness compare`"


def _complete(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """The cells of the latest run that begin so, as no other is named yet; and files."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell that completes needs it

    try:
        cells = sorted(path.stem for path in latest_run(Path.cwd(), remedy=NO_RUN).glob("cells/*.jsonl"))
    except UserInputError:
        cells = []
    named = [CompletionItem(cell) for cell in cells if cell.startswith(incomplete)]
    return [*named, CompletionItem(incomplete, type="file")]


@click.command()
@click.argument("cell", shell_complete=_complete)
@click.argument("run", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the story and its episodes as JSON.")
def explain(cell: str, run: Path | None, *, as_json: bool) -> int:
    """Tell what happened in CELL of RUN in plain sentences, from its log.

    When did the device connect, renew its token, when was it cut or refused; what did the hub log, what was the application told, and what became of
    its messages? RUN is a folder that `harness compare` wrote, or one with recorded logs; without it, the latest run. CELL is a cell's name, or the file of its log.
    """
    told = story(
        _read(Path(cell)) if cell.endswith(".jsonl") else _find(cell, run or latest_run(Path.cwd(), remedy=NO_RUN))
    )
    show(json_text(told) if as_json else story_text(told))
    return 0


def _read(file: Path) -> CellLog:
    try:
        return read_log(file.read_bytes(), where=str(file))
    except OSError as problem:
        raise LogError(
            f"cannot be read ({problem.strerror})", where=str(file), remedy="Name a cell, or the file of its log"
        ) from problem


def _find(cell: str, run: Path) -> CellLog:
    logs = {path.stem: path for path in sorted(run.rglob("*.jsonl")) if path.parent.name != "diagnostics"}
    if not logs:
        raise LogError("holds no cell's log", where=str(run), remedy="Name a run's folder, or one of recorded logs")
    if cell not in logs:
        raise UserInputError(f"there is no cell {cell!r}", where=str(run), remedy=_near(cell, logs))
    return _read(logs[cell])


def _near(cell: str, logs: Mapping[str, Path]) -> str:
    """The names that have all parts of the unknown one, else those that look like it, else the first ones."""
    parts = cell.lower().split("-")
    alike = [name for name in logs if all(part in name.lower().split("-") for part in parts)]
    near = alike or difflib.get_close_matches(cell, logs, NEAR, 0.5) or list(logs)
    more = f", and {len(near) - NEAR} more" if len(near) > NEAR else ""
    return f"Name one of {', '.join(near[:NEAR])}{more}"
