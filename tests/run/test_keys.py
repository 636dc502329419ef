"""Tests of a cell's keys, and of the identity that the hub is given."""

from harness.registration import Registration
from harness.run.keys import Keys, identity_of


def test_the_hub_knows_the_devices_own_key_unless_told_otherwise() -> None:
    """Keys are drawn afresh, and none of them shows."""
    own, another = (Keys.draw(Registration(key=key)) for key in ("own", "another"))
    assert own.device == own.hub
    assert len({own.device, another.device, another.hub}) == 3
    assert own.device not in repr(own)


def test_every_policy_has_a_key_of_its_own() -> None:
    """Which is one of the cell's secrets."""
    keys = Keys.draw(Registration(policies={"one": (), "two": ()}))
    assert set(keys.secrets) == {keys.device, *keys.policies.values()}
    assert len(set(keys.secrets)) == 3


def test_the_identity_is_as_the_scenario_says() -> None:
    """Registered or not, enabled or not, with the rights of its policies."""
    known = Registration(registered=False, status="disabled", key="another", policies={"service": ("ServiceConnect",)})
    keys = Keys.draw(known)
    made = identity_of("d1", known, keys, "hub.example")
    assert (made.hub_name, made.device_id, made.registered, made.status) == ("hub.example", "d1", False, "disabled")
    assert (made.primary_key, made.secondary_key) == (keys.hub, keys.hub)
    assert made.policies["service"].rights == {"ServiceConnect"}
    assert made.policies["service"].key == keys.policies["service"]
