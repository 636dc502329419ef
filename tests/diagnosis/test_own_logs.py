"""The harness's own runs: of every cell, the diagnosis of its records names the SDK and the cause that its log shows."""

import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from support.hub_log import HubLog, Record, array, entries_of, lines, rows

from harness.analysis import tell
from harness.diagnosis import Diagnosed, Patients
from harness.diagnosis.remedies import Cause
from harness.events import CellLog
from harness.recorded import read_log

RESULTS = Path(__file__).parents[2] / "results"
RUN = RESULTS / "published" / "reference"
CELLS = [path for path in sorted((RUN / "cells").glob("*.jsonl")) if b'"kind":"record"' in path.read_bytes()]
RECORDED = sorted((RESULTS / "recorded").rglob("*.jsonl"))


@cache
def diagnosed() -> dict[str, Diagnosed]:
    """By cell, which is the device's id, from the run's folder `diagnostics`."""
    patients = Patients()
    patients.add(entries_of((RUN / "diagnostics" / "connections.jsonl").read_bytes()))
    return {one.told.device_id: one.told for one in patients.findings()}


def log_of(path: Path) -> CellLog:
    """A cell's log."""
    return read_log(path.read_bytes(), where=path.name)


def records_of(log: CellLog) -> list[Record]:
    """The hub's records in it."""
    return [dict(event.fields["record"]) for event in log.events if event.kind == "record"]  # type: ignore[call-overload] # an object


def records_made_of(log: CellLog) -> list[Record]:
    """What a hub would have logged, of a recording that lacks its log: from the events of connections and of their ends."""
    made, inside = HubLog(log.header.cell, transport=log.header.transport), False
    for event in log.events:
        at, fields = event.t / 1e6, event.fields
        if event.kind == "connect":
            made.sdk = str(fields.get("sdk_version"))
        refused = fields.get("code", 0) != 0 if event.kind == "connack" else fields.get("status") != 200
        if event.kind == "connack" or (event.kind == "put-token-answered" and (refused or not inside)):
            made = made.refuse(at) if refused else made.connect(at)
            inside = inside or not refused
        elif inside and event.kind == "cut":
            made = made.cut(at, back_s=None) if fields.get("cause") == "token-expired" else made.gone(at)
            inside = False
        elif inside and event.kind in {"disconnect", "closed"}:
            made = made.leave(at) if event.kind == "disconnect" else made.gone(at)
            inside = False
    return made.records


def shown(log: CellLog) -> Cause:
    """The cause that the events of the cell show, as `harness compare --errors` names what happened."""
    happened = {name for episode in tell(log).episodes for name in episode.happened}
    if any(name.startswith("refused") for name in happened):
        return "refused"
    if happened & {"takeover", "other-client"}:
        return "duplicate-identity"
    happened = {name for name in happened if not name.startswith("unanswered")}  # the hub's log does not tell
    if happened - {"token-expired", "left: renewal", "left: disconnect"}:
        return "network"
    if "token-expired" in happened:
        return "renewal-noise"
    return "clean-renewal" if "left: renewal" in happened else "nothing"


def ends_without_farewell(log: CellLog) -> bool:
    """Whether the application, told to close, left the hub to find out: a 404104 that the cell's story does not count among its troubles."""
    codes = [record.get("resultType") for record in records_of(log)]
    return codes[-1:] == ["404104"] and codes[-2:-1] != ["401003"]


@pytest.mark.parametrize("path", CELLS, ids=lambda path: path.stem)
def test_the_cause_of_every_published_cell(path: Path) -> None:
    """From its records alone."""
    log = log_of(path)
    expected = shown(log)
    if expected in {"nothing", "clean-renewal", "renewal-noise"} and ends_without_farewell(log):
        expected = "network"
    assert diagnosed()[log.header.cell].cause == expected


@pytest.mark.parametrize("path", CELLS, ids=lambda path: path.stem)
def test_the_sdk_of_every_published_cell(path: Path) -> None:
    """Wherever a record of it has an `sdkVersion`; over AMQP none has, and nothing else may be claimed."""
    log = log_of(path)
    named = any(json.loads(record["properties"]).get("sdkVersion") for record in records_of(log))
    assert named or "amqp" in log.header.transport
    expected = f"{log.header.sdk} {log.header.version}" if named else None
    assert diagnosed()[log.header.cell].sdk == expected


def test_the_message_of_every_refused_cell() -> None:
    """Each of the five that the article has, with a remedy of its own."""
    remedies = defaultdict(set)
    for told in diagnosed().values():
        if told.cause == "refused":
            remedies[re.sub(r"'.*?'|=[0-9A-F]*", "*", told.message)].add(told.remedy)
    assert len(remedies) == 5
    assert len({remedy for found in remedies.values() for remedy in found if "has not come back" not in remedy}) == 5


def test_rows_say_the_same_as_records() -> None:
    """The run's two files."""
    folder = RUN / "diagnostics"
    of_records = entries_of((folder / "connections.jsonl").read_bytes())
    assert entries_of((folder / "azure-diagnostics.json").read_bytes()) == of_records


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_the_cause_of_every_recording(path: Path) -> None:
    """From records that are made of its events, since it lacks the hub's own."""
    log = log_of(path)
    records = records_made_of(log)
    patients = Patients()
    for text in (lines(records), array(rows(records))):  # everything there twice
        patients.add(entries_of(text))
    (found,) = patients.findings()
    assert found.told.cause == shown(log)
    assert found.told.sdk == (None if "amqp" in log.header.transport else "dotnet 1.42.3")
