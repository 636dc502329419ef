"""The pure half of harness/device/adapter.py: bytes in, events, noise and log lines out."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.device.adapter import CUT_MARK, EventReader, Limits, Lines, LogReader
from harness.errors import AdapterError

HELLO: dict[str, object] = {
    "event": "hello", "t": 1.0, "protocol": 1, "sdk": "x", "sdk_version": "1", "runtime": "r",
    "transports": ["mqtt"], "capabilities": ["lifetime", "invented"],
}  # fmt: skip


def line(event: object) -> bytes:
    """One line as a device program writes it."""
    return json.dumps(event).encode() + b"\n"


def read(*events: object) -> list[dict[str, object] | str]:
    """What a reader makes of these events after a `hello`."""
    reader = EventReader()
    list(reader.receive(line(HELLO)))
    return list(reader.receive(b"".join(map(line, events))))


@given(st.lists(st.binary(max_size=20)), st.lists(st.integers(0, 40)))
def test_lines_do_not_depend_on_how_the_bytes_arrive(pieces: list[bytes], cuts: list[int]) -> None:
    """Any way to cut the stream gives the same lines."""
    stream = b"\n".join(pieces)
    whole, parts = Lines(8), Lines(8)
    bounds = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    chunks = [stream[start:end] for start, end in itertools.pairwise(bounds)]
    expected = [*whole.receive(stream), *whole.rest()]
    assert [*itertools.chain.from_iterable(map(parts.receive, chunks)), *parts.rest()] == expected


@given(st.lists(st.binary(max_size=30).filter(lambda piece: b"\n" not in piece)))
def test_lines_are_cut_at_their_limit(pieces: list[bytes]) -> None:
    """A line keeps its first bytes and says when it lost others."""
    found = list(Lines(8).receive(b"".join(piece + b"\n" for piece in pieces)))
    assert found == [(piece[:8].removesuffix(b"\r"), len(piece) > 8) for piece in pieces]


@given(st.binary())
def test_any_bytes_are_noise_or_an_adapter_error(data: bytes) -> None:
    """A reader takes whatever a program writes and raises nothing but AdapterError."""
    reader = EventReader(Limits(line=64))
    try:
        assert all(isinstance(item, str) for item in reader.receive(data + b"\n"))
    except AdapterError:
        assert len(data) > 64


def test_hello_is_remembered() -> None:
    """The reader knows what the program said of itself, capabilities it does not know included."""
    reader = EventReader()
    assert list(reader.receive(line(HELLO))) == [HELLO]
    assert reader.hello is not None
    assert reader.hello.can("lifetime")
    assert not reader.hello.can("x509")
    assert "invented" in reader.hello.capabilities


def test_unknown_events_and_fields_are_kept() -> None:
    """A program may say more than version 1 knows."""
    events: list[object] = [{"event": "novelty", "t": 2, "x": [1]}, {"event": "sent", "t": 2, "id": 1, "more": True}]
    assert read(*events) == events


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({"event": "sent", "t": 1.0}, "`id`"),
        ({"event": "sent", "t": 1.0, "id": "1"}, "int"),
        ({"event": "sent", "id": 1}, "`t`"),
        ({"event": "send_failed", "t": 1.0, "id": 1, "error": "text"}, "array"),
        ({"event": "open_failed", "t": 1.0, "error": [{"message": "no class"}]}, "`class`"),
        (HELLO, "first and once"),
    ],
)
def test_an_event_that_breaks_the_protocol_is_an_error(event: object, problem: str) -> None:
    """The error names what is wrong with which event."""
    with pytest.raises(AdapterError, match=problem):
        read(event)


def test_events_before_the_broken_one_are_kept() -> None:
    """What a program said before it broke the protocol is reported."""
    reader = EventReader()
    said = reader.receive(line(HELLO) + line({"event": "sent"}))
    assert next(said) == HELLO
    with pytest.raises(AdapterError):
        next(said)


def test_an_event_before_hello_is_an_error() -> None:
    """Nothing comes before `hello` but noise."""
    with pytest.raises(AdapterError, match="before the event `sent`"):
        list(EventReader().receive(b"noise\n" + line({"event": "sent", "t": 1.0, "id": 1})))


@pytest.mark.parametrize("protocol", [0, 2, "1", None])
def test_another_version_is_refused(protocol: object) -> None:
    """Only version 1 is spoken here."""
    with pytest.raises(AdapterError, match="speaks version"):
        list(EventReader().receive(line({**HELLO, "protocol": protocol})))


def test_a_hello_without_a_version_of_the_sdk_is_an_error() -> None:
    """An incomplete `hello` is no `hello`."""
    with pytest.raises(AdapterError, match="sdk_version"):
        list(EventReader().receive(line({key: HELLO[key] for key in HELLO if key != "sdk_version"})))


def test_a_line_without_end_is_refused_before_it_ends() -> None:
    """The limit holds without a line feed, too."""
    with pytest.raises(AdapterError, match="line longer than 64 bytes"):
        list(EventReader(Limits(line=64)).receive(b"x" * 65))


def test_noise_is_limited_in_total() -> None:
    """The last line that fits is reported, the next one is an error."""
    said = EventReader(Limits(noise=20)).receive(b"123456789\n" * 3)
    assert [next(said), next(said)] == ["123456789", "123456789"]
    with pytest.raises(AdapterError, match="more than 20 bytes"):
        next(said)


def test_a_last_line_without_end_is_read() -> None:
    """What a crashing program wrote last counts."""
    reader = EventReader()
    assert list(reader.receive(line(HELLO)[:-1])) == []
    assert list(reader.rest()) == [HELLO]


def test_long_log_lines_are_cut_and_marked() -> None:
    """A log line keeps its beginning; the last of what was read goes too, for it may be half a secret."""
    lines = list(LogReader(Limits(log_line=300)).receive(b"x" * 400 + b"\n" + b"y" * 300 + b"\n"))
    assert lines == ["x" * 44 + CUT_MARK, "y" * 300]


def test_the_log_ends_at_its_limit_and_says_so_once() -> None:
    """After the limit nothing is kept, however much comes."""
    reader = LogReader(Limits(log=10))
    assert list(reader.receive(b"12345678\n")) == ["12345678"]
    assert list(reader.receive(b"abc\n")) == ["[the log goes on; only its first 10 bytes are kept]"]
    assert list(reader.receive(b"def\n")) == []


def test_the_log_may_be_anything() -> None:
    """Bytes that are no UTF-8 are shown as such."""
    reader = LogReader()
    assert [*reader.receive(b"\xff\n"), *reader.receive(b"end"), *reader.rest()] == ["\ufffd", "end"]


def test_events_have_a_limit_in_total() -> None:
    """A program that reports without end fills no disk."""
    reader = EventReader(Limits(events=1000))
    list(reader.receive(json.dumps(HELLO).encode() + b"\n"))
    status = b'{"event":"status","t":0,"status":"x"}\n'
    with pytest.raises(AdapterError, match="wrote more than 1000 bytes to stdout"):
        list(itertools.chain.from_iterable(map(reader.receive, [status] * 100)))
