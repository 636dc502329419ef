"""MQTT 3.1.1 packets with their bytes: the examples of the standard, completed by hand to whole packets."""

from harness.protocol.mqtt.packets import (
    Connack,
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

# Section 3.1.2.11: user name, password, will with QoS 1, clean session, keep-alive 10 s.
_FULL_CONNECT = "10 1e 0004 4d515454 04 ce 000a 0001 63 0003 612f62 0002 6279 0001 75 0003 000102"

VECTORS: dict[str, tuple[Packet, str]] = {
    "CONNECT, figure 3.6": (
        Connect("c", 10, True, "u", b"\x00\x01\x02", Will("a/b", b"by", 1, retain=False)),
        _FULL_CONNECT,
    ),
    "CONNECT, bare": (Connect("", 0, clean_session=False), "10 0c 0004 4d515454 04 00 0000 0000"),
    "CONNECT, retained will, QoS 2": (
        Connect("", 65_535, clean_session=False, will=Will("w", b"", 2, retain=True)),
        "10 11 0004 4d515454 04 34 ffff 0000 0001 77 0000",
    ),
    "CONNECT, user name only": (
        Connect("d", 60, clean_session=False, username=""),
        "10 0f 0004 4d515454 04 80 003c 0001 64 0000",
    ),
    "CONNACK, section 3.2": (Connack(0, session_present=True), "20 02 01 00"),
    "CONNACK, not authorized": (Connack(5), "20 02 00 05"),
    "PUBLISH, figure 3.11": (Publish("a/b", b"", 1, 10), "32 07 0003 612f62 000a"),
    "PUBLISH, QoS 0": (Publish("a/b", b"hi"), "30 07 0003 612f62 6869"),
    "PUBLISH, QoS 0 retained": (Publish("a", b"", retain=True), "31 03 0001 61"),
    "PUBLISH, QoS 1 duplicate, retained": (Publish("a", b"x", 1, 1, True, True), "3b 06 0001 61 0001 78"),
    "PUBLISH, QoS 2": (Publish("a", b"", 2, 65_535), "34 05 0001 61 ffff"),
    "PUBACK, section 3.4": (Puback(10), "40 02 000a"),
    "SUBSCRIBE, figure 3.23": (Subscribe(10, (("a/b", 1), ("c/d", 2))), "82 0e 000a 0003 612f62 01 0003 632f64 02"),
    "SUBACK, figure 3.26": (Suback(10, (0, 2, 0x80)), "90 05 000a 00 02 80"),
    "UNSUBSCRIBE, figure 3.30": (Unsubscribe(10, ("a/b", "c/d")), "a2 0c 000a 0003 612f62 0003 632f64"),
    "UNSUBACK, section 3.11": (Unsuback(10), "b0 02 000a"),
    "PINGREQ, section 3.12": (Pingreq(), "c0 00"),
    "PINGRESP, section 3.13": (Pingresp(), "d0 00"),
    "DISCONNECT, section 3.14": (Disconnect(), "e0 00"),
}
