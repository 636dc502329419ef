"""`--errors`, and how like the devices are that were measured side by side."""

import json
from pathlib import Path

import pytest
from support.analysis_logs import LogBuilder, header, stale_token

from harness.cli.main import main
from harness.recorded import bundled_recordings
from harness.runfolder import RunFolder, RunRecord


def call(*arguments: str | Path) -> int:
    """Run a command; its exit code."""
    with pytest.raises(SystemExit) as caught:
        main([str(one) for one in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with a real device and its emulated one."""
    heads = [header("expiry", cell=device, device=device) for device in ("real", "emulated")]
    logs: dict[str, LogBuilder] = {
        "real": stale_token(heads[0]),
        "emulated": LogBuilder(heads[1]).connect(60).at(30).end(),
    }
    folder = RunFolder.create(tmp_path, RunRecord(1, "r", "", "finished", tuple(logs)))
    for name, log in logs.items():
        (folder.path / "cells" / f"{name}.jsonl").write_bytes(b"".join(log.lines()))
    return folder.path


def test_what_went_wrong_is_printed_where_it_is_asked_for(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Below the tables."""
    assert call("analyse", run, "--errors") == 0
    assert "how the application finds out" in capsys.readouterr().out
    assert call("analyse", run) == 0
    assert "how the application finds out" not in capsys.readouterr().out


def test_it_is_in_the_json_too(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the rows."""
    assert call("analyse", run, "--json", "--errors") == 0
    document = json.loads(capsys.readouterr().out)
    assert [line["happened"] for line in document["errors"]] == [["token-expired", "refused: not-authorized"]]
    assert document["errors"][0]["finds_out"] == "by a callback at once: on_connection_state_change False"


def test_recordings_are_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    """They have logs like any other."""
    recording = bundled_recordings() / "dotnet-1.42.3-2026-11-24" / "dotnet-1.42.3-mqtt-wrong-key.jsonl"
    assert call("analyse", recording, "--json", "--errors") == 0
    (line,) = json.loads(capsys.readouterr().out)["errors"]
    assert (line["happened"], line["told"]) == (["refused: wrong-key"], ["callback", "exception on next call"])


def test_devices_side_by_side_are_compared(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without being asked."""
    assert call("analyse", run) == 0
    assert "real: differs" in capsys.readouterr().out
    assert call("analyse", run, "--json") == 0
    (pair,) = json.loads(capsys.readouterr().out)["fidelity"]
    assert (pair["real"], pair["emulated"]) == ("real", "emulated")
    assert pair["differences"]
