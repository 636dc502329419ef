"""harness.protocol.amqp.receiver: credit, messages in parts, settlement."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from support.amqp_world import SENDS, ServerPeer, message, only, server

from harness.protocol.amqp.conditions import (
    INVALID_FIELD,
    MESSAGE_SIZE_EXCEEDED,
    RESOURCE_LIMIT_EXCEEDED,
    TRANSFER_LIMIT_EXCEEDED,
)
from harness.protocol.amqp.connection import Limits
from harness.protocol.amqp.events import (
    AttachReceived,
    FlowReceived,
    LinkViolation,
    ProtocolViolation,
    SenderSettled,
    TransferReceived,
)
from harness.protocol.amqp.frames import FrameType, encode_frame
from harness.protocol.amqp.performatives import (
    RECEIVER,
    SENDER,
    Accepted,
    Attach,
    Disposition,
    Flow,
    Rejected,
    Target,
    Transfer,
)
from harness.protocol.amqp.receiver import PART_COST, ReceiverLink

OURS = 2**31 - 1
"""The outgoing window that we announce."""


def sending(limits: Limits | None = None, credit: int = 10) -> tuple[ServerPeer, ReceiverLink]:
    """A client that may send, and our end of its link."""
    world = server(limits)
    return world, world.receiver(credit=credit)


def test_a_message() -> None:
    """In one frame."""
    world, link = sending()
    event = only(TransferReceived, world.send(Transfer(0, 7, b"t", 0x80013700), payload=b"x"))
    assert event == TransferReceived(link, 7, b"t", b"x", settled=False, message_format=0x80013700)
    assert (link.unsettled, link.credit, link.delivery_count) == ({7}, 9, 1)


def test_a_settled_message() -> None:
    """Nothing is owed; without a format it is 0."""
    world, link = sending()
    event = only(TransferReceived, world.send(Transfer(0, 7, b"t", settled=True)))
    assert (event.settled, event.message_format, link.unsettled) == (True, 0, set())


def test_credit() -> None:
    """Announced with the session's state."""
    world = server()
    world.receiver().grant(100)
    assert world.sent() == [Flow(1, 5_000, 1, OURS, 0, 0, 100)]


def test_credit_counts_from_the_peers_delivery_count() -> None:
    """Which need not begin at 0, and wraps."""
    world = server()
    attach = Attach("up", 0, SENDER, target=Target("t"), initial_delivery_count=2**32 - 1)
    link = world.receiver(attach, credit=10)
    world.send(message())
    assert link.delivery_count == 0


def test_credit_is_refilled_at_half() -> None:
    """Rule 6."""
    world, link = sending(credit=4)
    world.send(message(0))
    assert world.sent() == []
    world.send(message(1))
    assert world.sent() == [Flow(3, 5_000, 1, OURS, 0, 2, 4)]
    assert link.credit == 4


def test_twelve_thousand_messages() -> None:
    """No stall at 2,047, where the Node.js SDK once stopped for want of a session FLOW (its issue 513)."""
    world, link = sending(credit=1_000)
    session_flows = 0
    for number in range(12_000):
        (event,) = world.send(message(number))
        assert isinstance(event, TransferReceived)
        link.settle(number)
        session_flows += sum(isinstance(body, Flow) for body in world.sent())
    assert session_flows == 24


def test_credit_for_once() -> None:
    """Without a refill; one message more ends the link."""
    world, link = sending(credit=0)
    link.grant(1, refill=False)
    world.sent()
    only(TransferReceived, world.send(message(0)))
    assert world.sent() == []
    event = only(LinkViolation, world.send(message(1)))
    assert event == LinkViolation(link, TRANSFER_LIMIT_EXCEEDED, "a message without credit")


def test_drain() -> None:
    """The peer gives back what it does not use, and nothing is refilled."""
    world, link = sending()
    link.drain()
    assert world.sent() == [Flow(1, 5_000, 1, OURS, 0, 0, 10, drain=True)]
    flow = Flow(1, 5_000, 1, 5_000, 0, 10, 0, drain=True)
    assert world.send(flow) == [FlowReceived(link, flow)]
    assert (link.credit, link.delivery_count, world.sent()) == (0, 10, [])


@pytest.mark.parametrize("delivery_count", [None, 0, 2**32 - 1, 11, 2**31])
def test_a_delivery_count_that_makes_no_sense(delivery_count: int | None) -> None:
    """It may be behind ours while a message is under way; beyond the credit it is not believed."""
    world, link = sending()
    world.send(Flow(1, 5_000, 1, 5_000, 0, delivery_count))
    assert (link.credit, link.delivery_count) == (10, 0)


def test_echo() -> None:
    """The state of the link."""
    world, _ = sending()
    world.send(Flow(1, 5_000, 1, 5_000, 0, 0, echo=True))
    assert world.sent() == [Flow(1, 5_000, 1, OURS, 0, 0, 10)]


def test_echo_before_our_attach() -> None:
    """Nothing can be said yet."""
    world = server()
    world.send(SENDS, Flow(1, 5_000, 1, 5_000, 0, 0, echo=True))
    assert world.sent() == []


@given(st.lists(st.binary(max_size=10), min_size=1, max_size=6), st.booleans(), st.none() | st.integers(0, 5))
def test_a_message_in_parts(parts: list[bytes], repeat_id: bool, settled_in: int | None) -> None:  # noqa: FBT001
    """The first frame names it, later ones may repeat the id, any may say that it is settled."""
    world, link = sending()
    events = []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        head = message(3) if index == 0 else Transfer(0, 3 if repeat_id else None)
        body = Transfer(0, head.delivery_id, head.delivery_tag, 0, index == settled_in or None, more=not last)
        events += world.send(body, payload=part)
    settled = settled_in is not None and settled_in < len(parts)
    assert events == [TransferReceived(link, 3, b"tag3", b"".join(parts), settled, 0)]
    assert (link.credit, world.machine._buffered) == (9, 0)


def test_an_aborted_message() -> None:
    """It leaves no trace but the credit it used (section 2.7.5)."""
    world, link = sending(credit=2)
    world.send(message(0, more=True), payload=b"x")
    assert world.send(Transfer(0, aborted=True)) == []
    assert (world.machine._buffered, world.sent()) == (0, [Flow(3, 5_000, 1, OURS, 0, 1, 2)])
    only(TransferReceived, world.send(message(1)))
    assert link.unsettled == {1}


@pytest.mark.parametrize(
    "bodies",
    [
        (Transfer(0, None, b"t"),),
        (Transfer(0, 1, None),),
        (Transfer(0, 1, bytes(33)),),
        (Transfer(0, more=True),),
        (message(0, more=True), message(1)),
    ],
    ids=["no id", "no tag", "long tag", "no id, more to come", "another one in between"],
)
def test_messages_out_of_order(bodies: tuple[Struct, ...]) -> None:
    """The connection ends."""
    world, _ = sending()
    assert only(ProtocolViolation, world.send(*bodies)).condition == INVALID_FIELD


def test_a_part_without_credit() -> None:
    """As a whole message."""
    world, _ = sending(credit=0)
    assert only(LinkViolation, world.send(message(more=True))).condition == TRANSFER_LIMIT_EXCEEDED


@pytest.mark.parametrize("announced", [None, 5])
def test_messages_that_are_too_large(announced: int | None) -> None:
    """The connection's limit, or what the link announced; in one frame or in parts."""
    for payloads in ((b"123456",), (b"123", b"456")):
        world = server(Limits(max_message_size=5))
        link = only(AttachReceived, world.send(SENDS)).link
        assert isinstance(link, ReceiverLink)
        link.accept(max_message_size=announced)
        link.grant(1)
        for index, payload in enumerate(payloads):
            more = index < len(payloads) - 1
            events = world.send(message(more=more) if index == 0 else Transfer(0), payload=payload)
        assert events == [LinkViolation(link, MESSAGE_SIZE_EXCEEDED, "a message of more than 5 bytes")]
        assert world.machine._buffered == 0


def test_a_link_with_a_limit_of_its_own() -> None:
    """What it announces holds for it, larger or smaller."""
    world = server(Limits(max_message_size=5))
    link = only(AttachReceived, world.send(SENDS)).link
    assert isinstance(link, ReceiverLink)
    link.accept(max_message_size=6)
    link.grant(2)
    only(TransferReceived, world.send(message(), payload=b"123456"))
    only(LinkViolation, world.send(message(1), payload=b"1234567"))


def test_unfinished_messages_are_limited() -> None:
    """All together, over the whole connection."""
    world, _ = sending(Limits(max_buffered=10 + PART_COST))
    world.send(message(more=True), payload=bytes(10))
    event = only(ProtocolViolation, world.send(Transfer(0, more=True), payload=b"x"))
    limit = 10 + PART_COST
    assert event == ProtocolViolation(RESOURCE_LIMIT_EXCEEDED, f"more than {limit} bytes of unfinished messages")


def test_empty_parts_take_no_memory() -> None:
    """A peer can send as many as it likes."""
    world, link = sending()
    part = encode_frame(FrameType.AMQP, 0, Transfer(0, more=True))
    world.send(message(more=True))
    for _ in range(30):
        world.send_bytes(part * 100)
    assert link._partial is not None
    assert link._partial.parts == []


def test_settling() -> None:
    """Accepted is the default, other outcomes are said in full."""
    world, link = sending()
    world.send(message(0), message(1))
    link.settle(0)
    link.settle(1, Rejected())
    assert world.sent() == [
        Disposition(RECEIVER, 0, settled=True, state=Accepted()),
        Disposition(RECEIVER, 1, settled=True, state=Rejected()),
    ]
    assert link.unsettled == set()


def test_settling_what_is_not_owed() -> None:
    """Twice, or something unknown: the machine does not object."""
    world, link = sending()
    world.send(message(0))
    for _ in range(2):
        link.settle(0)
    link.settle(99)
    assert [body.first for body in world.sent()] == [0, 0, 99]  # type: ignore[union-attr]


def test_settling_second() -> None:
    """Our outcome, then the sender's last word."""
    world, link = sending()
    world.send(message(0))
    link.settle(0, settled=False)
    assert (world.sent(), link.unsettled) == ([Disposition(RECEIVER, 0, state=Accepted())], {0})
    assert world.send(Disposition(SENDER, 0, settled=True, state=Accepted())) == [SenderSettled(link, 0, Accepted())]
    assert link.unsettled == set()


def test_a_delivery_id_sent_twice() -> None:
    """It is counted once."""
    world, link = sending()
    world.send(message(0), message(0))
    assert (link.unsettled, world.machine._unsettled) == ({0}, 1)
