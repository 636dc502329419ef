"""`harness record`, and recordings beside a run and by themselves, as a user meets them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.analysis_logs import LogBuilder, early_renewal, header
from support.scenarios import bundled_scenarios

from harness.cli import running
from harness.cli.main import main
from harness.cli.results import derive, derive_recordings
from harness.plan import Cell, Request, make_plan
from harness.profile import find_profiles
from harness.recorded import Provenance, bundled_recordings, read_recorded, seal
from harness.runfolder import RunFolder, RunRecord

DOTNET = bundled_recordings() / "dotnet-1.42.3-2026-11-24"
BUILT = ("--built", "wheel 2.14.0 of PyPI")


def call(*arguments: str | Path) -> int:
    """Run a command; its exit code."""
    with pytest.raises(SystemExit) as caught:
        main([str(one) for one in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def a_run(root: Path, **logs: LogBuilder) -> Path:
    """A run's folder with these cells."""
    folder = RunFolder.create(root, RunRecord(1, "r", "", "finished", tuple(logs)))
    for name, log in logs.items():
        (folder.path / "cells" / f"{name}.jsonl").write_bytes(b"".join(log.lines()))
    return folder.path


def a_log(cell: str = "one", **changes: Any) -> LogBuilder:
    """A finished cell of a real device that told its runtime."""
    log = LogBuilder(header(cell=cell, started="2026-11-20T10:00:00Z", harness="0.1.0", **changes))
    log.app("hello", sdk_version="1.1", runtime="R 3", capabilities=[])
    return log.connect(60).at(1).close().end()


def test_a_runs_real_devices_are_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what their logs say and what only their owner knows; what is emulated or unfinished stays behind."""
    run = a_run(tmp_path, one=a_log(), two=a_log("two", device="emulated"), three=LogBuilder().end("environment"))
    assert call("record", run, *BUILT, "--machine", "a board", "--out", tmp_path / "out") == 0
    (file,) = (tmp_path / "out").rglob("*.jsonl")
    assert capsys.readouterr().out.splitlines() == [str(file)]
    assert file.relative_to(tmp_path / "out") == Path("sdk-1.1-2026-11-20/one.jsonl")
    origin = read_recorded(file).header.origin
    assert (origin["runtime"], origin["built"], origin["machine"]) == ("R 3", "wheel 2.14.0 of PyPI", "a board")
    assert origin["hub"] == "the emulated hub of harness 0.1.0"


def test_recordings_go_beside_the_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing else is said."""
    monkeypatch.chdir(tmp_path)
    run = a_run(tmp_path / "runs", one=a_log())
    assert call("record", run / "cells" / "one.jsonl", *BUILT) == 0
    assert (tmp_path / "recorded" / "sdk-1.1-2026-11-20" / "one.jsonl").is_file()


def test_what_is_recorded_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is evidence."""
    arguments = ("record", a_run(tmp_path, one=a_log()), *BUILT, "--out", tmp_path / "out")
    assert [call(*arguments), call(*arguments)] == [0, 2]
    assert "cannot be written (File exists)" in capsys.readouterr().err


def test_a_run_without_a_finished_real_device_has_nothing_to_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so."""
    assert call("record", a_run(tmp_path, one=a_log(device="emulated")), *BUILT) == 2
    assert "holds no finished cell of a real device" in capsys.readouterr().err


def test_the_runtime_has_to_be_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the device program or from its owner."""
    run = a_run(tmp_path, one=early_renewal(head=header(started="2026-11-20T10:00:00Z")))
    assert call("record", run, *BUILT, "--out", tmp_path / "out") == 2
    assert "its provenance does not say: runtime. Say it with --built or --runtime" in capsys.readouterr().err
    assert call("record", run, *BUILT, "--runtime", "R 4", "--out", tmp_path / "out") == 0


def test_a_recording_that_would_be_refused_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Blanks say nothing of where a binary came from."""
    assert call("record", a_run(tmp_path, one=a_log()), "--built", " ", "--out", tmp_path / "out") == 2
    assert "origin: its provenance does not say: built" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_recording_cannot_be_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That is what is said of it, not what else it does not have."""
    assert call("record", DOTNET / "dotnet-1.42.3-mqtt-renewal.jsonl", *BUILT, "--out", tmp_path) == 2
    assert "is a recording already" in capsys.readouterr().err


def test_where_one_log_cannot_be_recorded_none_is(tmp_path: Path) -> None:
    """The command can be given again once it is right."""
    good = a_run(tmp_path, one=a_log()) / "cells" / "one.jsonl"
    bad = a_run(tmp_path, two=a_log("two", device="emulated")) / "cells" / "two.jsonl"
    assert call("record", good, bad, *BUILT, "--out", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


def test_two_logs_of_one_name_are_not_recorded_over_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cells of two runs of one day have the same."""
    runs = [a_run(tmp_path, one=a_log()) for _ in range(2)]
    assert call("record", *runs, *BUILT, "--out", tmp_path / "out") == 2
    assert "two of the logs would have this name" in capsys.readouterr().err


def test_a_log_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the system's word for it."""
    log = a_run(tmp_path, one=a_log()) / "cells" / "one.jsonl"

    def read_bytes(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert call("record", log, *BUILT) == 2
    assert f"{log}: cannot be read (Permission denied). Check its permissions" in capsys.readouterr().err


def test_recordings_are_analysed_by_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of them, or one; judged by the claims of today's profile."""
    assert call("analyse", DOTNET / "dotnet-1.42.3-mqtt-renewal.jsonl", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["device"], row["origin"], row["origin_details"]["date"]) == ("real", "recorded", "2026-11-24")
    assert {one["claim"] for one in row["verdicts"]} >= {"renewal-action", "hub-log"}
    assert call("analyse", DOTNET) == 0
    assert "real, recorded 2026-11-24" in capsys.readouterr().out


def test_an_edited_recording_is_refused_and_the_others_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By name, with exit code 2."""
    for name in ("mqtt-renewal", "mqtt-defaults"):
        shutil.copy(DOTNET / f"dotnet-1.42.3-{name}.jsonl", tmp_path)
    edited = tmp_path / "dotnet-1.42.3-mqtt-renewal.jsonl"
    edited.write_bytes(edited.read_bytes().replace(b"Communication_Error", b"Communication_Fault", 1))
    assert call("analyse", tmp_path) == 2
    said = capsys.readouterr()
    assert f"{edited}: origin.digest: was changed" in said.err
    assert "renewal-at-defaults" in said.out


@pytest.mark.parametrize("more", [["--write"], []])
def test_what_is_no_evidence_is_told(tmp_path: Path, more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written beside recordings; a folder without any is neither a run nor recordings."""
    place = DOTNET if more else tmp_path
    assert call("analyse", place, *more) == 2
    assert ("is no run" in capsys.readouterr().err) is True


def test_a_folder_of_runs_holds_no_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its cells are none; nor are the recordings that stood beside a run the folder's."""
    a_run_of(tmp_path / "runs", planned("renewal"))
    assert call("analyse", tmp_path / "runs") == 2
    said = capsys.readouterr()
    assert "runs: is no run folder" in said.err
    assert said.out == ""


def test_a_claim_of_their_own_is_kept(tmp_path: Path) -> None:
    """What a contributor's run was judged by stands in the log."""
    claims = [{"id": "mine", "kind": "renewal-action", "value": "none", "source": {"document": "d", "date": "2026"}}]
    assert call("record", a_run(tmp_path, one=a_log(claims=claims)), *BUILT, "--out", tmp_path / "out") == 0
    (row,) = derive_recordings(tmp_path / "out").rows
    assert "mine" in {one.claim for one in row.verdicts}


def planned(*scenarios: str, transport: str = "mqtt", device: str = "emulated") -> list[Cell]:
    """The cells of the SDK for .NET."""
    known = bundled_scenarios()
    request = Request(sdks=["dotnet"], transports=[transport])
    cells = make_plan(find_profiles(), [known[name] for name in scenarios], request, lambda _: "no .NET here")
    assert {cell.device for cell in cells} == {device}
    return cells


def a_run_of(root: Path, cells: list[Cell]) -> Path:
    """A run's folder as the comparison leaves it, its cells having seen nothing."""
    folder = RunFolder.create(root, RunRecord(1, "r", "", "finished", tuple(cell.id for cell in cells)))
    running._add_recordings(folder, cells)
    for cell in cells:
        head = header(
            cell.scenario.id, cell=cell.id, sdk="dotnet", version="1.42.3", device="emulated",
            transport=cell.transport, way={"why_emulated": cell.why_emulated},
        )  # fmt: skip
        (folder.path / "cells" / f"{cell.id}.jsonl").write_bytes(b"".join(LogBuilder(head).connect(60).end().lines()))
    return folder.path


def test_recordings_stand_beside_the_rows_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One of the scenario that was run, for the transport that was asked for; and why nothing real was measured."""
    run = a_run_of(tmp_path, planned("renewal"))
    assert [(row.device, row.origin["kind"]) for row in derive(run).rows] == [
        ("emulated", "this-run"),
        ("real", "recorded"),
    ]
    assert call("analyse", run) == 0
    assert "dotnet: no real device in this run: no .NET here" in capsys.readouterr().out.splitlines()


def test_recordings_of_two_dates_stand_beside_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their files have one name, for their cells have; each is a row of its own."""
    told = read_recorded(DOTNET / "dotnet-1.42.3-mqtt-renewal.jsonl")
    for date in ("2026-11-24", "2026-12-01"):
        provenance = Provenance(date=date, sdk="dotnet", version="1.42.3", runtime="R", built="b", hub="h")
        (tmp_path / date).mkdir()
        (tmp_path / date / "dotnet-one.jsonl").write_bytes(seal(told.header, provenance, told.events))
    monkeypatch.setattr(running, "bundled_recordings", lambda: tmp_path)
    rows = derive(a_run_of(tmp_path / "runs", planned("renewal"))).rows
    assert [row.origin.get("date") for row in rows] == [None, "2026-11-24", "2026-12-01"]


def test_a_scenario_without_recordings_has_none_beside_it(tmp_path: Path) -> None:
    """Whatever was recorded in others."""
    assert {row.origin["kind"] for row in derive(a_run_of(tmp_path, planned("cut-idle"))).rows} == {"this-run"}


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ([], True),
        (["--device", "real"], True),
        (["--device", "emulated"], False),
        (["--lifetime", "30"], False),
        (["--grace", "9"], False),
    ],
)
def test_whose_recordings_are_shown(more: list[str], shown: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a table
    """Not beside emulated devices alone, nor beside settings that none of them had."""
    wishes: list[running.Wish] = []

    def measure(wish: running.Wish, _: object) -> int:
        wishes.append(wish)
        return 0

    monkeypatch.setattr("harness.cli.compare.measure", measure)
    assert call("compare", "--sdk", "dotnet", "--scenario", "renewal", "--transport", "mqtt", *more) == 0
    assert [wish.recordings for wish in wishes] == [shown]


def test_a_recording_that_was_changed_since_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also beside a run, whose own rows are printed."""
    run = a_run_of(tmp_path, planned("renewal"))
    file = run / "recorded" / DOTNET.name / "dotnet-1.42.3-mqtt-renewal.jsonl"
    file.write_bytes(file.read_bytes()[:-30])
    assert call("analyse", run) == 2
    said = capsys.readouterr()
    assert "was cut short" in said.err
    assert "emulated" in said.out


def test_a_bundled_recording_that_is_damaged_costs_itself_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told, and the comparison goes on."""
    for name in ("mqtt-renewal", "mqtt-defaults", "amqp-renewal"):
        shutil.copy(DOTNET / f"dotnet-1.42.3-{name}.jsonl", tmp_path)
    (tmp_path / "dotnet-1.42.3-mqtt-defaults.jsonl").write_bytes(b"")
    (tmp_path / "other-1.0-mqtt-renewal.jsonl").write_bytes(b"never opened")
    monkeypatch.setattr(running, "bundled_recordings", lambda: tmp_path)
    run = a_run_of(tmp_path / "runs", planned("renewal"))
    assert [path.name for path in (run / "recorded").iterdir()] == ["dotnet-1.42.3-mqtt-renewal.jsonl"]
    assert "the file is empty" in capsys.readouterr().err


@pytest.mark.slow(seconds=50)
def test_a_comparison_without_dotnet(tmp_path: Path) -> None:
    """On this machine: an emulated row of this run and a recorded one for each transport, and the reason in one line."""
    if shutil.which("dotnet"):
        pytest.skip("there is a dotnet here, which the comparison would use")
    asked = ["compare", "--sdk", "dotnet", "--scenario", "renewal", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "harness", *asked]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    rows = derive(next(tmp_path.iterdir())).rows
    assert [(row.transport, row.device, row.origin["kind"]) for row in rows] == [
        (transport, *evidence)
        for transport in ("mqtt", "mqtt-ws", "amqp", "amqp-ws")
        for evidence in (("emulated", "this-run"), ("real", "recorded"))
    ]
    (why,) = (line for line in done.stdout.splitlines() if "no real device in this run" in line)
    assert "dotnet-install.sh" in why
