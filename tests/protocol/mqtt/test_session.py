"""harness.protocol.mqtt.session."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from harness.errors import LocalProtocolError
from harness.protocol.mqtt.packets import Publish
from harness.protocol.mqtt.session import OutgoingSession, PacketIds


def test_identifiers_count_up_from_one() -> None:
    """Released ones are not used again at once."""
    ids = PacketIds()
    first = ids.take()
    ids.release(first)
    assert (first, ids.take()) == (1, 2)


def test_identifiers_wrap_and_skip_those_in_use() -> None:
    """After 65535 comes the first free one."""
    ids = PacketIds()
    ids.reserve(1)
    ids.reserve(2)
    taken = [ids.take() for _ in range(65_533)]
    ids.release(3)
    assert (taken[0], taken[-1], ids.take()) == (3, 65_535, 3)


def test_no_identifier_left() -> None:
    """The 65536th request at a time cannot be made."""
    ids = PacketIds()
    for packet_id in range(1, 65_536):
        ids.reserve(packet_id)
    with pytest.raises(LocalProtocolError, match="all packet identifiers are in use"):
        ids.take()


def test_releasing_an_unknown_identifier() -> None:
    """A peer may answer what was never asked."""
    ids = PacketIds()
    ids.release(5)
    assert len(ids) == 0


def test_publishes_are_sent_again_in_order_with_dup() -> None:
    """Sections 4.4 and 4.6; what was acknowledged is gone."""
    session = OutgoingSession()
    for payload in (b"1", b"2", b"3"):
        session.publish("t", payload)
    session.acknowledge(2)
    assert session.resend() == (Publish("t", b"1", 1, 1, dup=True), Publish("t", b"3", 1, 3, dup=True))


def test_resending_frees_the_identifiers_of_other_requests() -> None:
    """A SUBSCRIBE without answer dies with its connection."""
    session = OutgoingSession()
    waiting = session.publish("t", b"")
    subscribe_id = session.ids.take()
    session.resend()
    assert (waiting.packet_id in session.ids, subscribe_id in session.ids) == (True, False)


def test_acknowledging_what_does_not_wait() -> None:
    """Neither raises nor frees the identifier of another request."""
    session = OutgoingSession()
    subscribe_id = session.ids.take()
    assert session.acknowledge(subscribe_id) is None
    assert subscribe_id in session.ids


def test_clearing() -> None:
    """CleanSession 1 leaves nothing, and the identifiers stay shared with the connection that has them."""
    session = OutgoingSession()
    ids = session.ids
    session.publish("t", b"", retain=True)
    session.clear()
    assert (len(session), len(ids), session.ids is ids) == (0, 0, True)


class SessionMachine(RuleBasedStateMachine):
    """Publishes and acknowledgements in any order, against a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.session = OutgoingSession()
        self.waiting: list[Publish] = []

    published = Bundle("published")

    @rule(target=published, payload=st.binary(max_size=3))
    def publish(self, payload: bytes) -> Publish:
        """A fresh identifier for every publish."""
        packet = self.session.publish("t", payload)
        assert all(packet.packet_id != other.packet_id for other in self.waiting)
        self.waiting.append(packet)
        return packet

    @rule(packet=consumes(published))
    def acknowledge(self, packet: Publish) -> None:
        """The right publish is forgotten."""
        assert packet.packet_id is not None
        assert self.session.acknowledge(packet.packet_id) == packet
        self.waiting.remove(packet)

    @rule()
    def resend(self) -> None:
        """Everything that waits is sent again."""
        assert [packet.payload for packet in self.session.resend()] == [packet.payload for packet in self.waiting]

    @invariant()
    def order_is_kept(self) -> None:
        """What waits is what was published, oldest first."""
        assert list(self.session.unacknowledged()) == self.waiting
        assert len(self.session) == len(self.session.ids) == len(self.waiting)


TestSessionMachine = SessionMachine.TestCase
TestSessionMachine.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
