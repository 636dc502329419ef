"""The real azure-iot-sdk-c, measured as `harness compare --sdk c` measures it; everything is read from the logs.

One run of all default scenarios over both MQTT transports serves every test here; beside it runs the emulated device, for the tests that
hold the profile's emulation against the SDK it plays. The first time, the SDK is built.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from harness.events import CellLog, Event
from harness.runfolder import read_cells

pytestmark = [pytest.mark.real_sdk(runtime="c"), pytest.mark.slow(seconds=50)]

TRANSPORTS = ("mqtt", "mqtt-ws")
SCENARIOS = ("renewal", "defaults", "expiry", "expiry-idle")
LEAVING = ["UNAUTHENTICATED/EXPIRED_SAS_TOKEN", "AUTHENTICATED/OK"]

Rows = Mapping[tuple[str, str], Mapping[str, Any]]
Logs = Mapping[tuple[str, str, object], CellLog]

over_both = pytest.mark.parametrize("transport", TRANSPORTS)


def comparison(root: Path, device: str) -> subprocess.Popen[str]:
    """A comparison under way."""
    arguments = ["--sdk", "c", "--transport", ",".join(TRANSPORTS), "--device", device, "--out", str(root / "runs")]
    return subprocess.Popen(
        [sys.executable, "-m", "harness", "compare", *arguments, "--scenario", ",".join(SCENARIOS)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The run's folder of the real SDK and that of the emulated device."""
    roots = {device: tmp_path_factory.mktemp(device) for device in ("real", "emulated")}
    runs = {device: comparison(root, device) for device, root in roots.items()}
    for run in runs.values():
        _, errors = run.communicate(timeout=900)
        assert run.returncode == 0, errors
    return {device: next((root / "runs").iterdir()) for device, root in roots.items()}


def rows_of(folder: Path) -> Rows:
    """The rows by transport and scenario."""
    found = json.loads((folder / "findings.json").read_text())["rows"]
    return {(row["transport"], row["scenario"]): row for row in found}


@pytest.fixture(scope="module")
def rows(folders: Mapping[str, Path]) -> Rows:
    """What the real SDK was found to do."""
    return rows_of(folders["real"])


@pytest.fixture(scope="module")
def emulated(folders: Mapping[str, Path]) -> Rows:
    """What the emulated device was found to do."""
    return rows_of(folders["emulated"])


@pytest.fixture(scope="module")
def logs(folders: Mapping[str, Path]) -> Logs:
    """The real SDK's logs by transport, scenario and lifetime set."""
    read = [log for log in read_cells(folders["real"]) if isinstance(log, CellLog)]
    return {
        (log.header.transport, str(log.header.scenario["id"]), log.header.settings["lifetime_s"]): log for log in read
    }


def of_kind(log: CellLog, *kinds: str) -> list[Event]:
    """The log's events of these kinds."""
    return [event for event in log.events if event.kind in kinds]


def statuses(log: CellLog) -> list[str]:
    """What the connection status callback was told."""
    return [f"{event.fields['status']}/{event.fields['reason']}" for event in of_kind(log, "status")]


def lines(log: CellLog) -> list[str]:
    """The SDK's own log."""
    return [str(event.fields["text"]) for event in log.events if event.src == "sdk-log"]


def verdict(row: Mapping[str, Any], kind: str) -> str:
    """The verdict on a row's only claim of a kind."""
    (only,) = [str(verdict["verdict"]) for verdict in row["verdicts"] if verdict["kind"] == kind]
    return only


@over_both
def test_it_renews_at_80_percent_of_the_lifetime(rows: Rows, transport: str) -> None:
    """In the first whole second after it: at 17 s of 20, and by the law of a fraction over two lifetimes."""
    row = rows[transport, "renewal"]
    assert row["renewals"] == 2
    assert all(16.5 <= point <= 17.5 for point in row["points_s"])
    fit = row["law"]["fit"]
    assert fit["law"] == "fraction"
    assert 0.75 < fit["low"] < fit["high"] < 0.9
    assert verdict(row, "renewal-point") == "confirmed"


@over_both
def test_it_leaves_by_itself_and_comes_back(rows: Rows, logs: Logs, transport: str) -> None:
    """DISCONNECT by the client, no 401003 and nothing else that is an error in the hub's log."""
    row = rows[transport, "renewal"]
    assert (row["renewal"], row["first"], row["hub_log"]) == ("reconnect", ["device"], ["disconnect", "connect"])
    assert [verdict(row, kind) for kind in ("hub-log-levels", "hub-signature", "closes-first")] == ["confirmed"] * 3
    assert of_kind(logs[transport, "renewal", 20.0], "cut") == []


@over_both
def test_the_application_sees_an_error_at_each_renewal(rows: Rows, logs: Logs, transport: str) -> None:
    """Although the token was good: two callbacks and one line of the log for each of two renewals, on the healthy path."""
    log = logs[transport, "renewal", 20.0]
    assert rows[transport, "renewal"]["app"] == LEAVING
    assert statuses(log) == ["AUTHENTICATED/OK", *LEAVING * 2]
    assert lines(log) == ["Info: Disconnecting MQTT connection because SAS token expired."] * 2


@over_both
def test_nothing_is_lost_in_a_renewal(rows: Rows, logs: Logs, transport: str) -> None:
    """Telemetry, and the C2D message and direct method that were put into the gap."""
    row = rows[transport, "renewal"]
    assert row["sent"] >= 30
    assert (row["lost"], row["reordered"], row["send_failed"]) == (0, 0, 0)
    log = logs[transport, "renewal", 20.0]
    probes = {event.fields["id"] for event in of_kind(log, "stimulus") if event.fields["why"] == "gap"}
    answered = {event.fields["request_id"] for event in of_kind(log, "method-answered")}
    completed = {event.fields["message_id"] for event in of_kind(log, "c2d-acknowledged")}
    assert len(probes) == 4
    assert probes <= answered | completed


@over_both
def test_it_subscribes_again_although_the_session_is_there(logs: Logs, transport: str) -> None:
    """After each connect, to all it wants with one SUBSCRIBE."""
    log = logs[transport, "renewal", 20.0]
    assert [event.fields["session_present"] for event in of_kind(log, "connack")] == [False, True, True]
    assert [event.fields["conn"] for event in of_kind(log, "subscribe")] == [1, 2, 3]


@over_both
def test_the_default_lifetime_is_an_hour_and_can_be_set(rows: Rows, transport: str) -> None:
    """From the first token of a run without settings, and from two settings."""
    row = rows[transport, "renewal"]
    assert 3598 <= row["default_lifetime_s"] <= 3600
    assert verdict(row, "token-lifetime") == "confirmed"
    assert verdict(row, "lifetime-configurable") == "confirmed"


@over_both
@pytest.mark.parametrize("scenario", ["expiry", "expiry-idle"])
def test_it_retries_with_the_stale_token_for_good(rows: Rows, logs: Logs, transport: str, scenario: str) -> None:
    """At once, then after waits that double in whole seconds; a refusal is shown twice where the hub is first to hang up after it."""
    log = logs[transport, scenario, None]
    assert rows[transport, scenario]["recovery"] == "retries"
    assert rows[transport, scenario]["hub_log"] == ["401003", "404104", "refused 401003"]
    first, *later = [event.t / 1e6 for event in of_kind(log, "connect")][1:]
    cut = of_kind(log, "cut")[0]
    assert cut.fields["cause"] == "token-expired"
    assert first - cut.t / 1e6 < 1.0  # the waits to come are of whole seconds
    assert [round(after - before) for before, after in pairwise(later)][:2] == [2, 4]
    lost, *after = statuses(log)[1:]
    assert lost == "UNAUTHENTICATED/NO_NETWORK"
    assert after.count("UNAUTHENTICATED/BAD_CREDENTIAL") in {len(later), 1 + len(later)}  # the last may come too late
    assert set(after) <= {"UNAUTHENTICATED/BAD_CREDENTIAL", "UNAUTHENTICATED/NO_NETWORK"}


@over_both
def test_messages_wait_until_the_client_is_destroyed(logs: Logs, transport: str) -> None:
    """None fails while it retries; all are given back at the end."""
    failures = of_kind(logs[transport, "expiry", None], "send_failed")
    assert len(failures) >= 10
    returned = {"class": "IOTHUB_CLIENT_CONFIRMATION_BECAUSE_DESTROY", "message": "IOTHUB_CLIENT_CONFIRMATION_RESULT"}
    assert all(event.fields["error"] == [returned] for event in failures)
    assert failures[-1].t - failures[0].t < 500_000


def test_no_token_is_in_the_logs(folders: Mapping[str, Path]) -> None:
    """The SDK's log is in them."""
    logs = [path.read_text(encoding="utf-8") for path in (folders["real"] / "cells").iterdir()]
    assert [log for log in logs if re.search(r"sig=[\w%]|SharedAccessKey=[\w+/]", log)] == []


def test_no_claim_differs(rows: Rows) -> None:
    """What Microsoft's documents say about the SDK for C over MQTT holds, and so does what was measured before."""
    verdicts = [verdict for row in rows.values() for verdict in row["verdicts"] if verdict["claimed"]]
    assert len(verdicts) == 22
    assert {verdict["verdict"] for verdict in verdicts} == {"confirmed"}


@over_both
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_emulated_device_plays_what_the_sdk_does(rows: Rows, emulated: Rows, transport: str, scenario: str) -> None:
    """The hub's log, the application's events, who leaves first, what follows a refusal, and what becomes of messages."""
    fields = ("renewal", "renewals", "hub_log", "hub_levels", "app", "first", "recovery", "lost", "reordered")
    real, played = rows[transport, scenario], emulated[transport, scenario]
    assert {name: played[name] for name in fields} == {name: real[name] for name in fields}
