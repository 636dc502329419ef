"""harness.protocol.amqp.messages: sections, bodies, batches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.amqp_strategies import changes, messages, mutated, typed

from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.protocol.amqp import types as t
from harness.protocol.amqp.conditions import RESOURCE_LIMIT_EXCEEDED, AmqpViolation
from harness.protocol.amqp.decoding import decode_all
from harness.protocol.amqp.messages import (
    BATCH_FORMAT,
    MAX_SECTIONS,
    MESSAGE_FORMAT,
    Data,
    Header,
    Message,
    Properties,
    Sequence,
    SingleValue,
    decode_message,
    decode_messages,
    encode_batch,
    encode_message,
)


def sections(packed: str) -> Message:
    """A message from hexadecimal digits."""
    return decode_message(bytes.fromhex(packed))


VECTORS: dict[str, tuple[Message, str]] = {
    "data": (Message(Data((b"hi",))), "005375 a0026869"),
    "put-token": (
        Message(SingleValue("sas"), Properties(t.ULong(1), to="$cbs"), {"operation": "put-token"}),
        (
            "005373 c00a03 5301 40 a10424636273"
            "005374 c11702 a1096f7065726174696f6e a1097075742d746f6b656e"
            "005377 a103736173"
        ),
    ),
    "answer to it": (
        Message(SingleValue(None), Properties(correlation_id=t.ULong(1)), {"status-code": t.Int(200)}),
        "005373 c00806 40 40 40 40 40 5301 005374 c11302 a10b7374617475732d636f6465 71000000c8 005377 40",
    ),
    "everything": (
        Message(
            Sequence(([True], [])),
            Properties(content_type="a/b"),
            {},
            {"x": 1},
            {"y": 2},
            Header(durable=True),
            {"z": 3},
        ),
        (
            "005370 c00201 41 005371 c10602a301795502 005372 c10602a301785501 005373 c00c07 40 40 40 40 40 40 a303612f62"
            "005376 c00201 41 005376 45 005378 c10602a3017a5503"
        ),
    ),
}


@pytest.mark.parametrize(("message", "packed"), VECTORS.values(), ids=VECTORS.keys())
def test_vectors(message: Message, packed: str) -> None:
    """Encoded by hand; sections that say nothing are left out."""
    raw = bytes.fromhex(packed)
    assert (encode_message(message), decode_message(raw)) == (raw, message)


@given(messages)
def test_round_trip(message: Message) -> None:
    """What is encoded comes out again, and so do the types within."""
    again = decode_message(encode_message(message))
    assert again == message
    assert typed(again.application_properties) == typed(message.application_properties)


@given(st.one_of(messages.map(encode_message), st.binary(min_size=1, max_size=100)), changes, st.integers(0, 10_000))
def test_broken_messages(encoded: bytes, changed: list[tuple[int, int]], length: int) -> None:
    """Random and mutated ones are messages that can be encoded, or the peer's error."""
    try:
        message = decode_message(mutated(encoded, changed, length))
    except RemoteProtocolError as error:
        assert str(error)  # noqa: PT017 - not raising is as good
    else:
        assert isinstance(encode_message(message), bytes)


def test_schema_decides_the_types() -> None:
    """Symbols for content-type and annotation keys, strings for application properties (rule: encode by schema)."""
    message = Message(
        Data((b"",)), Properties(content_type="t", content_encoding="e"), {t.Symbol("p"): 1}, {"a": 1, t.ULong(9): 2}
    )
    encoded = encode_message(message)
    assert bytes.fromhex("a30174 a30165") in encoded
    assert [type(key) for key in decode_message(encoded).application_properties] == [str]
    assert [type(key) for key in decode_message(encoded).message_annotations] == [t.Symbol, t.ULong]


def test_no_body() -> None:
    """Some clients send none; ours always has one."""
    assert decode_message(b"") == Message(Data())
    assert decode_message(encode_message(Message(Data()))) == Message(Data((b"",)))


def test_several_data_sections() -> None:
    """They are one content."""
    body = decode_message(encode_message(Message(Data((b"ab", b"", b"c"))))).body
    assert (body, isinstance(body, Data) and body.content) == (Data((b"ab", b"", b"c")), b"abc")


def test_symbolic_descriptors() -> None:
    """As good as numeric ones."""
    name = b"amqp:data:binary"
    assert decode_message(b"\x00\xa3" + bytes((len(name),)) + name + b"\xa0\x01x") == Message(Data((b"x",)))
    name = b"amqp:properties:list"
    assert decode_message(b"\x00\xa3" + bytes((len(name),)) + name + b"\x45") == Message(Data())


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        ("40", "something that is not described"),
        ("00 43 40", "unknown section '0'"),
        ("00 5379 40", "unknown section '121'"),
        ("00 5324 45", "unknown section '36'"),
        ("00 a30178 40", "unknown section 'x'"),
        ("005375 40", "section 0x75 that is no bytes"),
        ("005376 a000", "section 0x76 that is no list"),
        ("005370 40", "section 0x70 that is no list"),
        ("005374 45", "section 0x74 that is no dict"),
        ("005370 45 005370 45", "section 0x70 after 0x70"),
        ("005375 a000 005370 45", "section 0x70 after 0x75"),
        ("005377 40 005377 40", "section 0x77 after 0x77"),
        ("005375 a000 005377 40", "section 0x77 after 0x75"),
        ("005375 a000 005376 45", "section 0x76 after 0x75"),
        ("005373 c00401 53010000", "not that of its content"),
        ("005373 c00301 5201", "message_id of amqp:properties:list is no message-id"),
        ("005375 a002 68", "end in the middle"),
    ],
)
def test_malformed(packed: str, reason: str) -> None:
    """The reason says what is wrong."""
    with pytest.raises(RemoteProtocolError, match=reason):
        sections(packed)


def test_what_cannot_be_sent() -> None:
    """Our own mistake."""
    with pytest.raises(LocalProtocolError, match="no AMQP type"):
        encode_message(Message(SingleValue(object())))


def test_one_message() -> None:
    """Format 0."""
    message = Message(Data((b"x",)))
    assert decode_messages(encode_message(message), MESSAGE_FORMAT) == [message]


@given(st.lists(messages, max_size=1))
def test_batches(batch: list[Message]) -> None:
    """Format 0x80013700: each data section is a message; an empty batch holds one empty section."""
    encoded = encode_batch(map(encode_message, batch))
    assert decode_messages(encoded, BATCH_FORMAT) == (batch or [Message(Data())])


def test_a_batch_as_the_c_sdk_builds_it() -> None:
    """One message in one data section, no envelope properties."""
    assert decode_messages(bytes.fromhex("005375 a007 005375 a0026869"), BATCH_FORMAT) == [Message(Data((b"hi",)))]


def test_an_unknown_format() -> None:
    """Its payload cannot be read."""
    with pytest.raises(RemoteProtocolError, match="unknown message format 0x80013701"):
        decode_messages(b"", 0x80013701)


@pytest.mark.parametrize("message_format", [MESSAGE_FORMAT, BATCH_FORMAT])
def test_a_body_has_so_many_sections_at_most(message_format: int) -> None:
    """And a batch so many messages, however small: the reader stops at the first too many."""
    section = encode_batch([b""])
    assert decode_messages(section * MAX_SECTIONS, message_format)
    with pytest.raises(AmqpViolation, match="a body of more than 5000 sections") as caught:
        decode_messages(section * (MAX_SECTIONS + 1) + b"garbage", message_format)
    assert caught.value.condition == RESOURCE_LIMIT_EXCEEDED


def test_a_batch_that_is_none() -> None:
    """The messages stand in data sections."""
    with pytest.raises(RemoteProtocolError, match="body is not data"):
        decode_messages(encode_message(Message(SingleValue(1))), BATCH_FORMAT)


def test_status_codes_are_ints_on_the_wire() -> None:
    """What the owner says is `Int` is an AMQP int, which the Java and .NET SDKs cast it to."""
    encoded = encode_message(Message(SingleValue(None), application_properties={"status-code": t.Int(200)}))
    properties = decode_message(encoded).application_properties
    assert type(properties["status-code"]) is t.Int
    assert decode_all(bytes.fromhex("71000000c8")) == 200
