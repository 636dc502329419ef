"""`harness diff` and `harness baseline`: runs, recordings and baselines against each other."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.analysis_logs import early_renewal, header

from harness.cli.main import main
from harness.recorded import bundled_recordings
from harness.runfolder import RunFolder, RunRecord

RECORD = RunRecord(format=1, run="one", started="2026-01-01T00:00:00Z", status="finished", cells=("a",))


def a_run(tmp_path: Path, version: str = "1.0", **changes: Any) -> Path:
    """A run of one cell, in which the device renewed its token."""
    folder = RunFolder.create(tmp_path, RECORD).path
    log = early_renewal(130.0, header(cell="a", version=version, device="emulated", **changes))
    (folder / "cells" / "a.jsonl").write_bytes(log._file.getvalue())
    return folder


def output(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> str:
    """What a command prints, on either stream."""
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments)])
    said = capsys.readouterr()
    assert caught.value.code == code, said
    return said.out + said.err


@pytest.fixture
def kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The baseline of a run."""
    file = tmp_path / "below" / "kept.json"
    output(capsys, "baseline", a_run(tmp_path), "--out", file)
    return file


def rewritten(kept: Path, **changes: object) -> Path:
    """The baseline with other fields."""
    kept.write_text(json.dumps({**json.loads(kept.read_text()), **changes}))
    return kept


def behaving_otherwise(kept: Path) -> Path:
    """The baseline of a device that waited for the hub."""
    rows = json.loads(kept.read_text())["rows"]
    rows[0]["shows"]["renewal"] = "hub-cut"
    return rewritten(kept, rows=rows)


def test_two_versions_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table says which; the check passes where nothing changed."""
    text = output(capsys, "diff", a_run(tmp_path), a_run(tmp_path, "1.1"), "--check")
    assert "Behaviour changed: no row" in text
    assert "As before: 1 of 1 rows that both have measured." in text


def test_a_baseline_is_printed_or_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same of it."""
    run, file = a_run(tmp_path), tmp_path / "kept.json"
    output(capsys, "baseline", run, "--out", file)
    assert output(capsys, "baseline", run) == file.read_text()


def test_a_span_stands_in_a_line(kept: Path) -> None:
    """So that a change of it is a line."""
    assert '"renewal or cut (timing)": ["s", ' in kept.read_text()


def test_the_check_fails_where_behaviour_changed(
    tmp_path: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it, a change is no failure."""
    old, new = behaving_otherwise(kept), a_run(tmp_path)
    assert "renewal: hub-cut → reconnect" in output(capsys, "diff", old, new, "--check", code=1)
    assert "renewal: hub-cut → reconnect" in output(capsys, "diff", old, new)


def test_the_check_fails_where_nothing_could_be_compared(
    tmp_path: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would pass forever after an SDK was renamed."""
    text = output(capsys, "diff", kept, a_run(tmp_path, sdk="other"), "--check", code=1)
    assert "Only in old: 1 rows" in text


def test_the_difference_is_json(tmp_path: Path, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a program to read; every list is there."""
    document = json.loads(output(capsys, "diff", behaving_otherwise(kept), a_run(tmp_path), "--json"))
    (row,) = document["compared"]
    assert (document["schema"], document["changed"], document["apart"]) == (1, True, [])
    assert row["behaviour"] == [
        {"what": "renewal", "before": "hub-cut", "after": "reconnect", "since": "1.0", "run": ""}
    ]
    assert (row["timing"], row["claims"], row["one_sided"]) == ([], [], [])


def test_a_summary_is_markdown(tmp_path: Path, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside what is printed."""
    file = tmp_path / "summary.md"
    output(capsys, "diff", kept, a_run(tmp_path), "--summary", file)
    assert file.read_text().startswith("### What one run shows otherwise than another\n")


def test_recordings_can_be_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of them, or one alone."""
    folder = next(path for path in bundled_recordings().iterdir() if path.is_dir())
    log = folder / "dotnet-1.42.3-mqtt-renewal.jsonl"
    document = json.loads(output(capsys, "diff", folder, log, "--json"))
    assert [row["scenario"] for row in document["compared"]] == ["renewal"]


def test_a_damaged_log_is_named(tmp_path: Path, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is left is compared all the same, and the check says no more than that."""
    run = a_run(tmp_path)
    (run / "cells" / "b.jsonl").write_text("garbage\n")
    text = output(capsys, "diff", kept, run, "--check", code=2)
    assert "As before: 1 of 1 rows" in text
    assert "b.jsonl: the first line is no header of a cell" in text
    assert "b.jsonl: the first line is no header of a cell" in output(capsys, "baseline", run, code=2)


def test_cells_that_never_began_are_missed(tmp_path: Path, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As after Ctrl-C."""
    run = RunFolder.create(tmp_path, msgspec.structs.replace(RECORD, cells=("a", "b"))).path
    assert "2 of the 2 planned cells never began" in output(capsys, "diff", kept, run)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"schema": 1, "rows": []}', "kind: is no baseline. Name a run's folder, or a file that `harness baseline`"),
        ('{"kind": "behaviour of a run", "schema": 2, "rows": 7}', "schema: is 2, this harness reads up to 1. Use a"),
        ('{"kind": "behaviour of a run", "schema": 1, "run": "x", "rows": [{"sdk"', "is damaged, or no baseline ("),
        ('{"kind": "behaviour of a run", "schema": 0, "run": "x"}', "is damaged, or no baseline (Invalid enum value 0"),
        ('{"kind": "behaviour of a run", "schema": 1, "run": 7}', "Write it again with `harness baseline RUN"),
        ("[]", "is damaged, or no baseline ("),
        ("\xff", "is damaged, or no baseline ("),
    ],
)
def test_what_is_no_baseline_is_refused(
    tmp_path: Path, kept: Path, capsys: pytest.CaptureFixture[str], content: str, says: str
) -> None:
    """Foreign, newer, cut short: each with the file and the remedy."""
    file = tmp_path / "other.json"
    file.write_bytes(content.encode("latin-1"))
    text = output(capsys, "diff", file, kept, code=2)
    assert text.startswith(f"harness: {file}: ")
    assert says in text


def test_what_is_not_there_is_no_run(tmp_path: Path, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a file nor a folder."""
    assert "is no run folder" in output(capsys, "diff", tmp_path / "absent", kept, code=2)


def test_a_baseline_of_a_newer_harness_may_have_more_fields(
    tmp_path: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are passed over."""
    assert "1 of 1 rows" in output(capsys, "diff", rewritten(kept, more=[1]), a_run(tmp_path))


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the remedy."""
    file = tmp_path / "file"
    file.touch()
    assert "cannot be written" in output(capsys, "baseline", a_run(tmp_path), "--out", file / "kept.json", code=2)
