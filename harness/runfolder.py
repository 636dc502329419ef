"""A run's folder on disk: `run.json`, one `cells/<id>.jsonl` per cell, and what is derived from them.

run.json              what was asked for, on which machine, with which versions; rewritten when the run ends
cells/<id>.jsonl      the event logs: the only output of a run, everything else can be made again from them
recorded/<name>/      recordings that were shown beside the run, as `harness.recorded` has them; measured elsewhere
findings.json         the rows of `compare --json`
table.md              the tables as Markdown
errors.md             what went wrong, as Markdown
diagnostics/          the hub's records: Azure Monitor's JSON lines, and the rows of AzureDiagnostics
"""

import datetime as dt
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from harness.errors import LogError, UserInputError
from harness.events import CellLog, check_format
from harness.recorded import content_of, find_recorded, read_log

__all__ = [
    "RunFolder",
    "RunRecord",
    "Source",
    "check_distinct",
    "default_root",
    "in_checkout",
    "iso",
    "read_cells",
    "read_recordings",
    "read_run",
    "real_path",
    "write_derived",
    "write_run",
]

Status = Literal["running", "finished", "interrupted"]


class Source(msgspec.Struct, frozen=True):
    """One of the runs that a merged run is made of: what its own `run.json` said. `cells`: those that began, by their names in the merged one."""

    run: str
    started: str
    status: Status
    cells: tuple[str, ...]
    harness: str = ""
    seed: int = 0
    finished: str = ""
    request: Mapping[str, object] = {}
    machine: Mapping[str, object] = {}


class RunRecord(msgspec.Struct, frozen=True):
    """`run.json`. `cells` are the planned ones, so that a reader knows which never began. `merged`: what it was merged from (`harness.merging`)."""

    format: int
    run: str
    started: str
    status: Status
    cells: tuple[str, ...]
    harness: str = ""
    seed: int = 0
    finished: str = ""
    request: Mapping[str, object] = {}
    machine: Mapping[str, object] = {}
    merged: tuple[Source, ...] = ()


class RunFolder:
    """A run's folder while it is being written."""

    def __init__(self, path: Path, record: RunRecord) -> None:
        self.path, self.record = path, record
        self._write_record()

    @classmethod
    def create(cls, root: Path, record: RunRecord) -> "RunFolder":
        """A new folder under `root`, named by the run; a name that is taken gets a number.

        Raises:
            UserInputError: the folder cannot be written.
        """
        try:
            root.mkdir(parents=True, exist_ok=True)
            path = _new_folder(root, record.run)
            (path / "cells").mkdir()
            return cls(path, msgspec.structs.replace(record, run=path.name))
        except OSError as problem:
            raise UserInputError(
                f"cannot be written ({problem.strerror or problem})",
                where=str(root),
                remedy="Name a writable folder with --out DIR",
            ) from problem

    def open_cell(self, cell: str) -> BinaryIO:
        """The file of a cell's event log, unbuffered: what was measured survives whatever happens next."""
        return (self.path / "cells" / f"{cell}.jsonl").open("xb", buffering=0)

    def finish(self, status: Status, finished: dt.datetime) -> None:
        """Say in `run.json` how the run ended."""
        self.record = msgspec.structs.replace(self.record, status=status, finished=iso(finished))
        self._write_record()

    def _write_record(self) -> None:
        write_run(self.path, self.record)

    def add_recording(self, name: str, content: bytes) -> None:
        """Put a recording beside the run, so that its tables can be made again from its folder alone. `name` is its path among the recordings.

        Raises:
            UserInputError: the folder cannot be written.
        """
        write_derived(self.path, f"recorded/{name}", content)


def write_run(path: Path, record: RunRecord) -> None:
    """Write `run.json` of the run in `path`; raises as `write_derived`."""
    write_derived(path, "run.json", msgspec.json.format(msgspec.json.encode(record)) + b"\n")


def write_derived(run: Path, name: str, content: str | bytes) -> None:
    """Write the file `name` in a run's folder, whole or not at all.

    Raises:
        UserInputError: the folder cannot be written.
    """
    target = run / name
    temporary = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(target)
    except OSError as problem:
        raise UserInputError(
            f"cannot be written ({problem.strerror or problem})",
            where=str(target),
            remedy="Check the folder's permissions and the disk",
        ) from problem


def iso(moment: dt.datetime) -> str:
    """A moment as UTC text with whole seconds."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def default_root(working_folder: Path) -> Path:
    """Where runs go unless told otherwise: `results/runs` in a checkout of the harness, else `harness-results`."""
    return working_folder / ("results/runs" if in_checkout(working_folder) else "harness-results")


def in_checkout(working_folder: Path) -> bool:
    """Whether it is a checkout of the harness."""
    return all((working_folder / name).exists() for name in ("harness", "sdk_profiles", "pyproject.toml"))


def real_path(path: Path) -> Path:
    """Where the path leads; of a loop of links itself, for which `Path.resolve` raises before Python 3.13."""
    return Path(os.path.realpath(path))


def check_distinct(runs: Iterable[Path]) -> None:
    """Raise `UserInputError` where one of these paths is named twice, however it is written."""
    seen: set[Path] = set()
    for path in runs:
        if (place := real_path(path)) in seen:
            raise UserInputError("is named twice", where=str(path), remedy="Name each run once")
        seen.add(place)


def read_run(path: Path) -> RunRecord:
    """Read `run.json` of the run in `path`.

    Raises:
        LogError: no run folder, damaged, or of a newer format.
    """
    file = path / "run.json"
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise LogError(
            f"is no run folder ({problem.strerror})",
            where=str(path),
            remedy="Name a folder that `harness compare` wrote, with a run.json",
        ) from problem
    try:
        check_format(content, where=str(file))
        return msgspec.json.decode(content, type=RunRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise LogError(
            f"is damaged, or no run.json of the harness ({problem})",
            where=str(file),
            remedy="Restore the file, or run the comparison again",
        ) from problem


def read_cells(path: Path) -> Iterator[CellLog | LogError]:
    """The logs of a run's cells, in the order of the plan; one that cannot be read comes as the error it makes.

    An empty file is left out: the run ended before that cell began.
    """
    planned = {cell: number for number, cell in enumerate(read_run(path).cells)}
    files = sorted((path / "cells").glob("*.jsonl"), key=lambda file: (planned.get(file.stem, len(planned)), file.name))
    for file in files:
        try:
            if content := content_of(file):
                yield read_log(content, where=str(file))
        except LogError as problem:
            yield problem


def read_recordings(path: Path) -> Iterator[CellLog | LogError]:
    """The recordings that were shown beside the run in `path`; one that is refused comes as the error it makes."""
    return find_recorded(path / "recorded")


def _new_folder(root: Path, name: str) -> Path:
    for number in itertools.count(1):
        path = root / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise AssertionError  # pragma: no cover - count() never ends
