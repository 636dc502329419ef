"""Which links are refused, and with what."""

import json

import pytest
from support.amqp_device import C2D, EVENTS, METHODS, SDK, TWIN, AmqpDevice, amqp_device
from support.hub_world import NOW, World

from harness.hub.amqp.refusals import unauthorized
from harness.protocol.amqp.conditions import NOT_FOUND, UNAUTHORIZED_ACCESS
from harness.protocol.amqp.events import AttachReceived
from harness.protocol.amqp.performatives import Error

ID = "com.microsoft:channel-correlation-id"


@pytest.fixture
def world() -> World:
    """A hub with its events recorded."""
    return World()


@pytest.fixture
def device(world: World) -> AmqpDevice:
    """An admitted device, its first two links forgotten."""
    device = amqp_device(world).connected()
    world.events.clear()
    device.events.clear()
    return device


def refused(device: AmqpDevice) -> Error:
    """The error with which the only new link was refused: an ATTACH without terminus, then DETACH."""
    (attached,) = device.take(AttachReceived)
    assert attached.link.refused
    ((link, error),) = device.errors()
    assert link is attached.link
    assert isinstance(error, Error)
    return error


def test_accepted_link(world: World, device: AmqpDevice) -> None:
    """Who asked for what, in the event."""
    device.sender(properties=SDK)
    assert world.one("attach") == {
        "conn": 1, "link": f"to {EVENTS}", "link_kind": "telemetry", "device_role": "sender", "address": EVENTS,
        "sdk_version": "sdk/1.0", "condition": None, "reason": "accepted",
    }  # fmt: skip


@pytest.mark.parametrize("address", [EVENTS, C2D, "nowhere"])
def test_link_before_authentication(world: World, address: str) -> None:
    """Unauthorized, whatever it is for, with a description that clients parse."""
    device = amqp_device(world).open()
    device.receiver(address, credit=0)
    error = refused(device)
    assert error.condition == UNAUTHORIZED_ACCESS
    assert error.description is not None
    description = json.loads(error.description)
    assert list(description) == ["errorCode", "message", "trackingId", "timestampUtc", "info"]
    assert (description["errorCode"], description["message"]) == (401002, "Unauthorized access")
    assert description["trackingId"].endswith("-G2:-TimeStamp:2026-01-01T00:00:00Z")
    assert world.one("attach")["condition"] == UNAUTHORIZED_ACCESS
    assert world.connection(1).close_request is None


def test_tracking_ids_are_the_same_every_time() -> None:
    """And differ between connections and moments."""
    texts = [unauthorized(seed, now).description for seed, now in (("a", NOW), ("a", NOW), ("b", NOW), ("a", NOW + 1))]
    assert texts[0] == texts[1]
    assert len(set(texts)) == 3


@pytest.mark.parametrize(
    "address",
    ["/devices/dev2/messages/events", "/devices/DEV1/messages/events", "/devices/dev1/modules/mod1/messages/events"],
)
def test_link_of_another_device(world: World, device: AmqpDevice, address: str) -> None:
    """Unauthorized as well."""
    device.sender(address)
    assert refused(device).condition == UNAUTHORIZED_ACCESS
    assert world.one("attach")["reason"] == "The address is another device's."


@pytest.mark.parametrize("address", ["/devices/dev1/messages", None, 7])
def test_link_to_nowhere(world: World, device: AmqpDevice, address: object) -> None:
    """The text that users of the C SDK have seen."""
    device.sender(address)
    assert refused(device) == Error(NOT_FOUND, "The link address did not match any of the expected formats")
    assert world.one("attach")["link_kind"] == "unknown"


def test_same_channel_twice(world: World, device: AmqpDevice) -> None:
    """Two links of one kind and direction cannot have one correlation id."""
    device.receiver(TWIN, properties={ID: "twin:1"})
    device.events.clear()
    device.receiver(TWIN, properties={ID: "twin:1"}, credit=0)
    assert refused(device).condition == "com.microsoft:link-creation-conflict"
    assert world.find("attach")[1]["condition"] == "com.microsoft:link-creation-conflict"


def test_odd_correlation_ids_are_fine(world: World, device: AmqpDevice) -> None:
    """Node.js lets links inherit the properties of others, and many links have none."""
    device.receiver(TWIN, properties={ID: "twin:1"})
    device.sender(TWIN, properties={ID: "twin:1"})
    device.sender(properties={ID: "twin:1"})
    device.receiver(METHODS, properties={ID: "twin:1"})
    device.sender()
    device.sender()
    assert {fields["condition"] for fields in world.find("attach")} == {None}


def test_correlation_id_is_free_again_after_detach(world: World, device: AmqpDevice) -> None:
    """For the next pair."""
    link = device.receiver(TWIN, properties={ID: "twin:1"})
    link.detach()
    device.run()
    device.receiver(TWIN, properties={ID: "twin:1"})
    assert {fields["condition"] for fields in world.find("attach")} == {None}


def test_one_name_in_two_sessions(device: AmqpDevice) -> None:
    """As .NET has it: link names are the session's."""
    second = device.begin()
    links = [session.sender("TelemetrySenderLink", device.target(EVENTS)) for session in (device.session, second)]
    device.run()
    assert [device.telemetry(link, 1) for link in links] == [True, True]


def test_link_that_is_detached_as_it_comes(world: World, device: AmqpDevice) -> None:
    """ATTACH and DETACH in one read: both are answered."""
    link = device.session.sender("x", device.target(EVENTS))
    link.detach()
    device.run()
    assert [fields["by"] for fields in world.find("detach")] == ["device"]
    assert device.telemetry(device.sender(), 1)
