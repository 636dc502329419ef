"""Outages that a fault asks for: the hub does nothing about them but ask."""

from dataclasses import replace
from typing import Literal

from support.amqp_device import amqp_device, plain_device
from support.hub_world import LIFETIME, NOW, POLICY, World, connect_packet, token

from harness.hub.faults import Fault
from harness.hub.outage import Outage

OUTAGE = Outage("half-open", 5.0)
LATER = token(NOW + 100)


def failing(at: Literal["renewal", "half-life"]) -> World:
    """A hub that asks for an outage, once."""
    return World(replace(POLICY, faults=(Fault(at, "outage", how="half-open", for_s=5.0),)))


def test_at_half_life() -> None:
    """It is asked for once; the connection stays as it is, for the hub knows nothing of it."""
    world = failing("half-life")
    wire = world.connected()
    assert world.hub.take_outage() is None
    wire.hub_side.on_time(NOW + LIFETIME / 2)
    assert (world.hub.take_outage(), world.hub.take_outage()) == (OUTAGE, None)
    assert (wire.hub_side.close_request, world.find("cut"), world.codes()) == (None, [], ["deviceConnect"])


def test_how_connections_end() -> None:
    """Where the fault says so, in a way of the transport."""
    assert Fault("half-life", "outage", "rst", how="blackhole", for_s=1.0).outage == Outage("blackhole", 1.0, "rst")


def test_at_a_renewal_over_mqtt() -> None:
    """The CONNECT is not answered."""
    world = failing("renewal")
    world.connected()
    assert world.open().send(connect_packet(LATER)) == []
    assert world.hub.take_outage() == OUTAGE
    assert world.find("cut") == []


def test_at_a_renewal_over_amqp() -> None:
    """The put-token is not answered."""
    world = failing("renewal")
    device = amqp_device(world).connected()
    assert device.put_token(LATER) is None
    assert world.hub.take_outage() == OUTAGE
    assert world.find("cut") == []


def test_at_a_renewal_by_plain() -> None:
    """SASL has no outcome."""
    world = failing("renewal")
    amqp_device(world).connected()
    plain_device(world, LATER).open()
    assert world.hub.take_outage() == OUTAGE
    assert world.connection(2).close_request is None


def test_device_that_comes_back_before_the_hub_knows() -> None:
    """Takes over, as it does from any connection that still stands."""
    world = failing("half-life")
    world.connected().hub_side.on_time(NOW + LIFETIME / 2)
    world.connected(connect_packet(LATER), present=True)
    assert world.one("cut")["cause"] == "takeover"
    assert world.codes() == ["deviceConnect", "400027", "deviceConnect"]
