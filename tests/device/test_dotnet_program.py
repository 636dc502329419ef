"""sdk_profiles/dotnet, as far as it can be tested without .NET: what is started, with which variables, and that a cell takes what it says."""

import asyncio
import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from support.plans import a_cell, a_scenario

from harness.clock import RealClock
from harness.device.adapter import EventReader, Limits, variables_of
from harness.device.environments import Environments
from harness.device.runtimes import RUNTIMES
from harness.errors import EnvironmentProblem
from harness.events import CellLog
from harness.profile import AdapterProgram, LoadedProfile, bundled_folder, load_profile
from harness.run.executor import run_cells
from harness.run.stage import open_staging
from harness.runfolder import RunFolder, RunRecord, read_cells
from harness.scenario import End

PROFILE = load_profile(bundled_folder() / "dotnet")
STAND_IN = Path(__file__).parents[1] / "support" / "dotnet_stand_in.py"
RECORDINGS = Path(__file__).parents[2] / "results" / "recorded" / "dotnet-1.42.3-2026-11-24"
HELLO = (
    b'{"event":"hello","t":1795521600.123,"protocol":1,"sdk":"dotnet","sdk_version":"1.42.3","runtime":".NET 10.0.12",'
    b'"transports":["mqtt","mqtt-ws","amqp","amqp-ws","https"],"capabilities":["lifetime","margin-percent","own-token","x509"]}\n'
)


def adapter() -> AdapterProgram:
    """How the device program is started."""
    assert PROFILE.profile.adapter is not None
    return PROFILE.profile.adapter


def stand_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, version: str = "8.0.404", recording: str = "mqtt-renewal"
) -> None:
    """Put a `dotnet` first on the path that replays a recording."""
    program = folder / "bin" / "dotnet"
    program.parent.mkdir()
    told = RECORDINGS / f"dotnet-1.42.3-{recording}.jsonl"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "{told}" "{version}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def prepared(folder: Path) -> LoadedProfile:
    """The profile with its environment made."""
    return asyncio.run(Environments(folder / "cache", lambda _: None).prepare(PROFILE))


def test_the_program_is_what_the_project_builds() -> None:
    """An assembly has the name of its project; the output's folder is named in the command."""
    project, output = (adapter().install[place] for place in (2, adapter().install.index("--output") + 1))
    assert (PROFILE.folder / project).is_file()
    assert adapter().command == ("dotnet", f"{{folder}}/{output}/{Path(project).stem}.dll")


def test_the_package_is_pinned_to_the_profiles_version() -> None:
    """To that one and no later one, and nothing else is referenced."""
    root = ET.parse(PROFILE.folder / "device.csproj").getroot()  # noqa: S314 - a file of ours
    references = [(one.get("Include"), one.get("Version")) for one in root.iter("PackageReference")]
    assert references == [("Microsoft.Azure.Devices.Client", f"[{PROFILE.profile.version}]")]


def test_the_project_runs_on_dotnet_8_and_later() -> None:
    """Built for the oldest that will do."""
    root = ET.parse(PROFILE.folder / "device.csproj").getroot()  # noqa: S314 - a file of ours
    said = {one.tag: one.text for group in root.iter("PropertyGroup") for one in group}
    assert (said["TargetFramework"], said["RollForward"], said["OutputType"]) == ("net8.0", "Major", "Exe")
    assert RUNTIMES["dotnet"].at_least == 8


def test_the_program_says_what_the_profile_needs() -> None:
    """Every transport of the adapter, and the capabilities that its settings take."""
    text = (PROFILE.folder / "device.cs").read_text(encoding="utf-8")
    said = {
        name: re.search(rf'\["{name}"\] = new JsonArray\(([^)]*)\)', text) for name in ("transports", "capabilities")
    }
    assert all(said.values())
    transports, capabilities = (set(re.findall(r'"([^"]+)"', found[1])) for found in said.values() if found)
    assert set(adapter().transports) <= transports
    assert {"lifetime", "margin-percent", "own-token"} <= capabilities


def test_the_authority_is_trusted_by_a_variable(tmp_path: Path) -> None:
    """The file that OpenSSL reads; the CLI keeps its figures to itself, and makes no authority of its own for the user to trust."""
    variables = variables_of(adapter(), tmp_path, tmp_path / "ca.pem")
    assert variables["SSL_CERT_FILE"] == str(tmp_path / "ca.pem")
    assert variables["DOTNET_CLI_TELEMETRY_OPTOUT"] == "1"
    assert variables["DOTNET_GENERATE_ASPNET_CERTIFICATE"] == "false"


def test_without_a_hub_nobody_is_trusted(tmp_path: Path) -> None:
    """As for a handshake alone."""
    assert variables_of(adapter(), tmp_path, None)["SSL_CERT_FILE"] == "/dev/null"


def test_its_hello_is_understood() -> None:
    """As it was recorded."""
    reader = EventReader(Limits())
    assert len(list(reader.receive(HELLO))) == 1
    assert reader.hello is not None
    assert (reader.hello.sdk, reader.hello.sdk_version, reader.hello.runtime) == ("dotnet", "1.42.3", ".NET 10.0.12")
    assert set(adapter().transports) <= set(reader.hello.transports)


@pytest.mark.parametrize("version", ["6.0.428", "No .NET SDKs were found."])
def test_an_older_dotnet_will_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Nor a runtime without its SDK; the command that brings it is named."""
    stand_in(tmp_path, monkeypatch, version=version)
    with pytest.raises(EnvironmentProblem, match=r"is needed; dotnet --version says: .*dotnet-install\.sh"):
        prepared(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["8.0.404", "10.0.100"])
def test_it_is_restored_and_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """By the command of the profile, with its variables, in a folder of its own."""
    stand_in(tmp_path, monkeypatch, version=version)
    folder = prepared(tmp_path).folder
    assert (folder / "build" / "device.dll").is_file()
    assert (folder / "build" / "variables").read_text(encoding="utf-8") == "1"
    assert prepared(tmp_path).folder == folder


@pytest.mark.slow
def test_a_cell_takes_what_the_program_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the handshake to the exit: it is led to the hub by its address, trusts the run's authority, and its events are in the log."""
    stand_in(tmp_path, monkeypatch)
    ready = prepared(tmp_path)
    scenario = a_scenario(end=End(after_s=0.5, limit_s=2.5))
    cell = a_cell(ready, scenario, id="dotnet", limit_s=2.5)
    folder = RunFolder.create(tmp_path / "runs", RunRecord(1, "r", "", "running", ("dotnet",)))

    async def measure() -> None:
        clock = RealClock()
        async with open_staging(clock, 1) as staging:
            await run_cells([cell], folder, staging, clock, jobs=1, on_end=lambda _: None)

    asyncio.run(measure())
    (log,) = (one for one in read_cells(folder.path) if isinstance(one, CellLog))
    seen = [
        (event.kind, event.fields.get("status")) for event in log.events if event.src == "app" and event.kind != "sent"
    ]
    retrying, connected = ("status", "Disconnected_Retrying"), ("status", "Connected")
    assert seen == [
        ("hello", None), connected, ("opened", None), retrying, connected, retrying, connected, ("closed", None),
    ]  # fmt: skip
    assert log.events[-1].fields["status"] == "finished"
    told = [json.loads(line) for line in (ready.folder / "build" / "commands").read_text(encoding="utf-8").splitlines()]
    assert [told[0]["cmd"], told[-1]["cmd"]] == ["open", "close"]
    assert told[0]["trusts"] == told[0]["ca_pem"]
    assert f"HostName={log.header.way['address']};" in told[0]["connection_string"]
    assert {name: told[0].get(name) for name in ("transport", "lifetime_s")} == {
        "transport": "mqtt",
        "lifetime_s": 20.0,
    }
