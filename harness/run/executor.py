"""Runs all cells of a plan side by side, and keeps what was measured when it is stopped."""

import asyncio
import os
from collections.abc import Callable, Sequence

from harness.clock import Clock
from harness.plan import Cell
from harness.run.cell import CellOutcome, CellRun
from harness.run.stage import Staging
from harness.run.starting import StartGate
from harness.runfolder import RunFolder

__all__ = ["default_jobs", "run_cells"]

_STAGGER_S = 0.05  # emulated devices do not all dial at one moment; real ones start by turns


def default_jobs() -> int:
    """How many cells run at once: they mostly wait, but starting an SDK takes a second of a core."""
    return 40 * (os.cpu_count() or 1)


async def run_cells(
    cells: Sequence[Cell],
    folder: RunFolder,
    staging: Staging,
    clock: Clock,
    *,
    jobs: int,
    on_end: Callable[[CellOutcome], None],
) -> None:
    """Run `cells`, at most `jobs` at a time, the longest first; `on_end` is told each outcome as it comes.

    Real devices start by turns, as `StartGate` lets them in. Cancelled, every cell under way writes its last event before the
    cancellation goes on.
    """
    places, gate = asyncio.Semaphore(jobs), StartGate()

    async def run(cell: Cell, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        async with places:
            started = await gate.enter() if cell.device == "real" and not cell.status else _nobody_waits
            try:
                on_end(await CellRun(cell, folder, staging, clock, started).run())
            finally:
                started()

    async with asyncio.TaskGroup() as group:
        for index, cell in enumerate(sorted(cells, key=lambda cell: -cell.expected_s)):
            group.create_task(run(cell, index * _STAGGER_S))


def _nobody_waits() -> None:
    """An emulated device starts in no time, and so does what does not run at all."""
