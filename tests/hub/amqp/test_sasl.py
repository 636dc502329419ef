"""What SASL PLAIN says."""

import pytest
from support.hub_world import HUB_NAME, NOW, token

from harness.hub.amqp.sasl import read_plain
from harness.hub.credentials import UserName
from harness.protocol.amqp.client import plain


@pytest.mark.parametrize("hub", ["contoso", "Contoso", HUB_NAME, f"root.{HUB_NAME}", "root.contoso"])
def test_user_and_token(hub: str) -> None:
    """The hub by its first label or its whole name."""
    claims = read_plain(plain(f"dev1@sas.{hub}", token()), HUB_NAME)
    assert (claims.client_id, claims.user_name) == ("dev1", UserName(HUB_NAME, "dev1"))
    assert claims.token is not None
    assert claims.token.expiry == NOW + 60


def test_device_ids_may_look_like_users() -> None:
    """The last `@sas.` counts."""
    assert read_plain(plain("a@sas.b@sas.contoso", token()), HUB_NAME).client_id == "a@sas.b"


def test_other_hub() -> None:
    """It is named as it stands."""
    claims = read_plain(plain("dev1@sas.fabrikam", token()), HUB_NAME)
    assert claims.user_name == UserName("fabrikam", "dev1")


@pytest.mark.parametrize("user", ["", "dev1", "dev1@contoso", "@sas.contoso", "dev1@sas."])
def test_user_of_another_form(user: str) -> None:
    """Names no device, but its token is a secret all the same."""
    claims = read_plain(plain(user, token()), HUB_NAME)
    assert (claims.client_id, claims.user_name) == ("", None)
    assert claims.secrets


@pytest.mark.parametrize("response", [None, b"", b"\x00dev1@sas.contoso", b"\xff"])
def test_response_without_a_password(response: bytes | None) -> None:
    """There is no token in it."""
    claims = read_plain(response, HUB_NAME)
    assert (claims.token, claims.has_password, claims.secrets) == (None, False, ())
