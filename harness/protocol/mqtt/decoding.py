"""The bytes of one packet -> packet (MQTT 3.1.1 section 3), strictly: what the text calls malformed is refused.

`DECODERS` maps every valid first byte, packet type and flags together (tables 2.1 and 2.2), to the function that reads
the body. A first byte without an entry is refused before its body has arrived.
"""

from collections.abc import Callable

from harness.errors import RemoteProtocolError
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
from harness.protocol.mqtt.wire import CUT_SHORT, Reader, pack_text, read_text

PROTOCOL_NAME = "MQTT"
PROTOCOL_LEVEL = 4
_MQTT_3_1_1 = pack_text(PROTOCOL_NAME) + bytes((PROTOCOL_LEVEL,))
MAX_QOS = 2
CONNACK_CODES = frozenset(ConnackCode)
TYPE_NAMES = (
    *("reserved type 0", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP"),
    *("SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "reserved type 15"),
)


class UnacceptableProtocolLevelError(RemoteProtocolError):
    """CONNECT for another version of MQTT, to be answered with CONNACK 1 (section 3.1.2.2)."""


def with_packet_name(first: int, error: RemoteProtocolError) -> RemoteProtocolError:
    """The error of a function of `DECODERS`, its message with the packet's name in front."""
    return type(error)(f"{TYPE_NAMES[first >> 4]}: {error}")


def first_byte_problem(first: int) -> str:
    """Why `first` is not in `DECODERS`."""
    name = TYPE_NAMES[first >> 4]
    if name.startswith("reserved"):
        return f"{name} as packet type"
    if name in ("PUBREC", "PUBREL", "PUBCOMP"):
        return f"{name}: QoS 2 is not supported"
    return f"{name}: flags {first & 0x0F:#x}"


def _check(holds: bool, problem: str) -> None:  # noqa: FBT001 - an assertion
    if not holds:
        raise RemoteProtocolError(problem)


def _publish(first: int, body: bytes) -> Publish:
    """Reads by offset instead of with a `Reader`, and calls nothing while all is well: every telemetry message passes here."""
    qos, dup, retain = _PUBLISH_FLAGS[first]
    size = len(body)
    topic_end = 2 + (body[0] << 8 | body[1]) if size > 1 else 2
    payload_start = topic_end + 2 if qos else topic_end
    if payload_start > size:
        raise RemoteProtocolError(CUT_SHORT)
    try:
        topic = body[2:topic_end].decode()
    except UnicodeDecodeError:
        topic = ""
    if not topic or "+" in topic or "#" in topic or "\0" in topic:
        raise RemoteProtocolError(name_problem(read_text(body[2:topic_end])))
    if not qos:
        return Publish(topic, body[payload_start:], 0, None, dup, retain)
    packet_id = body[topic_end] << 8 | body[topic_end + 1]
    if not packet_id:
        raise RemoteProtocolError("packet identifier 0")
    return Publish(topic, body[payload_start:], qos, packet_id, dup, retain)


def _connect(_first: int, body: bytes) -> Connect:
    if not body.startswith(_MQTT_3_1_1):
        raise _protocol_problem(Reader(body))
    reader = Reader(body, len(_MQTT_3_1_1))
    flags = reader.byte()
    if _CONNECT_PROBLEMS[flags] is not None:
        raise RemoteProtocolError(_CONNECT_PROBLEMS[flags])
    keep_alive = reader.integer()
    client_id = reader.text()
    will = _will(reader, flags) if flags & 0x04 else None
    username = reader.text() if flags & 0x80 else None
    password = reader.binary() if flags & 0x40 else None
    reader.end()
    return Connect(client_id, keep_alive, bool(flags & 0x02), username, password, will)


def _protocol_problem(reader: Reader) -> RemoteProtocolError:
    """Why a CONNECT does not begin with `_MQTT_3_1_1`."""
    if reader.text() != PROTOCOL_NAME:
        return RemoteProtocolError(f"protocol name is not {PROTOCOL_NAME}")
    return UnacceptableProtocolLevelError(f"protocol level {reader.byte()} is not {PROTOCOL_LEVEL}")


def _connect_flags_problem(flags: int) -> str | None:
    if flags & 0x01:
        return "reserved connect flag"
    if flags >> 3 & 3 > MAX_QOS:
        return "will with QoS 3"
    if flags & 0x38 and not flags & 0x04:
        return "will QoS or will retain without a will"
    return "password without username" if flags & 0x40 and not flags & 0x80 else None


_CONNECT_PROBLEMS = tuple(map(_connect_flags_problem, range(256)))


def _will(reader: Reader, flags: int) -> Will:
    topic = _topic_name(reader)
    return Will(topic, reader.binary(), flags >> 3 & 3, bool(flags & 0x20))


def _topic_name(reader: Reader) -> str:
    topic = reader.text()
    problem = name_problem(topic)
    if problem:
        raise RemoteProtocolError(problem)
    return topic


def _topic_filter(reader: Reader) -> str:
    topic_filter = reader.text()
    problem = filter_problem(topic_filter)
    if problem:
        raise RemoteProtocolError(problem)
    return topic_filter


def _connack(_first: int, body: bytes) -> Connack:
    reader = Reader(body)
    flags, return_code = reader.byte(), reader.byte()
    reader.end()
    _check(flags <= 1, f"acknowledge flags {flags:#x}")
    _check(return_code in CONNACK_CODES, f"return code {return_code}")
    _check(not (flags and return_code), "a refusal with a session")
    return Connack(return_code, bool(flags))


def _packet_id(body: bytes) -> int:
    reader = Reader(body)
    packet_id = reader.packet_id()
    reader.end()
    return packet_id


def _puback(_first: int, body: bytes) -> Puback:
    return Puback(_packet_id(body))


def _unsuback(_first: int, body: bytes) -> Unsuback:
    return Unsuback(_packet_id(body))


def _subscribe(_first: int, body: bytes) -> Subscribe:
    reader = Reader(body)
    packet_id = reader.packet_id()
    filters = []
    while reader.left:
        topic_filter, qos = _topic_filter(reader), reader.byte()
        _check(qos <= MAX_QOS, f"requested QoS {qos:#x}")
        filters.append((topic_filter, qos))
    _check(bool(filters), "no topic filter")
    return Subscribe(packet_id, tuple(filters))


def _suback(_first: int, body: bytes) -> Suback:
    reader = Reader(body)
    packet_id = reader.packet_id()
    codes = tuple(reader.rest())
    _check(bool(codes), "no return code")
    _check(all(code <= MAX_QOS or code == SUBACK_FAILURE for code in codes), "unknown return code")
    return Suback(packet_id, codes)


def _unsubscribe(_first: int, body: bytes) -> Unsubscribe:
    reader = Reader(body)
    packet_id = reader.packet_id()
    filters = []
    while reader.left:
        filters.append(_topic_filter(reader))
    _check(bool(filters), "no topic filter")
    return Unsubscribe(packet_id, tuple(filters))


def _pingreq(_first: int, body: bytes) -> Pingreq:
    if body:
        Reader(body).end()
    return Pingreq()


def _pingresp(_first: int, body: bytes) -> Pingresp:
    if body:
        Reader(body).end()
    return Pingresp()


def _disconnect(_first: int, body: bytes) -> Disconnect:
    if body:
        Reader(body).end()
    return Disconnect()


_PUBLISH_FLAGS = {
    0x30 | dup << 3 | qos << 1 | retain: (qos, bool(dup), bool(retain))
    for qos in range(MAX_QOS + 1)
    for dup in ((0, 1) if qos else (0,))  # with QoS 0 never a duplicate (section 3.3.1.1)
    for retain in (0, 1)
}
"""Per first byte of a PUBLISH what it says: QoS, DUP, RETAIN. QoS 3 does not exist (section 3.3.1.2)."""

DECODERS: dict[int, Callable[[int, bytes], Packet]] = {
    0x10: _connect,
    0x20: _connack,
    **dict.fromkeys(_PUBLISH_FLAGS, _publish),
    0x40: _puback,
    0x82: _subscribe,
    0x90: _suback,
    0xA2: _unsubscribe,
    0xB0: _unsuback,
    0xC0: _pingreq,
    0xD0: _pingresp,
    0xE0: _disconnect,
}
