"""Tests of whole cells over real sockets: what ends up in the log, and that a misbehaving device costs its own cell only."""

import asyncio
import contextlib
import datetime as dt
import errno
import functools
import io
import pkgutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.plans import a_cell, a_profile, a_scenario, program

from harness.clock import RealClock
from harness.device.adapter import AdapterProcess, Limits
from harness.events import CELL_END, CellLog, Recorder
from harness.fault import Fault
from harness.own_token import Supply
from harness.plan import Cell
from harness.profile import Settings, bundled_folder, load_profile
from harness.run.cell import CellOutcome
from harness.run.executor import run_cells
from harness.run.keys import Keys
from harness.run.stage import open_staging
from harness.runfolder import RunFolder, RunRecord, read_cells
from harness.scenario import End, Intervals, check_scenario

pytestmark = pytest.mark.slow

SHORT = a_scenario(end=End(renewals=1, after_s=0.3, limit_s=8.0))


async def measure(cells: Sequence[Cell], folder: RunFolder, outcomes: list[CellOutcome]) -> None:
    """Run the cells as `harness compare` does."""
    clock = RealClock()
    async with open_staging(clock, 1) as staging:
        await run_cells(cells, folder, staging, clock, jobs=20, on_end=outcomes.append)


def a_folder(root: Path, cells: Sequence[Cell]) -> RunFolder:
    """A run's folder for these cells."""
    return RunFolder.create(
        root, RunRecord(format=1, run="r", started="", status="running", cells=tuple(cell.id for cell in cells))
    )


def run(root: Path, *cells: Cell) -> tuple[dict[str, CellLog], dict[str, CellOutcome]]:
    """Run the cells; their logs and their outcomes by cell."""
    outcomes: list[CellOutcome] = []
    folder = a_folder(root, cells)
    asyncio.run(measure(cells, folder, outcomes))
    folder.finish("finished", dt.datetime.now(dt.UTC))
    logs = [log for log in read_cells(folder.path) if isinstance(log, CellLog)]
    return {log.header.cell: log for log in logs}, {outcome.cell.id: outcome for outcome in outcomes}


def kinds(log: CellLog) -> list[str]:
    """The kinds of a log's events, without what comes and goes."""
    return [event.kind for event in log.events if event.kind != "lag"]


@pytest.mark.parametrize("name", ["clock-ahead-6", "clock-ahead-6-process"])
def test_whose_clock_is_off_makes_no_difference_to_an_emulated_device(tmp_path: Path, name: str) -> None:
    """The token's time is that of the hub's clock for it; what the device shows is stamped by the harness's clock, and bears its own."""
    cell = a_cell(scenario=a_scenario(name, end=End(after_s=0.3, limit_s=8.0)))
    logs, _ = run(tmp_path, cell)
    (connect,) = [event for event in logs[cell.id].events if event.kind == "connect"]
    (opened,) = [event for event in logs[cell.id].events if event.kind == "opened"]
    assert connect.fields["token"]["left_s"] == pytest.approx(390, abs=3)  # type: ignore[index]
    assert 0 < opened.t < 8e6
    off_s = float(str(opened.fields["device_t"])) - time.time()
    assert off_s == pytest.approx(360 if name.endswith("process") else 0, abs=15)


@pytest.mark.parametrize("transport", ["mqtt", "mqtt-ws"])
def test_an_emulated_device_is_seen_to_renew(tmp_path: Path, transport: str) -> None:
    """With the traffic of the scenario, over real TLS sockets, to the last event."""
    cell = a_cell(scenario=SHORT, transport=transport, awaited_renewals=1)
    logs, outcomes = run(tmp_path, cell)
    log = logs[cell.id]
    assert (outcomes[cell.id].status, outcomes[cell.id].renewals) == ("finished", 1)
    assert {"listening", "accepted", "tls", "connect", "connack", "telemetry", "puback", "record", "stimulus"} <= set(
        kinds(log)
    )
    assert log.complete
    assert log.header.way["address"] == log.events[0].fields["address"]


OUTAGES: dict[str, Fault] = {
    "restart": Fault(at="half-life", action="outage", how="restart", for_s=1.0),
    "rst": Fault(at="half-life", action="outage", how="rst", for_s=1.0),
    "half-open": Fault(at="half-life", action="outage", how="half-open", for_s=1.0),
    "blackhole": Fault(at="half-life", action="outage", how="blackhole", for_s=1.0),
    "unreachable": Fault(at="half-life", action="outage", how="blackhole", close="rst", for_s=1.0),
}


def test_emulated_devices_live_through_every_outage(tmp_path: Path) -> None:
    """Told at once or by its end only, they come back and send."""
    node = load_profile(bundled_folder() / "node")
    short = {"token_lifetime_s": 4.0, "intervals": Intervals(send_s=0.5), "end": End(cuts=1, after_s=7.0, limit_s=14.0)}
    cells = [
        a_cell(node, a_scenario("network-drop-rst", faults=(fault,), **short), id=f"{name}-{transport}", transport=transport, device="emulated", settings=Settings())
        for name, fault in OUTAGES.items()
        for transport in ("mqtt", "amqp-ws")
    ]  # fmt: skip
    logs, outcomes = run(tmp_path, *cells)
    assert {outcome.status for outcome in outcomes.values()} == {"finished"}
    for log in logs.values():
        (began,) = (event for event in log.events if event.kind == "outage-began")
        (ended,) = (event for event in log.events if event.kind == "outage-ended")
        assert ended.t - began.t == pytest.approx(1e6, abs=3e5)
        assert [event.fields["conn"] for event in log.events if event.kind == "struck"] == [1]
        assert [event for event in log.events if event.kind == "sent" and event.t > ended.t]


def test_a_token_that_the_application_supplies_can_be_refused(tmp_path: Path) -> None:
    """Its renewal meets the fault of a renewal, over either protocol; the next one is taken."""
    node = load_profile(bundled_folder() / "node")
    supplied = a_scenario(
        "own-token-renewed", faults=(Fault(at="renewal", action="refuse"),), token_lifetime_s=4.0,
        supply=Supply(at="half-life", times=2), end=End(refusals=1, after_s=4.0, limit_s=12.0),
    )  # fmt: skip
    check_scenario(supplied, "here")
    cells = [
        a_cell(node, supplied, id=transport, transport=transport, device="emulated", settings=Settings())
        for transport in ("mqtt", "amqp")
    ]
    logs, outcomes = run(tmp_path, *cells)
    for name, answer in (("mqtt", "connack"), ("amqp", "put-token-answered")):
        assert (outcomes[name].status, outcomes[name].reason) == ("finished", "")
        answers = [
            event.fields.get("code", event.fields.get("status")) for event in logs[name].events if event.kind == answer
        ]
        assert answers[:2] in ([0, 5], [200, 401])
        assert set(answers[2:]) <= {0, 200}
        assert len([event for event in logs[name].events if event.kind == "fault"]) == 1


def test_a_hub_that_cannot_be_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a matter of the system; a connection can be held on any."""
    monkeypatch.setattr("harness.run.stage.CAN_SHUT", False)
    cells = [a_cell(scenario=a_scenario("renewal", faults=(OUTAGES[name],)), id=name, limit_s=0.2) for name in ("restart", "half-open")]  # fmt: skip
    _, outcomes = run(tmp_path, *cells)
    assert [outcomes[cell.id].status for cell in cells] == ["environment", "finished"]
    assert outcomes["restart"].reason.startswith("a hub that cannot be reached needs Linux")


def test_a_misbehaving_device_program_costs_its_own_cell_only(tmp_path: Path) -> None:
    """Crash, garbage, a megabyte of it: each has its sentence, and the cell beside them is measured."""
    expected = {
        "crashes_at_once": "adapter-error",
        "crashes_midway": "adapter-error",
        "garbage_flood": "adapter-error",
        "huge_line": "adapter-error",
        "other_version": "adapter-error",
    }
    bad = [
        a_cell(a_profile(name, adapter=program("{python}", f"{name}.py")), SHORT, id=name, awaited_renewals=1)
        for name in expected
    ]
    logs, outcomes = run(tmp_path, *bad, a_cell(scenario=SHORT, id="good", awaited_renewals=1))
    assert {name: outcomes[name].status for name in expected} == expected
    assert all(outcomes[name].reason for name in expected)
    assert outcomes["good"].status == "finished"
    assert all(log.complete for log in logs.values())


def test_a_program_that_hangs_costs_its_own_cell_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the beginning, or when it is told to close: the cell beside it is measured, is over before it, and its device is seen to renew."""
    patience = Limits(hello_s=4.0, close_s=3.0, terminate_s=0.3)
    monkeypatch.setattr("harness.run.stage.AdapterProcess", functools.partial(AdapterProcess, limits=patience))
    hanging = [
        a_cell(a_profile(name, adapter=program("{python}", f"{name}.py")), SHORT, id=name, limit_s=1.5)
        for name in ("hangs_without_hello", "hangs_after_close")
    ]
    logs, outcomes = run(tmp_path, *hanging, a_cell(scenario=SHORT, id="good", awaited_renewals=1))
    assert next(iter(outcomes)) == "good"
    assert {name: (outcome.status, outcome.fault) for name, outcome in outcomes.items()} == {
        "good": ("finished", False),
        "hangs_without_hello": ("adapter-error", True),
        "hangs_after_close": ("finished", True),
    }
    assert outcomes["good"].renewals == 1
    assert all(log.complete for log in logs.values())


def test_a_cell_that_cannot_run_still_has_its_log(tmp_path: Path) -> None:
    """With the reason in its last event."""
    logs, _ = run(tmp_path, a_cell(status="unsupported", why_not="no AMQP"))
    (log,) = logs.values()
    assert (kinds(log), log.events[-1].fields["reason"]) == ([CELL_END], "no AMQP")


def test_a_defect_of_ours_costs_its_own_cell_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With where it happened, for the report to us."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("harness.run.cell.open_command", broken)
    logs, outcomes = run(tmp_path, a_cell(scenario=SHORT))
    (log,) = logs.values()
    (outcome,) = outcomes.values()
    assert (outcome.status, outcome.reason) == ("harness-error", "ZeroDivisionError: a defect")
    assert any("test_cells" in str(event.fields.get("trace")) for event in log.events if event.kind == "defect")


def test_traffic_that_breaks_off_is_a_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be concluded from the silence after it would be wrong."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("harness.run.cell.CellRun._send", broken)
    _, outcomes = run(tmp_path, a_cell(scenario=SHORT))
    (outcome,) = outcomes.values()
    assert outcome.status == "harness-error"


def test_an_interrupted_run_keeps_what_was_measured(tmp_path: Path) -> None:
    """Every cell under way has its last event, and says so."""
    cells = [a_cell(scenario=a_scenario(), id=name) for name in ("a", "b")]
    folder = a_folder(tmp_path, cells)

    async def interrupted() -> None:
        task = asyncio.create_task(measure(cells, folder, []))
        await asyncio.sleep(1.0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    logs = [log for log in read_cells(folder.path) if isinstance(log, CellLog)]
    assert [log.events[-1].fields["status"] for log in logs] == ["interrupted", "interrupted"]
    assert all("connack" in kinds(log) for log in logs)


def test_a_limit_ends_a_cell_that_never_sees_what_it_waits_for(tmp_path: Path) -> None:
    """It is finished all the same, and says what was missing."""
    _, outcomes = run(tmp_path, a_cell(scenario=SHORT, awaited_renewals=9, limit_s=0.5))
    (outcome,) = outcomes.values()
    assert (outcome.status, outcome.reason) == ("finished", "what the scenario waits for was not seen within 0.5 s")


def test_what_the_device_program_does_not_offer_is_not_asked_of_it(tmp_path: Path) -> None:
    """The cell is unsupported, and says what is lacking."""
    polite = a_profile("polite", adapter=program("{python}", "polite.py", proxy=True))
    margin = a_cell(polite, SHORT, id="margin", settings=Settings(lifetime_s=4, margin_s=1))
    transport = a_cell(polite, SHORT, id="transport", transport="mqtt-ws")
    certificate = a_cell(polite, a_scenario("x509-thumbprint"), id="certificate", settings=Settings())
    _, outcomes = run(tmp_path, margin, transport, certificate)
    assert [(outcomes[name].status, outcomes[name].reason) for name in ("margin", "transport", "certificate")] == [
        ("unsupported", "the device program does not name the capability margin"),
        ("unsupported", "the device program does not name the transport mqtt-ws"),
        ("unsupported", "the device program does not name the capability x509"),
    ]


def test_a_program_is_led_to_its_hub_by_a_hosts_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which names the address in the cell's header, and is gone when the cell is over."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    adapter = program("{python}", "polite.py", "{hosts_file}", way="hosts-file")
    logs, _ = run(tmp_path / "runs", a_cell(a_profile("polite", adapter=adapter), SHORT, limit_s=0.5))
    (log,) = logs.values()
    (status,) = [event for event in log.events if event.kind == "status"]
    assert log.header.way["how"] == "hosts-file"
    assert status.fields["files"] == [f"{log.header.way['address']} {log.header.hub['name']}\n"]
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_failure_while_closing_does_not_lose_what_was_measured(tmp_path: Path) -> None:
    """It is a fault all the same."""
    cell = a_cell(a_profile("fails", adapter=program("{python}", "breaks_when_closed.py")), SHORT, limit_s=0.5)
    logs, outcomes = run(tmp_path, cell)
    outcome = outcomes[cell.id]
    assert (outcome.status, outcome.fault) == ("finished", True)
    assert outcome.reason.startswith("while closing: ")
    assert logs[cell.id].complete


class FullDisk(io.BytesIO):
    """A file that takes so many bytes and no more."""

    def write(self, data: Any) -> int:
        """Write, or fail as a full disk does."""
        if self.tell() + len(data) > 3000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_a_log_that_cannot_be_written_costs_its_own_cell_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the run; the others are measured."""
    opens = RunFolder.open_cell
    monkeypatch.setattr(RunFolder, "open_cell", lambda self, cell: FullDisk() if cell == "full" else opens(self, cell))
    _, outcomes = run(
        tmp_path, a_cell(scenario=SHORT, id="full"), a_cell(scenario=SHORT, id="good", awaited_renewals=1)
    )
    assert outcomes["full"].status == "environment"
    assert outcomes["full"].reason == "the cell's log cannot be written (No space left on device)"
    assert outcomes["good"].status == "finished"


def test_a_log_that_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    """Two cells of one name are a defect; the first is kept."""
    cell = a_cell(scenario=SHORT, limit_s=0.2)
    folder = a_folder(tmp_path, [cell])
    folder.open_cell(cell.id).close()
    outcomes: list[CellOutcome] = []
    asyncio.run(measure([cell], folder, outcomes))
    assert [outcome.reason for outcome in outcomes] == ["the cell's log cannot be written (File exists)"]


BREAKABLE: dict[str, Callable[[Any], Any]] = {
    "harness.run.traffic.Traffic.device_turned": lambda traffic: traffic._cloud.hub._device,  # the loop calls it back
    "harness.hub.connection.MqttConnection.receive": lambda connection: connection._device,  # a socket does
}
"""Methods of ours, and how to find the device that they are about."""


@pytest.mark.parametrize("method", BREAKABLE)
def test_a_defect_in_a_callback_is_a_fault_of_its_own_cell_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """It says that something broke; the cell beside it, whose same object is in order, is measured without a word."""
    whole = pkgutil.resolve_name(method)

    def broken(self: Any, *arguments: Any) -> Any:
        if BREAKABLE[method](self).identity.device_id == "broken":
            raise ZeroDivisionError("a defect")
        return whole(self, *arguments)

    monkeypatch.setattr(method, broken)
    cells = [a_cell(scenario=SHORT, id=name, awaited_renewals=1, limit_s=4.0) for name in ("broken", "good")]
    logs, outcomes = run(tmp_path, *cells)
    assert (outcomes["broken"].status, outcomes["broken"].fault) == ("finished", True)
    assert "the harness itself failed" in outcomes["broken"].reason
    assert "ZeroDivisionError" in outcomes["broken"].reason
    assert "defect" in kinds(logs["broken"])
    assert (outcomes["good"].status, outcomes["good"].fault, outcomes["good"].reason) == ("finished", False, "")
    assert "defect" not in kinds(logs["good"])


def broken() -> None:
    """A callback of ours."""
    raise ZeroDivisionError("a defect")


def test_a_defect_of_nobody_in_particular_is_a_fault_of_every_cell(tmp_path: Path) -> None:
    """Whichever it hit."""
    cells = [a_cell(scenario=SHORT, id=name, limit_s=0.6) for name in ("one", "two")]
    folder, outcomes = a_folder(tmp_path, cells), list[CellOutcome]()

    async def break_once_both_run() -> None:
        logs = [folder.path / "cells" / f"{cell.id}.jsonl" for cell in cells]
        while not all(log.exists() and log.stat().st_size for log in logs):  # noqa: ASYNC110 - files tell nobody
            await asyncio.sleep(0.01)
        asyncio.get_running_loop().call_soon(broken)

    async def measured() -> None:
        await asyncio.gather(measure(cells, folder, outcomes), break_once_both_run())

    asyncio.run(measured())
    assert [outcome.fault for outcome in outcomes] == [True, True]


def test_a_defect_of_a_cell_that_is_over_is_told_outside_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    """Its own is closed, and the others have nothing to do with it."""

    async def measured() -> list[str]:
        told: list[str] = []
        async with open_staging(RealClock(), 1) as staging:
            beside = Recorder(lambda line: told.append(line.decode()), started=0.0)
            beside.has_header = True
            cell = a_cell(scenario=SHORT)
            async with staging.stage(cell, Keys.draw(cell.scenario.device), Recorder(lambda _: None, started=0.0)):
                asyncio.get_running_loop().call_later(0.01, broken)
            async with staging.stage(cell, Keys.draw(cell.scenario.device), beside):
                await asyncio.sleep(0.05)
        return told

    assert "defect" not in "".join(asyncio.run(measured()))
    assert "ZeroDivisionError: a defect" in caplog.text
