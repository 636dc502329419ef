"""What one device may claim: over each limit it is ended with the right condition, and nobody else is."""

from collections.abc import Callable

import pytest
from support.amqp_device import EVENTS, AmqpDevice, amqp_device, numbered
from support.hub_world import IDENTITY, NOW, POLICY, World

from harness.hub.amqp import figures
from harness.protocol.amqp.connection import Limits
from harness.protocol.amqp.events import AttachReceived, CloseReceived, EndReceived
from harness.protocol.amqp.messages import BATCH_FORMAT, encode_batch, encode_message
from harness.protocol.amqp.performatives import Attach, Begin, Error, Source, Target, Transfer
from harness.protocol.amqp.schema import encode_composite

Misuse = Callable[[AmqpDevice], None]


def big_frame(device: AmqpDevice) -> None:
    """A frame over the size announced."""
    device.hub_side.receive(b"\x00\x01\x00\x01\x02\x00\x00\x00", NOW)


def sessions(device: AmqpDevice) -> None:
    """One session too many."""
    for channel in range(1, figures.MAX_SESSIONS + 1):
        device.machine.send_frame(channel, Begin(None, 1, 5000, 5000))


def links(device: AmqpDevice) -> None:
    """One link too many, accepted and refused ones together."""
    for handle in range(10, 11 + figures.MAX_LINKS):
        address = "/devices/dev1/messages/events" if handle % 2 else "nowhere"
        target = Target(address)
        device.machine.send_frame(
            0, Attach(str(handle), handle, False, source=Source(), target=target, initial_delivery_count=0)
        )


def unsettled(device: AmqpDevice) -> None:
    """More messages in one read than the hub holds unsettled."""
    senders = [device.sender() for _ in range(6)]
    device.machine.data_to_send()
    for number in range(figures.MAX_UNSETTLED + 1):
        device.machine.send_frame(0, Transfer(senders[number % 6].handle, 10 + number, b"%d" % number, 0, False))


def unfinished(device: AmqpDevice) -> None:
    """Messages of which the end does not come, on several links."""
    senders = [device.sender() for _ in range(5)]
    for number, link in enumerate(senders):
        head = Transfer(link.handle, 10 + number, b"%d" % number, 0, False, more=True)
        for _ in range(16):
            device.machine.send_encoded(0, encode_composite(head) + bytes(65_000))
            device.run()


@pytest.mark.parametrize(
    ("misuse", "condition"),
    [
        (big_frame, "amqp:connection:framing-error"),
        (sessions, "amqp:resource-limit-exceeded"),
        (links, "amqp:resource-limit-exceeded"),
        pytest.param(unsettled, "amqp:resource-limit-exceeded", marks=pytest.mark.slow),
        (unfinished, "amqp:resource-limit-exceeded"),
    ],
)
def test_limits_of_a_connection(misuse: Misuse, condition: str) -> None:
    """CLOSE, and a cut; a device on another hub beside it goes on."""
    world, other = World(), World()
    beside = amqp_device(other).connected()
    link = beside.sender()
    device = amqp_device(world).connected()
    misuse(device)
    device.run()
    errors = [event.close.error for event in device.take(CloseReceived)]
    assert [error.condition for error in errors if isinstance(error, Error)] == [condition]
    assert (world.one("cut")["cause"], world.connection(1).close_request) == ("protocol", "fin")
    assert beside.telemetry(link, 1)


def test_newer_connection_of_a_device_survives_the_misuse_of_an_older_one() -> None:
    """The limits are the connection's, and so is the end."""
    world = World()
    device = amqp_device(world).connected()
    stranger = amqp_device(world).open()
    links(stranger)
    stranger.run()
    assert world.one("cut")["conn"] == 2
    assert device.telemetry(device.sender(), 1)


def test_message_over_its_size() -> None:
    """DETACH; other links go on."""
    device = amqp_device(World()).connected()
    link, other = device.sender(), device.sender()
    link.send(bytes(figures.MAX_MESSAGE_SIZE + 1))
    device.run()
    ((detached, error),) = device.errors()
    assert detached is link
    assert isinstance(error, Error)
    assert error.condition == "amqp:link:message-size-exceeded"
    assert device.telemetry(other, 1)


def test_message_of_the_largest_size() -> None:
    """Is none too many."""
    device = amqp_device(World()).connected()
    fixed = len(encode_message(numbered(1, bytes(1000)))) - 1000
    assert device.send(device.sender(), numbered(1, bytes(figures.MAX_MESSAGE_SIZE - fixed))) is not None


def test_more_messages_in_a_batch_than_it_may_have() -> None:
    """DETACH, and none of them is recorded; other links go on."""
    world = World()
    device = amqp_device(world).connected()
    link, other = device.sender(), device.sender()
    link.send(encode_batch([b""] * (figures.MAX_MESSAGE_SIZE // 5)), message_format=BATCH_FORMAT)
    device.run()
    ((detached, error),) = device.errors()
    assert detached is link
    assert isinstance(error, Error)
    assert error.condition == "amqp:resource-limit-exceeded"
    assert world.find("telemetry") == []
    assert device.telemetry(other, 1)


def test_message_before_credit() -> None:
    """END; later there is always enough."""
    world = World()
    device = amqp_device(world).connected()
    link = device.session.sender("early", Target(EVENTS))
    device.machine.send_frame(0, Transfer(link.handle, 10, b"x", 0))
    device.run()
    (event,) = device.take(EndReceived)
    assert isinstance(event.end.error, Error)
    assert event.end.error.condition == "amqp:link:transfer-limit-exceeded"
    assert world.one("session-end")["by"] == "hub"


def test_announced_sizes() -> None:
    """The C SDK sends nothing on a link without max-message-size."""
    device = amqp_device(World()).connected()
    device.events.clear()
    device.sender()
    device.receiver(credit=0)
    attached = [event.attach for event in device.take(AttachReceived)]
    assert [attach.max_message_size for attach in attached] == [figures.MAX_MESSAGE_SIZE] * 2
    assert [attach.initial_delivery_count for attach in attached] == [None, 0]


@pytest.mark.parametrize(("address", "credit"), [("$cbs", 100), ("/devices/dev1/messages/events", 1000)])
def test_credit(address: str, credit: int) -> None:
    """As traces of the service show it."""
    device = amqp_device(World()).connected()
    assert device.sender(address).credit == credit


def test_limits_are_those_of_the_page() -> None:
    """What the machine is told."""
    assert figures.limits(POLICY) == Limits(
        max_sessions=16,
        max_links=64,
        max_unsettled=5000,
        max_message_size=1 << 20,
        max_buffered=4 << 20,
        open_timeout_s=60,
    )


def test_container_ids_differ_between_hubs() -> None:
    """One for each name."""
    assert figures.container_id(IDENTITY.hub_name) != figures.container_id("fabrikam.azure-devices.net")
