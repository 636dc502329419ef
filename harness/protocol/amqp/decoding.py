"""Bytes -> value (AMQP 1.0 part 1, section 1.6), strictly; nothing but RemoteProtocolError comes out.

`READERS` maps each format code to what reads its data. A size or count of the peer reserves no memory before the bytes
it speaks of are there; nesting is limited to `MAX_DEPTH`.
"""

import struct
from collections.abc import Callable
from typing import NoReturn

from harness.errors import RemoteProtocolError
from harness.protocol.amqp import types as t
from harness.protocol.amqp.encoding import CHARACTERS, SURROGATES

Reader = Callable[[bytes, int, int], tuple[t.Value, int]]
"""(data, where to read, levels of nesting left) -> (value, where it ends)."""

MAX_DEPTH = 32
MAX_EMPTY_ELEMENTS = 16
"""The longest array whose elements take no bytes (null, true, uint 0, an empty list): its count costs the peer nothing."""


def decode(data: bytes, at: int = 0, depth: int = MAX_DEPTH) -> tuple[t.Value, int]:
    """The value that begins at `at`, and where it ends.

    Raises:
        RemoteProtocolError: it is malformed, not all there, or nested more deeply than `depth`.
    """
    try:
        return READERS[data[at]](data, at + 1, depth)
    except (IndexError, struct.error):
        raise RemoteProtocolError("the bytes end in the middle of a value") from None
    except KeyError as unknown:
        raise RemoteProtocolError(f"unknown format code {unknown.args[0]:#04x}") from None


def decode_all(data: bytes) -> t.Value:
    """The one value that `data` is.

    Raises:
        RemoteProtocolError: as `decode`, or bytes are left over.
    """
    value, end = decode(data)
    if end != len(data):
        raise RemoteProtocolError(f"{len(data) - end} bytes after the value")
    return value


def decode_descriptor(data: bytes, at: int = 0) -> tuple[t.Value, int]:
    """The descriptor of the described value that begins at `at`, and where its value begins.

    Numbers of one byte, which nearly all peers use, are read without detour.

    Raises:
        RemoteProtocolError: there is no described value, or not all of it.
    """
    if data[at : at + 2] == b"\x00\x53" and len(data) > at + 2:
        return t.ULong(data[at + 2]), at + 3
    if data[at : at + 1] != b"\x00":
        raise RemoteProtocolError("something that is not described")
    return decode(data, at + 1)


def _constant(value: t.Value) -> Reader:
    return lambda _data, at, _depth: (value, at)


def _empty_list(_data: bytes, at: int, _depth: int) -> tuple[list[t.Value], int]:
    return [], at


def _byte(kind: type[int]) -> Reader:
    return lambda data, at, _depth: (kind(data[at]), at + 1)


def _number(layout: str, kind: Callable[[t.Value], t.Value] | None = None) -> Reader:
    unpack, size = struct.Struct(layout).unpack_from, struct.calcsize(layout)
    if kind is None:
        return lambda data, at, _depth: (unpack(data, at)[0], at + size)
    return lambda data, at, _depth: (kind(unpack(data, at)[0]), at + size)


def _boolean(data: bytes, at: int, _depth: int) -> tuple[bool, int]:
    if data[at] > 1:
        raise RemoteProtocolError(f"a boolean of {data[at]:#04x}")
    return data[at] == 1, at + 1


def _char(code: int) -> t.Char:
    if code >= CHARACTERS or code in SURROGATES:
        raise RemoteProtocolError(f"a char of {code:#x}")
    return t.Char(chr(code))


def _fixed(size: int, kind: Callable[[bytes], bytes]) -> Reader:
    def read(data: bytes, at: int, _depth: int) -> tuple[bytes, int]:
        end = at + size
        return kind(data[at : _inside(data, end)]), end

    return read


def _variable(size_of_size: int, kind: Callable[[bytes], t.Value]) -> Reader:
    def read_short(data: bytes, at: int, _depth: int) -> tuple[t.Value, int]:
        end = at + 1 + data[at]
        if end > len(data):
            _cut_off()
        return kind(data[at + 1 : end]), end

    def read_long(data: bytes, at: int, _depth: int) -> tuple[t.Value, int]:
        start = at + 4
        end = _inside(data, start + _unpack_uint(data, at)[0])
        return kind(data[start:end]), end

    return read_short if size_of_size == 1 else read_long


_unpack_uint = struct.Struct(">I").unpack_from
_unpack_size_and_count = struct.Struct(">II").unpack_from


def _inside(data: bytes, end: int) -> int:
    if end > len(data):
        _cut_off()
    return end


def _cut_off() -> NoReturn:
    raise RemoteProtocolError("the bytes end in the middle of a value")


def _string(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise RemoteProtocolError("a string that is not UTF-8") from None


def _symbol(raw: bytes) -> t.Symbol:
    if not raw.isascii():
        raise RemoteProtocolError("a symbol that is not ASCII")
    return t.Symbol(raw.decode("ascii"))


def _header(data: bytes, at: int, width: int) -> tuple[int, int, int]:
    """Count of a list, map or array, and where its content starts and ends."""
    if width == 1:
        size, count = data[at], data[at + 1]
    else:
        size, count = _unpack_size_and_count(data, at)
    if size < width:
        raise RemoteProtocolError(f"a size of {size} without room for the count")
    return count, at + 2 * width, _inside(data, at + width + size)


def _items(data: bytes, at: int, width: int, depth: int) -> tuple[list[t.Value], int]:
    """The values in a list or map. Each takes a byte at least, so the count cannot exceed the content."""
    count, at, end = _header(data, at, width)
    if count > end - at:
        raise RemoteProtocolError(f"{count} values in {end - at} bytes")
    if not depth:
        raise RemoteProtocolError(f"values nested more than {MAX_DEPTH} levels deep")
    readers, items, depth = READERS, [], depth - 1
    for _ in range(count):
        item, at = readers[data[at]](data, at + 1, depth)
        items.append(item)
    if at != end:
        raise RemoteProtocolError("the size of a list or map is not that of its content")
    return items, end


def _list(width: int) -> Reader:
    return lambda data, at, depth: _items(data, at, width, depth)


def _map(width: int) -> Reader:
    def read(data: bytes, at: int, depth: int) -> tuple[dict[t.Value, t.Value], int]:
        items, end = _items(data, at, width, depth)
        if len(items) % 2:
            raise RemoteProtocolError("a map with a key that has no value")
        try:
            pairs = dict(zip(items[::2], items[1::2], strict=True))
        except TypeError:
            raise RemoteProtocolError("a map with a list, map or array as key") from None
        if 2 * len(pairs) != len(items):
            raise RemoteProtocolError("a map with two equal keys")
        return pairs, end

    return read


def _array(width: int) -> Reader:
    def read(data: bytes, at: int, depth: int) -> tuple[t.Array, int]:
        if not depth:
            raise RemoteProtocolError(f"values nested more than {MAX_DEPTH} levels deep")
        count, at, end = _header(data, at, width)
        descriptor = None
        if data[at] == 0:
            descriptor, at = decode(data, at + 1, depth - 1)
        code = data[at]
        kind = KINDS.get(code)
        if kind is None:
            raise RemoteProtocolError(f"an array with the format code {code:#04x}")
        items = _elements(data, at + 1, count, code, depth - 1)
        if at + 1 + items[1] != end:
            raise RemoteProtocolError("the size of an array is not that of its content")
        return t.Array(kind, tuple(items[0]), descriptor), end

    return read


def _elements(data: bytes, start: int, count: int, code: int, depth: int) -> tuple[list[t.Value], int]:
    """The elements of an array, and how many bytes they take."""
    limit = MAX_EMPTY_ELEMENTS if code < _WITH_DATA else len(data) - start
    if count > limit:
        raise RemoteProtocolError(f"an array of {count} elements in {len(data) - start} bytes")
    read, items, at = READERS[code], [], start
    for _ in range(count):
        item, at = read(data, at, depth)
        items.append(item)
    return items, at - start


def _described(data: bytes, at: int, depth: int) -> tuple[t.Described, int]:
    if not depth:
        raise RemoteProtocolError(f"values nested more than {MAX_DEPTH} levels deep")
    descriptor, at = decode(data, at, depth - 1)
    value, at = decode(data, at, depth - 1)
    return t.Described(descriptor, value), at


_WITH_DATA = 0x50  # format codes below stand for a value by themselves

READERS: dict[int, Reader] = {
    0x00: _described,
    0x40: _constant(None),
    0x41: _constant(True),
    0x42: _constant(False),
    0x43: _constant(t.UInt(0)),
    0x44: _constant(t.ULong(0)),
    0x45: _empty_list,
    0x50: _byte(t.UByte),
    0x51: _number(">b", t.Byte),
    0x52: _byte(t.UInt),
    0x53: _byte(t.ULong),
    0x54: _number(">b", t.Int),
    0x55: _number(">b"),
    0x56: _boolean,
    0x60: _number(">H", t.UShort),
    0x61: _number(">h", t.Short),
    0x70: _number(">I", t.UInt),
    0x71: _number(">i", t.Int),
    0x72: _number(">f", t.Float),
    0x73: _number(">I", _char),
    0x74: _fixed(4, t.Decimal32),
    0x80: _number(">Q", t.ULong),
    0x81: _number(">q"),
    0x82: _number(">d"),
    0x83: _number(">q", t.Timestamp),
    0x84: _fixed(8, t.Decimal64),
    0x94: _fixed(16, t.Decimal128),
    0x98: _fixed(16, t.Uuid),
    0xA0: _variable(1, bytes),
    0xA1: _variable(1, _string),
    0xA3: _variable(1, _symbol),
    0xB0: _variable(4, bytes),
    0xB1: _variable(4, _string),
    0xB3: _variable(4, _symbol),
    0xC0: _list(1),
    0xC1: _map(1),
    0xD0: _list(4),
    0xD1: _map(4),
    0xE0: _array(1),
    0xF0: _array(4),
}

KINDS: dict[int, type] = dict(
    (
        *((0x40, type(None)), (0x41, bool), (0x42, bool), (0x43, t.UInt), (0x44, t.ULong), (0x45, list)),
        *((0x50, t.UByte), (0x51, t.Byte), (0x52, t.UInt), (0x53, t.ULong), (0x54, t.Int), (0x55, int), (0x56, bool)),
        *((0x60, t.UShort), (0x61, t.Short), (0x70, t.UInt), (0x71, t.Int), (0x72, t.Float), (0x73, t.Char)),
        *((0x74, t.Decimal32), (0x80, t.ULong), (0x81, int), (0x82, float), (0x83, t.Timestamp)),
        *((0x84, t.Decimal64), (0x94, t.Decimal128), (0x98, t.Uuid)),
        *((0xA0, bytes), (0xA1, str), (0xA3, t.Symbol), (0xB0, bytes), (0xB1, str), (0xB3, t.Symbol)),
        *((0xC0, list), (0xC1, dict), (0xD0, list), (0xD1, dict), (0xE0, t.Array), (0xF0, t.Array)),
    )
)
"""The Python type of the elements an array with this format code has."""
