"""The page about the event log is true to logs: every kind and field that a real run wrote, or a recording holds, is on it."""

import re
from pathlib import Path

import pytest

from harness.events import CellLog, Event
from harness.recorded import bundled_recordings, find_recorded
from harness.runfolder import read_cells

ROOT = Path(__file__).parent.parent
WORDS = set(re.findall(r"`([^`]+)`", (ROOT / "docs" / "event-log.md").read_text(encoding="utf-8")))
DESCRIBED_ELSEWHERE = {"app"}  # by the page about the adapter protocol, which has a test of its own


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """Every event of the published run and of the recordings, but for those of the adapter protocol."""
    read = [*read_cells(ROOT / "results" / "published" / "reference"), *find_recorded(bundled_recordings())]
    logs = [log for log in read if isinstance(log, CellLog)]
    return [event for log in logs for event in log.events if event.src not in DESCRIBED_ELSEWHERE]


def test_every_kind_is_described(events: list[Event]) -> None:
    """Of the hub, the SDK's log and the harness."""
    assert {event.kind for event in events} - WORDS == set()


def test_every_field_is_described(events: list[Event]) -> None:
    """Settings of a command are those of the adapter protocol."""
    settings = {"transport", "lifetime_s", "margin_s", "margin_percent", "c2d", "methods"}
    assert {field for event in events for field in event.fields} - WORDS - settings == set()
