"""What addresses and audiences name."""

import pytest

from harness.hub.amqp.addresses import Place, read_address, read_audience
from harness.protocol.amqp import types as t

EVENTS = Place("telemetry", "dev1")


@pytest.mark.parametrize(
    ("address", "role", "place"),
    [
        ("$cbs", "sender", Place("cbs")),
        ("$cbs", "receiver", Place("cbs")),
        ("amqps://hub/$cbs", "sender", Place("cbs")),
        ("/devices/dev1/messages/events", "sender", EVENTS),
        ("devices/dev1/messages/events", "sender", EVENTS),
        ("amqps://hub/devices/dev1/messages/events", "sender", EVENTS),
        ("amqps://hub:5671/devices/dev1/messages/Events", "sender", EVENTS),
        ("AMQPS://10.0.0.1/Devices/dev1/messages/events", "sender", EVENTS),
        ("/devices/dev1/messages/deviceBound", "receiver", Place("c2d", "dev1")),
        ("/devices/dev1/methods/deviceBound", "sender", Place("methods", "dev1")),
        ("/devices/dev1/methods/devicebound", "receiver", Place("methods", "dev1")),
        ("/devices/dev1/twin", "sender", Place("twin", "dev1")),
        ("/devices/dev1/twin", "receiver", Place("twin", "dev1")),
        ("/devices/Dev%231/twin", "receiver", Place("twin", "Dev#1")),
        ("/devices/dev1/modules/mod%401/twin", "sender", Place("twin", "dev1/mod@1")),
        ("/devices/modules/twin", "sender", Place("twin", "modules")),
    ],
)
def test_addresses(address: str, role: str, place: Place) -> None:
    """In the spellings of all SDKs; case counts in ids only."""
    assert read_address(address, role) == place


@pytest.mark.parametrize(
    ("address", "role"),
    [
        (None, "sender"),
        (b"$cbs", "sender"),
        (t.ULong(1), "receiver"),
        ("", "sender"),
        ("/", "sender"),
        ("/devices", "sender"),
        ("/devices/", "sender"),
        ("/devices//twin", "sender"),
        ("/device/dev1/twin", "sender"),
        ("/messages/serviceBound/feedback", "receiver"),
    ],
)
def test_addresses_of_nothing(address: t.Value, role: str) -> None:
    """They name no device either."""
    assert read_address(address, role) == Place("unknown")


@pytest.mark.parametrize(
    ("address", "role"),
    [
        ("/devices/dev1", "sender"),
        ("/devices/dev1/modules/", "sender"),
        ("/devices/dev1/messages", "sender"),
        ("/devices/dev1/messages/events", "receiver"),
        ("/devices/dev1/messages/devicebound", "sender"),
        ("/devices/dev1/twin/more", "sender"),
    ],
)
def test_places_a_device_does_not_have(address: str, role: str) -> None:
    """Wrong end of the path, or the wrong direction."""
    assert read_address(address, role).kind == "unknown"


def test_scheme_is_one_at_the_beginning_only() -> None:
    """Anywhere else it belongs to a path that the hub does not know."""
    assert read_address("/devices/dev1/x://y/twin", "sender").kind == "unknown"


@pytest.mark.parametrize(
    ("name", "audience"),
    [
        ("hub.net/devices/dev1", ("hub.net", "dev1")),
        ("HUB.net/devices/Dev1", ("hub.net", "Dev1")),
        ("hub.net%2Fdevices%2Fdev1", ("hub.net", "dev1")),
        ("hub.net%2fdevices%2fdev%2531", ("hub.net", "dev1")),
        ("localhost%3A5999%2Fdevices%2Fdev1", ("localhost", "dev1")),
        ("amqps://hub.net:5671/devices/dev1", ("hub.net", "dev1")),
        ("hub.net/devices/dev%231", ("hub.net", "dev#1")),
        ("hub.net/devices/dev1/modules/mod1", ("hub.net", "dev1/mod1")),
    ],
)
def test_audiences(name: str, audience: tuple[str, str]) -> None:
    """Encoded as a whole by Node.js, with a port if the connection string had one."""
    assert read_audience(name) == audience


@pytest.mark.parametrize(
    "name",
    [
        "hub.net",
        "/devices/dev1",
        "hub.net/devices/dev1/messages/events",
        "hub.net/devices",
        f"hub.net/devices/{'x' * 258}",
    ],
)
def test_audiences_of_nobody(name: str) -> None:
    """No host, no device, or more than one."""
    assert read_audience(name) is None
