"""The real SDKs for Node.js, Java and C over HTTPS: what becomes of their tokens, and what they make of a hub that refuses one.

One comparison serves every test here, all cells side by side. What is expected was seen with these versions: no document says it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.privileges import need_the_right
from support.real_runs import classes, finish, from_app, of_kind, seconds, start_comparison, values

from harness.events import CellLog, Event
from harness.runfolder import read_cells

pytestmark = [pytest.mark.matrix, pytest.mark.slow(seconds=40)]

RENEWAL = """
schema = 1
id = "requests"
title = "Requests over two lifetimes of a kept token"
credential = "key"
settings = "main"
traffic = ["sending", "listening"]
transports = ["https"]
[hub]
grace_s = 5.0
[end]
renewals = 1
after_s = 14.0
limit_s = 40.0
"""
EXPIRY = "https-expiry"
Logs = Mapping[tuple[str, str], CellLog]

NODE = pytest.param("node", marks=pytest.mark.real_sdk(runtime="node"))
JAVA = pytest.param("java", marks=pytest.mark.real_sdk(runtime="java"))
C = pytest.param("c", marks=pytest.mark.real_sdk(runtime="c"))
each_sdk = pytest.mark.parametrize("sdk", [NODE, JAVA, C])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's folder."""
    need_the_right()
    root = tmp_path_factory.mktemp("run")
    run = start_comparison(root, [RENEWAL, EXPIRY], "--sdk", "node,java,c", "--transport", "https")
    return finish(run, root, 300)


@pytest.fixture(scope="module")
def logs(folder: Path) -> Logs:
    """The logs, by SDK and scenario."""
    read = [log for log in read_cells(folder) if isinstance(log, CellLog)]
    return {(log.header.sdk, str(log.header.scenario["id"])): log for log in read}


@pytest.fixture(scope="module")
def rows(folder: Path) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """What analysis found, by SDK and scenario."""
    return {(row["sdk"], row["scenario"]): row for row in json.loads((folder / "findings.json").read_text())["rows"]}


def shown(request: Event) -> Mapping[str, Any]:
    """The token of a request."""
    token = request.fields["token"]
    assert isinstance(token, Mapping)
    return token


@each_sdk
def test_nothing_is_refused_or_lost_while_the_sdk_has_the_key(logs: Logs, rows: Any, sdk: str) -> None:
    """Messages in both directions; the hub's diagnostics have nothing to say."""
    log, row = logs[sdk, "requests"], rows[sdk, "requests"]
    assert set(values(of_kind(log, "http-response"), "status")) <= {200, 204}
    assert of_kind(log, "record") == []
    assert (row["lost"], row["duplicated"], row["reordered"], row["send_failed"]) == (0, 0, 0, 0)


@pytest.mark.parametrize("sdk", [NODE, JAVA])
def test_messages_from_the_cloud_arrive_and_are_completed(logs: Logs, sdk: str) -> None:
    """In their order; the SDK asks for them by itself."""
    log = logs[sdk, "requests"]
    queued = values(of_kind(log, "c2d-queued"), "message_id")
    assert len(queued) >= 3
    assert values(from_app(log, "c2d"), "message_id") == queued[: len(from_app(log, "c2d"))]
    assert len(queued) - len(of_kind(log, "c2d-acknowledged")) <= 1


@pytest.mark.real_sdk(runtime="node")
def test_node_keeps_its_token_until_its_margin(logs: Logs, rows: Any) -> None:
    """Of 910 s for 10 s, as over the other transports; each renewal is a request like any other."""
    row = rows["node", "requests"]
    assert (row["renewal"], row["token_use"], row["renewals"]) == ("per-request", "kept", 2)
    assert row["points_s"] == pytest.approx([10.0, 10.0], abs=1.25)
    assert {one["claim"]: one["verdict"] for one in row["verdicts"]}["https-token-use"] == "differs"
    requests = of_kind(logs["node", "requests"], "http-request")
    assert len(set(values(requests, "conn"))) < len(requests) / 2  # several at a time, each for more than one


@pytest.mark.real_sdk(runtime="java")
def test_java_makes_a_token_for_each_request(logs: Logs, rows: Any) -> None:
    """Made anew as soon as a second is over, on a connection of its own."""
    row, requests = rows["java", "requests"], of_kind(logs["java", "requests"], "http-request")
    assert (row["renewal"], row["token_use"]) == ("per-request", "each-request")
    assert {one["claim"]: one["verdict"] for one in row["verdicts"]}["https-token-use"] == "confirmed"
    assert {round(shown(one)["left_s"] - 10.0) for one in requests} <= {-1, 0, 1}
    assert len(set(values(requests, "conn"))) == len(requests)


@pytest.mark.real_sdk(runtime="c")
def test_c_makes_a_token_of_an_hour_for_each_request(logs: Logs, rows: Any) -> None:
    """As its document says, but for the connections: one carries all requests. It asks for messages once, and every 25 minutes."""
    row, requests = rows["c", "requests"], of_kind(logs["c", "requests"], "http-request")
    assert (row["renewal"], row["token_use"]) == ("per-request", "each-request")
    assert {one["claim"]: one["verdict"] for one in row["verdicts"]}["https-token-use"] == "confirmed"
    assert {round(shown(one)["left_s"]) for one in requests} <= {3599, 3600}
    assert len(set(values(requests, "conn"))) == 1
    assert values(requests, "operation").count("receive") == 1


@each_sdk
def test_a_fixed_token_is_refused_from_expiry_and_skew_on(logs: Logs, sdk: str) -> None:
    """Every request; each leaves its 401003 and no record leaves another."""
    log = logs[sdk, EXPIRY]
    requests, answers = of_kind(log, "http-request"), of_kind(log, "http-response")
    refused = [shown(asked)["left_s"] < -2.5 for asked in requests]
    assert [answer.fields["status"] == 401 for answer in answers] == refused
    assert {record["resultType"] for record in values(of_kind(log, "record"), "record")} == {"401003"}  # type: ignore[index]
    assert len(of_kind(log, "record")) == sum(refused)


@pytest.mark.parametrize("sdk", [NODE, JAVA])
def test_each_refused_message_is_told_and_not_tried_again(logs: Logs, rows: Any, sdk: str) -> None:
    """By the error of its own send; the next message is asked about all the same."""
    log, row = logs[sdk, EXPIRY], rows[sdk, EXPIRY]
    failed = from_app(log, "send_failed")
    words = {"node": "UnauthorizedError", "java": "com.microsoft.azure.sdk.iot.device.exceptions.IotHubClientException"}
    assert {classes(event)[0] for event in failed} == {words[sdk]}
    assert len(failed) >= 8
    assert seconds(failed[0], failed[-1]) > 8
    assert (row["lost"], row["send_failed"], row["renewal"]) == (0, len(failed), "none")


@pytest.mark.real_sdk(runtime="c")
def test_c_tries_a_refused_message_ten_times_a_second_and_tells_nothing(logs: Logs) -> None:
    """The first one only; the others wait behind it until the client is destroyed."""
    log = logs["c", EXPIRY]
    close = next(event for event in of_kind(log, "command") if event.fields["cmd"] == "close")
    refused = [event for event in of_kind(log, "http-response") if event.fields["status"] == 401]
    assert 6 < len(refused) / seconds(refused[0], refused[-1]) < 11
    failed = from_app(log, "send_failed")
    assert min(event.t for event in failed) > close.t
    assert {classes(event)[0] for event in failed} == {"IOTHUB_CLIENT_CONFIRMATION_BECAUSE_DESTROY"}
