"""The event log: the only output of a run. Frozen events, their JSON-lines codec, and the recorder that makes them.

A cell's file holds a header line, one line per event, and ends with an event of kind `cell-end` (`CELL_END`). A file without that
last event is readable and incomplete. Kinds and fields this version does not know are kept.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, Literal, Protocol, TypeVar, cast, get_args

import msgspec

from harness.errors import LogError
from harness.redaction import Redactor

__all__ = [
    "CELL_END",
    "FORMAT",
    "CellLog",
    "Emit",
    "Event",
    "Events",
    "Header",
    "Recorder",
    "Source",
    "check_format",
    "read_cell_log",
]

T = TypeVar("T")
FORMAT: Final = 1
CELL_END: Final = "cell-end"
Source = Literal["hub", "app", "sdk-log", "harness"]
_SOURCES: Final = get_args(Source)
_ENVELOPE: Final = frozenset({"seq", "t", "src", "kind"})


class Event(msgspec.Struct, frozen=True):
    """One thing that happened. `t` is microseconds since the cell began, on the harness's clock."""

    seq: int
    t: int
    src: Source
    kind: str
    fields: Mapping[str, object] = {}

    def encode(self) -> bytes:
        """The event as one JSON line, its fields beside the envelope."""
        return _ENCODER.encode({"seq": self.seq, "t": self.t, "src": self.src, "kind": self.kind, **self.fields})


class Events(tuple[Event, ...]):  # noqa: SLOT001 - the index is an attribute that is made when it is first asked for
    """Events in order, of which those of a kind are found without looking at every one."""

    def of_kind(self, src: str, kinds: Iterable[str]) -> Iterator[Event]:
        """The events of `src` that are of one of `kinds`, in order."""
        return self._merged([places for kind in kinds if (places := self._places.get((src, kind)))])

    def of_sources(self, sources: Collection[str]) -> Iterator[Event]:
        """The events of the `sources`, in order."""
        return self._merged([places for (src, _), places in self._places.items() if src in sources])

    def once(self, derive: Callable[["Events"], T]) -> T:
        """What `derive` makes of them, which is made when it is first asked for."""
        if derive not in self._derived:
            self._derived[derive] = derive(self)
        return cast("T", self._derived[derive])

    def _merged(self, found: Sequence[Sequence[int]]) -> Iterator[Event]:
        places = found[0] if len(found) == 1 else sorted({place for some in found for place in some})
        return map(self.__getitem__, places)

    @cached_property
    def _derived(self) -> dict[Callable[["Events"], object], object]:
        return {}

    @cached_property
    def _places(self) -> Mapping[tuple[str, str], Sequence[int]]:
        places: dict[tuple[str, str], list[int]] = {}
        for place, event in enumerate(self):
            places.setdefault((event.src, event.kind), []).append(place)
        return places


class Emit(Protocol):
    """What the hub, a device and the run call to report something; `now` in seconds since the Unix epoch."""

    def __call__(self, kind: str, now: float, /, **fields: object) -> None:
        """Record that `kind` happened at `now`."""
        ...


class Header(msgspec.Struct, frozen=True):
    """The first line of a cell's file: all that analysis needs to know besides the events.

    `scenario`, `claims`, `settings` are the documents as used, so that a log explains itself. `origin`: measured in this run, or recorded
    elsewhere (see `harness.recorded`). `lacks`: kinds of evidence that a run of the harness would have and this log has not, so that
    nobody takes their absence for an observation (docs/event-log.md has the words). `totals`: `sent` and `received` messages, where the
    events do not tell of each.
    """

    format: int
    cell: str
    sdk: str
    sdk_name: str
    version: str
    transport: str
    device: Literal["real", "emulated", "remote"]
    scenario: Mapping[str, object]
    settings: Mapping[str, object]
    hub: Mapping[str, object]
    way: Mapping[str, object] = {}
    claims: tuple[Mapping[str, object], ...] = ()
    repeat: int = 1
    origin: Mapping[str, object] = msgspec.field(default_factory=lambda: {"kind": "this-run"})
    started: str = ""
    harness: str = ""
    lacks: tuple[str, ...] = ()
    totals: Mapping[str, int] = {}


class CellLog(msgspec.Struct, frozen=True):
    """A cell's file in memory. `complete` is false where the last event is missing: the run stopped early."""

    header: Header
    events: tuple[Event, ...]
    complete: bool


class Recorder:
    """Numbers, stamps, redacts and encodes events, and hands each line to `write` at once.

    Where `write` fails, `failure` says why and nothing more is written: the log ends there, readable and incomplete.
    """

    def __init__(self, write: Callable[[bytes], object], *, started: float, redactor: Redactor | None = None) -> None:
        self._write, self._started, self._seq = write, started, 0
        self.has_header = False
        self.failure: OSError | None = None
        self.redactor = redactor or Redactor()
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event from now on, after it is written."""
        self._listeners.append(listener)

    def header(self, header: Header) -> None:
        """Write the header line; to be called once, first."""
        self.has_header = True
        self._put(_ENCODER.encode(self.redactor.value(msgspec.to_builtins(header))) + b"\n")

    def record(self, src: Source, kind: str, now: float, fields: Mapping[str, object]) -> None:
        """Write one event that happened at `now`."""
        text, value = self.redactor.text, self.redactor.value
        safe = {text(key): value(item) for key, item in fields.items() if key not in _ENVELOPE}
        event = Event(self._seq, self.microseconds(now), src, text(kind), safe)
        self._seq += 1
        self._put(event.encode() + b"\n")
        for listener in self._listeners:
            listener(event)

    def microseconds(self, now: float) -> int:
        """How long the cell has been running at `now`, as events tell it."""
        return round((now - self._started) * 1e6)

    def _put(self, line: bytes) -> None:
        """Write where writing still works; what reports an event is in the midst of something and must not be thrown out of it."""
        if self.failure is None:
            try:
                self._write(line)
            except OSError as problem:
                self.failure = problem

    def source(self, src: Source) -> Emit:
        """The function by which `src` reports."""

        def emit(kind: str, now: float, /, **fields: object) -> None:
            self.record(src, kind, now, fields)

        return emit


def read_cell_log(lines: Iterable[bytes], *, where: str) -> CellLog:
    """Read a cell's file.

    A last line cut short is dropped and the log is incomplete; so is a log whose `cell-end` is missing.

    Raises:
        LogError: no header, a newer format, or a line that is no event before the last line.
    """
    numbered = list(enumerate(lines, start=1))
    if not numbered:
        raise LogError("the file is empty", where=where, remedy="The run stopped before this cell began; run it again")
    header = _read_header(numbered[0][1], where)
    events: list[Event] = []
    for number, line in numbered[1:]:
        try:
            events.append(_read_event(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if number == len(numbered):
                break
            raise LogError(
                f"not an event ({error})",
                where=f"{where}, line {number}",
                remedy="The file was damaged after the run; restore it",
            ) from error
    return CellLog(header, Events(events), complete=bool(events) and events[-1].kind == CELL_END)


def _read_header(line: bytes, where: str) -> Header:
    try:
        check_format(line, where=where)
        return msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LogError(
            f"the first line is no header of a cell ({error})",
            where=where,
            remedy="Name a run folder or its cells/*.jsonl",
        ) from error


def check_format(content: bytes, *, where: str) -> None:
    """Refuse JSON of a newer format than `FORMAT`, before anything else of it is read.

    Raises:
        LogError: it is newer.
        msgspec.DecodeError: it is no JSON with a format.
    """
    version = msgspec.json.decode(content, type=_Format).format
    if version > FORMAT:
        raise LogError(
            f"is {version}, this harness reads up to {FORMAT}",
            where=where,
            field="format",
            remedy="Use a newer harness",
        )


def _read_event(line: bytes) -> Event:
    fields = _DECODER.decode(line)
    seq, t, src, kind = (
        fields.pop("seq", None),
        fields.pop("t", None),
        fields.pop("src", None),
        fields.pop("kind", None),
    )
    if type(seq) is int and type(t) is int and type(kind) is str and src in _SOURCES:
        return Event(seq, t, cast("Source", src), kind, fields)
    return msgspec.convert({**_DECODER.decode(line), "fields": fields}, Event)  # which says what is wrong


class _Format(msgspec.Struct):
    format: int


_ENCODER = msgspec.json.Encoder(enc_hook=str)
_DECODER = msgspec.json.Decoder(dict[str, object])
