"""The page about the event log is true to logs: every kind and field that a real run wrote, or a recording holds, is on it."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.https_world import DEVICEBOUND, Caller, request
from support.hub_world import CERTIFICATE, NOW, SELF_SIGNED, World

from harness.events import CellLog, Event
from harness.hub.https.telemetry import BATCH_TYPE
from harness.recorded import bundled_recordings, find_recorded
from harness.runfolder import read_cells

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "event-log.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"`([^`]+)`", PAGE))
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


def rows() -> dict[str, set[str]]:
    """What the tables say of each kind: every word in the rows that name it."""
    said: dict[str, set[str]] = {}
    for line in PAGE.splitlines():
        if line.startswith("| `"):
            kinds = re.findall(r"`([^`]+)`", line.split("|")[1])
            for kind in kinds:
                said.setdefault(kind, set()).update(re.findall(r"`([^`]+)`", line))
    return said


def test_every_field_stands_beside_its_kind() -> None:
    """Not just anywhere on the page. Recordings hold more, and the settings of a command are those of the adapter protocol."""
    said = rows()
    logs = [log for log in read_cells(ROOT / "results" / "published" / "reference") if isinstance(log, CellLog)]
    events = [event for log in logs for event in log.events if event.src in {"hub", "harness"}]
    told = [*over_https(), *((event.kind, event.fields) for event in events)]
    lacking = {
        (kind, field)
        for kind, fields in told
        if kind != "command"
        for field in fields
        if field not in {"conn", *said.get(kind, ())}
    }
    assert lacking == set()


def over_https() -> list[tuple[str, Mapping[str, object]]]:
    """What the hub tells of requests: no cell of the published run makes any."""
    world = World(identity=SELF_SIGNED)
    certified = Caller(world, certificate=CERTIFICATE)
    world.hub.send_c2d("m1", b"", NOW)
    lock = certified.ask(request("GET", DEVICEBOUND, sas=None)).header("etag")
    certified.ask(request("POST", f"{DEVICEBOUND}/{lock}/abandon", sas=None))
    lock = certified.ask(request("GET", DEVICEBOUND, sas=None)).header("etag")
    certified.ask(request("DELETE", f"{DEVICEBOUND}/{lock}", sas=None))
    batch = b'[{"body":"","properties":{"iothub-app-AzIoTHub_FaultOperationType":"KillTcp"}}]'
    certified.ask(request(sas=None, body=batch, content_type=BATCH_TYPE))
    certified.hub_side.on_time(NOW)
    refused = Caller(world)
    refused.ask(request())
    refused.hub_side.receive(b"\0\0\r\n\r\n", NOW)
    assert {"http-request", "http-response", "http-rejected", "c2d-returned", "fault-message", "cut"} <= set(
        world.kinds()
    )
    return [(kind, fields) for kind, _, fields in world.events]
