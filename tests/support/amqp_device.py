"""A device that speaks AMQP to a hub in memory: what tests of the hub and of whatever stands before it share.

Driven by hand: every call hands bytes to and fro until both sides are quiet, at the time `now`. What the device's machine was told
lies in `events`.
"""

from typing import Protocol, TypeVar

from support.hub_world import DEVICE, HUB_NAME, NOW, World, token

from harness.protocol.amqp import types as t
from harness.protocol.amqp.client import ClientConnection, plain
from harness.protocol.amqp.events import (
    CloseReceived,
    DetachReceived,
    DispositionReceived,
    Event,
    TransferReceived,
)
from harness.protocol.amqp.link import Link
from harness.protocol.amqp.messages import Data, Message, Properties, SingleValue, decode_message, encode_message
from harness.protocol.amqp.performatives import Accepted, DeliveryState, Error, ReceiverSettleMode, Source, Target
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.session import Session
from harness.protocol.amqp.state import Half

EventT = TypeVar("EventT")
NAME = f"{HUB_NAME}/devices/{DEVICE}"
EVENTS = f"/devices/{DEVICE}/messages/events"
C2D = f"/devices/{DEVICE}/messages/devicebound"
TWIN = f"/devices/{DEVICE}/twin"
METHODS = f"/devices/{DEVICE}/methods/devicebound"
SDK = {"com.microsoft:client-version": "sdk/1.0"}


class HubSide(Protocol):
    """The other end, as far as bytes go."""

    def receive(self, data: bytes, now: float, /) -> None:
        """Bytes of the device."""
        ...

    def data_to_send(self) -> bytes:
        """Bytes for the device."""
        ...


def numbered(number: int, body: bytes = b"{}", **properties: t.Value) -> Message:
    """A telemetry message whose message-id is its number."""
    return Message(Data((body,)), Properties(message_id=str(number), **properties))


def put_token_message(text: str | None = None, name: str | None = NAME, message_id: t.Value = "request1") -> Message:
    """A put-token request with this token, by default a good one."""
    asked = {"operation": "put-token", "type": "servicebus.windows.net:sastoken", "name": name}
    return Message(SingleValue(text or token()), Properties(message_id=message_id, to="$cbs", reply_to="cbs"), asked)


class AmqpDevice:
    """One connection of the device.

    Args:
        hub_side: the other end.
        mechanism: of SASL; none by default, as with the SDKs for Node.js and .NET.
        response: its initial response.
        at: the time.
    """

    def __init__(
        self, hub_side: HubSide, mechanism: str | None = None, response: bytes | None = None, at: float = NOW
    ) -> None:
        self.hub_side, self.now = hub_side, at
        self.machine = ClientConnection(mechanism=mechanism, response=response, hostname=HUB_NAME)
        self.events: list[Event] = []
        self._links = 0
        self.session: Session
        self.requests: SenderLink
        self.answers: ReceiverLink

    # Bytes.

    def step(self) -> bool:
        """Hand over what both sides have to say now; False if that was nothing."""
        up = self.machine.data_to_send()
        if up:
            self.hub_side.receive(up, self.now)
        down = self.hub_side.data_to_send()
        if down:
            self.machine.receive(down, self.now)
        self.events += self.machine.events()
        return bool(up or down)

    def run(self, at: float | None = None) -> None:
        """Until both sides are quiet."""
        self.now = self.now if at is None else at
        while self.step():
            pass

    def take(self, kind: type[EventT]) -> list[EventT]:
        """The device's events of one kind, which are forgotten then."""
        found: list[EventT] = [event for event in self.events if isinstance(event, kind)]
        self.events = [event for event in self.events if not isinstance(event, kind)]
        return found

    @property
    def is_open(self) -> bool:
        """Whether its session can be used."""
        session = getattr(self, "session", None)
        return session is not None and session.local is session.remote is Half.ACTIVE

    @property
    def requests_are_there(self) -> bool:
        """Whether its links to `$cbs` can be used."""
        links = [getattr(self, name, None) for name in ("requests", "answers")]
        return self.is_open and all(link is not None and link.local is link.remote is Half.ACTIVE for link in links)

    # From OPEN to put-token.

    def open(self, *, idle_time_out_ms: int | None = None) -> "AmqpDevice":
        """Headers, SASL, OPEN, and a session."""
        self.machine.connect(self.now)
        self.machine.open("device", hostname=HUB_NAME, idle_time_out_ms=idle_time_out_ms)
        self.session = self.machine.begin()
        self.run()
        return self

    def begin(self) -> Session:
        """One more session."""
        session = self.machine.begin()
        self.run()
        return session

    def attach_cbs(self, session: Session | None = None) -> "AmqpDevice":
        """The two links to `$cbs`, at once, as the C SDK does."""
        session = session or self.session
        self.requests = session.sender("$cbs-sender", Target("$cbs"), properties=SDK)
        self.answers = session.receiver("$cbs-receiver", Source("$cbs"), properties=SDK)
        self.run()
        self.answers.grant(10)
        self.run()
        return self

    def put_token(
        self, text: str | None = None, name: str | None = NAME, message_id: t.Value = "request1"
    ) -> int | None:
        """Put a token; the status of the answer, None without one."""
        self.requests.send(encode_message(put_token_message(text, name, message_id)))
        self.run()
        answers = self.messages(self.answers)
        return int(answers[-1].application_properties["status-code"]) if answers else None

    def connected(self, text: str | None = None) -> "AmqpDevice":
        """OPEN, the links to `$cbs`, and a token that is accepted."""
        assert self.open().attach_cbs().put_token(text) == 200
        return self

    # Links.

    def sender(self, address: t.Value = EVENTS, session: Session | None = None, **options: t.Value) -> SenderLink:
        """A link to send on, by default for telemetry; `options` are those of `Session.sender`."""
        link = (session or self.session).sender(self._name(f"to {address}"), Target(address), **options)
        self.run()
        return link

    def receiver(
        self, address: t.Value = C2D, session: Session | None = None, credit: int = 10, **options: t.Value
    ) -> ReceiverLink:
        """A link to receive on, by default for cloud-to-device messages."""
        link = (session or self.session).receiver(self._name(f"from {address}"), Source(address), **options)
        self.run()
        if credit:
            link.grant(credit, refill=False)
            self.run()
        return link

    @staticmethod
    def target(address: t.Value) -> Target:
        """The far end of a link to send on, for links of the test's own making."""
        return Target(address)

    def _name(self, name: str) -> str:
        """A link name, unlike those before."""
        self._links += 1
        return name if self._links == 1 else f"{name} {self._links}"

    def second(self, address: t.Value = C2D, credit: int = 10) -> ReceiverLink:
        """The same, with receiver-settle-mode second, as the SDKs do for cloud-to-device messages."""
        return self.receiver(address, credit=credit, rcv_settle_mode=ReceiverSettleMode.SECOND)

    def send(self, link: SenderLink, message: Message, **options: t.Value) -> DeliveryState | None:
        """Send a message; its outcome, if there is one."""
        tag = link.send(encode_message(message), **options)
        self.run()
        outcomes = [event for event in self.take(DispositionReceived) if event.link is link and event.tag == tag]
        return outcomes[-1].state if outcomes else None

    def telemetry(self, link: SenderLink, number: int) -> bool:
        """Send telemetry message `number`; whether it was accepted."""
        return isinstance(self.send(link, numbered(number)), Accepted)

    def transfers(self, link: ReceiverLink) -> list[TransferReceived]:
        """What came on a link since the last call."""
        return [event for event in self.take(TransferReceived) if event.link is link]

    def take_transfers(self) -> list[TransferReceived]:
        """What came on any link since the last call, the answers to put-token aside."""
        return [event for event in self.take(TransferReceived) if event.link is not getattr(self, "answers", None)]

    @staticmethod
    def decoded(transfer: TransferReceived) -> Message:
        """The message that a transfer carries."""
        return decode_message(transfer.payload)

    def messages(self, link: ReceiverLink) -> list[Message]:
        """The messages that came on a link since the last call, which are settled as accepted where that is wanted."""
        transfers = self.transfers(link)
        for transfer in transfers:
            if not transfer.settled:
                link.settle(transfer.delivery_id)
        self.run()
        return [decode_message(transfer.payload) for transfer in transfers]

    # Ends.

    def errors(self) -> list[tuple[Link | None, Error | t.Described | None]]:
        """The errors of the DETACHes (with their links) and CLOSEs that came since the last call."""
        return [(event.link, event.detach.error) for event in self.take(DetachReceived)] + [
            (None, event.close.error) for event in self.take(CloseReceived)
        ]

    def answer_detaches(self) -> None:
        """Say DETACH to every DETACH."""
        for event in self.take(DetachReceived):
            event.link.detach()
        self.run()

    def close(self, error: Error | None = None) -> None:
        """Take leave."""
        self.machine.close(error, now=self.now)
        self.run()


def amqp_device(world: World, at: float = NOW, transport: str = "amqp", mechanism: str | None = None) -> AmqpDevice:
    """A new connection of the device, before its first byte."""
    return AmqpDevice(world.accept(transport, at=at), mechanism, at=at)


def plain_device(world: World, text: str | None = None, user: str | None = None, at: float = NOW) -> AmqpDevice:
    """The same with SASL PLAIN and a token."""
    response = plain(user or f"{DEVICE}@sas.{HUB_NAME.partition('.')[0]}", text or token())
    return AmqpDevice(world.accept("amqp", at=at), "PLAIN", response, at)
