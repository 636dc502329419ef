"""The service's own test messages over AMQP: what they bring about."""

from typing import Any

import pytest
from support.amqp_device import C2D, METHODS, TWIN, AmqpDevice, amqp_device, plain_device
from support.hub_world import CERTIFICATE, NOW, SELF_SIGNED, World

from harness.hub.faults import Fault
from harness.hub.policy import Policy
from harness.protocol.amqp import types as t
from harness.protocol.amqp.events import EndReceived
from harness.protocol.amqp.messages import BATCH_FORMAT, Data, Message, Properties, encode_batch, encode_message
from harness.protocol.amqp.performatives import Accepted, DeliveryState, Error, Rejected
from harness.protocol.amqp.sender import SenderLink

KILLS = {
    "KillAmqpCBSLinkReq": ("cbs", "requests"),
    "KillAmqpCBSLinkResp": ("cbs", "answers"),
    "KillAmqpD2CLink": ("telemetry", "telemetry"),
    "KillAmqpC2DLink": ("c2d", "c2d"),
    "KillAmqpTwinLinkReq": ("twin", "twin-requests"),
    "KillAmqpTwinLinkResp": ("twin", "twin-answers"),
    "KillAmqpMethodReqLink": ("methods", "calls"),
    "KillAmqpMethodRespLink": ("methods", "results"),
}


def message_for(operation: str, **values: t.Value) -> Message:
    """A test message."""
    given = {"Type": operation, "CloseReason": "boom", "DelayInSecs": t.Int(1), "DurationInSecs": t.Int(20)}
    application = {f"AzIoTHub_FaultOperation{name}": value for name, value in {**given, **values}.items()}
    return Message(Data((b"{}",)), Properties(message_id="1"), application)


def ask(device: AmqpDevice, link: SenderLink, operation: str, **values: t.Value) -> None:
    """Send it; it is accepted like any other message."""
    assert isinstance(device.send(link, message_for(operation, **values)), Accepted)


def wait(device: AmqpDevice, world: World, seconds: float) -> None:
    """Let time pass on the first connection."""
    world.connection(1).on_time(NOW + seconds)
    device.run(NOW + seconds)


def outcome(device: AmqpDevice, link: SenderLink) -> DeliveryState | None:
    """What becomes of an ordinary message."""
    return device.send(link, Message(Data((b"{}",)), Properties(message_id="9")))


def condition_of(state: DeliveryState | None) -> str:
    """Why a message was rejected."""
    assert isinstance(state, Rejected)
    assert isinstance(state.error, Error)
    return state.error.condition


@pytest.mark.parametrize("recording", [True, False])
def test_the_connection_is_reset(recording: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """After the delay, without a word, whether anybody records it or not."""
    world = World(recording=recording)
    device = amqp_device(world).connected()
    ask(device, device.sender(), "KillTcp")
    assert world.connection(1).next_deadline() == NOW + 1
    wait(device, world, 1)
    assert (world.connection(1).close_request, device.errors()) == ("rst", [])


@pytest.mark.parametrize("operation", ["KillAmqpConnection", "ShutDownAmqp"])
def test_the_connection_is_closed(operation: str) -> None:
    """CLOSE, with the reason; the record says that somebody asked for it."""
    world = World()
    device = amqp_device(world).connected()
    ask(device, device.sender(), operation)
    wait(device, world, 1)
    assert device.errors() == [(None, Error("amqp:connection:forced", "boom"))]
    cut = {"conn": 1, "cause": "fault", "close": "close", "detail": f"asked for by {operation}: boom"}
    assert (world.one("cut"), world.codes()) == (cut, ["deviceConnect", "400029"])
    assert amqp_device(world, at=NOW + 2).connected().is_open


def test_the_session_ends_by_which_it_came() -> None:
    """The others stay, and so does the device."""
    world = World()
    device = amqp_device(world).connected()
    session = device.begin()
    ask(device, device.sender(session=session), "KillAmqpSession")
    wait(device, world, 1)
    (end,) = device.take(EndReceived)
    assert (end.session, end.end.error) == (session, Error("amqp:internal-error", "boom"))
    assert world.one("session-end") == {"conn": 1, "by": "hub", "condition": "amqp:internal-error"}
    assert world.find("cut") == []
    assert device.telemetry(device.sender(), 2)


def test_a_session_that_has_ended_by_then() -> None:
    """Nothing is done, and that is told."""
    world = World()
    device = amqp_device(world).connected()
    session = device.begin()
    ask(device, device.sender(session=session), "KillAmqpSession")
    session.end()
    device.run()
    wait(device, world, 1)
    problems = [told["problem"] for told in world.find("fault-message")]
    assert problems == [None, "it is gone, or was never there"]


@pytest.mark.parametrize("operation", KILLS)
def test_one_kind_of_link_is_detached(operation: str) -> None:
    """The one that is named, of both directions the one that is meant; the device stays in."""
    world = World()
    device = amqp_device(world).connected()
    links: dict[str, Any] = {"requests": device.requests, "answers": device.answers}
    links |= {"telemetry": device.sender(), "c2d": device.receiver(C2D)}
    links |= {"twin-requests": device.sender(TWIN), "twin-answers": device.receiver(TWIN)}
    links |= {"calls": device.receiver(METHODS), "results": device.sender(METHODS)}
    ask(device, links["telemetry"], operation)
    wait(device, world, 1)
    kind, name = KILLS[operation]
    assert device.errors() == [(links[name], Error("amqp:link:detach-forced", "boom"))]
    told = world.one("detach")
    assert (told["link_kind"], told["by"], told["closed"]) == (kind, "hub", True)
    assert (world.find("cut"), world.codes()) == ([], ["deviceConnect"])
    assert device.telemetry(device.sender(), 2)


def test_a_link_that_was_never_there() -> None:
    """Nothing is done, and that is told."""
    world = World()
    device = amqp_device(world).connected()
    ask(device, device.sender(), "KillAmqpC2DLink", DelayInSecs="0")
    wait(device, world, 0)
    assert world.find("fault-message")[1]["problem"] == "it is gone, or was never there"
    assert device.errors() == []


def test_an_operation_of_mqtt() -> None:
    """The message is accepted, and nothing is done."""
    world = World()
    device = amqp_device(world).connected()
    ask(device, device.sender(), "ShutDownMqtt")
    wait(device, world, 1)
    assert world.one("fault-message")["problem"] == "AMQP has no such thing"
    assert world.connection(1).close_request is None


@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize(
    ("operation", "condition"),
    [
        ("InvokeThrottling", "com.microsoft:device-container-throttled"),
        ("InvokeMaxMessageQuota", "amqp:resource-limit-exceeded"),
    ],
)
def test_messages_are_refused_for_a_while(operation: str, condition: str, recording: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """On every connection; the link stays, and takes messages again when the time is over."""
    world = World(recording=recording)
    device = amqp_device(world).connected()
    link = device.sender()
    ask(device, link, operation)
    assert isinstance(outcome(device, link), Accepted)
    wait(device, world, 1)
    assert condition_of(outcome(device, link)) == condition
    assert condition_of(device.send(link, message_for("KillTcp"))) == condition
    other = amqp_device(world, at=NOW + 2).connected()
    link = other.sender()
    other.run(NOW + 20)
    assert condition_of(outcome(other, link)) == condition
    other.run(NOW + 21)
    assert isinstance(outcome(other, link), Accepted)
    assert isinstance(outcome(other, link), Accepted)
    assert world.connection(2).close_request is None


def test_throttled_by_a_fault_and_a_message() -> None:
    """The one message too many of the fault is not one more when the time is over."""
    world = World(Policy(grace_s=10.0, skew_s=5.0, faults=(Fault("half-life", "throttle"),)))
    device = amqp_device(world).connected()
    link = device.sender()
    ask(device, link, "InvokeMaxMessageQuota", DelayInSecs="35", DurationInSecs="2")
    wait(device, world, 30)
    wait(device, world, 35)
    assert condition_of(outcome(device, link)) == "com.microsoft:device-container-throttled"
    assert condition_of(outcome(device, link)) == "amqp:resource-limit-exceeded"
    wait(device, world, 37)
    assert isinstance(outcome(device, link), Accepted)


def test_tokens_are_refused_for_a_while() -> None:
    """The links are detached, and `$cbs` answers 401."""
    world = World()
    device = amqp_device(world).connected()
    link = device.sender()
    ask(device, link, "InvokeAuthError")
    wait(device, world, 1)
    ((detached, error),) = device.errors()
    assert isinstance(error, Error)
    assert (detached, error.condition) == (link, "amqp:unauthorized-access")
    assert world.one("cut")["cause"] == "fault"
    assert device.put_token() == 401
    assert world.find("put-token-answered")[-1]["check"] == "fault-message"
    assert world.codes() == ["deviceConnect", "400029", "400030"]
    wait(device, world, 21)
    assert device.put_token() == 200


def test_a_device_that_came_by_plain() -> None:
    """It cannot put a token, so the connection ends."""
    world = World()
    device = plain_device(world).open()
    ask(device, device.sender(), "InvokeAuthError")
    wait(device, world, 1)
    assert (world.one("cut")["close"], world.connection(1).close_request) == ("fin", "fin")


def test_a_certificate_is_refused_like_a_token() -> None:
    """Whenever the device opens links again."""
    world = World(identity=SELF_SIGNED)
    device = certified(world).open()
    ask(device, device.sender(), "InvokeAuthError")
    wait(device, world, 1)
    device.errors()
    device.run(NOW + 3)
    device.sender()
    judged = [(told["status"], told.get("check")) for told in world.find("certificate-judged")]
    assert judged == [(200, None), (401, "fault-message")]


def certified(world: World) -> AmqpDevice:
    """A new connection of a device with a certificate."""
    connection = world.accept("amqp")
    connection.proven(CERTIFICATE)
    return AmqpDevice(connection, "EXTERNAL")


def test_each_message_of_a_batch() -> None:
    """One of them is enough."""
    world = World()
    device = amqp_device(world).connected()
    link = device.sender()
    messages = [Message(Data((b"{}",)), Properties(message_id="2")), message_for("KillTcp")]
    link.send(encode_batch([encode_message(message) for message in messages]), message_format=BATCH_FORMAT)
    device.run()
    assert world.one("fault-message")["operation"] == "KillTcp"


def test_the_words_in_a_body() -> None:
    """They are no property."""
    world = World()
    device = amqp_device(world).connected()
    message = Message(Data((b"AzIoTHub_FaultOperationType",)), Properties(message_id="2"))
    assert isinstance(device.send(device.sender(), message), Accepted)
    assert world.find("fault-message") == []
