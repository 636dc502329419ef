"""Recorded evidence: event logs that were measured elsewhere, each with its provenance and a digest in its header.

A recorded log is a cell's file whose header has an `origin` of kind `recorded`. It is read whole or refused: without provenance, cut short,
changed since it was recorded, or of a newer format, it is no evidence. The digest is the SHA-256 of the file's bytes with the digest's own
hexadecimal digits written as zeros.

results/recorded/<sdk>-<version>-<date>/<cell>.jsonl
"""

import hashlib
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from harness.errors import LogError
from harness.events import CELL_END, CellLog, Event, Header, read_cell_log

__all__ = [
    "RECORDED",
    "Provenance",
    "bundled_recordings",
    "content_of",
    "find_recorded",
    "is_recorded",
    "logs_below",
    "read_log",
    "read_recorded",
    "record_log",
    "recording_name",
    "seal",
]

RECORDED: Final = "recorded"
_BLANK: Final = "sha256:" + "0" * 64
_REAL_TIME: Final[Mapping[str, object]] = {"rate": 1, "by": "real time"}
_DEPTH: Final = 4
_REMEDY: Final = "Bring a finished run's log into this form with `harness record`"


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a recorded log comes from; a recording in which one of the first seven is missing or empty is refused.

    `date` as YYYY-MM-DD. `built`: where the SDK's binary came from. `hub`: what it was measured against. `clock`: `rate`, virtual seconds to a real
    one, and `by`, what made it so. `machine` and `source`: on what, and from what it was made, where that is known.
    """

    date: str
    sdk: str
    version: str
    runtime: str
    built: str
    hub: str
    clock: Mapping[str, object] = msgspec.field(default_factory=lambda: dict(_REAL_TIME))
    machine: str = ""
    source: str = ""

    @property
    def origin(self) -> dict[str, object]:
        """As a header has it, without the digest."""
        known = {name: value for name, value in msgspec.to_builtins(self).items() if value}
        return {"kind": RECORDED, **known}


def bundled_recordings() -> Path:
    """Where the recordings stand that come with the harness: inside an installed package, else in the checkout's results."""
    package = Path(str(resources.files("harness")))
    installed = package / "recordings"
    return installed if installed.is_dir() else package.parent / "results" / "recorded"


def recording_name(provenance: Provenance) -> str:
    """The folder in which recordings of this provenance stand together."""
    return f"{provenance.sdk}-{provenance.version}-{provenance.date}"


def is_recorded(header: Header) -> bool:
    """Whether the log says that it was recorded elsewhere."""
    return header.origin.get("kind") == RECORDED


def seal(header: Header, provenance: Provenance, events: Iterable[Event]) -> bytes:
    """The recorded log of these events: a file's bytes, with provenance and digest in its header."""
    origin = {**provenance.origin, "digest": _BLANK}
    head = msgspec.json.encode(msgspec.structs.replace(header, version=provenance.version, origin=origin))
    content = b"\n".join([head, *(event.encode() for event in events), b""])
    return content.replace(_BLANK.encode(), _digest(content, _BLANK).encode(), 1)


def record_log(log: CellLog, provenance: Provenance, *, where: str) -> bytes:
    """A finished cell of a run of ours as a recorded log.

    Raises:
        LogError: nothing a recording could stand for: cut short, not measured to its end, not a real device, or recorded already; or a provenance that
            leaves something out, so that the recording would be refused.
    """
    if problem := _why_no_recording(log):
        raise LogError(problem, where=where, remedy="Name the log of a finished cell with a real device")
    if problem := _left_out(provenance):
        remedy = "Say it with --built or --runtime; the date and the SDK stand in the log of a finished cell"
        raise LogError(problem, where=where, field="origin", remedy=remedy)
    return seal(log.header, provenance, log.events)


def read_log(content: bytes, *, where: str) -> CellLog:
    """A cell's file, whatever its origin; one that says it was recorded has to be whole and unchanged.

    Raises:
        LogError: see `read_recorded` and `read_cell_log`.
    """
    log = read_cell_log(content.splitlines(keepends=True), where=where)
    if is_recorded(log.header):
        _check(log, content, where)
    return log


def content_of(file: Path) -> bytes:
    """The bytes of a log's file.

    Raises:
        LogError: it cannot be read, or is no ordinary file: a pipe that nobody writes to would be waited for without end.
    """
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise LogError(
                "is no ordinary file", where=str(file), remedy="Name a log, and leave nothing else among logs"
            )
        return file.read_bytes()
    except OSError as problem:
        raise LogError(
            f"cannot be read ({problem.strerror})", where=str(file), remedy="Check its permissions"
        ) from problem


def read_recorded(path: Path) -> CellLog:
    """One recorded log.

    Raises:
        LogError: it cannot be read, says nothing of its provenance, is of a newer format, cut short, or was changed.
    """
    log = read_log(content_of(path), where=str(path))
    if not is_recorded(log.header):
        raise LogError("is no recorded log: it has no provenance", where=str(path), field="origin", remedy=_REMEDY)
    return log


def find_recorded(path: Path) -> Iterator[CellLog | LogError]:
    """The recorded logs in the file or below the folder `path`, in the order of their names; one that is refused comes as its error."""
    for file in [path] if path.is_file() else sorted(logs_below(path)):
        try:
            yield read_recorded(file)
        except LogError as problem:
            yield problem


def logs_below(path: Path) -> Iterator[Path]:
    """The logs in the folder `path` or a few folders further down: a whole disk is not searched."""
    for depth in range(_DEPTH):
        yield from path.glob("*/" * depth + "*.jsonl")


def _digest(content: bytes, digest: str) -> str:
    head, newline, rest = content.partition(b"\n")
    blank = head.replace(digest.encode(), _BLANK.encode(), 1)
    return "sha256:" + hashlib.sha256(blank + newline + rest).hexdigest()


def _check(log: CellLog, content: bytes, where: str) -> None:
    origin = log.header.origin
    if problem := _provenance_problem(log.header):
        raise LogError(problem, where=where, field="origin", remedy=_REMEDY)
    if not log.complete or not content.endswith(b"\n"):
        raise LogError("was cut short: its last event is missing", where=where, remedy="Restore the whole file")
    digest = origin.get("digest")
    if not isinstance(digest, str) or not digest:
        raise LogError("has no digest", where=where, field="origin.digest", remedy=_REMEDY)
    if _digest(content, digest) != digest:
        raise LogError(
            "was changed after it was recorded: its digest is another one",
            where=where, field="origin.digest", remedy="Restore the file as it was recorded",
        )  # fmt: skip


def _provenance_problem(header: Header) -> str:
    """What the header leaves out of its provenance, or an empty text."""
    try:
        said = msgspec.convert(header.origin, Provenance)
    except msgspec.ValidationError as problem:
        return f"its provenance cannot be used ({problem})"
    if absent := _left_out(said):
        return absent
    rate = said.clock.get("rate")
    if "clock" not in header.origin or not isinstance(rate, int | float) or rate <= 0:
        return "its provenance does not say how fast its clock went"
    if (said.sdk, said.version) != (header.sdk, header.version):
        return f"its provenance speaks of {said.sdk} {said.version}, its header of {header.sdk} {header.version}"
    return ""


def _left_out(said: Provenance) -> str:
    """What a recording has to say of itself and this one does not, or an empty text."""
    names = ("date", "sdk", "version", "runtime", "built", "hub", "clock")
    absent = [name for name in names if not getattr(said, name)]
    return f"its provenance does not say: {', '.join(absent)}" if absent else ""


def _why_no_recording(log: CellLog) -> str:
    if is_recorded(log.header):
        return "is a recording already"
    if log.header.device == "emulated":
        return "is of an emulated device, which can be played anywhere"
    if not log.complete:
        return "ends before its cell does"
    return _unfinished(log.events)


def _unfinished(events: Sequence[Event]) -> str:
    status = next(event.fields.get("status") for event in reversed(events) if event.kind == CELL_END)
    return "" if status == "finished" else f"is of a cell that was not measured: {status}"
