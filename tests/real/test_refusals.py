"""Real SDKs whose device is refused from the start: what the hub says, what the wire shows, what the application is told, and what the SDK does then.

All scenarios and SDKs side by side in one comparison. Left out is `token-cut-off`, in which the SDK for Node.js tells nobody anything over
AMQP, and does not close within its time.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.real_runs import classes, finish, from_app, of_kind, start_comparison

from harness.events import CellLog
from harness.runfolder import read_cells

pytestmark = [pytest.mark.matrix, pytest.mark.slow(seconds=40)]

RENEW = "Authentication failed for this device, renew token or certificate and reconnect"
EXPIRED = "The specified SAS token is expired"


class Refused(NamedTuple):
    """A scenario's check, its message as the documents write it, and what AMQP has for it: status and text of the answer to a token."""

    check: str
    pattern: str
    status: int
    text: str


SCENARIOS = {
    "unknown-device": Refused("registered", "IotHub '*' does not contain the specified device '*'", 404, "not registered."),
    "wrong-key": Refused("signature", RENEW, 401, "The specified SAS token has an invalid signature."),
    "rule-not-allowed": Refused("rule", "Authorization rule '*' does not allow access for '*'", 401, "The shared access policy does not allow"),
    "malformed-token": Refused("token-form", RENEW, 401, "Malformed signature"),
    "expired-at-start": Refused("expiry", RENEW, 401, EXPIRED),
    "device-disabled": Refused("device-enabled", RENEW, 404, "is disabled."),
    "clock-behind-6": Refused("expiry", RENEW, 401, EXPIRED),
}  # fmt: skip
LET_IN = ("clock-ahead-6",)
PLAYERS = [("python", "mqtt"), *((sdk, over) for sdk in ("node", "java", "c") for over in ("mqtt", "amqp"))]
BY_THE_SDK = {("python", "expired-at-start")}
JAVA = "com.microsoft.azure.sdk.iot.device"
OPEN_FAILED = {
    ("python", "mqtt"): [
        "azure.iot.device.exceptions.CredentialError",
        "azure.iot.device.common.transport_exceptions.UnauthorizedError",
    ],
    ("node", "mqtt"): ["UnauthorizedError", "Error"],
    ("node", "amqp"): ["UnauthorizedError"],
    ("java", "mqtt"): [
        f"{JAVA}.exceptions.IotHubClientException",
        f"{JAVA}.transport.mqtt.exceptions.MqttUnauthorizedException",
        "org.eclipse.paho.client.mqttv3.MqttSecurityException",
    ],
}
JAVA_OVER_AMQP = {
    401: f"{JAVA}.transport.https.exceptions.UnauthorizedException",
    404: f"{JAVA}.transport.https.exceptions.HubOrDeviceIdNotFoundException",
}


def players(*wanted: tuple[str, str]) -> list[Any]:
    """These SDKs with their transports, each with the runtime it needs."""
    return [pytest.param(*one, id="-".join(one), marks=pytest.mark.real_sdk(runtime=one[0])) for one in wanted]


over_all = pytest.mark.parametrize(("sdk", "transport"), players(*PLAYERS))
in_all = pytest.mark.parametrize("scenario", SCENARIOS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's folder."""
    root = tmp_path_factory.mktemp("run")
    wanted = [*SCENARIOS, *LET_IN, "no-credential"]
    run = start_comparison(root, wanted, "--sdk", "python,node,java,c", "--transport", "mqtt,amqp")
    return finish(run, root, 240)


@pytest.fixture(scope="module")
def logs(folder: Path) -> Mapping[tuple[str, str, str], CellLog]:
    """The logs by SDK, transport and scenario."""
    read = [log for log in read_cells(folder) if isinstance(log, CellLog)]
    return {(log.header.sdk, log.header.transport, str(log.header.scenario["id"])): log for log in read}


@pytest.fixture(scope="module")
def rows(folder: Path) -> Mapping[tuple[str, str, str], Mapping[str, Any]]:
    """What analysis found, likewise."""
    found = json.loads((folder / "findings.json").read_text())["rows"]
    return {(row["sdk"], row["transport"], row["scenario"]): row for row in found}


Logs = Mapping[tuple[str, str, str], CellLog]
Rows = Mapping[tuple[str, str, str], Mapping[str, Any]]


@over_all
@in_all
def test_the_hub_names_the_check_and_the_message(rows: Rows, sdk: str, transport: str, scenario: str) -> None:
    """And the device can tell apart what its protocol lets it: one code over MQTT, two over AMQP."""
    refused, expected = rows[sdk, transport, scenario]["first_refusal"], SCENARIOS[scenario]
    assert rows[sdk, transport, scenario]["awaited"]
    if (sdk, scenario) in BY_THE_SDK:
        assert (refused["by"], refused["wire"]) == ("sdk", "")
        return
    assert (refused["check"], refused["pattern"]) == (expected.check, expected.pattern)
    assert refused["wire"] == ("CONNACK 5" if transport == "mqtt" else f"put-token {expected.status}")


@over_all
@in_all
def test_only_the_sdk_for_c_tries_again_by_itself(rows: Rows, sdk: str, transport: str, scenario: str) -> None:
    """Over MQTT, and goes on doing so; all the others leave it at one attempt, for nine seconds at least."""
    refused = rows[sdk, transport, scenario]["first_refusal"]
    retries = (sdk, transport) == ("c", "mqtt")
    assert refused["then"] == ("retries" if retries else "none")
    assert refused["attempts"] >= 4 if retries else refused["attempts"] <= 1


@pytest.mark.parametrize(("sdk", "transport"), players(*(one for one in PLAYERS if one[0] != "c")))
@in_all
def test_the_application_is_told_by_an_exception(logs: Logs, sdk: str, transport: str, scenario: str) -> None:
    """Over MQTT the same for every reason; over AMQP with the hub's text, and Java's class tells 404 from 401."""
    (failed,) = from_app(logs[sdk, transport, scenario], "open_failed")
    expected = SCENARIOS[scenario]
    if (sdk, scenario) in BY_THE_SDK:
        assert classes(failed) == ["ValueError"]
        return
    if (sdk, transport) == ("java", "amqp"):
        assert classes(failed) == [f"{JAVA}.exceptions.IotHubClientException", JAVA_OVER_AMQP[expected.status]]
    else:
        assert classes(failed) == OPEN_FAILED[sdk, transport]
    assert (expected.text in str(failed.fields["error"])) == (transport == "amqp")


@pytest.mark.parametrize(("sdk", "transport"), players(("c", "mqtt"), ("c", "amqp")))
@in_all
def test_the_sdk_for_c_has_the_same_status_for_all(logs: Logs, sdk: str, transport: str, scenario: str) -> None:
    """`BAD_CREDENTIAL`, whatever the reason; over MQTT followed by `NO_NETWORK`, though the network is there."""
    told = {event.fields["reason"] for event in from_app(logs[sdk, transport, scenario], "status")}
    assert told == ({"BAD_CREDENTIAL", "NO_NETWORK"} if transport == "mqtt" else {"BAD_CREDENTIAL"})
    assert not from_app(logs[sdk, transport, scenario], "open_failed")


@over_all
@pytest.mark.parametrize("scenario", LET_IN)
def test_a_clock_that_is_ahead_keeps_nobody_out(logs: Logs, sdk: str, transport: str, scenario: str) -> None:
    """Six minutes: a token names no beginning."""
    log = logs[sdk, transport, scenario]
    assert from_app(log, "opened")
    assert not [event for event in log.events if "check" in event.fields]


@pytest.mark.parametrize(("sdk", "transport"), players(("python", "mqtt"), ("node", "mqtt")))
def test_who_cannot_come_without_a_credential(rows: Rows, sdk: str, transport: str) -> None:
    """Its row names the call that is missing."""
    row = rows[sdk, transport, "no-credential"]
    assert row["status"] == "unsupported"
    assert {"python": "create_from_connection_string", "node": "MqttBase.connect"}[sdk] in row["reason"]


@pytest.mark.parametrize(
    ("sdk", "transport"), players(*(one for one in PLAYERS if one not in {("python", "mqtt"), ("node", "mqtt")}))
)
def test_a_device_without_a_credential_misses_its_header(rows: Rows, sdk: str, transport: str) -> None:
    """Over AMQP its first link is refused."""
    refused = rows[sdk, transport, "no-credential"]["first_refusal"]
    assert (refused["check"], refused["pattern"]) == ("credential", "Authorization header missing")
    assert refused["wire"] == ("CONNACK 5" if transport == "mqtt" else "attach amqp:unauthorized-access")


@pytest.mark.real_sdk(runtime="node")
def test_node_calls_itself_connected_without_any_credential(logs: Logs, rows: Rows) -> None:
    """Over AMQP it attaches its link with the first message, and the hub is not asked for anything before; each message is a new attempt."""
    log, refused = logs["node", "amqp", "no-credential"], rows["node", "amqp", "no-credential"]["first_refusal"]
    assert refused["believed"]
    assert 3 <= refused["attempts"] <= sum(event.fields["cmd"] == "send" for event in of_kind(log, "command"))
    first = of_kind(log, "attach")[0]
    assert {event.fields["status"] for event in from_app(log, "status") if event.t < first.t} == {"connect"}
    assert not from_app(log, "sent")
    assert {classes(event)[0] for event in from_app(log, "send_failed")} == {"UnauthorizedError"}


@pytest.mark.real_sdk(runtime="c")
def test_the_sdk_for_c_takes_a_refused_link_for_the_network(logs: Logs) -> None:
    """Over AMQP, where a refused token is a bad credential."""
    told = [event.fields["reason"] for event in from_app(logs["c", "amqp", "no-credential"], "status")]
    assert told == ["COMMUNICATION_ERROR"]
