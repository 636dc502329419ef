"""The benchmark tool end to end, on our hub alone: what it prints and writes, never how fast anything was."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest

RUN = Path(__file__).parents[1] / "benchmarks" / "run.py"
SCHEMA = Path(__file__).parents[1] / "harness" / "schemas" / "benchmarks.schema.json"
CHOSEN = ("W16", "connect13", "idle", "A16", "connectA", "idleA")
TINY = ("--rounds", "1", "--count", "1", "--idle", "12", "--stdlib-loop")

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and needs loopback addresses")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The tool with these arguments."""
    return subprocess.run(
        [sys.executable, str(RUN), *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@linux_only
@pytest.mark.slow
def test_without_the_peer_figures_are_complete_and_have_no_ratio(tmp_path: Path) -> None:
    """Every kind of workload yields a row per way of recording; the absent peer is named, and no reason to fail."""
    target = tmp_path / "figures.json"
    chosen = [part for name in CHOSEN for part in ("--only", name)]
    done = run(*TINY, *chosen, "--mosquitto", str(tmp_path / "absent"), "--json", str(target))
    assert done.returncode == 0, done.stderr
    assert "no peer" in done.stdout
    assert "apt-get install mosquitto" in done.stdout
    document = json.loads(target.read_text())
    assert document["schema"] == 1
    assert document["event_loop"] == "asyncio"
    rows = {(row["workload"], row["server"]): row for row in document["rows"]}
    assert set(rows) == {(name, hub) for name in CHOSEN for hub in ("hub", "hub, recording")}
    for row in rows.values():
        assert row["ratio"] is None
        assert row["figure"]["low"] <= row["figure"]["median"] <= row["figure"]["high"]
        assert row["measurements"][0]["operations"] > 0


def test_diagnose_is_measured_beside_bare_json(tmp_path: Path) -> None:
    """It needs no peer, and its ratio is there."""
    target = tmp_path / "figures.json"
    done = run("--only", "diagnose", "--rounds", "1", "--count", "5", "--json", str(target))
    assert done.returncode == 0, done.stderr
    assert "no peer" not in done.stdout
    bare, ours = json.loads(target.read_text())["rows"]
    assert (bare["server"], bare["ratio"], ours["server"]) == ("json.loads", None, "harness diagnose")
    assert ours["ratio"]["median"] > 0


def test_figures_are_as_their_schema_says_and_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their structure knows each field of them: written again, they are the same."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(RUN.parents[1])])  # last, as the tool itself does
    from benchmarks.document import Figures  # noqa: PLC0415

    target = tmp_path / "figures.json"
    run("--only", "diagnose", "--rounds", "1", "--count", "5", "--json", str(target))
    document = json.loads(target.read_text())
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert json.loads(msgspec.json.encode(msgspec.convert(document, Figures))) == document


@pytest.mark.parametrize(
    ("frames", "accepted"),
    [
        pytest.param("0000001a02000000005315c00d05417000000001404100532445", 1, id="ours"),
        pytest.param("0000001802000000005315c00b0541520152034100532445", 3, id="a range"),
        pytest.param("0000001602000000005315c009054143404100532445", 1, id="number zero"),
        pytest.param("0000001d02000000005315d00000000d00000005415201404100532445", 1, id="long list"),
        pytest.param("0000000802000000" * 2, 0, id="heartbeats"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_acknowledgements_are_counted_however_they_come(
    monkeypatch: pytest.MonkeyPatch, frames: str, accepted: int, size: int
) -> None:
    """In frames of every writer, in any pieces, twice over."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(RUN.parents[1])])  # last, as the tool itself does
    from benchmarks.amqp_device import count_accepted  # noqa: PLC0415

    stream, total, left = bytes.fromhex(frames) * 2, 0, b""
    for start in range(0, len(stream), size):
        number, left = count_accepted(left + stream[start : start + size])
        total += number
    assert (total, left) == (2 * accepted, b"")


def test_an_unknown_workload_is_refused() -> None:
    """The names that exist are told."""
    done = run("--only", "W2")
    assert done.returncode == 2
    assert "W1, W16, connect13, connect12, idle, A1, A16, connectA, idleA, diagnose, help, page" in done.stderr


@pytest.mark.slow
def test_a_commands_start_is_measured_beside_bare_python(tmp_path: Path) -> None:
    """In turns; the target is told as met or not met, and is no reason to fail."""
    target = tmp_path / "figures.json"
    done = run("--only", "help", "--rounds", "1", "--json", str(target))
    assert done.returncode == 0, done.stderr
    assert "<= 150 ms: " in done.stdout
    bare, ours = json.loads(target.read_text())["startup"]
    assert (bare["command"], ours["command"]) == ("python -c pass", "harness --help")
    assert len(bare["samples_ms"]) == len(ours["samples_ms"]) == 5


@pytest.mark.slow
def test_the_page_is_measured_beside_bare_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stage, and how long it is; the targets are told as met or not met."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(RUN.parents[1])])  # last, as the tool itself does
    from benchmarks.page import measure_page, page_table  # noqa: PLC0415

    found = measure_page(1, cells=3)
    assert [stage.name for stage in found.stages] == ["bare", "analyse", "page"]
    assert found.page_bytes > 10_000
    text = page_table(found)
    assert "<= 1000 ms: " in text
    assert "MB for 3 cells" in text
    assert "target <= 2 MB: met" in text
