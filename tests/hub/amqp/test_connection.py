"""An AMQP connection's life: OPEN, put-token, deadlines, ends."""

from dataclasses import replace

import pytest
from support.amqp_device import EVENTS, NAME, amqp_device, plain_device
from support.hub_world import DEVICE, HUB_NAME, LIFETIME, NOW, POLICY, World, token

from harness.hub.ending import CloseMode
from harness.protocol.amqp.conditions import UNAUTHORIZED_ACCESS
from harness.protocol.amqp.events import BeginReceived, OpenReceived, SaslOutcomeReceived
from harness.protocol.amqp.performatives import Begin, Error, Open, SaslCode
from harness.sas import parse

CUT_AT = NOW + LIFETIME + POLICY.grace_s
EXPIRY_CODES = ["deviceConnect", "401003", "404104"]


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
    assert world.codes() == []


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
        "conn": 1, "link": f"to {EVENTS}", "kind": "telemetry", "by": "hub", "closed": True, "condition": UNAUTHORIZED_ACCESS,
    }  # fmt: skip
    assert world.codes() == EXPIRY_CODES
    assert device.put_token(token(CUT_AT + 60)) == 200
    assert [fields["admitted"] for fields in world.find("put-token-answered")] == [True, True]
    assert device.telemetry(device.sender(), 1)
