"""The emulated device over HTTPS, against the real hub in virtual time."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from support.device_hub import HubWorld
from support.device_world import HOST, KEY, START, open_command, own_token, profile_of

from harness.device.https_device import SETTLE_S, HttpsDevice
from harness.emulation import AppSignal, HttpsEmulation
from harness.hub.identity import Identity
from harness.law import Law
from harness.profile import Profile
from harness.protocol.http.messages import MAX_HEAD

IDENTITY = Identity(HOST, "d1", KEY, KEY)


def played(**manners: Any) -> Profile:
    """The SDK for Node.js with other manners over HTTPS."""
    profile = profile_of("node")
    return msgspec.structs.replace(
        profile, emulation=msgspec.structs.replace(profile.emulation, https=HttpsEmulation(**manners))
    )


def opened(profile: Profile | None = None, *, token: str = "", **fields: object) -> HubWorld:
    """A device that was told to open."""
    world = HubWorld(profile or played(), "https")
    world.do(open_command(token=token, **fields))
    return world


def names(world: HubWorld) -> list[object]:
    """What the application was told, in order."""
    return [event["event"] for event in world.told]


def tokens(world: HubWorld) -> list[Mapping[str, object]]:
    """The tokens of the requests."""
    return [fields["token"]["digest"] for fields in world.find("http-request")]


def test_opening_takes_no_request() -> None:
    """And says so, with what the SDK tells its application."""
    world = opened(profile_of("node"), lifetime_s=910, c2d=False)
    assert [event["event"] for event in world.told] == ["hello", "status", "opened"]
    assert world.find("http-request") == []


def test_a_message_is_a_request() -> None:
    """`sent` once it is answered."""
    world = opened()
    world.send(7)
    world.run(1)
    assert world.find("telemetry")[0]["message_id"] == "7"
    assert world.events("sent") == [{"event": "sent", "t": pytest.approx(START + 0.001), "id": 7}]


def test_one_connection_carries_all_requests() -> None:
    """Where the SDK keeps it; one after the other, also those that were to be made at once."""
    world = opened()
    for number in range(3):
        world.send(number)
    world.run(1)
    assert [(one["conn"], one["request"]) for one in world.find("http-request")] == [(1, 1), (1, 2), (1, 3)]


def test_every_request_has_its_own_connection() -> None:
    """Where the SDK does not keep it."""
    world = opened(played(keeps_connection=False))
    for number in range(3):
        world.send(number)
    world.run(1)
    assert [one["conn"] for one in world.find("http-request")] == [1, 2, 3]
    assert world.hangups == ["close-notify"] * 3


@pytest.mark.parametrize(
    ("manners", "renewals"),
    [
        ({"token": "each-request"}, [1, 2, 3, 4, 5, 6]),
        ({"renewal": Law(law="margin", seconds=7)}, [4]),
        ({"renewal": Law(law="none")}, []),
    ],
    ids=["each", "kept", "never"],
)
def test_tokens(manners: dict[str, Any], renewals: list[int]) -> None:
    """Made for each request, or when a request finds that it is time, or never."""
    world = opened(played(**manners), lifetime_s=10.5)
    world.send_each_second(0, 6)
    world.run(7)
    shown = tokens(world)
    assert [index for index in range(1, 7) if shown[index] != shown[index - 1]] == renewals


def test_a_token_of_the_applications_own_stays() -> None:
    """Each message is refused from its end on, and the SDK goes on asking."""
    world = opened(profile_of("node"), token=own_token(3))
    world.send_each_second(0, 6)
    world.run(7)
    assert names(world).count("sent") == 3
    assert [event["error"][0]["class"] for event in world.events("send_failed")] == ["UnauthorizedError"] * 4  # type: ignore[index]
    assert len(set(map(str, tokens(world)))) == 1


def test_an_application_without_a_credential_shows_none() -> None:
    """No header at all, and not an empty one."""
    world = HubWorld(played(), "https")
    world.do({"cmd": "open", "connection_string": f"HostName={HOST};DeviceId=d1;x509=true"})
    world.send(1)
    world.run(1)
    assert world.find("http-response")[0]["check"] == "credential"


def test_a_token_that_lacks_a_field() -> None:
    """An SDK may see that for itself, as it opens; then it takes no messages, and no request is made."""
    signals = msgspec.structs.replace(HttpsEmulation().signals, token_incomplete=(AppSignal(event="open_failed"),))
    lacking = own_token(9).partition("&se=")[0]
    world = opened(played(signals=signals), token=lacking)
    world.send(1)
    assert names(world) == ["hello", "open_failed", "bad_command"]
    asked = opened(played(), token=lacking)
    asked.send(1)
    asked.run(1)
    assert asked.find("http-response")[0]["check"] == "token-form"


def test_a_refused_message_may_be_tried_again() -> None:
    """Until the client closes; those behind it wait, and the application is told nothing before."""
    signals = msgspec.structs.replace(
        HttpsEmulation().signals, send_cancelled=(AppSignal(event="send_failed", status="destroyed"),)
    )
    world = opened(played(repeats_refused_s=0.5, signals=signals), token=own_token(-9))
    for number in (1, 2):
        world.send(number)
    world.run(2.2)
    assert names(world) == ["hello", "opened"]
    assert {one["path"] for one in world.find("http-request")} == {"/devices/d1/messages/events"}
    assert world.moments("http-request") == [0.0, 0.5, 1.0, 1.5, 2.0]
    world.do({"cmd": "close"})
    world.run(2.2 + SETTLE_S + 1)
    assert [(event["id"], event["status"]) for event in world.events("send_failed")] == [
        (1, "destroyed"),
        (2, "destroyed"),
    ]
    assert names(world)[-1] == "closed"


def test_messages_from_the_cloud_are_asked_for() -> None:
    """Each is completed, and the queue is emptied before the next look."""
    world = opened(played(poll_s=2.0), c2d=True)
    for one in "ab":
        world.send_c2d(one)
    world.run(3)
    assert [event["message_id"] for event in world.events("c2d")] == ["a", "b"]
    assert [fields["state"] for fields in world.find("c2d-acknowledged")] == ["accepted", "accepted"]
    assert {round(at) for at in world.moments("http-request")} == {2}


def test_an_sdk_may_ask_where_nobody_listens() -> None:
    """As the SDK for Java does."""
    world = opened(played(always_subscribes=("c2d",)))
    world.run(2.5)
    assert [one["operation"] for one in world.find("http-request")] == ["receive", "receive"]


def test_a_look_that_is_under_way_is_enough() -> None:
    """No second one joins it in the queue."""
    world = opened(played(poll_s=1.0), c2d=True)
    world.mute = True
    world.run(5)
    assert len(world.find("http-request")) == 1


@pytest.mark.parametrize(("sdk", "error"), [("node", "DeviceNotFoundError"), ("java", "NOT_FOUND")])
def test_an_sdk_may_tell_404_from_401(sdk: str, error: str) -> None:
    """In the error of a message that is not sent."""
    world = HubWorld(profile_of(sdk), "https", identity=replace(IDENTITY, registered=False))
    world.do(open_command())
    world.send(1)
    world.run(1)
    assert error in str(world.events("send_failed")[0]["error"])


def test_what_is_tried_again_is_told_by_its_status() -> None:
    """In the SDK's log only."""
    world = HubWorld(profile_of("c"), "https", identity=replace(IDENTITY, registered=False))
    world.do(open_command())
    world.send(1)
    world.run(0.25)
    assert [event["text"] for event in world.events("sdk_log")] == ["Error: unexpected HTTP status code (404)"] * 3


def test_a_refused_look_may_be_logged() -> None:
    """Each of them; the application is told nothing."""
    world = opened(profile_of("node"), token=own_token(-9), c2d=True)
    world.run(3.5)
    assert [event["level"] for event in world.events("sdk_log")] == ["ERROR"] * 3
    assert names(world) == ["hello", "status", "opened", *["sdk_log"] * 3]


def test_a_refused_look_tells_nothing() -> None:
    """Only messages have a way to tell."""
    world = opened(played(), token=own_token(-9), c2d=True)
    world.run(3)
    assert world.find("http-response")[0]["status"] == 401
    assert names(world) == ["hello", "opened"]


def test_an_answer_that_is_no_refusal_is_told_without_words() -> None:
    """The profile knows those of a refusal."""
    signals = msgspec.structs.replace(HttpsEmulation().signals, send_refused=(AppSignal(event="send_failed"),))
    world = opened(played(signals=signals))
    world.mute = True
    world.send(1)
    world.run(1)
    world.device.receive(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", world.now)
    (told,) = world.device.events()
    assert told["error"] == [{"class": "unknown", "message": "the profile does not say"}]


def test_no_hub() -> None:
    """The message fails, and the next is tried all the same."""
    signals = msgspec.structs.replace(
        HttpsEmulation().signals, send_unreachable=(AppSignal(event="send_failed", status="x"),)
    )
    world = opened(played(signals=signals))
    world.reachable = False
    world.send(1)
    world.run(1)
    world.reachable = True
    world.send(2)
    world.run(2)
    assert [(event["event"], event["id"]) for event in world.events("sent", "send_failed")] == [
        ("send_failed", 1),
        ("sent", 2),
    ]
    assert world.events("send_failed")[0]["status"] == "x"


def test_a_connection_that_goes_takes_its_request_along() -> None:
    """Those behind it are made on another."""
    world = opened()
    world.mute = True
    for number in (1, 2):
        world.send(number)
    world.run(1)
    world.mute = False
    world.cut("rst")
    world.run(2)
    assert [(event["event"], event["id"]) for event in world.events("sent", "send_failed")] == [
        ("send_failed", 1),
        ("sent", 2),
    ]


def test_a_connection_that_goes_between_requests_is_not_missed() -> None:
    """The next request has another."""
    world = opened()
    world.send(1)
    world.run(1)
    world.cut()
    world.send(2)
    world.run(2)
    assert [event["id"] for event in world.events("sent")] == [1, 2]


@pytest.mark.parametrize("answer", [b"\0\0\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * (MAX_HEAD + 9)])
def test_an_answer_that_is_none(answer: bytes) -> None:
    """Ends the connection, and the request with it."""
    world = opened()
    world.mute = True
    world.send(1)
    world.run(1)
    world.at(world.now, lambda: world.device.receive(answer, world.now))
    world.run(2)
    assert names(world)[-1] == "send_failed"
    assert world.hangups == ["rst"]


def test_a_hub_that_wants_no_more() -> None:
    """Is left, and another connection made for what is to come."""
    world = opened()
    world.mute = True
    world.send(1)
    world.run(1)
    last = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    world.at(world.now, lambda: world.device.receive(last, world.now))
    world.run(1.5)
    world.mute = False
    world.send(2)
    world.run(2)
    assert [event["id"] for event in world.events("sent")] == [1, 2]
    assert len(world.moments("accepted")) == 2


def test_closing_waits_for_what_is_under_way() -> None:
    """And asks for nothing more."""
    world = opened(played(), c2d=True)
    world.run(1.5)
    world.send(1)
    world.do({"cmd": "close"})
    world.run(9)
    assert names(world)[-2:] == ["sent", "closed"]
    assert world.device.next_deadline() is None


def test_closing_does_not_wait_for_ever() -> None:
    """What is not answered fails."""
    world = opened()
    world.mute = True
    for number in (1, 2):
        world.send(number)
    world.run(1)
    world.do({"cmd": "close"})
    world.run(1 + SETTLE_S + 1)
    assert names(world)[-3:] == ["send_failed", "send_failed", "closed"]


def test_closing_before_anything() -> None:
    """Opened or not."""
    for world in (HubWorld(played(), "https"), opened()):
        world.do({"cmd": "close"})
        assert names(world)[-1] == "closed"


def test_closing_while_dialling() -> None:
    """The dial is given up when the time is."""
    world = opened()
    world.reachable = False
    world.device.command({"cmd": "send", "id": 1}, world.now)
    world.device.command({"cmd": "close"}, world.now)
    world.device.on_time(world.now + SETTLE_S)
    assert [type(action).__name__ for action in world.device.actions()] == ["Dial", "Hangup"]


@pytest.mark.parametrize(
    "command",
    [{"cmd": "send", "id": True}, {"cmd": "send"}, {"cmd": "open"}, {"cmd": "dance"}, {}],
)
def test_what_is_no_command(command: dict[str, object]) -> None:
    """After open."""
    world = opened()
    world.do(command)
    assert names(world)[-1] == "bad_command"


def test_no_command_after_close() -> None:
    """Not even a second close."""
    world = opened()
    for cmd in ("close", "close", "send"):
        world.do({"cmd": cmd, "id": 1})
    assert names(world)[-3:] == ["closed", "bad_command", "bad_command"]


def test_an_impossible_open_fails() -> None:
    """It quotes no secret."""
    world = HubWorld(played(), "https")
    world.do({"cmd": "open", "connection_string": "HostName=h;DeviceId=d"})
    assert names(world) == ["hello", "open_failed"]


def test_news_without_a_transport_is_ignored() -> None:
    """Bytes and connections that nobody asked for."""
    profile = played()
    assert profile.emulation.https is not None
    device = HttpsDevice(profile, profile.emulation.https)
    device.connected(START)
    device.receive(b"HTTP/1.1 200 OK\r\n\r\n", START)
    assert device.actions() == []
