"""harness.protocol.mqtt.decoding: one packet at a time, strictly."""

import pytest
from support.mqtt_vectors import VECTORS

from harness.errors import RemoteProtocolError
from harness.protocol.mqtt.codec import Decoder
from harness.protocol.mqtt.decoding import (
    DECODERS,
    UnacceptableProtocolLevelError,
    first_byte_problem,
)
from harness.protocol.mqtt.packets import Packet


def decode(first: int, body: bytes) -> Packet:
    """The packet with this first byte and this body, which has less than 128 bytes."""
    (packet,) = Decoder().feed(bytes((first, len(body))) + body)
    return packet


def decode_hex(first: int, body: str) -> Packet:
    """Decode a body written in hexadecimal."""
    return decode(first, bytes.fromhex(body))


@pytest.mark.parametrize(("packet", "packed"), VECTORS.values(), ids=VECTORS.keys())
def test_examples_of_the_standard(packet: Packet, packed: str) -> None:
    """Every packet type; all have a remaining length of one byte."""
    raw = bytes.fromhex(packed)
    assert decode(raw[0], raw[2:]) == packet


def test_valid_first_bytes() -> None:
    """Tables 2.1 and 2.2, without the hand-shake of QoS 2 and without a PUBLISH that is DUP and QoS 0 (3.3.1.1)."""
    fixed = {0x10, 0x20, 0x40, 0x82, 0x90, 0xA2, 0xB0, 0xC0, 0xD0, 0xE0}
    publish = {0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x3A, 0x3B, 0x3C, 0x3D}
    assert set(DECODERS) == fixed | publish


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (0x00, "reserved type 0 as packet type"),
        (0xF0, "reserved type 15 as packet type"),
        (0x11, "CONNECT: flags 0x1"),
        (0x36, "PUBLISH: flags 0x6"),
        (0x80, "SUBSCRIBE: flags 0x0"),
        (0x50, "PUBREC: QoS 2 is not supported"),
        (0x62, "PUBREL: QoS 2 is not supported"),
        (0x70, "PUBCOMP: QoS 2 is not supported"),
        (0x47, "PUBACK: flags 0x7"),
    ],
)
def test_first_byte_problem(first: int, reason: str) -> None:
    """The reason names what is wrong with it."""
    assert first_byte_problem(first) == reason


MALFORMED = {
    "CONNECT, empty": (0x10, "", "CONNECT: the body ends in the middle of a field"),
    "CONNECT, protocol name of MQTT 3.1": (0x10, "0006 4d5149736470 03 02 003c 0000", "protocol name is not MQTT"),
    "CONNECT, protocol name in lower case": (0x10, "0004 6d717474 04 02 003c 0000", "protocol name is not MQTT"),
    "CONNECT, MQTT 5": (0x10, "0004 4d515454 05 02 003c 00 0000", "protocol level 5 is not 4"),
    "CONNECT, reserved flag": (0x10, "0004 4d515454 04 03 003c 0000", "reserved connect flag"),
    "CONNECT, will QoS 3": (0x10, "0004 4d515454 04 1e 003c 0000 0001 61 0000", "will with QoS 3"),
    "CONNECT, will QoS without will": (0x10, "0004 4d515454 04 0a 003c 0000", "without a will"),
    "CONNECT, will retain without will": (0x10, "0004 4d515454 04 22 003c 0000", "without a will"),
    "CONNECT, password without user name": (0x10, "0004 4d515454 04 42 003c 0000 0000", "password without username"),
    "CONNECT, will topic with wildcard": (0x10, "0004 4d515454 04 06 003c 0000 0001 23 0000", "with a wildcard"),
    "CONNECT, no client identifier": (0x10, "0004 4d515454 04 02 003c", "in the middle of a field"),
    "CONNECT, announced user name missing": (0x10, "0004 4d515454 04 82 003c 0000", "in the middle of a field"),
    "CONNECT, unannounced user name": (0x10, "0004 4d515454 04 02 003c 0000 0001 75", "3 bytes after the last field"),
    "CONNACK, short": (0x20, "00", "in the middle of a field"),
    "CONNACK, long": (0x20, "0000 00", "1 bytes after the last field"),
    "CONNACK, reserved flag": (0x20, "0200", "acknowledge flags 0x2"),
    "CONNACK, return code 6": (0x20, "0006", "return code 6"),
    "CONNACK, refusal with session": (0x20, "0105", "a refusal with a session"),
    "PUBLISH, empty": (0x30, "", "in the middle of a field"),
    "PUBLISH, half a topic length": (0x30, "00", "in the middle of a field"),
    "PUBLISH, topic cut off": (0x30, "0003 6162", "in the middle of a field"),
    "PUBLISH, identifier cut off": (0x32, "0001 61 00", "in the middle of a field"),
    "PUBLISH, identifier 0": (0x32, "0001 61 0000", "packet identifier 0"),
    "PUBLISH, empty topic": (0x30, "0000 61", "empty topic name"),
    "PUBLISH, topic with +": (0x30, "0001 2b", "topic name with a wildcard"),
    "PUBLISH, topic with #": (0x30, "0001 23", "topic name with a wildcard"),
    "PUBLISH, topic with U+0000": (0x30, "0002 6100", "text with U+0000"),
    "PUBLISH, topic with a surrogate": (0x30, "0003 eda080", "not UTF-8"),
    "PUBACK, identifier 0": (0x40, "0000", "packet identifier 0"),
    "PUBACK, short": (0x40, "01", "in the middle of a field"),
    "PUBACK, long": (0x40, "0001 00", "1 bytes after the last field"),
    "SUBSCRIBE, no filter": (0x82, "0001", "no topic filter"),
    "SUBSCRIBE, no QoS": (0x82, "0001 0001 61", "in the middle of a field"),
    "SUBSCRIBE, QoS 3": (0x82, "0001 0001 61 03", "requested QoS 0x3"),
    "SUBSCRIBE, reserved bits": (0x82, "0001 0001 61 11", "requested QoS 0x11"),
    "SUBSCRIBE, bad filter": (0x82, "0001 0002 6123 01", "not alone at its end"),
    "SUBSCRIBE, identifier 0": (0x82, "0000 0001 61 01", "packet identifier 0"),
    "SUBACK, no code": (0x90, "0001", "no return code"),
    "SUBACK, unknown code": (0x90, "0001 03", "unknown return code"),
    "UNSUBSCRIBE, no filter": (0xA2, "0001", "no topic filter"),
    "UNSUBSCRIBE, empty filter": (0xA2, "0001 0000", "empty topic filter"),
    "UNSUBACK, identifier 0": (0xB0, "0000", "packet identifier 0"),
    "PINGREQ, with a body": (0xC0, "00", "PINGREQ: 1 bytes after the last field"),
    "PINGRESP, with a body": (0xD0, "00", "PINGRESP: 1 bytes after the last field"),
    "DISCONNECT, with a body": (0xE0, "00", "DISCONNECT: 1 bytes after the last field"),
}


@pytest.mark.parametrize(("first", "body", "reason"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed(first: int, body: str, reason: str) -> None:
    """Everything section 3 calls a violation is refused with its reason."""
    with pytest.raises(RemoteProtocolError, match=reason.replace("+", r"\+")):
        decode_hex(first, body)


def test_another_protocol_level_is_told_apart() -> None:
    """Section 3.1.2.2 asks for an answer to it, so it has a type of its own."""
    with pytest.raises(UnacceptableProtocolLevelError):
        decode_hex(0x10, "0004 4d515454 03 02 003c 0000")


def test_reason_does_not_quote_the_password() -> None:
    """Reasons are logged."""
    with pytest.raises(RemoteProtocolError) as caught:
        decode_hex(0x10, "0004 4d515454 04 c2 003c 0000 0001 75 0009 736563726574")
    assert "secret" not in str(caught.value)
