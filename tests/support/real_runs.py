"""Comparisons of real SDKs for tests, several at once, and how to read their logs."""

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.events import CellLog, Event
from harness.runfolder import read_cells

Key = tuple[str, str, float | None]
"""Transport, scenario, and the lifetime that was set."""


def start_comparison(root: Path, scenarios: Iterable[str], *arguments: str) -> subprocess.Popen[str]:
    """A comparison under way, whose run goes to a folder in `root`. A scenario is a bundled one's name, or a document."""
    names = []
    for number, scenario in enumerate(scenarios):
        if "\n" in scenario:
            path = root / f"{number}.toml"
            path.write_text(scenario, encoding="utf-8")
            scenario = str(path)  # noqa: PLW2901 - a name from here on
        names.append(scenario)
    fixed = ["compare", "--device", "real", "--scenario", ",".join(names), "--out", str(root / "runs")]
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *fixed, *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(run: subprocess.Popen[str], root: Path, timeout_s: float) -> Path:
    """The folder of a comparison, once it is over."""
    _, errors = run.communicate(timeout=timeout_s)
    assert run.returncode == 0, errors
    (folder,) = (root / "runs").iterdir()
    return folder


def logs_of(folder: Path) -> Mapping[Key, CellLog]:
    """The logs of a run in which no setting but the lifetime differs."""
    read = [log for log in read_cells(folder) if isinstance(log, CellLog)]
    return {
        (log.header.transport, str(log.header.scenario["id"]), log.header.settings["lifetime_s"]): log  # type: ignore[misc]
        for log in read
        if log.header.settings["margin_s"] is None
    }


def of_kind(log: CellLog, *kinds: str) -> list[Event]:
    """The log's events of these kinds."""
    return [event for event in log.events if event.kind in kinds]


def from_app(log: CellLog, *kinds: str) -> list[Event]:
    """What the application saw of these kinds."""
    return [event for event in of_kind(log, *kinds) if event.src == "app"]


def shown(log: CellLog) -> list[str]:
    """Everything the application was shown, but for messages and the beginning."""
    told = [event.kind for event in log.events if event.src == "app"]
    return [kind for kind in told if kind not in {"hello", "opened", "sent", "c2d", "method"}]


def cut_of(log: CellLog) -> Event:
    """The only cut that is not the end of the run."""
    (cut,) = [event for event in of_kind(log, "cut") if event.fields["cause"] != "hub-stopped"]
    return cut


def after(event: Event, events: Iterable[Event]) -> list[Event]:
    """Those that came later."""
    return [later for later in events if later.t > event.t]


def seconds(one: Event, other: Event) -> float:
    """From one event to another."""
    return (other.t - one.t) / 1e6


def classes(event: Event) -> list[str]:
    """The classes of an event's error, outermost first."""
    error = event.fields["error"]
    assert isinstance(error, list)
    return [str(link["class"]) for link in error]


def values(events: Iterable[Event], field: str) -> list[object]:
    """One field of each."""
    return [event.fields[field] for event in events]
