"""Both roles talking to each other over a wire that fragments and delays, with everything small so that it is used up."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.amqp_world import NOW, Wire

from harness.protocol.amqp.client import ClientConnection
from harness.protocol.amqp.connection import Limits
from harness.protocol.amqp.events import (
    AttachReceived,
    BeginReceived,
    CloseReceived,
    DetachReceived,
    DispositionReceived,
    EndReceived,
    Event,
    HeartbeatReceived,
    LinkViolation,
    OpenReceived,
    ProtocolViolation,
    SaslInitReceived,
    SenderSettled,
    SessionViolation,
    Timeout,
    TransferReceived,
)
from harness.protocol.amqp.performatives import Accepted, Released, SaslCode, Source, Target
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.server import ServerConnection
from harness.protocol.amqp.state import Phase

SMALL = Limits(max_frame_size=512, incoming_window=4)
CREDIT = 3


class Side:
    """What one owner has seen and done on its links."""

    def __init__(self) -> None:
        self.inbox: list[bytes] = []
        self.unsettled: list[tuple[ReceiverLink, int]] = []
        self.outbox: list[bytes] = []
        self.outcomes = 0
        self.senders: list[SenderLink] = []


class Roles(RuleBasedStateMachine):
    """A client and a server, each with links in both directions.

    Every message arrives once and in order, whatever its size and however credit and windows run; every outcome comes
    back; neither side ever accuses the other; and in the end nothing is left over on either.
    """

    def __init__(self) -> None:
        super().__init__()
        self.numbers = iter(range(1_000_000))

    @initialize(mechanism=st.sampled_from([None, "MSSBCBS", "ANONYMOUS", "PLAIN"]))
    def connect(self, mechanism: str | None) -> None:
        """A connection, with a session and a link each way."""
        client = ClientConnection(mechanism=mechanism, limits=SMALL)
        server = ServerConnection(now=NOW, limits=SMALL)
        self.wire = Wire(client, server)
        self.wire.on_client, self.wire.on_server = self.use, self.serve
        self.client, self.server = Side(), Side()
        client.connect(NOW)
        client.open("dev", idle_time_out_ms=60_000)
        self.session = client.begin()
        self.up, self.down = self.attach(), self.attach_receiver()

    def attach(self) -> SenderLink:
        """A link on which the client sends."""
        link = self.session.sender(f"up{next(self.numbers)}", Target("t"))
        self.client.senders = [link]
        return link

    def attach_receiver(self) -> ReceiverLink:
        """A link on which the client receives, settled second."""
        return self.session.receiver(f"down{next(self.numbers)}", Source("s"), rcv_settle_mode=1)

    def serve(self, event: Event) -> None:
        """The server's owner."""
        match event:
            case SaslInitReceived():
                server = self.wire.server
                server.sasl_outcome(SaslCode.OK, now=self.wire.now)
                for later in server.events():
                    self.serve(later)
            case OpenReceived():
                self.wire.server.open("hub", idle_time_out_ms=60_000)
            case BeginReceived(session):
                session.accept()
            case AttachReceived(link):
                link.accept()
                if isinstance(link, SenderLink):
                    self.server.senders = [link]
                else:
                    assert isinstance(link, ReceiverLink)
                    link.grant(CREDIT)
            case DetachReceived(link):
                link.detach()
            case EndReceived(session):
                session.end()
            case CloseReceived():
                self.wire.server.close(now=self.wire.now)
            case _:
                self.common(self.server, event)

    def use(self, event: Event) -> None:
        """The client's owner."""
        if isinstance(event, AttachReceived) and isinstance(event.link, ReceiverLink):
            event.link.grant(CREDIT)
        self.common(self.client, event)

    def common(self, side: Side, event: Event) -> None:
        """What both do."""
        match event:
            case TransferReceived(link, delivery_id, _, payload):
                side.inbox.append(payload)
                side.unsettled.append((link, delivery_id))
            case DispositionReceived(link, tag, state, settled):
                side.outcomes += 1
                assert state in (Accepted(), Released())
                if not settled:
                    link.settle(tag, state)
            case ProtocolViolation() | SessionViolation() | LinkViolation() | Timeout():
                raise AssertionError(event)
            case SenderSettled(link, delivery_id):
                assert delivery_id not in link.unsettled
            case HeartbeatReceived():
                self.beats = True

    @precondition(lambda self: self.client.senders)
    @rule(size=st.sampled_from([0, 10, 500, 1_500, 4_000]))
    def send_up(self, size: int) -> None:
        """The client sends."""
        self.send(self.client, size)

    @precondition(lambda self: self.server.senders)
    @rule(size=st.sampled_from([0, 10, 500, 1_500, 4_000]))
    def send_down(self, size: int) -> None:
        """The server sends."""
        self.send(self.server, size)

    def send(self, side: Side, size: int) -> None:
        """A message that is like no other."""
        payload = b"%d." % next(self.numbers) + bytes(size)
        side.senders[0].send(payload)
        side.outbox.append(payload)

    @rule(data=st.data(), second=st.booleans())
    def settle_up(self, data: st.DataObject, second: bool) -> None:  # noqa: FBT001
        """The server says what became of a message, the latest first if it likes; perhaps the client has the last word."""
        self.settle_one(self.server, data, second=second)

    @rule(data=st.data(), second=st.booleans())
    def settle_down(self, data: st.DataObject, second: bool) -> None:  # noqa: FBT001
        """The same from the client."""
        self.settle_one(self.client, data, second=second)

    def settle_one(self, side: Side, data: st.DataObject, *, second: bool) -> None:
        """One of those that wait."""
        if side.unsettled:
            index = data.draw(st.integers(0, len(side.unsettled) - 1))
            link, delivery_id = side.unsettled.pop(index)
            state = Accepted() if data.draw(st.booleans()) else Released()
            link.settle(delivery_id, state, settled=not second)

    @rule(size=st.integers(1, 700))
    def deliver_up(self, size: int) -> None:
        """Some bytes reach the server."""
        self.wire.deliver_up(size)

    @rule(size=st.integers(1, 700))
    def deliver_down(self, size: int) -> None:
        """Some bytes reach the client."""
        self.wire.deliver_down(size)

    @rule()
    def stay_silent(self) -> None:
        """Long silence, on a wire that works: heartbeats keep the connection up."""
        self.wire.settle()
        self.beats = False
        for _ in range(20):
            deadlines = [self.wire.client.next_deadline(), self.wire.server.next_deadline()]
            self.wire.now = max(self.wire.now, min(deadline for deadline in deadlines if deadline is not None))
            self.wire.client.on_time(self.wire.now)
            self.wire.server.on_time(self.wire.now)
            self.wire.settle()
        assert self.beats

    @rule()
    def another_link(self) -> None:
        """The client detaches and attaches; handles are used again."""
        self.all_settled()
        self.up.detach()
        self.up = self.attach()
        self.wire.settle()
        assert {link.handle for link in self.session.links} <= {0, 1, 2}

    @rule()
    def another_session(self) -> None:
        """Everything ends and begins again."""
        self.all_settled()
        self.session.end()
        self.wire.settle()
        assert self.wire.server.sessions == ()
        self.session = self.wire.client.begin()
        assert self.session.channel == 0
        self.up, self.down = self.attach(), self.attach_receiver()
        self.wire.settle()

    @rule()
    def drain(self) -> None:
        """The client asks for what there is."""
        self.wire.settle()
        self.down.drain()
        self.wire.settle()
        assert self.down.credit == 0
        self.down.grant(CREDIT)

    @invariant()
    def order_is_kept(self) -> None:
        """Messages arrive in the order of sending, with no holes."""
        assert self.server.inbox == self.client.outbox[: len(self.server.inbox)]
        assert self.client.inbox == self.server.outbox[: len(self.client.inbox)]

    def all_settled(self) -> None:
        """Everything sent has arrived and is settled."""
        self.wire.settle()
        for side in (self.client, self.server):
            for link, delivery_id in side.unsettled:
                link.settle(delivery_id)
            side.unsettled.clear()
        self.wire.settle()
        assert self.server.inbox == self.client.outbox
        assert self.client.inbox == self.server.outbox
        assert self.client.outcomes == len(self.client.outbox)
        assert self.server.outcomes == len(self.server.outbox)

    def teardown(self) -> None:
        """In the end nothing is left, and both sides close."""
        if not hasattr(self, "wire"):
            return
        self.all_settled()
        for side in (self.wire.client, self.wire.server):
            assert side._unsettled == side._buffered == 0
            assert not any(link.unsettled for link in side.sessions[0].links if isinstance(link, SenderLink))
        self.wire.client.close(now=self.wire.now)
        self.wire.settle()
        assert self.wire.client.phase is self.wire.server.phase is Phase.CLOSED


TestRoles = pytest.mark.slow(Roles.TestCase)
TestRoles.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
