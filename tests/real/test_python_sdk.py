"""The real azure-iot-device SDK, measured as `harness compare --sdk python` measures it; everything is read from the logs.

One run of all default scenarios over both transports serves every test here. What is expected was seen on the wire and in the
application before this harness existed, with other tools.
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

pytestmark = [pytest.mark.real_sdk(runtime="python"), pytest.mark.slow(seconds=60)]

TRANSPORTS = ("mqtt", "mqtt-ws")
STATE = "on_connection_state_change"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one comparison of the real SDK."""
    root = tmp_path_factory.mktemp("python")
    arguments = [sys.executable, "-m", "harness", "compare", "--sdk", "python", "--device", "real", "--out", str(root)]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=180, check=False)
    assert result.returncode == 0, result.stderr
    (path,) = root.iterdir()
    return path


@pytest.fixture(scope="module")
def rows(folder: Path) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """The rows by transport and scenario."""
    found = json.loads((folder / "findings.json").read_text())["rows"]
    return {(row["transport"], row["scenario"]): row for row in found}


@pytest.fixture(scope="module")
def logs(folder: Path) -> Mapping[tuple[str, str, float | None], CellLog]:
    """The logs by transport, scenario and lifetime set."""
    read = [log for log in read_cells(folder) if isinstance(log, CellLog)]
    return {
        (log.header.transport, str(log.header.scenario["id"]), log.header.settings["lifetime_s"]): log  # type: ignore[misc]
        for log in read
    }


def of_kind(log: CellLog, *kinds: str) -> list[Event]:
    """The log's events of these kinds."""
    return [event for event in log.events if event.kind in kinds]


def token_of(connect: Event) -> object:
    """The digest of the token of a CONNECT."""
    token = connect.fields["token"]
    assert isinstance(token, Mapping)
    return token["digest"]


def verdict(row: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The verdict on a row's only claim of a kind."""
    found: list[Mapping[str, Any]] = [verdict for verdict in row["verdicts"] if verdict["kind"] == kind]
    (only,) = found
    return only


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_it_renews_120_s_before_expiry(rows: Mapping[tuple[str, str], Mapping[str, Any]], transport: str) -> None:
    """Ten seconds into a token of 130 s, and by the law of a margin over two lifetimes."""
    row = rows[transport, "renewal"]
    assert row["renewals"] == 2
    assert all(9 <= point <= 11.5 for point in row["points_s"])
    fit = row["law"]["fit"]
    assert fit["law"] == "margin"
    assert fit["low"] <= 120 <= fit["high"]
    assert verdict(row, "renewal-point")["verdict"] == "confirmed"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_it_leaves_by_itself_and_comes_back(rows: Mapping[tuple[str, str], Mapping[str, Any]], transport: str) -> None:
    """DISCONNECT by the client: the hub's log has no error."""
    row = rows[transport, "renewal"]
    assert (row["renewal"], row["first"], row["hub_log"]) == ("reconnect", ["device"], ["disconnect", "connect"])
    assert row["hub_levels"] == "informational"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_application_sees_false_then_true_and_no_exception(
    rows: Mapping[tuple[str, str], Mapping[str, Any]], transport: str
) -> None:
    """That is all it sees of a renewal."""
    assert rows[transport, "renewal"]["app"] == [f"{STATE} False", f"{STATE} True"]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nothing_is_lost_in_a_renewal(
    rows: Mapping[tuple[str, str], Mapping[str, Any]],
    logs: Mapping[tuple[str, str, float | None], CellLog],
    transport: str,
) -> None:
    """Telemetry, and the C2D message and direct method that were put into the gap."""
    row = rows[transport, "renewal"]
    assert row["sent"] >= 20
    assert (row["lost"], row["duplicated"], row["reordered"], row["send_failed"]) == (0, 0, 0, 0)
    log = logs[transport, "renewal", 130.0]
    probes = [event for event in of_kind(log, "stimulus") if event.fields["why"] == "gap"]
    answered = {event.fields["request_id"] for event in of_kind(log, "method-answered")}
    received = {event.fields["message_id"] for event in log.events if (event.src, event.kind) == ("app", "c2d")}
    assert len(probes) == 4
    assert {event.fields["id"] for event in probes} <= answered | received


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_it_relies_on_the_persistent_session(
    logs: Mapping[tuple[str, str, float | None], CellLog], transport: str
) -> None:
    """It subscribes once, and after each renewal the hub says that the session was there."""
    log = logs[transport, "renewal", 130.0]
    assert {event.fields["conn"] for event in of_kind(log, "subscribe")} == {1}
    assert [event.fields["session_present"] for event in of_kind(log, "connack")] == [False, True, True]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_microsofts_statement_differs_with_both_values(
    rows: Mapping[tuple[str, str], Mapping[str, Any]], transport: str
) -> None:
    """It does not wait for the token's lifespan."""
    found = verdict(rows[transport, "renewal"], "disconnect-point")
    assert found["verdict"] == "differs"
    assert found["claimed"] == "lifetime + 0 s"
    observed = re.match(r"lifetime - ([\d.]+) s", found["observed"])
    assert observed is not None
    assert 119 <= float(observed[1]) <= 121.5


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_default_lifetime_is_an_hour_and_can_be_set(
    rows: Mapping[tuple[str, str], Mapping[str, Any]], transport: str
) -> None:
    """From the first token of a run without settings, and from two settings."""
    row = rows[transport, "renewal"]
    assert 3598 <= row["default_lifetime_s"] <= 3600
    assert verdict(row, "token-lifetime")["verdict"] == "confirmed"
    assert verdict(row, "lifetime-configurable")["verdict"] == "confirmed"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scenario", ["expiry", "expiry-idle"])
def test_at_expiry_it_comes_back_once_with_the_stale_token(
    logs: Mapping[tuple[str, str, float | None], CellLog], transport: str, scenario: str
) -> None:
    """Cut at expiry + grace, and one reconnect within a second, answered with CONNACK 5."""
    log = logs[transport, scenario, None]
    (cut,) = [event for event in of_kind(log, "cut") if event.fields["cause"] == "token-expired"]
    connects, connacks = of_kind(log, "connect"), of_kind(log, "connack")
    assert token_of(connects[0]) == token_of(connects[1])
    assert 0 < connects[1].t - cut.t < 1_000_000
    assert {event.fields["code"] for event in connacks[1:]} == {5}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_then_every_send_makes_one_refused_connect_and_fails(
    rows: Mapping[tuple[str, str], Mapping[str, Any]],
    logs: Mapping[tuple[str, str, float | None], CellLog],
    transport: str,
) -> None:
    """With `CredentialError`, or `ConnectionFailedError` where it sees the hub hang up before it reads why; nothing happens between the sends."""
    row, log = rows[transport, "expiry"], logs[transport, "expiry", None]
    failures = of_kind(log, "send_failed")
    refused = [event for event in of_kind(log, "connack") if event.fields["code"] == 5]
    assert row["recovery"] == "next-send"
    assert len(failures) >= 10
    assert len(refused) - 1 in {len(failures), len(failures) + 1}
    classes = {str(event.fields["error"][0]["class"]).rpartition(".")[2] for event in failures}  # type: ignore[index]
    assert "CredentialError" in classes
    assert classes <= {"CredentialError", "ConnectionFailedError"}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_idle_application_stays_offline(
    rows: Mapping[tuple[str, str], Mapping[str, Any]],
    logs: Mapping[tuple[str, str, float | None], CellLog],
    transport: str,
) -> None:
    """One refused CONNECT, and none after it."""
    assert rows[transport, "expiry-idle"]["recovery"] == "none"
    assert [event.fields["code"] for event in of_kind(logs[transport, "expiry-idle", None], "connack")] == [0, 5]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scenario", ["expiry", "expiry-idle"])
def test_the_hubs_log_shows_401003_then_404104(
    rows: Mapping[tuple[str, str], Mapping[str, Any]], transport: str, scenario: str
) -> None:
    """And the refused reconnect."""
    assert rows[transport, scenario]["hub_log"][:3] == ["401003", "404104", "refused 401003"]
