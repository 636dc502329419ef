"""put-token: requests, answers, and their order."""

from dataclasses import replace as with_
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.amqp_device import NAME, AmqpDevice, amqp_device, put_token_message
from support.amqp_strategies import values
from support.hub_world import DEVICE, HUB_NAME, IDENTITY, NOW, World, token

from harness.hub.amqp.cbs import TYPES, read_put_token
from harness.hub.amqp.figures import MAX_REFUSED_TOKENS
from harness.hub.amqp.refusals import TOO_MANY_TOKENS
from harness.protocol.amqp import types as t
from harness.protocol.amqp.events import CloseReceived, DispositionReceived, TransferReceived
from harness.protocol.amqp.messages import Data, Message, SingleValue, decode_message, encode_message
from harness.protocol.amqp.performatives import Accepted, SenderSettleMode, Source, Target

EXPIRED = "The specified SAS token is expired"
NOT_REGISTERED = f"Device dev2 at IotHub {HUB_NAME} not registered."
INVALID = "The specified SAS token has an invalid signature. It does not match either the primary or secondary key."


@pytest.fixture
def world() -> World:
    """A hub with its events recorded."""
    return World()


@pytest.fixture
def device(world: World) -> AmqpDevice:
    """A device before its token."""
    return amqp_device(world).open().attach_cbs()


def answer(device: AmqpDevice, request: Message) -> Message:
    """The answer to a request."""
    device.requests.send(encode_message(request))
    device.run()
    (message,) = device.messages(device.answers)
    return message


@pytest.mark.parametrize(
    ("text", "name", "status", "description"),
    [
        (token(), NAME, 200, "OK"),
        (token(), NAME.replace("/", "%2F"), 200, "OK"),
        (token(), f"127.64.0.1/devices/{DEVICE}", 200, "OK"),
        (token(NOW - 6), NAME, 401, EXPIRED),
        (token(key="QUFB"), NAME, 401, INVALID),
        (token(resource=f"{HUB_NAME}/devices/dev2"), f"{HUB_NAME}/devices/dev2", 404, NOT_REGISTERED),
        (token(resource=f"{HUB_NAME}/devices/dev2"), NAME, 401, INVALID.replace(INVALID, "The specified SAS token is for another device.")),
        (token(), f"fabrikam.net/devices/{DEVICE}", 401, "The credentials name another hub."),
        (token(), HUB_NAME, 400, "The credentials name no hub and device."),
        ("nonsense-nonsense", NAME, 401, "Malformed signature"),
    ],
)  # fmt: skip
def test_answers(device: AmqpDevice, text: str, name: str, status: int, description: str) -> None:
    """The statuses and texts that users of the SDKs have seen, and ours where nobody has."""
    properties = answer(device, put_token_message(text, name)).application_properties
    assert properties == {"status-code": status, "status-description": description}


def test_disabled_device() -> None:
    """Is not found, by whoever has proven to be it."""
    world = World(identity=with_(IDENTITY, status="disabled"))
    assert amqp_device(world).open().attach_cbs().put_token() == 404
    assert world.codes() == ["404001"]


def without(name: str) -> Message:
    """A request that lacks a property."""
    message = put_token_message()
    return replace(
        message,
        application_properties={key: value for key, value in message.application_properties.items() if key != name},
    )


@pytest.mark.parametrize(
    ("request_", "description"),
    [
        (without("type"), "Cbs message missing Type property"),
        (without("name"), "Cbs message missing audience property"),
        (without("operation"), "Cbs message missing operation value put-token"),
        (put_token_message(name=""), "Cbs message missing audience property"),
        (replace(put_token_message(), body=Data((token().encode(),))), "Cbs message does not contain a valid token"),
        (replace(put_token_message(), body=SingleValue(7)), "Cbs message does not contain a valid token"),
        (Message(), "Cbs message missing Type property"),
    ],
)
def test_malformed_requests(world: World, device: AmqpDevice, request_: Message, description: str) -> None:
    """Are answered with 400 and leave no record, since nobody knows whose they are."""
    assert answer(device, request_).application_properties == {"status-code": 400, "status-description": description}
    assert world.one("put-token-answered") == {
        "conn": 1, "status": 400, "description": description, "admitted": False,
    }  # fmt: skip
    assert world.codes() == []


def test_dotnet_says_another_type(device: AmqpDevice) -> None:
    """It is a SAS token too."""
    message = put_token_message()
    asked = {**message.application_properties, "type": "azure-devices.net:sastoken"}
    assert answer(device, replace(message, application_properties=asked)).application_properties["status-code"] == 200


@pytest.mark.parametrize("message_id", ["request1", t.ULong(0), t.Uuid(bytes(range(16))), b"\x01\x02", None])
def test_message_id_comes_back_in_its_type(device: AmqpDevice, message_id: t.Value) -> None:
    """A string for Node.js and .NET, a UUID for Java, a ulong for C, which all cast it."""
    correlation_id = answer(device, put_token_message(message_id=message_id)).properties.correlation_id
    assert (type(correlation_id), correlation_id) == (type(message_id), message_id)


def test_status_code_is_an_int(device: AmqpDevice) -> None:
    """Java and .NET look for exactly that type."""
    properties = answer(device, put_token_message()).application_properties
    assert (type(properties["status-code"]), type(properties["status-description"])) == (t.Int, str)


def test_request_is_settled_before_the_answer(device: AmqpDevice) -> None:
    """The C SDK counts a renewal as failed otherwise."""
    device.requests.send(encode_message(put_token_message()))
    device.run()
    kinds = [type(event) for event in device.events if isinstance(event, DispositionReceived | TransferReceived)]
    assert kinds == [DispositionReceived, TransferReceived]
    assert isinstance(device.take(DispositionReceived)[0].state, Accepted)


def test_settled_request_is_answered_without_a_disposition(device: AmqpDevice) -> None:
    """As .NET sends it."""
    device.requests.send(encode_message(put_token_message()), settled=True)
    device.run()
    assert device.take(DispositionReceived) == []
    assert len(device.messages(device.answers)) == 1


def test_answer_waits_for_credit(world: World) -> None:
    """The decision does not."""
    device = amqp_device(world).open()
    device.requests = device.session.sender("up", Target("$cbs"))
    device.answers = device.session.receiver("down", Source("$cbs"))
    device.run()
    assert device.put_token() is None
    assert world.one("put-token-answered")["status"] == 200
    device.answers.grant(1)
    device.run()
    assert len(device.messages(device.answers)) == 1


def test_request_without_a_link_for_the_answer_counts(world: World) -> None:
    """It is the device's loss."""
    device = amqp_device(world).open()
    device.requests = device.session.sender("up", Target("$cbs"))
    device.run()
    device.requests.send(encode_message(put_token_message()))
    device.run()
    assert world.one("put-token-answered")["admitted"] is True


def test_answer_takes_the_link_of_the_same_session(device: AmqpDevice) -> None:
    """Where there are several."""
    requests, answers = device.requests, device.answers
    other = device.attach_cbs(device.begin()).answers
    requests.send(encode_message(put_token_message()))
    device.run()
    assert [event.link for event in device.take(TransferReceived)] == [answers]
    assert other is not answers


def test_refused_tokens_in_a_row_are_bounded(world: World, device: AmqpDevice) -> None:
    """Each would have to be told apart from every later text; a good one begins the count anew."""
    bad = ["nonsense-nonsense"] * (MAX_REFUSED_TOKENS - 1)
    for text in (*bad, token(), *bad, bad[0]):
        answer(device, put_token_message(text))
    device.requests.send(encode_message(put_token_message("nonsense-nonsense")))
    device.run()
    assert len(world.find("put-token-answered")) == 2 * MAX_REFUSED_TOKENS
    assert world.one("cut") == {
        "conn": 1, "cause": "tokens-refused", "close": "close", "detail": "20 tokens in a row were refused",
    }  # fmt: skip
    (close,) = device.take(CloseReceived)
    assert close.close.error == TOO_MANY_TOKENS


def test_answers_nobody_takes_are_bounded(world: World) -> None:
    """A device that asks on without giving credit loses the link."""
    device = amqp_device(world).open()
    device.requests = device.session.sender("up", Target("$cbs"))
    device.answers = device.session.receiver("down", Source("$cbs"))
    device.run()
    for _ in range(101):
        device.requests.send(encode_message(put_token_message()))
        device.run()
    assert world.one("detach") == {
        "conn": 1, "link": "up", "link_kind": "cbs", "by": "hub", "closed": True,
        "condition": "amqp:resource-limit-exceeded",
    }  # fmt: skip


def test_answers_nobody_settles_are_bounded(world: World) -> None:
    """The same for one that wants to settle them and does not."""
    device = amqp_device(world).open()
    device.requests = device.session.sender("up", Target("$cbs"))
    unsettled: Any = {"snd_settle_mode": SenderSettleMode.UNSETTLED}
    device.answers = device.session.receiver("down", Source("$cbs"), **unsettled)
    device.run()
    device.answers.grant(1000)
    for _ in range(101):
        device.requests.send(encode_message(put_token_message()))
        device.run()
    assert world.one("detach")["condition"] == "amqp:resource-limit-exceeded"


@pytest.mark.parametrize("settled", [True, False])
def test_answers_may_be_settled_by_the_device(world: World, settled: bool) -> None:  # noqa: FBT001 - drawn
    """First or second, without end."""
    device = amqp_device(world).open()
    device.requests = device.session.sender("up", Target("$cbs"))
    unsettled: Any = {"snd_settle_mode": SenderSettleMode.UNSETTLED, "rcv_settle_mode": int(not settled)}
    device.answers = device.session.receiver("down", Source("$cbs"), **unsettled)
    device.run()
    device.answers.grant(1000)
    for _ in range(102):
        device.requests.send(encode_message(put_token_message()))
        device.run()
        (transfer,) = device.transfers(device.answers)
        device.answers.settle(transfer.delivery_id, settled=settled)
        device.run()
        assert decode_message(transfer.payload).application_properties["status-code"] == 200
    assert world.find("detach") == []


def test_request_that_cannot_be_read_costs_the_link(world: World, device: AmqpDevice) -> None:
    """And nothing else; there is no message-id to answer to."""
    device.requests.send(b"\x00\x53\x99\x40")
    device.run()
    assert world.one("detach")["condition"] == "amqp:decode-error"
    assert world.connection(1).close_request is None


SOMETHING = st.sampled_from(["put-token", *TYPES, NAME, "%2F" * 3, ""]) | values


@given(
    asked=st.dictionaries(st.sampled_from(["operation", "type", "name"]) | values.map(str), SOMETHING, max_size=4),
    body=SOMETHING,
)
def test_reading_never_raises(asked: dict[str, t.Value], body: t.Value) -> None:
    """Whatever types the values have."""
    request = read_put_token(Message(SingleValue(body), application_properties=asked))
    assert request.problem is None or request.problem.status == 400
