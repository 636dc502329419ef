"""Targets of requests, and whom a request says it comes from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.https_world import request
from support.hub_world import token

from harness.hub.https.routes import Route, read_credentials, read_route

D2C, C2D = "/devices/d%20%C3%A4/messages/events", "/devices/d/messages/devicebound"


@pytest.mark.parametrize(
    ("method", "target", "operation", "lock"),
    [
        ("POST", D2C, "send", ""),
        ("POST", D2C + "/?api-version=1", "send", ""),
        ("GET", D2C, None, ""),
        ("GET", C2D, "receive", ""),
        ("POST", C2D, None, ""),
        ("DELETE", C2D + "/l1", "complete", "l1"),
        ("DELETE", C2D + "/%22l1%22?api-version=1", "complete", "l1"),
        ("DELETE", C2D + "/l1?reject", "reject", "l1"),
        ("DELETE", C2D + "/l1?api-version=1&reject=true", "reject", "l1"),
        ("GET", C2D + "/l1", None, "l1"),
        ("POST", C2D + "/l1/abandon", "abandon", "l1"),
        ("DELETE", C2D + "/l1/abandon", None, "l1"),
        ("GET", "https://hub:443" + C2D, "receive", ""),
        ("GET", C2D.upper().replace("/D/", "/d/"), "receive", ""),
    ],
)
def test_what_is_asked_for(method: str, target: str, operation: str | None, lock: str) -> None:
    """By method and path."""
    route = read_route(method, target)
    assert (route.operation, route.lock, bool(route.device_id)) == (operation, lock, True)


@pytest.mark.parametrize("target", ["/", "*", "/devices//messages/events", "/devices/d/files", "/devices/d/messages/x"])
def test_another_path_names_no_device(target: str) -> None:
    """Whatever the method."""
    assert read_route("POST", target) == Route(target)


@pytest.mark.parametrize("target", ["//[", "/devices/d/messages/events?" + "&".join("abcdefgh" * 20)])
def test_what_is_no_uri(target: str) -> None:
    """Or has a query that nobody wrote in earnest."""
    assert read_route("POST", target) == Route("")


def test_the_device_id_is_decoded() -> None:
    """UTF-8, percent-encoded."""
    assert read_route("POST", D2C + "?api-version=2020-09-30") == Route(D2C, "d ä", "send", "", "2020-09-30")


@given(st.text(max_size=10), st.text(max_size=60))
def test_nothing_raises(method: str, target: str) -> None:
    """Whatever comes."""
    read_route(method, target)


@pytest.mark.parametrize("host", ["HUB.example:443", "hub.example", "user@hub.example"])
def test_the_host_names_the_hub(host: str) -> None:
    """Without the port, in lower case."""
    found = read_credentials(request(host=host), read_route("POST", D2C))
    assert found.user_name is not None
    assert (found.user_name.hub, found.client_id, found.sdk_version) == ("hub.example", "d ä", "sdk/1.0")


def test_the_token_stands_in_authorization() -> None:
    """Its signature is a secret from then on."""
    found = read_credentials(request(), read_route("POST", D2C))
    assert found.token is not None
    assert found.token.signature in found.secrets
    assert found.token.sig in token()


def test_without_authorization_there_is_no_password() -> None:
    """Which is not the same as a bad one."""
    assert not read_credentials(request(sas=None), read_route("POST", D2C)).has_password
    assert read_credentials(request(sas="x"), read_route("POST", D2C)).has_password
