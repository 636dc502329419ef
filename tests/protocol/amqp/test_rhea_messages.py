"""Messages of all types to and from rhea, in frames that they do and do not fit into; see `test_rhea`.

rhea shows values without their types; what it sends it types as `peer.js` says.
"""

from typing import Any

import pytest
from msgspec.structs import asdict, replace
from support.amqp_strategies import typed_message
from support.rhea_rig import Ours, Rhea, Way, every_way, play, receiving, sending

from harness.protocol.amqp import types as t
from harness.protocol.amqp.events import TransferReceived
from harness.protocol.amqp.messages import (
    Body,
    Data,
    Header,
    Message,
    Properties,
    Sequence,
    SingleValue,
    decode_messages,
    encode_message,
)

pytestmark = [pytest.mark.real_sdk(runtime="node"), pytest.mark.slow]

UUID = bytes(range(16))
LARGE = b"large" * 4_000

MESSAGES: dict[str, Message] = {
    "string id": Message(SingleValue("text \u00e9"), Properties("m-1", correlation_id="c-1")),
    "ulong id": Message(SingleValue(None), Properties(t.ULong(7), correlation_id=t.ULong(0))),
    "uuid id": Message(SingleValue(value=True), Properties(t.Uuid(UUID))),
    "binary id": Message(Data((b"data",)), Properties(b"id")),
    "properties": Message(
        Data((b"one", b"two")),
        Properties(None, b"u", "to", "s", "r", None, "a/b", "utf-8", 2_000, 1_000, "g", 3, "rg"),
        {"text": "v", "int": t.Int(-200), "flag": False, "when": t.Timestamp(5), "none": None},
        {t.Symbol("x-opt-a"): t.Symbol("sym"), t.Symbol("x-opt-b"): t.ULong(9)},
        {t.Symbol("x-d"): t.Byte(-1)},
        Header(True, 9, 5_000, True, 2),
        {t.Symbol("x-f"): b"\0"},
    ),
    "scalars": Message(
        SingleValue(
            [
                *(t.UByte(200), t.UShort(60_000), t.UInt(0), t.UInt(7), t.UInt(70_000), t.ULong(0), t.ULong(7)),
                *(
                    t.ULong(2**40),
                    t.Byte(-7),
                    t.Short(-700),
                    t.Int(-7),
                    t.Int(-70_000),
                    -7,
                    -(2**40),
                    t.Float(0.5),
                    0.1,
                ),
                *(t.Timestamp(1), t.Uuid(UUID), t.Symbol("s"), None, False),
            ]
        )
    ),
    "nested": Message(SingleValue([[["deep"]], {"k": [t.Int(1), {}]}, []])),
    "map": Message(SingleValue({"a": t.Int(1), "b": "two", "c": b"\3"})),
    "arrays": Message(
        SingleValue(
            [
                t.Array(t.UInt, (t.UInt(1), t.UInt(2), t.UInt(3))),
                t.Array(t.Symbol, (t.Symbol("a"), t.Symbol("b"))),
                t.Array(str, ("c",)),
            ]
        )
    ),
    "described": Message(SingleValue([t.Described(t.Symbol("my:symbol"), "value")])),
    "sequence": Message(Sequence(([t.Int(1), "two", None],))),
    "large": Message(Data((LARGE,))),
}
"""The messages of `peer.js`, as we see them."""


def shown(value: t.Value) -> Any:
    """A value as `peer.js` shows what rhea makes of it: without types."""
    if isinstance(value, t.Described):
        return {"descriptor": value.descriptor, "value": shown(value.value)}
    if isinstance(value, bytes):
        return {"binary": value.hex()}
    if isinstance(value, dict):
        return {str(key): shown(item) for key, item in value.items()}
    items = value.items if isinstance(value, t.Array) else value
    return [shown(item) for item in items] if isinstance(items, list | tuple) else value


def shown_message(message: Message) -> dict[str, Any]:
    """The same for a message: what it states, section by section."""
    maps = ("application_properties", "message_annotations", "delivery_annotations", "footer")
    stated = {name: shown(getattr(message, name)) for name in maps if getattr(message, name)}
    header = {} if message.header == Header() else asdict(message.header)
    for name, value in {**header, **asdict(message.properties)}.items():
        if value is not None:
            stated[name] = shown(value)
    return {**stated, "body": shown_body(message.body)}


def shown_body(body: Body) -> Any:
    """The same for a body; rhea shows one section as it is, more as a list."""
    if isinstance(body, SingleValue):
        return shown(body.value)
    sections = [shown(section) for section in body.sections]
    code = 0x75 if isinstance(body, Data) else 0x76
    return {"section": code, "content": sections if len(sections) > 1 else sections[0]}


@every_way
@pytest.mark.parametrize("frame", [512, 4_096])
def test_their_messages(way: Way, frame: int) -> None:
    """Every type arrives as what it was sent as, in frames of our size."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        link = await receiving(ours, rhea)
        for name, expected in MESSAGES.items():
            if name == "binary id" and way.rhea == "rhea-1":
                continue  # it cannot send one
            rhea.do("send", link="link", name=name)
            event = await ours.until(TransferReceived)
            (message,) = decode_messages(event.payload, event.message_format)
            assert typed_message(message) == typed_message(replace(expected, footer={})), (
                name
            )  # rhea puts it before the body
            link.settle(event.delivery_id)
            ours.flush()
            await rhea.until("accepted", "link")

    play(way, test, frame=frame)


@every_way
@pytest.mark.parametrize("frame", [512, 4_096])
def test_our_messages(way: Way, frame: int) -> None:
    """They read what we meant, from frames of its size."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        link = await sending(ours, rhea, credit=len(MESSAGES))
        for name, message in MESSAGES.items():
            link.send(encode_message(message))
            ours.flush()
            told = await rhea.until("message", "link")
            assert told["message"] | shown_message(message) == told["message"], name

    play(way, test, frame=frame)
