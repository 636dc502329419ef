"""harness.protocol.amqp.connection: OPEN, CLOSE, channels, limits and the clock."""

import pytest
from msgspec import Struct
from support.amqp_world import BEGIN, NOW, OPEN, RECEIVES, SENDS, Peer, ServerPeer, message, only, server

from harness.errors import LocalProtocolError
from harness.protocol.amqp.client import ClientConnection
from harness.protocol.amqp.conditions import (
    DECODE_ERROR,
    FRAME_SIZE_TOO_SMALL,
    FRAMING_ERROR,
    ILLEGAL_STATE,
    RESOURCE_LIMIT_EXCEEDED,
)
from harness.protocol.amqp.connection import Limits
from harness.protocol.amqp.events import (
    AttachReceived,
    BeginReceived,
    CloseReceived,
    HeartbeatReceived,
    OpenReceived,
    ProtocolViolation,
    Timeout,
)
from harness.protocol.amqp.frames import AMQP_HEADER, FrameType, encode_frame
from harness.protocol.amqp.performatives import Attach, Begin, Close, Detach, End, Error, Open, SaslInit, Source
from harness.protocol.amqp.state import Half, Phase

ERROR = Error("amqp:connection:forced", "bye")


def unopened() -> ServerPeer:
    """After the headers."""
    world = ServerPeer()
    world.send_bytes(AMQP_HEADER)
    world.header()
    return world


def violation(world: ServerPeer, *bodies: Struct | None, channel: int = 0) -> tuple[str, str]:
    """Condition and reason of the violation that these frames are; the machine says so and is closed."""
    event = only(ProtocolViolation, world.send(*bodies, channel=channel))
    assert world.sent() == [Close(Error(event.condition, event.reason))]
    assert (world.machine.phase, world.machine.sessions) == (Phase.CLOSED, ())
    return event.condition, event.reason


def test_open() -> None:
    """What the hub announces."""
    world = unopened()
    assert world.send(OPEN) == [OpenReceived(OPEN)]
    world.machine.open("DeviceGateway_1", hostname="h", idle_time_out_ms=240_000, properties={"a": 1})
    assert world.sent() == [Open("DeviceGateway_1", "h", 65_536, 8_191, 240_000, properties={"a": 1})]
    assert (world.machine.local, world.machine.remote, world.machine.peer) == (Half.ACTIVE, Half.ACTIVE, OPEN)


def test_opening_twice() -> None:
    """The owner is wrong."""
    with pytest.raises(LocalProtocolError, match="one OPEN of each side"):
        server().machine.open("hub")


@pytest.mark.parametrize("body", [BEGIN, SENDS, Close()])
def test_frames_before_open(body: Struct) -> None:
    """Nothing may come before it; there is nothing yet to close."""
    world = unopened()
    event = only(ProtocolViolation, world.send(body))
    name = type(body).__name__.upper()
    assert event == ProtocolViolation(ILLEGAL_STATE, f"{name} is not allowed before it has begun")
    assert world.sent() == []


@pytest.mark.parametrize("body", [OPEN, SaslInit("PLAIN"), Error("c")])
def test_frames_on_an_open_connection(body: Struct) -> None:
    """A second OPEN, and what is no performative."""
    name = type(body).__name__.upper()
    assert violation(server(), body) == (ILLEGAL_STATE, f"{name} is not allowed while it is in use")


def test_malformed_bytes() -> None:
    """Framing and content have conditions of their own."""
    world = server()
    assert only(ProtocolViolation, world.send_bytes(b"\xff" * 8)).condition == FRAMING_ERROR
    world = server()
    assert only(ProtocolViolation, world.send_bytes(bytes.fromhex("00000009 02000000 45"))).condition == DECODE_ERROR


def test_frames_before_a_violation_count() -> None:
    """They come first."""
    world = server()
    events = world.send_bytes(encode_frame(FrameType.AMQP, 0, SENDS) + b"\xff" * 8)
    assert [type(event) for event in events] == [AttachReceived, ProtocolViolation]


def test_a_small_max_frame_size() -> None:
    """Section 2.7.1: at least 512."""
    event = only(ProtocolViolation, unopened().send(Open("c", max_frame_size=511)))
    assert event == ProtocolViolation(FRAMING_ERROR, "a max-frame-size of 511 bytes")


@pytest.mark.parametrize(("theirs", "ours"), [(4_294_967_295, 65_536), (4_096, 4_096), (512, 512)])
def test_frames_are_as_small_as_the_smaller_limit(theirs: int, ours: int) -> None:
    """The C SDK announces the largest number there is."""
    world = ServerPeer().opened(Open("c", max_frame_size=theirs))
    assert world.machine.max_outgoing_frame == ours


def test_an_answer_that_the_peer_does_not_take() -> None:
    """An echo of its own ATTACH, which fits into our frames and not into its own."""
    world = server(peer=Open("c", max_frame_size=512))
    link = only(AttachReceived, world.send(Attach("n", 0, True, source=Source("x" * 600)))).link
    link.accept()
    event = only(ProtocolViolation, world.machine.events())
    assert (event.condition, world.machine.phase) == (FRAME_SIZE_TOO_SMALL, Phase.CLOSED)
    assert world.sent() == [Close(Error(event.condition, event.reason))]


LONG = Error("amqp:internal-error", "x" * 600)


@pytest.mark.parametrize("what", ["link", "refusal", "session"])
def test_an_error_that_the_peer_does_not_take(what: str) -> None:
    """The end of a link or session becomes that of the connection, said in fewer words."""
    world = server(peer=Open("c", max_frame_size=512))
    link = only(AttachReceived, world.send(SENDS)).link
    if what == "refusal":
        link.refuse(LONG)
    elif what == "link":
        link.accept()
        link.detach(LONG)
    else:
        link.session.end(LONG)
    assert only(ProtocolViolation, world.machine.events()).condition == FRAME_SIZE_TOO_SMALL
    assert (world.machine.phase, link.local, isinstance(world.sent()[-1], Close)) == (Phase.CLOSED, Half.ENDED, True)


def test_frames_of_the_owners_own() -> None:
    """Whatever a fault needs can be sent, until our CLOSE."""
    world = server()
    (session,) = world.machine.sessions
    session.send_frame(Detach(99))
    world.machine.close(now=NOW)
    session.send_frame(Detach(99))
    assert world.sent() == [Detach(99), Close()]


def test_heartbeat_of_the_peer() -> None:
    """An empty frame."""
    assert server().send(None, None) == [HeartbeatReceived(), HeartbeatReceived()]


def test_close_by_the_peer() -> None:
    """The owner answers, then it is over."""
    world = server()
    assert world.send(Close(ERROR)) == [CloseReceived(Close(ERROR))]
    assert world.machine.phase is Phase.FRAMES
    world.machine.close(now=NOW)
    assert (world.sent(), world.machine.phase, world.machine.next_deadline()) == ([Close()], Phase.CLOSED, None)


def test_close_by_us() -> None:
    """Without END; the sessions and links end without a word."""
    world = server()
    link = world.attached(RECEIVES)
    world.machine.close(ERROR, now=NOW)
    assert (world.sent(), link.local) == ([Close(ERROR)], Half.ENDED)
    assert world.send(Close()) == [CloseReceived(Close())]
    assert world.machine.phase is Phase.CLOSED


def test_nothing_but_close_is_read_after_ours() -> None:
    """The rest was on its way and is dropped (rule 7), heartbeats show only life."""
    world = server()
    world.machine.close(now=NOW)
    events = world.send(BEGIN, SENDS, message(), Detach(0), End(), None, Close())
    assert events == [HeartbeatReceived(), CloseReceived(Close())]


def test_close_is_not_answered() -> None:
    """The wait is a parameter."""
    world = server(Limits(close_timeout_s=5.0))
    world.machine.close(now=NOW)
    assert world.machine.next_deadline() == NOW + 5
    world.machine.on_time(NOW + 4.9)
    assert world.machine.events() == []
    world.machine.on_time(NOW + 5)
    assert (world.machine.events(), world.machine.phase) == ([Timeout("close")], Phase.CLOSED)


def test_closing_before_opening() -> None:
    """The owner is wrong; `abandon` needs no OPEN."""
    world = unopened()
    with pytest.raises(LocalProtocolError, match="CLOSE before OPEN"):
        world.machine.close(now=NOW)
    world.machine.abandon()
    assert world.machine.phase is Phase.CLOSED


def test_close_by_the_peer_before_our_open() -> None:
    """There is nothing to say."""
    world = unopened()
    world.send(OPEN, Close())
    world.machine.close(now=NOW)
    assert (world.sent(), world.machine.phase) == ([], Phase.CLOSED)


def test_after_the_end_nothing_happens() -> None:
    """The owner may still be answering."""
    world = server()
    session = world.machine.sessions[0]
    link = world.attached(RECEIVES)
    world.machine.abandon()
    world.machine.close(now=NOW)
    world.machine.open("again")
    world.machine.on_time(NOW + 1e9)
    session.accept()
    session.end()
    link.detach()
    late = world.machine.begin().receiver("late", Source("x"))
    late.grant(5)
    assert (world.machine.data_to_send(), world.send(Close()), world.machine.events()) == (b"", [], [])


def test_output_is_one_chunk_in_order() -> None:
    """Everything that one `receive` brought about."""
    world = server()
    receiver = world.receiver(credit=10)
    events = world.send(*(message(number) for number in range(3)))
    for event in reversed(events):
        receiver.settle(event.delivery_id)  # type: ignore[union-attr]
    assert [body.first for body in world.sent()] == [2, 1, 0]  # type: ignore[union-attr]
    assert world.machine.data_to_send() == b""


def test_session_of_the_peer() -> None:
    """On the peer's channel; ours is the lowest free one."""
    world = ServerPeer().opened()
    event = only(BeginReceived, world.send(BEGIN, channel=7))
    event.session.accept()
    ((channel, body, _),) = world.frames()
    assert (channel, body) == (0, Begin(7, 1, 5_000, 5_000, 262_143))
    assert world.machine.sessions == (event.session,)


def test_session_of_ours() -> None:
    """Its answer names our channel."""
    world = ServerPeer().opened()
    session = world.machine.begin(outgoing_window=9, properties={"a": 1})
    assert world.sent() == [Begin(None, 1, 5_000, 9, 262_143, properties={"a": 1})]
    assert world.send(Begin(0, 1, 5_000, 5_000), channel=3) == [BeginReceived(session, Begin(0, 1, 5_000, 5_000))]


def test_channels_are_used_again() -> None:
    """When both sides have ended the session."""
    world = ServerPeer().opened()
    sessions = [world.begun(BEGIN, channel) for channel in (1, 2)]
    assert [session.channel for session in sessions] == [0, 1]
    world.send(End(), channel=1)
    assert world.machine.begin().channel == 2
    sessions[0].end()
    assert world.machine.begin().channel == 0


@pytest.mark.parametrize(
    ("body", "channel", "condition", "reason"),
    [
        (BEGIN, 0, ILLEGAL_STATE, "BEGIN on a channel with a session"),
        (SENDS, 1, ILLEGAL_STATE, "ATTACH on a channel without a session"),
        (End(), 1, ILLEGAL_STATE, "END on a channel without a session"),
        (Begin(5, 1, 1, 1), 1, ILLEGAL_STATE, "BEGIN in answer to none of ours"),
        (Begin(0, 1, 1, 1), 1, ILLEGAL_STATE, "BEGIN in answer to none of ours"),
        (BEGIN, 8_192, FRAMING_ERROR, "channel 8192 exceeds 8191"),
    ],
)
def test_channels_out_of_order(body: Struct, channel: int, condition: str, reason: str) -> None:
    """The connection ends."""
    assert violation(server(), body, channel=channel) == (condition, reason)


def test_beginning_before_opening() -> None:
    """The owner is wrong."""
    with pytest.raises(LocalProtocolError, match="BEGIN before OPEN"):
        unopened().machine.begin()


def test_sessions_are_limited() -> None:
    """By a parameter."""
    world = server(Limits(max_sessions=1))
    assert violation(world, BEGIN, channel=1) == (RESOURCE_LIMIT_EXCEEDED, "more than 1 sessions")


def test_sessions_that_the_peer_does_not_let_us_answer() -> None:
    """Its channel-max counts for our channels."""
    world = server(peer=Open("c", channel_max=0))
    assert violation(world, BEGIN, channel=1)[0] == RESOURCE_LIMIT_EXCEEDED
    with pytest.raises(LocalProtocolError, match="all numbers up to 0 are taken"):
        server(peer=Open("c", channel_max=0)).machine.begin()


def test_open_does_not_come() -> None:
    """A connection without a first frame, or with half a header, or stuck in SASL."""
    world = ServerPeer(Limits(open_timeout_s=5.0))
    world.send_bytes(b"AMQP")
    assert world.machine.next_deadline() == NOW + 5
    world.machine.on_time(NOW + 5)
    assert (world.machine.events(), world.machine.phase) == ([Timeout("open")], Phase.CLOSED)


def test_a_silent_peer() -> None:
    """Twice the announced idle-time-out (section 2.4.5); every byte starts it afresh."""
    world = server()
    world.now = NOW + 100
    world.send_bytes(b"\x00")
    assert world.machine.next_deadline() == NOW + 100 + 480
    world.machine.on_time(NOW + 579.9)
    assert world.machine.events() == []
    world.machine.on_time(NOW + 580)
    assert (world.machine.events(), world.machine.phase) == ([Timeout("idle")], Phase.CLOSED)
    assert world.sent() == [Close(Error(RESOURCE_LIMIT_EXCEEDED, "the connection was idle for too long"))]


def test_the_limit_of_silence_is_a_parameter() -> None:
    """Other than what is announced, or none at all."""
    world = unopened()
    world.send(OPEN)
    world.machine.open("hub", idle_time_out_ms=240_000, idle_limit_s=7.0)
    assert world.machine.next_deadline() == NOW + 7
    world = unopened()
    world.send(OPEN)
    world.machine.open("hub")
    assert world.machine.next_deadline() is None


def beating() -> ServerPeer:
    """The client wants a sign of life every 8 s, so we look every 2 s."""
    world = unopened()
    world.send(Open("c", idle_time_out=8_000))
    assert world.machine.next_deadline() is None  # nothing can be sent before our OPEN
    world.machine.open("hub")
    world.sent()
    return world


def test_heartbeat() -> None:
    """An empty frame if nothing was sent for two looks."""
    world = beating()
    assert world.machine.next_deadline() == NOW + 2
    world.machine.on_time(NOW + 2)
    assert world.sent() == []  # OPEN was sent since
    assert world.machine.next_deadline() == NOW + 4
    world.machine.on_time(NOW + 3.9)
    assert world.sent() == []
    world.machine.on_time(NOW + 4)
    assert world.sent() == [None]


def test_no_heartbeat_beside_other_frames() -> None:
    """What is queued and has not left counts as well."""
    world = beating()
    world.machine.on_time(NOW + 2)
    world.machine.begin()
    world.machine.on_time(NOW + 4)
    assert len(world.sent()) == 1


def test_silence_is_never_longer_than_half_the_time_out() -> None:
    """Whatever else is sent, and when (the .NET SDK waits 7/8 of its time-out, others half)."""
    world = beating()
    silent_since, now = NOW, NOW
    for step in range(400):
        now += 0.1
        world.machine.on_time(now)
        if step % 37 == 0:
            world.machine.begin()
        if world.machine.data_to_send():
            silent_since = now
        assert now - silent_since <= 4.01


@pytest.mark.parametrize(("time_out", "interval"), [(0, None), (1, 0.25)])
def test_extreme_idle_time_outs(time_out: int, interval: float | None) -> None:
    """0 means none, as the C SDK has it; a tiny one does not make us busy."""
    world = unopened()
    world.send(Open("c", idle_time_out=time_out))
    world.machine.open("hub")
    assert world.machine.next_deadline() == (None if interval is None else NOW + interval)


def test_a_client_sends_heartbeats_too() -> None:
    """The same machine."""
    world = Peer(client := ClientConnection())
    client.connect(NOW)
    client.open("dev")
    world.send_bytes(AMQP_HEADER)
    world.send(Open("hub", idle_time_out=240_000))
    world.header()
    world.sent()
    client.on_time(NOW + 60)
    client.on_time(NOW + 120)
    assert world.sent() == [None]
