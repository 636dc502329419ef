"""`harness merge`, and the merged run as a user analyses it."""

import json
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.runfolder import RunFolder, RunRecord

PUBLISHED = Path(__file__).parents[2] / "results" / "published" / "reference" / "cells"
CELL = "python-2.14.0-mqtt-renewal-L130-real-1"


def call(*arguments: str | Path) -> int:
    """Run a command; its exit code."""
    with pytest.raises(SystemExit) as caught:
        main([str(one) for one in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def a_run(root: Path, name: str, cell: str = CELL, *, later: bool = False) -> Path:
    """A run's folder with a cell of the published run, called `one`, and one that never began."""
    folder = RunFolder.create(root, RunRecord(1, name, "2026-11-30T06:00:00Z", "finished", ("one", "never")))
    content = (PUBLISHED / f"{cell}.jsonl").read_bytes()
    log = content.replace(b'"started":"2026', b'"started":"2027', 1) if later else content
    (folder.path / "cells" / "one.jsonl").write_bytes(log.replace(f'"cell":"{cell}"'.encode(), b'"cell":"one"', 1))
    return folder.path


def test_two_machines_are_analysed_as_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cells under the same circumstances are taken together, others have rows of their own; findings and tables are there."""
    other = CELL.replace("-mqtt-", "-mqtt-ws-")
    runs = [a_run(tmp_path, "a"), a_run(tmp_path, "b", later=True), a_run(tmp_path, "c", other)]
    out = tmp_path / "merged"
    assert call("merge", *runs, "--out", out) == 0
    said = capsys.readouterr()
    assert said.out == f"3 cells of 3 runs: {out}\n"
    assert "1 of the 4 planned cells never began" in said.err
    assert call("analyse", out, "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["transport"], row["renewals"], [cell["cell"] for cell in row["cells"]]) for row in rows] == [
        ("mqtt", 4, ["one", "one-2"]),
        ("mqtt-ws", 2, ["one-3"]),
    ]
    assert json.loads((out / "findings.json").read_text(encoding="utf-8"))["rows"] == rows
    assert (out / "table.md").is_file()


def test_what_is_no_run_is_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With one line."""
    assert call("merge", a_run(tmp_path, "a"), tmp_path, "--out", tmp_path / "merged") == 2
    assert f"harness: {tmp_path}: is no run folder" in capsys.readouterr().err
    assert not (tmp_path / "merged").exists()


def test_the_place_has_to_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As wrong usage."""
    assert call("merge", a_run(tmp_path, "a")) == 2
    assert "Missing option '--out'" in capsys.readouterr().err
