"""harness.protocol.amqp.decoding: bytes to values, strictly."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.amqp_strategies import changes, mutated, typed, values
from support.amqp_vectors import OTHER_FORMATS, VALUES

from harness.errors import RemoteProtocolError
from harness.protocol.amqp import types as t
from harness.protocol.amqp.decoding import KINDS, MAX_DEPTH, READERS, decode, decode_all
from harness.protocol.amqp.encoding import WIDE, encode


@pytest.mark.parametrize(
    ("value", "packed"), [*VALUES.values(), *OTHER_FORMATS.values()], ids=[*VALUES.keys(), *OTHER_FORMATS.keys()]
)
def test_vectors(value: t.Value, packed: str) -> None:
    """Every format a peer may send; the type is as exact as the value."""
    assert typed(decode_all(bytes.fromhex(packed))) == typed(value)


@given(values)
def test_round_trip(value: t.Value) -> None:
    """What is encoded comes out again, types included (rule: the type of an identifier survives)."""
    assert typed(decode_all(encode(value))) == typed(value)


@given(values, st.binary(max_size=5))
def test_a_value_says_where_it_ends(value: t.Value, more: bytes) -> None:
    """The bytes behind it are not touched."""
    encoded = encode(value)
    assert decode(b"\xff" + encoded + more, 1)[1] == 1 + len(encoded)


@given(values, st.integers(0, 10_000))
def test_a_value_that_is_cut_off(value: t.Value, length: int) -> None:
    """Every proper beginning is refused."""
    encoded = encode(value)
    with pytest.raises(RemoteProtocolError):
        decode(encoded[: length % len(encoded)])


@given(st.binary(max_size=100))
def test_random_bytes(data: bytes) -> None:
    """They are a value that can be encoded, or the peer's error."""
    try:
        value = decode_all(data)
    except RemoteProtocolError as error:
        assert str(error)  # noqa: PT017 - not raising is as good
    else:
        assert encode(value)


@given(values, changes, st.integers(0, 10_000))
def test_mutated_values(value: t.Value, changed: list[tuple[int, int]], length: int) -> None:
    """Bytes changed and cut off reach deeper than random ones."""
    try:
        decode_all(mutated(encode(value), changed, length))
    except RemoteProtocolError as error:
        assert str(error)  # noqa: PT017 - not raising is as good


MALFORMED = {
    "nothing": ("", "end in the middle"),
    "unknown format code": ("3f", "unknown format code 0x3f"),
    "unknown format code in a list": ("c0 02 01 ff", "unknown format code 0xff"),
    "number cut off": ("70 000000", "end in the middle"),
    "text cut off": ("a1 02 61", "end in the middle"),
    "long text cut off": ("b1 ffffffff 61", "end in the middle"),
    "uuid cut off": ("98 00", "end in the middle"),
    "descriptor alone": ("00 53 10", "end in the middle"),
    "bytes after the value": ("40 40", "1 bytes after the value"),
    "boolean of 2": ("56 02", "boolean of 0x02"),
    "char that is a surrogate": ("73 0000d800", "char of 0xd800"),
    "char beyond Unicode": ("73 00110000", "char of 0x110000"),
    "string that is not UTF-8": ("a1 01 ff", "not UTF-8"),
    "string with a surrogate": ("a1 03 eda080", "not UTF-8"),
    "symbol that is not ASCII": ("a3 02 c3a4", "not ASCII"),
    "list without room for its count": ("c0 00 00", "without room for the count"),
    "list32 without room for its count": ("d0 00000003 00000000", "without room for the count"),
    "list longer than its content": ("c0 03 01 40 40", "not that of its content"),
    "list shorter than its content": ("c0 03 01 70 00000000", "not that of its content"),
    "list with more values than bytes": ("c0 02 02 40", "2 values in 1 bytes"),
    "list32 with a count from nowhere": ("d0 00000004 ffffffff", "4294967295 values in 0 bytes"),
    "map with half a pair": ("c1 02 01 40", "key that has no value"),
    "map with a list as key": ("c1 03 02 45 40", "as key"),
    "map with two equal keys": ("c1 07 04 5501 40 5501 40", "two equal keys"),
    "array of an unknown format": ("e0 02 00 3f", "array with the format code 0x3f"),
    "array of described described values": ("e0 06 01 00 5301 00 40", "array with the format code 0x00"),
    "array with many true": ("f0 00000005 ffffffff 41", "array of 4294967295 elements"),
    "array with a count from nowhere": ("e0 03 ff 52 01", "array of 255 elements in 1 bytes"),
    "array longer than its content": ("e0 04 01 52 01 02", "size of an array"),
    "array shorter than its content": ("e0 02 01 52 01", "size of an array"),
}


@pytest.mark.parametrize(("packed", "reason"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed(packed: str, reason: str) -> None:
    """The reason says what is wrong."""
    with pytest.raises(RemoteProtocolError, match=reason):
        decode_all(bytes.fromhex(packed))


def lists(depth: int) -> bytes:
    """A list of a list of a list ... of nothing but null."""
    data = b"\x40"
    for _ in range(depth):
        data = bytes((0xC0, len(data) + 1, 1)) + data
    return data


def arrays(depth: int) -> bytes:
    """The same with arrays: the format code stands before the size, and belongs to the array around."""
    data = b"\x02\x00\x40"
    for _ in range(depth - 1):
        data = bytes((len(data) + 2, 1, 0xE0)) + data
    return b"\xe0" + data


def described(depth: int) -> bytes:
    """A described described ... null."""
    return b"\x00\x53\x01" * depth + b"\x40"


@pytest.mark.parametrize("nested", [lists, arrays, described])
def test_nesting(nested: Callable[[int], bytes]) -> None:
    """As deep as the limit, and one level more."""
    decode_all(nested(MAX_DEPTH))
    with pytest.raises(RemoteProtocolError, match="nested more than 32 levels"):
        decode_all(nested(MAX_DEPTH + 1))


def test_every_format_has_a_python_type() -> None:
    """A format code is read by itself and as that of array elements; what is written can be read."""
    assert set(KINDS) == set(READERS) - {0x00}
    assert {(code, kind) for kind, (code, _) in WIDE.items()} <= set(KINDS.items())
