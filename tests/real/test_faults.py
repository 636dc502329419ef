"""What real SDKs make of a renewal that goes wrong between the request and its answer.

One comparison serves every test here, with the bundled scenarios watched for a shorter time than usual. The slowest cell, Java's over MQTT,
whose close waits for a CONNACK that never comes, sets the pace.
"""

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import pytest
from support.real_runs import after, classes, finish, from_app, of_kind, seconds, start_comparison

from harness.events import CellLog, Event
from harness.runfolder import read_cells

pytestmark = [pytest.mark.matrix, pytest.mark.slow(seconds=40)]

WATCHED_S = (
    ("renewal-unanswered", "mqtt", 6.0),
    ("renewal-unanswered", "amqp", 11.0),
    ("drop-during-renewal", "mqtt", 6.0),
    ("drop-during-renewal", "amqp", 12.0),
    ("slow-connack", "mqtt", 4.0),
    ("slow-connack", "amqp", 4.0),
    ("renewal-gap-refused", "mqtt", 8.0),
)
"""How long each scenario is watched over each transport after the fault."""
DELAY_S = 3.0
Logs = Mapping[tuple[str, str, str], CellLog]
"""By SDK, transport and scenario."""


def of(*sdks: str) -> pytest.MarkDecorator:
    """These SDKs, each where its runtime is there."""
    return pytest.mark.parametrize("sdk", [pytest.param(sdk, marks=pytest.mark.real_sdk(runtime=sdk)) for sdk in sdks])


def shortened(name: str, transport: str, after_s: float) -> str:
    """A bundled scenario over one transport, with less grace, less to wait for, and less to watch."""
    text = (Path(str(resources.files("harness") / "scenarios")) / f"{name}.toml").read_text(encoding="utf-8")
    for old, new in (
        (r"^transports = .*\n", ""),
        (r'^id = ".*"$', f'id = "{name}-{transport}"\ntransports = ["{transport}"]'),
        (r"^grace_s = .*$", "grace_s = 2.0"),
        (r"^delay_s = .*$", f"delay_s = {DELAY_S}"),
        (r"^after_s = .*$", f"after_s = {after_s}"),
    ):
        text = re.sub(old, new, text, flags=re.MULTILINE)
    return text


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """The logs of the comparison."""
    root = tmp_path_factory.mktemp("run")
    documents = [shortened(*one) for one in WATCHED_S]
    run = start_comparison(root, documents, "--sdk", "python,node,java,c", "--transport", "mqtt,amqp")
    read = [log for log in read_cells(finish(run, root, 300)) if isinstance(log, CellLog)]
    return {
        (
            log.header.sdk,
            log.header.transport,
            str(log.header.scenario["id"]).removesuffix(f"-{log.header.transport}"),
        ): log
        for log in read
    }


def fault_of(log: CellLog) -> Event:
    """The moment at which it went wrong."""
    (fault,) = of_kind(log, "fault")
    return fault


def closing(log: CellLog) -> Event:
    """The moment at which the harness closes the device."""
    return next(event for event in of_kind(log, "command") if event.fields["cmd"] == "close")


def since(log: CellLog, *kinds: str) -> list[Event]:
    """What came between the fault and the closing."""
    return [event for event in after(fault_of(log), of_kind(log, *kinds)) if event.t < closing(log).t]


def told(log: CellLog) -> list[str]:
    """The status changes and exceptions the application was shown since."""
    return [event.kind for event in since(log, "status", "background_exception", "send_failed") if event.src == "app"]


def back_after_s(log: CellLog) -> float:
    """Seconds from the fault to the next time the device was let in."""
    fault = fault_of(log)
    good = [
        event
        for event in since(log, "connack", "put-token-answered")
        if event.fields.get("code", event.fields.get("status")) in {0, 200}
    ]
    return seconds(fault, good[0])


@of("python", "node", "java", "c")
def test_slow_connack_is_waited_for(logs: Logs, sdk: str) -> None:
    """By all of them: the messages of these seconds are kept, and nobody is told of anything but the renewal."""
    log = logs[sdk, "mqtt", "slow-connack"]
    assert back_after_s(log) == pytest.approx(DELAY_S, abs=0.3)
    assert len(since(log, "connect")) == 0
    assert of_kind(log, "send_failed") == []


@of("python", "node", "java", "c")
def test_hub_that_is_unavailable_for_a_moment_is_tried_again(logs: Logs, sdk: str) -> None:
    """Between leaving for a renewal and coming back: the refusal is no end, since it says nothing about the token."""
    log = logs[sdk, "mqtt", "renewal-gap-refused"]
    assert [event.fields["code"] for event in of_kind(log, "connack")][:3] == [0, 3, 0]
    assert back_after_s(log) < 8.0


@of("node", "java", "c")
def test_slow_answer_to_a_token_is_not_noticed(logs: Logs, sdk: str) -> None:
    """Over AMQP messages go on meanwhile."""
    log = logs[sdk, "amqp", "slow-connack"]
    (answer,) = since(log, "put-token-answered")[:1]
    assert seconds(fault_of(log), answer) == pytest.approx(DELAY_S, abs=0.3)
    assert [event for event in since(log, "telemetry") if event.t < answer.t]
    assert told(log) == []


@of("python", "node", "java", "c")
def test_missing_connack_is_waited_for(logs: Logs, sdk: str) -> None:
    """For longer than this: no further attempt, and not a word to the application."""
    log = logs[sdk, "mqtt", "renewal-unanswered"]
    assert seconds(fault_of(log), closing(log)) > 5
    assert since(log, "accepted", "connect") == []
    assert set(told(log)) <= {"status"}  # of the renewal itself, which comes a little late


@pytest.mark.real_sdk(runtime="node")
def test_node_does_not_mind_a_missing_answer(logs: Logs) -> None:
    """The next renewal, as planned, mends it."""
    log = logs["node", "amqp", "renewal-unanswered"]
    assert back_after_s(log) == pytest.approx(10.0, abs=0.5)
    assert told(log) == []


@pytest.mark.real_sdk(runtime="java")
def test_java_is_ended_by_a_missing_answer(logs: Logs) -> None:
    """The token runs out, the hub detaches the links, the device comes back and closes itself for good, and every send fails from then on."""
    log = logs["java", "amqp", "renewal-unanswered"]
    (cut,) = since(log, "cut")
    assert cut.fields["cause"] == "token-expired"
    shown = [(event.fields["status"], event.fields["reason"]) for event in from_app(log, "status")[1:4]]
    assert shown == [
        ("DISCONNECTED_RETRYING", "BAD_CREDENTIAL"),
        ("CONNECTED", "CONNECTION_OK"),
        ("DISCONNECTED", "BAD_CREDENTIAL"),
    ]
    assert classes(from_app(log, "send_failed")[0]) == ["java.lang.IllegalStateException"]


@pytest.mark.real_sdk(runtime="c")
def test_c_puts_no_other_token(logs: Logs) -> None:
    """The token runs out, and the hub detaches the links."""
    log = logs["c", "amqp", "renewal-unanswered"]
    (cut,) = since(log, "cut")
    assert cut.fields["cause"] == "token-expired"
    assert [event for event in since(log, "put-token") if event.t < cut.t] == []


@pytest.mark.parametrize(
    ("sdk", "transport", "least_s", "most_s"),
    [
        pytest.param("node", "mqtt", 0.0, 1.0, marks=pytest.mark.real_sdk(runtime="node")),
        pytest.param("node", "amqp", 0.0, 1.0, marks=pytest.mark.real_sdk(runtime="node")),
        pytest.param("java", "mqtt", 0.0, 3.0, marks=pytest.mark.real_sdk(runtime="java")),
        pytest.param("c", "mqtt", 0.0, 3.0, marks=pytest.mark.real_sdk(runtime="c")),
        pytest.param("c", "amqp", 9.5, 11.5, marks=pytest.mark.real_sdk(runtime="c")),
    ],
)
def test_drop_before_the_answer(logs: Logs, sdk: str, transport: str, least_s: float, most_s: float) -> None:
    """These come back by themselves; over AMQP the one for C after the ten seconds it waits for an authentication."""
    assert least_s <= back_after_s(logs[sdk, transport, "drop-during-renewal"]) <= most_s


@pytest.mark.real_sdk(runtime="python")
def test_python_comes_back_with_the_next_message(logs: Logs) -> None:
    """Dropped before the CONNACK it tells the application, and does nothing until that sends."""
    log = logs["python", "mqtt", "drop-during-renewal"]
    attempt = since(log, "accepted")[0]
    sends = [event for event in since(log, "command") if event.fields["cmd"] == "send" and event.t <= attempt.t]
    assert seconds(sends[-1], attempt) < 0.5
    (error,) = [event for event in since(log, "background_exception") if event.t < attempt.t]
    assert classes(error)[0].endswith("ConnectionDroppedError")


@pytest.mark.real_sdk(runtime="java")
def test_java_does_not_notice_a_drop_before_the_answer(logs: Logs) -> None:
    """Over AMQP: no attempt, no status, no exception; messages are taken and go nowhere."""
    log = logs["java", "amqp", "drop-during-renewal"]
    assert since(log, "accepted", "telemetry") == []
    assert told(log) == []
