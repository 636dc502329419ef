"""Tests of the event log: codec, recorder, and reading logs that are whole, cut short, damaged or newer."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LogError
from harness.events import CELL_END, Event, Header, Recorder, read_cell_log
from harness.redaction import MARK, Redactor

HEADER = Header(
    format=1, cell="c1", sdk="python", sdk_name="Python", version="2.14.0", transport="mqtt", device="real",
    scenario={"id": "renewal"}, settings={}, hub={},
)  # fmt: skip
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def written(*kinds: str) -> list[bytes]:
    """The lines of a log with a header and events of these kinds."""
    file = io.BytesIO()
    recorder = Recorder(file.write, started=100.0)
    recorder.header(HEADER)
    for number, kind in enumerate(kinds):
        recorder.record("hub", kind, 100.0 + number, {"conn": 1})
    return file.getvalue().splitlines(keepends=True)


def test_a_log_comes_back_as_it_was_written() -> None:
    """Header, order, times in microseconds, fields."""
    log = read_cell_log(written("connect", CELL_END), where="x")
    assert log.header == HEADER
    assert log.events == (Event(0, 0, "hub", "connect", {"conn": 1}), Event(1, 1_000_000, "hub", CELL_END, {"conn": 1}))
    assert log.complete


@given(fields=st.dictionaries(st.text(min_size=1), JSON, max_size=4), kind=st.text(min_size=1))
def test_any_fields_survive_the_codec(fields: dict[str, object], kind: str) -> None:
    """Whatever JSON can hold, except the names of the envelope, which the recorder owns."""
    file = io.BytesIO()
    recorder = Recorder(file.write, started=0.0)
    recorder.header(HEADER)
    recorder.record("app", kind, 1.5, fields)
    (event,) = read_cell_log(file.getvalue().splitlines(keepends=True), where="x").events
    assert event == Event(
        0, 1_500_000, "app", kind, {k: v for k, v in fields.items() if k not in {"seq", "t", "src", "kind"}}
    )


def test_secrets_do_not_reach_the_file() -> None:
    """Redaction happens where events are made: in the header too, and before listeners see them."""
    file = io.BytesIO()
    recorder = Recorder(file.write, started=0.0, redactor=Redactor([SECRET]))
    seen: list[Event] = []
    recorder.listen(seen.append)
    recorder.header(
        Header(**{name: getattr(HEADER, name) for name in HEADER.__struct_fields__ if name != "way"}, way={"x": SECRET})
    )
    recorder.record("sdk-log", "line", 0.0, {"text": f"key {SECRET}"})
    assert SECRET not in file.getvalue().decode()
    assert seen[0].fields == {"text": f"key {MARK}"}


def test_a_source_reports_under_its_name() -> None:
    """`source` binds the sender."""
    file = io.BytesIO()
    recorder = Recorder(file.write, started=1.0)
    recorder.source("harness")("note", 1.25, text="hello")
    assert json.loads(file.getvalue()) == {"seq": 0, "t": 250000, "src": "harness", "kind": "note", "text": "hello"}


def test_a_log_without_its_end_is_incomplete() -> None:
    """The run stopped early; what is there can be read."""
    log = read_cell_log(written("connect"), where="x")
    assert not log.complete
    assert len(log.events) == 1


@given(cut=st.integers(1, 60))
def test_a_last_line_cut_short_is_dropped(cut: int) -> None:
    """Wherever the write stopped."""
    lines = written("connect", "connack", CELL_END)
    lines[-1] = lines[-1][:-cut]
    log = read_cell_log(lines, where="x")
    assert log.complete == (cut == 1)
    assert len(log.events) == (3 if cut == 1 else 2)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "x: the file is empty"),
        ([b"not json\n"], "no header of a cell"),
        ([b'{"format":1}\n'], "no header of a cell"),
        ([b'{"format":99}\n'], "x: format: is 99, this harness reads up to 1"),
        ([*written("a")[:1], b"{]\n", *written("a")[1:]], "x, line 2: not an event"),
        ([*written("a")[:1], b'{"seq":"x"}\n', *written("a")[1:]], "x, line 2: not an event"),
        (
            [*written("a")[:1], b'{"seq":0,"t":0,"src":"hub","kind":"\xff"}\n', *written("a")[1:]],
            "x, line 2: not an event",
        ),
        ([b'{"format":1,"cell":"\xff"}\n'], "no header of a cell"),
        ([*written("a")[:1], b'{"seq":0,"t":0,"src":["hub"],"kind":"a"}\n', *written("a")[1:]], "Expected `str`.*src"),
        ([*written("a")[:1], b'{"seq":0,"t":true,"src":"hub","kind":"a"}\n', *written("a")[1:]], "Expected `int`.*t"),
        (
            [
                *written("a")[:1],
                b'{"seq":0,"t":0,"src":"hub","kind":"a","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
                *written("a")[1:],
            ],
            "x, line 2: not an event",
        ),
        ([b'{"format":1,"cell":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"], "no header of a cell"),
        ([*written("a")[:1], b'{"seq":0,"t":0,"kind":"a"}\n', *written("a")[1:]], "missing required field `src`"),
    ],
)
def test_a_log_that_cannot_be_read_says_where_and_why(lines: list[bytes], says: str) -> None:
    """Empty, foreign, newer, damaged in the middle."""
    with pytest.raises(LogError, match=says):
        read_cell_log(lines, where="x")


def test_unknown_kinds_and_fields_are_kept() -> None:
    """A log of a later harness with the same format stays readable."""
    lines = [*written(), b'{"seq":0,"t":5,"src":"hub","kind":"invented","colour":"blue"}\n']
    assert read_cell_log(lines, where="x").events == (Event(0, 5, "hub", "invented", {"colour": "blue"}),)


def test_a_failing_write_ends_the_log_and_throws_nobody_out() -> None:
    """What reports an event is in the midst of something."""
    lines: list[bytes] = []

    def write(line: bytes) -> None:
        if len(lines) == 2:
            raise OSError(28, "No space left on device")
        lines.append(line)

    recorder = Recorder(write, started=0.0)
    recorder.header(HEADER)
    for kind in ("a", "b", "c"):
        recorder.record("hub", kind, 0.0, {})
    assert [event.kind for event in read_cell_log(lines, where="x").events] == ["a"]
    assert str(recorder.failure) == "[Errno 28] No space left on device"
