"""The real azure-iot-device for Node.js, measured as `harness compare --sdk node` measures it; everything is read from the logs.

One run of all default scenarios and of one more, over both MQTT transports, serves every test here; beside it runs the emulated device,
for the tests that hold the profile's emulation against the SDK it plays. The first time, the SDK is installed.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.events import CellLog, Event
from harness.runfolder import read_cells

pytestmark = [pytest.mark.real_sdk(runtime="node"), pytest.mark.slow(seconds=50)]

TRANSPORTS = ("mqtt", "mqtt-ws")
SCENARIOS = ("renewal", "defaults", "expiry", "expiry-idle", "expiry-sending")
SENDING = """
schema = 1
id = "expiry-sending"
title = "A fixed token nobody renews expires while the application sends and does not listen"
credential = "token"
token_lifetime_s = 10.0
settings = "none"
traffic = ["sending"]
[hub]
grace_s = 5.0
[end]
cuts = 1
after_s = 12.0
limit_s = 45.0
"""
REFUSED = ["UnauthorizedError", "NotConnectedError", "Error"]

Rows = Mapping[tuple[str, str], Mapping[str, Any]]
Logs = Mapping[tuple[str, str, float | None, float | None], CellLog]

over_both = pytest.mark.parametrize("transport", TRANSPORTS)


def comparison(root: Path, device: str) -> subprocess.Popen[str]:
    """A comparison under way."""
    scenario = root / "sending.toml"
    scenario.write_text(SENDING, encoding="utf-8")
    wanted = ",".join([*SCENARIOS[:-1], str(scenario)])
    arguments = ["--sdk", "node", "--device", device, "--transport", ",".join(TRANSPORTS), "--scenario", wanted]
    arguments += ["--out", str(root / "runs")]
    return subprocess.Popen(
        [sys.executable, "-m", "harness", "compare", *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The run's folder of the real SDK and that of the emulated device."""
    roots = {device: tmp_path_factory.mktemp(device) for device in ("real", "emulated")}
    runs = {device: comparison(root, device) for device, root in roots.items()}
    for run in runs.values():
        _, errors = run.communicate(timeout=600)
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
    """The real SDK's logs by transport, scenario, lifetime and margin set."""
    read = [log for log in read_cells(folders["real"]) if isinstance(log, CellLog)]
    return {(log.header.transport, str(log.header.scenario["id"]), *set_in(log)): log for log in read}


def set_in(log: CellLog) -> tuple[Any, Any]:
    """The lifetime and the margin that were set."""
    return log.header.settings["lifetime_s"], log.header.settings["margin_s"]


def of_kind(log: CellLog, *kinds: str) -> list[Event]:
    """The log's events of these kinds."""
    return [event for event in log.events if event.kind in kinds]


def shown(log: CellLog) -> list[str]:
    """Everything the application was shown, but for messages and the beginning."""
    told = [event.kind for event in log.events if event.src == "app"]
    return [kind for kind in told if kind not in {"hello", "opened", "sent", "c2d", "method"}]


def cut_of(log: CellLog) -> Event:
    """The end of the log's expired connection."""
    (cut,) = [event for event in of_kind(log, "cut") if event.fields["cause"] == "token-expired"]
    return cut


def after_the_cut(log: CellLog, kind: str) -> list[Event]:
    """What of a kind followed it."""
    cut = cut_of(log)
    return [event for event in of_kind(log, kind) if event.t > cut.t]


def classes(event: Event) -> list[str]:
    """The classes of an event's error, outermost first."""
    error = event.fields["error"]
    assert isinstance(error, list)
    return [str(link["class"]) for link in error]


def verdict(row: Mapping[str, Any], kind: str) -> str:
    """The verdict on a row's only claim of a kind."""
    (only,) = [str(verdict["verdict"]) for verdict in row["verdicts"] if verdict["kind"] == kind]
    return only


@over_both
def test_it_renews_900_s_before_expiry_where_nothing_sets_a_margin(rows: Rows, transport: str) -> None:
    """Ten seconds into a token of 910 s, and by the law of a margin over two lifetimes."""
    row = rows[transport, "renewal"]
    assert row["renewals"] == 2
    assert all(9 <= point <= 11 for point in row["points_s"])
    fit = row["law"]["fit"]
    assert fit["law"] == "margin"
    assert fit["low"] <= 900 <= fit["high"]
    assert not row["law_margin_set"]
    assert verdict(row, "renewal-point") == "confirmed"


@over_both
def test_a_margin_that_is_set_holds(rows: Rows, logs: Logs, transport: str) -> None:
    """920 s of 940 s: it leaves 20 s after it connected, not 40."""
    log = logs[transport, "renewal", 940.0, 920.0]
    connected, left = of_kind(log, "connect")[0], of_kind(log, "disconnect")[0]
    assert 19 <= (left.t - connected.t) / 1e6 <= 21
    assert verdict(rows[transport, "renewal"], "renewal-point-configurable") == "confirmed"


@over_both
def test_it_leaves_by_itself_and_comes_back(rows: Rows, transport: str) -> None:
    """DISCONNECT by the client, and `only informational events` in the hub's log."""
    row = rows[transport, "renewal"]
    assert (row["renewal"], row["first"], row["hub_log"]) == ("reconnect", ["device"], ["disconnect", "connect"])
    assert [verdict(row, kind) for kind in ("hub-log-levels", "hub-signature", "closes-first")] == ["confirmed"] * 3


@over_both
def test_the_application_sees_nothing_of_a_renewal(rows: Rows, logs: Logs, transport: str) -> None:
    """`connect` at the beginning is the only event of a cell with two renewals."""
    assert rows[transport, "renewal"]["app"] == []
    assert shown(logs[transport, "renewal", 910.0, None]) == ["status", "closed"]


@over_both
def test_nothing_is_lost_in_a_renewal(rows: Rows, logs: Logs, transport: str) -> None:
    """Telemetry, and the C2D message and direct method that were put into the gap."""
    row = rows[transport, "renewal"]
    assert row["sent"] >= 20
    assert (row["lost"], row["duplicated"], row["reordered"], row["send_failed"]) == (0, 0, 0, 0)
    log = logs[transport, "renewal", 910.0, None]
    probes = {event.fields["id"] for event in of_kind(log, "stimulus") if event.fields["why"] == "gap"}
    answered = {event.fields["request_id"] for event in of_kind(log, "method-answered")}
    completed = {event.fields["message_id"] for event in of_kind(log, "c2d-acknowledged")}
    assert len(probes) == 4
    assert probes <= answered | completed


@over_both
def test_it_relies_on_the_persistent_session(logs: Logs, transport: str) -> None:
    """It subscribes on the first connection, and after each renewal the hub says that the session was there."""
    log = logs[transport, "renewal", 910.0, None]
    assert {event.fields["conn"] for event in of_kind(log, "subscribe")} == {1}
    assert [event.fields["session_present"] for event in of_kind(log, "connack")] == [False, True, True]


@over_both
def test_the_default_lifetime_is_an_hour_and_can_be_set(rows: Rows, transport: str) -> None:
    """From the first token of a run without settings, and from two settings."""
    row = rows[transport, "renewal"]
    assert 3598 <= row["default_lifetime_s"] <= 3600
    assert verdict(row, "token-lifetime") == "confirmed"
    assert verdict(row, "lifetime-configurable") == "confirmed"


@over_both
def test_an_idle_application_is_silently_offline(rows: Rows, logs: Logs, transport: str) -> None:
    """After the hub's FIN no event, no attempt, nothing."""
    log = logs[transport, "expiry-idle", None, None]
    assert rows[transport, "expiry-idle"]["recovery"] == "none"
    assert after_the_cut(log, "connect") == []
    assert shown(log) == ["status", "closed"]


@over_both
def test_a_sending_one_makes_one_refused_connect_for_each_message(logs: Logs, transport: str) -> None:
    """Each fails with UnauthorizedError; nothing else is shown."""
    log = logs[transport, "expiry-sending", None, None]
    failures = of_kind(log, "send_failed")
    assert len(failures) >= 10
    assert len(after_the_cut(log, "connect")) in {len(failures), len(failures) + 1}
    assert {event.fields["code"] for event in after_the_cut(log, "connack")} == {5}
    assert all(classes(event) == REFUSED for event in failures)
    assert set(shown(log)) == {"status", "send_failed", "closed"}


@over_both
def test_a_listening_one_tries_by_itself(rows: Rows, logs: Logs, transport: str) -> None:
    """At once, with the stale token, and more often than messages make it; the application is told of the messages only."""
    log = logs[transport, "expiry", None, None]
    refused = after_the_cut(log, "connect")
    assert rows[transport, "expiry"]["recovery"] == "retries"
    assert refused[0].t - cut_of(log).t < 500_000
    assert len(refused) >= len(of_kind(log, "send_failed")) + 5
    assert set(shown(log)) == {"status", "send_failed", "closed"}


@over_both
@pytest.mark.parametrize(
    ("scenario", "codes"),
    [
        ("expiry", ["401003", "404104", "refused 401003"]),
        ("expiry-sending", ["401003", "404104", "refused 401003"]),
        ("expiry-idle", ["401003", "404104"]),
    ],
)
def test_the_hubs_log_shows_401003_then_404104(rows: Rows, transport: str, scenario: str, codes: list[str]) -> None:
    """And the refused reconnects, where there are any."""
    assert rows[transport, scenario]["hub_log"] == codes


def test_no_exception_was_left_uncaught(logs: Logs) -> None:
    """Nothing that would have ended an application."""
    assert [event for log in logs.values() for event in of_kind(log, "background_exception")] == []


def test_no_token_is_in_the_logs(folders: Mapping[str, Path]) -> None:
    """The SDK's traces are in them, and they speak of tokens."""
    logs = [path.read_text(encoding="utf-8") for path in (folders["real"] / "cells").iterdir()]
    assert all("azure-iot-mqtt-base:MqttBase" in log for log in logs)
    assert [log for log in logs if re.search(r"sig=[\w%]|SharedAccessKey=[\w+/]", log)] == []


def test_no_claim_differs(rows: Rows) -> None:
    """What Microsoft's table says about Node.js over MQTT holds, and so does what was measured before."""
    verdicts = [verdict for row in rows.values() for verdict in row["verdicts"] if verdict["claimed"]]
    assert len(verdicts) == 24
    assert {verdict["verdict"] for verdict in verdicts} == {"confirmed"}


@over_both
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_emulated_device_plays_what_the_sdk_does(rows: Rows, emulated: Rows, transport: str, scenario: str) -> None:
    """The hub's log, the application's events, who leaves first, what follows a refusal, and what becomes of messages."""
    fields = (
        "renewal",
        "renewals",
        "hub_log",
        "hub_levels",
        "app",
        "first",
        "recovery",
        "lost",
        "duplicated",
        "reordered",
    )
    real, played = rows[transport, scenario], emulated[transport, scenario]
    assert {name: played[name] for name in fields} == {name: real[name] for name in fields}
