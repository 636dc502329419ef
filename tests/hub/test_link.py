"""What a device may do on an accepted connection."""

import json

import pytest
from support.hub_world import C2D, DEVICE, EVENTS, HUB_NAME, NOW, Wire, World, connect_packet

from harness.hub.topics import DESIRED_FILTER, METHOD_FILTER, TWIN_ANSWER_FILTER, parse_bag
from harness.protocol.mqtt.packets import (
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
)

GET = "$iothub/twin/GET/?$rid=1"
PATCH = "$iothub/twin/PATCH/properties/reported/?$rid=2"


def publish(packet: Packet) -> Publish:
    """The packet, which is a PUBLISH."""
    assert isinstance(packet, Publish)
    return packet


@pytest.fixture
def world() -> World:
    """A hub with its events recorded."""
    return World()


@pytest.fixture
def wire(world: World) -> Wire:
    """The device's accepted connection."""
    return world.connected()


def test_telemetry_is_recorded_and_acknowledged(world: World, wire: Wire) -> None:
    """Event telemetry, event puback, PUBACK."""
    packet = Publish(f"{EVENTS}%24.mid=7&colour=red&flag", b"{}", 1, 9, dup=True, retain=True)
    assert wire.send(packet) == [Puback(9)]
    assert world.one("telemetry") == {
        "conn": 1, "message_id": "7", "packet_id": 9, "qos": 1, "dup": True, "retain": True, "size": 2,
        "properties": {"$.mid": "7", "colour": "red", "flag": None},
    }  # fmt: skip
    assert world.one("puback") == {"conn": 1, "packet_id": 9, "message_id": "7"}


def test_a_closing_slash_belongs_to_no_property(world: World, wire: Wire) -> None:
    """The .NET SDK writes one."""
    wire.send(Publish(f"{EVENTS}%24.mid=1/", b"x", 1, 1))
    assert world.one("telemetry")["message_id"] == "1"


def test_nothing_is_said_to_be_sent_behind_a_disconnect(world: World, wire: Wire) -> None:
    """What came in one read with it is taken, and not answered: neither on the wire nor in the log."""
    assert wire.send(Publish(EVENTS, b"x", 1, 9), Disconnect()) == []
    assert world.one("telemetry")["packet_id"] == 9
    assert world.find("puback") == []


def test_nothing_is_delivered_to_a_device_that_leaves_as_it_comes(world: World) -> None:
    """CONNECT and DISCONNECT in one read: messages and calls wait for the next connection."""
    first = world.connected()
    first.send(Subscribe(1, ((C2D, 0), (METHOD_FILTER, 0))), Disconnect())
    world.hub.send_c2d("c2d-1", b"x", NOW)
    world.hub.call_method("1", "probe", b"{}", NOW, connect_timeout_s=9, response_timeout_s=9)
    world.open().send(connect_packet(), Disconnect())
    assert (world.find("c2d-sent"), world.find("method-sent")) == ([], [])
    world.open().send(connect_packet())
    assert len(world.find("c2d-sent")) == len(world.find("method-sent")) == 1


@pytest.mark.parametrize("topic", [EVENTS, EVENTS[:-1]])
def test_telemetry_without_properties(world: World, wire: Wire, topic: str) -> None:
    """With or without the closing slash; QoS 0 is not acknowledged."""
    assert wire.send(Publish(topic, b"x")) == []
    assert (world.one("telemetry")["message_id"], world.one("telemetry")["properties"]) == (None, {})
    assert world.find("puback") == []


def test_unrecorded_telemetry_is_acknowledged_all_the_same() -> None:
    """The benchmark's hub has no events, but the same wire."""
    wire = World(recording=False).connected()
    assert wire.telemetry(5) == [Puback(5)]
    assert wire.send(Publish(EVENTS, b"x")) == []


def test_repeated_message_is_delivered_twice(world: World, wire: Wire) -> None:
    """At least once: neither identifier nor DUP hides a message."""
    wire.telemetry(3)
    wire.telemetry(3)
    assert [fields["message_id"] for fields in world.find("telemetry")] == ["3", "3"]


@pytest.mark.parametrize(
    ("packet", "detail"),
    [
        (Publish("devices/dev2/messages/events/", b""), "PUBLISH to 'devices/dev2/messages/events/'"),
        (Publish("devices/dev1/messages/eventsx", b""), "PUBLISH to 'devices/dev1/messages/eventsx'"),
        (Publish("x" * 500, b""), f"PUBLISH to '{'x' * 120}'"),
        (Publish("$iothub/twin/GET/", b""), "PUBLISH to '$iothub/twin/GET/'"),
        (Subscribe(1, (("#", 1),)), "SUBSCRIBE to '#'"),
        (Subscribe(1, ((C2D, 1), ("devices/dev2/messages/devicebound/#", 1))), "SUBSCRIBE to 'devices/dev2/"),
    ],
)
def test_unknown_topics_end_the_connection(world: World, wire: Wire, packet: Packet, detail: str) -> None:
    """The service has no other way to refuse: no PUBACK, no failure code, just the end."""
    assert wire.send(packet) == []
    assert world.one("cut")["cause"] == "protocol"
    assert world.one("cut")["detail"].startswith(detail)
    assert world.codes() == ["deviceConnect", "400000"]
    assert wire.hub_side.close_request == "fin"


def test_qos_2_ends_the_connection(world: World, wire: Wire) -> None:
    """The service does not speak it, wherever it goes."""
    assert wire.send(Publish(EVENTS, b"", 2, 1)) == []
    assert world.one("cut")["detail"] == "PUBLISH with QoS 2"


def test_subscription_with_qos_2_is_granted_1(world: World, wire: Wire) -> None:
    """The event shows what was asked for and what was granted."""
    packet = Subscribe(7, ((C2D, 2), (DESIRED_FILTER, 0)))
    assert wire.send(packet) == [Suback(7, (1, 0))]
    assert world.one("subscribe") == {"conn": 1, "filters": [[C2D, 2], [DESIRED_FILTER, 0]], "codes": [1, 0]}


def test_unsubscribing_stops_delivery(world: World, wire: Wire) -> None:
    """From the UNSUBACK on, messages wait."""
    wire.subscribe(C2D)
    assert wire.send(Unsubscribe(8, (C2D, METHOD_FILTER))) == [Unsuback(8)]
    assert world.one("unsubscribe") == {"conn": 1, "filters": [C2D, METHOD_FILTER]}
    world.hub.send_c2d("c2d-1", b"", NOW)
    assert wire.received() == []


def test_ping_is_recorded(world: World, wire: Wire) -> None:
    """PINGRESP and an event."""
    assert wire.send(Pingreq()) == [Pingresp()]
    assert world.one("ping") == {"conn": 1}


def test_twin_is_read(world: World, wire: Wire) -> None:
    """PUBACK first, then the document under the request's id."""
    wire.subscribe(TWIN_ANSWER_FILTER)
    ack, answer = wire.send(Publish(GET, b"", 1, 4))
    assert ack == Puback(4)
    assert publish(answer).topic == "$iothub/twin/res/200/?$rid=1"
    assert json.loads(publish(answer).payload) == {"desired": {"$version": 1}, "reported": {"$version": 1}}
    assert world.one("twin") == {"conn": 1, "operation": "get", "request_id": "1", "status": 200}


def test_twin_is_patched(world: World, wire: Wire) -> None:
    """204 with the new version, and the next reader sees the properties."""
    wire.subscribe(TWIN_ANSWER_FILTER, qos=0)
    assert wire.send(Publish(PATCH, b'{"a":1}')) == [Publish("$iothub/twin/res/204/?$rid=2&$version=2", b"")]
    assert json.loads(publish(wire.send(Publish(GET, b""))[0]).payload)["reported"] == {"a": 1, "$version": 2}
    assert [fields["status"] for fields in world.find("twin")] == [204, 200]


def test_bad_twin_patch_is_answered_400(world: World, wire: Wire) -> None:
    """Nothing changes and the connection stays."""
    wire.subscribe(TWIN_ANSWER_FILTER)
    assert wire.send(Publish(PATCH, b"[")) == [Publish("$iothub/twin/res/400/?$rid=2", b"")]
    assert wire.hub_side.close_request is None


def test_twin_patch_without_api_version_is_answered_400(world: World) -> None:
    """A bare user name connects, but cannot report properties."""
    wire = world.connected(connect_packet(username=f"{HUB_NAME}/{DEVICE}"))
    wire.subscribe(TWIN_ANSWER_FILTER)
    assert wire.send(Publish(PATCH, b"{}")) == [Publish("$iothub/twin/res/400/?$rid=2", b"")]


def test_twin_answer_needs_a_subscription(world: World, wire: Wire) -> None:
    """Nobody is listening, so nothing is sent; the request was made all the same."""
    assert wire.send(Publish(GET, b"")) == []
    assert world.one("twin")["status"] == 200


def test_c2d_is_delivered_and_acknowledged(world: World, wire: Wire) -> None:
    """QoS 1 as subscribed; the bag names the message; the PUBACK ends it."""
    assert wire.subscribe(C2D) == []
    world.hub.send_c2d("c2d-1", b"hello", NOW)
    assert wire.wakes == 1
    packet = publish(wire.received()[0])
    assert (packet.payload, packet.qos, packet.dup) == (b"hello", 1, False)
    assert parse_bag(packet.topic.removeprefix(C2D[:-1]))["$.mid"] == "c2d-1"
    assert packet.packet_id is not None
    wire.send(Puback(packet.packet_id))
    assert world.one("c2d-queued") == {"message_id": "c2d-1"}
    assert world.one("c2d-sent") == {"conn": 1, "message_id": "c2d-1", "packet_id": packet.packet_id, "dup": False}
    assert world.one("c2d-acknowledged") == {"conn": 1, "message_id": "c2d-1"}


def test_c2d_waits_for_the_subscription(world: World, wire: Wire) -> None:
    """Queued while nobody listens, sent behind the SUBACK, in order."""
    world.hub.send_c2d("c2d-1", b"1", NOW)
    world.hub.send_c2d("c2d-2", b"2", NOW)
    assert wire.received() == []
    assert [publish(packet).payload for packet in wire.subscribe(C2D)] == [b"1", b"2"]


def test_c2d_with_qos_0_is_done_when_sent(world: World, wire: Wire) -> None:
    """There is no identifier, and nothing comes again."""
    wire.subscribe(C2D, qos=0)
    world.hub.send_c2d("c2d-1", b"1", NOW)
    assert publish(wire.received()[0]).qos == 0
    assert world.one("c2d-sent")["packet_id"] is None
    assert world.connected(present=True).received() == []


def test_unacknowledged_c2d_comes_again_on_the_next_connection(world: World, wire: Wire) -> None:
    """In front of what was queued meanwhile, with its old identifier and DUP; no SUBSCRIBE is needed."""
    wire.subscribe(C2D)
    world.hub.send_c2d("c2d-1", b"1", NOW)
    first = publish(wire.received()[0])
    wire.hub_side.peer_closed("rst", NOW)
    world.hub.send_c2d("c2d-2", b"2", NOW)
    again, fresh = world.open().send(connect_packet())[1:]
    assert (publish(again).packet_id, publish(again).dup, publish(again).payload) == (first.packet_id, True, b"1")
    assert (publish(fresh).dup, publish(fresh).payload) == (False, b"2")
    assert [(fields["conn"], fields["dup"]) for fields in world.find("c2d-sent")] == [(1, False), (2, True), (2, False)]


def test_clean_session_forgets_subscriptions_but_not_messages(world: World, wire: Wire) -> None:
    """What was in flight comes as a new message once the device subscribes again."""
    wire.subscribe(C2D)
    world.hub.send_c2d("c2d-1", b"1", NOW)
    clean = world.connected(connect_packet(clean=True))
    assert publish(clean.subscribe(C2D)[0]).dup is False


def test_puback_for_nothing_is_ignored(world: World, wire: Wire) -> None:
    """It is no violation."""
    wire.send(Puback(77))
    assert world.find("c2d-acknowledged") == []
    assert wire.hub_side.close_request is None


def call(world: World, request_id: str = "1", now: float = NOW) -> None:
    """Call the method probe; three seconds for the device to be there, two for its answer."""
    world.hub.call_method(request_id, "probe", b"{}", now, connect_timeout_s=3.0, response_timeout_s=2.0)


def test_method_is_called_and_answered(world: World, wire: Wire) -> None:
    """From the call to the status."""
    wire.subscribe(METHOD_FILTER, qos=0)
    call(world)
    assert wire.wakes == 1
    assert wire.received() == [Publish("$iothub/methods/POST/probe/?$rid=1", b"{}")]
    assert wire.send(Publish("$iothub/methods/res/200/?$rid=1", b"{}", 1, 6)) == [Puback(6)]
    assert world.one("method-called") == {"request_id": "1", "name": "probe"}
    assert world.one("method-sent") == {"conn": 1, "request_id": "1"}
    assert world.one("method-answered") == {"conn": 1, "request_id": "1", "status": 200}
    assert world.hub.next_deadline() is None


def test_method_waits_for_the_subscription(world: World, wire: Wire) -> None:
    """It goes out as soon as the device listens, also on a later connection."""
    call(world)
    assert wire.received() == []
    assert wire.subscribe(METHOD_FILTER) == [Publish("$iothub/methods/POST/probe/?$rid=1", b"{}")]


def test_method_is_answered_on_a_later_connection(world: World, wire: Wire) -> None:
    """An answer that was under way when the connection broke still counts."""
    wire.subscribe(METHOD_FILTER)
    call(world)
    world.connected(present=True).send(Publish("$iothub/methods/res/200/?$rid=1", b""))
    assert world.one("method-answered")["conn"] == 2


def test_answer_to_no_call_is_ignored(world: World, wire: Wire) -> None:
    """It is acknowledged like any publish."""
    assert wire.send(Publish("$iothub/methods/res/200/?$rid=9", b"", 1, 2)) == [Puback(2)]
    assert world.find("method-answered") == []


@pytest.mark.parametrize(
    ("subscribed", "due", "failure"),
    [(False, 3.0, ("404103", "DeviceNotOnline")), (True, 2.0, ("504101", "GatewayTimeout"))],
)
def test_methods_time_out(world: World, wire: Wire, subscribed: bool, due: float, failure: tuple[str, str]) -> None:  # noqa: FBT001 - a table
    """By what they waited for: the device, or its answer."""
    if subscribed:
        wire.subscribe(METHOD_FILTER)
    call(world)
    assert world.hub.next_deadline() == NOW + due
    world.hub.on_time(NOW + due - 0.1)
    assert world.find("method-failed") == []
    world.hub.on_time(NOW + due)
    assert world.one("method-failed") == {"request_id": "1", "code": failure[0], "reason": failure[1]}
    assert world.hub.next_deadline() is None
