"""The service's own test messages over HTTPS: what they bring about for a device that is on no connection."""

import pytest
from support.https_world import EVENTS, Caller, request
from support.hub_world import NOW, World, token

from harness.hub.fault_messages import MOST_WAITING
from harness.hub.https.connection import IDLE_S
from harness.hub.https.telemetry import BATCH_TYPE
from harness.protocol.http.messages import Request

SAS = token(NOW + 3600)


@pytest.fixture
def world() -> World:
    """A hub."""
    return World()


def asking(operation: str, delay: str = "1", duration: str = "20") -> Request:
    """A test message."""
    values = {"Type": operation, "CloseReason": "boom", "DelayInSecs": delay, "DurationInSecs": duration}
    headers = {f"iothub-app-AzIoTHub_FaultOperation{name}".lower(): value for name, value in values.items()}
    return Request("POST", EVENTS, (*request(sas=SAS).headers, *headers.items()))


def sent(world: World, after_s: float) -> int:
    """The status of a message that is sent on a connection of its own, so long after the test message."""
    return Caller(world, NOW + after_s).send(1, NOW + after_s, SAS)


@pytest.mark.parametrize(
    ("operation", "status", "error"),
    [
        ("InvokeThrottling", 429, "ThrottlingException"),
        ("InvokeMaxMessageQuota", 403, "IotHubQuotaExceeded"),
        ("InvokeAuthError", 401, "IotHubUnauthorizedAccess"),
    ],
)
def test_messages_are_refused_for_the_duration(world: World, operation: str, status: int, error: str) -> None:
    """From the end of the delay on, whatever became of the connection that brought the test message; it is taken itself."""
    assert Caller(world).ask(asking(operation)).status == 204
    assert [sent(world, after_s) for after_s in (0.9, 1.0, 20.9, 21.0)] == [204, status, status, 204]
    assert [one["error"] for one in world.find("http-response") if "error" in one] == [error, error]
    assert world.one("fault-message") == {
        "conn": 1, "operation": operation, "reason": "boom", "delay_s": 1.0, "duration_s": 20.0, "problem": None,
    }  # fmt: skip


def test_only_who_is_refused_leaves_a_record(world: World) -> None:
    """As one who was asked for it; what a message is refused for is no affair of connections."""
    Caller(world).ask(asking("InvokeThrottling", delay="0"))
    sent(world, 1)
    assert world.codes() == []
    Caller(world, NOW + 30).ask(asking("InvokeAuthError", delay="0"), NOW + 30)
    sent(world, 31)
    assert world.codes() == ["400030"]
    assert world.find("http-response")[-1]["check"] == "fault-message"


def test_messages_from_the_cloud_are_not_throttled(world: World) -> None:
    """As over the other transports."""
    caller = Caller(world)
    caller.ask(asking("InvokeThrottling", delay="0"))
    world.hub.send_c2d("m1", b"", NOW)
    assert caller.receive().status == 200


def test_the_connection_is_reset(world: World) -> None:
    """After the delay; the message was answered, and the device was on no connection, so that no record is left."""
    caller = Caller(world)
    caller.ask(asking("KillTcp"))
    side = caller.hub_side
    assert side.next_deadline() == NOW + 1
    closes = []
    for after_s in (0.9, 1.0):
        side.on_time(NOW + after_s)
        closes.append(side.close_request)
    assert (closes, side.next_deadline()) == ([None, "rst"], None)
    assert world.one("cut") == {"conn": 1, "cause": "fault", "close": "rst", "detail": "asked for by KillTcp: boom"}
    assert (world.codes(), sent(world, 2)) == ([], 204)


def test_the_first_reset_is_the_last(world: World) -> None:
    """One that is to come later is none any more; and bytes that come too late are not read."""
    caller = Caller(world)
    for delay in ("9", "3", "5"):
        caller.ask(asking("KillTcp", delay=delay))
    assert caller.hub_side.next_deadline() == NOW + 3
    caller.hub_side.receive(b"GET", NOW + 3)
    assert caller.hub_side.close_request == "rst"


def test_a_reset_that_is_further_off_than_the_silence_a_connection_may_keep(world: World) -> None:
    """Whatever is first."""
    caller = Caller(world)
    caller.ask(asking("KillTcp", delay="600"))
    assert caller.hub_side.next_deadline() == NOW + IDLE_S
    caller.hub_side.on_time(NOW + IDLE_S)
    assert caller.hub_side.close_request == "fin"


def test_what_https_has_not(world: World) -> None:
    """It is told, and nothing happens."""
    assert Caller(world).ask(asking("ShutDownMqtt")).status == 204
    assert world.one("fault-message")["problem"] == "HTTPS has no such thing"
    assert sent(world, 2) == 204


def test_one_too_many(world: World) -> None:
    """It waits no more."""
    caller = Caller(world)
    for _ in range(MOST_WAITING + 1):
        caller.ask(asking("InvokeThrottling", delay="9"))
    assert [one["problem"] for one in world.find("fault-message")] == [None] * MOST_WAITING + ["too many wait already"]


def test_in_a_batch(world: World) -> None:
    """Each message has properties of its own."""
    properties = b'{"iothub-app-AzIoTHub_FaultOperationType":"InvokeThrottling","iothub-app-AzIoTHub_FaultOperationDurationInSecs":"5"}'
    body = b'[{"body":""},{"body":"","properties":' + properties + b"}]"
    assert Caller(world).ask(request(sas=SAS, body=body, content_type=BATCH_TYPE)).status == 204
    assert [sent(world, after_s) for after_s in (0, 5)] == [429, 204]
