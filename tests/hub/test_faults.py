"""What goes wrong on purpose, over both protocols."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from support.amqp_device import AmqpDevice, amqp_device, plain_device
from support.hub_world import LIFETIME, NOW, POLICY, World, connect_packet, token

from harness.hub.faults import Fault, Faults, Moment
from harness.protocol.amqp.events import DetachReceived
from harness.protocol.mqtt.packets import Connack, Disconnect
from harness.sas import parse

EXPIRED = "The specified SAS token is expired"
LATER = token(NOW + 100)


def world_with(*faults: Fault) -> World:
    """A hub with these faults."""
    return World(replace(POLICY, faults=faults))


def refusing(times: int = 1) -> World:
    """A hub that refuses renewals."""
    return world_with(Fault("renewal", "refuse", times=times))


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"at": "half-life", "action": "refuse"}, "refuse cannot be at half-life"),
        ({"at": "renewal", "action": "cut", "times": 0}, "times"),
        ({"at": "renewal", "action": "delay"}, "delay_s = 0.0 does not go with delay"),
        ({"at": "renewal", "action": "cut", "delay_s": 1.0}, "delay_s = 1.0 does not go with cut"),
        ({"at": "renewal", "action": "outage"}, "outage"),
        ({"at": "renewal", "action": "cut", "how": "rst", "for_s": 1.0}, "outage"),
    ],
)
def test_impossible_faults(fields: dict[str, object], match: str) -> None:
    """Are refused."""
    with pytest.raises(ValueError, match=match):
        Fault(**fields)  # type: ignore[arg-type]


def test_no_faults() -> None:
    """Are false."""
    assert not Faults(())
    assert Faults((Fault("half-life", "cut"),))


def accept(faults: Faults, text: str, at: float = NOW) -> Sequence[Moment]:
    """Let the device in; the moments to come."""
    parsed = parse(text)
    return faults.accepted(parsed, at, float(parsed.expiry))


def test_renewal_is_a_good_token_that_is_new() -> None:
    """Not the first one, none that was accepted before."""
    faults = Faults((Fault("renewal", "refuse"),))
    assert faults.arriving(parse(token()), away=True) is None
    accept(faults, token())
    assert faults.arriving(parse(token()), away=True) is None
    assert faults.arriving(parse(LATER), away=True) is not None
    assert faults.arriving(parse(LATER), away=True) is None


def test_away_is_anything_good_of_a_device_that_had_been_in() -> None:
    """Whichever token it comes with; not the first time, and not where it is still there."""
    faults = Faults((Fault("away", "ignore"),))
    assert faults.arriving(parse(token()), away=True) is None
    accept(faults, token())
    assert faults.arriving(parse(token()), away=False) is None
    assert faults.arriving(parse(token()), away=True) is not None


def test_answer_to_a_renewal_is_not_that_to_the_first_token() -> None:
    """Nor that to one which was accepted before."""
    faults = Faults((Fault("renewal-answer", "ignore"),))
    assert faults.answering(parse(token())) is None
    accept(faults, token())
    assert faults.answering(parse(token())) is None
    assert faults.answering(parse(LATER)) is not None


def test_faults_come_in_their_order() -> None:
    """Each as often as it says."""
    first, second = Fault("renewal", "refuse", times=2), Fault("renewal", "cut")
    faults = Faults((first, Fault("half-life", "cut"), second))
    accept(faults, token())
    assert [faults.arriving(parse(LATER), away=True) for _ in range(4)] == [first, first, second, None]


def test_half_life_is_reckoned_by_the_clock_that_judges_the_token() -> None:
    """A device whose clock is four minutes ahead has a token that the hub takes for so much longer."""
    faults = Faults((Fault("half-life", "cut"),))
    assert faults.accepted(parse(token()), NOW, NOW + LIFETIME + 240) == [(NOW + (LIFETIME + 240) / 2, "half-life")]


def test_half_life() -> None:
    """Half of what is left at the acceptance; never for a token that is over, nor when nothing is to come."""
    faults = Faults((Fault("half-life", "cut"),))
    assert accept(faults, token(), NOW + 20) == [(NOW + 40, "half-life")]
    assert accept(faults, token(), NOW + LIFETIME) == []
    assert faults.at("half-life") is not None
    assert accept(faults, token()) == []
    assert faults.at("half-life") is None


@pytest.mark.parametrize(("age", "lead"), [(20.0, 1.0), (1.0, 0.5), (60.0, 3.0)])
def test_before_renewal_is_measured_at_the_first(age: float, lead: float) -> None:
    """A second or a twentieth before the second token is as old as the first was, but never before half of that."""
    faults = Faults((Fault("before-renewal", "cut"),))
    assert accept(faults, token()) == []
    second = NOW + age
    assert accept(faults, LATER, second) == [(second + age - lead, "before-renewal")]
    third = second + 3 * age
    assert accept(faults, token(NOW + 1000), third) == [(third + age - lead, "before-renewal")]
    assert accept(faults, LATER, second + age) == []  # that of the second token is over


def test_before_renewal_comes_before_the_device_leaves() -> None:
    """However long it took to come back the first time; a return with the same token measures nothing."""
    faults = Faults((Fault("before-renewal", "cut"),))
    accept(faults, token())
    faults.left(NOW + 5)
    accept(faults, token(), NOW + 6)
    faults.left(NOW + 20)
    assert accept(faults, LATER, NOW + 23) == [(NOW + 23 + 20 - 1, "before-renewal")]


def test_moments_come_in_their_order() -> None:
    """Those for which anything is to come."""
    faults = Faults((Fault("expiry", "cut"), Fault("half-life", "cut"), Fault("grace-end", "ignore")))
    assert accept(faults, token()) == [(NOW + LIFETIME / 2, "half-life"), (NOW + LIFETIME, "expiry")]


def test_refused_renewal_over_amqp() -> None:
    """It is answered as an expired token is; the next one is accepted."""
    world = refusing()
    device = amqp_device(world).connected()
    assert device.put_token(LATER) == 401
    answered = world.find("put-token-answered")[1]
    assert (answered["status"], answered["description"], answered["admitted"]) == (401, EXPIRED, False)
    assert world.codes() == ["deviceConnect", "401003"]
    assert device.telemetry(device.sender(), 1)
    assert device.put_token(LATER) == 200


def test_refused_renewal_over_mqtt() -> None:
    """The device comes with a new token, twice."""
    world = refusing()
    world.connected()
    assert world.open().send(connect_packet(LATER)) == [Connack(5, False)]
    assert world.find("connack")[1]["reason"] == EXPIRED
    assert world.open().send(connect_packet(LATER)) == [Connack(0, True)]


def test_renewal_that_is_bad_anyway_uses_up_no_fault() -> None:
    """It is refused for its own sake."""
    world = refusing()
    device = amqp_device(world).connected()
    assert device.put_token("nonsense-nonsense") == 401
    assert device.put_token(LATER) == 401
    assert [fields["description"] for fields in world.find("put-token-answered")][1:] == [
        "Malformed signature",
        EXPIRED,
    ]


def test_same_token_again_is_no_renewal() -> None:
    """A reconnect with it is let in."""
    world = refusing()
    amqp_device(world).connected()
    amqp_device(world).connected()
    assert world.find("put-token-answered")[1]["status"] == 200


def test_unanswered_renewal_over_amqp() -> None:
    """The links go, as at expiry, but for the record; the device may put the token again."""
    world = world_with(Fault("renewal", "cut"))
    device = amqp_device(world).connected()
    device.sender()
    assert device.put_token(LATER) is None
    assert len(world.find("put-token-answered")) == 1
    assert world.one("cut") == {
        "conn": 1, "cause": "fault", "close": "detach", "detail": "instead of an answer to the token",
    }  # fmt: skip
    assert world.codes() == ["deviceConnect", "404104"]
    assert len(device.take(DetachReceived)) == 1
    assert device.put_token(LATER) == 200


def test_unanswered_renewal_over_amqp_by_the_transport() -> None:
    """In the way the fault names."""
    world = world_with(Fault("renewal", "cut", "rst"))
    amqp_device(world).connected().put_token(LATER)
    assert world.connection(1).close_request == "rst"


def test_unanswered_renewal_over_mqtt() -> None:
    """The new connection ends without CONNACK, the old one stays."""
    world = world_with(Fault("renewal", "cut", "detach"))
    old = world.connected()
    new = world.open()
    assert new.send(connect_packet(LATER)) == []
    assert world.one("cut") == {"conn": 2, "cause": "fault", "close": "fin", "detail": "instead of CONNACK"}
    assert (old.hub_side.close_request, new.hub_side.close_request) == (None, "fin")
    assert world.codes() == ["deviceConnect"]


def test_unanswered_renewal_by_plain() -> None:
    """No outcome, the transport is closed."""
    world = world_with(Fault("renewal", "cut"))
    amqp_device(world).connected()
    plain_device(world, LATER).open()
    assert world.one("cut")["close"] == "fin"
    assert world.connection(2).close_request == "fin"


def halved(close: str | None = None, times: int = 1) -> World:
    """A hub that breaks connections halfway."""
    return world_with(Fault("half-life", "cut", close, times))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("close", "told", "asked"), [(None, "fin", "fin"), ("close", "fin", "fin"), ("rst", "rst", "rst")]
)
def test_half_life_over_mqtt(close: str | None, told: str, asked: str) -> None:
    """The connection breaks, and only that is recorded."""
    world = halved(close)
    side = world.connected().hub_side
    assert side.next_deadline() == NOW + LIFETIME / 2
    side.on_time(NOW + LIFETIME / 2 - 1)
    assert world.find("cut") == []
    side.on_time(NOW + LIFETIME / 2)
    assert world.one("cut") == {
        "conn": 1,
        "cause": "fault",
        "close": told,
        "detail": "half of the token's time is over",
    }
    assert (side.close_request, side.next_deadline()) == (asked, None)
    assert world.codes() == ["deviceConnect", "404104"]


def halfway(world: World) -> AmqpDevice:
    """A device with a link, halfway."""
    device = amqp_device(world).connected()
    device.sender()
    assert world.connection(1).next_deadline() == NOW + LIFETIME / 2
    world.connection(1).on_time(NOW + LIFETIME / 2)
    device.run(NOW + LIFETIME / 2)
    return device


@pytest.mark.parametrize("close", [None, "detach", "detach-not-closed", "close", "fin", "rst"])
def test_half_life_over_amqp(close: str | None) -> None:
    """In all ways there are."""
    world = halved(close)
    halfway(world)
    assert world.one("cut") == {
        "conn": 1, "cause": "fault", "close": close or "detach", "detail": "half of the token's time is over",
    }  # fmt: skip
    assert world.connection(1).close_request == (close if close in ("fin", "rst") else None)
    assert world.codes() == ["deviceConnect", "404104"]


def test_renewal_in_place_moves_the_half_life() -> None:
    """It is half of the new token's time."""
    world = halved()
    device = amqp_device(world).connected()
    device.put_token(LATER)
    assert world.connection(1).next_deadline() == NOW + 50


def test_half_life_comes_as_often_as_it_says() -> None:
    """Over all connections of the device."""
    world = halved(times=2)
    device = halfway(world)
    for half, admitted in ((NOW + 65, True), (NOW + 500, False)):
        device.put_token(token(NOW + 100))
        assert (world.connection(1).next_deadline() == half) is admitted
        world.connection(1).on_time(NOW + 65)
    assert len(world.find("cut")) == 2


def test_device_that_took_leave_is_not_cut() -> None:
    """The fault is kept for another time."""
    world = halved()
    wire = world.connected(connect_packet(token(NOW + 1)))
    wire.send(Disconnect())
    wire.hub_side.on_time(NOW + 0.6)
    assert (world.find("cut"), wire.hub_side.next_deadline()) == ([], NOW + 1)
