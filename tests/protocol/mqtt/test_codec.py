"""harness.protocol.mqtt.codec: streams of bytes, whole, in fragments, broken and random."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.mqtt_strategies import fragments, packets

from harness.errors import RemoteProtocolError
from harness.protocol.mqtt.codec import DEFAULT_MAX_PACKET_SIZE, Decoder, encode
from harness.protocol.mqtt.packets import Packet, Pingreq, Puback, Publish

PING = encode(Pingreq())


@given(st.lists(packets, max_size=5), st.lists(st.integers(0, 10_000), max_size=8))
def test_round_trip_under_any_fragmentation(sent: list[Packet], cuts: list[int]) -> None:
    """What is encoded comes out again, in order, wherever the stream is cut."""
    decoder = Decoder()
    received = [packet for part in fragments(b"".join(map(encode, sent)), cuts) for packet in decoder.feed(part)]
    assert received == sent
    assert len(decoder) == 0


@given(packets)
def test_round_trip_byte_by_byte(sent: Packet) -> None:
    """A packet comes out with its last byte and not before."""
    decoder = Decoder()
    *most, last = [decoder.feed(bytes((byte,))) for byte in encode(sent)]
    assert (last, any(most)) == ([sent], False)


def decode_all(data: bytes, cuts: list[int]) -> None:
    """Decode until the first error, which must be the peer's."""
    decoder = Decoder(max_packet_size=1_000)
    try:
        for part in fragments(data, cuts):
            for packet in decoder.feed(part):
                encode(packet)
    except RemoteProtocolError as error:
        assert str(error)  # noqa: PT017 - not raising is as good


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=3))
def test_random_bytes_raise_nothing_but_the_remote_error(data: bytes, cuts: list[int]) -> None:
    """Whatever is decoded can be encoded, and whatever cannot is the peer's fault."""
    decode_all(data, cuts)


@given(packets, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=3), st.integers(0, 10_000))
def test_mutated_packets_raise_nothing_but_the_remote_error(
    packet: Packet, changes: list[tuple[int, int]], length: int
) -> None:
    """Bytes changed and cut off reach deeper than random ones."""
    data = bytearray(encode(packet))
    for position, value in changes:
        data[position % len(data)] = value
    decode_all(bytes(data[: max(length % (len(data) + 1), 1)]), [])


def test_packets_before_a_malformed_one_come_first() -> None:
    """`feed` returns them, and the error stays for the next call and every one after it."""
    decoder = Decoder()
    assert decoder.feed(PING + encode(Puback(1)) + b"\xff") == [Pingreq(), Puback(1)]
    for _ in range(2):
        with pytest.raises(RemoteProtocolError, match="reserved type 15"):
            decoder.feed(PING)


def test_next_packet_stops_at_the_malformed_one() -> None:
    """The same, one packet at a time."""
    decoder = Decoder()
    decoder.append(PING + b"\xc0\x01\x00")
    assert decoder.next_packet() == Pingreq()
    with pytest.raises(RemoteProtocolError, match="PINGREQ: 1 bytes after the last field"):
        decoder.next_packet()


def test_an_invalid_first_byte_is_refused_at_once() -> None:
    """Text sent to an MQTT port (`GET /`) waits for no body."""
    with pytest.raises(RemoteProtocolError, match="PUBACK: flags 0x7"):
        Decoder().feed(b"G")


def test_a_packet_at_the_size_limit_is_accepted() -> None:
    """The limit counts the remaining length: topic and payload here."""
    packet = Publish("t", bytes(97))
    assert Decoder(max_packet_size=100).feed(encode(packet)) == [packet]


def test_a_packet_over_the_size_limit_is_refused_with_its_header() -> None:
    """No memory is spent on its body."""
    with pytest.raises(RemoteProtocolError, match="a packet of 101 bytes exceeds 100"):
        Decoder(max_packet_size=100).feed(encode(Publish("t", bytes(98)))[:2])


def test_the_largest_message_of_the_hub_fits() -> None:
    """256 KB under the longest topic, with a packet identifier."""
    packet = Publish("t" * 65_535, bytes(262_144), 1, 1)
    assert Decoder(DEFAULT_MAX_PACKET_SIZE).feed(encode(packet)) == [packet]


def test_waiting_bytes_are_counted() -> None:
    """`len` tells what is held but not decoded."""
    decoder = Decoder()
    decoder.append(b"\x30\x05\x00")
    assert (decoder.next_packet(), len(decoder)) == (None, 3)
