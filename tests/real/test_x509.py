"""Client certificates from the real SDKs: good ones that outlive a token beside them, and three that the hub refuses.

Two comparisons serve every test here, all of their cells side by side.
"""

import json
from collections.abc import Mapping

import pytest
from support.real_runs import classes, finish, from_app, of_kind, shown, start_comparison, values

from harness.events import CellLog
from harness.runfolder import read_cells

pytestmark = [pytest.mark.matrix, pytest.mark.slow(seconds=40)]

GOOD = ("x509-thumbprint", "x509-ca")
MISMATCH, EXPIRED, UNKNOWN = "x509-thumbprint-mismatch", "x509-ca-expired", "x509-ca-unknown"
BAD = (MISMATCH, EXPIRED, UNKNOWN)
BESIDE = """
schema = 1
id = "token-beside"
title = "A token that nobody renews"
credential = "token"
token_lifetime_s = 10.0
settings = "none"
traffic = ["sending"]
transports = ["mqtt"]

[hub]
grace_s = 5.0

[end]
cuts = 1
after_s = 1.0
limit_s = 30.0
"""
RENEW = "Authentication failed for this device, renew token or certificate and reconnect"
DEVICES = (
    ("python", "mqtt"), ("node", "mqtt"), ("node", "amqp"), ("java", "mqtt"), ("java", "amqp"), ("c", "mqtt"), ("c", "amqp"),
)  # fmt: skip

Logs = Mapping[tuple[str, str, str], CellLog]


def of_each(scenarios: tuple[str, ...]) -> pytest.MarkDecorator:
    """Each SDK over each transport in each of these scenarios, where its runtime is there."""
    cases = [
        pytest.param(sdk, transport, scenario, marks=pytest.mark.real_sdk(runtime=sdk))
        for sdk, transport in DEVICES
        for scenario in scenarios
    ]
    return pytest.mark.parametrize(("sdk", "transport", "scenario"), cases)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """The logs by SDK, transport and scenario."""
    asked = {"python": "mqtt", "node,java,c": "mqtt,amqp"}  # those first whose refused cells take longest to close
    roots = {sdks: tmp_path_factory.mktemp("x509") for sdks in asked}
    runs = {
        sdks: start_comparison(roots[sdks], [*GOOD, *BAD, BESIDE], "--sdk", sdks, "--transport", transports)
        for sdks, transports in asked.items()
    }
    read = [log for sdks, run in runs.items() for log in read_cells(finish(run, roots[sdks], 600))]
    logs = [log for log in read if isinstance(log, CellLog)]
    return {(log.header.sdk, log.header.transport, str(log.header.scenario["id"])): log for log in logs}


@of_each(GOOD)
def test_a_device_with_a_certificate_is_still_there_when_a_token_has_long_been_cut(
    logs: Logs, sdk: str, transport: str, scenario: str
) -> None:
    """One connection that nobody ends before the application does, and no message is lost."""
    log, beside = logs[sdk, transport, scenario], logs[sdk, "mqtt", "token-beside"]
    (closing,) = [event for event in of_kind(log, "command") if event.fields["cmd"] == "close"]
    assert [event.fields["conn"] for event in of_kind(log, "accepted") if event.t < closing.t] == [1]
    assert [event.fields["cause"] for event in of_kind(log, "cut") if event.fields["cause"] != "hub-stopped"] == []
    assert not of_kind(log, "put-token", "deadline")
    telemetry, cut = of_kind(log, "telemetry"), of_kind(beside, "cut")[0]
    assert cut.fields["cause"] == "token-expired"
    assert telemetry[-1].t > cut.t > 13e6
    assert len(from_app(log, "sent")) == len(telemetry) >= 10


@of_each(BAD)
def test_a_bad_certificate_is_refused_by_the_hub_and_not_by_tls(
    logs: Logs, sdk: str, transport: str, scenario: str
) -> None:
    """With 401003 and the message for what is wrong, and with what the protocol has for it."""
    log = logs[sdk, transport, scenario]
    assert not of_kind(log, "telemetry")
    assert not any("certificate" in str(event.fields["reason"]) for event in of_kind(log, "tls-failed"))
    assert set(values(of_kind(log, "tls"), "client_certificate")) == {True}
    records = [dict(event.fields["record"]) for event in of_kind(log, "record")]  # type: ignore[call-overload]
    messages = {str(json.loads(record["properties"])["errorMessage"]) for record in records}
    assert {record["resultType"] for record in records} == {"401003"}
    assert all(
        message.startswith("Thumbprint does not match configuration: Thumbprint: SHA1Hash=")
        if scenario == MISMATCH
        else message == RENEW
        for message in messages
    )
    if transport == "mqtt":
        assert set(values(of_kind(log, "connack"), "code")) == {5}
    else:
        assert set(values(of_kind(log, "attach"), "condition")) == {"amqp:unauthorized-access"}


@pytest.mark.real_sdk(runtime="python")
@pytest.mark.parametrize("scenario", BAD)
def test_python_raises_and_does_not_try_again(logs: Logs, scenario: str) -> None:
    """The exception names the credentials; a background exception speaks of the connection."""
    log = logs["python", "mqtt", scenario]
    (failed,) = from_app(log, "open_failed")
    assert [name.rpartition(".")[2] for name in classes(failed)[:2]] == ["CredentialError", "UnauthorizedError"]
    assert len(of_kind(log, "accepted")) == 1


@pytest.mark.real_sdk(runtime="node")
@pytest.mark.parametrize("scenario", BAD)
def test_node_over_mqtt_rejects_and_does_not_try_again(logs: Logs, scenario: str) -> None:
    """By the error of bad credentials."""
    log = logs["node", "mqtt", scenario]
    assert [classes(event)[0] for event in from_app(log, "open_failed")] == ["UnauthorizedError"]
    assert len(of_kind(log, "accepted")) == 1


@pytest.mark.real_sdk(runtime="node")
@pytest.mark.parametrize("scenario", BAD)
def test_node_over_amqp_believes_itself_open_and_falls_silent(logs: Logs, scenario: str) -> None:
    """It is open before it attaches a link. Then it raises an `error` event, and no later call of it ever ends, `close` included."""
    log = logs["node", "amqp", scenario]
    assert len(from_app(log, "opened")) == 1
    assert set(shown(log)) == {"status", "background_exception", "close_failed"}
    assert values(from_app(log, "background_exception"), "callback") == ["error"]
    assert [event for event in of_kind(log, "command") if event.fields["cmd"] == "send"]
    assert len(of_kind(log, "accepted")) == 1


@pytest.mark.real_sdk(runtime="java")
@pytest.mark.parametrize("scenario", BAD)
@pytest.mark.parametrize(
    ("transport", "cause"), [("mqtt", "MqttUnauthorizedException"), ("amqp", "AmqpUnauthorizedAccessException")]
)
def test_java_raises_and_does_not_try_again(logs: Logs, transport: str, cause: str, scenario: str) -> None:
    """The cause tells what the protocol told."""
    log = logs["java", transport, scenario]
    (failed,) = from_app(log, "open_failed")
    assert [name.rpartition(".")[2] for name in classes(failed)[:2]] == ["IotHubClientException", cause]
    assert len(of_kind(log, "accepted")) == 1


@pytest.mark.real_sdk(runtime="c")
@pytest.mark.parametrize("scenario", BAD)
def test_c_over_mqtt_tries_again_and_again(logs: Logs, scenario: str) -> None:
    """Its callback names the credentials, then the network."""
    log = logs["c", "mqtt", scenario]
    assert set(values(from_app(log, "status"), "reason")) >= {"BAD_CREDENTIAL", "NO_NETWORK"}
    assert len(of_kind(log, "connack")) >= 4


@pytest.mark.real_sdk(runtime="c")
@pytest.mark.parametrize("scenario", BAD)
def test_c_over_amqp_tries_again_on_the_connection_that_stands(logs: Logs, scenario: str) -> None:
    """After ten seconds; its callback speaks of the communication and never of credentials."""
    log = logs["c", "amqp", scenario]
    first, second = of_kind(log, "certificate-judged")[:2]
    assert second.t - first.t == pytest.approx(10e6, abs=2e6)
    assert len(of_kind(log, "accepted")) == 1
    assert set(values(from_app(log, "status"), "reason")) == {"COMMUNICATION_ERROR", "OK"}
