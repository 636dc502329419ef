"""harness.protocol.amqp.schema: composite types from declarations, with a made-up one."""

from typing import Any

import pytest
from msgspec import Struct

from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.protocol.amqp import types as t
from harness.protocol.amqp.decoding import decode_all
from harness.protocol.amqp.performatives import Accepted, Error, Released, Source
from harness.protocol.amqp.schema import (
    BY_CLASS,
    BY_DESCRIPTOR,
    Anything,
    Identifier,
    String,
    SymbolMap,
    Symbols,
    Uint,
    compose,
    composite,
    encode_composite,
    one_of,
)


@composite(0xF0, "test:book:list")
class Book(Struct, frozen=True):
    """Every kind of field."""

    title: String | None
    pages: Uint
    edition: Uint = 1
    authors: Symbols = ()
    isbn: Identifier | None = None
    notes: SymbolMap | None = None
    extra: Anything | None = None


BOOK = t.ULong(0xF0)


def book(*values: t.Value, descriptor: t.Value = BOOK) -> Any:
    """What a peer's list becomes."""
    return compose(t.Described(descriptor, list(values)))


def test_the_table() -> None:
    """No default and not None means mandatory."""
    rows = BY_CLASS[Book].fields
    assert [(row.name, row.mandatory, row.default) for row in rows] == [
        ("title", False, None),
        ("pages", True, None),
        ("edition", False, 1),
        ("authors", False, ()),
        ("isbn", False, None),
        ("notes", False, None),
        ("extra", False, None),
    ]


def test_descriptors() -> None:
    """By number and by name; both lead to one table."""
    assert BY_DESCRIPTOR[0xF0] is BY_DESCRIPTOR["test:book:list"] is BY_CLASS[Book]
    assert book(None, t.UInt(2), descriptor=t.Symbol("test:book:list")) == Book(None, 2)


@pytest.mark.parametrize("descriptor", [t.ULong(0xF1), t.Symbol("other"), 0xF0, t.UInt(0xF0), "test:book:list", []])
def test_unknown_descriptors(descriptor: t.Value) -> None:
    """They stay described values; a descriptor of another type is another descriptor."""
    described = t.Described(descriptor, [])
    assert compose(described) is described


def test_encoding_leaves_out_what_says_nothing() -> None:
    """Defaults and absent fields are null, and nulls at the end are not sent (section 1.4)."""
    assert encode_composite(Book(None, 2, 1, ("a",))) == bytes.fromhex("00 53f0 c0 0e 04 40 5202 40 e00701b30000000161")
    assert encode_composite(Book(None, 2)) == bytes.fromhex("00 53f0 c0 04 02 40 5202")


def test_absent_fields_have_their_defaults() -> None:
    """A short list, and nulls."""
    assert book("x", t.UInt(2)) == book("x", t.UInt(2), None, None) == Book("x", 2, 1, (), None, None, None)


def test_text_keys_are_sent_as_symbols() -> None:
    """Other keys are sent as they are."""
    packed = encode_composite(Book(None, 2, notes={"a": 1, t.ULong(5): 2}))
    notes = decode_all(packed).value[5]
    assert [type(key) for key in notes] == [t.Symbol, t.ULong]


@pytest.mark.parametrize("identifier", [t.ULong(1), t.Uuid(bytes(16)), b"1", "1"])
def test_identifiers_keep_their_type(identifier: t.Value) -> None:
    """Read, and sent again."""
    again = book("x", t.UInt(2), None, None, identifier).isbn
    assert type(again) is type(identifier)
    assert type(decode_all(encode_composite(Book(None, 2, isbn=again))).value[4]) is type(identifier)


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        (t.Symbol("a"), ("a",)),
        (t.Array(t.Symbol, (t.Symbol("a"), t.Symbol("b"))), ("a", "b")),
        (t.Array(t.Symbol), ()),
    ],
)
def test_multiple(authors: t.Value, expected: tuple[str, ...]) -> None:
    """One value may stand alone (section 1.4)."""
    assert book(None, t.UInt(2), None, authors).authors == expected


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((), "test:book:list without pages"),
        (("x", None), "test:book:list without pages"),
        ((t.Symbol("x"), t.UInt(2)), "title of test:book:list is no string"),
        (("x", 2), "pages of test:book:list is no uint"),
        (("x", t.UInt(2), None, "a"), "authors of test:book:list is no symbols"),
        (("x", t.UInt(2), None, t.Array(str, ("a",))), "array of str instead of symbols"),
        (("x", t.UInt(2), None, None, 5), "isbn of test:book:list is no message-id"),
        (("x", t.UInt(2), None, None, None, []), "notes of test:book:list is no map"),
        (("x", t.UInt(2), *[None] * 6), "test:book:list with 8 fields"),
    ],
)
def test_what_does_not_fit_the_table(values: tuple[t.Value, ...], reason: str) -> None:
    """The reason names type and field."""
    with pytest.raises(RemoteProtocolError, match=reason):
        book(*values)


def test_a_composite_that_is_no_list() -> None:
    """Descriptors in the table describe lists."""
    with pytest.raises(RemoteProtocolError, match="test:book:list is not a list"):
        compose(t.Described(t.ULong(0xF0), {}))


def test_a_field_out_of_range() -> None:
    """Our own mistake."""
    with pytest.raises(LocalProtocolError, match="does not fit"):
        encode_composite(Book(None, -1))


def test_composites_in_fields() -> None:
    """The named ones, and unknown ones as they are."""
    state = one_of("outcome", Accepted)
    assert state.take is not None
    assert state.take(t.Described(t.ULong(0x24), [])) == Accepted()
    assert state.take(t.Described(t.ULong(0x99), [])) == t.Described(t.ULong(0x99), [])
    with pytest.raises(RemoteProtocolError, match="Released instead of a outcome"):
        state.take(t.Described(t.ULong(0x26), []))
    assert state.wrap(Released()) == t.Described(t.ULong(0x26), [])
    assert state.wrap(t.Described("x", 1)) == t.Described("x", 1)


def test_composites_within_composites() -> None:
    """A malformed inner one is refused like an outer one."""
    assert compose(t.Described(t.ULong(0x28), ["a"])) == Source("a")
    with pytest.raises(RemoteProtocolError, match="amqp:error:list without condition"):
        compose(t.Described(t.ULong(0x25), [t.Described(t.ULong(0x1D), [])]))
    assert compose(t.Described(t.ULong(0x1D), [t.Symbol("c")])) == Error("c")
