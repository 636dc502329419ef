"""The service's own test messages: how they are read, and what they bring about over MQTT."""

from typing import Any

import pytest
from support.hub_world import CERTIFICATE, DEVICE, EVENTS, NOW, SELF_SIGNED, USER_NAME, Wire, World, connect_packet

from harness.hub.fault_messages import MOST_WAITING, OPERATIONS, FaultMessage, Protocol, read_fault_message
from harness.hub.faults import Fault
from harness.hub.policy import Policy
from harness.hub.topics import build_bag
from harness.protocol.mqtt.packets import Connack, Connect, Disconnect, Packet, Puback, Publish

TOO_LONG = "AzIoTHub_FaultOperationDelayInSecs is no number of seconds from 0 to 3600"
NO_DURATION = "AzIoTHub_FaultOperationDurationInSecs is no number of seconds from 0 to 3600"


def asked(operation: str, reason: str = "boom", delay: str = "1", duration: str = "20") -> dict[str, str | None]:
    """The application properties of a test message."""
    values = {"Type": operation, "CloseReason": reason, "DelayInSecs": delay, "DurationInSecs": duration}
    return {f"AzIoTHub_FaultOperation{name}": value for name, value in values.items()}


def publish(operation: str, **values: str) -> Publish:
    """The same over MQTT."""
    return Publish(EVENTS + build_bag(asked(operation, **values)), b"{}", 1, 7)


def ask(wire: Wire, operation: str, at: float = NOW, **values: str) -> list[Packet]:
    """Send it; what the hub answers, which is no different from the answer to any other message."""
    return wire.send(publish(operation, **values), at=at)


def wait(wire: Wire, seconds: float) -> None:
    """Let time pass."""
    wire.hub_side.on_time(NOW + seconds)


def test_reading() -> None:
    """The four properties."""
    assert read_fault_message(asked("KillTcp", delay="0.5"), "mqtt") == FaultMessage("KillTcp", "boom", 0.5, 20.0, None)


def test_over_https_names_have_no_case() -> None:
    """They are those of headers; over the other protocols they have one."""
    lower = {name.lower(): value for name, value in asked("KillTcp").items()}
    assert read_fault_message(lower, "https") == read_fault_message(asked("KillTcp"), "mqtt")
    assert read_fault_message(lower, "mqtt") is None


def test_what_is_left_out() -> None:
    """No reason, at once, and no duration, which a kill has no use for."""
    properties = {"AzIoTHub_FaultOperationType": "KillTcp", "colour": None}
    assert read_fault_message(properties, "mqtt") == FaultMessage("KillTcp", "", 0.0, 0.0, None)


@pytest.mark.parametrize("properties", [{}, {"AzIoTHub_FaultOperationCloseReason": "boom"}])
def test_other_messages(properties: dict[str, str | None]) -> None:
    """Without an operation there is nothing to do."""
    assert read_fault_message(properties, "mqtt") is None


@pytest.mark.parametrize(
    ("properties", "protocol", "problem"),
    [
        (asked("KillHub"), "mqtt", "there is no such operation"),
        (asked("ShutDownAmqp"), "mqtt", "MQTT has no such thing"),
        (asked("ShutDownMqtt"), "amqp", "AMQP has no such thing"),
        (asked("ShutDownMqtt"), "https", "HTTPS has no such thing"),
        (asked("KillAmqpC2DLink"), "https", "HTTPS has no such thing"),
        (asked("KillTcp", delay="-1"), "mqtt", TOO_LONG),
        (asked("KillTcp", delay="soon"), "mqtt", TOO_LONG),
        (asked("KillTcp", delay="1e3"), "mqtt", TOO_LONG),
        (asked("KillTcp", delay="nan"), "mqtt", TOO_LONG),
        (asked("KillTcp", delay="3601"), "mqtt", TOO_LONG),
        (asked("KillTcp", duration="inf"), "mqtt", NO_DURATION),
        (asked("InvokeThrottling", duration="3600.5"), "amqp", NO_DURATION),
        (
            asked("InvokeThrottling", duration="0"),
            "amqp",
            "AzIoTHub_FaultOperationDurationInSecs is missing or 0, and it lasts no longer",
        ),
    ],
)
def test_what_cannot_be_done(properties: dict[str, str | None], protocol: Protocol, problem: str) -> None:
    """It says why."""
    message = read_fault_message(properties, protocol)
    assert message is not None
    assert message.problem == problem


def test_long_texts_are_cut() -> None:
    """An event has to bear them."""
    message = read_fault_message(asked("x" * 1000, "y" * 1000), "mqtt")
    assert message is not None
    assert (len(message.operation), len(message.reason)) == (256, 256)


def test_the_connection_is_reset() -> None:
    """After the delay; the message was acknowledged, and the record says that somebody asked for it."""
    world = World()
    wire = world.connected()
    assert ask(wire, "KillTcp") == [Puback(7)]
    assert wire.hub_side.next_deadline() == NOW + 1
    wait(wire, 0.9)
    assert wire.hub_side.close_request is None
    wait(wire, 1.0)
    assert wire.hub_side.close_request == "rst"
    cut = {"conn": 1, "cause": "fault", "close": "rst", "detail": "asked for by KillTcp: boom"}
    assert (world.one("cut"), world.codes()) == (cut, ["deviceConnect", "400029"])
    assert world.one("fault-message") == {
        "conn": 1, "operation": "KillTcp", "reason": "boom", "delay_s": 1.0, "duration_s": 20.0, "problem": None,
    }  # fmt: skip
    assert world.open().send(connect_packet()) == [Connack(0, True)]


def test_the_connection_ends_in_good_order() -> None:
    """As far as MQTT 3.1.1 has one; without a reason, and at once."""
    world = World()
    wire = world.connected()
    assert ask(wire, "ShutDownMqtt", reason="", delay="0") == [Puback(7)]
    wait(wire, 0)
    assert wire.hub_side.close_request == "fin"
    assert world.one("cut")["detail"] == "asked for by ShutDownMqtt"


def test_where_nobody_records() -> None:
    """It is done all the same."""
    wire = World(recording=False).connected()
    assert ask(wire, "KillTcp") == [Puback(7)]
    wait(wire, 1)
    assert wire.hub_side.close_request == "rst"


def test_an_unknown_operation_is_told_and_nothing_else() -> None:
    """The message is acknowledged, the connection stays."""
    world = World()
    wire = world.connected()
    before = wire.hub_side.next_deadline()
    assert ask(wire, "KillHub", delay="x") == [Puback(7)]
    assert (wire.hub_side.next_deadline(), wire.hub_side.close_request) == (before, None)
    told = world.one("fault-message")
    assert (told["operation"], told["delay_s"], told["problem"]) == ("KillHub", None, "there is no such operation")


def test_no_more_than_some_wait() -> None:
    """A device cannot make the hub remember without end."""
    world = World()
    wire = world.connected()
    for _ in range(MOST_WAITING + 1):
        ask(wire, "KillTcp", delay="3600")
    problems = [told["problem"] for told in world.find("fault-message")]
    assert problems == [None] * MOST_WAITING + ["too many wait already"]


def test_the_words_in_another_place() -> None:
    """A value that reads like the property is none."""
    world = World()
    wire = world.connected()
    wire.send(Publish(f"{EVENTS}note=AzIoTHub_FaultOperationType", b"{}", 1, 7))
    assert world.find("fault-message") == []


def test_a_device_that_has_left_by_then() -> None:
    """Nothing is done to it, nor to the connection by which it comes next."""
    world = World()
    wire = world.connected()
    wire.send(publish("KillTcp"), Disconnect())
    wait(wire, 1)
    assert (wire.hub_side.close_request, world.find("cut")) == ("fin", [])


@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("operation", ["InvokeThrottling", "InvokeMaxMessageQuota"])
def test_messages_are_refused_for_a_while(operation: str, recording: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """On every connection, by its end; other requests are answered."""
    world = World(recording=recording)
    first = world.connected()
    ask(first, operation)
    wait(first, 1)
    assert first.send(Publish("$iothub/twin/GET/?$rid=1", b"", 1, 8), at=NOW + 1) == [Puback(8)]
    assert first.telemetry(9, at=NOW + 2) == []
    assert first.hub_side.close_request == "fin"
    second = world.connected(at=NOW + 3, present=True)
    second.telemetry(9, at=NOW + 4)
    assert second.hub_side.close_request == "fin"
    third = world.connected(at=NOW + 5, present=True)
    assert third.telemetry(9, at=NOW + 21) == [Puback(9)]
    assert third.telemetry(10, at=NOW + 22) == [Puback(10)]
    fourth = world.connected(at=NOW + 23, present=True)
    assert fourth.telemetry(11, at=NOW + 24) == [Puback(11)]


@pytest.mark.parametrize(
    ("operation", "cause", "codes"),
    [
        ("InvokeThrottling", "throttled", ["deviceConnect", "429002", "404104"]),
        ("InvokeMaxMessageQuota", "fault", ["deviceConnect", "403002", "404104"]),
    ],
)
def test_records_of_refused_messages(operation: str, cause: str, codes: list[str]) -> None:
    """Those of the real troubles."""
    world = World()
    wire = world.connected()
    ask(wire, operation, delay="0")
    wait(wire, 0)
    wire.telemetry(9)
    assert (world.one("cut")["cause"], world.codes()) == (cause, codes)


def test_credentials_are_refused_for_a_while() -> None:
    """The connection ends, and every CONNECT is refused."""
    world = World()
    wire = world.connected()
    ask(wire, "InvokeAuthError")
    wait(wire, 1)
    assert wire.hub_side.close_request == "fin"
    assert world.open(at=NOW + 2).send(connect_packet(), at=NOW + 2) == [Connack(5, False)]
    refused = world.find("connack")[-1]
    assert (refused["check"], refused["reason"]) == ("fault-message", "Unauthorized access")
    assert world.codes() == ["deviceConnect", "400029", "400030"]
    assert world.open(at=NOW + 21).send(connect_packet(), at=NOW + 21) == [Connack(0, True)]


def test_a_certificate_is_refused_like_a_token() -> None:
    """The device is let in by it before and after."""
    world = World(identity=SELF_SIGNED)
    connect = Connect(DEVICE, 0, False, USER_NAME, None)
    wire = world.proven()
    assert wire.send(connect) == [Connack(0, False)]
    ask(wire, "InvokeAuthError", delay="0")
    wait(wire, 0)
    assert world.proven(CERTIFICATE).send(connect) == [Connack(5, False)]


def test_a_late_answer_is_a_refusal() -> None:
    """Also where a fault holds back the judgement until the burden is there."""
    faults: Any = (Fault("away", "delay", delay_s=5.0),)
    world = World(Policy(grace_s=10.0, skew_s=5.0, faults=faults))
    wire = world.connected()
    ask(wire, "InvokeThrottling", delay="0")
    ask(wire, "InvokeAuthError", delay="0")
    wait(wire, 0)
    late = world.open()
    assert late.send(connect_packet()) == [Connack(5, False)]


def test_a_silent_hub_stays_silent() -> None:
    """What is not acknowledged for another reason is not refused either."""
    world = World(Policy(grace_s=10.0, skew_s=5.0, faults=(Fault("half-life", "withhold-puback"),)))
    wire = world.connected()
    ask(wire, "InvokeThrottling", delay="40")
    wait(wire, 30)
    wait(wire, 40)
    assert wire.telemetry(9, at=NOW + 41) == []
    assert wire.hub_side.close_request is None


def test_every_operation_belongs_to_a_protocol() -> None:
    """Eleven are AMQP's own, one is MQTT's."""
    protocols = [protocols for _, protocols in OPERATIONS.values()]
    assert (len(protocols), protocols.count(frozenset({"amqp"})), protocols.count(frozenset({"mqtt"}))) == (16, 11, 1)
