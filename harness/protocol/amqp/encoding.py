"""Value -> bytes (AMQP 1.0 part 1, section 1.6). What AMQP cannot express is our own error.

A value is a format code and its data. `WIDE` holds one format for every type, wide enough for all its values: that of the
elements of arrays, which share one format code. Outside arrays `COMPACT` comes first: shorter formats for frequent values.
"""

import struct
from collections.abc import Callable, Iterable

from harness.errors import LocalProtocolError
from harness.protocol.amqp import types as t

Pack = Callable[[t.Value], bytes]

SMALL = 0x100
"""Sizes, counts and unsigned numbers below this have a format of one byte."""
SMALL_SIGNED = range(-0x80, 0x80)
LARGEST = 0xFFFFFFFF
CHARACTERS = 0x110000
SURROGATES = range(0xD800, 0xE000)

_pack_uint = struct.Struct(">I").pack


def encode(value: t.Value) -> bytes:
    """The value's bytes, in its shortest format.

    Raises:
        LocalProtocolError: it is of no AMQP type, or outside that type's range.
    """
    compact = COMPACT.get(type(value))
    return compact(value) if compact else _encode_wide(value)


def encode_uint(value: int) -> bytes:
    """A uint, as for `UInt(value)`."""
    if 0 < value < SMALL:
        return b"\x52" + value.to_bytes(1, "big")
    return b"\x70" + _integer(4, signed=False)(value) if value else b"\x43"


def encode_list(items: Iterable[bytes]) -> bytes:
    """A list of values that are encoded already."""
    parts = tuple(items)
    return _compound(0xC0, 0xD0, len(parts), b"".join(parts)) if parts else b"\x45"


def _encode_wide(value: t.Value) -> bytes:
    code, pack = _wide(type(value))
    return bytes((code,)) + pack(value)


def _wide(kind: type) -> tuple[int, Pack]:
    try:
        return WIDE[kind]
    except KeyError:
        raise LocalProtocolError(f"{kind.__name__} is no AMQP type") from None


def _encode_ulong(value: int) -> bytes:
    if 0 < value < SMALL:
        return b"\x53" + value.to_bytes(1, "big")
    return _encode_wide(value) if value else b"\x44"


def _small_integer(code: int) -> Pack:
    """Int and long: one byte for -128 to 127."""
    first = bytes((code,))

    def pack(value: int) -> bytes:
        return first + value.to_bytes(1, "big", signed=True) if value in SMALL_SIGNED else _encode_wide(value)

    return pack


def _encode_described(described: t.Described) -> bytes:
    return b"\x00" + encode(described.descriptor) + encode(described.value)


def _variable(small: int, raw: Callable[[t.Value], bytes]) -> Pack:
    """Binary, string and symbol: a size of one or four bytes, whose format codes differ by 0x10."""
    short, long = bytes((small,)), bytes((small + 0x10,))

    def pack(value: t.Value) -> bytes:
        data = raw(value)
        size = len(data)
        return short + size.to_bytes(1, "big") + data if size < SMALL else long + _pack_size(data) + data

    return pack


def _pack_size(data: bytes) -> bytes:
    if len(data) > LARGEST:  # pragma: no cover - 4 GiB
        raise LocalProtocolError(f"{len(data)} bytes are too many for one value")
    return _pack_uint(len(data))


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise LocalProtocolError("text with a surrogate cannot be sent") from None


def _ascii(text: str) -> bytes:
    try:
        return text.encode("ascii")
    except UnicodeEncodeError:
        raise LocalProtocolError("a symbol is ASCII text") from None


def _sized(raw: Callable[[t.Value], bytes]) -> Pack:
    def pack(value: t.Value) -> bytes:
        data = raw(value)
        return _pack_size(data) + data

    return pack


def _integer(size: int, *, signed: bool) -> Pack:
    def pack(value: int) -> bytes:
        try:
            return value.to_bytes(size, "big", signed=signed)
        except OverflowError:
            raise LocalProtocolError(
                f"{value} does not fit into {'' if signed else 'un'}signed {8 * size} bits"
            ) from None

    return pack


def _exactly(size: int) -> Pack:
    def pack(value: bytes) -> bytes:
        if len(value) != size:
            raise LocalProtocolError(f"{type(value).__name__} is {size} bytes, not {len(value)}")
        return bytes(value)

    return pack


def _pack_float(value: float) -> bytes:
    try:
        return struct.pack(">f", value)
    except OverflowError:
        raise LocalProtocolError(f"{value} does not fit into a float") from None


def _pack_char(value: str) -> bytes:
    if len(value) != 1 or ord(value) in SURROGATES:
        raise LocalProtocolError("a char is one character, and no surrogate")
    return _pack_uint(ord(value))


def _compound(small: int, large: int, count: int, body: bytes) -> bytes:
    """Size, count and content; the size includes the count."""
    if count < SMALL and len(body) < SMALL - 1:
        return bytes((small, len(body) + 1, count)) + body
    return bytes((large,)) + _compound_data(count, body)


def _compound_data(count: int, body: bytes) -> bytes:
    counted = _pack_uint(count) + body
    return _pack_size(counted) + counted


def _list_body(items: list[t.Value]) -> bytes:
    return b"".join(map(encode, items))


def _map_body(items: dict[t.Value, t.Value]) -> bytes:
    return b"".join(encode(key) + encode(value) for key, value in items.items())


def _array_body(array: t.Array) -> bytes:
    code, pack = _wide(array.of)
    for item in array.items:
        if type(item) is not array.of:
            raise LocalProtocolError(f"{type(item).__name__} in an array of {array.of.__name__}")
    described = b"" if array.descriptor is None else b"\x00" + encode(array.descriptor)
    return described + bytes((code,)) + b"".join(map(pack, array.items))


WIDE: dict[type, tuple[int, Pack]] = {
    type(None): (0x40, lambda _: b""),
    bool: (0x56, lambda value: b"\x01" if value else b"\x00"),
    t.UByte: (0x50, _integer(1, signed=False)),
    t.Byte: (0x51, _integer(1, signed=True)),
    t.UShort: (0x60, _integer(2, signed=False)),
    t.Short: (0x61, _integer(2, signed=True)),
    t.UInt: (0x70, _integer(4, signed=False)),
    t.Int: (0x71, _integer(4, signed=True)),
    t.Float: (0x72, _pack_float),
    t.Char: (0x73, _pack_char),
    t.Decimal32: (0x74, _exactly(4)),
    t.ULong: (0x80, _integer(8, signed=False)),
    int: (0x81, _integer(8, signed=True)),
    float: (0x82, struct.Struct(">d").pack),
    t.Timestamp: (0x83, _integer(8, signed=True)),
    t.Decimal64: (0x84, _exactly(8)),
    t.Decimal128: (0x94, _exactly(16)),
    t.Uuid: (0x98, _exactly(16)),
    bytes: (0xB0, _sized(bytes)),
    str: (0xB1, _sized(_utf8)),
    t.Symbol: (0xB3, _sized(_ascii)),
    list: (0xD0, lambda items: _compound_data(len(items), _list_body(items))),
    dict: (0xD1, lambda items: _compound_data(2 * len(items), _map_body(items))),
    t.Array: (0xF0, lambda array: _compound_data(len(array.items), _array_body(array))),
}

COMPACT: dict[type, Pack] = {
    bool: lambda value: b"\x41" if value else b"\x42",
    t.UInt: encode_uint,
    t.ULong: _encode_ulong,
    t.Int: _small_integer(0x54),
    int: _small_integer(0x55),
    bytes: _variable(0xA0, bytes),
    str: _variable(0xA1, _utf8),
    t.Symbol: _variable(0xA3, _ascii),
    list: lambda items: encode_list(map(encode, items)),
    dict: lambda items: _compound(0xC1, 0xD1, 2 * len(items), _map_body(items)),
    t.Array: lambda array: _compound(0xE0, 0xF0, len(array.items), _array_body(array)),
    t.Described: _encode_described,
}
