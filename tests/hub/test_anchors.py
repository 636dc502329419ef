"""Faults at the points of a token's life, over both protocols: when each strikes and what it does there."""

from dataclasses import replace
from typing import Any

import pytest
from support.amqp_device import AmqpDevice, amqp_device, plain_device
from support.hub_world import IDENTITY, LIFETIME, NOW, POLICY, PRIMARY, RULE_KEY, Wire, World, connect_packet, token

from harness.hub.faults import Action, Anchor, Fault
from harness.hub.identity import Identity
from harness.protocol.amqp.events import CloseReceived, DetachReceived, SaslOutcomeReceived
from harness.protocol.amqp.performatives import Error, Rejected
from harness.protocol.mqtt.packets import Connack, Disconnect, Puback, Publish

LATER = token(NOW + 100)
THIRD = token(NOW + 200)
HALF = NOW + LIFETIME / 2


def world_with(*faults: Fault, identity: Identity = IDENTITY, recording: bool = True) -> World:
    """A hub with these faults."""
    return World(replace(POLICY, faults=faults), identity, recording=recording)


def at(anchor: Anchor, action: Action, **fields: Any) -> World:
    """A hub with this fault."""
    return world_with(Fault(anchor, action, **fields))


def struck(world: World) -> list[tuple[float, int, str, str]]:
    """The faults so far: when since the beginning, on which connection, where and what."""
    told = [(now - NOW, fields) for kind, now, fields in world.events if kind == "fault"]
    return [(when, fields["conn"], fields["at"], fields["action"]) for when, fields in told]


def wait(wire: Wire, seconds: float) -> list[object]:
    """What the hub sends when that much time is over."""
    wire.hub_side.on_time(NOW + seconds)
    return list(wire.received())


def wait_amqp(device: AmqpDevice, world: World, seconds: float, number: int = 1) -> None:
    """The same over AMQP."""
    world.connection(number).on_time(NOW + seconds)
    device.run(NOW + seconds)


# The request for a renewal.


def test_unanswered_renewal_over_mqtt() -> None:
    """No CONNACK, no end; the device may come again, and is let in."""
    world = at("renewal", "ignore")
    world.connected()
    wire = world.open()
    assert wire.send(connect_packet(LATER)) == []
    assert (wire.hub_side.close_request, wire.hub_side.next_deadline()) == (None, None)
    assert struck(world) == [(0.0, 2, "renewal", "ignore")]
    assert world.open().send(connect_packet(LATER)) == [Connack(0, True)]


def test_unanswered_renewal_over_amqp() -> None:
    """The links stay, and the old token counts."""
    world = at("renewal", "ignore")
    device = amqp_device(world).connected()
    link = device.sender()
    assert device.put_token(LATER) is None
    assert len(world.find("put-token-answered")) == 1
    assert device.telemetry(link, 1)
    assert world.connection(1).next_deadline() == NOW + LIFETIME + POLICY.grace_s
    assert device.put_token(LATER) == 200


def test_slow_connack() -> None:
    """The token is judged, and the device let in, when the time is over; what it sent meanwhile is read then."""
    world = at("renewal", "delay", delay_s=5.0)
    old = world.connected()
    wire = world.open()
    assert wire.send(connect_packet(LATER), Publish("devices/dev1/messages/events/", b"{}", 1, 7)) == []
    assert wire.hub_side.next_deadline() == NOW + 5
    assert old.hub_side.close_request is None
    assert wait(wire, 4.9) == []
    assert wait(wire, 5.0) == [Connack(0, True), Puback(7)]
    assert old.hub_side.close_request == "fin"
    assert wire.hub_side.next_deadline() == NOW + 110


def test_slow_connack_for_a_token_that_is_too_old_by_then() -> None:
    """It is refused."""
    world = at("renewal", "delay", delay_s=5.0)
    world.connected()
    wire = world.open()
    wire.send(connect_packet(token(NOW - 1)))
    assert wait(wire, 5.0) == [Connack(5, False)]


def test_slow_connack_to_one_who_breaks_a_rule_meanwhile() -> None:
    """He is cut when it is read."""
    world = at("renewal", "delay", delay_s=5.0)
    world.connected()
    wire = world.open()
    wire.send(connect_packet(LATER), Publish("devices/dev1/messages/events/", b"{}", 2, 7))
    wait(wire, 5.0)
    assert [cut["cause"] for cut in world.find("cut")] == ["takeover", "protocol"]


def test_slow_answer_to_a_token() -> None:
    """Over AMQP the links work on."""
    world = at("renewal", "delay", delay_s=5.0)
    device = amqp_device(world).connected()
    link = device.sender()
    assert device.put_token(LATER) is None
    assert world.connection(1).next_deadline() == NOW + 5
    assert device.telemetry(link, 1)
    wait_amqp(device, world, 5.0)
    assert [answer["status"] for answer in world.find("put-token-answered")] == [200, 200]
    assert len(device.messages(device.answers)) == 1


def test_slow_answer_to_a_token_that_is_too_old_by_then() -> None:
    """It is refused."""
    world = at("renewal", "delay", delay_s=5.0)
    device = amqp_device(world).connected()
    device.put_token(token(NOW - 1))
    wait_amqp(device, world, 5.0)
    assert world.find("put-token-answered")[1]["status"] == 401


def test_slow_answer_to_one_who_is_gone() -> None:
    """It is not given."""
    world = at("renewal", "delay", delay_s=5.0)
    device = amqp_device(world).connected()
    device.put_token(LATER)
    device.close()
    wait_amqp(device, world, 5.0)
    assert len(world.find("put-token-answered")) == 1


def test_slow_answers_to_one_who_takes_none() -> None:
    """The connection is closed, as it is where the answers are not slow."""
    world = at("renewal-answer", "delay", delay_s=5.0, times=200)
    device = amqp_device(world).connected()
    for number in range(150):
        device.put_token(token(NOW + 1000 + number))
    device.now = NOW + 5
    world.connection(1).on_time(NOW + 5)
    device.run()
    cut = world.one("cut")
    assert (cut["cause"], cut["close"]) == ("protocol", "close")
    assert cut["detail"].startswith("amqp:resource-limit-exceeded")


def test_slow_answer_to_sasl_plain() -> None:
    """The outcome comes late."""
    world = at("renewal", "delay", delay_s=5.0)
    amqp_device(world).connected()
    device = plain_device(world, LATER).open()
    assert device.take(SaslOutcomeReceived) == []
    wait_amqp(device, world, 5.0, 2)
    assert device.is_open


def test_two_slow_answers_come_in_their_order() -> None:
    """Each in its own time."""
    world = world_with(Fault("renewal", "delay", delay_s=5.0), Fault("renewal", "delay", delay_s=2.0))
    device = amqp_device(world).connected()
    device.put_token(LATER)
    device.put_token(THIRD)
    wait_amqp(device, world, 2.0)
    assert [fields["se"] for fields in world.find("deadline")] == [NOW + LIFETIME, NOW + 200]
    wait_amqp(device, world, 5.0)
    assert world.find("deadline")[-1]["se"] == NOW + 100


@pytest.mark.parametrize(("fields", "code"), [({}, 5), ({"code": 3}, 3), ({"code": 4}, 4), ({"status": 500}, 3)])
def test_refusal_by_code(fields: dict[str, int], code: int) -> None:
    """Of CONNACK."""
    world = at("renewal", "refuse", **fields)
    world.connected()
    assert world.open().send(connect_packet(LATER)) == [Connack(code, False)]


@pytest.mark.parametrize(
    ("status", "record"), [(400, "400000"), (401, "401003"), (403, "403005"), (404, "401003"), (500, "500001")]
)
def test_refusal_by_status(status: int, record: str) -> None:
    """Of put-token."""
    world = at("renewal", "refuse", status=status)
    assert amqp_device(world).connected().put_token(LATER) == status
    assert world.codes() == ["deviceConnect", record]


# Between the judgement and the answer.


def test_connection_breaks_before_connack() -> None:
    """The device was let in: the hub's log has it, and the old connection is gone."""
    world = at("renewal-answer", "cut", close="rst")
    old = world.connected()
    wire = world.open()
    assert wire.send(connect_packet(LATER)) == []
    assert (old.hub_side.close_request, wire.hub_side.close_request) == ("fin", "rst")
    assert world.codes() == ["deviceConnect", "400027", "deviceConnect", "404104"]
    assert world.open().send(connect_packet(LATER)) == [Connack(0, True)]


def test_connection_breaks_before_the_answer_to_a_token() -> None:
    """The token counts."""
    world = at("renewal-answer", "cut", close="fin")
    device = amqp_device(world).connected()
    assert device.put_token(LATER) is None
    assert world.find("deadline")[-1]["se"] == NOW + 100
    assert world.one("cut")["close"] == "fin"
    assert world.codes() == ["deviceConnect", "404104"]


def test_connack_is_withheld() -> None:
    """The device is in, and does not know; it is cut in the end."""
    world = at("renewal-answer", "ignore")
    world.connected()
    wire = world.open()
    assert wire.send(connect_packet(LATER)) == []
    world.hub.send_c2d("c2d-1", b"x", NOW)
    assert wire.received() == []
    assert wire.hub_side.next_deadline() == NOW + 110
    wire.hub_side.on_time(NOW + 110)
    assert world.find("cut")[-1]["cause"] == "token-expired"


def test_answer_to_a_token_is_withheld() -> None:
    """But it counts."""
    world = at("renewal-answer", "ignore")
    device = amqp_device(world).connected()
    assert device.put_token(LATER) is None
    assert world.connection(1).next_deadline() == NOW + 110


def test_connack_is_late() -> None:
    """The device is in from the first moment on."""
    world = at("renewal-answer", "delay", delay_s=5.0)
    old = world.connected()
    wire = world.open()
    assert wire.send(connect_packet(LATER)) == []
    assert old.hub_side.close_request == "fin"
    assert wait(wire, 5.0) == [Connack(0, True)]


def test_answer_to_a_token_is_late() -> None:
    """The same."""
    world = at("renewal-answer", "delay", delay_s=5.0)
    device = amqp_device(world).connected()
    assert device.put_token(LATER) is None
    wait_amqp(device, world, 5.0)
    assert world.find("put-token-answered")[-1] == {
        "conn": 1, "status": 200, "description": "OK", "admitted": False,
    }  # fmt: skip


# While the device is away.


def test_next_attempt_after_leaving() -> None:
    """With whichever token it comes."""
    world = at("away", "ignore")
    world.connected().send(Disconnect())
    assert world.open().send(connect_packet()) == []
    assert world.open().send(connect_packet()) == [Connack(0, True)]


def test_nobody_is_away_on_two_connections() -> None:
    """The fault is kept."""
    world = at("away", "ignore")
    world.connected()
    assert world.open().send(connect_packet()) == [Connack(0, True)]
    assert struck(world) == []


def test_attempt_to_come_back_after_a_takeover() -> None:
    """Another client has the device's place: the device is away."""
    world = world_with(Fault("half-life", "takeover"), Fault("away", "ignore"))
    world.connected().hub_side.on_time(HALF)
    assert world.open(at=HALF).send(connect_packet(), at=HALF) == []
    assert world.open(at=HALF).send(connect_packet(), at=HALF) == [Connack(0, True)]
    assert struck(world) == [(30.0, 1, "half-life", "takeover"), (30.0, 2, "away", "ignore")]


def test_attempt_to_come_back_after_a_takeover_over_amqp() -> None:
    """The same."""
    world = world_with(Fault("half-life", "takeover"), Fault("away", "refuse", status=500))
    device = amqp_device(world).connected()
    wait_amqp(device, world, LIFETIME / 2)
    again = amqp_device(world)
    assert again.open().attach_cbs().put_token(token()) == 500
    assert again.put_token(token()) == 200


def test_attempt_to_come_back_after_an_outage_of_which_the_hub_hears_nothing() -> None:
    """The hub still has the old connection, which the outage took: whoever comes by another one was away."""
    world = world_with(Fault("half-life", "outage", how="half-open", for_s=5.0), Fault("away", "ignore"))
    world.connected().hub_side.on_time(HALF)
    assert world.open(at=HALF).send(connect_packet(), at=HALF) == []
    world.connected(at=HALF, present=True)
    assert [one[2] for one in struck(world)] == ["half-life", "away"]


def test_nobody_is_away_on_a_connection_that_came_after_the_outage() -> None:
    """It is another one than those that were lost."""
    world = world_with(Fault("half-life", "outage", how="half-open", for_s=5.0))
    device = world.hub._device
    wire = world.connected()
    assert not device.is_away
    wire.hub_side.on_time(HALF)
    assert device.is_away
    world.connected(at=HALF, present=True)
    assert not device.is_away


@pytest.mark.parametrize("end", ["cut", "disable", "expiry", "closed", "keep-alive"])
def test_attempt_to_come_back_after_any_end(end: str) -> None:
    """However the device went: it is away."""
    first = (Fault("half-life", "cut"),) if end == "cut" else ()
    world = world_with(*first, Fault("away", "ignore"))
    wire = world.connected(connect_packet(keep_alive=20))
    if end == "closed":
        wire.hub_side.transport_closed("device", "rst", NOW)
    elif end == "disable":
        world.hub._device.change("roll-key", None, NOW)
    else:
        wire.hub_side.on_time(NOW + {"cut": LIFETIME / 2, "expiry": LIFETIME + POLICY.grace_s, "keep-alive": 31}[end])
    key = IDENTITY.with_rolled_key().primary_key if end == "disable" else PRIMARY
    fresh = connect_packet(token(NOW + 200, key=key))
    assert world.open(at=NOW + 70).send(fresh, at=NOW + 70) == []
    assert struck(world)[-1][2:] == ("away", "ignore")


@pytest.mark.parametrize(
    ("action", "check"),
    [("roll-key", "invalid signature"), ("disable", "is disabled"), ("delete", "not registered")],
)
def test_identity_that_was_changed_while_the_device_was_away(action: Action, check: str) -> None:
    """It is refused from then on."""
    world = at("away", action)
    world.connected().send(Disconnect())
    for _ in range(2):
        assert world.open().send(connect_packet()) == [Connack(5, False)]
    assert all(check in answer["reason"] for answer in world.find("connack")[1:])
    assert world.find("cut")[-1]["cause"] == "refused"


def test_key_that_was_rolled_when_a_renewal_arrives_over_amqp() -> None:
    """The links are detached and the token is refused; one that the new key signs is good."""
    world = at("renewal", "roll-key")
    device = amqp_device(world).connected()
    device.sender()
    assert device.put_token(LATER) == 401
    assert len(device.take(DetachReceived)) == 1
    assert world.codes() == ["deviceConnect", "401003", "404104", "401003"]
    assert device.put_token(token(NOW + 100, key=IDENTITY.with_rolled_key().primary_key)) == 200


# Moments of an established connection.


def test_before_the_second_renewal() -> None:
    """The first one, after 20 s, is the measure."""
    world = at("before-renewal", "cut")
    world.connected()
    second = world.connected(connect_packet(LATER), NOW + 20, present=True)
    assert second.hub_side.next_deadline() == NOW + 39
    second.hub_side.on_time(NOW + 39)
    assert world.find("cut")[-1]["detail"] == "a renewal is about to come"


def test_before_a_renewal_in_place() -> None:
    """Over AMQP the moment moves with every token."""
    world = at("before-renewal", "cut")
    device = amqp_device(world).connected()
    device.now = NOW + 20
    device.put_token(LATER)
    assert world.connection(1).next_deadline() == NOW + 39
    device.now = NOW + 30
    device.put_token(THIRD)
    assert world.connection(1).next_deadline() == NOW + 49


def test_expiry_is_not_the_end_of_the_grace() -> None:
    """The one strikes at `se`, and the other is the hub's own."""
    world = at("expiry", "cut")
    wire = world.connected()
    wire.hub_side.on_time(NOW + LIFETIME)
    assert world.one("cut")["cause"] == "fault"


@pytest.mark.parametrize(("close", "asked"), [("rst", "rst"), (None, "fin")])
def test_another_cut_at_the_end_of_the_grace(close: Any, asked: str) -> None:
    """It is for the same cause."""
    world = at("grace-end", "cut", close=close)
    wire = world.connected()
    wire.hub_side.on_time(NOW + LIFETIME + POLICY.grace_s)
    assert (world.one("cut")["cause"], wire.hub_side.close_request) == ("token-expired", asked)
    assert struck(world) == [(70.0, 1, "grace-end", "cut")]


def test_no_cut_at_the_end_of_the_grace() -> None:
    """The hub forgets it, as the service did until 2018 (azure-iot-sdk-c, issue 163), and reads on."""
    world = at("grace-end", "ignore")
    wire = world.connected()
    assert wire.telemetry(1, NOW + LIFETIME + POLICY.grace_s) == [Puback(1)]
    assert (world.find("cut"), wire.hub_side.next_deadline() is None) == ([], False)


def test_no_cut_at_the_end_of_the_grace_over_amqp() -> None:
    """The same."""
    world = at("grace-end", "ignore")
    device = amqp_device(world).connected()
    link = device.sender()
    wait_amqp(device, world, LIFETIME + POLICY.grace_s)
    assert device.telemetry(link, 1)


def test_two_moments_that_are_late_strike_in_their_order() -> None:
    """Where nobody told the hub the time between."""
    world = world_with(Fault("expiry", "cut"), Fault("half-life", "withhold-puback"))
    wire = world.connected()
    wire.hub_side.on_time(NOW + LIFETIME + 1)
    assert [one[2] for one in struck(world)] == ["half-life", "expiry"]


@pytest.mark.parametrize("recording", [True, False])
def test_pubacks_are_withheld(recording: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """All of them from then on, for an acknowledgement after a lost one would break the order of MQTT 3.1.1 section 4.6; not on the next connection."""
    world = world_with(Fault("half-life", "withhold-puback"), recording=recording)
    wire = world.connected()
    assert wire.telemetry(1) == [Puback(1)]
    wire.hub_side.on_time(HALF)
    assert [wire.telemetry(number, HALF) for number in (2, 3)] == [[], []]
    assert len(world.find("telemetry")) == (3 if recording else 0)
    again = world.connected(at=HALF, present=True)
    assert again.telemetry(2, HALF) == [Puback(2)]


@pytest.mark.parametrize("recording", [True, False])
def test_dispositions_are_withheld(recording: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Over AMQP; everything else goes on."""
    world = world_with(Fault("half-life", "withhold-puback"), recording=recording)
    device = amqp_device(world).connected()
    link = device.sender()
    wait_amqp(device, world, LIFETIME / 2)
    assert not device.telemetry(link, 1)
    assert len(world.find("telemetry")) == recording
    assert device.put_token(LATER) == 200


def test_throttling_over_mqtt() -> None:
    """The next message is neither taken nor acknowledged; the connection ends."""
    world = at("half-life", "throttle")
    wire = world.connected()
    wire.hub_side.on_time(HALF)
    assert wire.telemetry(1, HALF) == []
    assert world.find("telemetry") == []
    assert (world.one("cut")["cause"], wire.hub_side.close_request) == ("throttled", "fin")
    assert world.codes() == ["deviceConnect", "429002", "404104"]


@pytest.mark.parametrize("recording", [True, False])
def test_throttling_over_amqp(recording: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """One message is rejected, and the next one is taken."""
    world = world_with(Fault("half-life", "throttle"), recording=recording)
    device = amqp_device(world).connected()
    link = device.sender()
    wait_amqp(device, world, LIFETIME / 2)
    tag = link.send(b"\x00Sw\xa1\x01x")
    device.run()
    state = device.events[-1].state  # type: ignore[union-attr]
    assert tag
    assert isinstance(state, Rejected)
    assert isinstance(state.error, Error)
    assert state.error.condition == "com.microsoft:device-container-throttled"
    assert device.telemetry(link, 2)
    assert [told["state"] for told in world.find("disposition")] == (["rejected", "accepted"] if recording else [])


def test_takeover_over_mqtt() -> None:
    """The device may take its place back; the other client says nothing to that, nor to messages, nor to the end."""
    world = at("half-life", "takeover")
    wire = world.connected()
    wire.hub_side.on_time(HALF)
    assert (world.one("cut")["cause"], wire.wakes) == ("other-client", 1)
    assert world.codes() == ["deviceConnect", "400027"]
    world.hub.send_c2d("c2d-1", b"x", HALF)
    world.connected(at=HALF, present=True)
    assert len(world.find("cut")) == 1


def test_takeover_over_amqp() -> None:
    """The links are stolen."""
    world = at("half-life", "takeover")
    device = amqp_device(world).connected()
    device.sender()
    wait_amqp(device, world, LIFETIME / 2)
    (detach,) = device.take(DetachReceived)
    assert isinstance(detach.detach.error, Error)
    assert detach.detach.error.condition == "amqp:link:stolen"
    assert world.connection(1).close_request == "fin"
    assert world.codes() == ["deviceConnect", "409002"]


def test_identity_of_another_client_is_changed() -> None:
    """It has no connection that could end."""
    world = world_with(Fault("half-life", "takeover"), Fault("away", "delete"))
    wire = world.connected()
    wire.hub_side.on_time(HALF)
    world.hub._device.change("delete", None, HALF)
    assert world.open(at=HALF).send(connect_packet(), at=HALF) == [Connack(5, False)]


CAUSES = [
    ("roll-key", "key-rolled", "401003"),
    ("disable", "device-disabled", "404001"),
    ("delete", "device-deleted", "404001"),
]


@pytest.mark.parametrize(("action", "cause", "record"), CAUSES)
def test_identity_is_changed_over_mqtt(action: Action, cause: str, record: str) -> None:
    """The connection ends, and no other is let in."""
    world = at("half-life", action)
    wire = world.connected()
    wire.hub_side.on_time(HALF)
    assert (world.one("cut")["cause"], wire.hub_side.close_request) == (cause, "fin")
    assert world.codes() == ["deviceConnect", record, "404104"]
    assert world.open(at=HALF).send(connect_packet(), at=HALF) == [Connack(5, False)]


DETACHES = {
    "roll-key": ("amqp:unauthorized-access", True),
    "disable": ("amqp:not-found", False),
    "delete": ("amqp:not-found", True),
}
"""The condition of the DETACH, and whether it closes the link."""


@pytest.mark.parametrize(("action", "cause", "record"), CAUSES)
def test_identity_is_changed_over_amqp(action: Action, cause: str, record: str) -> None:
    """The links are detached, of a disabled device without being closed; another token is refused on the same connection."""
    world = at("half-life", action)
    device = amqp_device(world).connected()
    device.sender()
    wait_amqp(device, world, LIFETIME / 2)
    (detach,) = device.take(DetachReceived)
    assert isinstance(detach.detach.error, Error)
    assert (detach.detach.error.condition, detach.detach.closed) == DETACHES[action]
    assert (world.one("cut")["cause"], world.one("detach")["closed"]) == (cause, detach.detach.closed)
    assert world.codes() == ["deviceConnect", record, "404104"]
    assert device.put_token(LATER) in (401, 404)


def test_identity_is_changed_and_the_connection_closed() -> None:
    """In the way the fault names."""
    world = at("half-life", "disable", close="close")
    device = amqp_device(world).connected()
    wait_amqp(device, world, LIFETIME / 2)
    (close,) = device.take(CloseReceived)
    assert isinstance(close.close.error, Error)
    assert close.close.error.description == "Device dev1 is disabled."


def test_older_gateways_close_the_links_of_a_disabled_device() -> None:
    """A scenario can ask for them."""
    world = at("half-life", "disable", close="detach")
    device = amqp_device(world).connected()
    device.sender()
    wait_amqp(device, world, LIFETIME / 2)
    (detach,) = device.take(DetachReceived)
    assert (detach.detach.closed, world.one("cut")["close"]) == (True, "detach")


def test_hub_stops_while_another_client_is_there() -> None:
    """Nothing is left of either."""
    world = at("half-life", "takeover")
    wire = world.connected()
    wire.hub_side.on_time(HALF)
    world.hub.stop(HALF)
    assert [cut["cause"] for cut in world.find("cut")] == ["other-client"]


def test_key_of_a_rule_is_not_rolled() -> None:
    """Only what the device signs with is."""
    world = at("half-life", "roll-key")
    wire = world.connected(connect_packet(token(key=RULE_KEY, skn="device")))
    wire.hub_side.on_time(HALF)
    assert world.open(at=HALF).send(connect_packet(token(key=PRIMARY)), at=HALF) == [Connack(5, False)]
    assert world.open(at=HALF).send(connect_packet(token(key=RULE_KEY, skn="device")), at=HALF) == [Connack(0, True)]
