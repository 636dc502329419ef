"""Several runs as one: the union of their cells and recordings, in a folder of its own whose `run.json` says which cell comes from which run and machine.

A cell's log stays as it is, byte by byte. Where two runs have different logs of one name, the later one gets a number, in the name of its file and in its
header; the same log in two runs is one cell. A cell that was planned and never began is missing where no other run has one of its name, and one that was cut short
gives way to one of its name that another run has whole. Cells under the same circumstances are taken together, as those of `--repeat` are.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from harness.errors import UserInputError
from harness.events import FORMAT
from harness.recorded import content_of, read_log
from harness.runfolder import RunRecord, Source, check_distinct, read_run, real_path, write_derived, write_run

__all__ = ["merge"]


INTERRUPTED: Final = "interrupted"


class _Run(msgspec.Struct, frozen=True):
    """A run in memory. `cells` by their names, in the order of the plan, and those of them that were not cut short (`whole`); `recordings` by their paths among the recordings."""

    record: RunRecord
    cells: Mapping[str, bytes]
    whole: frozenset[str]
    recordings: Mapping[str, bytes]


def merge(runs: Sequence[Path], out: Path) -> RunRecord:
    """Write the union of `runs` into the folder `out`, which is made, or is there and empty.

    Nothing is written where one of the runs cannot be read: a log that is damaged or of a newer format is refused, one that ends before its cell does is
    merged as it is. Nothing is left where writing ends early.

    Raises:
        LogError: of a run or a log that cannot be read.
        UserInputError: a run is named twice, or `out` is not free, in one of them, or cannot be written.
    """
    check_distinct(runs)
    read = [_read(path) for path in runs]
    _check_beside(runs, out)
    _make(out)
    cells: dict[str, bytes] = {}
    recordings: dict[str, bytes] = {}
    planned: list[str] = []
    sources: list[Source] = []
    whole = frozenset[str]().union(*(run.whole for run in read))
    for run in read:
        kept = {name: content for name, content in run.cells.items() if name in run.whole or name not in whole}
        names = {name: _place(cells, name, content) for name, content in kept.items()}
        for name, content in run.recordings.items():
            _place_recording(recordings, name, content)
        planned += [names.get(name, name) for name in (*run.record.cells, *names)]
        sources += _sources(run.record, names)
    record = _record(out.name, [run.record for run in read], planned, sources)
    try:
        for name, content in cells.items():
            write_derived(out, f"cells/{name}.jsonl", content)
        for name, content in recordings.items():
            write_derived(out, f"recorded/{name}", content)
        write_run(out, record)
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)  # it was made, or was empty
        raise
    return record


def _check_beside(runs: Sequence[Path], out: Path) -> None:
    for path in runs:
        if real_path(out).is_relative_to(real_path(path)):
            raise UserInputError(
                f"is in the folder of a run, {path}", where=str(out), remedy="Name a folder elsewhere with --out DIR"
            )


def _read(path: Path) -> _Run:
    """The run with the logs of those of its cells that began."""
    record = read_run(path)
    planned = {cell: number for number, cell in enumerate(record.cells)}
    files = sorted((path / "cells").glob("*.jsonl"), key=lambda file: (planned.get(file.stem, len(planned)), file.name))
    found = list(_contents(files))
    cells = {file.stem: content for file, content, _ in found}
    root = path / "recorded"
    recordings = {
        file.relative_to(root).as_posix(): content for file, content, _ in _contents(sorted(root.rglob("*.jsonl")))
    }
    return _Run(record, cells, frozenset(file.stem for file, _, whole in found if whole), recordings)


def _contents(files: Sequence[Path]) -> Iterator[tuple[Path, bytes, bool]]:
    """The logs that are not empty, each read as the analysis would; and whether each is there to its cell's end."""
    for file in files:
        if content := content_of(file):
            log = read_log(content, where=str(file))
            yield file, content, log.complete and log.events[-1].fields.get("status") != INTERRUPTED


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        taken = any(out.iterdir())
    except OSError as problem:
        raise UserInputError(
            f"cannot be written ({problem.strerror or problem})",
            where=str(out),
            remedy="Name another folder with --out DIR",
        ) from problem
    if taken:
        raise UserInputError("is not empty", where=str(out), remedy="Name a new folder with --out DIR")


def _place(cells: dict[str, bytes], name: str, content: bytes) -> str:
    """Put a log among those of the other runs; its name there."""
    number, free = 1, name
    while free in cells:
        if cells[free] == (content if free == name else _renamed(content, free)):
            return free
        number += 1
        free = f"{name}-{number}"
    cells[free] = content if free == name else _renamed(content, free)
    return free


def _renamed(content: bytes, name: str) -> bytes:
    """The log with another name of its cell in its header, and nothing else changed."""
    head, newline, rest = content.partition(b"\n")
    return msgspec.json.encode({**msgspec.json.decode(head), "cell": name}) + newline + rest


def _place_recording(recordings: dict[str, bytes], name: str, content: bytes) -> None:
    """Recordings are never changed: one that has the path of another gets a folder beside it."""
    folder, slash, file = name.rpartition("/")
    number, free = 1, name
    while recordings.get(free, content) != content:
        number += 1
        free = f"{folder}-{number}{slash}{file}" if slash else f"{number}/{file}"
    recordings[free] = content


def _sources(record: RunRecord, names: Mapping[str, str]) -> list[Source]:
    """Where the cells of a run come from, by their `names` in the merged one: what it was itself merged from, or the run as such."""
    if record.merged:
        return [
            msgspec.structs.replace(one, cells=tuple(names[cell] for cell in one.cells if cell in names))
            for one in record.merged
        ]
    return [msgspec.structs.replace(msgspec.convert(record, Source, from_attributes=True), cells=tuple(names.values()))]


def _record(name: str, records: Sequence[RunRecord], planned: Iterable[str], sources: Sequence[Source]) -> RunRecord:
    """`run.json` of the merged run. What the runs do not have in common is told with each of them alone."""
    first = records[0]
    finished = all(one.status == "finished" for one in records)
    return RunRecord(
        format=FORMAT,
        run=name,
        started=min(one.started for one in records),
        status="finished" if finished else "interrupted",
        cells=tuple(dict.fromkeys(planned)),
        harness="; ".join(dict.fromkeys(one.harness for one in records if one.harness)),
        seed=first.seed if all(one.seed == first.seed for one in records) else 0,
        finished=max(one.finished for one in records),
        request=first.request if all(one.request == first.request for one in records) else {},
        machine=_machines([one.machine for one in records]),
        merged=tuple(sources),
    )


def _machines(machines: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """What is told of the machines, each thing once for all that agree in it."""
    told: dict[str, dict[str, None]] = {}
    for machine in machines:
        for name, value in machine.items():
            told.setdefault(name, {})[str(value)] = None
    return {name: "; ".join(values) for name, values in told.items()}
