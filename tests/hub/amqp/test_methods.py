"""Direct methods over AMQP."""

import pytest
from support.amqp_device import METHODS, AmqpDevice, amqp_device
from support.hub_world import NOW, World

from harness.hub.amqp.figures import MAX_WAITING_ANSWERS
from harness.hub.amqp.methods import uuid_of
from harness.protocol.amqp import types as t
from harness.protocol.amqp.messages import Data, Message, Properties
from harness.protocol.amqp.performatives import SenderSettleMode
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.sender import SenderLink

OK = t.Int(200)
Pair = tuple[SenderLink, ReceiverLink]


@pytest.fixture
def world() -> World:
    """A hub with its events recorded."""
    return World()


@pytest.fixture
def device(world: World) -> AmqpDevice:
    """An admitted device."""
    return amqp_device(world).connected()


def pair(device: AmqpDevice, name: str = "methods:1", credit: int = 10) -> Pair:
    """The two links, as SDKs attach them."""
    properties = {"com.microsoft:channel-correlation-id": name}
    return (
        device.sender(METHODS, properties=properties, snd_settle_mode=SenderSettleMode.SETTLED),
        device.receiver(METHODS, properties=properties, credit=credit),
    )


def call(world: World, request_id: str = "1") -> None:
    """Call the method `probe`."""
    world.hub.call_method(request_id, "probe", b"[1]", NOW, connect_timeout_s=5, response_timeout_s=9)


def answer(device: AmqpDevice, link: SenderLink, correlation_id: t.Value, status: t.Value = OK) -> None:
    """Answer a call."""
    device.send(link, Message(Data((b"{}",)), Properties(correlation_id=correlation_id), {"IoThub-status": status}))


def test_a_device_that_never_settles_is_called_no_more(world: World, device: AmqpDevice) -> None:
    """Its calls wait, and fail in time like those of a device that is not there; nothing else ends."""
    calls = device.receiver(METHODS, credit=1000, snd_settle_mode=SenderSettleMode.UNSETTLED)
    for number in range(MAX_WAITING_ANSWERS + 1):
        call(world, str(number))
    device.run()
    assert len(world.find("method-sent")) == MAX_WAITING_ANSWERS
    for transfer in device.take_transfers():
        calls.settle(transfer.delivery_id)
    device.run()
    assert len(world.find("method-sent")) == MAX_WAITING_ANSWERS + 1


def test_call_and_answer(world: World, device: AmqpDevice) -> None:
    """The name in a property, a UUID to go with it, which the SDKs for C and Java insist on; settled."""
    answers, calls = pair(device)
    call(world)
    device.run()
    (transfer,) = [event for event in device.take_transfers() if event.link is calls]
    message = device.decoded(transfer)
    assert (message.body, message.application_properties) == (Data((b"[1]",)), {"IoThub-methodname": "probe"})
    assert type(message.properties.correlation_id) is t.Uuid
    assert transfer.settled
    answer(device, answers, message.properties.correlation_id)
    assert world.one("method-sent") == {"conn": 1, "request_id": "1"}
    assert world.one("method-answered") == {"conn": 1, "request_id": "1", "status": 200}
    assert world.hub.next_deadline() is None


@pytest.mark.parametrize("correlation_id", [uuid_of("2"), bytes(uuid_of("2")), "d4735e3a-265e-16ee-e03f-59718b9b5d03"])
def test_answer_in_another_type(world: World, device: AmqpDevice, correlation_id: t.Value) -> None:
    """Node.js sends the UUID back as text."""
    answers, _ = pair(device)
    call(world, "1")
    call(world, "2")
    device.run()
    answer(device, answers, correlation_id)
    assert world.one("method-answered")["request_id"] == "2"


@pytest.mark.parametrize(
    ("correlation_id", "status"),
    [(uuid_of("9"), t.Int(200)), (None, t.Int(200)), (uuid_of("1"), None), (uuid_of("1"), "200")],
)
def test_answer_to_nothing(world: World, device: AmqpDevice, correlation_id: t.Value, status: t.Value) -> None:
    """To no call of ours, or without a status: it is ignored, and the call goes on waiting."""
    answers, _ = pair(device)
    call(world)
    device.run()
    answer(device, answers, correlation_id, status)
    assert world.find("method-answered") == []
    assert world.hub.next_deadline() == NOW + 9


def test_answer_before_the_call_is_ignored(world: World, device: AmqpDevice) -> None:
    """The call is not out yet."""
    answers, _ = pair(device, credit=0)
    call(world)
    answer(device, answers, uuid_of("1"))
    assert world.find("method-answered") == []


def test_calls_wait_for_credit(world: World, device: AmqpDevice) -> None:
    """One for each."""
    _, calls = pair(device, credit=0)
    call(world, "1")
    call(world, "2")
    assert world.find("method-sent") == []
    calls.grant(1, refill=False)
    device.run()
    assert [fields["request_id"] for fields in world.find("method-sent")] == ["1"]


def test_newest_pair_gets_the_calls(world: World, device: AmqpDevice) -> None:
    """Of several."""
    pair(device, "methods:1")
    _, newer = pair(device, "methods:2")
    call(world)
    device.run()
    assert [event.link for event in device.take_transfers()] == [newer]


def test_answer_may_come_by_another_connection(world: World, device: AmqpDevice) -> None:
    """What counts is the call."""
    pair(device)
    call(world)
    new = amqp_device(world).connected()
    answers, _ = pair(new)
    answer(new, answers, uuid_of("1"))
    assert world.one("method-answered")["conn"] == 2


def test_answer_that_cannot_be_read_costs_the_link(world: World, device: AmqpDevice) -> None:
    """And not the connection."""
    answers, _ = pair(device)
    answers.send(b"\x00\x53\x99\x40")
    device.run()
    assert world.one("detach")["link_kind"] == "methods"
