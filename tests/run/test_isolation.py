"""Cells in trouble over real sockets: nobody beside them is disturbed, whatever their misfortune and whatever bytes come in.

Every trouble that a bundled scenario has is played, over one transport after the other and with shorter lives, and at four more doors of the same process whatever the fuzzer
makes comes in. Devices beside them show what they show alone, but for what a busy machine moves.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from support.fleet import Home, fleet
from support.plans import a_cell, a_scenario

from fuzz.mutation import fragments
from fuzz.targets import target
from harness.analysis import analyse
from harness.clock import RealClock
from harness.documents import CONNECTED
from harness.events import CellLog
from harness.fault import Fault
from harness.net.addresses import Door
from harness.net.certificates import client_context
from harness.plan import Cell, Request, make_plan
from harness.profile import Settings, bundled_folder, load_profile
from harness.run.executor import run_cells
from harness.run.stage import open_staging
from harness.runfolder import RunFolder, RunRecord, read_cells
from harness.scenario import End, Scenario, find_scenarios

pytestmark = pytest.mark.slow(seconds=90)

JAVA = load_profile(bundled_folder() / "java")
"""Which speaks over all transports."""
LIFETIME_S, OUTAGE_S, LIMIT_S = 6.0, 2.0, 13.0
SETTLED = {"mqtt": ("renewal", 3), "amqp": ("renewal", 5), "https": ("https-renewal", 5)}
"""Of the untouched devices: the scenario, and the renewals to see, which take longer than the crowd is there."""
UNTOUCHED = [
    a_cell(
        JAVA, a_scenario(name, end=End(renewals=renewals, after_s=0.5, limit_s=70.0)), id=f"untouched-{transport}",
        transport=transport, device="emulated", settings=Settings(lifetime_s=8.0), awaited_renewals=renewals,
        expected_s=1e6, limit_s=70.0,
    )
    for transport, (name, renewals) in SETTLED.items()
]  # fmt: skip
JOBS = (
    24  # enough to be crowded, and not so many that the event loop is late by seconds where others use the machine too
)
ATTACKS: list[tuple[Door, str]] = [
    ("mqtt", "mqtt-server"), ("amqp", "amqp-server"), ("websocket", "websocket-server"), ("websocket", "https-server"),
]  # fmt: skip
MOVING = frozenset(
    {
        *("cells", "points_s", "gap_ms", "gap_median_ms", "lag_ms", "noisy", "law", "disconnect_law"),
        *("sent", "way", "lifetime_s", "renewals", "put_tokens", "signature_of", "unfinished"),
    }
)
"""Fields of a row that a busy machine may move: moments and gaps, and how many renewals and messages there was time for."""


SCENARIOS = find_scenarios()


def shortened(scenario: Scenario) -> Scenario:
    """The same trouble, sooner and for a shorter time."""
    faults: tuple[Fault, ...] = tuple(
        msgspec.structs.replace(one, for_s=one.for_s and min(one.for_s, OUTAGE_S)) for one in scenario.faults
    )
    lifetime = scenario.token_lifetime_s and min(scenario.token_lifetime_s, LIFETIME_S)
    return msgspec.structs.replace(scenario, faults=faults, token_lifetime_s=lifetime)


def crowd() -> list[Cell]:
    """Every trouble once, over one transport after the other, and over HTTPS where it is about that."""
    names = [name for name in SCENARIOS if not name.endswith(("-idle", "-listening", "-long", "-default"))]
    cells = []
    for number, scenario in enumerate(SCENARIOS[name] for name in names):
        able = [one for one in CONNECTED if one in scenario.is_about] or ["https"]
        request = Request(transports=[able[number % len(able)]], device="emulated")
        cells.append(in_brief(make_plan([JAVA], [scenario], request, lambda _: "")[0]))
    return cells


def in_brief(cell: Cell) -> Cell:
    """The same with shorter lives, for a shorter time."""
    settings = cell.settings if cell.settings.lifetime_s is None else Settings(lifetime_s=LIFETIME_S)
    return msgspec.structs.replace(
        cell, scenario=shortened(cell.scenario), settings=settings, limit_s=LIMIT_S, expected_s=0.0
    )


async def attack(home: Home, door: Door, name: str) -> None:
    """Send what the fuzzer makes, a connection for each input, until cancelled; one in four comes without TLS."""
    random, mutator = Random(name), target(name).mutator
    context, port = client_context(home.authority.ca_pem), home.reservation.ports[door]
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                tls = None if random.random() < 0.25 else context
                _, writer = await asyncio.open_connection(home.reservation.address, port, ssl=tls)
                try:
                    for part in fragments(mutator.make(random), random):
                        writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                finally:
                    writer.transport.abort()
        await asyncio.sleep(0.05)


def run(root: Path, *cells: Cell, hostile: bool = False) -> dict[str, CellLog]:
    """Measure the cells side by side, as `harness compare` does; the logs by cell."""
    names = tuple(cell.id for cell in cells)
    folder = RunFolder.create(root, RunRecord(format=1, run="r", started="", status="running", cells=names))

    async def measure() -> None:
        clock = RealClock()
        async with open_staging(clock, 1) as staging, fleet(len(ATTACKS) if hostile else 0) as homes:
            attacks = [asyncio.create_task(attack(home, *one)) for home, one in zip(homes, ATTACKS, strict=False)]
            await run_cells(cells, folder, staging, clock, jobs=JOBS, on_end=lambda _: None)
            for one in attacks:
                one.cancel()
            ends = await asyncio.gather(*attacks, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError) for end in ends)
            assert all(home.count("accepted") > 5 for home in homes)

    asyncio.run(measure())
    folder.finish("finished", dt.datetime.now(dt.UTC))
    return {log.header.cell: log for log in read_cells(folder.path) if isinstance(log, CellLog)}


def findings(logs: Mapping[str, CellLog]) -> dict[tuple[str, str], Any]:
    """What the untouched devices showed, by cell and field of its row, without what moves."""
    rows = {cell.id: row for cell in UNTOUCHED for row in analyse([logs[cell.id]])}
    shown = {(cell, name): value for cell, row in rows.items() for name, value in msgspec.to_builtins(row).items()}
    shown |= {(cell, "verdicts"): [(one.claim, one.verdict) for one in row.verdicts] for cell, row in rows.items()}
    return {place: value for place, value in shown.items() if place[1] not in MOVING}


def kinds(logs: Iterable[CellLog]) -> set[str]:
    """What happened, with the causes of cuts and the kinds of outages."""
    told = [event for log in logs for event in log.events]
    return {event.kind for event in told} | {
        str(event.fields.get("cause") or event.fields.get("how")) for event in told
    }


def test_what_an_untouched_device_shows_does_not_change(tmp_path: Path) -> None:
    """Beside refusals, faults, outages and takeovers over all transports, and hostile bytes, it shows what it shows alone."""
    alone = run(tmp_path / "alone", *UNTOUCHED)
    logs = run(tmp_path / "beside", *UNTOUCHED, *crowd(), hostile=True)
    shown = findings(logs)
    assert [
        f"{place}: {value!r}, and not {shown[place]!r}"
        for place, value in findings(alone).items()
        if value != shown[place]
    ] == []
    happened = kinds(logs.values())
    assert {"restart", "rst", "half-open", "blackhole", "other-client", "device-deleted"} <= happened
    assert {"fault", "http-response", "put-token-answered", "connack"} <= happened
    assert "defect" not in happened
    refused = {one.id for one in SCENARIOS.values() if one.refused_at_first}
    assert {row.scenario for row in analyse(logs.values()) if row.first_refusal} >= refused
