"""Composite types from declarations (AMQP 1.0 part 1, section 1.4): a class is its own table.

    @composite(0x11, "amqp:begin:list")
    class Begin(Struct, frozen=True):
        remote_channel: Ushort | None       optional, but to be written in every call
        next_outgoing_id: Uint              mandatory
        handle_max: Uint = 0xFFFFFFFF       absent means this number, and this number is sent as absent
        properties: SymbolMap | None = None optional

Fields stand in the order of the wire. Their annotations say which AMQP type is accepted and sent; `compose` and `encode`
follow them. More fields than the table has are refused; descriptors may be numeric or symbolic.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, TypeAlias, TypeVar, get_args, get_type_hints

from msgspec import NODEFAULT, Struct
from msgspec.structs import astuple, fields

from harness.errors import RemoteProtocolError
from harness.protocol.amqp import types as t
from harness.protocol.amqp.encoding import encode

StructT = TypeVar("StructT", bound=Struct)


class FieldType(NamedTuple):
    """What a field holds.

    `kinds` are the decoded types accepted, none for any; `take` turns such a value into the field's; `wrap` turns the
    field's value into one whose type says how to encode it.
    """

    name: str
    kinds: tuple[type, ...]
    wrap: Callable[[Any], Any]
    take: Callable[[Any], Any] | None = None


class Field(NamedTuple):
    """One row of a table."""

    name: str
    type: FieldType
    mandatory: bool
    default: Any


class Schema(NamedTuple):
    """One composite type."""

    cls: type[Struct]
    code: t.ULong
    name: str
    fields: tuple[Field, ...]
    mandatory: tuple[int, ...]
    defaults: tuple[Any, ...]


BY_CLASS: dict[type[Struct], Schema] = {}
BY_DESCRIPTOR: dict[int | str, Schema] = {}


def composite(code: int, name: str) -> Callable[[type[StructT]], type[StructT]]:
    """Enter a class into the tables under its numeric and its symbolic descriptor."""

    def enter(cls: type[StructT]) -> type[StructT]:
        hints = get_type_hints(cls, include_extras=True)
        rows = tuple(_row(field.name, hints[field.name], field.default) for field in fields(cls))
        mandatory = tuple(index for index, row in enumerate(rows) if row.mandatory)
        schema = Schema(cls, t.ULong(code), name, rows, mandatory, tuple(row.default for row in rows))
        BY_CLASS[cls] = BY_DESCRIPTOR[code] = BY_DESCRIPTOR[name] = schema
        return cls

    return enter


def _row(name: str, hint: Any, default: Any) -> Field:
    """A field that may not be None and has no default is mandatory."""
    optional = type(None) in get_args(hint)
    kind = next(part for option in (hint, *get_args(hint)) for part in getattr(option, "__metadata__", ()))
    required = default is NODEFAULT
    return Field(name, kind, required and not optional, None if required else default)


def describe(value: Struct | t.Described) -> t.Described:
    """The described list a composite is on the wire; what equals its default, and nulls at the end, are left out."""
    if isinstance(value, t.Described):
        return value
    schema = BY_CLASS[type(value)]
    items = [
        None if item is None or item == row.default else row.type.wrap(item)
        for row, item in zip(schema.fields, astuple(value), strict=True)
    ]
    while items and items[-1] is None:
        items.pop()
    return t.Described(schema.code, items)


def encode_composite(value: Struct) -> bytes:
    """A composite's bytes.

    Raises:
        LocalProtocolError: a field is out of its type's range.
    """
    return encode(describe(value))


def schema_of(descriptor: t.Value) -> Schema | None:
    """The composite type with this descriptor."""
    return BY_DESCRIPTOR.get(descriptor) if type(descriptor) in (t.ULong, t.Symbol) else None


def compose(described: t.Described) -> Struct | t.Described:
    """The composite that a described value stands for, itself if its descriptor is not in the tables.

    Raises:
        RemoteProtocolError: its fields are not those of the table.
    """
    schema = schema_of(described.descriptor)
    return described if schema is None else fill(schema, described.value)


def fill(schema: Schema, values: t.Value) -> Struct:
    """The composite with these fields.

    Raises:
        RemoteProtocolError: they are no list, too many, of wrong types, or a mandatory one is missing.
    """
    if type(values) is not list:
        raise RemoteProtocolError(f"{schema.name} is not a list")
    rows, arguments = schema.fields, list(schema.defaults)
    if len(values) > len(rows):
        raise RemoteProtocolError(f"{schema.name} with {len(values)} fields")
    for index, value in enumerate(values):
        if value is not None:
            arguments[index] = _take(schema, rows[index], value)
    for index in schema.mandatory:
        if arguments[index] is None:
            raise RemoteProtocolError(f"{schema.name} without {rows[index].name}")
    return schema.cls(*arguments)


def _take(schema: Schema, row: Field, value: t.Value) -> Any:
    _, kinds, _, take = row.type
    if kinds and type(value) not in kinds:
        raise RemoteProtocolError(f"{row.name} of {schema.name} is no {row.type.name}")
    return value if take is None else take(value)


def _same(value: Any) -> Any:
    return value


def _symbols(value: str | t.Array) -> tuple[str, ...]:
    """A field with multiple="true": one value alone, or an array."""
    if isinstance(value, str):
        return (value,)
    if value.of is not t.Symbol:
        raise RemoteProtocolError(f"an array of {value.of.__name__} instead of symbols")
    return value.items


def _array_of_symbols(value: tuple[str, ...]) -> t.Array:
    """Always an array, even of one: some peers look for nothing else."""
    return t.Array(t.Symbol, tuple(map(t.Symbol, value)))


def _symbol_keys(value: dict[t.Value, t.Value]) -> dict[t.Value, t.Value]:
    return {t.Symbol(key) if type(key) is str else key: item for key, item in value.items()}


def one_of(name: str, *classes: type[Struct]) -> FieldType:
    """A field that holds one of these composites, or a described value that is not in the tables."""
    accepted: tuple[type[Struct], ...] = (*classes, t.Described)

    def take(value: t.Described) -> Struct:
        composed = compose(value)
        if isinstance(composed, accepted):
            return composed
        raise RemoteProtocolError(f"{type(composed).__name__} instead of a {name}")

    return FieldType(name, (t.Described,), describe, take)


Boolean: TypeAlias = Annotated[bool, FieldType("boolean", (bool,), bool)]
Ubyte: TypeAlias = Annotated[int, FieldType("ubyte", (t.UByte,), t.UByte)]
Ushort: TypeAlias = Annotated[int, FieldType("ushort", (t.UShort,), t.UShort)]
Uint: TypeAlias = Annotated[int, FieldType("uint", (t.UInt,), t.UInt)]
Ulong: TypeAlias = Annotated[int, FieldType("ulong", (t.ULong,), t.ULong)]
Timestamp: TypeAlias = Annotated[int, FieldType("timestamp", (t.Timestamp,), t.Timestamp)]
Binary: TypeAlias = Annotated[bytes, FieldType("binary", (bytes,), bytes)]
String: TypeAlias = Annotated[str, FieldType("string", (str,), str)]
Symbol: TypeAlias = Annotated[str, FieldType("symbol", (t.Symbol,), t.Symbol)]
Symbols: TypeAlias = Annotated[tuple[str, ...], FieldType("symbols", (t.Symbol, t.Array), _array_of_symbols, _symbols)]
Mapping: TypeAlias = Annotated[dict[t.Value, t.Value], FieldType("map", (dict,), dict)]
SymbolMap: TypeAlias = Annotated[dict[t.Value, t.Value], FieldType("map", (dict,), _symbol_keys)]
"""The type "fields", and annotations: text keys are sent as symbols; those of a peer are kept as they came."""
Identifier: TypeAlias = Annotated[int | str | bytes, FieldType("message-id", (t.ULong, t.Uuid, bytes, str), _same)]
Anything: TypeAlias = Annotated[t.Value, FieldType("value", (), _same)]
