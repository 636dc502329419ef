"""The benchmark tool end to end, on our hub alone: what it prints and writes, never how fast anything was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / "benchmarks" / "run.py"
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
    chosen = [part for name in ("W16", "connect13", "idle") for part in ("--only", name)]
    done = run(*TINY, *chosen, "--mosquitto", str(tmp_path / "absent"), "--json", str(target))
    assert done.returncode == 0, done.stderr
    assert "no peer" in done.stdout
    assert "apt-get install mosquitto" in done.stdout
    document = json.loads(target.read_text())
    assert document["schema"] == 1
    assert document["event_loop"] == "asyncio"
    rows = {(row["workload"], row["server"]): row for row in document["rows"]}
    assert set(rows) == {(name, hub) for name in ("W16", "connect13", "idle") for hub in ("hub", "hub, recording")}
    for row in rows.values():
        assert row["ratio"] is None
        assert row["figure"]["low"] <= row["figure"]["median"] <= row["figure"]["high"]
        assert row["measurements"][0]["operations"] > 0


def test_an_unknown_workload_is_refused() -> None:
    """The names that exist are told."""
    done = run("--only", "W2")
    assert done.returncode == 2
    assert "W1, W16, connect13, connect12, idle" in done.stderr
