"""Devices that are refused from the start, emulated, in virtual time: what the hub says of each, and that nobody beside them notices."""

import json
from collections.abc import Sequence

import pytest
from support.device_hub import HubWorld
from support.device_world import HOST, START, open_command, profile_of
from support.plans import a_cell, a_scenario

from harness.hub.policy import Policy
from harness.run.keys import Keys, identity_of
from harness.run.opening import Way
from harness.run.opening import open_command as command_of
from harness.scenario import Scenario

DEVICE = "d1"
RENEW = "Authentication failed for this device, renew token or certificate and reconnect"
MESSAGES = {
    "no-credential": ("credential", "Authorization header missing"),
    "unknown-device": ("registered", f"IotHub '{HOST}' does not contain the specified device '{DEVICE}'"),
    "wrong-key": ("signature", RENEW),
    "rule-not-allowed": ("rule", f"Authorization rule 'service' does not allow access for '{DEVICE}'"),
    "malformed-token": ("token-form", RENEW),
    "token-cut-off": ("token-form", RENEW),
    "expired-at-start": ("expiry", RENEW),
    "device-disabled": ("device-enabled", RENEW),
    "clock-behind-6": ("expiry", RENEW),
}
"""The check that fails, and the errorMessage of the record (the article on 401003, symptom 2)."""
CBS = {"registered": 404, "device-enabled": 404}
MQTT, AMQP = ("mqtt", "mqtt-ws"), ("amqp", "amqp-ws")
PLAYERS = [(sdk, over) for sdk in ("c", "java", "node") for over in (*MQTT, *AMQP, "https")] + [
    ("python", over) for over in MQTT
]
BY_THE_SDK = {("python", "token-cut-off"), ("python", "expired-at-start"), ("java", "token-cut-off")}
"""What these SDKs say themselves, without asking the hub."""
ALL = [(name, *player) for name in MESSAGES for player in PLAYERS]
ASKED = [one for one in ALL if (one[1], one[0]) not in BY_THE_SDK]
APART_S = 0.25
UNTOUCHED = [("python", "mqtt", 130), ("node", "amqp", 910), ("java", "mqtt-ws", 10)]


def world_of(scenario: Scenario, sdk: str, transport: str) -> HubWorld:
    """The cell of a scenario, told to open as `harness compare` does."""
    keys, hub = Keys.draw(scenario.device), scenario.hub
    policy = Policy(grace_s=hub.grace_s, skew_s=hub.skew, clock_shift_s=scenario.device.hub_ahead_s)
    identity = identity_of(DEVICE, scenario.device, keys, HOST)
    world = HubWorld(profile_of(sdk), transport, policy=policy, identity=identity)
    cell = a_cell(scenario=scenario, id=DEVICE, transport=transport)
    command, _ = command_of(cell, Way(HOST, "127.64.0.1", 8883, gateway=True), keys, "PEM", START)
    plain = {"connection_string", "c2d", "methods", "cmd"}
    world.do({name: value for name, value in command.items() if name in plain})
    world.send_each_second(1, 2)
    return world


def message_of(world: HubWorld) -> str:
    """The errorMessage of the first record."""
    return str(json.loads(world.find("record")[0]["record"]["properties"])["errorMessage"])


@pytest.mark.parametrize(("name", "sdk", "transport"), ASKED)
def test_every_refusal_leaves_its_message(name: str, sdk: str, transport: str) -> None:
    """On every transport, whichever SDK is played; a message that is sent brings an SDK to ask that takes a connection for all it needs."""
    world = world_of(a_scenario(name), sdk, transport)
    world.run(8)
    check, message = MESSAGES[name]
    (answer, *_) = [
        one
        for kind in ("connack", "put-token-answered", "attach", "http-response")
        for one in world.find(kind)
        if "check" in one
    ]
    assert (answer["check"], answer["message"], message_of(world)) == (check, message, message)
    if transport in MQTT:
        assert answer["code"] == 5
    elif name == "no-credential" and transport in AMQP:
        assert answer["condition"] == "amqp:unauthorized-access"
    else:
        assert answer["status"] == CBS.get(check, 401)
    assert not world.events("sent")


@pytest.mark.parametrize(("name", "sdk", "transport"), [one for one in ALL if one not in ASKED])
def test_an_sdk_that_looks_into_the_token_says_so_itself(name: str, sdk: str, transport: str) -> None:
    """By an exception of its own; nothing reaches the hub, and another open may follow."""
    world = world_of(a_scenario(name), sdk, transport)
    (failed,) = world.events("open_failed")
    assert failed["error"][0]["class"] in {"ValueError", "java.lang.NumberFormatException"}  # type: ignore[index]
    world.run(8)
    assert world.said == []


@pytest.mark.parametrize(("sdk", "transport"), PLAYERS)
@pytest.mark.parametrize("name", ["clock-ahead-4", "clock-ahead-6", "clock-behind-4"])
def test_a_clock_within_the_skew_or_ahead_is_let_in(name: str, sdk: str, transport: str) -> None:
    """Without a word."""
    world = world_of(a_scenario(name), sdk, transport)
    world.run(3)
    assert world.events("opened")
    assert [one["row"]["Level"] for one in world.find("record")] == ([] if transport == "https" else ["Information"])


@pytest.mark.slow
def test_no_refusal_disturbs_the_device_beside_it() -> None:
    """Cells side by side on one clock, all refusals over every transport: three devices that renew see byte for byte what they see alone."""
    alone = [untouched(*one) for one in UNTOUCHED]
    for world in alone:
        world.run(45)
    refused = [world_of(a_scenario(name), *one) for name, *one in ASKED]
    beside = [untouched(*one) for one in UNTOUCHED]
    side_by_side([*refused, *beside], 45)
    assert all("check" in str(world.said) for world in refused)
    assert [log_of(world) for world in beside] == [log_of(world) for world in alone]


def untouched(sdk: str, transport: str, lifetime_s: float) -> HubWorld:
    """A device that is let in and renews."""
    world = HubWorld(profile_of(sdk), transport)
    world.do(open_command(lifetime_s=lifetime_s, c2d=True, methods=True))
    world.send_each_second(1, 40)
    return world


def side_by_side(worlds: Sequence[HubWorld], until_s: float) -> None:
    """Let time pass for all of them, a quarter of a second at a time."""
    for step in range(1, int(until_s / APART_S) + 1):
        for world in worlds:
            world.run(step * APART_S)


def log_of(world: HubWorld) -> bytes:
    """Everything the hub and the application saw."""
    return json.dumps([world.said, world.told, world.wire, world.hangups], sort_keys=True).encode()
