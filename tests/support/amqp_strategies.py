"""Hypothesis strategies for AMQP values, composites and messages, and ways to compare and to fragment them."""

import itertools
from typing import Any, TypeVar

from hypothesis import strategies as st
from msgspec import Struct

from harness.protocol.amqp import types as t
from harness.protocol.amqp.messages import Data, Header, Message, Properties, Sequence, SingleValue
from harness.protocol.amqp.performatives import (
    Accepted,
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Error,
    Flow,
    Modified,
    Open,
    Received,
    Rejected,
    Released,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Source,
    Target,
    Transfer,
)
from harness.protocol.amqp.schema import BY_CLASS, Field

StructT = TypeVar("StructT", bound=Struct)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ascii_texts = st.text(st.characters(max_codepoint=0x7F), max_size=20)
symbol_values = ascii_texts.map(t.Symbol)
binaries = st.binary(max_size=30)


def signed(bits: int) -> st.SearchStrategy[int]:
    """All numbers of so many bits, the small ones more often."""
    return st.one_of(st.integers(-128, 127), st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))


def unsigned(bits: int) -> st.SearchStrategy[int]:
    """All numbers of so many bits, the small ones more often."""
    return st.one_of(st.integers(0, 255), st.integers(0, 2**bits - 1))


SCALARS: dict[type, st.SearchStrategy[Any]] = {
    type(None): st.none(),
    bool: st.booleans(),
    t.UByte: st.integers(0, 255).map(t.UByte),
    t.UShort: unsigned(16).map(t.UShort),
    t.UInt: unsigned(32).map(t.UInt),
    t.ULong: unsigned(64).map(t.ULong),
    t.Byte: st.integers(-128, 127).map(t.Byte),
    t.Short: signed(16).map(t.Short),
    t.Int: signed(32).map(t.Int),
    int: signed(64),
    t.Timestamp: signed(64).map(t.Timestamp),
    t.Float: st.floats(width=32, allow_nan=False).map(t.Float),
    float: st.floats(allow_nan=False),
    t.Decimal32: st.binary(min_size=4, max_size=4).map(t.Decimal32),
    t.Decimal64: st.binary(min_size=8, max_size=8).map(t.Decimal64),
    t.Decimal128: st.binary(min_size=16, max_size=16).map(t.Decimal128),
    t.Char: st.characters(exclude_categories=["Cs"]).map(t.Char),
    t.Uuid: st.binary(min_size=16, max_size=16).map(t.Uuid),
    bytes: binaries,
    str: texts,
    t.Symbol: symbol_values,
}
scalars = st.one_of(*SCALARS.values())
arrays = st.sampled_from([kind for kind in SCALARS if kind is not type(None)]).flatmap(
    lambda kind: st.builds(
        t.Array,
        st.just(kind),
        st.lists(SCALARS[kind], max_size=5).map(tuple),
        st.none() | symbol_values | SCALARS[t.ULong],
    )
)


def distinct(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """A map; of keys that are equal in Python one is left, as `UInt(1)` and `1`."""
    return dict(pairs)


values: st.SearchStrategy[t.Value] = st.recursive(
    st.one_of(scalars, arrays),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(st.tuples(scalars, inner), max_size=4).map(distinct),
        st.builds(t.Described, symbol_values | SCALARS[t.ULong], inner),
    ),
    max_leaves=12,
)

symbol_maps = st.dictionaries(symbol_values, scalars, max_size=3)
errors = st.builds(Error, ascii_texts, st.none() | texts, st.none() | symbol_maps)
states = st.one_of(
    st.builds(Received, unsigned(32), unsigned(64)),
    st.just(Accepted()),
    st.builds(Rejected, st.none() | errors),
    st.just(Released()),
    st.builds(Modified, st.none() | st.booleans(), st.none() | st.booleans(), st.none() | symbol_maps),
    st.builds(t.Described, st.just(t.ULong(0x34)), st.just([b"transaction"])),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "ubyte": st.integers(0, 255),
    "ushort": unsigned(16),
    "uint": unsigned(32),
    "ulong": unsigned(64),
    "timestamp": signed(64),
    "binary": binaries,
    "string": texts,
    "symbol": ascii_texts,
    "symbols": st.lists(ascii_texts, max_size=3).map(tuple),
    "map": symbol_maps,
    "message-id": st.one_of(SCALARS[t.ULong], SCALARS[t.Uuid], binaries, texts),
    "value": texts.map(str),
    "error": errors,
    "delivery state": states,
}


def any_field(row: Field) -> st.SearchStrategy[Any]:
    """A value for one field of a composite."""
    strategy = FIELDS[row.type.name]
    return (
        strategy if row.mandatory else st.none() | strategy if row.default is None else st.just(row.default) | strategy
    )


def any_of(cls: type[StructT]) -> st.SearchStrategy[StructT]:
    """Composites of one type."""
    return st.tuples(*map(any_field, BY_CLASS[cls].fields)).map(lambda fields: cls(*fields))


FIELDS["source"] = any_of(Source)
FIELDS["target"] = any_of(Target)
PERFORMATIVES: tuple[type[Struct], ...] = (Open, Begin, Attach, Flow, Transfer, Disposition, Detach, End, Close)
performatives: st.SearchStrategy[Struct] = st.one_of(*(any_of(cls) for cls in PERFORMATIVES))
sasl_frames: st.SearchStrategy[Struct] = st.one_of(any_of(SaslMechanisms), any_of(SaslInit), any_of(SaslOutcome))

bodies = st.one_of(
    st.builds(Data, st.lists(binaries, min_size=1, max_size=3).map(tuple)),
    st.builds(Sequence, st.lists(st.lists(scalars, max_size=3), min_size=1, max_size=3).map(tuple)),
    st.builds(SingleValue, values),
)
messages = st.builds(
    Message,
    bodies,
    any_of(Properties),
    st.dictionaries(texts, scalars, max_size=3),
    symbol_maps,
    symbol_maps,
    any_of(Header),
    symbol_maps,
)


def typed(value: t.Value) -> t.Value:
    """A value with the types of all its parts: `UInt(1)` equals `1`, their typed forms do not."""
    kind = type(value)
    if kind is list:
        return kind, [typed(item) for item in value]
    if kind is dict:
        return kind, [(typed(key), typed(item)) for key, item in value.items()]
    if kind is t.Array:
        return kind, value.of, [typed(item) for item in value.items], typed(value.descriptor)
    if kind is t.Described:
        return kind, typed(value.descriptor), typed(value.value)
    return kind, value


def typed_message(message: Message) -> object:
    """A message with the types of all values whose types its sections leave open."""
    body = message.body
    return (
        message,
        typed(message.properties.message_id),
        typed(message.properties.correlation_id),
        typed(dict(message.application_properties)),
        typed(dict(message.message_annotations)),
        typed(dict(message.delivery_annotations)),
        typed(dict(message.footer)),
        typed(body.value if isinstance(body, SingleValue) else list(body.sections)),
    )


def fragments(data: bytes, cuts: list[int]) -> list[bytes]:
    """`data` cut at the given positions, taken modulo its length; empty fragments included."""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def mutated(data: bytes, changes: list[tuple[int, int]], length: int) -> bytes:
    """`data` with some bytes changed and cut off, at positions taken modulo its length."""
    changed = bytearray(data)
    for position, value in changes:
        changed[position % len(changed)] = value
    return bytes(changed[: max(length % (len(changed) + 1), 1)])


changes = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=3)
