"""harness.protocol.mqtt.wire: fields, with the examples of MQTT 3.1.1."""

import pytest

from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.protocol.mqtt.wire import (
    Reader,
    pack_binary,
    pack_packet_id,
    pack_remaining_length,
    pack_text,
    read_remaining_length,
    read_text,
)

# Table 2.4: first and last number of every size.
REMAINING_LENGTHS = [
    (0, "00"),
    (127, "7f"),
    (128, "80 01"),
    (16_383, "ff 7f"),
    (16_384, "80 80 01"),
    (2_097_151, "ff ff 7f"),
    (2_097_152, "80 80 80 01"),
    (268_435_455, "ff ff ff 7f"),
]


@pytest.mark.parametrize(("length", "packed"), REMAINING_LENGTHS)
def test_pack_remaining_length(length: int, packed: str) -> None:
    """Table 2.4, written."""
    assert pack_remaining_length(length) == bytes.fromhex(packed)


@pytest.mark.parametrize(("length", "packed"), REMAINING_LENGTHS)
def test_read_remaining_length(length: int, packed: str) -> None:
    """Table 2.4, read."""
    data = b"\x30" + bytes.fromhex(packed)
    assert read_remaining_length(data + b"more", 1) == (length, len(data))


def test_remaining_length_in_more_bytes_than_needed() -> None:
    """3.1.1 does not forbid it."""
    assert read_remaining_length(b"\xc0\x80\x80\x00", 1) == (0, 4)


@pytest.mark.parametrize("data", [b"\x30", b"\x30\x80", b"\x30\xff\xff\xff"])
def test_remaining_length_not_yet_complete(data: bytes) -> None:
    """More bytes may still come."""
    assert read_remaining_length(data, 1) is None


def test_remaining_length_of_five_bytes() -> None:
    """Refused at the fourth byte, before a fifth is there."""
    with pytest.raises(RemoteProtocolError, match="more than four bytes"):
        read_remaining_length(b"\x30\x80\x80\x80\x80", 1)


def test_remaining_length_too_large_to_send() -> None:
    """256 MiB do not fit."""
    with pytest.raises(LocalProtocolError, match="longer than 268435455"):
        pack_remaining_length(268_435_456)


def test_text_with_a_character_beyond_the_basic_plane() -> None:
    """Figure 1.1 and its example: A and U+2A6D4."""
    assert pack_text("A\U0002a6d4") == bytes.fromhex("0005 41 f0 aa 9b 94")


def test_byte_order_mark_is_an_ordinary_character() -> None:
    """MQTT-1.5.3-3: it is never stripped."""
    assert read_text(b"\xef\xbb\xbfa") == "\ufeffa"


@pytest.mark.parametrize(
    "raw",
    [b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"],
    ids=["no UTF-8", "surrogate", "overlong", "beyond U+10FFFF", "cut off"],
)
def test_text_that_is_no_utf8(raw: bytes) -> None:
    """MQTT-1.5.3-1."""
    with pytest.raises(RemoteProtocolError, match="not UTF-8"):
        read_text(raw)


def test_text_with_u0000_from_the_peer() -> None:
    """MQTT-1.5.3-2."""
    with pytest.raises(RemoteProtocolError, match=r"U\+0000"):
        read_text(b"a\0b")


@pytest.mark.parametrize(
    ("text", "reason"), [("a\0", r"U\+0000"), ("\ud800", "surrogate"), ("x" * 65_536, "65536 bytes")]
)
def test_text_that_cannot_be_sent(text: str, reason: str) -> None:
    """Our own mistakes are named as such."""
    with pytest.raises(LocalProtocolError, match=reason):
        pack_text(text)


def test_longest_binary_field() -> None:
    """65535 bytes still fit."""
    assert pack_binary(bytes(65_535)) == b"\xff\xff" + bytes(65_535)


@pytest.mark.parametrize("packet_id", [None, 0, -1, 65_536])
def test_packet_id_that_does_not_exist(packet_id: int | None) -> None:
    """Identifiers are 1 to 65535."""
    with pytest.raises(LocalProtocolError, match="not in 1 to 65535"):
        pack_packet_id(packet_id)


def test_reader_takes_fields_in_order() -> None:
    """Byte, integer, identifier, text and binary one after the other."""
    reader = Reader(bytes.fromhex("07 0102 000a 0001 61 0002 ffff"))
    fields = (reader.byte(), reader.integer(), reader.packet_id(), reader.text(), reader.binary(), reader.left)
    assert fields == (7, 0x0102, 10, "a", b"\xff\xff", 0)


@pytest.mark.parametrize("body", ["", "00", "0003 6162"])
def test_reader_at_the_end_of_the_body(body: str) -> None:
    """A field that is not all there is refused."""
    with pytest.raises(RemoteProtocolError, match="in the middle of a field"):
        Reader(bytes.fromhex(body)).text()


def test_reader_refuses_packet_id_0() -> None:
    """MQTT-2.3.1-1."""
    with pytest.raises(RemoteProtocolError, match="identifier 0"):
        Reader(b"\0\0").packet_id()


def test_reader_refuses_bytes_after_the_last_field() -> None:
    """A body is as long as its fields."""
    with pytest.raises(RemoteProtocolError, match="2 bytes after the last field"):
        Reader(b"ab").end()
