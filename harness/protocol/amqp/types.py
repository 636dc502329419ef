"""The values of AMQP 1.0 as Python objects (AMQP 1.0 part 1, "Types", section 1.6).

Every AMQP type has a Python type of its own, so that a decoded value is encoded again as what it was: a client that sent
a ulong as message-id reads a ulong as correlation-id, and one that casts a status code to int finds an int.

    null      None           byte       Byte          char         Char
    boolean   bool           short      Short         timestamp    Timestamp
    ubyte     UByte          int        Int           uuid         Uuid
    ushort    UShort         long       int           binary       bytes
    uint      UInt           float      Float         string       str
    ulong     ULong          double     float         symbol       Symbol
    list      list           map        dict          array        Array
    decimal32, decimal64, decimal128    Decimal32, Decimal64, Decimal128 (the bits, unread)
    a described value                   Described

The types of the right columns that are no built-ins derive from one and are equal to its values: `UInt(1) == 1`.
"""

from typing import Any, TypeAlias

from msgspec import Struct

Value: TypeAlias = Any
"""A value of one of the Python types above."""


class Byte(int):
    """Signed, 8 bits."""

    __slots__ = ()


class Short(int):
    """Signed, 16 bits."""

    __slots__ = ()


class Int(int):
    """Signed, 32 bits; a plain `int` is a long, signed with 64 bits."""

    __slots__ = ()


class UByte(int):
    """Unsigned, 8 bits."""

    __slots__ = ()


class UShort(int):
    """Unsigned, 16 bits."""

    __slots__ = ()


class UInt(int):
    """Unsigned, 32 bits."""

    __slots__ = ()


class ULong(int):
    """Unsigned, 64 bits."""

    __slots__ = ()


class Timestamp(int):
    """Milliseconds since the Unix epoch, signed with 64 bits."""

    __slots__ = ()


class Float(float):
    """IEEE 754 binary32; a plain `float` is a double, binary64."""

    __slots__ = ()


class Char(str):
    """One Unicode character."""

    __slots__ = ()


class Symbol(str):
    """ASCII text from a constrained domain."""

    __slots__ = ()


class Uuid(bytes):
    """The 16 bytes of a UUID (RFC 4122, section 4.1.2)."""

    __slots__ = ()


class Decimal32(bytes):
    """IEEE 754 decimal32, its 4 bytes."""

    __slots__ = ()


class Decimal64(bytes):
    """IEEE 754 decimal64, its 8 bytes."""

    __slots__ = ()


class Decimal128(bytes):
    """IEEE 754 decimal128, its 16 bytes."""

    __slots__ = ()


class Described(Struct, frozen=True):
    """A value with a descriptor, by convention a `Symbol` or a `ULong`, that says what it means."""

    descriptor: Value
    value: Value


class Array(Struct, frozen=True):
    """Values of one type; `of` is their Python type (`type(None)` for null), `descriptor` describes each of them, if any."""

    of: type
    items: tuple[Value, ...] = ()
    descriptor: Value = None
