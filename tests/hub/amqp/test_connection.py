"""An AMQP connection's life: OPEN, put-token, deadlines, ends."""

import json
from dataclasses import replace

import pytest
from support.amqp_device import EVENTS, NAME, amqp_device, numbered, plain_device
from support.hub_world import DEVICE, HUB_NAME, LIFETIME, NOW, POLICY, World, connect_packet, token

from harness.hub.amqp.figures import MAX_MESSAGE_SIZE
from harness.hub.ending import LINGER_S, CloseMode
from harness.hub.policy import Policy
from harness.protocol.amqp.conditions import CONNECTION_FORCED, STOLEN, UNAUTHORIZED_ACCESS
from harness.protocol.amqp.events import (
    BeginReceived,
    CloseReceived,
    DetachReceived,
    HeartbeatReceived,
    OpenReceived,
    SaslOutcomeReceived,
)
from harness.protocol.amqp.messages import encode_message
from harness.protocol.amqp.performatives import Begin, Error, Flow, Open, SaslCode
from harness.sas import parse

CUT_AT = NOW + LIFETIME + POLICY.grace_s
EXPIRY_CODES = ["deviceConnect", "401003", "404104"]


def message_of(world: World) -> str:
    """The errorMessage of the only record."""
    return str(json.loads(world.one("record")["record"]["properties"])["errorMessage"])


@pytest.fixture
def world() -> World:
    """A hub with ten seconds of grace and five of skew."""
    return World()


def test_admitted_connection(world: World) -> None:
    """The events from accept to the deadline, in order."""
    amqp_device(world).connected()
    assert world.kinds() == [
        "accepted", "amqp-open", "attach", "attach", "put-token", "put-token-answered", "record", "deadline",
    ]  # fmt: skip
    assert world.one("accepted") == {"conn": 1, "transport": "amqp", "peer": "203.0.113.7:50123"}
    assert world.one("amqp-open") == {
        "conn": 1, "container_id": "device", "hostname": HUB_NAME, "max_frame_size": 65536, "channel_max": 8191,
        "idle_timeout_ms": None, "sasl": None,
    }  # fmt: skip
    assert world.one("put-token-answered") == {"conn": 1, "status": 200, "description": "OK", "admitted": True}
    assert world.one("deadline") == {"conn": 1, "se": NOW + LIFETIME, "cut_at": CUT_AT}
    assert world.codes() == ["deviceConnect"]


def test_put_token_event_tells_all_but_the_secret(world: World) -> None:
    """The token by its parts and a digest, and whom it is for."""
    amqp_device(world).connected(token(skn=""))
    shown = {
        "sr": parse(token()).resource, "se": NOW + LIFETIME, "skn": "", "digest": parse(token()).digest, "left_s": 60.0,
    }  # fmt: skip
    assert world.one("put-token") == {
        "conn": 1, "name": NAME, "token": shown, "device_id": DEVICE, "sdk_version": "sdk/1.0",
    }  # fmt: skip


def test_what_the_hub_announces(world: World) -> None:
    """OPEN and BEGIN as users' traces of the service show them."""
    device = amqp_device(world).open()
    (opened,) = device.take(OpenReceived)
    assert opened.open.container_id.startswith("DeviceGateway_")
    assert len(opened.open.container_id) == len("DeviceGateway_") + 32
    assert opened.open == Open(opened.open.container_id, HUB_NAME, 65536, 8191, 240000)
    (begun,) = device.take(BeginReceived)
    assert begun.begin == Begin(0, 1, 5000, 5000, 262143)


def test_container_id_is_the_hubs(world: World) -> None:
    """Two connections see the same gateway."""
    names = [amqp_device(world).open().take(OpenReceived)[0].open.container_id for _ in range(2)]
    assert names[0] == names[1]


@pytest.mark.parametrize("mechanism", [None, "MSSBCBS", "ANONYMOUS"])
def test_mechanisms_that_say_nothing_let_everybody_go_on(world: World, mechanism: str | None) -> None:
    """The token comes later; the event tells which mechanism it was."""
    amqp_device(world, mechanism=mechanism).connected()
    assert world.one("amqp-open")["sasl"] == mechanism


def test_external_is_refused(world: World) -> None:
    """There is no certificate to it."""
    device = amqp_device(world, mechanism="EXTERNAL").open()
    assert device.take(SaslOutcomeReceived)[0].code == SaslCode.AUTH
    assert world.one("cut") == {
        "conn": 1, "cause": "refused", "close": "fin", "detail": "SASL EXTERNAL without a client certificate",
    }  # fmt: skip
    assert world.one("sasl-refused") == {
        "conn": 1, "mechanism": "EXTERNAL", "code": 1, "check": "credential", "message": "Authorization header missing",
    }  # fmt: skip
    assert message_of(world) == "Authorization header missing"


def test_link_without_any_token_is_a_missing_header(world: World) -> None:
    """Said once, however many links are asked for; the ATTACH itself is refused as for any device without rights."""
    device = amqp_device(world).open()
    device.sender()
    device.receiver(credit=0)
    first, second = world.find("attach")
    assert (first["condition"], first["check"]) == ("amqp:unauthorized-access", "credential")
    assert (second["condition"], "check" in second) == ("amqp:unauthorized-access", False)
    assert message_of(world) == "Authorization header missing"


def test_link_after_a_refused_token_is_no_missing_header(world: World) -> None:
    """The record of the token says why."""
    device = amqp_device(world).open().attach_cbs()
    device.put_token(token(NOW - 60))
    device.sender()
    assert world.one("put-token-answered")["check"] == "expiry"
    assert message_of(world) == "Authentication failed for this device, renew token or certificate and reconnect"


def test_record_of_a_missing_header_names_the_device_of_the_link(world: World) -> None:
    """There is no other account of it; an address without a device has none."""
    amqp_device(world).open().sender()
    assert json.loads(world.one("record")["record"]["properties"])["deviceId"] == DEVICE
    other = World()
    amqp_device(other).open().sender("/nowhere")
    assert json.loads(other.one("record")["record"]["properties"])["deviceId"] == ""


def test_plain_admits_at_once(world: World) -> None:
    """Before OPEN, by the same events as put-token."""
    device = plain_device(world).open()
    assert world.kinds() == ["accepted", "put-token", "put-token-answered", "record", "deadline", "amqp-open"]
    assert world.one("put-token")["name"] is None
    assert device.telemetry(device.sender(), 1)


def test_plain_is_refused_with_a_bad_token(world: World) -> None:
    """SASL has no room for the text; the record has."""
    device = plain_device(world, token(NOW - 60)).open()
    assert device.take(SaslOutcomeReceived)[0].code == SaslCode.AUTH
    assert world.one("put-token-answered")["description"] == "The specified SAS token is expired"
    assert world.one("cut")["cause"] == "refused"
    assert world.codes() == ["401003"]


def test_plain_cannot_be_renewed(world: World) -> None:
    """There are no links to `$cbs` for it."""
    device = plain_device(world).open()
    device.sender("$cbs")
    assert world.one("attach")["condition"] == "amqp:not-allowed"


@pytest.mark.parametrize("close", [None, "detach", "fin", "rst"])
def test_plain_loses_its_connection_at_expiry(close: CloseMode | None) -> None:
    """A link could not come back without a token."""
    world = World(replace(POLICY, close=close))
    device = plain_device(world).open()
    device.sender()
    world.connection(1).on_time(CUT_AT)
    assert world.connection(1).close_request == ("rst" if close == "rst" else "fin")
    assert world.codes() == EXPIRY_CODES


def test_renewal_moves_the_deadline(world: World) -> None:
    """In place: no record, no disconnect."""
    device = amqp_device(world).connected()
    assert device.put_token(token(NOW + 100)) == 200
    assert [fields["admitted"] for fields in world.find("put-token-answered")] == [True, False]
    assert world.connection(1).next_deadline() == NOW + 110
    assert world.codes() == ["deviceConnect"]


def test_shorter_token_moves_the_deadline_too(world: World) -> None:
    """The latest token wins."""
    device = amqp_device(world).connected()
    device.put_token(token(NOW + 30))
    assert world.connection(1).next_deadline() == NOW + 40


def test_refused_renewal_leaves_the_device_where_it_is(world: World) -> None:
    """Until its old deadline; the record is that of a refused connect."""
    device = amqp_device(world).connected()
    link = device.sender()
    assert device.put_token(token(NOW - 60)) == 401
    assert device.telemetry(link, 1)
    assert world.connection(1).next_deadline() == CUT_AT
    assert world.codes() == ["deviceConnect", "401003"]


def test_expiry_detaches_the_links_of_the_device(world: World) -> None:
    """Not `$cbs`, not the connection; and the device may put a token there again."""
    device = amqp_device(world).connected()
    link, c2d = device.sender(), device.receiver()
    world.connection(1).on_time(CUT_AT)
    device.run(CUT_AT)
    assert device.errors() == [
        (link, Error(UNAUTHORIZED_ACCESS, "Token Invalid.")),
        (c2d, Error(UNAUTHORIZED_ACCESS, "Token Invalid.")),
    ]
    assert world.kinds()[-5:] == ["cut", "detach", "detach", "record", "record"]
    assert world.one("cut") == {
        "conn": 1, "cause": "token-expired", "close": "detach", "detail": "the token expired 10 s ago",
    }  # fmt: skip
    assert world.find("detach")[0] == {
        "conn": 1, "link": f"to {EVENTS}", "link_kind": "telemetry", "by": "hub", "closed": True, "condition": UNAUTHORIZED_ACCESS,
    }  # fmt: skip
    assert world.codes() == EXPIRY_CODES
    assert device.put_token(token(CUT_AT + 60)) == 200
    assert [fields["admitted"] for fields in world.find("put-token-answered")] == [True, True]
    assert device.telemetry(device.sender(), 1)


def test_links_may_be_detached_without_being_closed() -> None:
    """As the service's newer gateways do."""
    world = World(replace(POLICY, close="detach-not-closed"))
    device = amqp_device(world).connected()
    device.sender()
    world.connection(1).on_time(CUT_AT)
    device.run(CUT_AT)
    (event,) = device.take(DetachReceived)
    assert not event.detach.closed
    assert (world.one("cut")["close"], world.one("detach")["closed"]) == ("detach-not-closed", False)
    assert world.connection(1).close_request is None


def test_expiry_by_close_waits_for_the_answer() -> None:
    """CLOSE with the error; the transport is closed when the device has said CLOSE too."""
    world = World(replace(POLICY, close="close"))
    device = amqp_device(world).connected()
    device.sender()
    side = world.connection(1)
    side.on_time(CUT_AT)
    assert (side.close_request, side.next_deadline()) == (None, CUT_AT + 10)
    device.run(CUT_AT)
    assert device.errors() == [(None, Error(UNAUTHORIZED_ACCESS, "Token Invalid."))]
    assert device.telemetry(device.sender(), 1) is False
    device.close()
    assert (side.close_request, side.next_deadline()) == ("fin", None)
    assert world.codes() == EXPIRY_CODES
    assert world.find("disconnect") == []


def test_device_that_does_not_answer_close_is_left() -> None:
    """After ten seconds."""
    world = World(replace(POLICY, close="close"))
    amqp_device(world).connected()
    side = world.connection(1)
    side.on_time(CUT_AT)
    side.on_time(CUT_AT + 10)
    assert (side.close_request, side.next_deadline()) == ("fin", None)


@pytest.mark.parametrize("close", ["fin", "rst"])
def test_expiry_by_the_transport_says_nothing(close: CloseMode) -> None:
    """No DETACH, no CLOSE."""
    world = World(replace(POLICY, close=close))
    device = amqp_device(world).connected()
    device.sender()
    world.connection(1).on_time(CUT_AT)
    assert world.connection(1).close_request == close
    assert world.connection(1).data_to_send() == b""
    assert world.codes() == EXPIRY_CODES


def test_expiry_is_not_early(world: World) -> None:
    """The connection says when."""
    amqp_device(world).connected()
    assert world.connection(1).next_deadline() == CUT_AT
    world.connection(1).on_time(CUT_AT - 0.001)
    assert world.find("cut") == []


def test_late_data_does_not_outrun_the_cut(world: World) -> None:
    """If the timer is late, the cut comes first, and what arrives is judged after it."""
    device = amqp_device(world).connected()
    link = device.sender()
    device.run(CUT_AT)
    assert not device.telemetry(link, 1)
    assert world.find("telemetry") == []
    assert device.put_token(token(CUT_AT + 60)) == 200


def test_late_data_after_a_cut_of_the_transport_is_not_read() -> None:
    """Nothing follows the end."""
    world = World(replace(POLICY, close="fin"))
    device = amqp_device(world).connected()
    link = device.sender()
    device.run(CUT_AT)
    assert not device.telemetry(link, 1)
    assert world.codes() == EXPIRY_CODES


def test_skew_over_grace_lets_in_and_cuts_at_once() -> None:
    """The contradiction that makes a storm."""
    world = World(Policy(grace_s=0.0, skew_s=60.0))
    amqp_device(world).connected(token(NOW - 30))
    assert world.connection(1).next_deadline() == NOW - 30
    world.connection(1).on_time(NOW)
    assert world.one("cut")["cause"] == "token-expired"


def test_open_has_to_come_in_time(world: World) -> None:
    """Nobody knows the device yet, so there is no record, and nothing to say."""
    side = world.accept("amqp")
    assert side.next_deadline() == NOW + 60
    side.on_time(NOW + 60)
    assert world.one("cut") == {"conn": 1, "cause": "connect-timeout", "close": "fin", "detail": "no OPEN came"}
    assert (side.close_request, side.data_to_send(), world.codes()) == ("fin", b"", [])


def test_authentication_has_to_come_in_time(world: World) -> None:
    """From OPEN on as long again; refused tokens do not count."""
    device = amqp_device(world, at=NOW + 50).open().attach_cbs()
    side = world.connection(1)
    device.put_token(token(NOW - 60))
    assert side.next_deadline() == NOW + 110
    side.on_time(NOW + 110)
    device.run(NOW + 110)
    assert (world.one("cut")["cause"], world.one("cut")["close"]) == ("connect-timeout", "close")
    ((_, error),) = device.errors()
    assert isinstance(error, Error)
    assert error.condition == UNAUTHORIZED_ACCESS


def test_device_that_was_in_may_take_its_time(world: World) -> None:
    """After a cut by DETACH there is no limit but silence."""
    device = amqp_device(world).connected()
    world.connection(1).on_time(CUT_AT)
    device.run(CUT_AT)
    assert world.connection(1).next_deadline() == NOW + 480


def test_silence_ends_the_connection(world: World) -> None:
    """After twice the idle time-out that was announced."""
    amqp_device(world).connected(token(NOW + 3600))
    world.connection(1).on_time(NOW + 480)
    assert world.one("cut") == {
        "conn": 1,
        "cause": "keep-alive",
        "close": "close",
        "detail": "nothing came for too long",
    }
    assert world.connection(1).close_request == "fin"
    assert world.codes() == ["deviceConnect", "404104"]


def test_signs_of_life_are_recorded(world: World) -> None:
    """An empty frame is a ping; of one a second at most, for a device may send them without end."""
    amqp_device(world).connected()
    empty = bytes((0, 0, 0, 8, 2, 0, 0, 0))
    for after in (1.0, 1.5, 2.0):
        world.connection(1).receive(empty * 3, NOW + after)
    assert world.find("ping") == [{"conn": 1}, {"conn": 1}]


def test_hub_gives_signs_of_life(world: World) -> None:
    """In time for the idle time-out that the device announced."""
    device = amqp_device(world).open(idle_time_out_ms=4000)
    side = world.connection(1)
    assert side.next_deadline() == NOW + 1
    side.on_time(NOW + 1)
    side.on_time(NOW + 2)
    device.run(NOW + 2)
    assert len(device.take(HeartbeatReceived)) == 1


def test_takeover_steals_the_links(world: World) -> None:
    """The older connection's links are detached, its transport is closed; the newer one is admitted after that."""
    old = amqp_device(world).connected()
    link = old.sender()
    new = amqp_device(world, at=NOW + 1).connected()
    assert world.connection(1).close_request == "fin"
    old.run(NOW + 1)
    ((stolen, error),) = old.errors()
    assert (stolen, isinstance(error, Error) and error.condition) == (link, STOLEN)
    assert world.one("cut") == {"conn": 1, "cause": "takeover", "close": "fin", "detail": "by connection 2"}
    assert world.codes() == ["deviceConnect", "409002", "deviceConnect"]
    assert new.telemetry(new.sender(), 1)


def test_takeover_from_mqtt(world: World) -> None:
    """The record is that of the older connection's protocol."""
    wire = world.connected()
    amqp_device(world).connected()
    assert wire.hub_side.close_request == "fin"
    assert world.codes() == ["deviceConnect", "400027", "deviceConnect"]


def test_takeover_by_mqtt(world: World) -> None:
    """The other way round."""
    amqp_device(world).connected()
    world.open().send(connect_packet())
    assert world.connection(1).close_request == "fin"
    assert world.codes() == ["deviceConnect", "409002", "deviceConnect"]


def test_refused_device_does_not_displace_the_one_that_is_in(world: World) -> None:
    """Only who is let in takes over."""
    device = amqp_device(world).connected()
    amqp_device(world).open().attach_cbs().put_token(token(NOW - 60))
    assert device.telemetry(device.sender(), 1)


def test_close_by_the_device_is_an_information(world: World) -> None:
    """The hub answers, and gives the device a moment to close the transport."""
    device = amqp_device(world).connected()
    device.close()
    side = world.connection(1)
    assert device.take(CloseReceived)[0].close.error is None
    assert world.one("disconnect") == {"conn": 1, "condition": None}
    assert world.codes() == ["deviceConnect", "deviceDisconnect"]
    assert (side.close_request, side.next_deadline()) == (None, NOW + LINGER_S)
    side.on_time(NOW + LINGER_S)
    assert (side.close_request, side.next_deadline()) == ("fin", None)
    assert world.find("cut") == []


def test_close_with_an_error_says_which(world: World) -> None:
    """It is leave-taking all the same."""
    amqp_device(world).connected().close(Error("amqp:internal-error", "boom"))
    assert world.one("disconnect")["condition"] == "amqp:internal-error"
    assert world.codes() == ["deviceConnect", "deviceDisconnect"]


def test_close_before_a_token_leaves_no_record(world: World) -> None:
    """Nobody knows whose connection it was."""
    amqp_device(world).open().close()
    assert (len(world.find("disconnect")), world.codes()) == (1, [])


def test_device_that_closes_without_more_is_no_loss(world: World) -> None:
    """It took leave before."""
    device = amqp_device(world).connected()
    device.close()
    world.connection(1).peer_closed("fin", NOW)
    assert world.codes() == ["deviceConnect", "deviceDisconnect"]


@pytest.mark.parametrize("how", ["fin", "rst", "close-notify", "websocket-close"])
def test_loss_without_close_is_404104(world: World, how: str) -> None:
    """However it shows."""
    amqp_device(world).connected()
    side = world.connection(1)
    side.peer_closed(how, NOW + 3)
    side.transport_closed("device", how, NOW + 4)
    assert world.codes() == ["deviceConnect", "404104"]
    assert world.events[-1] == ("closed", NOW + 4, {"conn": 1, "first": "device", "how": how})


def test_loss_after_a_cut_by_detach_adds_no_record(world: World) -> None:
    """The device was not in any more."""
    amqp_device(world).connected()
    world.connection(1).on_time(CUT_AT)
    world.connection(1).peer_closed("fin", CUT_AT)
    assert world.codes() == EXPIRY_CODES


@pytest.mark.parametrize(
    "data", [b"\x00\x00\x00\x01\x02\x00\x00\x00", b"\x00\x00\x00\x0c\x02\x00\x00\x00\x00\x53\x99\xc0"]
)
def test_violation_ends_the_connection(world: World, data: bytes) -> None:
    """By the machine's CLOSE, after which the transport is closed."""
    device = amqp_device(world).connected()
    world.connection(1).receive(data, NOW)
    device.run()
    assert (world.one("cut")["cause"], world.one("cut")["close"]) == ("protocol", "close")
    assert world.one("cut")["detail"].startswith("amqp:")
    assert len(device.take(CloseReceived)) == 1
    assert world.connection(1).close_request == "fin"
    assert world.codes() == ["deviceConnect", "400000"]


def test_violation_before_open_has_nothing_to_say_it_with(world: World) -> None:
    """The hub shows which protocol it speaks, and closes."""
    side = world.accept("amqp")
    side.receive(b"GET / HTTP/1.1\r\n", NOW)
    assert (world.one("cut")["close"], side.close_request, world.codes()) == ("fin", "fin", [])


def test_what_came_before_a_violation_counts(world: World) -> None:
    """Messages in front of the bad frame are accepted, those behind it are not read."""
    device = amqp_device(world).connected()
    link = device.sender()
    link.send(encode_message(numbered(1)))
    up = device.machine.data_to_send()
    world.connection(1).receive(up + b"\x00\x00\x00\x01\x02\x00\x00\x00" + up, NOW)
    assert [fields["message_id"] for fields in world.find("telemetry")] == ["1"]


def test_end_of_a_session(world: World) -> None:
    """The links on it are gone, the device stays."""
    device = amqp_device(world).connected()
    session = device.begin()
    device.sender(session=session)
    session.end(Error("amqp:internal-error"))
    device.run()
    assert world.one("session-end") == {"conn": 1, "by": "device", "condition": "amqp:internal-error"}
    assert world.find("detach") == []
    assert device.put_token(token(NOW + 100)) == 200


def test_violation_of_a_session_ends_it(world: World) -> None:
    """By the hub, once; the device's END is only the answer."""
    device = amqp_device(world).connected()
    link = device.receiver(session=device.begin())
    device.machine.send_frame(link.session.channel, Flow(1, 5000, 1, 5000, handle=99, link_credit=1))
    device.run()
    link.session.end()
    device.run()
    assert world.one("session-end") == {"conn": 1, "by": "hub", "condition": "amqp:session:unattached-handle"}
    assert device.put_token(token(NOW + 100)) == 200


def test_violation_of_a_link_detaches_it(world: World) -> None:
    """And no other."""
    device = amqp_device(world).connected()
    link, other = device.sender(), device.sender()
    link.send(b"\x00" * (MAX_MESSAGE_SIZE + 1))
    device.run()
    assert world.one("detach") == {
        "conn": 1, "link": link.name, "link_kind": "telemetry", "by": "hub", "closed": True,
        "condition": "amqp:link:message-size-exceeded",
    }  # fmt: skip
    assert device.telemetry(other, 1)


@pytest.mark.parametrize("closed", [True, False])
def test_detach_by_the_device_is_answered_alike(world: World, closed: bool) -> None:  # noqa: FBT001 - drawn
    """Closed with closed, and with the error in the event."""
    device = amqp_device(world).connected()
    link = device.sender()
    link.detach(Error("amqp:internal-error"), closed=closed)
    device.run()
    assert device.take(DetachReceived)[0].detach.closed is closed
    assert world.one("detach") == {
        "conn": 1, "link": link.name, "link_kind": "telemetry", "by": "device", "closed": closed, "condition": "amqp:internal-error",
    }  # fmt: skip


def test_answer_to_a_detach_is_no_event(world: World) -> None:
    """The hub's DETACH was told."""
    device = amqp_device(world).connected()
    device.sender()
    world.connection(1).on_time(CUT_AT)
    device.run(CUT_AT)
    device.answer_detaches()
    assert len(world.find("detach")) == 1


def test_stop_says_close(world: World) -> None:
    """And does not wait for the answer."""
    device = amqp_device(world).connected()
    world.hub.stop(NOW + 1)
    device.run(NOW + 1)
    ((_, error),) = device.errors()
    assert isinstance(error, Error)
    assert error.condition == CONNECTION_FORCED
    assert world.one("cut") == {"conn": 1, "cause": "hub-stopped", "close": "close", "detail": ""}
    assert world.connection(1).close_request == "fin"
    assert world.codes() == ["deviceConnect"]


def test_stop_closes_what_is_on_its_way_out(world: World) -> None:
    """Without a second cut."""
    amqp_device(world).connected().close()
    world.hub.stop(NOW)
    assert world.connection(1).close_request == "fin"
    assert world.find("cut") == []


def test_secrets_are_learnt_before_anything_is_told(world: World) -> None:
    """Both spellings of the signature, of refused tokens and malformed requests too; a text that is no token is one itself."""
    device = amqp_device(world).open().attach_cbs()
    stale = parse(token(NOW - 60))
    device.put_token(token(NOW - 60), name=None)
    device.put_token("nonsense-nonsense")
    plain_device(world, token(NOW - 70)).open()
    other = parse(token(NOW - 70))
    assert world.secrets == [stale.sig, stale.signature, "nonsense-nonsense", other.sig, other.signature]


def test_unrecorded_connection_behaves_the_same() -> None:
    """Without events: admitted, refused and cut as ever."""
    world = World(recording=False)
    device = amqp_device(world).connected()
    link = device.sender()
    assert device.telemetry(link, 1)
    assert device.put_token(token(NOW - 60)) == 401
    world.connection(1).on_time(CUT_AT)
    device.run(CUT_AT)
    assert len(device.errors()) == 1
    assert world.events == []
