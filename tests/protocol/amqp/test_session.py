"""harness.protocol.amqp.session: handles, windows, settlement, END."""

import pytest
from msgspec import Struct
from support.amqp_world import BEGIN, NOW, RECEIVES, SENDS, ServerPeer, credit_for, message, only, server

from harness.errors import LocalProtocolError
from harness.protocol.amqp.conditions import (
    FRAMING_ERROR,
    HANDLE_IN_USE,
    INVALID_FIELD,
    RESOURCE_LIMIT_EXCEEDED,
    TRANSFER_LIMIT_EXCEEDED,
    UNATTACHED_HANDLE,
    WINDOW_VIOLATION,
)
from harness.protocol.amqp.connection import Limits
from harness.protocol.amqp.events import (
    AttachReceived,
    BeginReceived,
    DispositionReceived,
    EndReceived,
    FlowReceived,
    ProtocolViolation,
    SenderSettled,
    SessionViolation,
    TransferReceived,
)
from harness.protocol.amqp.performatives import (
    RECEIVER,
    SENDER,
    Accepted,
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Error,
    Flow,
    Open,
    Released,
    Source,
    Target,
    Transfer,
)
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.session import Session
from harness.protocol.amqp.state import Half

ERROR = Error("amqp:internal-error", "Another AMQP Client has opened a Receive Link")


def session_of(world: ServerPeer) -> Session:
    """The only one."""
    (session,) = world.machine.sessions
    return session


def violation(world: ServerPeer, *bodies: Struct) -> tuple[str, str]:
    """Condition and reason of what these frames do to the session; the connection lives on."""
    session = session_of(world)
    event = only(SessionViolation, world.send(*bodies))
    assert world.sent() == [End(Error(event.condition, event.reason))]
    assert (event.session, session.local) == (session, Half.ENDED)
    return event.condition, event.reason


def test_accepting() -> None:
    """By default our outgoing window is the peer's incoming one."""
    world = ServerPeer().opened()
    session = only(BeginReceived, world.send(Begin(None, 0, 2_047, 2_047))).session
    session.accept(properties={"a": 1})
    assert world.sent() == [Begin(0, 1, 5_000, 2_047, 262_143, properties={"a": 1})]
    with pytest.raises(LocalProtocolError, match="no BEGIN to answer"):
        session.accept()


def test_accepting_with_a_window() -> None:
    """Announced as given."""
    world = ServerPeer().opened()
    only(BeginReceived, world.send(BEGIN)).session.accept(outgoing_window=9)
    assert world.sent() == [Begin(0, 1, 5_000, 9, 262_143)]


def test_nothing_can_be_sent_before_begin() -> None:
    """The owner is wrong."""
    world = ServerPeer().opened()
    session = only(BeginReceived, world.send(BEGIN)).session
    with pytest.raises(LocalProtocolError, match="has not begun"):
        session.sender("n", Target("t"))
    with pytest.raises(LocalProtocolError, match="END before BEGIN"):
        session.end()


def test_end_by_the_peer() -> None:
    """Its links are gone; the owner answers, and the channel is free."""
    world = server()
    session, link = session_of(world), world.sender(credit=10)
    assert world.send(End(ERROR)) == [EndReceived(session, End(ERROR))]
    link.send(b"late")
    assert (session.links, link.local, session.sender("late", Target("t")).local) == ((), Half.ENDED, Half.ENDED)
    session.end()
    assert (world.sent(), world.machine.sessions) == ([End()], ())


def test_end_by_us() -> None:
    """What was on its way is dropped until the peer's END."""
    world = server()
    session, link = session_of(world), world.receiver(credit=10)
    session.end(ERROR)
    link.settle(0)
    session.end()
    assert world.sent() == [End(ERROR)]
    assert world.send(message(), SENDS, credit_for(RECEIVES, 1), Disposition(RECEIVER, 0), Detach(0)) == []
    assert world.send(End()) == [EndReceived(session, End())]
    assert world.machine.sessions == ()
    assert world.send(BEGIN) != []


def test_end_before_the_answer() -> None:
    """An owner that is late still answers BEGIN, then END."""
    world = ServerPeer().opened()
    begun, _ = world.send(BEGIN, End())
    assert isinstance(begun, BeginReceived)
    begun.session.accept()
    begun.session.end()
    assert (world.sent(), world.machine.sessions) == ([Begin(0, 1, 5_000, 5_000, 262_143), End()], ())


def test_end_that_is_never_answered_for() -> None:
    """An owner that never answered BEGIN has nothing to end."""
    world = ServerPeer().opened()
    begun, _ = world.send(BEGIN, End())
    assert isinstance(begun, BeginReceived)
    begun.session.end()
    assert (world.sent(), world.machine.sessions) == ([], ())


def test_links_of_ours() -> None:
    """The peer's answer is found by name and role."""
    world = server()
    session = session_of(world)
    sender = session.sender("n", Target("t"), source=Source("s"), properties={"a": 1})
    receiver = session.receiver("n", Source("s"), target=Target("t"))
    assert world.sent() == [
        Attach("n", 0, SENDER, source=Source("s"), target=Target("t"), initial_delivery_count=0, properties={"a": 1}),
        Attach("n", 1, RECEIVER, source=Source("s"), target=Target("t")),
    ]
    down = Attach("n", 5, SENDER, source=Source("s"), target=Target("t"), initial_delivery_count=0)
    up = Attach("n", 6, RECEIVER, source=Source("s"), target=Target("t"))
    assert world.send(down, up) == [AttachReceived(receiver, down), AttachReceived(sender, up)]
    assert session.links == (sender, receiver)


def test_handles_are_used_again() -> None:
    """The peer's at once, ours when both sides have detached."""
    world = server()
    first, second = world.receiver(), world.sender()
    world.send(Detach(0, closed=True))
    third = world.attached(SENDS)
    first.detach()
    fourth = world.attached(Attach("new", 9, RECEIVER, source=Source("s")))
    assert [link.handle for link in (first, second, third, fourth)] == [0, 1, 2, 0]
    assert third is not first


def test_session_names_are_local() -> None:
    """The .NET SDK uses the same link names in every session of a connection."""
    world = server()
    second = world.begun(BEGIN, channel=1)
    first_link, second_link = world.attached(SENDS), world.attached(SENDS, channel=1)
    assert (first_link.session, second_link.session) == (session_of_channel(world, 0), second)


def session_of_channel(world: ServerPeer, channel: int) -> Session:
    """The session with this channel of ours."""
    return next(session for session in world.machine.sessions if session.channel == channel)


@pytest.mark.parametrize(
    ("bodies", "condition", "reason"),
    [
        ((SENDS,), HANDLE_IN_USE, "ATTACH with the attached handle 0"),
        ((Detach(3),), UNATTACHED_HANDLE, "DETACH with the unattached handle 3"),
        ((message(handle=3),), UNATTACHED_HANDLE, "TRANSFER with the unattached handle 3"),
        ((Flow(1, 1, 1, 1, 3),), UNATTACHED_HANDLE, "FLOW with the unattached handle 3"),
        ((Detach(0), message()), UNATTACHED_HANDLE, "TRANSFER with the unattached handle 0"),
    ],
)
def test_handles_out_of_order(bodies: tuple[Struct, ...], condition: str, reason: str) -> None:
    """The session ends, the connection does not."""
    world = server()
    world.receiver()
    for body in bodies[:-1]:
        world.send(body)
    assert violation(world, bodies[-1]) == (condition, reason)


def test_a_violation_before_our_begin() -> None:
    """Only the connection can say it."""
    world = ServerPeer().opened()
    events = world.send(BEGIN, Detach(3))
    assert [type(event) for event in events] == [BeginReceived, ProtocolViolation]
    assert world.sent() == [Close(Error(UNATTACHED_HANDLE, "DETACH with the unattached handle 3"))]


def test_a_handle_beyond_our_limit() -> None:
    """Section 2.7.2: the connection ends."""
    event = only(ProtocolViolation, server().send(Attach("n", 262_144, RECEIVER)))
    assert event == ProtocolViolation(FRAMING_ERROR, "handle 262144 exceeds 262143")


def test_links_are_limited() -> None:
    """By a parameter, over all sessions of the connection."""
    world = server(Limits(max_links=1))
    world.receiver()
    world.begun(BEGIN, channel=1)
    event = only(ProtocolViolation, world.send(RECEIVES, channel=1))
    assert event == ProtocolViolation(RESOURCE_LIMIT_EXCEEDED, "more than 1 links")


def test_links_that_the_peer_does_not_let_us_answer() -> None:
    """Its handle-max counts for our handles."""
    world = server(begin=Begin(None, 1, 5_000, 5_000, handle_max=0))
    world.receiver()
    assert only(ProtocolViolation, world.send(RECEIVES)).condition == RESOURCE_LIMIT_EXCEEDED
    world = server(begin=Begin(None, 1, 5_000, 5_000, handle_max=0))
    session_of(world).sender("a", Target("t"))
    with pytest.raises(LocalProtocolError, match="all numbers up to 0 are taken"):
        session_of(world).receiver("b", Source("s"))


def test_our_window_is_announced_afresh_at_half() -> None:
    """A FLOW of the session after half of the frames (rule 6)."""
    world = server(Limits(incoming_window=10))
    world.receiver(credit=100)
    world.send(*(message(number) for number in range(4)))
    assert world.sent() == []
    world.send(message(4))
    assert world.sent() == [Flow(6, 10, 1, 2**31 - 1)]


def test_more_frames_than_our_window() -> None:
    """Section 2.5.6; a flow that is still owed has not renewed it."""
    world = server(Limits(incoming_window=4))
    world.receiver(credit=100)
    world.send(Attach("waits", 7, RECEIVER, source=Source("s")))
    world.send(*(message(number) for number in range(4)))
    assert violation(world, message(4)) == (WINDOW_VIOLATION, "more transfers than the window allows")


def test_no_session_flow_before_the_answer_to_attach() -> None:
    """The C SDK takes it for the new link's, and gives up (rule 2)."""
    world = server(Limits(incoming_window=4))
    world.receiver(credit=100)
    waits = only(AttachReceived, world.send(Attach("waits", 7, RECEIVER, source=Source("s")))).link
    world.send(message(0), message(1), Flow(1, 1, 1, 1, echo=True))
    assert world.sent() == []
    waits.accept()
    attach, flow = world.sent()
    assert isinstance(attach, Attach)
    assert flow == Flow(3, 4, 1, 2**31 - 1)


def test_a_link_that_leaves_unanswered_owes_no_flow() -> None:
    """Its DETACH came first."""
    world = server()
    world.send(Attach("waits", 7, RECEIVER, source=Source("s")), Detach(7))
    world.send(Flow(1, 1, 1, 1, echo=True))
    assert world.sent() == [Flow(1, 5_000, 1, 2**31 - 1)]


def test_echo() -> None:
    """Answered with the state of the session."""
    world = server()
    assert world.send(Flow(1, 5_000, 1, 5_000, echo=True)) == []
    assert world.sent() == [Flow(1, 5_000, 1, 2**31 - 1)]


def test_echo_before_our_begin() -> None:
    """Nothing can be said yet."""
    world = ServerPeer().opened()
    world.send(BEGIN, Flow(None, 5_000, 1, 5_000, echo=True))
    assert world.sent() == []


def test_the_peers_window() -> None:
    """Messages wait for it, and go on when it opens (section 2.5.6)."""
    world = server(begin=Begin(None, 1, 2, 5_000))
    link = world.sender(RECEIVES)
    world.send(Flow(1, 2, 1, 5_000, 1, 0, 10))
    for body in (b"a", b"b", b"c", b"d"):
        link.send(body)
    assert ([frame.payload for frame in world.frames()], link.waiting) == ([b"a", b"b"], 2)
    world.send(Flow(2, 2, 1, 5_000))
    assert [frame.payload for frame in world.frames()] == [b"c"]
    world.send(Flow(4, 2, 1, 5_000, 1, 3, 10))
    assert [frame.payload for frame in world.frames()] == [b"d"]
    assert link.waiting == 0


def test_a_window_that_is_said_before_anything_was_received() -> None:
    """Without next-incoming-id it counts from our first."""
    world = server(begin=Begin(None, 1, 0, 5_000))
    link = world.sender(credit=10)
    link.send(b"a")
    world.send(Flow(None, 1, 1, 5_000))
    assert [frame.payload for frame in world.frames()] == [b"a"]


def test_a_shrinking_window() -> None:
    """What is under way is counted."""
    world = server()
    link = world.sender(credit=10)
    link.send(b"a")
    link.send(b"b")
    world.frames()
    world.send(Flow(1, 1, 1, 5_000))
    link.send(b"c")
    assert (world.frames(), link.waiting) == ([], 1)


def test_links_do_not_wait_for_each_other() -> None:
    """One without credit does not stop another one."""
    world = server()
    poor = world.sender(RECEIVES)
    rich = world.sender(Attach("rich", 2, RECEIVER, source=Source("s")), credit=5)
    poor.send(b"a")
    rich.send(b"b")
    assert [frame.payload for frame in world.frames()] == [b"b"]


def test_dispositions_overtake_what_waits_for_the_window() -> None:
    """Or two full windows would lock each other."""
    world = server(begin=Begin(None, 1, 0, 5_000))
    receiver, sender = world.receiver(credit=10), world.sender(credit=10)
    world.send(Flow(1, 0, 1, 5_000))
    sender.send(b"a")
    world.send(message())
    receiver.settle(0)
    assert world.sent() == [Disposition(RECEIVER, 0, settled=True, state=Accepted())]


def sent_three(world: ServerPeer) -> SenderLink:
    """Three messages are out, tags a to c."""
    link = world.sender(credit=10)
    for tag in (b"a", b"b", b"c"):
        link.send(b"", tag=tag)
    world.sent()
    return link


@pytest.mark.parametrize(
    ("first", "last", "tags"),
    [(0, None, b"a"), (1, 2, b"bc"), (0, 4_000_000, b"abc"), (2**32 - 5, 1, b"ab"), (9, 10, b""), (2, 1, b"")],
)
def test_ranges_of_dispositions(first: int, last: int | None, tags: bytes) -> None:
    """Only what is known counts, however long the range is."""
    world = server()
    link = sent_three(world)
    events = world.send(Disposition(RECEIVER, first, last, True, Accepted()))
    assert events == [DispositionReceived(link, bytes((tag,)), Accepted(), True) for tag in tags]
    assert set(link.unsettled) == {b"a", b"b", b"c"} - {bytes((tag,)) for tag in tags}


def test_disposition_of_the_sender() -> None:
    """It settles what we have not, on whichever link."""
    world = server()
    world.sender()
    link = world.receiver(credit=10)
    world.send(message(5), message(6))
    assert world.send(Disposition(SENDER, 0, 5, settled=False)) == []
    assert world.send(Disposition(SENDER, 0, 5, True, Released())) == [SenderSettled(link, 5, Released())]
    assert link.unsettled == {6}


def test_unsettled_messages_are_limited() -> None:
    """By a parameter, over the whole connection; settling makes room."""
    world = server(Limits(max_unsettled=2))
    link = world.receiver(credit=10)
    world.send(message(0), message(1))
    link.settle(0)
    assert len(world.send(message(2))) == 1
    event = only(ProtocolViolation, world.send(message(3)))
    assert event == ProtocolViolation(RESOURCE_LIMIT_EXCEEDED, "more than 2 unsettled messages")


def test_limit_is_the_end_of_all_links() -> None:
    """Also of those that hold nothing unsettled and end while the others still do."""
    world = server(Limits(max_unsettled=1))
    for handle in range(2):
        attach = Attach(f"up{handle}", handle, False, source=Source(), target=Target(), initial_delivery_count=0)
        world.receiver(attach, credit=10)
    world.send(message(0, handle=1))
    event = only(ProtocolViolation, world.send(message(1, handle=1)))
    assert event.condition == RESOURCE_LIMIT_EXCEEDED


@pytest.mark.parametrize("end", ["detach", "end"])
def test_what_has_ended_is_not_counted(end: str) -> None:
    """Nobody can settle it any more."""
    world = server(Limits(max_unsettled=2))
    link = world.receiver(credit=10)
    world.send(message(0), message(1))
    if end == "detach":
        link.detach()
        world.send(Detach(0))
    else:
        link.session.end()
        world.send(End())
        world.begun()
    world.sent()
    again = world.receiver(credit=10)
    assert [type(event) for event in world.send(message(2), message(3))] == [TransferReceived] * 2
    assert again.unsettled == {2, 3}


def test_transfers_before_our_begin() -> None:
    """There was no credit, and the session cannot say so yet."""
    world = ServerPeer().opened()
    events = world.send(BEGIN, SENDS, message())
    assert isinstance(events[-1], ProtocolViolation)
    assert events[-1].condition == TRANSFER_LIMIT_EXCEEDED


def test_transfers_before_our_attach() -> None:
    """The session says it."""
    world = server()
    world.send(SENDS)
    assert violation(world, message()) == (TRANSFER_LIMIT_EXCEEDED, "a message without credit")


def test_transfers_against_the_stream() -> None:
    """We are the sender of that link."""
    world = server()
    world.sender()
    event = only(ProtocolViolation, world.send(Transfer(1, 0, b"")))
    assert event == ProtocolViolation(INVALID_FIELD, "TRANSFER to a link whose sender we are")


def test_a_flow_within_our_limits_is_reported_once() -> None:
    """And the time of the test plays no role."""
    world = server()
    link = world.sender()
    flow = credit_for(RECEIVES, 3)
    world.now = NOW + 5
    assert world.send(flow) == [FlowReceived(link, flow)]
    assert link.credit == 3


def test_a_peer_with_a_name_for_every_session() -> None:
    """OPEN without limits, sessions on far channels."""
    world = ServerPeer().opened(Open("c"))
    for channel in (0, 77, 8_191):
        world.begun(BEGIN, channel)
    assert [session.channel for session in world.machine.sessions] == [0, 1, 2]
