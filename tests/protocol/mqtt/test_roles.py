"""Both roles talking to each other over a wire that fragments, delays, and breaks."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from harness.protocol.mqtt.client import ClientConnection
from harness.protocol.mqtt.events import (
    Acknowledged,
    ConnectReceived,
    ProtocolViolation,
    PubackReceived,
    PublishReceived,
    SubscribeReceived,
    Timeout,
    UnsubscribeReceived,
)
from harness.protocol.mqtt.packets import Connect
from harness.protocol.mqtt.server import ServerConnection
from harness.protocol.mqtt.session import OutgoingSession
from harness.protocol.mqtt.state import State

KEEP_ALIVE = 60


EVERYTHING = 1_000_000
"""More bytes than are ever on the wire."""


def note(inbox: list[bytes], payload: bytes) -> None:
    """Remember a first arrival; a resent publish may arrive again."""
    if payload not in inbox:
        inbox.append(payload)


class Roles(RuleBasedStateMachine):
    """A client and a server that keep their sessions over any number of connections.

    At-least-once in order (sections 4.3.2 and 4.6) must hold for every QoS 1 publish, whatever the wire does, and neither
    side may ever accuse the other.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.numbers = iter(range(1_000_000))
        self.client_session, self.server_session = OutgoingSession(), OutgoingSession()
        self.client_inbox: list[bytes] = []
        self.server_inbox: list[bytes] = []
        self.published_up: list[bytes] = []
        self.published_down: list[bytes] = []

    @initialize()
    def connect(self) -> None:
        """A new network connection; whatever was on the old one's wire is lost."""
        self.client = ClientConnection(ids=self.client_session.ids)
        self.server = ServerConnection(now=self.now)
        self.client.connect(Connect("dev", KEEP_ALIVE, clean_session=False), self.now)
        self.up, self.down = b"", b""
        self.resumed = False

    @rule()
    def break_connection(self) -> None:
        """The wire fails and the client reconnects."""
        self.connect()

    @precondition(lambda self: self.client.state is State.CONNECTED)
    @rule()
    def disconnect(self) -> None:
        """The client leaves properly and comes back."""
        self.client.disconnect()
        self.deliver_up(EVERYTHING)
        assert self.server.state is State.CLOSED
        self.connect()

    @precondition(lambda self: self.client.state is State.CONNECTED)
    @rule()
    def publish_up(self) -> None:
        """The client publishes with QoS 1."""
        packet = self.client_session.publish("up", b"%d" % next(self.numbers))
        self.client.publish("up", packet.payload, qos=1, packet_id=packet.packet_id, now=self.now)
        self.published_up.append(packet.payload)

    @precondition(lambda self: self.server.state is State.CONNECTED)
    @rule()
    def publish_down(self) -> None:
        """The server publishes with QoS 1."""
        packet = self.server_session.publish("down", b"%d" % next(self.numbers))
        self.server.publish("down", packet.payload, qos=1, packet_id=packet.packet_id)
        self.published_down.append(packet.payload)

    @precondition(lambda self: self.client.state is State.CONNECTED)
    @rule()
    def subscribe(self) -> None:
        """A request that shares the identifiers with the publishes."""
        self.client.subscribe((("a/#", 1),), now=self.now)
        self.client.unsubscribe(("a/#",), now=self.now)

    @rule(size=st.integers(1, 40))
    def deliver_up(self, size: int) -> None:
        """Some bytes reach the server, which acknowledges at once."""
        self.up += self.client.data_to_send()
        arrived, self.up = self.up[:size], self.up[size:]
        self.server.receive(arrived, self.now)
        self.serve()

    def serve(self) -> None:
        """The server's owner."""
        for event in self.server.events():
            match event:
                case ConnectReceived():
                    self.server.accept(session_present=True, keep_alive_timeout_s=1.5 * KEEP_ALIVE, now=self.now)
                    for packet in self.server_session.resend():
                        self.server.publish(
                            packet.topic, packet.payload, qos=1, packet_id=packet.packet_id, dup=packet.dup
                        )
                case PublishReceived(packet):
                    assert packet.packet_id is not None
                    note(self.server_inbox, packet.payload)
                    self.server.acknowledge(packet.packet_id)
                case PubackReceived(packet_id):
                    self.server_session.acknowledge(packet_id)
                case SubscribeReceived(packet):
                    self.server.suback(packet.packet_id, (1,))
                case UnsubscribeReceived(packet):
                    self.server.unsuback(packet.packet_id)
                case ProtocolViolation() | Timeout():
                    raise AssertionError(event)

    @rule(size=st.integers(1, 40))
    def deliver_down(self, size: int) -> None:
        """Some bytes reach the client, which acknowledges at once."""
        self.down += self.server.data_to_send()
        arrived, self.down = self.down[:size], self.down[size:]
        self.client.receive(arrived, self.now)
        self.use()

    def use(self) -> None:
        """The client's owner."""
        if self.client.state is State.CONNECTED and not self.resumed:
            self.resumed = True
            for packet in self.client_session.resend():
                self.client.publish(
                    packet.topic, packet.payload, qos=1, packet_id=packet.packet_id, dup=packet.dup, now=self.now
                )
        for event in self.client.events():
            match event:
                case PublishReceived(packet):
                    assert packet.packet_id is not None
                    note(self.client_inbox, packet.payload)
                    self.client.acknowledge(packet.packet_id, now=self.now)
                case Acknowledged(packet_id):
                    self.client_session.acknowledge(packet_id)
                case ProtocolViolation() | Timeout():
                    raise AssertionError(event)

    @precondition(lambda self: self.client.state is State.CONNECTED and self.server.state is State.CONNECTED)
    @rule()
    def stay_silent(self) -> None:
        """Long silence, on a wire that works: pings keep the connection up."""
        self.settle()
        for _ in range(5):
            deadline = self.client.next_deadline()
            assert deadline is not None
            self.now = max(self.now, deadline)
            self.client.on_time(self.now)
            self.settle()
            self.server.on_time(self.now)
        assert self.server.state is self.client.state is State.CONNECTED

    @invariant()
    def order_is_kept(self) -> None:
        """First arrivals come in the order of publishing, with no holes."""
        assert self.server_inbox == self.published_up[: len(self.server_inbox)]
        assert self.client_inbox == self.published_down[: len(self.client_inbox)]

    def settle(self) -> None:
        """Deliver until both sides are quiet."""
        quiet = False
        while not quiet:
            self.up += self.client.data_to_send()
            self.down += self.server.data_to_send()
            quiet = not (self.up or self.down)
            self.deliver_up(EVERYTHING)
            self.deliver_down(EVERYTHING)

    def teardown(self) -> None:
        """In the end everything published has arrived and is acknowledged, and every identifier is free."""
        self.settle()
        assert self.server_inbox == self.published_up
        assert self.client_inbox == self.published_down
        assert len(self.client_session) == len(self.client_session.ids) == 0
        assert len(self.server_session) == len(self.server_session.ids) == 0


TestRoles = pytest.mark.slow(Roles.TestCase)
TestRoles.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
