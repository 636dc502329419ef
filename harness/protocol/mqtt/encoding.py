"""Packet -> bytes (MQTT 3.1.1 section 3). Whatever the protocol cannot express is our own error."""

from collections.abc import Callable
from struct import Struct
from typing import Any

from harness.errors import LocalProtocolError
from harness.protocol.mqtt.packets import (
    SUBACK_FAILURE,
    Connack,
    ConnackCode,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
)
from harness.protocol.mqtt.topics import filter_problem, name_problem
from harness.protocol.mqtt.wire import (
    MAX_FIELD_LENGTH,
    pack_binary,
    pack_packet_id,
    pack_remaining_length,
    pack_text,
    packet_id_problem,
)

QOS_LEVELS = range(3)
CONNACK_CODES = frozenset(ConnackCode)
MAX_KEEP_ALIVE = 65_535
_PUBACK = Struct(">HH")


def encode(packet: Packet) -> bytes:
    """The packet's bytes.

    Raises:
        LocalProtocolError: a value is outside what MQTT 3.1.1 can express; the message names it.
    """
    fields = ENCODERS.get(type(packet))
    if fields is None:
        raise LocalProtocolError(f"{type(packet).__name__} is no MQTT packet")
    first, body = fields(packet)
    return bytes((first,)) + pack_remaining_length(len(body)) + body


def encode_puback(packet_id: int) -> bytes:
    """The bytes of `Puback(packet_id)` without building one: the answer to every telemetry message.

    Raises:
        LocalProtocolError: the identifier is outside 1 to 65535.
    """
    if 0 < packet_id <= MAX_FIELD_LENGTH:
        return _PUBACK.pack(0x4002, packet_id)
    raise LocalProtocolError(packet_id_problem(packet_id))


def _require(holds: bool, problem: str) -> None:  # noqa: FBT001 - an assertion
    if not holds:
        raise LocalProtocolError(problem)


def _refuse(problem: str | None) -> None:
    if problem:
        raise LocalProtocolError(problem)


def _topic(topic: str) -> bytes:
    _refuse(name_problem(topic))
    return pack_text(topic)


def _filter(topic_filter: str) -> bytes:
    _refuse(filter_problem(topic_filter))
    return pack_text(topic_filter)


def _connect(packet: Connect) -> tuple[int, bytes]:
    _require(0 <= packet.keep_alive <= MAX_KEEP_ALIVE, f"keep-alive of {packet.keep_alive} s is not in 0 to 65535")
    _require(packet.username is not None or packet.password is None, "a password needs a username")
    flags = packet.clean_session << 1
    body = pack_text(packet.client_id)
    if packet.will is not None:
        flags |= _will_flags(packet.will)
        body += _topic(packet.will.topic) + pack_binary(packet.will.payload)
    if packet.username is not None:
        flags |= 0x80
        body += pack_text(packet.username)
    if packet.password is not None:
        flags |= 0x40
        body += pack_binary(packet.password)
    return 0x10, b"\x00\x04MQTT\x04" + bytes((flags,)) + packet.keep_alive.to_bytes(2, "big") + body


def _will_flags(will: Will) -> int:
    _require(will.qos in QOS_LEVELS, f"QoS {will.qos} does not exist")
    return will.retain << 5 | will.qos << 3 | 0x04


def _connack(packet: Connack) -> tuple[int, bytes]:
    _require(packet.return_code in CONNACK_CODES, f"CONNACK return code {packet.return_code} does not exist")
    _require(not (packet.session_present and packet.return_code), "a refusal has no session")
    return 0x20, bytes((packet.session_present, packet.return_code))


def _publish(packet: Publish) -> tuple[int, bytes]:
    _require(packet.qos in QOS_LEVELS, f"QoS {packet.qos} does not exist")
    first = 0x30 | packet.dup << 3 | packet.qos << 1 | packet.retain
    if packet.qos:
        return first, _topic(packet.topic) + pack_packet_id(packet.packet_id) + packet.payload
    _require(packet.packet_id is None, "a PUBLISH with QoS 0 has no packet identifier")
    _require(not packet.dup, "a PUBLISH with QoS 0 is no duplicate")
    return first, _topic(packet.topic) + packet.payload


def _puback(packet: Puback) -> tuple[int, bytes]:
    return 0x40, pack_packet_id(packet.packet_id)


def _subscribe(packet: Subscribe) -> tuple[int, bytes]:
    _require(bool(packet.filters), "a SUBSCRIBE needs a filter")
    body = pack_packet_id(packet.packet_id)
    for topic_filter, qos in packet.filters:
        _require(qos in QOS_LEVELS, f"QoS {qos} does not exist")
        body += _filter(topic_filter) + bytes((qos,))
    return 0x82, body


def _suback(packet: Suback) -> tuple[int, bytes]:
    _require(bool(packet.return_codes), "a SUBACK needs a return code")
    for code in packet.return_codes:
        _require(code in QOS_LEVELS or code == SUBACK_FAILURE, f"SUBACK return code {code} does not exist")
    return 0x90, pack_packet_id(packet.packet_id) + bytes(packet.return_codes)


def _unsubscribe(packet: Unsubscribe) -> tuple[int, bytes]:
    _require(bool(packet.filters), "an UNSUBSCRIBE needs a filter")
    return 0xA2, pack_packet_id(packet.packet_id) + b"".join(map(_filter, packet.filters))


def _unsuback(packet: Unsuback) -> tuple[int, bytes]:
    return 0xB0, pack_packet_id(packet.packet_id)


def _pingreq(_packet: Pingreq) -> tuple[int, bytes]:
    return 0xC0, b""


def _pingresp(_packet: Pingresp) -> tuple[int, bytes]:
    return 0xD0, b""


def _disconnect(_packet: Disconnect) -> tuple[int, bytes]:
    return 0xE0, b""


ENCODERS: dict[type[Packet], Callable[[Any], tuple[int, bytes]]] = {
    Connect: _connect,
    Connack: _connack,
    Publish: _publish,
    Puback: _puback,
    Subscribe: _subscribe,
    Suback: _suback,
    Unsubscribe: _unsubscribe,
    Unsuback: _unsuback,
    Pingreq: _pingreq,
    Pingresp: _pingresp,
    Disconnect: _disconnect,
}
"""Per packet type the function that gives its first byte and its body."""
