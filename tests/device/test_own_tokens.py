"""The emulated device is handed tokens by its application."""

import pytest
from support.device_world import START, World, open_command, own_token, profile_of

from harness.profile import Profile


def opened(profile: Profile, lifetime_s: float = 1000) -> World:
    """A world one second after the device was opened with a token of its own."""
    world = World(profile)
    world.do(open_command(token=own_token(lifetime_s)))
    world.run(1)
    return world


def hand_over(world: World, lifetime_s: float = 2000) -> None:
    """The application supplies another token."""
    world.do({"cmd": "token", "sas": own_token(lifetime_s)})
    world.run(2)


@pytest.mark.parametrize(("sdk", "returns"), [("python", 1), ("node", 2)])
def test_it_leaves_and_returns_with_the_new_token(sdk: str, returns: int) -> None:
    """Node.js does so twice."""
    world = opened(profile_of(sdk))
    hand_over(world)
    assert world.order().count("DISCONNECT") == returns
    assert len(world.events("token_updated")) == 1


def test_what_is_no_token_is_not_taken() -> None:
    """The connection stays."""
    world = opened(profile_of("python"))
    world.do({"cmd": "token", "sas": "nonsense"})
    world.run(2)
    assert [event["event"] for event in world.events("token_failed", "token_updated")] == ["token_failed"]
    assert "DISCONNECT" not in world.order()


def test_the_next_one_is_asked_for_by_the_new_tokens_time() -> None:
    """Python's SDK asks 120 s before the end of whichever token it has."""
    world = opened(profile_of("python"), 200)
    hand_over(world, 400)
    world.run(300)
    assert [round(float(str(event["t"])) - START) for event in world.events("token_required")] == [280]
