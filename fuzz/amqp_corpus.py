"""Seeds for AMQP: values, performatives with unlikely fields, messages, and transcripts of our two roles talking to each other."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from msgspec import Struct

from fuzz.mutation import Seed
from harness.protocol.amqp import types as t
from harness.protocol.amqp.client import ClientConnection, plain
from harness.protocol.amqp.decoding import decode
from harness.protocol.amqp.encoding import encode
from harness.protocol.amqp.events import (
    AttachReceived,
    BeginReceived,
    Event,
    OpenReceived,
    SaslInitReceived,
    TransferReceived,
)
from harness.protocol.amqp.frames import AMQP_HEADER, FrameType, encode_frame, wrap
from harness.protocol.amqp.messages import (
    Data,
    Header,
    Message,
    Properties,
    Sequence,
    SingleValue,
    encode_batch,
    encode_message,
)
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
    SaslCode,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Source,
    Target,
    Transfer,
)
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.schema import BY_CLASS, describe
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.server import ServerConnection

NOW: Final = 1_000.0
FRAME_LEAD: Final = 8
_TEXTS: Final = t.Array(t.Symbol, (t.Symbol("a"), t.Symbol("b")))
_FILTER: Final = {t.Symbol("f"): t.Described(t.ULong(0x137), "x")}

BODIES: Final[tuple[Struct, ...]] = (
    Open("peer", "h", 4_096, 10, 60_000, ("en",), ("en",), ("a",), ("b",), {t.Symbol("k"): "v"}),
    Begin(None, 1, 100, 100, 20, ("a",), ("b",), {}),
    Begin(0, 1, 100, 100),
    Attach("up", 0, False, 0, 0, Source("here"), Target("there"), {}, False, 0, 1_000, ("a",), ("b",), {}),
    Attach(
        "down", 1, True, 1, 1, Source("there", 1, "never", 5, False, None, None, _FILTER, Released()), Target("here")
    ),
    Flow(1, 100, 1, 100),
    Flow(1, 100, 1, 100, 1, 0, 10, 0, True, True, {}),
    Transfer(0, 0, b"tag", 0, False, True, 0, Received(1, 2), False, False, True),
    Transfer(0, 1, b"tag1", 0x80013700, True),
    Transfer(0, more=True, aborted=True),
    Disposition(True, 0, 3, True, Accepted(), False),
    Disposition(False, 0, None, True, Rejected(Error("amqp:not-found", "no", {t.Symbol("i"): t.Int(-1)}))),
    Disposition(True, 0, 1, False, Modified(True, False, {t.Symbol("x-opt"): None})),
    Detach(0, True, Error("amqp:link:detach-forced")),
    Detach(1),
    End(Error("amqp:internal-error", "?")),
    Close(Error("amqp:connection:forced")),
)
SASL_BODIES: Final[tuple[Struct, ...]] = (
    SaslMechanisms(("MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL")),
    SaslInit("PLAIN", plain("d@sas.h", "secret"), "h"),
    SaslOutcome(SaslCode.OK),
    SaslOutcome(SaslCode.AUTH, b"no"),
)
VALUES: Final[tuple[t.Value, ...]] = (
    *(None, True, False, t.UByte(7), t.UShort(700), t.UInt(0), t.UInt(7), t.UInt(70_000), t.ULong(0), t.ULong(7)),
    *(t.ULong(2**63), t.Byte(-7), t.Short(-700), t.Int(-7), t.Int(-70_000), -7, -(2**40), t.Float(0.5), 0.1),
    *(t.Decimal32(b"1234"), t.Decimal64(b"12345678"), t.Decimal128(bytes(16)), t.Char("\U0001f600"), t.Timestamp(-1)),
    *(
        t.Uuid(bytes(range(16))),
        b"bytes",
        b"y" * 300,
        "\u00e9",
        "x" * 300,
        t.Symbol("amqp:symbol"),
        t.Symbol("s" * 300),
    ),
    *([], [None, [True, ["a", [b"b"]]]], [t.UInt(1)] * 70, {}, {t.Symbol("k"): {"a": [1]}, t.UInt(1): None}),
    *(
        _TEXTS,
        t.Array(bool, (True, False)),
        t.Array(list, ([True], [])),
        t.Array(t.UInt, (t.UInt(1),) * 80, t.ULong(9)),
    ),
    *(t.Array(t.Array, (_TEXTS, _TEXTS)), t.Array(dict, ({"a": 1},)), t.Described(t.ULong(0x24), [])),
    *(t.Described(t.Symbol("amqp:source:list"), ["a"]), t.Described(t.Described("d", "e"), {"k": [None]})),
)
WORDS: Final = (
    *(b"\x00\x53", b"\x00", b"\x00\x00", b"\x45", b"\x40", b"\x41", b"\x43", b"\x44", b"\x52\x00", b"\x53\x24"),
    *(b"\xc0\xff\x01", b"\xc0\x01\x00", b"\xc1\xff\x02", b"\xc1\x01\x00", b"\xe0\x02\x10\x41", b"\xe0\x02\x02\x45"),
    *(
        b"\xd0\x00\x00\x00\xff\x00\x00\x00\x01",
        b"\xd0\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xf0\x00\x00\x00\xff\x00\xff\xff\xff\x40",
    ),
    *(
        b"\xd1\x00\x00\x00\xff\x00\x00\x00\x02",
        b"\xb0\xff\xff\xff\xff",
        b"\xa3\x01a",
        b"\xa1\x01\xe9",
        b"\xa1\x00",
        b"\xa0\x20",
    ),
    *(b"\xe0\xff\xff\xe0", b"\xf0\x00\x00\x01\x00\x00\x00\x00\x01", b"\x70\xff\xff\xff\xff", b"\x80" + b"\xff" * 8),
    *(b"\x73\x00\x00\xd8\x00", b"\x56\x02", b"\x98" + bytes(16), b"\x00\x80" + bytes(7) + b"\x14", AMQP_HEADER),
)
"""Beginnings and whole values, many of them with sizes that nothing bears out."""
SECTIONS: Final = tuple(b"\x00\x53" + bytes((code,)) for code in range(0x70, 0x79))
"""Beginnings of the sections of messages."""

_UNLIKELY: Final[tuple[t.Value, ...]] = (
    None,
    True,
    t.UInt(2),
    t.ULong(2),
    t.UByte(2),
    -1,
    "t",
    b"b" * 33,
    t.Symbol("s"),
    [],
    {"k": []},
    _TEXTS,
)
_LIKELY: Final[dict[type, tuple[t.Value, ...]]] = {
    t.UInt: tuple(map(t.UInt, (0, 1, 2, 5, 511, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))),
    t.UShort: tuple(map(t.UShort, (0, 1, 65_535))),
    t.UByte: tuple(map(t.UByte, (0, 1, 2, 255))),
    t.ULong: tuple(map(t.ULong, (0, 1, 2**64 - 1))),
    t.Described: tuple(
        describe(body)
        for body in (Accepted(), Released(), Rejected(Error("e")), Modified(), Received(1, 1), Source("s"), Target("t"))
    ),
    bool: (True, False),
    bytes: (b"", b"tag", b"y" * 33),
    str: ("", "up", "x" * 300),
    dict: ({}, {t.Symbol("k"): 1}, {"k": [None]}),
    t.Symbol: (t.Symbol(""), t.Symbol("ANONYMOUS")),
}


def nested(depth: int) -> bytes:
    """A list in a list, and so on."""
    value = b"\x45"
    for _ in range(depth):
        value = b"\xd0" + (4 + len(value)).to_bytes(4, "big") + b"\0\0\0\1" + value
    return value


@cache
def variations() -> tuple[bytes, ...]:
    """Every performative with one field after the other replaced: well-formed, and often without sense."""
    return tuple(encode(value) for body in (*BODIES, *SASL_BODIES) for value in _varied(body))


def _varied(body: Struct) -> Iterator[t.Described]:
    whole = describe(body)
    for index, row in enumerate(BY_CLASS[type(body)].fields):
        likely = [value for kind in row.type.kinds for value in _LIKELY.get(kind, ())]
        for value in (*likely, *_UNLIKELY[index % 3 :: 3]):
            items = [*whole.value, *[None] * (index + 1 - len(whole.value))]
            items[index] = value
            yield t.Described(whole.descriptor, items)


@cache
def frames() -> tuple[bytes, ...]:
    """Frames for any place in a stream, on two channels, some with a payload."""
    payload = encode_message(MESSAGES[0])
    contents = [*variations(), *(content + payload for content in variations() if content[2] == 0x14)]  # noqa: PLR2004
    return tuple(wrap(FrameType.AMQP, int(number % 8 == 0), content) for number, content in enumerate(contents))


def sasl_frames() -> tuple[bytes, ...]:
    """Frames of the SASL exchange."""
    return tuple(encode_frame(FrameType.SASL, 0, body) for body in SASL_BODIES)


MESSAGES: Final = (
    Message(Data((b"telemetry",)), Properties("id", b"u", "/devices/d", "s", "r", t.ULong(1)), {"k": "v"}),
    Message(
        SingleValue(None),
        Properties(t.Uuid(bytes(16)), correlation_id=b"c", content_type="a/b", creation_time=1, group_sequence=2),
        {"status-code": t.Int(200), "d": "OK"},
        {"x-opt": t.Timestamp(5)},
        {"x-delivery": [1, {"a": None}]},
        Header(durable=True, priority=9, ttl=5_000, delivery_count=3),
        {"sum": b"\0" * 4},
    ),
    Message(Sequence(([1, "two", [3.0]], [])), header=Header(first_acquirer=True)),
    Message(SingleValue({"a": [_TEXTS, t.Described(t.ULong(1), "x")]})),
    Message(Data((b"a", b"b", b""))),
)


def encoded_messages() -> tuple[bytes, ...]:
    """Messages, and batches of them."""
    single = tuple(map(encode_message, MESSAGES))
    return (*single, encode_batch(single), encode_batch([single[0]] * 3), encode_batch([]))


def sections(payload: bytes) -> Seed:
    """A message as its sections."""
    found, at = [], 0
    while at < len(payload):
        _, end = decode(payload, at)
        found.append(payload[at:end])
        at = end
    return tuple(found)


def cut(stream: bytes) -> Seed:
    """A stream as protocol headers and frames."""
    chunks = []
    while stream:
        size = FRAME_LEAD if stream.startswith(b"AMQP") else int.from_bytes(stream[:4], "big")
        chunks.append(stream[:size])
        stream = stream[size:]
    return tuple(chunks)


@cache
def transcripts(mechanism: str | None) -> tuple[Seed, Seed]:
    """What our client and our server say to each other: from the headers to CLOSE, with messages both ways."""
    client = ClientConnection(mechanism=mechanism, response=plain("d", "secret") if mechanism == "PLAIN" else None)
    server, said = ServerConnection(now=NOW), {"up": b"", "down": b""}

    def exchange() -> None:
        while (up := client.data_to_send()) + (down := server.data_to_send()):
            said["up"] += up
            said["down"] += down
            server.receive(up, NOW)
            for event in server.events():
                _accept(server, event)
            client.receive(down, NOW)
            client.events()

    client.connect(NOW)
    client.open("device", hostname="h", idle_time_out_ms=60_000)
    session = client.begin()
    up = session.sender("up", Target("/devices/d/messages/events"))
    down = session.receiver("down", Source("/devices/d/messages/devicebound"))
    exchange()
    down.grant(2)
    exchange()
    for payload in encoded_messages()[:3]:
        up.send(payload)
    exchange()
    up.detach()
    session.end()
    client.close(now=NOW)
    exchange()
    return cut(said["up"]), cut(said["down"])


def _accept(server: ServerConnection, event: Event) -> None:
    match event:
        case SaslInitReceived():
            server.sasl_outcome(SaslCode.OK, now=NOW)
        case OpenReceived():
            server.open("hub", idle_time_out_ms=240_000)
        case BeginReceived(session):
            session.accept()
        case AttachReceived(link):
            link.accept()
            if isinstance(link, ReceiverLink):
                link.grant(50)
            elif isinstance(link, SenderLink):
                link.send(encode_message(MESSAGES[0]))
        case TransferReceived(link, delivery_id):
            link.settle(delivery_id)
