"""harness.protocol.amqp.sender: credit, frames, what became of messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.amqp_world import RECEIVES, credit_for, only, server

from harness.errors import LocalProtocolError
from harness.protocol.amqp.events import DispositionReceived, FlowReceived
from harness.protocol.amqp.messages import BATCH_FORMAT
from harness.protocol.amqp.performatives import (
    RECEIVER,
    SENDER,
    Accepted,
    Attach,
    Begin,
    Detach,
    Disposition,
    Flow,
    Modified,
    Open,
    SenderSettleMode,
    Source,
    Transfer,
)


def test_a_message() -> None:
    """Delivery ids count up, default tags are running numbers."""
    world = server()
    link = world.sender(credit=10)
    assert [link.send(b"a"), link.send(b"b", tag=b"lock", message_format=BATCH_FORMAT)] == [bytes(4), b"lock"]
    first, second = world.frames()
    assert first == (0, Transfer(0, 0, bytes(4), 0, settled=False), b"a")
    assert second == (0, Transfer(0, 1, b"lock", BATCH_FORMAT, settled=False), b"b")
    assert (link.credit, link.delivery_count, link.unsettled) == (8, 2, {bytes(4): 0, b"lock": 1})


def test_an_empty_message() -> None:
    """One frame without a payload."""
    world = server()
    link = world.sender(credit=1)
    link.send(b"")
    assert (len(world.frames()), link.waiting) == (1, 0)


def test_a_tag_that_is_too_long() -> None:
    """Section 2.8.7."""
    with pytest.raises(LocalProtocolError, match="33 bytes is longer than 32"):
        server().sender(credit=1).send(b"", tag=bytes(33))


def test_messages_wait_for_credit() -> None:
    """And leave in order when it comes."""
    world = server()
    link = world.sender()
    for body in (b"a", b"b", b"c"):
        link.send(body)
    assert (world.frames(), link.waiting) == ([], 3)
    flow = credit_for(RECEIVES, 2)
    assert world.send(flow) == [FlowReceived(link, flow)]
    assert ([frame.payload for frame in world.frames()], link.waiting, link.credit) == ([b"a", b"b"], 1, 0)


@pytest.mark.parametrize(
    ("delivery_count", "credit", "left"), [(2, 5, 5), (0, 5, 3), (0, 2, 0), (0, 1, 0), (None, 4, 4), (2**32 - 1, 5, 2)]
)
def test_credit_counts_from_what_the_peer_has_seen(delivery_count: int | None, credit: int, left: int) -> None:
    """Section 2.6.7; two messages were sent."""
    world = server()
    link = world.sender(credit=2)
    link.send(b"")
    link.send(b"")
    world.send(Flow(1, 5_000, 1, 5_000, 1, delivery_count, credit))
    assert link.credit == left


def test_a_flow_without_credit() -> None:
    """It changes none."""
    world = server()
    link = world.sender(credit=2)
    world.send(Flow(1, 5_000, 1, 5_000, 1))
    assert link.credit == 2


def test_drain() -> None:
    """What is not used is given back (section 2.6.7)."""
    world = server()
    link = world.sender()
    link.send(b"a")
    world.send(Flow(1, 5_000, 1, 5_000, 1, 0, 10, drain=True))
    transfer, flow = world.sent()
    assert isinstance(transfer, Transfer)
    assert flow == Flow(1, 5_000, 2, 2**31 - 1, 0, 10, 0, drain=True)
    assert (link.credit, link.delivery_count) == (0, 10)


def test_drain_with_nothing_to_give_back() -> None:
    """All of it is used: the messages are the answer."""
    world = server()
    link = world.sender()
    link.send(b"a")
    world.send(Flow(1, 5_000, 1, 5_000, 1, 0, 1, drain=True))
    assert len(world.frames()) == 1


def test_echo() -> None:
    """The state of the link."""
    world = server()
    world.sender()
    world.send(Flow(1, 5_000, 1, 5_000, 1, 0, 7, echo=True))
    assert world.sent() == [Flow(1, 5_000, 1, 2**31 - 1, 0, 0, 7)]


def test_flow_before_our_attach() -> None:
    """The credit is kept; nothing is answered yet."""
    world = server()
    world.send(RECEIVES, Flow(1, 5_000, 1, 5_000, 1, 0, 7, echo=True))
    (link,) = world.machine.sessions[0].links
    assert (link.credit, world.sent()) == (7, [])


@given(st.integers(512, 4_096), st.integers(0, 20_000))
def test_frames_of_the_peers_size(max_frame_size: int, size: int) -> None:
    """Every frame but the last says that more come, the first one who they are; none is too large."""
    world = server(peer=Open("c", max_frame_size=max_frame_size))
    link = world.sender(credit=1)
    payload = bytes(index % 251 for index in range(size))
    link.send(payload)
    data = world.machine.data_to_send()
    world.machine._output.append(data)
    frames = world.frames()
    assert b"".join(frame.payload for frame in frames) == payload
    bodies = [frame.body for frame in frames]
    assert [body.more for body in bodies] == [True] * (len(bodies) - 1) + [False]  # type: ignore[union-attr]
    assert [body.delivery_id for body in bodies] == [0] + [None] * (len(bodies) - 1)  # type: ignore[union-attr]
    sizes = []
    while data:
        sizes.append(int.from_bytes(data[:4], "big"))
        data = data[sizes[-1] :]
    assert max(sizes) <= max_frame_size
    assert len(bodies) == 1 or min(sizes[:-1]) == max_frame_size


steps = st.lists(
    st.one_of(st.integers(0, 2_000), st.tuples(st.integers(0, 4), st.integers(0, 3), st.booleans())), max_size=20
)


@given(steps)
def test_credit_and_window_are_never_exceeded(script: list[int | tuple[int, int, bool]]) -> None:
    """Whatever the peer announces, seen with its eyes: frames, messages, and in the end everything in order."""
    world = server(peer=Open("c", max_frame_size=512), begin=Begin(None, 1, 2, 5_000))
    link = world.sender()
    received = [b""]
    expected: list[bytes] = []
    frames, messages, frame_limit, message_limit = 0, 0, 2, 0
    for step in [*script, (1_000, 1_000, False)]:
        if isinstance(step, int):
            expected.append(b"%d." % len(expected) + bytes(step))
            link.send(expected[-1])
        else:
            window, credit, of_link = step
            frame_limit, whole = frames + window, Flow(frames + 1, window, 1, 5_000)
            if of_link or credit > 3:
                message_limit = messages + credit
                whole = Flow(frames + 1, window, 1, 5_000, 1, messages, credit)
            world.send(whole)
        for frame in world.frames():
            assert isinstance(frame.body, Transfer)
            frames += 1
            messages += frame.body.delivery_id is not None
            received[-1] += frame.payload
            received += [] if frame.body.more else [b""]
        assert frames <= frame_limit
        assert messages <= message_limit
    assert received == [*expected, b""]


def test_a_message_that_waits_in_the_middle() -> None:
    """It goes on when the window opens, without further credit."""
    world = server(peer=Open("c", max_frame_size=512))
    link = world.sender()
    world.send(Flow(1, 2, 1, 5_000, 1, 0, 1))
    link.send(bytes(1_400))
    assert (len(world.frames()), link.waiting, link.credit) == (2, 1, 0)
    world.send(Flow(3, 2, 1, 5_000))
    assert (len(world.frames()), link.waiting) == (1, 0)


def test_detaching_drops_what_waits() -> None:
    """An expired device that takes nothing must not hold up its own end."""
    world = server()
    link = world.sender(credit=1)
    link.send(b"a")
    link.send(b"b")
    link.detach()
    assert [type(body) for body in world.sent()] == [Transfer, Detach]
    assert link.waiting == 0
    assert world.send(Disposition(RECEIVER, 0, settled=True)) == []


@pytest.mark.parametrize(
    ("mode", "settled", "expected"),
    [
        (SenderSettleMode.MIXED, None, False),
        (SenderSettleMode.UNSETTLED, None, False),
        (SenderSettleMode.SETTLED, None, True),
        (SenderSettleMode.MIXED, True, True),
        (SenderSettleMode.SETTLED, False, False),
    ],
)
def test_settle_modes(mode: int, settled: bool | None, expected: bool) -> None:  # noqa: FBT001
    """The link's mode is the default; what is settled is not remembered."""
    world = server()
    link = world.sender(Attach("down", 1, RECEIVER, mode, source=Source("s")), credit=1)
    link.send(b"", settled=settled)
    (body,) = world.sent()
    assert isinstance(body, Transfer)
    assert (body.settled, bool(link.unsettled)) == (expected, not expected)


def test_a_link_that_is_not_answered_yet() -> None:
    """Messages wait for credit; the settle mode is not known, so they are unsettled."""
    world = server()
    link = world.machine.sessions[0].sender("n", RECEIVES.target)  # type: ignore[arg-type]
    link.send(b"")
    assert link.waiting == 1


def test_outcomes() -> None:
    """With the tag under which the message was sent."""
    world = server()
    link = world.sender(credit=2)
    link.send(b"", tag=b"a")
    link.send(b"", tag=b"b")
    state = Modified(delivery_failed=True)
    event = only(DispositionReceived, world.send(Disposition(RECEIVER, 1, settled=True, state=state)))
    assert event == DispositionReceived(link, b"b", state, settled=True)
    assert link.unsettled == {b"a": 0}
    assert world.send(Disposition(RECEIVER, 1, settled=True)) == []


def test_the_receiver_settles_second() -> None:
    """The .NET SDK's C2D: an outcome, then our last word (rcv-settle-mode 1)."""
    world = server()
    link = world.sender(credit=1)
    link.send(b"", tag=b"a")
    world.frames()
    event = only(DispositionReceived, world.send(Disposition(RECEIVER, 0, settled=False, state=Accepted())))
    assert event == DispositionReceived(link, b"a", Accepted(), settled=False)
    link.settle(b"a", Accepted())
    assert world.sent() == [Disposition(SENDER, 0, settled=True, state=Accepted())]
    link.settle(b"a")
    assert (world.sent(), link.unsettled) == ([], {})


def test_a_tag_used_twice() -> None:
    """The owner breaks the rule; the machine goes on, the later message has the tag."""
    world = server()
    link = world.sender(credit=2)
    link.send(b"", tag=b"a")
    link.send(b"", tag=b"a")
    assert len(world.send(Disposition(RECEIVER, 0, 1, settled=True))) == 2
    assert link.unsettled == {}
