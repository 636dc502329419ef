"""Telemetry over AMQP."""

from typing import Any

import pytest
from support.amqp_device import EVENTS, AmqpDevice, amqp_device, numbered
from support.hub_world import World

from harness.hub.amqp.figures import MAX_MESSAGE_SIZE
from harness.protocol.amqp import types as t
from harness.protocol.amqp.events import DispositionReceived
from harness.protocol.amqp.messages import (
    BATCH_FORMAT,
    Data,
    Message,
    Properties,
    Sequence,
    SingleValue,
    encode_batch,
    encode_message,
)
from harness.protocol.amqp.performatives import Accepted


@pytest.fixture
def world() -> World:
    """A hub with its events recorded."""
    return World()


@pytest.fixture
def device(world: World) -> AmqpDevice:
    """An admitted device."""
    return amqp_device(world).connected()


def test_message_is_recorded_and_accepted(world: World, device: AmqpDevice) -> None:
    """System properties under the names they have over MQTT, values as texts."""
    properties: dict[str, Any] = {
        "correlation_id": t.ULong(7), "content_type": "application/json", "content_encoding": "utf-8", "user_id": b"\x01",
        "to": EVENTS,
    }  # fmt: skip
    application = {"colour": "red", "on": True, "n": t.Int(-1), "none": None}
    message = Message(Data((b"{", b"}")), Properties(message_id="7", **properties), application)
    assert isinstance(device.send(device.sender(), message), Accepted)
    assert world.one("telemetry") == {
        "conn": 1, "message_id": "7", "delivery_id": 1, "settled": False, "size": 2,
        "properties": {
            "$.mid": "7", "$.cid": "7", "$.uid": "01", "$.to": EVENTS, "$.ct": "application/json", "$.ce": "utf-8",
            "colour": "red", "on": "true", "n": "-1", "none": None,
        },
    }  # fmt: skip
    assert world.one("disposition") == {"conn": 1, "message_id": "7", "delivery_id": 1, "state": "accepted"}


@pytest.mark.parametrize(
    ("message_id", "shown"),
    [
        (None, None),
        (t.ULong(5), "5"),
        (t.Uuid(bytes(range(16))), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (b"\xff\x00", "ff00"),
    ],
)
def test_message_ids_of_any_type(world: World, device: AmqpDevice, message_id: t.Value, shown: str | None) -> None:
    """Have a text form in the event."""
    device.send(device.sender(), Message(properties=Properties(message_id=message_id)))
    assert world.one("telemetry")["message_id"] == shown


def test_settled_message_is_not_answered(world: World, device: AmqpDevice) -> None:
    """There is nothing to say."""
    assert device.send(device.sender(), numbered(1), settled=True) is None
    assert world.one("telemetry")["settled"] is True
    assert world.find("disposition") == []


def test_batch_is_one_delivery_of_many_messages(world: World, device: AmqpDevice) -> None:
    """The C SDK sends all its messages so."""
    link = device.sender()
    device.events.clear()
    link.send(encode_batch([encode_message(numbered(number)) for number in (1, 2)]), message_format=BATCH_FORMAT)
    device.run()
    assert [fields["message_id"] for fields in world.find("telemetry")] == ["1", "2"]
    assert {(fields["batch"], fields["delivery_id"]) for fields in world.find("telemetry")} == {(2, 1)}
    assert [fields["message_id"] for fields in world.find("disposition")] == ["1", "2"]
    assert len(device.take(DispositionReceived)) == 1


@pytest.mark.parametrize(
    ("body", "size"),
    [(Data(), 0), (SingleValue("abc"), 5), (SingleValue(None), 1), (Sequence(([t.Byte(1)], [t.Byte(2)])), 13)],
)
def test_bodies_of_any_kind(world: World, device: AmqpDevice, body: Any, size: int) -> None:
    """What is no data counts as encoded."""
    assert isinstance(device.send(device.sender(), Message(body)), Accepted)
    assert world.one("telemetry")["size"] == size


def test_message_that_cannot_be_read_costs_the_link(world: World, device: AmqpDevice) -> None:
    """And not the connection."""
    link, other = device.sender(), device.sender()
    link.send(b"\x00\x53\x99\x40")
    device.run()
    assert world.one("detach")["condition"] == "amqp:decode-error"
    assert world.find("telemetry") == []
    assert device.telemetry(other, 1)


@pytest.mark.parametrize("size", [0, MAX_MESSAGE_SIZE + 1])
def test_what_follows_what_cannot_be_read_is_ignored(world: World, device: AmqpDevice, size: int) -> None:
    """In the same read, good or bad: the link is gone."""
    link = device.sender()
    link.send(b"\x00\x53\x99\x40")
    link.send(encode_message(numbered(1)) + bytes(size))
    device.run()
    assert [fields["condition"] for fields in world.find("detach")] == ["amqp:decode-error"]
    assert world.find("telemetry") == []


def test_unknown_message_format_costs_the_link(world: World, device: AmqpDevice) -> None:
    """The hub knows two."""
    device.sender().send(encode_message(numbered(1)), message_format=1)
    device.run()
    assert world.one("detach")["condition"] == "amqp:decode-error"


def test_nothing_is_said_to_be_sent_behind_a_detach(world: World, device: AmqpDevice) -> None:
    """What came in one read with it is taken, and not answered: neither on the wire nor in the log."""
    link = device.sender()
    link.send(encode_message(numbered(1)))
    link.detach()
    device.run()
    assert world.one("telemetry")["message_id"] == "1"
    assert world.find("disposition") == []


@pytest.mark.slow
def test_many_messages_on_one_link(world: World, device: AmqpDevice) -> None:
    """Credit and window are renewed in time."""
    link = device.sender()
    for number in range(6000):
        link.send(encode_message(numbered(number)))
        if number % 500 == 0:
            device.run()
    device.run()
    assert len(world.find("disposition")) == 6000


def test_unrecorded_telemetry_is_accepted_unread() -> None:
    """Nobody wants to know what is in it."""
    device = amqp_device(World(recording=False)).connected()
    link = device.sender()
    link.send(b"\x00\x53\x99\x40")
    device.run()
    assert isinstance(device.take(DispositionReceived)[-1].state, Accepted)
