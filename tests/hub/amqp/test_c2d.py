"""Cloud-to-device messages over AMQP."""

from dataclasses import replace as policy_replace

import pytest
from msgspec.structs import replace
from support.amqp_device import C2D, AmqpDevice, amqp_device, put_token_message
from support.hub_world import C2D as C2D_FILTER
from support.hub_world import DEVICE, LIFETIME, NOW, POLICY, World, token

from harness.hub.faults import Fault
from harness.hub.session import MAX_DELIVERIES
from harness.protocol.amqp import types as t
from harness.protocol.amqp.events import SenderSettled, TransferReceived
from harness.protocol.amqp.messages import Data, decode_message, encode_message
from harness.protocol.amqp.performatives import (
    RECEIVER,
    Accepted,
    DeliveryState,
    Disposition,
    Flow,
    Modified,
    Received,
    Rejected,
    Released,
    SenderSettleMode,
)
from harness.protocol.mqtt.packets import Publish

CUT_AT = NOW + LIFETIME + POLICY.grace_s


@pytest.fixture
def world() -> World:
    """A hub with its events recorded."""
    return World()


@pytest.fixture
def device(world: World) -> AmqpDevice:
    """An admitted device."""
    return amqp_device(world).connected()


def queue(world: World, *names: str) -> None:
    """Messages for the device."""
    for name in names:
        world.hub.send_c2d(name, name.encode(), NOW)


def sent(world: World) -> list[str]:
    """The messages the hub has sent, in order."""
    return [fields["message_id"] for fields in world.find("c2d-sent")]


def test_message_is_sent_and_completed(world: World, device: AmqpDevice) -> None:
    """Its body is data, its tag a lock token of 16 bytes."""
    link = device.second()
    queue(world, "c1")
    device.run()
    (transfer,) = device.transfers(link)
    message = decode_message(transfer.payload)
    assert (message.body, len(transfer.tag), transfer.settled) == (Data((b"c1",)), 16, False)
    assert (message.properties.message_id, message.properties.to) == ("c1", f"/devices/{DEVICE}/messages/devicebound")
    assert world.one("c2d-sent") == {"conn": 1, "message_id": "c1", "delivery_id": transfer.delivery_id}
    link.settle(transfer.delivery_id)
    device.run()
    assert world.one("c2d-acknowledged") == {"conn": 1, "message_id": "c1", "state": "accepted"}


def test_hub_wakes_whoever_moves_the_bytes(world: World, device: AmqpDevice) -> None:
    """A message of the hub's own accord."""
    device.receiver()
    queue(world, "c1")
    assert world.wakes(1) == 1


@pytest.mark.parametrize(
    ("state", "acknowledged", "returned"),
    [
        (Accepted(), ["accepted"], []),
        (Rejected(), ["rejected"], []),
        (Released(), [], ["released"]),
        (Modified(delivery_failed=True), [], ["released"]),
        (t.Described(t.Symbol("com.example:done"), []), ["accepted"], []),
        (None, ["accepted"], []),
    ],
)
@pytest.mark.parametrize("settled", [True, False])
def test_outcomes(
    world: World,
    device: AmqpDevice,
    state: DeliveryState | None,
    acknowledged: list[str],
    returned: list[str],
    settled: bool,  # noqa: FBT001 - drawn
) -> None:
    """Completing, rejecting, abandoning; who settles second is told so last."""
    link = device.second(credit=1)
    queue(world, "c1")
    device.run()
    (transfer,) = device.transfers(link)
    device.machine.send_frame(0, Disposition(RECEIVER, transfer.delivery_id, settled=settled, state=state))
    device.run()
    if state is None and not settled:
        acknowledged = []
    assert [fields["state"] for fields in world.find("c2d-acknowledged")] == acknowledged
    assert [fields["why"] for fields in world.find("c2d-returned")] == returned
    assert len(device.take(SenderSettled)) == (0 if settled or state is None else 1)


def test_progress_is_no_outcome(world: World, device: AmqpDevice) -> None:
    """The delivery state `received` says nothing yet."""
    link = device.second()
    queue(world, "c1")
    device.run()
    (transfer,) = device.transfers(link)
    link.settle(transfer.delivery_id, Received(0, 0), settled=False)
    device.run()
    assert world.find("c2d-acknowledged") == []
    assert device.messages(link) == []


def test_message_that_is_released_ten_times_is_dropped(world: World, device: AmqpDevice) -> None:
    """Else a device that wants it not would be sent it without end."""
    link = device.receiver(credit=1000)
    queue(world, "c1")
    for _ in range(MAX_DELIVERIES + 1):
        device.run()
        for transfer in device.transfers(link):
            link.settle(transfer.delivery_id, Released())
    assert len(world.find("c2d-sent")) == MAX_DELIVERIES
    assert len(world.find("c2d-returned")) == MAX_DELIVERIES - 1
    assert world.one("c2d-dropped") == {"conn": 1, "message_id": "c1", "why": "released"}


def test_released_message_is_sent_again_first(world: World, device: AmqpDevice) -> None:
    """Before those that wait behind it."""
    link = device.receiver(credit=1)
    queue(world, "c1", "c2")
    device.run()
    (transfer,) = device.transfers(link)
    link.settle(transfer.delivery_id, Released())
    link.grant(2, refill=False)
    device.run()
    assert sent(world) == ["c1", "c1", "c2"]


def test_message_waits_for_the_link_and_its_credit(world: World, device: AmqpDevice) -> None:
    """One for each."""
    queue(world, "c1", "c2")
    link = device.receiver(credit=0)
    assert sent(world) == []
    link.grant(1, refill=False)
    device.run()
    assert sent(world) == ["c1"]
    link.grant(1, refill=False)
    device.run()
    assert sent(world) == ["c1", "c2"]


def test_message_waits_for_the_window_of_the_session(world: World, device: AmqpDevice) -> None:
    """It is not sent, and not said to be."""
    link = device.receiver()
    shut = Flow(device.session._next_incoming_id, 0, 1, 5_000)
    device.machine.send_frame(0, shut)
    device.run()
    queue(world, "c1")
    assert sent(world) == []
    device.machine.send_frame(0, replace(shut, incoming_window=1))
    device.run()
    assert sent(world) == ["c1"]
    assert len(device.transfers(link)) == 1


@pytest.mark.parametrize("end", ["detach", "session", "close", "lost", "expiry", "takeover"])
def test_message_in_the_air_is_sent_again(world: World, device: AmqpDevice, end: str) -> None:
    """Whatever took the link away, the next connection gets what was not settled, in order, then what waits."""
    link = device.second(credit=2)
    queue(world, "c1", "c2", "c3")
    device.run()
    match end:
        case "detach":
            link.detach()
        case "session":
            device.session.end()
        case "close":
            device.close()
        case "lost":
            world.connection(1).peer_closed("rst", NOW)
        case "expiry":
            world.connection(1).on_time(CUT_AT)
    device.run()
    new = amqp_device(world).connected(token(NOW + 100))
    new.messages(new.receiver())
    returned = [(fields["message_id"], fields["why"]) for fields in world.find("c2d-returned")]
    assert returned == [("c1", "link-lost"), ("c2", "link-lost")]
    assert sent(world) == ["c1", "c2", "c1", "c2", "c3"]
    assert [fields["message_id"] for fields in world.find("c2d-acknowledged")] == ["c1", "c2", "c3"]


def test_settled_message_is_not_returned(world: World, device: AmqpDevice) -> None:
    """Even if the device detaches in the same breath."""
    link = device.receiver()
    queue(world, "c1")
    device.run()
    (transfer,) = device.transfers(link)
    link.settle(transfer.delivery_id)
    link.detach()
    device.run()
    assert len(world.find("c2d-acknowledged")) == 1
    assert world.find("c2d-returned") == []


def test_disposition_after_the_cut_is_ignored(world: World, device: AmqpDevice) -> None:
    """The message is the hub's again."""
    link = device.receiver()
    queue(world, "c1")
    device.run()
    (transfer,) = device.transfers(link)
    link.settle(transfer.delivery_id)
    device.run(CUT_AT)
    assert world.find("c2d-acknowledged") == []
    assert len(world.find("c2d-returned")) == 1


def test_disposition_in_the_read_of_the_cut_is_ignored() -> None:
    """The cut was decided on what came before it."""
    world = World(policy_replace(POLICY, faults=(Fault("renewal", "cut"),)))
    device = amqp_device(world).connected()
    link = device.receiver()
    queue(world, "c1")
    device.run()
    (transfer,) = device.transfers(link)
    device.requests.send(encode_message(put_token_message(token(NOW + 100))))
    link.settle(transfer.delivery_id)
    device.run()
    assert world.find("c2d-acknowledged") == []
    assert len(world.find("c2d-returned")) == 1


def test_second_disposition_is_ignored(world: World, device: AmqpDevice) -> None:
    """The first one counts."""
    link = device.second()
    queue(world, "c1")
    device.run()
    (transfer,) = device.transfers(link)
    link.settle(transfer.delivery_id, settled=False)
    link.settle(transfer.delivery_id, Released())
    device.run()
    assert len(world.find("c2d-acknowledged")) == 1
    assert world.find("c2d-returned") == []


def test_device_may_ask_for_settled_messages(world: World, device: AmqpDevice) -> None:
    """They are gone with the sending."""
    link = device.receiver(snd_settle_mode=SenderSettleMode.SETTLED)
    queue(world, "c1")
    device.run()
    (transfer,) = device.transfers(link)
    assert (transfer.settled, world.one("c2d-sent")["delivery_id"]) == (True, None)
    link.detach()
    device.run()
    assert world.find("c2d-returned") == []


def test_newest_link_gets_the_messages(world: World, device: AmqpDevice) -> None:
    """Of several."""
    device.receiver()
    newer = device.receiver()
    queue(world, "c1")
    device.run()
    assert [event.link for event in device.take(TransferReceived)] == [newer]


def test_messages_in_flight_over_mqtt_come_over_amqp(world: World) -> None:
    """The queue is the device's, whatever it speaks."""
    wire = world.connected()
    wire.subscribe(C2D_FILTER)
    queue(world, "c1")
    device = amqp_device(world).connected()
    assert world.one("c2d-returned") == {"conn": 2, "message_id": "c1", "why": "link-lost"}
    assert [message.properties.message_id for message in device.messages(device.receiver())] == ["c1"]


def test_messages_in_flight_over_amqp_come_over_mqtt(world: World, device: AmqpDevice) -> None:
    """And back."""
    device.receiver()
    queue(world, "c1")
    device.run()
    wire = world.connected()
    (packet,) = wire.subscribe(C2D_FILTER)
    assert isinstance(packet, Publish)
    assert packet.payload == b"c1"


def test_nothing_is_delivered_to_a_device_that_is_not_in(world: World, device: AmqpDevice) -> None:
    """After the cut the messages wait."""
    device.receiver()
    world.connection(1).on_time(CUT_AT)
    queue(world, "c1")
    device.run(CUT_AT)
    assert sent(world) == []


def test_address_in_the_spelling_of_dotnet(world: World, device: AmqpDevice) -> None:
    """A URI with a port, and a capital letter."""
    device.receiver(f"amqps://contoso.azure-devices.net:5671{C2D.replace('bound', 'Bound')}")
    queue(world, "c1")
    assert sent(world) == ["c1"]
