"""The registered device."""

from dataclasses import replace

import pytest
from support.hub_world import IDENTITY, PRIMARY, RULE_KEY

from harness.hub.identity import SharedAccessPolicy


@pytest.mark.parametrize(
    "change",
    [
        {"primary_key": "not base64"},
        {"secondary_key": "AAA"},
        {"policies": {"device": SharedAccessPolicy("?")}},
        {"status": "asleep"},
    ],
)
def test_unusable_identities_are_refused(change: dict[str, object]) -> None:
    """A key that is no base64, or a status nobody knows, is found at once."""
    with pytest.raises(ValueError, match=r"base64|status"):
        replace(IDENTITY, **change)  # type: ignore[arg-type]


def test_repr_hides_the_keys() -> None:
    """An identity can be shown in a traceback."""
    shown = repr(IDENTITY)
    assert PRIMARY not in shown
    assert RULE_KEY not in shown


def test_scope_is_the_resource_of_the_device() -> None:
    """The segments a token's resource has to have."""
    assert IDENTITY.scope("127.0.0.1") == ("127.0.0.1", "devices", "dev1")


def test_rolled_key_is_another_one() -> None:
    """The primary one, and the secondary one where it was the same: what signed with the old one is good for nothing."""
    rolled = IDENTITY.with_rolled_key()
    assert rolled.primary_key != IDENTITY.primary_key
    assert rolled.secondary_key == IDENTITY.secondary_key
    alone = replace(IDENTITY, secondary_key=PRIMARY).with_rolled_key()
    assert alone.primary_key == alone.secondary_key == rolled.primary_key
