"""Runs all cells of a plan side by side, and keeps what was measured when it is stopped."""

import asyncio
import os
from collections.abc import Callable, Sequence

from harness.clock import Clock
from harness.plan import Cell
from harness.run.cell import CellOutcome, CellRun
from harness.run.stage import Staging
from harness.runfolder import RunFolder

__all__ = ["default_jobs", "run_cells"]

_STAGGER_REAL_S = 0.4
_STAGGER_EMULATED_S = 0.05


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

    Starts are a little apart, so that the devices do not all dial at one moment. Cancelled, every cell under way writes its last
    event before the cancellation goes on.
    """
    places = asyncio.Semaphore(jobs)

    async def run(cell: Cell, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        async with places:
            on_end(await CellRun(cell, folder, staging, clock).run())

    delay_s = 0.0
    async with asyncio.TaskGroup() as group:
        for cell in sorted(cells, key=lambda cell: -cell.expected_s):
            group.create_task(run(cell, delay_s))
            delay_s += _STAGGER_REAL_S if cell.device == "real" else _STAGGER_EMULATED_S
