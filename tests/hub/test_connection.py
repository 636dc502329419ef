"""A connection's life: CONNECT, deadlines, ends."""

from dataclasses import replace

import pytest
from support.hub_world import (
    CERTIFICATE,
    DEVICE,
    EVENTS,
    HUB_NAME,
    IDENTITY,
    LIFETIME,
    NOW,
    POLICY,
    RESOURCE,
    SELF_SIGNED,
    USER_NAME,
    Wire,
    World,
    connect_packet,
    token,
)

from harness.hub.ending import LINGER_S, CloseMode
from harness.hub.faults import Fault
from harness.hub.policy import Policy
from harness.protocol.mqtt.codec import encode
from harness.protocol.mqtt.packets import Connack, Connect, Disconnect, Pingreq, Puback, Publish, Will
from harness.sas import parse

CUT_AT = NOW + LIFETIME + POLICY.grace_s
EXPIRY_CODES = ["deviceConnect", "401003", "404104"]


@pytest.fixture
def world() -> World:
    """A hub with ten seconds of grace and five of skew."""
    return World()


def test_accepted_connection(world: World) -> None:
    """The events of a CONNECT that is let in, in order."""
    world.connected()
    assert world.kinds() == ["accepted", "connect", "connack", "record", "deadline"]
    assert world.one("accepted") == {"conn": 1, "transport": "mqtt", "peer": "203.0.113.7:50123"}
    assert world.one("connack") == {"conn": 1, "code": 0, "session_present": False, "reason": "accepted"}
    assert world.one("deadline") == {"conn": 1, "se": NOW + LIFETIME, "cut_at": CUT_AT}
    assert world.codes() == ["deviceConnect"]


def test_connect_event_tells_all_but_the_secret(world: World) -> None:
    """The token by its parts and a digest, never its signature."""
    packet = Connect(DEVICE, 60, True, USER_NAME, token(skn="").encode(), Will("t", b""))
    world.connected(packet)
    assert world.one("connect") == {
        "conn": 1, "client_id": DEVICE, "username": USER_NAME, "keep_alive_s": 60, "clean_session": True, "will": True,
        "sdk_version": "sdk/1.0",
        "token": {"sr": RESOURCE, "se": NOW + LIFETIME, "skn": "", "digest": parse(token()).digest, "left_s": float(LIFETIME)},
    }  # fmt: skip


def test_refused_connection(world: World) -> None:
    """CONNACK 5, the record, then the close."""
    wire = world.open()
    assert wire.send(connect_packet(token(NOW - 60))) == [Connack(5, False)]
    assert world.kinds() == ["accepted", "connect", "connack", "record", "cut"]
    assert world.one("connack") == {
        "conn": 1, "code": 5, "session_present": False, "reason": "The specified SAS token is expired",
        "check": "expiry", "message": "Authentication failed for this device, renew token or certificate and reconnect",
    }  # fmt: skip
    record = world.one("record")["record"]
    assert (record["operationName"], record["level"], record["resultType"]) == ("deviceConnect", "Error", "401003")
    assert world.one("cut") == {"conn": 1, "cause": "refused", "close": "fin", "detail": "expiry"}
    assert (wire.hub_side.close_request, wire.hub_side.next_deadline()) == ("fin", None)


def test_refused_device_is_not_listened_to(world: World) -> None:
    """Some SDKs answer a refusal with DISCONNECT; that changes nothing."""
    wire = world.open()
    wire.send(connect_packet("nonsense-nonsense"))
    assert wire.send(Disconnect(), Publish(EVENTS, b"")) == []
    assert world.kinds()[-1] == "cut"
    assert world.one("connect")["token"] is None


def test_disabled_device_is_recorded_as_not_found() -> None:
    """The check's own code goes into the record."""
    world = World(identity=replace(IDENTITY, status="disabled"))
    world.open().send(connect_packet())
    assert world.codes() == ["404001"]


def test_refused_connection_does_not_displace_the_device(world: World) -> None:
    """Only who is let in takes over."""
    wire = world.connected()
    world.open().send(connect_packet(token(NOW - 60)))
    assert wire.telemetry(1) == [Puback(1)]


def test_packets_sent_behind_the_connect_are_handled(world: World) -> None:
    """A client need not wait for its CONNACK."""
    assert world.open().send(connect_packet(), Publish(EVENTS, b"", 1, 3)) == [Connack(0, False), Puback(3)]


def test_session_is_present_on_return(world: World) -> None:
    """With CleanSession 0 twice."""
    world.connected()
    world.connected(present=True)
    assert [fields["session_present"] for fields in world.find("connack")] == [False, True]


@pytest.mark.parametrize("close", [None, "detach", "detach-not-closed", "close"])
def test_what_only_amqp_knows_is_a_fin(close: CloseMode | None) -> None:
    """Also where nothing is said."""
    world = World(replace(POLICY, close=close))
    wire = world.connected()
    wire.hub_side.on_time(CUT_AT)
    assert (wire.hub_side.close_request, world.one("cut")["close"]) == ("fin", "fin")


@pytest.mark.parametrize("close", ["fin", "rst"])
def test_established_connection_is_cut_at_expiry_and_grace(close: str) -> None:
    """Not before; then 401003 and 404104 at the same moment, and the policy's way to close."""
    world = World(replace(POLICY, close=close))  # type: ignore[arg-type]
    wire = world.connected()
    assert wire.hub_side.next_deadline() == CUT_AT
    wire.hub_side.on_time(CUT_AT - 0.001)
    assert wire.hub_side.close_request is None
    wire.hub_side.on_time(CUT_AT)
    assert wire.hub_side.close_request == close
    assert world.kinds()[-3:] == ["cut", "record", "record"]
    assert {now for _, now, _ in world.events[-3:]} == {CUT_AT}
    assert world.one("cut") == {
        "conn": 1, "cause": "token-expired", "close": close, "detail": "the token expired 10 s ago",
    }  # fmt: skip
    assert world.codes() == EXPIRY_CODES
    assert wire.received() == []
    assert wire.hub_side.next_deadline() is None


def test_late_data_does_not_outrun_the_cut(world: World) -> None:
    """If the timer is late, what arrives after the deadline is not read."""
    wire = world.connected()
    assert wire.telemetry(1, at=CUT_AT) == []
    assert world.find("telemetry") == []
    assert world.codes() == EXPIRY_CODES


def test_clock_shift_moves_the_cut() -> None:
    """A hub whose clock is ahead cuts earlier, and records it by the true time."""
    world = World(replace(POLICY, clock_shift_s=20.0))
    wire = world.connected()
    wire.hub_side.on_time(CUT_AT - 20.0)
    assert world.one("deadline")["cut_at"] == CUT_AT - 20.0
    assert world.one("connect")["token"]["left_s"] == LIFETIME - 20.0
    assert world.find("record")[-1]["record"]["time"] == "2026-01-01T00:00:50Z"


def test_skew_over_grace_lets_in_and_cuts_at_once() -> None:
    """The contradiction that makes a storm."""
    world = World(Policy(grace_s=0.0, skew_s=60.0))
    wire = world.connected(connect_packet(token(NOW - 30)))
    assert wire.hub_side.next_deadline() == NOW - 30
    wire.hub_side.on_time(NOW)
    assert world.one("cut")["cause"] == "token-expired"


def test_silence_ends_the_connection_after_half_again_the_keep_alive(world: World) -> None:
    """Any packet starts the wait afresh, which is found out when the former wait would have been over."""
    wire = world.connected(connect_packet(keep_alive=20))
    wire.send(Pingreq(), at=NOW + 10)
    assert wire.hub_side.next_deadline() == NOW + 30
    wire.hub_side.on_time(NOW + 30)
    assert (world.find("cut"), wire.hub_side.next_deadline()) == ([], NOW + 40)
    wire.hub_side.on_time(NOW + 40)
    assert world.one("cut") == {"conn": 1, "cause": "keep-alive", "close": "fin", "detail": ""}
    assert world.codes() == ["deviceConnect", "404104"]


def test_connect_has_to_come_in_time(world: World) -> None:
    """Nobody knows the device yet, so there is no record."""
    wire = world.open()
    assert wire.hub_side.next_deadline() == NOW + 60
    wire.hub_side.on_time(NOW + 60)
    assert world.one("cut")["cause"] == "connect-timeout"
    assert world.codes() == []


def test_takeover_by_the_newer_connection(world: World) -> None:
    """The old one is cut with 400027 before the new one is told that it is in."""
    old = world.connected()
    new = world.connected(at=NOW + 1, present=True)
    assert (old.hub_side.close_request, old.wakes) == ("fin", 1)
    assert world.one("cut") == {"conn": 1, "cause": "takeover", "close": "fin", "detail": "by connection 2"}
    assert world.codes() == ["deviceConnect", "400027", "deviceConnect"]
    assert old.telemetry(1, at=NOW + 2) == []
    assert new.telemetry(1, at=NOW + 2) == [Puback(1)]


def test_end_of_the_old_connection_leaves_the_device_on_the_new_one(world: World) -> None:
    """The transport of the old one goes away later."""
    old = world.connected()
    new = world.connected(present=True)
    old.hub_side.transport_closed("hub", "fin", NOW)
    new.subscribe(f"devices/{DEVICE}/messages/devicebound/#")
    world.hub.send_c2d("c2d-1", b"", NOW)
    assert len(new.received()) == 1


@pytest.mark.parametrize("data", [encode(connect_packet()), b"\x00\x00", b"\xf0\x00", encode(Connack(0))])
def test_violation_ends_an_accepted_connection(world: World, data: bytes) -> None:
    """A second CONNECT, garbage, a packet only servers send."""
    wire = world.connected()
    wire.hub_side.receive(data, NOW)
    assert world.one("cut")["cause"] == "protocol"
    assert world.one("cut")["detail"]
    assert world.codes() == ["deviceConnect", "400000"]


def test_violation_before_connect_leaves_no_record(world: World) -> None:
    """Nobody knows whose it is."""
    wire = world.open()
    wire.send(Pingreq())
    assert world.one("cut")["cause"] == "protocol"
    assert world.codes() == []


def test_the_answer_to_another_protocol_level_is_recorded(world: World) -> None:
    """The specification demands it, before the connection is closed (MQTT-3.1.2-2)."""
    wire = world.open()
    wire.hub_side.receive(b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x00\x03dev", NOW)
    assert wire.hub_side.data_to_send() == b"\x20\x02\x00\x01"
    assert (world.one("connack")["code"], world.one("cut")["cause"]) == (1, "protocol")


def test_what_came_before_a_violation_counts(world: World) -> None:
    """Packets in front of the bad one are handled; what is queued is still sent."""
    wire = world.connected()
    assert wire.send(Publish(EVENTS, b"", 1, 3), Publish("nowhere", b""), Publish(EVENTS, b"", 1, 4)) == [Puback(3)]
    assert [fields["packet_id"] for fields in world.find("telemetry")] == [3]


def disconnected(world: World) -> Wire:
    """A device that has sent DISCONNECT."""
    wire = world.connected()
    wire.send(Disconnect())
    return wire


def test_disconnect_is_an_information(world: World) -> None:
    """The device is to close the connection, and the hub does if it does not."""
    wire = disconnected(world)
    assert world.kinds()[-2:] == ["disconnect", "record"]
    assert world.codes() == ["deviceConnect", "deviceDisconnect"]
    assert (wire.hub_side.close_request, wire.hub_side.next_deadline()) == (None, NOW + LINGER_S)
    wire.hub_side.on_time(NOW + LINGER_S)
    assert (wire.hub_side.close_request, wire.hub_side.next_deadline()) == ("fin", None)
    assert world.find("cut") == []


def test_device_that_took_leave_is_gone(world: World) -> None:
    """Nothing more is sent to it, and its FIN is no loss."""
    wire = disconnected(world)
    world.hub.send_c2d("c2d-1", b"", NOW)
    wire.hub_side.peer_closed("fin", NOW)
    assert (wire.wakes, wire.received()) == (0, [])
    assert world.codes() == ["deviceConnect", "deviceDisconnect"]


def test_data_behind_a_disconnect_is_ignored(world: World) -> None:
    """Before and after the hub's patience is over."""
    wire = disconnected(world)
    wire.telemetry(1)
    wire.telemetry(2, at=NOW + LINGER_S)
    assert world.find("telemetry") == []
    assert wire.hub_side.close_request == "fin"


@pytest.mark.parametrize("how", ["fin", "rst", "close-notify", "websocket-close"])
def test_loss_without_disconnect_is_404104(world: World, how: str) -> None:
    """However it shows; the device is away from then on."""
    wire = world.connected()
    wire.hub_side.peer_closed(how, NOW + 3)
    wire.hub_side.transport_closed("device", how, NOW + 4)
    assert world.codes() == ["deviceConnect", "404104"]
    assert world.events[-1] == ("closed", NOW + 4, {"conn": 1, "first": "device", "how": how})
    world.hub.send_c2d("c2d-1", b"", NOW + 5)
    assert wire.wakes == 0


def test_transport_that_is_gone_at_once_is_a_loss_too(world: World) -> None:
    """The end of the transport says it all; it is reported once."""
    wire = world.connected()
    wire.hub_side.transport_closed("hub", "timeout", NOW)
    wire.hub_side.transport_closed("hub", "timeout", NOW)
    assert world.one("closed") == {"conn": 1, "first": "hub", "how": "timeout"}
    assert world.codes() == ["deviceConnect", "404104"]


def test_end_of_a_cut_connection_adds_no_record() -> None:
    """The cut has said why, and has chosen how to close."""
    world = World(replace(POLICY, close="rst"))
    wire = world.connected()
    wire.hub_side.on_time(CUT_AT)
    wire.hub_side.peer_closed("fin", CUT_AT)
    wire.hub_side.transport_closed("hub", "rst", CUT_AT)
    assert world.codes() == EXPIRY_CODES
    assert wire.hub_side.close_request == "rst"


def test_notes_of_the_transport_carry_the_number(world: World) -> None:
    """Whatever moves the bytes reports through the connection."""
    world.open().hub_side.note("tls", NOW, version="TLSv1.2")
    assert world.one("tls") == {"conn": 1, "version": "TLSv1.2"}


def test_records_name_transport_and_masked_peer(world: World) -> None:
    """MQTT over WebSocket, from an address that is hidden in part."""
    wire = world.open("mqtt-ws", "198.51.100.9:1")
    wire.send(connect_packet())
    properties = world.one("record")["row"]["properties_s"]
    assert '"protocol":"MqttWs"' in properties
    assert "198.51.100.XXX" in properties


def test_unrecorded_connection_behaves_the_same() -> None:
    """Without events: accepted, refused and cut as ever."""
    world = World(recording=False)
    wire = world.connected()
    assert not wire.hub_side.recording
    assert world.open().send(connect_packet("nonsense-nonsense")) == [Connack(5, False)]
    wire.hub_side.on_time(CUT_AT)
    assert wire.hub_side.close_request == "fin"
    assert world.events == []


def test_secrets_are_learnt_before_anything_is_told(world: World) -> None:
    """Both spellings of the signature, even of a token that is refused."""
    stale = parse(token(NOW - 60))
    world.open().send(connect_packet(token(NOW - 60), f"{HUB_NAME}/{DEVICE}"))
    assert world.secrets == [stale.sig, stale.signature]


BARE = Connect(DEVICE, username=USER_NAME)


def test_a_device_with_a_certificate_is_never_cut() -> None:
    """There is no token whose time could be over."""
    world = World(identity=SELF_SIGNED)
    wire = world.proven()
    assert wire.send(BARE) == [Connack(0, False)]
    assert world.kinds() == ["accepted", "connect", "connack", "record"]
    shown = world.one("connect")
    assert (shown["token"], shown["certificate"]["sha1"]) == (None, CERTIFICATE.sha1)
    wire.hub_side.receive(encode(Pingreq()), NOW + 1_000)
    wire.hub_side.on_time(NOW + 1_000)
    assert wire.hub_side.close_request is None


def test_a_fault_of_the_tokens_life_leaves_a_device_with_a_certificate_alone() -> None:
    """It has no such life."""
    faults = (Fault("renewal", "refuse"), Fault("half-life", "cut"))
    world = World(replace(POLICY, faults=faults), SELF_SIGNED)
    assert world.proven().send(BARE) == [Connack(0, False)]
    assert world.proven().send(BARE) == [Connack(0, False)]
    assert world.codes() == ["deviceConnect", "400027", "deviceConnect"]


def test_a_certificate_that_is_not_registered() -> None:
    """CONNACK 5 and the record, as with a token."""
    world = World(identity=SELF_SIGNED)
    assert world.proven(replace(CERTIFICATE, sha1="00")).send(BARE) == [Connack(5, False)]
    assert world.codes() == ["401003"]
    assert world.one("cut")["detail"] == "thumbprint"
