"""Real SDKs in a process whose clock really is off, beside a hub that judges them by a clock that is off the other way: what is seen is the same."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.real_runs import finish, from_app, start_comparison
from support.runtimes import FAKETIME, demand

from harness.events import CellLog
from harness.runfolder import read_cells

pytestmark = pytest.mark.slow(seconds=20)

SENSES = {"ahead": 360.0, "behind": -360.0}
MOVING = frozenset({"scenario", "cells", "way", "log", "lifetime_s"})
"""Of a row, what names the cell, or lasts as long as the machine pleases; `attempts` likewise, below."""
MOMENTS = frozenset({"at_s", "watched_s", "attempts"})
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
    demand(FAKETIME, required)
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


def settled(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The findings, without moments, and what the application was shown without its order: it is shown that by several threads.

    The SDK for Python asks at once for a token to replace one of half a minute, now and then before its application can listen to that.
    """
    refused = row.get("first_refusal") or {}
    return {
        **{name: value for name, value in row.items() if name not in MOVING},
        "first_refusal": {name: value for name, value in refused.items() if name not in MOMENTS},
        "app": set(row["app"]) - {"on_new_sastoken_required"},
    }


@over_all
@both_senses
def test_it_makes_no_difference_whose_clock_is_off(rows: Rows, sdk: str, transport: str, sense: str) -> None:
    """The hub judges the same token the same way, and the SDK shows its application the same."""
    one, other = (rows[sdk, transport, f"clock-{sense}-6{how}"] for how in ("", "-process"))
    assert settled(one) == settled(other)
    assert one["lifetime_s"] == pytest.approx(other["lifetime_s"], abs=20)
    assert ("first_refusal" not in one) == (sense == "ahead")
