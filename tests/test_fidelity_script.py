"""Which recordings `scripts/fidelity.py` plays, and how: those that were converted, and those that `harness record` made."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from support.analysis_logs import LogBuilder, header
from support.plans import a_profile
from support.scenarios import bundled_scenarios

from harness.events import CellLog
from harness.profile import LoadedProfile
from harness.recorded import bundled_recordings, read_recorded

ROOT = Path(__file__).parent.parent
DOTNET = bundled_recordings() / "dotnet-1.42.3-2026-11-24"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that plays them."""
    spec = importlib.util.spec_from_file_location("fidelity", ROOT / "scripts" / "fidelity.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def of_a_run(scenario: str = "renewal", **changes: Any) -> CellLog:
    """A cell of a run of ours, in which the device was told to open after two seconds and to close after thirty."""
    log = LogBuilder(header(scenario, harness="0.1.0", **changes))
    log.at(2).harness("command", cmd="open").connect(60).at(30).harness("command", cmd="close").at(31).end()
    return log.log()


def profiles() -> dict[str, LoadedProfile]:
    """What can be played: version 1.0 of one SDK."""
    return {"sdk": a_profile("sdk")}


@pytest.mark.parametrize("scenario", sorted(bundled_scenarios()))
def test_a_recording_of_a_run_is_played_by_its_own_scenario(script: ModuleType, scenario: str) -> None:
    """For as long as the device was open."""
    log = of_a_run(scenario)
    assert script.why_not(log, profiles()) == ""
    played = script.scenario_of(log)
    assert (played.end.after_s, played.end.limit_s) == (28.0, 58.0)
    assert msgspec.structs.replace(played, end=bundled_scenarios()[scenario].end) == bundled_scenarios()[scenario]


def test_a_transcript_is_played_by_what_its_header_tells(script: ModuleType) -> None:
    """Which is no document of ours."""
    log = read_recorded(DOTNET / "dotnet-1.42.3-mqtt-cut-midlife.jsonl")
    played = script.scenario_of(log)
    assert ([(one.at, one.action) for one in played.faults], played.hub.grace_s) == ([("half-life", "cut")], 5.0)
    assert 40 < played.end.after_s < 40.1


@pytest.mark.parametrize(
    ("log", "known", "why"),
    [
        (of_a_run(), {}, "no profile of the harness plays its SDK"),
        (of_a_run(version="2.0"), profiles(), "the profile plays version 1.0"),
        (
            of_a_run(scenario_document={"id": "renewal", "faults": [{"at": "some other day"}]}),
            profiles(),
            "its scenario is none that this harness can run",
        ),
    ],
)
def test_what_cannot_be_played_is_named(
    script: ModuleType, log: CellLog, known: dict[str, LoadedProfile], why: str
) -> None:
    """With the reason, and nothing else stops for it."""
    assert script.why_not(log, known) == why
