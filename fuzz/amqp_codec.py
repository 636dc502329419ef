"""Targets of AMQP that hold no state: values, frames with their performatives, messages."""

from collections.abc import Sequence
from random import Random
from typing import Final

from fuzz import amqp_corpus as corpus
from fuzz.mutation import Mutator, Seed, fragments
from fuzz.target import Outcome, Target, require, weight
from harness.errors import RemoteProtocolError
from harness.protocol.amqp.decoding import decode_all
from harness.protocol.amqp.encoding import encode
from harness.protocol.amqp.frames import Frame, FrameDecoder, FrameType, encode_frame
from harness.protocol.amqp.messages import BATCH_FORMAT, MESSAGE_FORMAT, decode_messages, encode_message

_LIMIT: Final = 4_096
_FACTOR: Final = 8
"""Elements of an array that take no bytes are limited to 16 per array, and an array takes three bytes at least."""
_DEPTHS: Final = (31, 32, 33, 200, 1_500)
_SHORT: Final = tuple(bytes((code,)) for code in (0xA0, 0xA1, 0xA3, 0xC0, 0xC1, 0xE0))
_LONG: Final = tuple(bytes((code,)) for code in (0xB0, 0xB1, 0xB3, 0xD0, 0xD1, 0xF0))
"""Format codes that a size follows: of one byte, of four."""


def types() -> Target:
    """Any value."""
    seeds: list[Seed] = [(encode(value),) for value in corpus.VALUES]
    seeds += [(corpus.nested(depth),) for depth in _DEPTHS] + [(content,) for content in corpus.variations()[::7]]
    mutator = Mutator(seeds, words=corpus.WORDS, repair=repair_value)
    return Target("amqp-types", "AMQP bytes -> value; RemoteProtocolError", "values", mutator, _read_types)


def frames() -> Target:
    """Frames of both layers."""
    seeds: list[Seed] = [(frame,) for frame in (*corpus.frames(), *corpus.sasl_frames())]
    seeds += [corpus.transcripts(None)[0][1:5], corpus.sasl_frames()[:3]]
    mutator = Mutator(seeds, words=corpus.WORDS, repair=repair_frame)
    return Target("amqp-frames", "AMQP bytes -> performatives; RemoteProtocolError", "frames", mutator, _read_frames)


def messages() -> Target:
    """Messages and batches."""
    seeds = [corpus.sections(payload) for payload in corpus.encoded_messages()]
    mutator = Mutator(seeds, words=(*corpus.WORDS, *corpus.SECTIONS), repair=repair_value)
    return Target("amqp-messages", "AMQP payload -> messages; RemoteProtocolError", "messages", mutator, _read_messages)


def repair_frame(chunk: bytes) -> bytes:
    """The frame with the size that it has, and its list as well if that is short and nothing follows it."""
    head, body = chunk[4 : corpus.FRAME_LEAD], repair_value(chunk[corpus.FRAME_LEAD :])
    return (corpus.FRAME_LEAD + len(body)).to_bytes(4, "big") + head + body if len(head) == 4 else chunk  # noqa: PLR2004


def repair_value(value: bytes) -> bytes:
    """A value, described or not, with the size that it has, if it states one; not of transfers, where a payload follows."""
    at = 3 if value.startswith(b"\x00\x53") and value[2:3] != b"\x14" else 0
    if value[at : at + 1] in _SHORT and 1 < len(value) - at < 0x100:  # noqa: PLR2004
        return value[: at + 1] + bytes((len(value) - at - 2,)) + value[at + 2 :]
    if value[at : at + 1] in _LONG and len(value) - at > 5:  # noqa: PLR2004
        return value[: at + 1] + (len(value) - at - 5).to_bytes(4, "big") + value[at + 5 :]
    return value


def _require_little(found: Sequence[object], size: int) -> None:
    """Decoding a few bytes must not fill the memory; 64 is for the fields that a composite has without any bytes."""
    require(sum(map(weight, found)) <= 64 * (1 + len(found)) + _FACTOR * size, "more is held than the bytes can say")


def _read_types(chunks: list[bytes], _random: Random) -> Outcome:
    data = b"".join(chunks)
    try:
        value = decode_all(data)
    except RemoteProtocolError as error:
        return Outcome(str(error), 0)
    held = weight(value)
    require(held <= 16 + _FACTOR * len(data), "the value holds more than the bytes can")
    again = encode(value)
    require(encode(decode_all(again)) == again, "what was decoded is encoded as something else")
    return Outcome(None, held)


def _read_frames(chunks: list[bytes], random: Random) -> Outcome:
    kind = FrameType.SASL if chunks and chunks[0][5:6] == b"\1" else FrameType.AMQP
    decoder, found, refusal = FrameDecoder(_LIMIT), list[Frame](), None
    try:
        for part in fragments(chunks, random):
            decoder.append(part)
            while (frame := decoder.next_frame(kind)) is not None:
                found.append(frame)
    except RemoteProtocolError as error:
        refusal = str(error)
    _require_little(found, sum(map(len, chunks)))
    for channel, body, payload in found:
        decoder = FrameDecoder(1 << 20)
        decoder.append(encode_frame(kind, channel, body, payload))
        again = decoder.next_frame(kind)
        require(again is not None and again.payload == payload, "what was decoded is encoded as something else")
    return Outcome(refusal, len(found))


def _read_messages(chunks: list[bytes], random: Random) -> Outcome:
    message_format = (MESSAGE_FORMAT, BATCH_FORMAT)[int(random.random() * 2)]
    try:
        found = decode_messages(b"".join(chunks), message_format)
    except RemoteProtocolError as error:
        return Outcome(str(error), 0)
    _require_little(found, sum(map(len, chunks)))
    for message in found:
        encode_message(message)
    return Outcome(None, len(found))
