"""A device with a client certificate over AMQP: judged when it opens its first link."""

import json
from dataclasses import replace

import pytest
from support.amqp_device import C2D, EVENTS, AmqpDevice
from support.hub_world import CERTIFICATE, IDENTITY, NOW, POLICY, SELF_SIGNED, World, token

from harness.hub.certificates import Certificate
from harness.hub.faults import Fault
from harness.protocol.amqp.conditions import UNAUTHORIZED_ACCESS
from harness.protocol.amqp.events import SaslOutcomeReceived
from harness.protocol.amqp.performatives import Error, SaslCode

OTHER = replace(CERTIFICATE, sha1="00", sha256="00")


@pytest.fixture
def world() -> World:
    """A hub that knows its device by a thumbprint."""
    return World(identity=SELF_SIGNED)


def proven(world: World, certificate: Certificate = CERTIFICATE, mechanism: str | None = None) -> AmqpDevice:
    """A device with this certificate, after OPEN."""
    connection = world.accept("amqp")
    connection.proven(certificate)
    return AmqpDevice(connection, mechanism).open()


@pytest.mark.parametrize("mechanism", [None, "EXTERNAL", "ANONYMOUS"])
def test_the_first_link_admits(world: World, mechanism: str | None) -> None:
    """With SASL EXTERNAL as well as without SASL; a second link changes nothing."""
    device = proven(world, mechanism=mechanism)
    link = device.sender()
    device.receiver()
    assert device.telemetry(link, 1)
    assert world.one("certificate-judged") == {
        "conn": 1, "status": 200, "description": "OK", "admitted": True,
        "certificate": {
            "common_name": CERTIFICATE.common_name, "sha1": CERTIFICATE.sha1, "sha256": CERTIFICATE.sha256,
            "not_before": CERTIFICATE.not_before, "not_after": CERTIFICATE.not_after, "root_sha256": CERTIFICATE.root_sha256,
        },
    }  # fmt: skip
    assert world.codes() == ["deviceConnect"]
    assert "x509Certificate" in world.one("record")["record"]["properties"]
    assert not world.find("deadline")


def test_nothing_ends_with_time(world: World) -> None:
    """Beyond any token's end, as long as the device shows that it is alive."""
    device = proven(world)
    link = device.sender()
    for minute in range(1, 30):
        device.run(NOW + 60 * minute)
        assert device.telemetry(link, minute)
    assert not world.find("cut")


def test_a_certificate_that_is_not_registered_is_refused_with_the_link(world: World) -> None:
    """By the JSON text that users of the .NET SDK saw; the record says what is wrong. Every link is refused, and the record is written once."""
    device = proven(world, OTHER)
    device.sender(EVENTS)
    device.receiver(C2D)
    errors = [error for _, error in device.errors()]
    assert all(isinstance(error, Error) and error.condition == UNAUTHORIZED_ACCESS for error in errors)
    assert [json.loads(str(error.description))["errorCode"] for error in errors if isinstance(error, Error)] == [
        401002
    ] * 2
    assert world.codes() == ["401003"]
    assert "Thumbprint does not match configuration" in world.one("record")["record"]["properties"]
    assert world.one("certificate-judged")["status"] == 401
    assert world.one("certificate-judged")["admitted"] is False
    assert world.one("certificate-judged")["check"] == "thumbprint"


def test_a_device_that_tries_again_on_the_same_connection_is_judged_again(world: World) -> None:
    """As the SDK for C does, every ten seconds."""
    device = proven(world, OTHER)
    device.sender()
    device.now += 10
    device.sender()
    assert world.codes() == ["401003", "401003"]


def test_the_connection_of_a_refused_device_does_not_stay(world: World) -> None:
    """It has the time that every device has to authenticate."""
    proven(world, OTHER).sender()
    connection = world.connection(1)
    connection.on_time(NOW + POLICY.connect_timeout_s)
    assert world.one("cut")["cause"] == "connect-timeout"


def test_external_counts_as_the_handshake_did(world: World) -> None:
    """What the certificate is worth is judged with the first link."""
    device = proven(world, OTHER, "EXTERNAL")
    assert device.take(SaslOutcomeReceived)[0].code == SaslCode.OK


def test_a_token_does_not_help_a_device_with_a_certificate(world: World) -> None:
    """One method for each identity."""
    device = proven(world)
    assert device.attach_cbs().put_token() == 401
    assert world.codes() == ["401003"]


def test_a_device_with_a_key_may_have_a_certificate(world: World) -> None:
    """As long as it puts its token first."""
    world = World(identity=IDENTITY)
    device = proven(world)
    assert device.attach_cbs().put_token(token()) == 200
    device.sender()
    assert not world.find("certificate-judged")


def test_a_certificate_instead_of_a_token(world: World) -> None:
    """The device is registered with keys."""
    world = World(identity=IDENTITY)
    proven(world).sender()
    assert world.one("certificate-judged")["description"] == "The device does not use certificates."


def test_another_devices_link(world: World) -> None:
    """It is the address that says who the device claims to be."""
    proven(world).sender("/devices/dev2/messages/events")
    assert world.one("certificate-judged")["status"] == 404


def test_a_device_that_takes_leave_is_judged_anew() -> None:
    """By a new connection; no fault of a token's life befalls it in between."""
    world = World(replace(POLICY, faults=(Fault("half-life", "cut"),)), SELF_SIGNED)
    for _ in range(2):
        proven(world).sender()
    assert world.codes() == ["deviceConnect", "409002", "deviceConnect"]
