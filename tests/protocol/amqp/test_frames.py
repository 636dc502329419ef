"""harness.protocol.amqp.frames: streams of bytes, whole, in fragments, broken and random."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from support.amqp_strategies import changes, fragments, mutated, performatives, sasl_frames

from harness.errors import RemoteProtocolError
from harness.protocol.amqp.conditions import FRAMING_ERROR, AmqpViolation
from harness.protocol.amqp.frames import Frame, FrameDecoder, FrameType, encode_accepted, encode_frame
from harness.protocol.amqp.performatives import RECEIVER, Accepted, Close, Disposition

AMQP, SASL = FrameType.AMQP, FrameType.SASL
CLOSE = encode_frame(AMQP, 0, Close())
sent_frames = st.lists(
    st.builds(Frame, st.integers(0, 65_535), performatives, st.binary(max_size=50))
    | st.builds(Frame, st.integers(0, 65_535), st.none(), st.just(b"")),
    max_size=4,
)


def received(parts: list[bytes], kind: FrameType = AMQP, limit: int = 65_536) -> list[Frame]:
    """Everything that comes out of these bytes."""
    decoder, frames = FrameDecoder(limit), []
    for part in parts:
        decoder.append(part)
        while (frame := decoder.next_frame(kind)) is not None:
            frames.append(frame)
    assert len(decoder) == 0
    return frames


@given(sent_frames, st.lists(st.integers(0, 10_000), max_size=8))
def test_round_trip_under_any_fragmentation(sent: list[Frame], cuts: list[int]) -> None:
    """What is encoded comes out again, in order, wherever the stream is cut."""
    stream = b"".join(encode_frame(AMQP, *frame) for frame in sent)
    assert received(fragments(stream, cuts)) == sent


@given(sasl_frames)
def test_sasl_frames(body: Struct) -> None:
    """Their channel is 0 and means nothing."""
    assert received([encode_frame(SASL, 0, body)], SASL) == [Frame(0, body, b"")]


@given(st.integers(0, 65_535), st.integers(0, 2**32 - 1))
def test_the_frequent_disposition(channel: int, delivery_id: int) -> None:
    """Built without a composite, it is the same to the peer."""
    body = Disposition(RECEIVER, delivery_id, settled=True, state=Accepted())
    assert received([encode_accepted(channel, delivery_id)]) == [Frame(channel, body, b"")]


def test_an_empty_frame() -> None:
    """Section 2.4.5: eight bytes."""
    assert encode_frame(AMQP, 0, None) == bytes.fromhex("00000008 02 00 0000")


def test_an_extended_header_is_skipped() -> None:
    """Section 2.3.1: doff counts words."""
    assert received([bytes.fromhex("00000010 03 00 0007 ffffffff 00531845")]) == [Frame(7, Close(), b"")]


def test_a_symbolic_descriptor() -> None:
    """The generic way."""
    name = b"amqp:close:list"
    body = b"\x00\xa3" + bytes((len(name),)) + name + b"\x45"
    assert received([(8 + len(body)).to_bytes(4, "big") + b"\x02\x00\x00\x00" + body]) == [Frame(0, Close(), b"")]


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        ("00000007 02 00 0000", "a frame of 7 bytes with its body at 8"),
        ("00000008 01 00 0000", "a frame of 8 bytes with its body at 4"),
        ("00000008 03 00 0000", "a frame of 8 bytes with its body at 12"),
        ("00000201 02 00 0000", "a frame of 513 bytes exceeds 512"),
        ("00000008 02 01 0000", "a frame of type 1 instead of AMQP"),
        ("474554202f204854", "a frame of type 32 instead of AMQP"),
    ],
)
def test_frame_headers(packed: str, reason: str) -> None:
    """Refused with the header, before the body has come; the error stays."""
    decoder = FrameDecoder(512)
    decoder.append(bytes.fromhex(packed))
    for _ in range(2):
        with pytest.raises(AmqpViolation, match=reason) as caught:
            decoder.next_frame(AMQP)
        assert caught.value.condition == FRAMING_ERROR


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("45", "something that is not described"),
        ("005399 45", "unknown descriptor '153'"),
        ("0040 45", "unknown descriptor 'None'"),
        ("00a30178 45", "unknown descriptor 'x'"),
        ("005318", "end in the middle"),
        ("005318 40", "amqp:close:list is not a list"),
        ("005310 45", "amqp:open:list without container_id"),
    ],
)
def test_frame_bodies(body: str, reason: str) -> None:
    """A frame begins with a composite that the standard knows."""
    raw = bytes.fromhex(body)
    with pytest.raises(RemoteProtocolError, match=reason):
        received([(8 + len(raw)).to_bytes(4, "big") + b"\x02\x00\x00\x00" + raw])


def test_a_frame_at_the_size_limit() -> None:
    """The limit counts the whole frame."""
    frame = encode_frame(AMQP, 0, Close(), bytes(500))
    assert received([frame], limit=512) == [Frame(0, Close(), bytes(500))]


def test_frames_before_a_malformed_one_come_first() -> None:
    """None is lost."""
    decoder = FrameDecoder(512)
    decoder.append(CLOSE + b"\xff" * 8)
    assert decoder.next_frame(AMQP) == Frame(0, Close(), b"")
    with pytest.raises(RemoteProtocolError):
        decoder.next_frame(AMQP)


def test_protocol_headers() -> None:
    """Eight bytes, whatever they are, and not before they are there."""
    decoder = FrameDecoder(512)
    decoder.append(b"AMQP\x00\x01\x00")
    assert (decoder.next_header(), len(decoder)) == (None, 7)
    decoder.append(b"\x00" + CLOSE)
    assert decoder.next_header() == b"AMQP\x00\x01\x00\x00"
    assert decoder.next_frame(AMQP) == Frame(0, Close(), b"")


@given(performatives, changes, st.integers(0, 10_000))
def test_mutated_frames(body: Struct, changed: list[tuple[int, int]], length: int) -> None:
    """Nothing but the peer's error comes out, and what comes out can be encoded."""
    decoder = FrameDecoder(65_536)
    decoder.append(mutated(encode_frame(AMQP, 1, body), changed, length))
    try:
        frame = decoder.next_frame(AMQP)
    except RemoteProtocolError as error:
        assert str(error)  # noqa: PT017 - not raising is as good
    else:
        assert frame is None or encode_frame(AMQP, *frame)


@given(st.binary(max_size=100))
def test_random_bytes_behind_a_frame_header(data: bytes) -> None:
    """The same for what no mutation finds."""
    decoder = FrameDecoder(65_536)
    decoder.append((8 + len(data)).to_bytes(4, "big") + b"\x02\x00\x00\x00" + data)
    try:
        decoder.next_frame(AMQP)
    except RemoteProtocolError as error:
        assert str(error)  # noqa: PT017 - not raising is as good
