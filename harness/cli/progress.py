"""Progress on standard error: one line per finished cell, and a moving bar where somebody is watching."""

import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import IO, Self, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness.cli.streams import Lossy
from harness.plan import Cell
from harness.run.cell import CellOutcome

__all__ = ["CellProgress", "say"]


def say(*, quiet: bool) -> Callable[[str], None]:
    """What prints one line of progress before the cells; silent with `quiet`."""
    console = _console(quiet=quiet)
    return lambda text: console.print(text, markup=False)


def _console(*, quiet: bool) -> Console:
    """Standard error, without which a measurement goes on all the same."""
    # There is none where the descriptor was closed from the beginning.
    file = cast("IO[str]", Lossy(sys.stderr)) if sys.stderr else None
    # A variable that forces colours is no terminal: codes and a moving bar belong into no file.
    forced = None if file and file.isatty() else False
    return Console(file=file, stderr=True, quiet=quiet, highlight=False, soft_wrap=True, force_terminal=forced)


class CellProgress:
    """Shows how a run goes; silent with `quiet`."""

    def __init__(self, cells: Sequence[Cell], *, quiet: bool) -> None:
        self._total, self._done = len(cells), 0
        self._console = _console(quiet=quiet)
        self._bar = Progress(
            TextColumn("measuring"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("cells,"),
            TimeElapsedColumn(),
            TextColumn(f"of about {max((cell.expected_s for cell in cells), default=0) + 10:.0f} s"),
            console=self._console,
            transient=True,
            disable=quiet or not self._console.is_terminal,
        )
        self._task = self._bar.add_task("cells", total=self._total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def ended(self, outcome: CellOutcome) -> None:
        """A cell is over."""
        self._done += 1
        self._bar.advance(self._task)
        self._console.print(f"[{self._done}/{self._total}] {outcome_text(outcome)}", markup=False)


def outcome_text(outcome: CellOutcome) -> str:
    """One line about a finished cell."""
    cell = outcome.cell
    profile = cell.profile.profile
    what = f"{profile.sdk} {profile.version} {cell.transport} {cell.scenario.id}{_settings(cell)} {cell.device}"
    if outcome.status != "finished":
        return f"{what}: {outcome.status}: {outcome.reason}"
    seen = [_count(outcome.renewals, "renewal"), _count(outcome.cuts, "cut")]
    return f"{what}: " + ", ".join(filter(None, [*seen, outcome.reason, f"{outcome.seconds:.1f} s"]))


def _settings(cell: Cell) -> str:
    settings = cell.settings
    parts = [
        "" if settings.lifetime_s is None else f"L={settings.lifetime_s:g}",
        "" if settings.margin_s is None else f"margin={settings.margin_s:g}",
        "" if settings.margin_percent is None else f"margin={settings.margin_percent:g}%",
        "" if cell.repeat == 1 else f"#{cell.repeat}",
    ]
    return "".join(f" {part}" for part in parts if part)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}" if number else ""
