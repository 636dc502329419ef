"""harness.protocol.mqtt.encoding."""

import pytest
from support.mqtt_vectors import VECTORS

from harness.errors import LocalProtocolError
from harness.protocol.mqtt.encoding import encode, encode_puback
from harness.protocol.mqtt.packets import (
    Connack,
    Connect,
    Packet,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsubscribe,
    Will,
)


@pytest.mark.parametrize(("packet", "packed"), VECTORS.values(), ids=VECTORS.keys())
def test_examples_of_the_standard(packet: Packet, packed: str) -> None:
    """Every packet type, byte for byte."""
    assert encode(packet) == bytes.fromhex(packed)


def test_remaining_length_of_two_bytes() -> None:
    """The length counts topic and payload."""
    assert encode(Publish("t", bytes(200))) == b"\x30\xcb\x01\x00\x01t" + bytes(200)


def test_puback_shortcut() -> None:
    """The hot path's shortcut says the same."""
    assert encode_puback(513) == encode(Puback(513))


@pytest.mark.parametrize("packet_id", [0, 65_536])
def test_puback_shortcut_refuses_what_encode_refuses(packet_id: int) -> None:
    """Identifiers are 1 to 65535."""
    with pytest.raises(LocalProtocolError, match=f"packet identifier {packet_id} is not in 1 to 65535"):
        encode_puback(packet_id)


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (Connect("c", keep_alive=65_536), "keep-alive of 65536 s"),
        (Connect("c", keep_alive=-1), "keep-alive of -1 s"),
        (Connect("c", password=b"p"), "a password needs a username"),
        (Connect("c", will=Will("t", b"", qos=3)), "QoS 3 does not exist"),
        (Connect("c", will=Will("t/#", b"")), "topic name with a wildcard"),
        (Connack(6), "CONNACK return code 6 does not exist"),
        (Connack(5, session_present=True), "a refusal has no session"),
        (Publish("t", b"", qos=3, packet_id=1), "QoS 3 does not exist"),
        (Publish("t", b"", qos=1), "packet identifier None is not in 1 to 65535"),
        (Publish("t", b"", qos=0, packet_id=1), "has no packet identifier"),
        (Publish("t", b"", qos=0, dup=True), "is no duplicate"),
        (Publish("", b""), "empty topic name"),
        (Publish("a/+", b""), "topic name with a wildcard"),
        (Puback(0), "packet identifier 0 is not"),
        (Subscribe(1, ()), "a SUBSCRIBE needs a filter"),
        (Subscribe(1, (("a", 3),)), "QoS 3 does not exist"),
        (Subscribe(1, (("a#", 0),)), "not alone at its end"),
        (Suback(1, ()), "a SUBACK needs a return code"),
        (Suback(1, (3,)), "SUBACK return code 3 does not exist"),
        (Unsubscribe(1, ()), "an UNSUBSCRIBE needs a filter"),
        (Unsubscribe(1, ("",)), "empty topic filter"),
    ],
)
def test_what_the_protocol_cannot_express(packet: Packet, reason: str) -> None:
    """Our own mistakes never reach the wire."""
    with pytest.raises(LocalProtocolError, match=reason):
        encode(packet)


def test_what_is_no_packet() -> None:
    """Anything else is refused by its type, without quoting it."""
    with pytest.raises(LocalProtocolError, match="str is no MQTT packet"):
        encode("SharedAccessSignature")  # type: ignore[arg-type]
