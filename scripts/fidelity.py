"""Play every recording with the SDK's emulated device, and print where the two differ: `python scripts/fidelity.py [FOLDER]`.

Each cell is run in real time against the emulated hub, with the settings, traffic, faults and duration of the recording; about a minute for all of them,
side by side. A recording whose hub did what ours cannot, or whose clock was accelerated, is named with the reason; so is one that is refused.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from harness.analysis import CellFindings, analyse_cell
from harness.analysis.fidelity import differences
from harness.clock import RealClock
from harness.events import CellLog
from harness.fault import Fault
from harness.plan import Cell
from harness.profile import LoadedProfile, Settings, find_profiles
from harness.recorded import bundled_recordings, find_recorded
from harness.run.executor import run_cells
from harness.run.stage import open_staging
from harness.runfolder import RunFolder, RunRecord, read_cells
from harness.scenario import End, HubSettings, Intervals, Scenario

KNOWN: Final = {
    "dotnet-1.42.3-amqp-renewal-refused-once-idle": "there the device came back with a new token, so that it was the old one that had been"
    " refused, as where its timer wakes a few milliseconds early; the emulated device comes back with the refused one and renews it sooner",
    "dotnet-1.42.3-mqtt-connack5-once-sending": "the next message, which brings the device back, is due at another moment, and so is the cut after it",
    "dotnet-1.42.3-mqtt-cut-midlife": "our hub cuts at half of the token's time, that one after 8 s",
}
"""Differences that remain, with their reasons."""
BY_CHANCE: Final = frozenset({"dotnet-1.42.3-mqtt-connack5-once-sending"})
"""Those of them that are not there every time."""
REFUSALS: Final = frozenset({5, 401})
"""The codes by which our hub refuses a token."""
LIMIT_S: Final = 30.0


def why_not(log: CellLog, profiles: Mapping[str, LoadedProfile]) -> str:
    """Why the recording cannot be played with these profiles, or an empty text."""
    header = log.header
    if header.sdk not in profiles:
        return "no profile of the harness plays its SDK"
    if (version := profiles[header.sdk].profile.version) != header.version:
        return f"the profile plays version {version}"
    return _why_not_here(log)


def _why_not_here(log: CellLog) -> str:
    clock = log.header.origin.get("clock")
    if isinstance(clock, Mapping) and clock.get("rate") != 1:
        return f"its clock went {clock.get('rate')} times as fast"
    if log.header.harness:
        return "" if _own_scenario(log) else "its scenario is none that this harness can run"
    if log.header.scenario.get("id") == "wrong-key":
        return "the device had a wrong key"
    for fault in _faults(log):
        if fault["action"] not in {"refuse", "cut"}:
            return f"the hub has no fault {fault['action']}"
        if fault["action"] == "refuse" and fault["code"] not in REFUSALS:
            return f"the hub does not refuse with {fault['code']}"
    return ""


def scenario_of(log: CellLog) -> Scenario:
    """The recording's scenario as one that can be run: as long as it took, with what was asked of the hub."""
    told: Mapping[str, Any] = log.header.scenario
    seconds = _lasted_s(log)
    end = End(after_s=seconds, limit_s=seconds + LIMIT_S)
    if log.header.harness and (own := _own_scenario(log)):
        return msgspec.structs.replace(own, end=end)
    return Scenario(
        schema=1,
        id=re.sub(r"[^a-z0-9-]", "-", str(told["id"])),
        title=str(told["title"]),
        credential=told["credential"],
        traffic=tuple(told["traffic"]),
        settings="main" if told["credential"] == "key" else "none",
        end=end,
        hub=HubSettings(grace_s=told["hub"]["grace_s"], close=told["hub"]["close"]),
        intervals=Intervals(**told["intervals"], gap_probe=False),
        token_lifetime_s=told.get("token_lifetime_s"),
        faults=tuple(_fault(fault) for fault in _faults(log)),
    )


def _own_scenario(log: CellLog) -> Scenario | None:
    """The document by which a run of the harness was made."""
    try:
        return msgspec.convert(log.header.scenario, Scenario)
    except msgspec.ValidationError:
        return None


def _lasted_s(log: CellLog) -> float:
    """From the command to open, which is when a transcript's time begins, to the closing."""
    opened = (event.t for event in log.events if event.kind == "command" and event.fields.get("cmd") == "open")
    closed = (
        event.t for event in log.events if event.kind in {"closing", "cell-end"} or event.fields.get("cmd") == "close"
    )
    return (min(closed) - next(opened, 0)) / 1e6


def _faults(log: CellLog) -> Sequence[Mapping[str, Any]]:
    faults: Any = log.header.scenario.get("faults", ())
    return list(faults)


def _fault(told: Mapping[str, Any]) -> Fault:
    """A cut after so many seconds is one at half of the token's time: our hub knows that moment."""
    if told["action"] == "cut":
        return Fault(at="half-life", action="cut", close="fin")
    return Fault(at="renewal", action="refuse", times=told["times"])


def cell_of(log: CellLog, profile: LoadedProfile) -> Cell:
    """The cell that plays it."""
    scenario, told = scenario_of(log), log.header.settings
    names = ("lifetime_s", "margin_s", "margin_percent")
    return Cell(
        id=log.header.cell,
        profile=profile,
        transport=log.header.transport,
        scenario=scenario,
        settings=msgspec.convert({name: told.get(name) for name in names}, Settings),
        settings_index=0,
        repeat=1,
        device="emulated",
        expected_s=scenario.end.after_s,
        limit_s=scenario.end.limit_s,
    )


async def _play(cells: Sequence[Cell], folder: RunFolder) -> None:
    clock = RealClock()
    async with open_staging(clock, 1) as staging:
        await run_cells(cells, folder, staging, clock, jobs=len(cells), on_end=lambda _: None)


def play(logs: Sequence[CellLog], profiles: Mapping[str, LoadedProfile]) -> dict[str, CellFindings]:
    """What emulated devices of these profiles show under the circumstances of these recordings, by cell."""
    cells = [cell_of(log, profiles[log.header.sdk]) for log in logs]
    with tempfile.TemporaryDirectory() as root:
        folder = RunFolder.create(Path(root), RunRecord(1, "fidelity", "", "running", tuple(cell.id for cell in cells)))
        asyncio.run(_play(cells, folder))
        return {log.header.cell: analyse_cell(log) for log in read_cells(folder.path) if isinstance(log, CellLog)}


def report(logs: Sequence[CellLog]) -> list[str]:
    """Line by line: what agrees, what differs and how, what cannot be played and why."""
    profiles = {loaded.profile.sdk: loaded for loaded in find_profiles()}
    played = play([log for log in logs if not why_not(log, profiles)], profiles)
    lines = []
    for log in logs:
        name = log.header.cell
        found = differences(analyse_cell(log), played[name]) if name in played else ()
        state = f"not played: {why_not(log, profiles)}" if name not in played else "differs" if found else "agrees"
        if found and name in KNOWN:
            state += f": {KNOWN[name]}"
        lines += [f"{name}: {state}", *(f"  {line}" for line in found)]
    return lines


def main(folder: Path) -> None:
    """Print it."""
    found = list(find_recorded(folder))
    lines = report([one for one in found if isinstance(one, CellLog)])
    refused = [str(one) for one in found if not isinstance(one, CellLog)]
    sys.stdout.write("\n".join([*lines, *refused]) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else bundled_recordings())
