"""What real clients insist on, each a rule that one of them broke on when a server did otherwise."""

from dataclasses import replace

import pytest
from support.amqp_device import C2D, EVENTS, METHODS, NAME, TWIN, AmqpDevice, amqp_device, numbered, put_token_message
from support.hub_world import DEVICE, HUB_NAME, LIFETIME, NOW, POLICY, World, token

from harness.hub.amqp.figures import MAX_MESSAGE_SIZE
from harness.hub.base import HubConnection
from harness.hub.ending import CloseMode
from harness.hub.policy import Policy
from harness.protocol.amqp import types as t
from harness.protocol.amqp.events import DispositionReceived
from harness.protocol.amqp.frames import AMQP_HEADER, SASL_HEADER, Frame, FrameDecoder, FrameType
from harness.protocol.amqp.messages import encode_message
from harness.protocol.amqp.performatives import (
    Attach,
    Detach,
    Disposition,
    Flow,
    SaslMechanisms,
    Source,
    Target,
    Transfer,
)

CUT_AT = NOW + LIFETIME + POLICY.grace_s


def policy_with(close: CloseMode) -> Policy:
    """The way to cut."""
    return replace(POLICY, close=close)


@pytest.fixture
def world() -> World:
    """A hub with its events recorded."""
    return World()


class Taps:
    """The hub's side of a connection, with all frames it sends kept."""

    def __init__(self, side: HubConnection) -> None:
        self._side, self._decoder = side, FrameDecoder(1 << 20)
        self._headers = 1
        self.frames: list[Frame] = []

    def receive(self, data: bytes, now: float) -> None:
        """Bytes of the device."""
        self._side.receive(data, now)

    def data_to_send(self) -> bytes:
        """Bytes for the device, noted on the way."""
        data = self._side.data_to_send()
        self._decoder.append(data)
        if self._headers and data:
            self._decoder.next_header()
            self._headers = 0
        while (frame := self._decoder.next_frame(FrameType.AMQP)) is not None:
            self.frames.append(frame)
        return data

    def kinds(self) -> list[type]:
        """The kinds of the frames since the last call."""
        kinds = [type(frame.body) for frame in self.frames]
        self.frames.clear()
        return kinds


@pytest.fixture
def taps(world: World) -> Taps:
    """A connection that is listened to."""
    return Taps(world.accept("amqp"))


def test_frames_leave_in_the_order_of_the_decisions(taps: Taps) -> None:
    """Rule 1. The request is settled, then answered; each telemetry message is settled in its turn."""
    device = AmqpDevice(taps).open().attach_cbs()
    taps.kinds()
    device.put_token()
    assert taps.kinds() == [Disposition, Transfer]
    link = device.sender()
    taps.kinds()
    for number in range(3):
        link.send(encode_message(numbered(number)))
    device.run()
    settled = [frame.body.first for frame in taps.frames if isinstance(frame.body, Disposition)]
    assert settled == sorted(settled)
    assert len(settled) == 3


def test_no_flow_before_the_links_are_attached(taps: Taps) -> None:
    """Rule 2. Both ATTACHes of the C SDK are answered before either link gets credit."""
    device = AmqpDevice(taps).open()
    taps.kinds()
    device.attach_cbs()
    assert taps.kinds()[:3] == [Attach, Attach, Flow]


def test_credit_is_given_after_the_accept_only(taps: Taps) -> None:
    """Rule 2. A refused link gets none."""
    device = AmqpDevice(taps).open()
    taps.kinds()
    device.sender()
    assert taps.kinds() == [Attach, Detach]


def test_both_headers_are_accepted(world: World) -> None:
    """Rule 3. With SASL, all mechanisms are offered at once, in an array, EXTERNAL last."""
    side = world.accept("amqp")
    side.receive(SASL_HEADER, NOW)
    data = side.data_to_send()
    decoder = FrameDecoder(1 << 16)
    decoder.append(data)
    assert decoder.next_header() == SASL_HEADER
    frame = decoder.next_frame(FrameType.SASL)
    assert frame is not None
    assert frame.body == SaslMechanisms(("MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL"))
    assert b"\xf0" in data or b"\xe0" in data
    other = world.accept("amqp")
    other.receive(AMQP_HEADER, NOW)
    assert other.data_to_send() == AMQP_HEADER


@pytest.mark.parametrize("message_id", ["1", t.ULong(0), t.Uuid(bytes(16)), b"1"])
def test_identifiers_keep_their_type(world: World, message_id: t.Value) -> None:
    """Rule 4. From the request to the answer, on the wire."""
    device = amqp_device(world).open().attach_cbs()
    device.requests.send(encode_message(put_token_message(message_id=message_id)))
    device.run()
    (answer,) = device.messages(device.answers)
    assert type(answer.properties.correlation_id) is type(message_id)


def test_types_on_the_wire(taps: Taps) -> None:
    """Rule 5. An int for the status, symbols for annotations, a ulong for max-message-size: where clients cast."""
    device = AmqpDevice(taps).open().attach_cbs()
    device.put_token()
    (payload,) = [frame.payload for frame in taps.frames if isinstance(frame.body, Transfer)]
    assert b"\xa1\x0bstatus-code\x71\x00\x00\x00\xc8" in payload or b"\xa1\x0bstatus-code\x54" in payload
    taps.frames.clear()
    answers = device.receiver(TWIN)
    attach = next(frame.body for frame in taps.frames if isinstance(frame.body, Attach))
    assert attach.max_message_size == MAX_MESSAGE_SIZE
    requests = device.sender(TWIN)
    requests.send(encode_message(numbered(1)))
    device.run()
    (transfer,) = device.transfers(answers)
    assert b"\xa3\x06status" in transfer.payload


def test_credit_and_window_are_refreshed_at_half(taps: Taps) -> None:
    """Rule 6. 500 messages after the grant of 1000 there is a new one; `echo` is answered, `drain` uses the credit up."""
    device = AmqpDevice(taps).connected()
    link = device.sender()
    taps.kinds()
    for number in range(500):
        link.send(encode_message(numbered(number)))
    device.run()
    flows = [frame.body for frame in taps.frames if isinstance(frame.body, Flow)]
    assert [(flow.delivery_count, flow.link_credit) for flow in flows] == [(500, 1000)]
    taps.frames.clear()
    device.machine.send_frame(0, Flow(1, 5000, 1, 5000, echo=True))
    device.run()
    assert taps.kinds() == [Flow]
    receiver = device.receiver()
    taps.frames.clear()
    receiver.drain()
    device.run()
    assert [frame.body.link_credit for frame in taps.frames if isinstance(frame.body, Flow)] == [0]


def test_nothing_is_read_after_our_close() -> None:
    """Rule 7. But the device's CLOSE, and not longer than ten seconds."""
    world = World(policy_with("close"))
    device = amqp_device(world).connected()
    link = device.sender()
    side = world.connection(1)
    side.on_time(CUT_AT)
    link.send(encode_message(numbered(1)))
    device.run(CUT_AT)
    assert world.find("telemetry") == []
    assert side.next_deadline() == CUT_AT + 10


@pytest.mark.parametrize("close", ["fin", "rst"])
def test_network_faults_and_polite_ends_differ(close: CloseMode) -> None:
    """Rule 8. RST and FIN look different to clients."""
    world = World(policy_with(close))
    amqp_device(world).connected()
    world.connection(1).on_time(CUT_AT)
    assert world.connection(1).close_request == close


def test_expiry_is_a_detach_of_each_link(taps: Taps, world: World) -> None:
    """Rule 9. `$cbs` and the connection stay."""
    device = AmqpDevice(taps).connected()
    for address in (EVENTS, TWIN, METHODS):
        device.sender(address)
    device.receiver(C2D)
    taps.kinds()
    world.connection(1).on_time(CUT_AT)
    device.run(CUT_AT)
    assert taps.kinds() == [Detach] * 4
    assert device.put_token(token(CUT_AT + 60)) == 200


@pytest.mark.parametrize(
    "address",
    [
        f"/devices/{DEVICE}/messages/events",
        f"amqps://{HUB_NAME}:5671/devices/{DEVICE}/Messages/Events",
        f"amqps://127.0.0.1/devices/{DEVICE.replace('d', '%64')}/messages/events/".rstrip("/"),
    ],
)
def test_addresses_in_all_spellings(world: World, address: str) -> None:
    """Rule 10. Path without regard to case, ids exactly and decoded, authority ignored."""
    device = amqp_device(world).connected()
    assert device.telemetry(device.sender(address), 1)


def c_like(device: AmqpDevice) -> None:
    """MSSBCBS, both links at once, a ulong, batches, the twin's links always."""
    device.open().attach_cbs()
    assert device.put_token(message_id=t.ULong(0)) == 200
    device.sender(f"amqps://{HUB_NAME}/devices/{DEVICE}/twin")
    device.receiver(f"amqps://{HUB_NAME}/devices/{DEVICE}/twin", credit=10_000)


def java_like(device: AmqpDevice) -> None:
    """ANONYMOUS, a session for `$cbs` and one for the device, a UUID."""
    device.open()
    session = device.begin()
    device.attach_cbs()
    assert device.put_token(message_id=t.Uuid(bytes(range(16)))) == 200
    properties = {"com.microsoft:channel-correlation-id": DEVICE}
    device.sender(session=session, properties=properties)
    device.receiver(session=session, properties=properties)


def dotnet_like(device: AmqpDevice) -> None:
    """No SASL, one link name in every session, settled requests."""
    device.open()
    session = device.begin()
    device.requests = session.sender("duplex1:sender", Target("$cbs"), source=Source("guid"))
    device.answers = session.receiver("duplex1:receiver", Source("$cbs"), target=Target("guid"))
    device.run()
    device.answers.grant(50)
    device.requests.send(encode_message(put_token_message(name=NAME)), settled=True)
    device.run()
    assert device.take(DispositionReceived) == []
    for one in (device.session, device.begin()):
        device.telemetry(one.sender("TelemetrySenderLink", Target(EVENTS)), 1)


@pytest.mark.parametrize(
    ("client", "mechanism"),
    [(c_like, "MSSBCBS"), (java_like, "ANONYMOUS"), (dotnet_like, None), (AmqpDevice.connected, None)],
)
def test_more_than_one_client(world: World, client: object, mechanism: str | None) -> None:
    """Rule 11. What one client never does, another one does always."""
    device = amqp_device(world, mechanism=mechanism)
    assert callable(client)
    client(device)
    assert {fields["condition"] for fields in world.find("attach")} == {None}
    assert [fields["status"] for fields in world.find("put-token-answered")] == [200]
    assert device.telemetry(device.sender(), 2)
