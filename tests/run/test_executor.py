"""Which cells are let in, and when: the cells themselves are stood in for."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from support.plans import a_cell

from harness.clock import RealClock
from harness.plan import Cell
from harness.run.cell import CellOutcome
from harness.run.executor import run_cells
from harness.run.stage import Staging
from harness.run.starting import StartGate
from harness.runfolder import RunFolder


class Watched:
    """A cell that does nothing but be under way, and remembers with which others."""

    starting = 0
    running = 0
    most_starting = 0
    most_running = 0

    def __init__(
        self, cell: Cell, _folder: object, _staging: object, _clock: object, started: Callable[[], None]
    ) -> None:
        self.cell, self.started = cell, started

    async def run(self) -> CellOutcome:
        """Start, then be measured."""
        kind = type(self)
        kind.starting, kind.running = kind.starting + 1, kind.running + 1
        kind.most_starting, kind.most_running = (
            max(kind.most_starting, kind.starting),
            max(kind.most_running, kind.running),
        )
        await asyncio.sleep(0.01)
        kind.starting -= 1
        self.started()
        await asyncio.sleep(0.3)
        kind.running -= 1
        return CellOutcome(self.cell, "finished", "", 0.0)


def most_at_a_time(monkeypatch: pytest.MonkeyPatch, *cells: Cell, jobs: int = 20) -> tuple[int, int]:
    """How many of these started, and how many were under way, at a time, where two may start."""

    class Counted(Watched):
        """These, and none of the test before."""

    monkeypatch.setattr("harness.run.executor.CellRun", Counted)
    monkeypatch.setattr("harness.run.executor.StartGate", lambda: StartGate(2))
    ended: list[CellOutcome] = []
    stand_ins = cast("Any", None)
    folder, staging = cast("RunFolder", stand_ins), cast("Staging", stand_ins)
    asyncio.run(run_cells(cells, folder, staging, RealClock(), jobs=jobs, on_end=ended.append))
    assert {outcome.cell.id for outcome in ended} == {cell.id for cell in cells}
    return Counted.most_starting, Counted.most_running


def real(number: int, **changes: Any) -> Cell:
    """A cell with a real device."""
    return a_cell(id=f"real-{number}", device="real", **changes)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is a little apart otherwise comes at one moment."""
    monkeypatch.setattr("harness.run.executor._STAGGER_S", 0.0)


def test_real_devices_start_by_turns_and_run_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two start at a time, and all five are measured together."""
    assert most_at_a_time(monkeypatch, *map(real, range(5))) == (2, 5)


def test_emulated_devices_wait_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have no process to start."""
    cells = [a_cell(id=f"emulated-{number}", device="emulated") for number in range(5)]
    assert most_at_a_time(monkeypatch, *cells) == (5, 5)


def test_no_more_run_than_there_are_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they are."""
    assert most_at_a_time(monkeypatch, *map(real, range(3)), jobs=1) == (1, 1)
