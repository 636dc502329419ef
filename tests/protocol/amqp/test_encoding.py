"""harness.protocol.amqp.encoding: values to bytes."""

import pytest
from support.amqp_vectors import VALUES

from harness.errors import LocalProtocolError
from harness.protocol.amqp import types as t
from harness.protocol.amqp.encoding import COMPACT, WIDE, encode


@pytest.mark.parametrize(("value", "packed"), VALUES.values(), ids=VALUES.keys())
def test_vectors(value: t.Value, packed: str) -> None:
    """Every format that is ever written."""
    assert encode(value) == bytes.fromhex(packed)


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        (t.UByte, 0, 2**8 - 1),
        (t.UShort, 0, 2**16 - 1),
        (t.UInt, 0, 2**32 - 1),
        (t.ULong, 0, 2**64 - 1),
        (t.Byte, -(2**7), 2**7 - 1),
        (t.Short, -(2**15), 2**15 - 1),
        (t.Int, -(2**31), 2**31 - 1),
        (int, -(2**63), 2**63 - 1),
        (t.Timestamp, -(2**63), 2**63 - 1),
    ],
)
def test_integers_out_of_range(kind: type[int], low: int, high: int) -> None:
    """The limits fit, the numbers beyond them are our mistake."""
    assert encode(kind(low)) != encode(kind(high))
    for beyond in (low - 1, high + 1):
        with pytest.raises(LocalProtocolError, match=f"{beyond} does not fit"):
            encode(kind(beyond))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "object is no AMQP type"),
        ((1, 2), "tuple is no AMQP type"),
        ([1, {2}], "set is no AMQP type"),
        ("\ud800", "surrogate"),
        (t.Symbol("ä"), "ASCII"),
        (t.Char("ab"), "one character"),
        (t.Char(""), "one character"),
        (t.Char("\udfff"), "no surrogate"),
        (t.Uuid(b"short"), "Uuid is 16 bytes, not 5"),
        (t.Decimal32(b"12345"), "Decimal32 is 4 bytes, not 5"),
        (t.Float(1e300), "does not fit into a float"),
        (t.Array(t.UInt, (1,)), "int in an array of UInt"),
        (t.Array(tuple, ()), "tuple is no AMQP type"),
        (t.Array(t.Described, ()), "Described is no AMQP type"),
    ],
)
def test_what_cannot_be_expressed(value: t.Value, reason: str) -> None:
    """Our own mistakes are named as such."""
    with pytest.raises(LocalProtocolError, match=reason):
        encode(value)


def test_every_type_has_a_format() -> None:
    """The two tables together; a described value has no format code of its own."""
    assert set(COMPACT) - {t.Described} <= set(WIDE)


def test_formats_are_distinct() -> None:
    """No two types share a format code."""
    assert len({code for code, _ in WIDE.values()}) == len(WIDE)
