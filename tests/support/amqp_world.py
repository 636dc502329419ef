"""The AMQP machines among themselves and opposite a peer that sends whatever a test wants."""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from harness.protocol.amqp.client import ClientConnection
from harness.protocol.amqp.connection import Connection, Limits
from harness.protocol.amqp.events import AttachReceived, BeginReceived, Event, OpenReceived
from harness.protocol.amqp.frames import AMQP_HEADER, Frame, FrameDecoder, FrameType, encode_frame
from harness.protocol.amqp.link import Link
from harness.protocol.amqp.performatives import Attach, Begin, Flow, Open, Source, Target, Transfer
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.server import ServerConnection
from harness.protocol.amqp.session import Session

EventT = TypeVar("EventT")
NOW = 1_000.0
OPEN = Open("peer")
BEGIN = Begin(None, 1, 5_000, 5_000)
SENDS = Attach("up", 0, False, source=Source("here"), target=Target("there"), initial_delivery_count=0)
RECEIVES = Attach("down", 1, True, source=Source("there"), target=Target("here"))


class Peer:
    """A peer of a machine, written by hand: `send` frames to it, look at `sent` by it."""

    def __init__(self, machine: Connection) -> None:
        self.machine = machine
        self.now = NOW
        self._decoder = FrameDecoder(1 << 30)

    def send(self, *bodies: Struct | None, channel: int = 0, payload: bytes = b"") -> list[Event]:
        """Frames arrive in one chunk; returns the events."""
        return self.send_bytes(b"".join(encode_frame(FrameType.AMQP, channel, body, payload) for body in bodies))

    def send_sasl(self, *bodies: Struct) -> list[Event]:
        """The same with SASL frames."""
        return self.send_bytes(b"".join(encode_frame(FrameType.SASL, 0, body) for body in bodies))

    def send_bytes(self, data: bytes) -> list[Event]:
        """Bytes arrive; returns the events."""
        self.machine.receive(data, self.now)
        return self.machine.events()

    def frames(self, kind: FrameType = FrameType.AMQP) -> list[Frame]:
        """Everything the machine has sent since the last call."""
        self._decoder.append(self.machine.data_to_send())
        frames = []
        while (frame := self._decoder.next_frame(kind)) is not None:
            frames.append(frame)
        return frames

    def sent(self, kind: FrameType = FrameType.AMQP) -> list[Struct | None]:
        """The bodies of `frames`."""
        return [frame.body for frame in self.frames(kind)]

    def header(self) -> bytes:
        """A protocol header that the machine has sent; what follows stays for `sent`."""
        self._decoder.append(self.machine.data_to_send())
        return self._decoder.next_header() or b""


class ServerPeer(Peer):
    """A client written by hand, opposite a server machine."""

    machine: ServerConnection

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__(ServerConnection(now=NOW, limits=limits or Limits()))

    def opened(self, peer: Open = OPEN) -> "ServerPeer":
        """After both OPEN frames, without SASL."""
        self.send_bytes(AMQP_HEADER)
        self.send(peer)
        self.machine.open("hub", hostname="h", idle_time_out_ms=240_000)
        assert self.header() == AMQP_HEADER
        self.sent()
        return self

    def begun(self, begin: Begin = BEGIN, channel: int = 0) -> Session:
        """A session that the client began and the server accepted."""
        event = only(BeginReceived, self.send(begin, channel=channel))
        event.session.accept()
        self.sent()
        return event.session

    def attached(self, attach: Attach, channel: int = 0) -> Link:
        """A link that the client attached and the server accepted."""
        event = only(AttachReceived, self.send(attach, channel=channel))
        event.link.accept()
        self.sent()
        return event.link

    def receiver(self, attach: Attach = SENDS, credit: int = 0) -> ReceiverLink:
        """The server's end of a link on which the client sends."""
        link = self.attached(attach)
        assert isinstance(link, ReceiverLink)
        if credit:
            link.grant(credit)
            self.sent()
        return link

    def sender(self, attach: Attach = RECEIVES, credit: int = 0) -> SenderLink:
        """The server's end of a link on which the client receives."""
        link = self.attached(attach)
        assert isinstance(link, SenderLink)
        if credit:
            self.send(credit_for(attach, credit))
        return link


def server(limits: Limits | None = None, peer: Open = OPEN, begin: Begin = BEGIN) -> ServerPeer:
    """A server with an open connection and one session on channel 0."""
    world = ServerPeer(limits).opened(peer)
    world.begun(begin)
    return world


def credit_for(attach: Attach, credit: int, delivery_count: int = 0) -> Flow:
    """A FLOW that gives credit for one link."""
    return Flow(1, 5_000, 1, 5_000, attach.handle, delivery_count, credit)


def message(delivery_id: int = 0, *, handle: int = 0, settled: bool = False, more: bool = False) -> Transfer:
    """The first TRANSFER of a message."""
    return Transfer(handle, delivery_id, b"tag%d" % delivery_id, 0, settled, more)


def only(kind: type[EventT], events: list[Event]) -> EventT:
    """The only event, which is of this kind."""
    (event,) = events
    assert isinstance(event, kind), event
    return event


class Wire:
    """A client machine and a server machine; what each has to say to its owner goes to a function of the test's."""

    def __init__(self, client: ClientConnection, server: ServerConnection) -> None:
        self.client, self.server = client, server
        self.now = NOW
        self.up, self.down = b"", b""
        self.on_client: Callable[[Event], None] = lambda _: None
        self.on_server: Callable[[Event], None] = self.accept

    def accept(self, event: Event) -> None:
        """A server that accepts everything."""
        match event:
            case OpenReceived():
                self.server.open("hub")
            case BeginReceived(session):
                session.accept()
            case AttachReceived(link):
                link.accept()
                if isinstance(link, ReceiverLink):
                    link.grant(100)

    def deliver_up(self, size: int) -> None:
        """Some bytes reach the server."""
        self.up += self.client.data_to_send()
        arrived, self.up = self.up[:size], self.up[size:]
        self.server.receive(arrived, self.now)
        for event in self.server.events():
            self.on_server(event)

    def deliver_down(self, size: int) -> None:
        """Some bytes reach the client."""
        self.down += self.server.data_to_send()
        arrived, self.down = self.down[:size], self.down[size:]
        self.client.receive(arrived, self.now)
        for event in self.client.events():
            self.on_client(event)

    def settle(self) -> None:
        """Deliver until both sides are quiet."""
        quiet = False
        while not quiet:
            self.up += self.client.data_to_send()
            self.down += self.server.data_to_send()
            quiet = not (self.up or self.down)
            self.deliver_up(len(self.up))
            self.deliver_down(len(self.down))
