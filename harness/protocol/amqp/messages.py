"""Messages: sections and their bytes (AMQP 1.0 part 3, section 3.2).

    header?  delivery-annotations?  message-annotations?  properties?  application-properties?  body  footer?

The body is one or more data sections, one or more sequences, or one value. A message without any is accepted, as data of
no sections, for some clients leave out what they have nothing for.

Microsoft's message format 0x80013700 is a batch: the data sections of its one envelope are encoded messages themselves
(Azure SDKs, `BatchMessageFormat`). The C device SDK sends it for single messages too.

A section takes five bytes at least, and a message of 1 MiB could have 200000 of them: what is read has `MAX_SECTIONS` in its body at most.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from msgspec import Struct, field

from harness.errors import RemoteProtocolError
from harness.protocol.amqp import types as t
from harness.protocol.amqp.conditions import RESOURCE_LIMIT_EXCEEDED, AmqpViolation
from harness.protocol.amqp.decoding import decode, decode_descriptor
from harness.protocol.amqp.encoding import encode
from harness.protocol.amqp.schema import (
    BY_CLASS,
    Anything,
    Binary,
    Boolean,
    Identifier,
    Schema,
    String,
    Symbol,
    Timestamp,
    Ubyte,
    Uint,
    composite,
    encode_composite,
    fill,
)

MESSAGE_FORMAT: Final = 0
BATCH_FORMAT: Final = 0x80013700
MAX_SECTIONS: Final = 5_000
"""Of a body, and so the messages of a batch. The SDK for C fills 256 KiB, 52 bytes a message; one with an id takes more even without a payload."""


@composite(0x70, "amqp:header:list")
class Header(Struct, frozen=True):
    """How to deliver the message (3.2.1); `ttl` in milliseconds."""

    durable: Boolean = False
    priority: Ubyte = 4
    ttl: Uint | None = None
    first_acquirer: Boolean = False
    delivery_count: Uint = 0


@composite(0x73, "amqp:properties:list")
class Properties(Struct, frozen=True):
    """The immutable properties (3.2.4). Identifiers are `ULong`, `Uuid`, `bytes` or `str`, and keep their type."""

    message_id: Identifier | None = None
    user_id: Binary | None = None
    to: Anything | None = None
    subject: String | None = None
    reply_to: Anything | None = None
    correlation_id: Identifier | None = None
    content_type: Symbol | None = None
    content_encoding: Symbol | None = None
    absolute_expiry_time: Timestamp | None = None
    creation_time: Timestamp | None = None
    group_id: String | None = None
    group_sequence: Uint | None = None
    reply_to_group_id: String | None = None


class Data(Struct, frozen=True):
    """A body of bytes (3.2.6), in one data section or more."""

    sections: tuple[bytes, ...] = ()

    @property
    def content(self) -> bytes:
        """All sections as one."""
        return b"".join(self.sections)


class Sequence(Struct, frozen=True):
    """A body of lists of values (3.2.7)."""

    sections: tuple[list[t.Value], ...]


class SingleValue(Struct, frozen=True):
    """A body of one value (3.2.8)."""

    value: t.Value


Body: TypeAlias = Data | Sequence | SingleValue
Fields: TypeAlias = Mapping[Any, t.Value]


class Message(Struct, frozen=True):
    """One message. Keys of annotations are sent as symbols, those of application properties as strings."""

    body: Body = Data()
    properties: Properties = Properties()
    application_properties: Fields = field(default_factory=dict)
    message_annotations: Fields = field(default_factory=dict)
    delivery_annotations: Fields = field(default_factory=dict)
    header: Header = Header()
    footer: Fields = field(default_factory=dict)


def encode_message(message: Message) -> bytes:
    """A message's bytes; sections that say nothing are left out, except the body.

    Raises:
        LocalProtocolError: a value is outside what AMQP can express.
    """
    parts = (
        _list_section(message.header, _NO_HEADER),
        _map_section(_DELIVERY_ANNOTATIONS, message.delivery_annotations, t.Symbol),
        _map_section(_MESSAGE_ANNOTATIONS, message.message_annotations, t.Symbol),
        _list_section(message.properties, _NO_PROPERTIES),
        _map_section(_APPLICATION_PROPERTIES, message.application_properties, str),
        _body(message.body),
        _map_section(_FOOTER, message.footer, t.Symbol),
    )
    return b"".join(parts)


def encode_batch(messages: Iterable[bytes]) -> bytes:
    """The envelope of format 0x80013700 around encoded messages."""
    return encode_message(Message(Data(tuple(messages))))


def decode_message(payload: bytes) -> Message:
    """The message a delivery of format 0 carries.

    Raises:
        RemoteProtocolError: a section is malformed, unknown, repeated or out of order, or one too many.
    """
    found: dict[int, Any] = {}
    at, last = 0, 0
    while at < len(payload):
        code, value, at = _section(payload, at)
        if code == last and code in _REPEATED:
            if len(found[code]) == MAX_SECTIONS:
                raise AmqpViolation(RESOURCE_LIMIT_EXCEEDED, f"a body of more than {MAX_SECTIONS} sections")
            found[code].append(value)
            continue
        if code <= last or (code in _BODIES and last in _BODIES):
            raise RemoteProtocolError(f"a section {code:#x} after {last:#x}")
        found[code] = [value] if code in _REPEATED else value
        last = code
    body = next((_BODIES[code](found.pop(code)) for code in _BODIES if code in found), Data())
    return Message(body, **{_SECTIONS[code][0]: value for code, value in found.items()})


def decode_messages(payload: bytes, message_format: int) -> list[Message]:
    """The messages a delivery carries: one of format 0, any number of 0x80013700, whose envelope is dropped.

    Raises:
        RemoteProtocolError: another format, a message is malformed, or there are more than `MAX_SECTIONS`.
    """
    if message_format == MESSAGE_FORMAT:
        return [decode_message(payload)]
    if message_format != BATCH_FORMAT:
        raise RemoteProtocolError(f"unknown message format {message_format:#x}")
    body = decode_message(payload).body
    if not isinstance(body, Data):
        raise RemoteProtocolError("a batch whose body is not data")
    return [decode_message(section) for section in body.sections]


def _section(payload: bytes, at: int) -> tuple[int, t.Value, int]:
    """Code and content of the section that begins at `at`, and where it ends."""
    descriptor, at = decode_descriptor(payload, at)
    code = _NAMES.get(descriptor) if type(descriptor) is t.Symbol else descriptor
    if type(descriptor) not in (t.ULong, t.Symbol) or code not in _SECTIONS:
        raise RemoteProtocolError(f"a message with the unknown section {str(descriptor)[:40]!r}")
    kind, schema = _SECTIONS[code][1:]
    value, at = decode(payload, at)
    if kind is not None and type(value) is not kind:
        raise RemoteProtocolError(f"a section {code:#x} that is no {kind.__name__}")
    return code, value if schema is None else fill(schema, value), at


def _list_section(section: Header | Properties, absent: Struct) -> bytes:
    return b"" if section == absent else encode_composite(section)


def _map_section(code: int, items: Fields, key: type[str]) -> bytes:
    if not items:
        return b""
    return _prefix(code) + encode({key(name) if isinstance(name, str) else name: item for name, item in items.items()})


def _body(body: Body) -> bytes:
    if isinstance(body, SingleValue):
        return _prefix(_VALUE) + encode(body.value)
    code, sections = (_DATA, body.sections or (b"",)) if isinstance(body, Data) else (_SEQUENCE, body.sections)
    return b"".join(_prefix(code) + encode(section) for section in sections)


def _prefix(code: int) -> bytes:
    return bytes((0x00, 0x53, code))


_HEADER, _DELIVERY_ANNOTATIONS, _MESSAGE_ANNOTATIONS, _PROPERTIES, _APPLICATION_PROPERTIES = range(0x70, 0x75)
_DATA, _SEQUENCE, _VALUE, _FOOTER = range(0x75, 0x79)
_NO_HEADER, _NO_PROPERTIES = Header(), Properties()

_SECTIONS: dict[int, tuple[str, type | None, Schema | None]] = {
    _HEADER: ("header", list, BY_CLASS[Header]),
    _DELIVERY_ANNOTATIONS: ("delivery_annotations", dict, None),
    _MESSAGE_ANNOTATIONS: ("message_annotations", dict, None),
    _PROPERTIES: ("properties", list, BY_CLASS[Properties]),
    _APPLICATION_PROPERTIES: ("application_properties", dict, None),
    _DATA: ("body", bytes, None),
    _SEQUENCE: ("body", list, None),
    _VALUE: ("body", None, None),
    _FOOTER: ("footer", dict, None),
}
"""Name in `Message`, type of the content, and its table."""

_REPEATED = (_DATA, _SEQUENCE)
_BODIES: dict[int, Callable[[Any], Body]] = {
    _DATA: lambda sections: Data(tuple(sections)),
    _SEQUENCE: lambda sections: Sequence(tuple(sections)),
    _VALUE: SingleValue,
}

_NAMES: dict[t.Value, int] = {
    "amqp:header:list": _HEADER,
    "amqp:delivery-annotations:map": _DELIVERY_ANNOTATIONS,
    "amqp:message-annotations:map": _MESSAGE_ANNOTATIONS,
    "amqp:properties:list": _PROPERTIES,
    "amqp:application-properties:map": _APPLICATION_PROPERTIES,
    "amqp:data:binary": _DATA,
    "amqp:amqp-sequence:list": _SEQUENCE,
    "amqp:amqp-value:*": _VALUE,
    "amqp:footer:map": _FOOTER,
}
