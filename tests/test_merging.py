"""Tests of merging runs: every cell is there once, nothing is changed but a name that is taken, and each cell's machine is known."""

import json
import shutil
from pathlib import Path

import pytest
from support.analysis_logs import early_renewal, header

from harness.errors import LogError, UserInputError
from harness.events import CellLog
from harness.merging import merge
from harness.recorded import bundled_recordings
from harness.runfolder import RunFolder, RunRecord, read_cells, read_recordings, read_run

RECORDING = "dotnet-1.42.3-2026-11-24/dotnet-1.42.3-mqtt-renewal.jsonl"
BOARD = {"system": "Linux-6.1-armv7l", "python": "3.11.2"}
SERVER = {"system": "Linux-6.1-x86_64", "python": "3.11.2"}


def a_run(root: Path, name: str, cells: dict[str, bytes], **changes: object) -> Path:
    """A run's folder with these logs."""
    fields: dict[str, object] = {
        "started": "2026-11-30T06:00:00Z",
        "status": "finished",
        "machine": SERVER,
        "harness": "0.1.0",
        **changes,
    }
    folder = RunFolder.create(root, RunRecord(format=1, run=name, cells=tuple(cells), **fields))  # type: ignore[arg-type] # a table
    for cell, content in cells.items():
        (folder.path / "cells" / f"{cell}.jsonl").write_bytes(content)
    return folder.path


def a_log(cell: str, lifetime_s: float = 130.0) -> bytes:
    """A finished cell's log."""
    return b"".join(early_renewal(lifetime_s, header(cell=cell, settings={"lifetime_s": lifetime_s})).lines())


def contents(run: Path) -> dict[str, bytes]:
    """The cells' logs by their names."""
    return {file.stem: file.read_bytes() for file in (run / "cells").iterdir()}


def test_shards_become_one_run(tmp_path: Path) -> None:
    """Byte by byte, in the order of the runs and their plans."""
    first = a_run(tmp_path, "first", {"b": a_log("b"), "a": a_log("a")})
    second = a_run(
        tmp_path,
        "second",
        {"c": a_log("c")},
        machine=BOARD,
        started="2026-11-29T06:00:00Z",
        finished="2026-11-29T07:00:00Z",
    )
    out = tmp_path / "merged"
    record = merge([first, second], out)
    assert record == read_run(out)
    assert contents(out) == {**contents(first), **contents(second)}
    assert (record.run, record.cells, record.status) == ("merged", ("b", "a", "c"), "finished")
    assert (record.started, record.finished) == ("2026-11-29T06:00:00Z", "2026-11-29T07:00:00Z")
    assert record.machine == {"system": "Linux-6.1-x86_64; Linux-6.1-armv7l", "python": "3.11.2"}
    assert [(one.run, one.machine, one.cells) for one in record.merged] == [
        ("first", SERVER, ("b", "a")),
        ("second", BOARD, ("c",)),
    ]


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    """In the file's name, in the header and in `run.json`; every event stays as it is."""
    runs = [
        a_run(tmp_path, name, {"a": a_log("a", lifetime)})
        for name, lifetime in (("r", 130.0), ("s", 140.0), ("t", 150.0))
    ]
    record = merge(runs, tmp_path / "merged")
    assert [one.cells for one in record.merged] == [("a",), ("a-2",), ("a-3",)]
    logs = [log for log in read_cells(tmp_path / "merged") if isinstance(log, CellLog)]
    assert [log.header.cell for log in logs] == ["a", "a-2", "a-3"]
    ours, theirs = contents(tmp_path / "merged")["a-2"], contents(runs[1])["a"]
    assert ours.partition(b"\n")[2] == theirs.partition(b"\n")[2]


def test_the_same_log_is_one_cell(tmp_path: Path) -> None:
    """As where a merged run is merged with what it was made of, also under the number it got there."""
    first, second = (
        a_run(tmp_path, name, {"a": a_log("a", lifetime)}) for name, lifetime in (("r", 130.0), ("s", 140.0))
    )
    once = tmp_path / "once"
    merge([first, second], once)
    record = merge([once, first, second], tmp_path / "twice")
    assert contents(tmp_path / "twice") == contents(once)
    assert [(one.run, one.cells) for one in record.merged] == [
        ("r", ("a",)),
        ("s", ("a-2",)),
        ("r", ("a",)),
        ("s", ("a-2",)),
    ]


def test_cells_that_never_began_stay_planned(tmp_path: Path) -> None:
    """Until a run that has them makes up for it; an empty file is none."""
    run = a_run(tmp_path, "r", {"a": a_log("a"), "b": b""})
    record = merge([run], tmp_path / "alone")
    assert (record.cells, list(contents(tmp_path / "alone"))) == (("a", "b"), ["a"])
    record = merge([run, a_run(tmp_path, "s", {"b": a_log("b")})], tmp_path / "merged")
    assert (record.cells, [one.cells for one in record.merged]) == (("a", "b"), [("a",), ("b",)])


def test_what_the_runs_do_not_share_is_told_of_each_alone(tmp_path: Path) -> None:
    """Seeds, requests and versions; one that was interrupted makes the whole so."""
    runs = [
        a_run(tmp_path, "r", {"a": a_log("a")}, seed=1, request={"sdks": ["c"]}),
        a_run(tmp_path, "s", {"b": a_log("b")}, seed=2, request={"sdks": ["java"]}, harness="0.2.0", status="running"),
    ]
    record = merge(runs, tmp_path / "merged")
    assert (record.seed, record.request, record.harness, record.status) == (0, {}, "0.1.0; 0.2.0", "interrupted")
    assert [(one.seed, one.request, one.status) for one in record.merged] == [
        (1, {"sdks": ["c"]}, "finished"),
        (2, {"sdks": ["java"]}, "running"),
    ]


def test_a_log_that_was_cut_short_is_merged_as_it_is(tmp_path: Path) -> None:
    """It tells what happened until then, also where the last character was cut in two."""
    run = a_run(tmp_path, "r", {"a": a_log("a")[:-20] + b"\xc3"})
    merge([run], tmp_path / "merged")
    (log,) = read_cells(tmp_path / "merged")
    assert isinstance(log, CellLog)
    assert not log.complete


@pytest.mark.parametrize(
    "end", [b"", b'{"seq":99,"t":9000000,"src":"harness","kind":"cell-end","status":"interrupted"}\n']
)
def test_what_was_cut_short_gives_way_to_what_is_whole(tmp_path: Path, end: bytes) -> None:
    """Whichever run is named first; another that was cut short does not replace it."""
    short = a_log("a")[:3000].rpartition(b"\n")[0] + b"\n" + end
    first, second = a_run(tmp_path, "first", {"a": short, "b": short}), a_run(tmp_path, "second", {"a": a_log("a")})
    for number, runs in enumerate(([first, second], [second, first])):
        record = merge(runs, tmp_path / f"merged{number}")
        assert contents(tmp_path / f"merged{number}") == {"a": a_log("a"), "b": short}
        assert sorted(record.cells) == ["a", "b"]
        assert {one.run: one.cells for one in record.merged} == {"first": ("b",), "second": ("a",)}


def test_recordings_come_along(tmp_path: Path) -> None:
    """Once where they are the same, in a folder beside it where another has the path; never changed, for they are sealed."""
    runs = [a_run(tmp_path, name, {name: a_log(name)}) for name in ("r", "s", "t")]
    other = RECORDING.replace("-renewal", "-defaults")
    for run, source in zip(runs, (RECORDING, RECORDING, other), strict=True):
        target = run / "recorded" / RECORDING
        target.parent.mkdir(parents=True)
        shutil.copy(bundled_recordings() / source, target)
    merge(runs, tmp_path / "merged")
    found = list(read_recordings(tmp_path / "merged"))
    assert [type(one) for one in found] == [CellLog, CellLog]
    folders = sorted(path.name for path in (tmp_path / "merged" / "recorded").iterdir())
    assert folders == ["dotnet-1.42.3-2026-11-24", "dotnet-1.42.3-2026-11-24-2"]


def newer(line: bytes) -> bytes:
    """A header of a later format."""
    return json.dumps(json.loads(line) | {"format": 2}).encode()


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        (
            "run.json",
            b'{"format":2,"cells":{}}',
            r"run\.json: format: is 2, this harness reads up to 1. Use a newer harness",
        ),
        ("run.json", b'{"format":1,"run":"r"', r"run\.json: is damaged"),
        ("run.json", b'{"name":"a package"}', r"run\.json: is damaged, or no run\.json of the harness"),
        ("cells/a.jsonl", newer(a_log("a").partition(b"\n")[0]), r"a\.jsonl: format: is 2, this harness"),
        ("cells/a.jsonl", b'{"level":"info"}\n', r"a\.jsonl: the first line is no header"),
        (
            "cells/a.jsonl",
            a_log("a").replace(b'"kind":"connack"', b"kind=connack", 1),
            r"a\.jsonl, line \d+: not an event",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is_written(
    tmp_path: Path, file: str, content: bytes, says: str
) -> None:
    """Damaged, foreign and newer files, by their names."""
    good, bad = (a_run(tmp_path, name, {"a": a_log("a")}) for name in ("good", "bad"))
    (bad / file).write_bytes(content)
    with pytest.raises(LogError, match=says):
        merge([good, bad], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_a_log_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is named with the system's word for it."""
    run = a_run(tmp_path, "r", {"a": a_log("a")})
    read = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.suffix == ".jsonl":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with pytest.raises(LogError, match=r"a\.jsonl: cannot be read \(Permission denied\)"):
        merge([run], tmp_path / "merged")


def test_a_place_that_is_not_free(tmp_path: Path) -> None:
    """A folder with anything in it, or a file; nothing is written over."""
    run = a_run(tmp_path, "r", {"a": a_log("a")})
    (tmp_path / "file").touch()
    with pytest.raises(UserInputError, match=r"is not empty. Name a new folder with --out DIR"):
        merge([run], tmp_path)
    with pytest.raises(UserInputError, match="file: cannot be written"):
        merge([run], tmp_path / "file")


def test_a_place_in_a_run(tmp_path: Path) -> None:
    """A run is not to be changed, nor to be found in itself."""
    run = a_run(tmp_path, "r", {"a": a_log("a")})
    for place in (run, run / "merged"):
        with pytest.raises(
            UserInputError, match=r"is in the folder of a run, .*Name a folder elsewhere with --out DIR"
        ):
            merge([run], place)


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the same command works again."""
    run = a_run(tmp_path, "r", {"a": a_log("a")})

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.merging.write_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        merge([run], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_a_run_that_is_named_twice(tmp_path: Path) -> None:
    """Is a mistake, however it is written."""
    run = a_run(tmp_path, "r", {"a": a_log("a")})
    with pytest.raises(UserInputError, match="is named twice"):
        merge([run, run / ".." / "r"], tmp_path / "merged")
