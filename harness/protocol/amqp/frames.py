"""Frames: bytes -> (channel, composite, payload) and back (AMQP 1.0 part 2, section 2.3; SASL frames part 5, 5.3.1).

    size (4 bytes, of the whole frame) | data offset (1, in words of 4 bytes) | type (1) | channel (2) | extension | body

An empty body is a sign of life. Protocol headers, which stand before frames, are in `HEADERS`.
"""

import struct
from enum import Enum
from typing import Final, NamedTuple

from msgspec import Struct

from harness.errors import RemoteProtocolError
from harness.protocol.amqp.conditions import FRAMING_ERROR, AmqpViolation
from harness.protocol.amqp.decoding import decode, decode_descriptor
from harness.protocol.amqp.schema import encode_composite, fill, schema_of

AMQP_HEADER: Final = b"AMQP\x00\x01\x00\x00"
SASL_HEADER: Final = b"AMQP\x03\x01\x00\x00"
HEADER_SIZE: Final = 8
"""Of a protocol header, and by coincidence of a frame header without extension."""
MIN_MAX_FRAME_SIZE: Final = 512
"""The smallest limit a peer may set (section 2.7.1)."""


class FrameType(Enum):
    """Third field of a frame header."""

    AMQP = 0
    SASL = 1


class Frame(NamedTuple):
    """One frame; `body` is None in an empty one. Of SASL frames the channel means nothing."""

    channel: int
    body: Struct | None
    payload: bytes


_unpack_header = struct.Struct(">IBBH").unpack_from
_pack_header = struct.Struct(">IBBH").pack
_pack_accepted = struct.Struct(">IBBH8sI6s").pack


def encode_frame(kind: FrameType, channel: int, body: Struct | None, payload: bytes = b"") -> bytes:
    """A frame's bytes.

    Raises:
        LocalProtocolError: a field of the body is out of its type's range.
    """
    return wrap(kind, channel, (b"" if body is None else encode_composite(body)) + payload)


def wrap(kind: FrameType, channel: int, content: bytes) -> bytes:
    """Put the header before an encoded body and its payload."""
    return _pack_header(HEADER_SIZE + len(content), 2, kind.value, channel) + content


def encode_accepted(channel: int, delivery_id: int) -> bytes:
    """The frame of `Disposition(RECEIVER, delivery_id, settled=True, state=Accepted())`: the answer to all telemetry."""
    return _pack_accepted(
        26, 2, 0, channel, b"\x00\x53\x15\xc0\x0d\x05\x41\x70", delivery_id, b"\x40\x41\x00\x53\x24\x45"
    )


class FrameDecoder:
    """Incremental decoder of one direction of one connection.

    Bytes go in by `append` in any fragmentation; `next_header`, then `next_frame` take them out. After an error every
    further call raises the same one.

    Args:
        max_frame_size: the largest frame accepted, in bytes; it bounds the memory a peer can claim.
    """

    __slots__ = ("_buffer", "_max_frame_size")

    def __init__(self, max_frame_size: int) -> None:
        self._buffer = bytearray()
        self._max_frame_size = max_frame_size

    def __len__(self) -> int:
        """How many bytes wait to be decoded."""
        return len(self._buffer)

    def append(self, data: bytes) -> None:
        """Take bytes without looking at them."""
        self._buffer += data

    def next_header(self) -> bytes | None:
        """The next eight bytes, whatever they are, or None until they are there."""
        if len(self._buffer) < HEADER_SIZE:
            return None
        header = bytes(self._buffer[:HEADER_SIZE])
        del self._buffer[:HEADER_SIZE]
        return header

    def next_frame(self, kind: FrameType) -> Frame | None:
        """The next frame, or None until more bytes arrive.

        Raises:
            AmqpViolation: the frame header is malformed, for another layer, or announces too large a frame.
            RemoteProtocolError: the body is malformed.
        """
        buffer = self._buffer
        if len(buffer) < HEADER_SIZE:
            return None
        size, offset, number, channel = _unpack_header(buffer)
        if number != kind.value or offset < 2 or not 4 * offset <= size <= self._max_frame_size:  # noqa: PLR2004
            raise AmqpViolation(FRAMING_ERROR, self._problem(size, offset, number, kind))
        if len(buffer) < size:
            return None
        body = bytes(buffer[4 * offset : size])
        frame = _frame(channel, body) if body else Frame(channel, None, b"")
        del buffer[:size]
        return frame

    def _problem(self, size: int, offset: int, number: int, kind: FrameType) -> str:
        if number != kind.value:
            return f"a frame of type {number} instead of {kind.name}"
        if size > self._max_frame_size:
            return f"a frame of {size} bytes exceeds {self._max_frame_size}"
        return f"a frame of {size} bytes with its body at {4 * offset}"


def _frame(channel: int, data: bytes) -> Frame:
    """The composite and what follows it."""
    descriptor, at = decode_descriptor(data)
    schema = schema_of(descriptor)
    if schema is None:
        raise RemoteProtocolError(f"a frame with the unknown descriptor {str(descriptor)[:40]!r}")
    values, end = decode(data, at)
    return Frame(channel, fill(schema, values), data[end:])
