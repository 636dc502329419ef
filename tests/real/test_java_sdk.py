"""The real iot-device-client for Java, measured as `harness compare --sdk java` measures it; everything is read from the logs.

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

pytestmark = [pytest.mark.real_sdk(runtime="java"), pytest.mark.slow(seconds=50)]

TRANSPORTS = ("mqtt", "mqtt-ws")
SCENARIOS = ("renewal", "defaults", "expiry", "expiry-idle", "expiry-busy")
BUSY = """
schema = 1
id = "expiry-busy"
title = "A fixed token nobody renews expires while the application sends so often that messages are caught by it"
credential = "token"
token_lifetime_s = 10.0
settings = "none"
traffic = ["sending"]
[hub]
grace_s = 5.0
[intervals]
send_s = 0.1
[end]
cuts = 1
after_s = 6.0
limit_s = 45.0
"""
PREFIX = "com.microsoft.azure.sdk.iot.device"
LOST = [f"{PREFIX}.transport.ProtocolException", "org.eclipse.paho.client.mqttv3.MqttException", "java.io.EOFException"]
REFUSED = [
    f"{PREFIX}.transport.mqtt.exceptions.MqttUnauthorizedException",
    "org.eclipse.paho.client.mqttv3.MqttSecurityException",
]
CANCELLED = "Received an unsuccessful operation error code from the service: MESSAGE_CANCELLED_ONCLOSE"

Rows = Mapping[tuple[str, str], Mapping[str, Any]]
Logs = Mapping[tuple[str, str, float | None], CellLog]

over_both = pytest.mark.parametrize("transport", TRANSPORTS)


def comparison(root: Path, device: str) -> subprocess.Popen[str]:
    """A comparison under way."""
    scenario = root / "busy.toml"
    scenario.write_text(BUSY, encoding="utf-8")
    wanted = ",".join([*SCENARIOS[:-1], str(scenario)])
    arguments = ["--sdk", "java", "--device", device, "--scenario", wanted, "--out", str(root / "runs")]
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
    """The real SDK's logs by transport, scenario and lifetime set."""
    read = [log for log in read_cells(folders["real"]) if isinstance(log, CellLog)]
    return {key_of(log): log for log in read}


def key_of(log: CellLog) -> tuple[str, str, Any]:
    """What tells a log from the others of its run."""
    header = log.header
    return header.transport, str(header.scenario["id"]), header.settings["lifetime_s"]


def of_kind(log: CellLog, *kinds: str) -> list[Event]:
    """The log's events of these kinds."""
    return [event for event in log.events if event.kind in kinds]


def first_cut(log: CellLog) -> Event:
    """The end of the log's first expired connection."""
    return next(event for event in of_kind(log, "cut") if event.fields["cause"] == "token-expired")


def classes(event: Event) -> list[str]:
    """The classes of an event's error, outermost first."""
    return [link["class"] for link in links(event)]


def links(event: Event) -> list[dict[str, str]]:
    """An event's error."""
    error = event.fields["error"]
    assert isinstance(error, list)
    return error


def statuses(log: CellLog) -> list[str]:
    """The status callbacks, with their reasons."""
    return [f"{event.fields['status']}/{event.fields['reason']}" for event in of_kind(log, "status")]


def verdict(row: Mapping[str, Any], kind: str) -> str:
    """The verdict on a row's only claim of a kind."""
    (only,) = [str(verdict["verdict"]) for verdict in row["verdicts"] if verdict["kind"] == kind]
    return only


@over_both
def test_nothing_happens_before_the_hub_cuts(rows: Rows, logs: Logs, transport: str) -> None:
    """No timer: the law is the hub's cut after lifetime + grace, and at 85 % of a token of 30 s nothing is seen."""
    row = rows[transport, "renewal"]
    assert row["renewals"] == 2
    assert (row["renewal"], row["first"], row["law"]["fit"]["law"]) == ("hub-cut", ["hub"], "hub-cut")
    log = logs[transport, "renewal", 30.0]
    cut = first_cut(log)
    (connected,) = [event.t for event in of_kind(log, "connack") if event.t < cut.t]
    assert 30e6 <= cut.t - connected <= 36.5e6  # the token is made before all of Java is loaded
    assert verdict(row, "renewal-point") == "differs"
    assert verdict(row, "disconnect-point") == "confirmed"


@over_both
def test_it_is_back_at_once(rows: Rows, transport: str) -> None:
    """Between TLS and CONNECT its MQTT client starts three threads, and waits 0.1 s for each that does not run at once; the rest is this machine's."""
    gaps = rows[transport, "renewal"]["gap_ms"]
    assert len(gaps) == 2
    assert [gap for gap in gaps if not 100 <= gap <= 4000] == []


@over_both
def test_the_hubs_log_shows_an_error_for_every_renewal(rows: Rows, transport: str) -> None:
    """401003, then 404104, then connect."""
    row = rows[transport, "renewal"]
    assert (row["hub_log"], row["hub_levels"]) == (["401003", "404104", "connect"], "informational+error")
    assert [verdict(row, kind) for kind in ("hub-log-levels", "hub-signature")] == ["confirmed"] * 2
    assert verdict(row, "closes-first") == "differs"


@over_both
def test_the_application_is_told_twice(rows: Rows, logs: Logs, transport: str) -> None:
    """Each time the connection is lost with an expired token, and restored."""
    log = logs[transport, "renewal", 10.0]
    away = ["DISCONNECTED_RETRYING/EXPIRED_SAS_TOKEN", "CONNECTED/CONNECTION_OK"]
    assert statuses(log) == ["CONNECTED/CONNECTION_OK", *away, *away, "DISCONNECTED/CLIENT_CLOSE"]
    assert all(classes(event) == LOST for event in of_kind(log, "status") if "error" in event.fields)
    assert verdict(rows[transport, "renewal"], "app-signature") == "confirmed"


@over_both
def test_nothing_is_lost_in_a_renewal(rows: Rows, logs: Logs, transport: str) -> None:
    """Telemetry, and the C2D message and direct method that were put into the gap."""
    row = rows[transport, "renewal"]
    assert row["sent"] >= 20
    assert (row["lost"], row["duplicated"], row["reordered"], row["send_failed"]) == (0, 0, 0, 0)
    log = logs[transport, "renewal", 10.0]
    probes = {event.fields["id"] for event in of_kind(log, "stimulus") if event.fields["why"] == "gap"}
    answered = {event.fields["request_id"] for event in of_kind(log, "method-answered")}
    completed = {event.fields["message_id"] for event in of_kind(log, "c2d-acknowledged")}
    assert len(probes) == 4
    assert probes <= answered | completed


@over_both
def test_the_default_lifetime_is_an_hour_and_can_be_set(rows: Rows, transport: str) -> None:
    """From the first token of a run without settings, which lives a second longer, and from two settings."""
    row = rows[transport, "renewal"]
    assert 3598 <= row["default_lifetime_s"] <= 3601
    assert verdict(row, "token-lifetime") == "confirmed"
    assert verdict(row, "lifetime-configurable") == "confirmed"


@over_both
@pytest.mark.parametrize("scenario", ["expiry", "expiry-idle", "expiry-busy"])
def test_a_token_of_the_applications_own_is_the_end(rows: Rows, logs: Logs, transport: str, scenario: str) -> None:
    """It tries once, is refused, and says that it is disconnected because the token expired."""
    log = logs[transport, scenario, None]
    assert rows[transport, scenario]["recovery"] == "none"
    assert rows[transport, scenario]["hub_log"] == ["401003", "404104", "refused 401003"]
    assert [event.fields["code"] for event in of_kind(log, "connack")] == [0, 5]
    ending = ["DISCONNECTED_RETRYING/EXPIRED_SAS_TOKEN", "DISCONNECTED/EXPIRED_SAS_TOKEN"]
    assert statuses(log) == ["CONNECTED/CONNECTION_OK", *ending]
    assert classes(of_kind(log, "status")[-1]) == REFUSED


@over_both
def test_messages_are_cancelled_at_the_end_and_impossible_after_it(logs: Logs, transport: str) -> None:
    """Those queued while it tried fail with it, those sent afterwards by an IllegalStateException."""
    failures = of_kind(logs[transport, "expiry-busy", None], "send_failed")
    said = [links(event)[0]["message"] for event in failures]
    assert said.count(CANCELLED) >= 1
    assert set(said) == {CANCELLED, "Cannot send event from a client that is closed."}


@over_both
def test_it_finds_the_hub_by_its_own_name(logs: Logs, transport: str) -> None:
    """Through a hosts file, so that it sends the hub's name as SNI and in its token."""
    log = logs[transport, "renewal", 10.0]
    assert log.header.way["how"] == "hosts-file"
    assert {event.fields["sni"] for event in of_kind(log, "tls")} == {log.header.hub["name"]}


def test_over_tcp_it_leaves_by_disconnect_and_close_notify(logs: Logs) -> None:
    """As the emulation says."""
    log = logs["mqtt", "defaults", None]
    (closed,) = [event for event in of_kind(log, "closed") if event.src == "hub"]
    assert (closed.fields["first"], closed.fields["how"]) == ("device", "close-notify")
    assert len(of_kind(log, "disconnect")) == 1


def test_no_thread_of_the_sdk_ended_by_an_exception(logs: Logs) -> None:
    """Nothing that only the process would have seen."""
    assert [event for log in logs.values() for event in of_kind(log, "background_exception")] == []


def test_no_token_is_in_the_logs(folders: Mapping[str, Path]) -> None:
    """The SDK's log is in them."""
    logs = [path.read_text(encoding="utf-8") for path in (folders["real"] / "cells").iterdir()]
    assert all(f"INFO {PREFIX}.DeviceClient" in log for log in logs)
    assert [log for log in logs if re.search(r"sig=[\w%]|SharedAccessKey=[\w+/]", log)] == []


def test_what_differs_from_the_documents_is_what_is_claimed_of_the_renewal(rows: Rows) -> None:
    """Nothing else does."""
    verdicts = [(place, one) for place, row in rows.items() for one in row["verdicts"] if one["claimed"]]
    differing = {one["kind"] for _, one in verdicts if one["verdict"] == "differs"}
    assert differing == {"renewal-point", "renewal-action", "closes-first"}
    assert [(place, one) for place, one in verdicts if one["verdict"] == "not observed"] == []
    assert {one["verdict"] for _, one in verdicts} == {"confirmed", "differs", "unsupported"}


@over_both
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_emulated_device_plays_what_the_sdk_does(rows: Rows, emulated: Rows, transport: str, scenario: str) -> None:
    """The hub's log, the application's events, who leaves first, what follows a refusal, and what becomes of messages."""
    fields = ["renewal", "renewals", "hub_log", "hub_levels", "first", "recovery", "lost"]
    if scenario != "expiry-busy":  # which of its many messages are under way at the end is chance
        fields += ["duplicated", "reordered"]
    if scenario in {"renewal", "expiry-idle"}:  # in the others it is chance whether messages are caught by the end
        fields += (
            ["app"] if rows[transport, scenario]["way"]["via_proxy"] else ["app", "log"]
        )  # it tells of the proxy too
    real, played = rows[transport, scenario], emulated[transport, scenario]
    if None in {real["recovery"], played["recovery"]}:  # nor is it told where the machine was too busy
        fields.remove("recovery")
    assert {name: played[name] for name in fields} == {name: real[name] for name in fields}
