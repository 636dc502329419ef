"""`harness explain`."""

import json
from pathlib import Path

import pytest
from support.analysis_logs import LogBuilder, header, stale_token

from harness.cli.main import main
from harness.runfolder import RunFolder, RunRecord


def call(*arguments: str | Path) -> int:
    """Run a command; its exit code."""
    with pytest.raises(SystemExit) as caught:
        main(["explain", *map(str, arguments)])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def a_run(root: Path, name: str = "r", /, **logs: LogBuilder) -> Path:
    """A run's folder with these cells."""
    folder = RunFolder.create(root, RunRecord(1, name, "", "finished", tuple(logs)))
    for cell, log in logs.items():
        path = folder.path / "cells" / f"{cell.replace('_', '-')}.jsonl"
        path.write_bytes(b"".join(log.lines()))
    return folder.path


def test_a_cell_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its story, as text or as JSON."""
    run = a_run(tmp_path, sdk_mqtt_expiry=stale_token(header("expiry", cell="sdk-mqtt-expiry")))
    assert call("sdk-mqtt-expiry", run) == 0
    assert "and was refused: not-authorized (CONNACK 5" in capsys.readouterr().out
    assert call("sdk-mqtt-expiry", run, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["cell"], document["told"][0], document["complete"]) == ("sdk-mqtt-expiry", "callback", True)


def test_no_word_of_a_log_moves_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither its title, nor what the application is shown, nor the SDK's log."""
    log = LogBuilder(header(cell="one", scenario_document={"title": "\x1b[2Jtitle"})).at(1).refused(60)
    log.status("\x1b[31mlost").emit("sdk-log", "line", text="ERROR \x1b]0;gone\x07")
    run = a_run(tmp_path, one=log.at(9).end())
    assert call("one", run) == 0
    assert not set("\x1b\x07") & set(capsys.readouterr().out)


def test_a_log_by_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An incomplete one says so and is told all the same."""
    run = a_run(tmp_path, one=LogBuilder(header(cell="one")).connect(60))
    assert call(run / "cells" / "one.jsonl") == 0
    assert "The log is incomplete" in capsys.readouterr().out


def test_the_latest_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is named."""
    monkeypatch.chdir(tmp_path)
    assert call("one") == 2
    assert "harness-results: holds no run" in capsys.readouterr().err
    a_run(tmp_path / "harness-results", "20260101T000000Z-a", old=LogBuilder())
    a_run(tmp_path / "harness-results", "20260102T000000Z-a", one=LogBuilder(header(cell="one")))
    assert call("one") == 0


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("python-expiry", "Name one of python-1.0-mqtt-expiry-1"),
        ("pyhton-1.0-mqtt-expiry-1", "Name one of python-1.0-mqtt-expiry-1"),
        ("zzz", "Name one of cell-0, cell-1, cell-2, cell-3, cell-4, cell-5, and 3 more"),
    ],
)
def test_an_unknown_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: str, named: str) -> None:
    """Names that are near."""
    names = [*(f"cell_{number}" for number in range(7)), "python-1.0-mqtt-expiry-1", "z-last"]
    run = a_run(tmp_path, "r", **{name: LogBuilder() for name in names})
    assert call(asked, run) == 2
    told = capsys.readouterr().err
    assert f"there is no cell {asked!r}. {named}" in told


def test_a_folder_without_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor a file."""
    assert call("one", tmp_path) == 2
    assert "holds no cell's log" in capsys.readouterr().err
    assert call(tmp_path / "none.jsonl") == 2
    assert "cannot be read" in capsys.readouterr().err
