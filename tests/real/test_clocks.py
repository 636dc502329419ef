"""Real SDKs in a process whose clock really is off, beside a hub that judges them by a clock that is off the other way: what is seen is the same."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.real_runs import finish, from_app, start_comparison
from support.runtimes import demand_faketime

from harness.events import CellLog
from harness.runfolder import read_cells

pytestmark = pytest.mark.slow(seconds=20)

SENSES = {"ahead": 360.0, "behind": -360.0}
MOVING = frozenset({"scenario", "cells", "way", "verdicts", "gap_ms", "gap_median_ms", "noisy", "points_s", "title"})
Rows = Mapping[tuple[str, str, str], Mapping[str, Any]]
Logs = Mapping[tuple[str, str, str], CellLog]
PLAYERS = [("python", "mqtt"), *((sdk, over) for sdk in ("node", "java", "c") for over in ("mqtt", "amqp"))]
over_all = pytest.mark.parametrize(
    ("sdk", "transport"), [pytest.param(*one, marks=pytest.mark.real_sdk(runtime=one[0])) for one in PLAYERS]
)
both_senses = pytest.mark.parametrize("sense", SENSES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, required: frozenset[str]) -> Path:
    """The run's folder."""
    demand_faketime(required)
    root = tmp_path_factory.mktemp("run")
    wanted = [f"clock-{sense}-6{how}" for sense in SENSES for how in ("", "-process")]
    return finish(start_comparison(root, wanted, "--transport", "mqtt,amqp", "--sdk", "python,node,java,c"), root, 180)


@pytest.fixture(scope="module")
def logs(folder: Path) -> Logs:
    """The logs by SDK, transport and scenario."""
    read = [log for log in read_cells(folder) if isinstance(log, CellLog)]
    return {(log.header.sdk, log.header.transport, str(log.header.scenario["id"])): log for log in read}


@pytest.fixture(scope="module")
def rows(folder: Path) -> Rows:
    """What analysis found, likewise."""
    found = json.loads((folder / "findings.json").read_text())["rows"]
    return {(row["sdk"], row["transport"], row["scenario"]): row for row in found}


@over_all
@both_senses
def test_the_process_is_off(logs: Logs, sdk: str, transport: str, sense: str) -> None:
    """Every event of the device program bears the time of its own clock."""
    log = logs[sdk, transport, f"clock-{sense}-6-process"]
    (hello,) = from_app(log, "hello")
    (before,) = from_app(logs[sdk, transport, f"clock-{sense}-6"], "hello")
    assert float(str(hello.fields["device_t"])) - float(str(before.fields["device_t"])) == pytest.approx(
        SENSES[sense], abs=60
    )


@over_all
@both_senses
def test_it_makes_no_difference_whose_clock_is_off(rows: Rows, sdk: str, transport: str, sense: str) -> None:
    """The findings, but for moments."""
    shown = [
        {name: value for name, value in rows[sdk, transport, f"clock-{sense}-6{how}"].items() if name not in MOVING}
        for how in ("", "-process")
    ]
    assert shown[0] == shown[1]
