"""The fields packets are made of (MQTT 3.1.1 sections 1.5 and 2.2.3), written for our side and read from the peer's.

Integers are big endian. Text and binary fields carry a two-byte length. Text is UTF-8 without U+0000 and without
surrogates. The remaining length takes one to four bytes of seven bits, least significant first; longer encodings of a
small number are accepted, for version 3.1.1 does not forbid them.
"""

from harness.errors import LocalProtocolError, RemoteProtocolError

MAX_REMAINING_LENGTH = 268_435_455
MAX_FIELD_LENGTH = 65_535
LENGTH_BYTES = 4
CUT_SHORT = "the body ends in the middle of a field"
CONTINUES = 0x80
"""Set in a byte of the remaining length when another one follows."""


def pack_packet_id(packet_id: int | None) -> bytes:
    """A packet identifier (section 2.3.1).

    Raises:
        LocalProtocolError: it is missing, or outside 1 to 65535.
    """
    if packet_id is None or not 0 < packet_id <= MAX_FIELD_LENGTH:
        raise LocalProtocolError(packet_id_problem(packet_id))
    return packet_id.to_bytes(2, "big")


def packet_id_problem(packet_id: int | None) -> str:
    """What is wrong with a packet identifier that is missing, or outside 1 to 65535."""
    return f"packet identifier {packet_id} is not in 1 to 65535"


def pack_binary(data: bytes) -> bytes:
    """A binary field.

    Raises:
        LocalProtocolError: it is longer than 65535 bytes.
    """
    if len(data) > MAX_FIELD_LENGTH:
        raise LocalProtocolError(f"a field of {len(data)} bytes is longer than 65535")
    return len(data).to_bytes(2, "big") + data


def pack_text(text: str) -> bytes:
    """A text field (section 1.5.3).

    Raises:
        LocalProtocolError: it is too long, or holds U+0000 or a surrogate.
    """
    if "\0" in text:
        raise LocalProtocolError("text with U+0000 cannot be sent")
    try:
        return pack_binary(text.encode())
    except UnicodeEncodeError:
        raise LocalProtocolError("text with a surrogate cannot be sent") from None


def pack_remaining_length(length: int) -> bytes:
    """The remaining length of a packet, 0 to 268435455.

    Raises:
        LocalProtocolError: it is larger.
    """
    if length > MAX_REMAINING_LENGTH:
        raise LocalProtocolError(f"a packet of {length} bytes is longer than {MAX_REMAINING_LENGTH}")
    packed = bytearray()
    while length >= CONTINUES:
        packed.append(length % CONTINUES | CONTINUES)
        length //= CONTINUES
    packed.append(length)
    return bytes(packed)


def read_remaining_length(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """The remaining length that stands in `data` from `at` on, and where the body behind it starts; None while bytes are missing.

    Raises:
        RemoteProtocolError: the fourth byte says that another one follows.
    """
    length = shift = 0
    for byte in data[at : at + LENGTH_BYTES]:
        at += 1
        if byte < CONTINUES:
            return length | byte << shift, at
        length |= (byte - CONTINUES) << shift
        shift += 7
    if shift == 7 * LENGTH_BYTES:
        raise RemoteProtocolError("a remaining length of more than four bytes")
    return None


def read_text(raw: bytes) -> str:
    """The text of a text field.

    Raises:
        RemoteProtocolError: it is no UTF-8, or holds U+0000 or a surrogate.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise RemoteProtocolError("text that is not UTF-8") from None
    if "\0" in text:
        raise RemoteProtocolError("text with U+0000")
    return text


class Reader:
    """Takes the fields of one packet's body from `at` to its end; a field that is not all there is the peer's error."""

    __slots__ = ("_at", "_body")

    def __init__(self, body: bytes, at: int = 0) -> None:
        self._body = body
        self._at = at

    @property
    def left(self) -> int:
        """How many bytes are still unread."""
        return len(self._body) - self._at

    def rest(self) -> bytes:
        """Everything that is still unread."""
        return self._body[self._at :]

    def byte(self) -> int:
        """One byte."""
        body, at = self._body, self._at
        if at >= len(body):
            raise RemoteProtocolError(CUT_SHORT)
        self._at = at + 1
        return body[at]

    def integer(self) -> int:
        """A two-byte integer."""
        body, at = self._body, self._at
        if at + 2 > len(body):
            raise RemoteProtocolError(CUT_SHORT)
        self._at = at + 2
        return body[at] << 8 | body[at + 1]

    def packet_id(self) -> int:
        """A packet identifier, which is never 0 (section 2.3.1)."""
        packet_id = self.integer()
        if not packet_id:
            raise RemoteProtocolError("packet identifier 0")
        return packet_id

    def binary(self) -> bytes:
        """A binary field."""
        body, start = self._body, self._at + 2
        end = start + int.from_bytes(body[self._at : start], "big")
        if end > len(body):
            raise RemoteProtocolError(CUT_SHORT)
        self._at = end
        return body[start:end]

    def text(self) -> str:
        """A text field."""
        return read_text(self.binary())

    def end(self) -> None:
        """Nothing may be left."""
        if self._at < len(self._body):
            raise RemoteProtocolError(f"{self.left} bytes after the last field")
