"""The hub under anything: random packets, times and deadlines never raise, and an expired connection never stays."""

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.hub_world import C2D, DEVICE, EVENTS, NOW, PRIMARY, RULE_KEY, USER_NAME, Wire, World, token

from harness.fault_words import POSSIBLE
from harness.hub.fault_messages import OPERATIONS
from harness.hub.faults import Fault
from harness.hub.policy import Policy
from harness.hub.topics import METHOD_FILTER, TWIN_ANSWER_FILTER
from harness.protocol.mqtt.codec import encode
from harness.protocol.mqtt.packets import Connect, Disconnect, Packet, Pingreq, Puback, Publish, Subscribe, Unsubscribe
from harness.redaction import spellings
from harness.sas import parse

GRACE_S = 20.0
WORDS = "AzIoTHub_FaultOperation"
POLICY = Policy(grace_s=GRACE_S, skew_s=10.0, connect_timeout_s=15.0)
FILTERS = st.sampled_from([C2D, METHOD_FILTER, TWIN_ANSWER_FILTER, "#"])
TOPICS = st.sampled_from(
    [
        f"{EVENTS}%24.mid=1",
        "$iothub/twin/GET/?$rid=1",
        "$iothub/twin/PATCH/properties/reported/?$rid=2",
        "$iothub/methods/res/200/?$rid=1",
        "nowhere",
    ]
)
PACKET_IDS = st.integers(1, 5)
SECONDS = st.sampled_from(["0", "0", "1", "10", "x"])


def asking(operation: str, delay: str, duration: str, packet_id: int) -> Publish:
    """One of the service's own."""
    bag = f"{WORDS}Type={operation}&{WORDS}DelayInSecs={delay}&{WORDS}DurationInSecs={duration}"
    return Publish(EVENTS + bag, b"", 1, packet_id)


PACKETS: st.SearchStrategy[Packet] = st.one_of(
    st.builds(Publish, TOPICS, st.sampled_from([b"", b"{}", b"[", b"\xff"]), st.just(0)),
    st.builds(Publish, TOPICS, st.just(b"{}"), st.sampled_from([1, 1, 1, 2]), PACKET_IDS),
    st.builds(asking, st.sampled_from([*OPERATIONS, "none"]), SECONDS, SECONDS, PACKET_IDS),
    st.builds(Puback, PACKET_IDS),
    st.builds(Subscribe, PACKET_IDS, st.tuples(st.tuples(FILTERS, st.integers(0, 2)))),
    st.builds(Unsubscribe, PACKET_IDS, st.tuples(FILTERS)),
    st.just(Pingreq()),
    st.just(Disconnect()),
)
KEYS = st.sampled_from([PRIMARY, PRIMARY, PRIMARY, RULE_KEY])
TIMES = st.sampled_from([0.0, 0.5, 3.0, 10.0, 29.0])


class HubMachine(RuleBasedStateMachine):
    """Several connections of one device, driven in any order by an owner who keeps to the deadlines, more or less."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(POLICY)
        self.now = NOW
        self.wires: list[Wire] = []
        self.expiry: dict[int, float] = {}
        self.signatures: set[str] = set()
        self.calls = 0

    def wire(self, index: int) -> Wire:
        """One of the connections."""
        return self.wires[index % len(self.wires)]

    @rule(transport=st.sampled_from(["mqtt", "mqtt-ws"]))
    def open(self, transport: str) -> None:
        """A new connection."""
        self.wires.append(self.world.open(transport, at=self.now))

    @rule(left=st.integers(-10, 25), clean=st.booleans(), packets=st.lists(PACKETS, max_size=2))
    def arrive(self, left: int, clean: bool, packets: list[Packet]) -> None:  # noqa: FBT001 - drawn
        """The device comes in on a new connection, and goes on at once."""
        self.open("mqtt")
        self.send(
            self.wires[-1], self.connect_packet(self.wires[-1], left, PRIMARY, clean=clean, keep_alive=0), *packets
        )

    @precondition(lambda self: self.wires)
    @rule(
        index=st.integers(0, 9), left=st.integers(-25, 25), key=KEYS, clean=st.booleans(), keep_alive=st.integers(0, 20)
    )
    def connect(self, index: int, left: int, key: str, clean: bool, keep_alive: int) -> None:  # noqa: FBT001 - drawn
        """A CONNECT, wherever the connection stands, with a token that is good for a while, or was."""
        wire = self.wire(index)
        self.send(wire, self.connect_packet(wire, left, key, clean=clean, keep_alive=keep_alive))

    def connect_packet(self, wire: Wire, left: int, key: str, *, clean: bool, keep_alive: int) -> Connect:
        """The CONNECT; the first of a connection fixes when it has to be over."""
        text = token(self.now + left, key=key)
        self.signatures |= {parse(text).sig, parse(text).signature}
        self.expiry.setdefault(wire.hub_side.number, parse(text).expiry)
        return Connect(DEVICE, keep_alive, clean, USER_NAME, text.encode())

    @precondition(lambda self: self.wires)
    @rule(index=st.integers(0, 9), packets=st.lists(PACKETS, max_size=4))
    def packets(self, index: int, packets: list[Packet]) -> None:
        """Anything a client can encode."""
        self.send(self.wire(index), *packets)

    @precondition(lambda self: self.wires)
    @rule(index=st.integers(0, 9), data=st.binary(max_size=40))
    def garbage(self, index: int, data: bytes) -> None:
        """Anything else."""
        self.wire(index).hub_side.receive(data, self.now)

    def send(self, wire: Wire, *packets: Packet) -> None:
        """Hand packets to the hub in one chunk."""
        wire.hub_side.receive(b"".join(map(encode, packets)), self.now)

    @precondition(lambda self: self.wires)
    @rule(index=st.integers(0, 9), how=st.sampled_from(["fin", "rst"]))
    def lose(self, index: int, how: str) -> None:
        """The device closes."""
        self.wire(index).hub_side.peer_closed(how, self.now)

    @precondition(lambda self: self.wires)
    @rule(index=st.integers(0, 9))
    def close(self, index: int) -> None:
        """The transport is gone."""
        self.wire(index).hub_side.transport_closed("hub", "fin", self.now)

    @rule()
    def c2d(self) -> None:
        """A message for the device."""
        self.world.hub.send_c2d("c2d", b"x", self.now)

    @rule(patience=TIMES)
    def method(self, patience: float) -> None:
        """A call to the device."""
        self.calls += 1
        request_id = str(self.calls)
        self.world.hub.call_method(
            request_id, "probe", b"", self.now, connect_timeout_s=patience, response_timeout_s=patience
        )

    @rule(step=TIMES)
    def time_passes(self, step: float) -> None:
        """Every deadline that comes is served, in order."""
        end = self.now + step
        while (due := self.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.serve()
        self.now = end
        self.serve()

    def next_deadline(self) -> float | None:
        """The earliest of all deadlines."""
        deadlines = [self.world.hub.next_deadline(), *(wire.hub_side.next_deadline() for wire in self.wires)]
        return min((due for due in deadlines if due is not None), default=None)

    def serve(self) -> None:
        """Tell everybody the time."""
        self.world.hub.on_time(self.now)
        for wire in self.wires:
            wire.hub_side.on_time(self.now)

    @invariant()
    def no_connection_outlives_its_token(self) -> None:
        """After expiry + grace the hub has asked for the close, whether it let the device in or not."""
        for number, expiry in self.expiry.items():
            if expiry + GRACE_S < self.now:
                assert self.wires[number - 1].hub_side.close_request is not None

    @invariant()
    def at_most_one_connection_has_the_device(self) -> None:
        """Every accepted connection but the newest is on its way out."""
        accepted = [fields["conn"] for fields in self.world.find("connack") if fields["code"] == 0]
        for number in accepted[:-1]:
            side = self.wires[number - 1].hub_side
            left = [fields for fields in self.world.find("disconnect") if fields["conn"] == number]
            assert side.close_request is not None or left

    @invariant()
    def each_connection_ends_once(self) -> None:
        """At most one cut and one closed per connection."""
        for kind in ("cut", "closed", "disconnect"):
            numbers = [fields["conn"] for fields in self.world.find(kind)]
            assert len(numbers) == len(set(numbers))

    @invariant()
    def nothing_is_left_due(self) -> None:
        """Every failed or answered call is over, every other one has a deadline."""
        over = len(self.world.find("method-failed")) + len(self.world.find("method-answered"))
        assert (self.world.hub.next_deadline() is None) == (over == self.calls)

    def teardown(self) -> None:
        """In the end every token's time is over, exactly then; no secret was told, and all that could be secret was learnt."""
        self.time_passes(25.0 + GRACE_S + 1.0)
        self.no_connection_outlives_its_token()
        for kind, now, fields in self.world.events:
            if kind == "cut" and fields["cause"] == "token-expired":
                assert now == self.expiry[fields["conn"]] + GRACE_S
        told = repr(self.world.events)
        for signature in self.signatures:
            assert not [form for form in spellings(signature) if form in told]
        assert len(self.world.secrets) == 2 * len(self.world.find("connect"))
        assert self.signatures >= set(self.world.secrets)


HubMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestHubMachine = HubMachine.TestCase


OUTAGE: dict[str, Any] = {"how": "restart", "for_s": 2.0}
FAULTS = tuple(
    Fault(at, action, delay_s=4.0 if action == "delay" else 0.0, **(OUTAGE if action == "outage" else {}))
    for at, actions in POSSIBLE.items()
    for action in sorted(actions)
)


class FaultyHubMachine(HubMachine):
    """The same with a hub that does all kinds of things wrong on purpose."""

    @precondition(lambda self: not self.wires and not self.calls)
    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=4), times=st.integers(1, 2))
    def go_wrong(self, faults: list[Fault], times: int) -> None:
        """The hub is another one."""
        self.world = World(replace(POLICY, faults=tuple(replace(fault, times=times) for fault in faults)))

    @invariant()
    def no_connection_outlives_its_token(self) -> None:
        """Unless the scenario asked for that: by no answer, or no cut."""
        struck = self.world.find("fault")
        stands = {fields["conn"] for fields in struck if fields["action"] == "ignore" or fields["at"] == "grace-end"}
        for number, expiry in self.expiry.items():
            if expiry + GRACE_S < self.now and number not in stands:
                assert self.wires[number - 1].hub_side.close_request is not None


FaultyHubMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestFaultyHubMachine = FaultyHubMachine.TestCase
