"""harness.protocol.amqp.link: attach, refuse, detach, in and out of order."""

import pytest
from support.amqp_world import RECEIVES, SENDS, credit_for, message, only, server

from harness.errors import LocalProtocolError
from harness.protocol.amqp import types as t
from harness.protocol.amqp.conditions import INVALID_FIELD
from harness.protocol.amqp.events import AttachReceived, DetachReceived, FlowReceived, LinkViolation, ProtocolViolation
from harness.protocol.amqp.link import Link
from harness.protocol.amqp.performatives import (
    RECEIVER,
    SENDER,
    Attach,
    Detach,
    Error,
    ReceiverSettleMode,
    SenderSettleMode,
    Source,
    Target,
)
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.state import Half

REFUSAL = Error("amqp:not-found", "The link address did not match any of the expected formats")


def asked(attach: Attach = SENDS) -> Link:
    """A link that the peer attached."""
    return only(AttachReceived, server().send(attach)).link


def test_roles() -> None:
    """Where the peer sends, we receive."""
    world = server()
    up = only(AttachReceived, world.send(SENDS)).link
    down = only(AttachReceived, world.send(RECEIVES)).link
    assert (type(up), up.role, type(down), down.role) == (ReceiverLink, RECEIVER, SenderLink, SENDER)
    assert (up.name, up.attach, up.local, up.remote) == ("up", SENDS, Half.UNUSED, Half.ACTIVE)


def test_accepting_echoes() -> None:
    """Name, termini and modes as proposed; initial-delivery-count exactly where we send."""
    world = server()
    asked = Attach("n", 4, RECEIVER, SenderSettleMode.SETTLED, ReceiverSettleMode.SECOND, Source("s"), Target("t"))
    only(AttachReceived, world.send(asked)).link.accept()
    only(AttachReceived, world.send(SENDS)).link.accept(max_message_size=1_048_576)
    assert world.sent() == [
        Attach("n", 0, SENDER, 1, 1, Source("s"), Target("t"), initial_delivery_count=0),
        Attach("up", 1, RECEIVER, source=Source("here"), target=Target("there"), max_message_size=1_048_576),
    ]


def test_accepting_with_changes() -> None:
    """Everything that is the owner's to say."""
    world = server()
    link = only(AttachReceived, world.send(RECEIVES)).link
    link.accept(
        source=Source("a"), target=Target("b"), snd_settle_mode=0, rcv_settle_mode=1, properties={"k": t.Int(1)}
    )
    assert world.sent() == [
        Attach("down", 0, SENDER, 0, 1, Source("a"), Target("b"), initial_delivery_count=0, properties={"k": 1})
    ]


def test_accepting_twice() -> None:
    """The owner is wrong."""
    link = asked()
    link.accept()
    with pytest.raises(LocalProtocolError, match="no ATTACH to answer on link 'up'"):
        link.accept()
    with pytest.raises(LocalProtocolError, match="no ATTACH to answer"):
        link.refuse(REFUSAL)


def test_answering_a_link_of_ours() -> None:
    """There is nothing to answer."""
    world = server()
    link = world.machine.sessions[0].sender("n", Target("t"))
    with pytest.raises(LocalProtocolError, match="no ATTACH to answer"):
        link.accept()


def test_refusing() -> None:
    """ATTACH without termini, then DETACH that closes (section 2.6.3)."""
    world = server()
    link = only(AttachReceived, world.send(SENDS)).link
    link.refuse(REFUSAL)
    assert world.sent() == [Attach("up", 0, RECEIVER), Detach(0, True, REFUSAL)]
    assert world.send(Detach(0, closed=True)) == [DetachReceived(link, Detach(0, closed=True))]
    assert world.machine.sessions[0].links == ()


def test_being_refused() -> None:
    """The terminus that is the peer's own is absent."""
    world = server()
    session = world.machine.sessions[0]
    sender, receiver = session.sender("s", Target("t")), session.receiver("r", Source("s"))
    assert not sender.refused
    world.send(Attach("s", 0, RECEIVER, source=Source()), Attach("r", 1, SENDER, initial_delivery_count=0))
    assert sender.refused
    assert receiver.refused


def test_not_being_refused() -> None:
    """Both termini are there."""
    world = server()
    session = world.machine.sessions[0]
    sender, receiver = session.sender("s", Target("t")), session.receiver("r", Source("s"))
    world.send(
        Attach("s", 0, RECEIVER, target=Target("t")),
        Attach("r", 1, SENDER, source=Source("s"), initial_delivery_count=0),
    )
    assert not sender.refused
    assert not receiver.refused


def test_detach_by_the_peer() -> None:
    """The owner answers as it likes."""
    world = server()
    link = world.sender()
    assert world.send(Detach(1, closed=True)) == [DetachReceived(link, Detach(1, closed=True))]
    assert (link.remote, world.sent()) == (Half.ENDED, [])
    link.detach(closed=False)
    link.detach()
    assert (world.sent(), link.session.links) == ([Detach(0)], ())


def test_detach_by_us() -> None:
    """With an error, closing or not: the machine does not object (rule 9)."""
    world = server()
    up, down = world.receiver(), world.sender()
    expired = Error("amqp:unauthorized-access", "Token Invalid.")
    up.detach(expired)
    down.detach(expired, closed=False)
    assert world.sent() == [Detach(0, True, expired), Detach(1, False, expired)]
    assert [type(event) for event in world.send(Detach(0, closed=True), Detach(1))] == [DetachReceived] * 2
    assert up.session.links == ()


def test_answering_attach_after_the_peer_has_left() -> None:
    """An owner that is late owes both answers."""
    world = server()
    attached, _ = world.send(SENDS, Detach(0, closed=True))
    assert isinstance(attached, AttachReceived)
    attached.link.accept()
    attached.link.detach()
    assert (len(world.sent()), attached.link.session.links) == (2, ())


def test_detach_that_is_never_answered_for() -> None:
    """An owner that never answered ATTACH has nothing to detach."""
    world = server()
    attached, _ = world.send(SENDS, Detach(0, closed=True))
    assert isinstance(attached, AttachReceived)
    attached.link.detach()
    assert (world.sent(), attached.link.session.links) == ([], ())


def test_nothing_can_be_sent_before_attach() -> None:
    """The owner is wrong: credit comes after the answer (rule 2)."""
    up = asked()
    down = asked(RECEIVES)
    assert isinstance(up, ReceiverLink)
    assert isinstance(down, SenderLink)
    for call in (
        lambda: up.grant(5),
        up.drain,
        lambda: up.settle(0),
        lambda: down.send(b""),
        lambda: down.settle(b""),
        down.detach,
    ):
        with pytest.raises(LocalProtocolError, match="is not attached"):
            call()


def test_everything_after_detach_is_too_late() -> None:
    """The peer may have left while the owner was still answering."""
    world = server()
    up, down = world.receiver(credit=5), world.sender(credit=5)
    up.detach()
    down.detach()
    world.sent()
    up.grant(5)
    up.drain()
    up.settle(0)
    up.accept()
    up.refuse(REFUSAL)
    down.send(b"")
    down.settle(b"")
    assert world.sent() == []


def test_everything_after_the_peers_detach_is_too_late() -> None:
    """Only the answer is owed; what was in the air can still be seen."""
    world = server()
    up, down = world.receiver(credit=5), world.sender(credit=1)
    world.send(message())
    down.send(b"", tag=b"a")
    down.send(b"waits")
    world.sent()
    world.send(Detach(0), Detach(1))
    up.settle(0)
    up.grant(5)
    up.drain()
    down.settle(b"a")
    down.send(b"")
    assert (world.sent(), down.waiting, list(down.unsettled)) == ([], 0, [b"a"])
    up.detach()
    down.detach()
    assert world.sent() == [Detach(0, closed=True), Detach(1, closed=True)]


def test_frames_on_the_way_after_our_detach() -> None:
    """They are dropped, without a word about handles."""
    world = server()
    up, down = world.receiver(credit=5), world.sender(credit=5)
    up.detach()
    down.detach()
    world.sent()
    credit = credit_for(RECEIVES, 3)
    assert world.send(message(), credit) == [FlowReceived(down, credit)]
    assert world.sent() == []


def test_a_sender_without_initial_delivery_count() -> None:
    """Section 2.7.3 demands one."""
    world = server()
    event = only(ProtocolViolation, world.send(Attach("up", 0, SENDER, target=Target("t"))))
    assert event == ProtocolViolation(INVALID_FIELD, "ATTACH of a sender without initial-delivery-count")


def test_links_of_one_name() -> None:
    """The machine does not mind; which one is stolen is the owner's to decide."""
    world = server()
    first = world.attached(SENDS)
    second = world.attached(Attach("up", 9, SENDER, target=Target("t"), initial_delivery_count=0))
    assert first.session.links == (first, second)


def test_a_violation_detaches() -> None:
    """And closes; the session lives on."""
    world = server()
    link = world.receiver(credit=0)
    event = only(LinkViolation, world.send(message()))
    assert world.sent() == [Detach(0, True, Error(event.condition, event.reason))]
    assert (event.link, link.session.local) == (link, Half.ACTIVE)
