"""The refusals over HTTPS from the real SDKs for Node.js, Java and C: what the hub names, what the wire carries, and what the application sees.

One comparison serves every test here, all cells side by side. What is expected was seen with these versions: no document says it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.privileges import need_the_right
from support.real_runs import classes, finish, from_app, of_kind, start_comparison, values

from harness.events import CellLog
from harness.runfolder import read_cells

pytestmark = [pytest.mark.matrix, pytest.mark.slow(seconds=60)]

RENEW = "Authentication failed for this device, renew token or certificate and reconnect"
UNKNOWN = "IotHub '*' does not contain the specified device '*'"
RULE = "Authorization rule '*' does not allow access for '*'"
THUMBPRINT = "Thumbprint does not match configuration: Thumbprint: SHA1Hash=*, SHA2Hash=*; Configuration: PrimaryThumbprint=*, SecondaryThumbprint=*"


class Refused(NamedTuple):
    """A scenario's check, its message as the documents write it, and its status."""

    check: str
    pattern: str
    status: int = 401


SCENARIOS = {
    "no-credential": Refused("credential", "Authorization header missing"),
    "unknown-device": Refused("registered", UNKNOWN, 404),
    "wrong-key": Refused("signature", RENEW),
    "rule-not-allowed": Refused("rule", RULE),
    "malformed-token": Refused("token-form", RENEW),
    "token-cut-off": Refused("token-form", RENEW),
    "expired-at-start": Refused("expiry", RENEW),
    "device-disabled": Refused("device-enabled", RENEW, 404),
    "clock-behind-6": Refused("expiry", RENEW),
    "x509-thumbprint-mismatch": Refused("thumbprint", THUMBPRINT),
    "x509-ca-unsupported": Refused("certificate-transport", RENEW),
}
LET_IN = ("clock-ahead-4", "clock-ahead-6", "clock-behind-4", "x509-thumbprint")
BY_THE_SDK = {("java", "token-cut-off")}
JAVA = "com.microsoft.azure.sdk.iot.device.exceptions.IotHubClientException"
SEND_FAILED = {
    ("node", 401): ("UnauthorizedError", "Could not send message: Unauthorized"),
    ("node", 404): ("DeviceNotFoundError", "Could not send message: Not Found"),
    ("java", 401): (JAVA, "Received an unsuccessful operation error code from the service: UNAUTHORIZED"),
    ("java", 404): (JAVA, "Received an unsuccessful operation error code from the service: NOT_FOUND"),
}
CANCELLED = "MESSAGE_CANCELLED_ONCLOSE"
Logs = Mapping[tuple[str, str], CellLog]

each_sdk = pytest.mark.parametrize(
    "sdk", [pytest.param(sdk, marks=pytest.mark.real_sdk(runtime=sdk)) for sdk in ("node", "java", "c")]
)
each_refusal = pytest.mark.parametrize("scenario", SCENARIOS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's folder."""
    need_the_right()
    root = tmp_path_factory.mktemp("run")
    asked = ["--sdk", "node,java,c", "--transport", "https", "--jobs", "15"]
    run = start_comparison(root, [*SCENARIOS, *LET_IN], *asked)
    return finish(run, root, 400)


@pytest.fixture(scope="module")
def logs(folder: Path) -> Logs:
    """The logs, by SDK and scenario."""
    read = [log for log in read_cells(folder) if isinstance(log, CellLog)]
    return {(log.header.sdk, str(log.header.scenario["id"])): log for log in read}


@pytest.fixture(scope="module")
def rows(folder: Path) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """What analysis found, likewise."""
    return {(row["sdk"], row["scenario"]): row for row in json.loads((folder / "findings.json").read_text())["rows"]}


@each_sdk
@each_refusal
def test_the_hub_names_the_check_and_the_message(rows: Any, logs: Logs, sdk: str, scenario: str) -> None:
    """In the row, and in the record of every request that was refused."""
    refused, expected = rows[sdk, scenario]["first_refusal"], SCENARIOS[scenario]
    assert rows[sdk, scenario]["awaited"]
    if (sdk, scenario) in BY_THE_SDK:
        assert (refused["by"], of_kind(logs[sdk, scenario], "http-request")) == ("sdk", [])
        return
    assert (refused["check"], refused["pattern"], refused["wire"]) == (
        expected.check,
        expected.pattern,
        f"HTTP {expected.status}",
    )
    answers = of_kind(logs[sdk, scenario], "http-response")
    assert set(values(answers, "status")) == {expected.status}
    assert len(of_kind(logs[sdk, scenario], "record")) == len(answers)


@pytest.mark.parametrize(
    "sdk", [pytest.param(sdk, marks=pytest.mark.real_sdk(runtime=sdk)) for sdk in ("node", "java")]
)
@each_refusal
def test_node_and_java_tell_404_from_401_and_no_more(logs: Logs, sdk: str, scenario: str) -> None:
    """By the error of each message; that the hub says why, they keep to themselves. What is still unsent when the client closes has another one."""
    log = logs[sdk, scenario]
    if (sdk, scenario) in BY_THE_SDK:
        (failed,) = from_app(log, "open_failed")
        assert classes(failed) == ["java.lang.NumberFormatException"]
        return
    told = {json.dumps(error) for error in values(from_app(log, "send_failed"), "error") if CANCELLED not in str(error)}
    (chain,) = map(json.loads, told)
    assert [(one["class"], one["message"]) for one in chain] == [SEND_FAILED[sdk, SCENARIOS[scenario].status]]
    assert not from_app(log, "sent")


@pytest.mark.real_sdk(runtime="c")
@each_refusal
def test_c_tells_the_application_nothing(logs: Logs, scenario: str) -> None:
    """It goes on asking, several times a second, for as long as the client lives; its log has the status."""
    log = logs["c", scenario]
    close = next(event for event in of_kind(log, "command") if event.fields["cmd"] == "close")
    assert [event for event in from_app(log, "send_failed", "status") if event.t < close.t] == []
    refused = [event for event in of_kind(log, "http-request") if event.fields["operation"] == "send"]
    assert len(refused) > 20
    status = SCENARIOS[scenario].status
    assert f"unexpected HTTP status code ({status})" in str(of_kind(log, "line")[-1].fields["text"])


@each_sdk
@pytest.mark.parametrize("scenario", LET_IN)
def test_who_is_let_in_over_https(logs: Logs, rows: Any, sdk: str, scenario: str) -> None:
    """No request is refused; with a certificate, none has a token, also where the SDK resumes its TLS session."""
    log, row = logs[sdk, scenario], rows[sdk, scenario]
    assert of_kind(log, "record") == []
    assert ("first_refusal" in row, row["lost"]) == (False, 0)
    assert from_app(log, "sent")
    by_certificate = scenario == "x509-thumbprint"
    requests = of_kind(log, "http-request")
    assert {one.fields["token"] is None for one in requests} == {by_certificate}
    assert {"certificate" in one.fields for one in requests} == {by_certificate}
