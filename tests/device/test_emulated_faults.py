"""Emulated devices live through every fault that a bundled scenario has: in virtual time, against the hub, over MQTT and AMQP."""

from collections import Counter
from random import Random

import msgspec
import pytest
from support.device_hub import HubWorld
from support.device_world import START, open_command, own_token, profile_of
from support.scenarios import bundled_scenarios

from harness.hub.faults import Fault
from harness.hub.policy import Policy
from harness.scenario import Scenario

SDKS = ("c", "dotnet", "java", "node", "python")
DISTURBED = {name: one for name, one in bundled_scenarios().items() if one.end.faults}
PLAYED = [
    (sdk, transport, name)
    for sdk in SDKS
    for transport in profile_of(sdk).transports
    if not transport.endswith("-ws")  # which is the same to a device in memory
    for name, one in DISTURBED.items()
    if transport in one.is_about
]
LONG_S = 100


def policy_of(scenario: Scenario) -> Policy:
    """The hub of a scenario."""
    faults = tuple(Fault(**msgspec.structs.asdict(fault)) for fault in scenario.faults)
    return Policy(grace_s=scenario.hub.grace_s, skew_s=scenario.hub.skew, faults=faults)


def play(sdk: str, transport: str, scenario: Scenario) -> HubWorld:
    """A cell of the scenario, with as much of its traffic as an application has in hand."""
    profile = profile_of(sdk)
    world = HubWorld(profile, transport, policy=policy_of(scenario), random=Random(7))
    lifetime_s = scenario.token_lifetime_s
    token = own_token(lifetime_s) if lifetime_s is not None else ""
    chosen = {name: value for name, value in msgspec.to_builtins(profile.settings[0]).items() if value is not None}
    listening = "listening" in scenario.traffic
    world.do(open_command(token=token, c2d=listening, methods=listening, **({} if token else chosen)))
    if "sending" in scenario.traffic:
        for number in range(1, int(LONG_S / scenario.intervals.send_s)):
            world.at(START + number * scenario.intervals.send_s, lambda number=number: world.send(number))  # type: ignore[misc]
    world.run(LONG_S)
    world.do({"cmd": "close"})
    world.run(3 * LONG_S)
    return world


@pytest.mark.parametrize(("sdk", "transport", "name"), PLAYED)
def test_every_scenario_is_played_to_its_end(sdk: str, transport: str, name: str) -> None:
    """The faults strike, each as often as it may, time passes, every message ends at most once, and the device closes."""
    scenario = DISTURBED[name]
    world = play(sdk, transport, scenario)
    struck = Counter((fault["at"], fault["action"]) for fault in world.find("fault"))
    assert struck.total() >= scenario.end.faults
    assert struck <= Counter({(fault.at, fault.action): fault.times for fault in scenario.faults})
    ended = [event["id"] for event in world.events("sent", "send_failed")]
    assert len(ended) == len(set(map(str, ended)))
    assert len(world.events("closed")) == 1


def test_the_same_twice() -> None:
    """Nothing is left to chance: what the hub says comes out the same."""
    scenario = DISTURBED["key-rolled"]
    assert play("java", "amqp", scenario).said == play("java", "amqp", scenario).said
