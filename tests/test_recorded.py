"""Recorded logs: the form, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from support.analysis_logs import LogBuilder, early_renewal, header

from harness.errors import LogError
from harness.events import CellLog
from harness.recorded import (
    Provenance,
    find_recorded,
    read_log,
    read_recorded,
    record_log,
    recording_name,
    seal,
)

PROVENANCE = Provenance(date="2026-11-24", sdk="sdk", version="1.1", runtime="R 3", built="from source", hub="a hub")


def sealed(log: CellLog | None = None, provenance: Provenance = PROVENANCE) -> bytes:
    """A recorded log."""
    return record_log(log or early_renewal().log(), provenance, where="here")


def refusal(content: bytes) -> str:
    """Why these bytes are no evidence."""
    with pytest.raises(LogError) as caught:
        read_log(content, where="here")
    return str(caught.value)


def test_a_recorded_log_reads_as_it_was_written() -> None:
    """Its events unchanged, its provenance in the header, with the version that was measured."""
    log = early_renewal().log()
    read = read_log(sealed(log), where="here")
    assert read.events == log.events
    assert read.header.version == "1.1"
    origin = dict(read.header.origin)
    assert str(origin.pop("digest")).startswith("sha256:")
    assert origin == {
        "kind": "recorded",
        "date": "2026-11-24",
        "sdk": "sdk",
        "version": "1.1",
        "runtime": "R 3",
        "built": "from source",
        "hub": "a hub",
        "clock": {"rate": 1, "by": "real time"},
    }


def test_recording_twice_gives_the_same_bytes() -> None:
    """Nothing in it depends on when or where it is made."""
    assert sealed() == sealed()


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content.replace(b'"status":"True"', b'"status":"False"', 1),
        lambda content: content.replace(b"R 3", b"R 4", 1),
        lambda content: content.replace(b"\n", b"\n\n", 1),
        lambda content: content.replace(b"sha256:", b"sha256:f", 1),
    ],
    ids=["an event", "its provenance", "an empty line", "its digest"],
)
def test_an_edited_log_is_refused(edit: Callable[[bytes], bytes]) -> None:
    """Whatever was changed."""
    content = edit(sealed())
    assert "origin.digest: was changed after it was recorded" in refusal(content) or "not an event" in refusal(content)


@pytest.mark.parametrize("cut", [1, 40, 500])
def test_a_truncated_log_is_refused(cut: int) -> None:
    """By a byte, by its last event, in the middle."""
    assert "was cut short" in refusal(sealed()[:-cut])


def test_a_newer_format_is_refused() -> None:
    """Before anything else is read."""
    assert "format" in refusal(sealed().replace(b'{"format":1', b'{"format":2', 1))


@pytest.mark.parametrize("name", ["date", "sdk", "version", "runtime", "built", "hub", "clock"])
def test_a_log_without_provenance_is_refused(name: str) -> None:
    """Each part of it is wanted."""
    head, newline, rest = sealed().partition(b"\n")
    before, origin = head.split(b'"origin":')
    content = before + b'"origin":' + origin.replace(f'"{name}":'.encode(), b'"x":') + newline + rest
    assert "provenance" in refusal(content)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"built": ""}, "missing required field `built`"),
        ({"clock": {}}, "does not say how fast its clock went"),
        ({"clock": {"rate": 0}}, "does not say how fast its clock went"),
        ({"clock": {"rate": "fast"}}, "does not say how fast its clock went"),
        ({"sdk": "other"}, "its provenance speaks of other 1.1, its header of sdk 1.1"),
    ],
)
def test_provenance_that_says_nothing_is_refused(changes: dict[str, object], says: str) -> None:
    """Empty, without a clock, or of something else."""
    fields = {name: getattr(PROVENANCE, name) for name in PROVENANCE.__struct_fields__}
    made = seal(header(), Provenance(**{**fields, **changes}), early_renewal().log().events)
    assert says in refusal(made)


@pytest.mark.parametrize("name", ["date", "version", "runtime", "built", "hub"])
def test_a_recording_that_would_be_refused_is_not_made(name: str) -> None:
    """What would be missing is named, and how to say it."""
    with pytest.raises(LogError, match=f"does not say: {name}. Say it with --built or --runtime"):
        sealed(provenance=msgspec.structs.replace(PROVENANCE, **{name: ""}))


def test_provenance_left_empty_is_refused() -> None:
    """A name with nothing behind it says nothing."""
    content = sealed().replace(b'"built":"from source"', b'"built":""')
    assert "its provenance does not say: built" in refusal(content)


def test_a_recording_without_a_digest_is_refused() -> None:
    """Nobody could tell whether it was changed."""
    assert "has no digest" in refusal(sealed().replace(b'"digest"', b'"x"', 1))


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (early_renewal(head=header(device="emulated")), "is of an emulated device"),
        (LogBuilder().connect(60), "ends before its cell does"),
        (LogBuilder().end("adapter-error"), "was not measured: adapter-error"),
    ],
)
def test_what_cannot_be_recorded(log: LogBuilder, says: str) -> None:
    """A recording stands for a finished cell of a real device."""
    with pytest.raises(LogError, match=says):
        sealed(log.log())


def test_a_recording_is_not_recorded_again() -> None:
    """Its provenance would be lost."""
    with pytest.raises(LogError, match="is a recording already"):
        sealed(read_log(sealed(), where="here"))


def test_a_log_of_a_run_is_no_recorded_log(tmp_path: Path) -> None:
    """It can be read as what it is, not as evidence from elsewhere."""
    file = tmp_path / "cell.jsonl"
    file.write_bytes(b"".join(early_renewal().lines()))
    assert not read_log(file.read_bytes(), where="here").header.origin.get("digest")
    with pytest.raises(LogError, match="it has no provenance"):
        read_recorded(file)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With the system's word for it."""
    with pytest.raises(LogError, match="cannot be read"):
        read_recorded(tmp_path / "absent.jsonl")


def test_recordings_are_found_in_order_and_refusals_among_them(tmp_path: Path) -> None:
    """Below a folder, or the one file that was named."""
    good = seal(header(), PROVENANCE, early_renewal().log().events)
    for name, content in (("a/two.jsonl", good), ("a/one.jsonl", good[:-9]), ("b/three.jsonl", good)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert [type(one) for one in find_recorded(tmp_path)] == [LogError, CellLog, CellLog]
    assert [type(one) for one in find_recorded(tmp_path / "a" / "two.jsonl")] == [CellLog]


def test_recordings_of_one_provenance_share_a_folder() -> None:
    """By SDK, version and date."""
    assert recording_name(PROVENANCE) == "sdk-1.1-2026-11-24"
