"""The codec against uAMQP, the C library inside Azure's C device SDK, through its Python package; no sockets.

It knows no decimals, and its Python side no characters. It shows texts and symbols as bytes, up to the first U+0000.
"""

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.amqp_strategies import SCALARS, typed
from support.amqp_vectors import OTHER_FORMATS, VALUES

from harness.protocol.amqp import types as t
from harness.protocol.amqp.encoding import encode
from harness.protocol.amqp.messages import (
    BATCH_FORMAT,
    Data,
    Header,
    Message,
    Properties,
    SingleValue,
    decode_messages,
    encode_message,
)

uamqp: Any = pytest.importorskip("uamqp", reason="uamqp, in the dependency group peers, is not installed")
uamqp_types: Any = pytest.importorskip("uamqp.types")

UNKNOWN = (t.Decimal32, t.Decimal64, t.Decimal128, t.Char)
VALUE_SECTION = b"\x00\x53\x77"


def plain(value: t.Value) -> Any:
    """A value as uamqp shows it."""
    match value:
        case t.Uuid():
            return uuid.UUID(bytes=bytes(value))
        case str():
            return value.encode()
        case list():
            return [plain(item) for item in value]
        case dict():
            return {plain(key): plain(item) for key, item in value.items()}
        case t.Array(items=items):
            return plain(list(items))
        case t.Described(value=described):
            value = plain(described)
    return value


def read_by_uamqp(encoded: bytes) -> Any:
    """What uamqp decodes; in a list, for it shows an empty body as none."""
    size = (len(encoded) + 4).to_bytes(4, "big")
    return uamqp.Message.decode_from_bytes(VALUE_SECTION + b"\xd0" + size + b"\0\0\0\1" + encoded).get_data()


VECTORS = {
    name: (value, packed) for name, (value, packed) in {**VALUES, **OTHER_FORMATS}.items() if type(value) not in UNKNOWN
}


@pytest.mark.parametrize(("value", "packed"), VECTORS.values(), ids=VECTORS.keys())
def test_vectors(value: t.Value, packed: str) -> None:
    """Both read the same bytes in the same way."""
    assert read_by_uamqp(bytes.fromhex(packed)) == [plain(value)]


scalars = st.one_of(*(strategy for kind, strategy in SCALARS.items() if kind not in UNKNOWN)).filter(
    lambda value: not isinstance(value, str) or "\0" not in value
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4), max_leaves=8)


@given(values)
def test_values(value: t.Value) -> None:
    """What we encode is what they decode."""
    assert read_by_uamqp(encode(value)) == [plain(value)]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("m-1", "m-1"),
        (7, t.ULong(7)),
        (uuid.UUID(int=5), t.Uuid(bytes(15) + b"\x05")),
    ],
)
def test_identifiers(theirs: object, ours: t.Value) -> None:
    """The C SDK names its put-tokens with a ulong."""
    identifier = uamqp_types.AMQPuLong(theirs) if isinstance(theirs, int) else theirs
    properties = uamqp.message.MessageProperties(message_id=identifier, content_type=b"a/b", to=b"$cbs")
    encoded = uamqp.Message(b"x", properties=properties).encode_message()
    (message,) = decode_messages(bytes(encoded), 0)
    assert typed(message.properties.message_id) == typed(ours)
    assert message.properties == Properties(message_id=ours, to="$cbs", content_type="a/b")


def test_typed_properties() -> None:
    """Their numbers keep their types."""
    kinds = [
        (uamqp_types.AMQPByte, t.Byte),
        (uamqp_types.AMQPShort, t.Short),
        (uamqp_types.AMQPInt, t.Int),
        (uamqp_types.AMQPuByte, t.UByte),
        (uamqp_types.AMQPuShort, t.UShort),
        (uamqp_types.AMQPuInt, t.UInt),
        (uamqp_types.AMQPuLong, t.ULong),
    ]
    properties = {f"p{index}": theirs(5) for index, (theirs, _) in enumerate(kinds)}
    encoded = uamqp.Message(b"x", application_properties=properties).encode_message()
    (message,) = decode_messages(bytes(encoded), 0)
    assert [type(value) for value in message.application_properties.values()] == [ours for _, ours in kinds]


def test_our_message() -> None:
    """Every section that a hub sends."""
    message = Message(
        Data((b"body",)),
        Properties(t.ULong(1), b"user", "to", "subject", "reply", t.ULong(2), "a/b", "utf-8", 1_000, 2_000),
        {"status-code": t.Int(200), "text": "OK"},
        {"iothub-deliveryack": "none"},
        header=Header(durable=True, priority=5, delivery_count=2),
    )
    theirs = uamqp.Message.decode_from_bytes(encode_message(message))
    assert b"".join(theirs.get_data()) == b"body"
    assert theirs.application_properties == {b"status-code": 200, b"text": b"OK"}
    assert theirs.annotations == {b"iothub-deliveryack": b"none"}
    properties = theirs.properties
    assert (properties.message_id, properties.correlation_id, properties.to) == (1, 2, b"to")
    assert (properties.content_type, properties.content_encoding) == (b"a/b", b"utf-8")
    assert (theirs.header.durable, theirs.header.priority, theirs.header.delivery_count) == (True, 5, 2)


def test_put_token_answer() -> None:
    """The body is null, the status an int."""
    answer = Message(SingleValue(None), Properties(correlation_id=t.ULong(9)), {"status-code": t.Int(200)})
    theirs = uamqp.Message.decode_from_bytes(encode_message(answer))
    assert (theirs.properties.correlation_id, theirs.application_properties) == (9, {b"status-code": 200})


def test_their_batch() -> None:
    """Several messages in the data sections of one."""
    (theirs,) = uamqp.message.BatchMessage([b"a", b"b"]).gather()
    assert theirs._message.message_format == BATCH_FORMAT
    envelope = encode_message(
        Message(Data(tuple(bytes(uamqp.Message(body).encode_message()) for body in (b"a", b"b"))))
    )
    assert decode_messages(envelope, BATCH_FORMAT) == [Message(Data((b"a",))), Message(Data((b"b",)))]
