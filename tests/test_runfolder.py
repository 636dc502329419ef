"""Tests of a run's folder: names, the unwritable, reading back, damage."""

import datetime as dt
import os
from pathlib import Path

import pytest

from harness.errors import LogError, UserInputError
from harness.events import CellLog, Header, Recorder
from harness.runfolder import RunFolder, RunRecord, default_root, read_cells, read_run

RECORD = RunRecord(
    format=1, run="20260101T000000Z-abc", started="2026-01-01T00:00:00Z", status="running", cells=("b", "a", "c")
)
HEADER = Header(
    format=1,
    cell="b",
    sdk="python",
    sdk_name="Python",
    version="1",
    transport="mqtt",
    device="real",
    scenario={},
    settings={},
    hub={},
)


def test_two_runs_of_one_name_get_folders_of_their_own(tmp_path: Path) -> None:
    """Runs started at the same moment do not meet."""
    first, second = RunFolder.create(tmp_path, RECORD), RunFolder.create(tmp_path, RECORD)
    assert first.path != second.path
    assert read_run(second.path).run == second.path.name


def test_the_record_tells_how_the_run_ended(tmp_path: Path) -> None:
    """`running` until `finish`, so that a reader can tell a run that died."""
    folder = RunFolder.create(tmp_path, RECORD)
    assert read_run(folder.path).status == "running"
    folder.finish("interrupted", dt.datetime(2026, 1, 1, 0, 1, tzinfo=dt.UTC))
    assert (read_run(folder.path).status, read_run(folder.path).finished) == ("interrupted", "2026-01-01T00:01:00Z")


def test_an_unwritable_place_is_the_users_error(tmp_path: Path) -> None:
    """It names the place and the option."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UserInputError, match=r"file.*cannot be written.*--out DIR"):
        RunFolder.create(blocked / "runs", RECORD)


def test_cells_come_back_in_the_order_of_the_plan_and_a_broken_one_as_its_error(tmp_path: Path) -> None:
    """One damaged file does not hide the others."""
    folder = RunFolder.create(tmp_path, RECORD)
    for name in ("a", "b"):
        with folder.open_cell(name) as file:
            Recorder(file.write, started=0.0).header(HEADER)
    (folder.path / "cells" / "c.jsonl").write_text("junk\n")
    logs = list(read_cells(folder.path))
    assert [type(log) for log in logs] == [CellLog, CellLog, LogError]


def test_a_pipe_among_the_cells_is_refused(tmp_path: Path) -> None:
    """Nobody waits for what may never be written."""
    folder = RunFolder.create(tmp_path, RECORD)
    os.mkfifo(folder.path / "cells" / "pipe.jsonl")
    (problem,) = read_cells(folder.path)
    assert isinstance(problem, LogError)
    assert "pipe.jsonl: is no ordinary file" in str(problem)


def test_a_cell_that_never_began_is_left_out(tmp_path: Path) -> None:
    """The run ended between the making of its file and the first line."""
    folder = RunFolder.create(tmp_path, RECORD)
    folder.open_cell("a").close()
    assert list(read_cells(folder.path)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, "is no run folder"), ("{", "is damaged"), ('{"format":1}', "is damaged"),
     ('{"name":"a package"}', r"is damaged, or no run\.json of the harness"), ('{"format":9,"cells":{}}', "format: is 9.*newer harness")],
)  # fmt: skip
def test_a_folder_that_is_no_run_says_so(tmp_path: Path, text: str | None, says: str) -> None:
    """Absent, damaged, newer."""
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(LogError, match=says):
        read_run(tmp_path)


def test_a_record_of_an_older_harness_stays_readable(tmp_path: Path) -> None:
    """One that knew fewer fields."""
    (tmp_path / "run.json").write_text('{"format":1,"run":"r","started":"","status":"running","cells":["a"]}')
    assert read_run(tmp_path) == RunRecord(1, "r", "", "running", ("a",))


def test_runs_go_to_results_in_a_checkout_only(tmp_path: Path) -> None:
    """Elsewhere they must not be taken for the project's own."""
    assert default_root(tmp_path) == tmp_path / "harness-results"
    for name in ("harness", "sdk_profiles"):
        (tmp_path / name).mkdir()
    (tmp_path / "pyproject.toml").write_text("")
    assert default_root(tmp_path) == tmp_path / "results" / "runs"
