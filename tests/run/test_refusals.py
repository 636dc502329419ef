"""Refused devices over real sockets: nobody beside them is disturbed, whatever their misfortune."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.plans import a_cell, a_scenario
from support.scenarios import bundled_scenarios

from harness.analysis import Row, analyse
from harness.clock import RealClock
from harness.documents import TRANSPORTS
from harness.events import CellLog
from harness.plan import Cell
from harness.profile import bundled_folder, load_profile
from harness.run.executor import run_cells
from harness.run.stage import open_staging
from harness.runfolder import RunFolder, RunRecord, read_cells
from harness.scenario import End

pytestmark = pytest.mark.slow

REFUSED = [one for one in bundled_scenarios().values() if one.refused_at_first]
SETTLED = a_scenario(end=End(renewals=2, after_s=0.5, limit_s=10.0))
UNTOUCHED = a_cell(scenario=SETTLED, id="untouched", awaited_renewals=2)
JAVA = load_profile(bundled_folder() / "java")
"""Which speaks all five."""


def run(root: Path, *cells: Cell) -> list[Row]:
    """Measure the cells side by side, as `harness compare` does; what came out."""
    names = tuple(cell.id for cell in cells)
    folder = RunFolder.create(root, RunRecord(format=1, run="r", started="", status="running", cells=names))

    async def measure() -> None:
        clock = RealClock()
        async with open_staging(clock, 1) as staging:
            await run_cells(cells, folder, staging, clock, jobs=99, on_end=lambda _: None)

    asyncio.run(measure())
    folder.finish("finished", dt.datetime.now(dt.UTC))
    return list(analyse(log for log in read_cells(folder.path) if isinstance(log, CellLog)))


def refused_cells(transport: str) -> list[Cell]:
    """Every refusal over a transport."""
    short = End(first_refusals=1, after_s=4.0, limit_s=10.0)
    about = [one.over(transport) for one in REFUSED if transport in one.is_about]
    scenarios = [msgspec.structs.replace(one, end=short) for one in about]
    return [a_cell(JAVA, one, id=f"{one.id}-{transport}", transport=transport, device="emulated") for one in scenarios]


def findings(rows: Sequence[Row]) -> dict[str, Any]:
    """What the untouched device showed, without what a busy machine may move: moments and gaps, and how much was sent."""
    (row,) = [one for one in rows if one.cells[0].cell == "untouched"]
    moving = {
        "cells",
        "points_s",
        "gap_ms",
        "gap_median_ms",
        "noisy",
        "law",
        "disconnect_law",
        "sent",
        "way",
        "lifetime_s",
    }
    return {name: value for name, value in msgspec.to_builtins(row).items() if name not in moving}


def test_what_an_untouched_device_shows_does_not_change(tmp_path: Path) -> None:
    """Beside every refusal over every transport it shows what it shows alone."""
    alone = run(tmp_path / "alone", UNTOUCHED)
    crowd = [cell for transport in TRANSPORTS for cell in refused_cells(transport)]
    beside = run(tmp_path / "beside", UNTOUCHED, *crowd)
    assert findings(beside) == findings(alone)
    assert len([row for row in beside if row.first_refusal]) == len(crowd)
