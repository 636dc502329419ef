"""Peers that send anything: no machine raises, hangs or answers without end; what is wrong becomes an event."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from support.amqp_strategies import changes, fragments, mutated, performatives, sasl_frames
from support.amqp_world import BEGIN, NOW, OPEN, RECEIVES, SENDS, message

from harness.protocol.amqp.client import ClientConnection
from harness.protocol.amqp.connection import Connection, Limits
from harness.protocol.amqp.events import (
    AttachReceived,
    BeginReceived,
    CloseReceived,
    DetachReceived,
    DispositionReceived,
    EndReceived,
    Event,
    OpenReceived,
    ProtocolViolation,
    SaslInitReceived,
    TransferReceived,
)
from harness.protocol.amqp.frames import AMQP_HEADER, SASL_HEADER, FrameType, encode_frame
from harness.protocol.amqp.performatives import (
    Accepted,
    Attach,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    SaslCode,
    SaslInit,
    Source,
    Target,
    Transfer,
)
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.server import ServerConnection
from harness.protocol.amqp.state import Phase

LIMITS = Limits(
    max_frame_size=4_096, incoming_window=8, max_links=4, max_sessions=3, max_unsettled=5, max_message_size=300,
    max_buffered=500,
)  # fmt: skip

small = st.integers(0, 3)
plausible: st.SearchStrategy[Struct | None] = st.one_of(
    st.just(BEGIN),
    st.just(SENDS),
    st.just(RECEIVES),
    st.builds(
        Attach, st.sampled_from("ab"), small, st.booleans(), source=st.just(Source("s")), target=st.just(Target("t"))
    ),
    st.builds(Flow, st.none() | small, small, small, small, st.none() | small, st.none() | small, st.none() | small),
    st.builds(Flow, small, small, small, small, small, drain=st.booleans(), echo=st.booleans(), link_credit=small),
    st.builds(message, small, handle=small, settled=st.booleans(), more=st.booleans()),
    st.builds(Transfer, small, st.none() | small, more=st.booleans(), aborted=st.booleans()),
    st.builds(Disposition, st.booleans(), small, st.none() | small, st.booleans(), st.none() | st.just(Accepted())),
    st.builds(Detach, small, st.booleans()),
    st.builds(End),
    st.none(),
    st.builds(Close),
)


class Owner:
    """An owner that does everything an owner can, at once or late."""

    def __init__(self, machine: Connection) -> None:
        self.machine = machine
        self.over = False
        self.late: list[Event] = []

    def take(self, events: list[Event], *, late: bool) -> None:
        """Answer these events, or those of earlier."""
        for event in events:
            assert not self.over, "nothing follows a violation"
            self.over = isinstance(event, ProtocolViolation)
        self.late += events
        if not late:
            events, self.late = self.late, []
            for event in events:
                self.answer(event)

    def answer(self, event: Event) -> None:
        """As a hub would."""
        match event:
            case SaslInitReceived():
                assert isinstance(self.machine, ServerConnection)
                self.machine.sasl_outcome(SaslCode.OK, now=NOW)
                self.take(self.machine.events(), late=False)
            case OpenReceived() if isinstance(self.machine, ServerConnection):
                self.machine.open("hub")
            case BeginReceived(session) if isinstance(self.machine, ServerConnection):
                session.accept()
            case AttachReceived(link) if isinstance(self.machine, ServerConnection):
                link.accept()
                self.use(link)
            case TransferReceived(link, delivery_id, tag):
                link.settle(delivery_id, settled=bool(len(tag) % 2))
            case DispositionReceived(link, tag):
                link.settle(tag)
            case DetachReceived(link):
                link.detach()
            case EndReceived(session):
                session.end()
            case CloseReceived():
                self.machine.close(now=NOW)

    def use(self, link: Any) -> None:
        """Grant credit, or send."""
        if isinstance(link, ReceiverLink):
            link.grant(2)
        else:
            assert isinstance(link, SenderLink)
            link.send(bytes(5_000))
            link.send(b"b")


def drive(machine: Connection, stream: bytes, cuts: list[int]) -> None:
    """The stream arrives, the owner answers every second time; then all time limits pass."""
    owner = Owner(machine)
    if isinstance(machine, ClientConnection):
        machine.connect(NOW)
        machine.open("dev", idle_time_out_ms=1_000)
        session = machine.begin()
        session.receiver("a", Source("s")).drain()
        owner.use(session.sender("b", Target("t")))
    for index, part in enumerate(fragments(stream, cuts)):
        machine.receive(part, NOW)
        owner.take(machine.events(), late=bool(index % 2))
        assert len(machine.data_to_send()) < 200_000
    owner.take(machine.events(), late=False)
    for now in (NOW + 3_600, NOW + 7_200):
        machine.on_time(now)
        deadline = machine.next_deadline()
        assert deadline is None or deadline > now
    assert min(machine._unsettled, machine._buffered) >= 0
    machine.abandon()
    assert (machine._unsettled, machine._buffered, machine.phase) == (0, 0, Phase.CLOSED)


cut_positions = st.lists(st.integers(0, 10_000), max_size=6)
bodies = st.lists(st.tuples(st.integers(0, 2), plausible | performatives), max_size=25)


def stream_of(frames: list[tuple[int, Struct | None]]) -> bytes:
    """Headers, OPEN, BEGIN, then these."""
    return (
        AMQP_HEADER
        + encode_frame(FrameType.AMQP, 0, OPEN)
        + b"".join(encode_frame(FrameType.AMQP, channel, body, b"xyz" if body else b"") for channel, body in frames)
    )


def machine_of(role: str) -> Connection:
    """A machine of this role."""
    return ServerConnection(now=NOW, limits=LIMITS) if role == "server" else ClientConnection(limits=LIMITS)


@pytest.mark.parametrize("role", ["server", "client"])
@given(bodies, cut_positions)
def test_frames_in_any_order(role: str, frames: list[tuple[int, Struct | None]], cuts: list[int]) -> None:
    """Well-formed frames that make no sense together."""
    drive(machine_of(role), stream_of(frames), cuts)


@pytest.mark.parametrize("role", ["server", "client"])
@given(bodies, changes, st.integers(0, 10_000), cut_positions)
def test_mutated_streams(
    role: str, frames: list[tuple[int, Struct | None]], changed: list[tuple[int, int]], length: int, cuts: list[int]
) -> None:
    """Streams with bytes changed and cut off."""
    drive(machine_of(role), mutated(stream_of(frames), changed, length), cuts)


@given(st.lists(sasl_frames, max_size=4), changes, st.integers(0, 1_000), cut_positions)
def test_mutated_sasl(frames: list[Struct], changed: list[tuple[int, int]], length: int, cuts: list[int]) -> None:
    """The same before the first frame of AMQP."""
    init = encode_frame(FrameType.SASL, 0, SaslInit("PLAIN", b""))
    rest = b"".join(encode_frame(FrameType.SASL, 0, frame) for frame in frames)
    stream = mutated(SASL_HEADER + init + AMQP_HEADER + rest, changed, length)
    drive(ServerConnection(now=NOW, limits=LIMITS), stream, cuts)
    drive(ClientConnection(mechanism="PLAIN", limits=LIMITS), stream, cuts)


@given(st.binary(max_size=200), cut_positions)
def test_random_bytes(data: bytes, cuts: list[int]) -> None:
    """From the first byte on, and behind the header."""
    drive(ServerConnection(now=NOW, limits=LIMITS), data, cuts)
    drive(ServerConnection(now=NOW, limits=LIMITS), AMQP_HEADER + data, cuts)


@pytest.mark.slow
@pytest.mark.parametrize("role", ["server", "client"])
def test_many_more(role: str) -> None:
    """The same search, longer."""

    @settings(max_examples=1_500, deadline=None)
    @given(bodies, changes, st.integers(0, 10_000), cut_positions)
    def search(
        frames: list[tuple[int, Struct | None]], changed: list[tuple[int, int]], length: int, cuts: list[int]
    ) -> None:
        drive(machine_of(role), mutated(stream_of(frames), changed, length), cuts)

    search()
