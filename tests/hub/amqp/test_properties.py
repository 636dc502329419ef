"""The hub under any order of what AMQP devices do: nothing raises, and what has to hold holds."""

import re
from collections import defaultdict
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.amqp_device import C2D, EVENTS, METHODS, TWIN, AmqpDevice, amqp_device, numbered, plain_device
from support.hub_world import NOW, PRIMARY, RULE_KEY, World, connect_packet, token

from harness.fault_words import CLOSING, POSSIBLE
from harness.hub.fault_messages import OPERATIONS
from harness.hub.faults import Fault
from harness.hub.policy import Policy
from harness.protocol.amqp.events import CloseReceived, EndReceived
from harness.protocol.amqp.messages import Data, Message, Properties, encode_message
from harness.protocol.amqp.performatives import Accepted, DeliveryState, Modified, Rejected, Released
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.state import Half
from harness.protocol.amqp.types import Int, Value
from harness.protocol.mqtt.codec import encode
from harness.redaction import spellings
from harness.sas import parse

GRACE_S: Final = 20.0
CLOSES: Final = (None, "fin", "rst", "detach", "detach-not-closed", "close")
OUTAGE: Final[dict[str, Any]] = {"how": "restart", "for_s": 2.0}
FAULTS: Final = tuple(
    Fault(at, action, close, delay_s=4.0 if action == "delay" else 0.0, **(OUTAGE if action == "outage" else {}))
    for at, actions in POSSIBLE.items()
    for action in sorted(actions)
    for close in (CLOSES if action in CLOSING else (None,))
    if at != "grace-end" or action == "cut"  # the others leave a connection beyond its token, as they are asked to
)
STATES: Final[tuple[DeliveryState, ...]] = (Accepted(), Accepted(), Released(), Rejected(), Modified())
LIFE: Final = re.compile(r"Q(SR)*(S[AX]?)?")
"""Of a message: queued, sent and returned any number of times, at last sent and acknowledged (X: rejected)."""
WHICH = st.sampled_from([-1, -1, -1, 0, 1])
"""A connection: the newest in most cases, for the older ones have lost the device to it."""
LEFT = st.sampled_from([-12, -8, 3, 20, 60, 60])
MANY: Final = 5
OK: Final = 200


class AmqpMachine(RuleBasedStateMachine):
    """Several connections of one device, in any order, by an owner who keeps to the deadlines."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(Policy(grace_s=GRACE_S, skew_s=10.0, connect_timeout_s=15.0))
        self.now = NOW
        self.devices: list[AmqpDevice] = []
        self.numbers: list[int] = []  # of their connections
        self.accepted = 0
        self.gone: set[int] = set()
        self.signatures: set[str] = set()
        self.queued = 0

    # What happens.

    @precondition(lambda self: not self.accepted)
    @rule(close=st.sampled_from(CLOSES), faults=st.lists(st.sampled_from(FAULTS), max_size=2))
    def policy(self, close: str | None, faults: list[Fault]) -> None:
        """The hub is another one."""
        policy = Policy(GRACE_S, 10.0, close, connect_timeout_s=15.0, faults=tuple(faults))  # type: ignore[arg-type]
        self.world = World(policy)
        self.queued = 0

    def text(self, left: int, key: str = PRIMARY) -> str:
        """A token."""
        text = token(self.now + left, key=key)
        self.signatures |= {parse(text).sig, parse(text).signature}
        return text

    @precondition(lambda self: self.accepted < MANY)
    @rule(begin=st.sampled_from([True, True, False]), left=LEFT)
    def arrive(self, begin: bool, left: int) -> None:  # noqa: FBT001 - drawn
        """A new connection, which puts a token at once and listens, or does nothing yet."""
        device = amqp_device(self.world, at=self.now)
        self.enter(device)
        if begin and device.open().attach_cbs().put_token(self.text(left)) == OK:
            device.receiver(C2D, credit=3, rcv_settle_mode=self.accepted % 2)
            device.sender(EVENTS)

    @precondition(lambda self: self.accepted < MANY)
    @rule(left=LEFT)
    def arrive_by_plain(self, left: int) -> None:
        """A new connection by SASL PLAIN."""
        device = plain_device(self.world, self.text(left), at=self.now)
        self.enter(device)
        device.open()

    @precondition(lambda self: self.accepted < MANY)
    @rule(left=LEFT)
    def arrive_by_mqtt(self, left: int) -> None:
        """The device comes over MQTT."""
        side = self.world.accept("mqtt", at=self.now)
        self.accepted += 1
        side.receive(encode(connect_packet(self.text(left))), self.now)

    def enter(self, device: AmqpDevice) -> None:
        """Remember a new connection."""
        self.accepted += 1
        self.devices.append(device)
        self.numbers.append(self.accepted)

    def device(self, which: int) -> AmqpDevice:
        """One of them, at the present time."""
        device = self.devices[which % len(self.devices)]
        device.now = self.now
        device.run()
        return device

    @precondition(lambda self: self.devices)
    @rule(which=WHICH, left=LEFT, key=st.sampled_from([PRIMARY, PRIMARY, RULE_KEY]))
    def put_token(self, which: int, left: int, key: str) -> None:
        """A token that is good for a while, or was, or never."""
        device = self.device(which)
        if device.requests_are_there:
            device.put_token(self.text(left, key))

    @precondition(lambda self: self.devices)
    @rule(
        which=WHICH,
        address=st.sampled_from([EVENTS, TWIN, METHODS, "/devices/dev2/twin", "$cbs"]),
        receive=st.booleans(),
    )
    def attach(self, which: int, address: str, receive: bool) -> None:  # noqa: FBT001 - drawn
        """Any link, and a message on it where that goes."""
        device = self.device(which)
        if device.is_open and receive:
            device.receiver(address)
        elif device.is_open:
            device.send(device.sender(address), numbered(1))

    @precondition(lambda self: self.devices)
    @rule(which=WHICH, credit=st.integers(1, 3), second=st.booleans())
    def listen(self, which: int, credit: int, second: bool) -> None:  # noqa: FBT001 - drawn
        """A link for cloud-to-device messages."""
        device = self.device(which)
        if device.is_open:
            device.receiver(C2D, credit=credit, rcv_settle_mode=int(second))

    @precondition(lambda self: self.devices)
    @rule(which=WHICH, link=st.integers(0, 9), closed=st.booleans())
    def detach(self, which: int, link: int, closed: bool) -> None:  # noqa: FBT001 - drawn
        """One link goes."""
        device = self.device(which)
        if device.is_open and device.session.links:
            links = device.session.links
            if links[link % len(links)].local is Half.ACTIVE:
                links[link % len(links)].detach(closed=closed)
            device.run()

    @precondition(lambda self: self.devices)
    @rule(which=WHICH)
    def answer(self, which: int) -> None:
        """The device answers what the hub has ended."""
        device = self.device(which)
        device.answer_detaches()
        for ended in device.take(EndReceived):
            ended.session.end()
        if device.take(CloseReceived):
            device.close()

    @precondition(lambda self: self.devices)
    @rule(which=WHICH, number=st.integers(0, 3))
    def send(self, which: int, number: int) -> None:
        """A message on every link there is, of the right kind or not."""
        device = self.device(which)
        for link in device.session.links if device.is_open else ():
            if link.local is link.remote is Half.ACTIVE and isinstance(link, SenderLink):
                link.send(encode_message(numbered(number)))
        device.run()

    @precondition(lambda self: self.devices)
    @rule(
        which=WHICH,
        operation=st.sampled_from([*OPERATIONS, "none"]),
        delay=st.sampled_from([0, 0, 1, 10, -1]),
        duration=st.sampled_from(["1", "10", "x"]),
    )
    def ask(self, which: int, operation: str, delay: int, duration: str) -> None:
        """One of the service's own test messages."""
        device = self.device(which)
        if device.is_open:
            values: dict[str, Value] = {"Type": operation, "DelayInSecs": Int(delay), "DurationInSecs": duration}
            application = {f"AzIoTHub_FaultOperation{name}": value for name, value in values.items()}
            device.send(device.sender(EVENTS), Message(Data((b"",)), Properties(), application))

    @precondition(lambda self: self.devices)
    @rule(which=WHICH, states=st.lists(st.sampled_from(STATES), min_size=1, max_size=3), settled=st.booleans())
    def settle_late(self, which: int, states: list[DeliveryState], settled: bool) -> None:  # noqa: FBT001 - drawn
        """The device's word on messages that came some time ago, on links that are gone perhaps."""
        self.settle(which, states, settled=settled)

    def settle(self, which: int, states: list[DeliveryState], *, settled: bool) -> None:
        """The device's word on messages, and on no more than there are states."""
        device = self.device(which)
        for state, transfer in zip(states, device.take_transfers(), strict=False):
            if not transfer.settled:
                transfer.link.settle(transfer.delivery_id, state, settled=settled)
        device.run()

    @rule(number=st.integers(1, 3), states=st.lists(st.sampled_from(STATES), max_size=2))
    def queue(self, number: int, states: list[DeliveryState]) -> None:
        """Messages for the device, which it may see and settle at once."""
        for _ in range(number):
            self.queued += 1
            self.world.hub.send_c2d(f"c2d-{self.queued}", b"x", self.now)
        for index in range(len(self.devices)):
            self.settle(index, states, settled=True)

    @precondition(lambda self: self.devices)
    @rule(which=WHICH, polite=st.booleans(), lose=st.booleans())
    def leave(self, which: int, polite: bool, lose: bool) -> None:  # noqa: FBT001 - drawn
        """CLOSE, or END, or just the end of the transport."""
        device = self.device(which)
        if polite and device.is_open:
            device.close()
        elif device.is_open:
            device.session.end()
            device.run()
        if lose:
            self.world.connection(self.numbers[which % len(self.numbers)]).peer_closed("rst", self.now)

    @precondition(lambda self: self.accepted)
    @rule(which=WHICH)
    def socket_is_gone(self, which: int) -> None:
        """Both sides are done with one connection."""
        number = which % self.accepted + 1
        self.gone.add(number)
        self.world.connection(number).transport_closed("device", "rst", self.now)

    @rule(step=st.sampled_from([0.5, 0.5, 3.0, 10.0, 29.0]))
    def time_passes(self, step: float) -> None:
        """Every deadline that comes is served, in order."""
        end = self.now + step
        while (due := self.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.serve()
        self.now = end
        self.serve()

    def next_deadline(self) -> float | None:
        """The earliest of all."""
        sides = [self.world.connection(number) for number in range(1, self.accepted + 1) if number not in self.gone]
        return min((due for side in sides if (due := side.next_deadline()) is not None), default=None)

    def serve(self) -> None:
        """Tell everybody the time."""
        for number in range(1, self.accepted + 1):
            if number not in self.gone:
                self.world.connection(number).on_time(self.now)

    # What has to hold.

    @invariant()
    def at_most_one_connection_has_the_device(self) -> None:
        """By the events: admitted and not yet over."""
        admitted: set[int] = set()
        for kind, _, fields in self.world.events:
            if (kind == "put-token-answered" and fields["admitted"]) or (kind == "connack" and fields["code"] == 0):
                admitted.add(fields["conn"])
                assert admitted == {fields["conn"]}
            elif kind in ("cut", "disconnect"):
                admitted.discard(fields["conn"])
            elif kind == "record" and fields["record"].get("resultType") == "404104":
                admitted.clear()

    @invariant()
    def no_message_is_lost_or_doubled_unnoticed(self) -> None:
        """Each has a life that makes sense, and the hub has every one that is not done with."""
        letters = {"c2d-queued": "Q", "c2d-sent": "S", "c2d-returned": "R", "c2d-acknowledged": "A"}
        lives: dict[str, str] = defaultdict(str)
        for kind, _, fields in self.world.events:
            if kind in letters:
                lives[fields["message_id"]] += "X" if fields.get("state") == "rejected" else letters[kind]
        assert len(lives) == self.queued
        assert all(LIFE.fullmatch(life) for life in lives.values()), lives
        waiting = sum(life[-1] in "QR" for life in lives.values())
        assert len(self.world.hub._device.session._queue) == waiting

    @invariant()
    def nobody_outlives_a_token(self) -> None:
        """A connection that is in has a deadline ahead."""
        for number in range(1, self.accepted + 1):
            side = self.world.connection(number)
            if side._accepted and not side._over and number not in self.gone:
                due = side.next_deadline()
                assert due is not None
                assert due >= self.now - 30  # a token within the skew is cut with the next look

    def teardown(self) -> None:
        """In the end nobody is in, every connection ends once, every message is the hub's or done; no secret was told."""
        self.time_passes(60.0 + GRACE_S + 1.0)
        for number in range(1, self.accepted + 1):
            assert not (self.world.connection(number)._accepted and not self.world.connection(number)._over)
            self.world.connection(number).transport_closed("hub", "fin", self.now)
        closed = [fields["conn"] for fields in self.world.find("closed")]
        assert sorted(closed) == list(range(1, self.accepted + 1))
        self.no_message_is_lost_or_doubled_unnoticed()
        done = len(self.world.find("c2d-acknowledged"))
        assert len(self.world.hub._device.session._queue) + done == self.queued
        told = repr(self.world.events)
        for signature in self.signatures:
            assert not [form for form in spellings(signature) if form in told]


AmqpMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
TestAmqpMachine = pytest.mark.slow(AmqpMachine.TestCase)
