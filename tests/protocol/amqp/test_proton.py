"""The codec against Apache Qpid Proton, a C library, through its Python package; no sockets.

Its package comes without wheels for most systems: `pip install --group proton` builds it where a C compiler is. What it has read it
writes again with all types, so that every value and message can be sent through it and compared.
"""

import uuid
from typing import Any

import pytest
from hypothesis import given
from support.amqp_strategies import messages, typed, typed_message, values
from support.amqp_vectors import OTHER_FORMATS, VALUES

from harness.protocol.amqp import types as t
from harness.protocol.amqp.decoding import decode, decode_all
from harness.protocol.amqp.encoding import encode
from harness.protocol.amqp.messages import (
    Data,
    Header,
    Message,
    Properties,
    SingleValue,
    decode_message,
    encode_message,
)

proton: Any = pytest.importorskip(
    "proton", reason="python-qpid-proton, in the dependency group proton, is not installed"
)

VECTORS = {**VALUES, **OTHER_FORMATS}
PROPERTIES = Properties(
    "id", b"user", "to", "subject", "reply", t.ULong(7), "a/b", "utf-8", 2_000, 1_000, "group", 3, "reply-group"
)


def through_proton(encoded: bytes) -> bytes:
    """A value as proton writes it after reading it."""
    data = proton.Data()
    assert data.decode(encoded) == len(encoded)
    written: bytes = data.encode()
    return written


@pytest.mark.parametrize(("value", "packed"), VECTORS.values(), ids=VECTORS.keys())
def test_vectors(value: t.Value, packed: str) -> None:
    """Both read the same bytes in the same way."""
    assert typed(decode_all(through_proton(bytes.fromhex(packed)))) == typed(value)


def is_kept(value: t.Value) -> bool:
    """Of a described value in a described value proton (0.40) loses what follows it."""
    match value:
        case t.Described(value=described):
            return not isinstance(described, t.Described) and is_kept(described)
        case list():
            return all(map(is_kept, value))
        case dict():
            return all(map(is_kept, value.values()))
    return True


def is_kept_message(message: Message) -> bool:
    """The same for a message."""
    return not isinstance(message.body, SingleValue) or is_kept(message.body.value)


@given(values.filter(is_kept))
def test_values(value: t.Value) -> None:
    """What we encode they read, and what they write of it we read, down to the types."""
    assert typed(decode_all(through_proton(encode(value)))) == typed(value)


@given(messages.filter(is_kept_message))
def test_messages(message: Message) -> None:
    """The same for messages, section by section."""
    payload, at, sections = encode_message(message), 0, []
    while at < len(payload):
        _, end = decode(payload, at)
        sections.append(through_proton(payload[at:end]))
        at = end
    assert typed_message(decode_message(b"".join(sections))) == typed_message(message)


def test_our_message() -> None:
    """Every field has the meaning that we gave it."""
    theirs = proton.Message()
    theirs.decode(
        encode_message(
            Message(
                Data((b"body",)),
                PROPERTIES,
                {"status-code": t.Int(200), "text": "OK"},
                {"x-opt": t.Symbol("s")},
                {"x-d": None},
                Header(True, 9, 5_000, True, 2),
            )
        )
    )
    assert (theirs.id, theirs.correlation_id, theirs.user_id) == ("id", 7, b"user")
    assert (theirs.address, theirs.subject, theirs.reply_to) == ("to", "subject", "reply")
    assert (theirs.content_type, theirs.content_encoding) == ("a/b", "utf-8")
    assert (theirs.expiry_time, theirs.creation_time) == (2.0, 1.0)
    assert (theirs.group_id, theirs.group_sequence, theirs.reply_to_group_id) == ("group", 3, "reply-group")
    assert (theirs.durable, theirs.priority, theirs.ttl, theirs.first_acquirer) == (True, 9, 5.0, True)
    assert (theirs.delivery_count, theirs.inferred, theirs.body) == (2, True, b"body")
    assert (theirs.properties, theirs.annotations, theirs.instructions) == (
        {"status-code": 200, "text": "OK"},
        {"x-opt": "s"},
        {"x-d": None},
    )


def test_their_message() -> None:
    """Every field arrives with the meaning that they gave it."""
    theirs = proton.Message(
        body={"k": [1, "two"]}, id="id", user_id=b"user", address="to", subject="subject", reply_to="reply",
        correlation_id=proton.ulong(7), content_type="a/b", content_encoding="utf-8", expiry_time=2.0, creation_time=1.0,
        group_id="group", group_sequence=3, reply_to_group_id="reply-group", durable=True, priority=9, ttl=5.0,
        first_acquirer=True, delivery_count=2, properties={"n": proton.int32(200)}, annotations={"x-opt": proton.symbol("s")},
        instructions={"x-d": None},
    )  # fmt: skip
    message = decode_message(theirs.encode())
    assert typed_message(message) == typed_message(
        Message(
            SingleValue({"k": [1, "two"]}),
            PROPERTIES,
            {"n": t.Int(200)},
            {t.Symbol("x-opt"): t.Symbol("s")},
            {t.Symbol("x-d"): None},
            Header(True, 9, 5_000, True, 2),
        )
    )


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("m-1", "m-1"), (7, t.ULong(7)), (uuid.UUID(int=5), t.Uuid(bytes(15) + b"\x05")), (b"id", b"id")],
)
def test_identifiers(theirs: object, ours: t.Value) -> None:
    """All four kinds, from them and back."""
    (message, back) = (decode_message(proton.Message(id=theirs).encode()), proton.Message())
    assert typed(message.properties.message_id) == typed(ours)
    back.decode(encode_message(message))
    assert back.id == theirs
