"""What a CONNECT presents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hub_world import token

from harness.hub.credentials import UserName, read_credentials, read_user_name
from harness.protocol.mqtt.packets import Connect
from harness.sas import parse

HUB = "contoso.azure-devices.net"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HUB}/dev1/?api-version=2021-04-12", UserName(HUB, "dev1", "2021-04-12")),
        (f"{HUB}/dev1/?api-version=1&DeviceClientType=sdk%2F2%20%28x%29", UserName(HUB, "dev1", "1", "sdk/2 (x)")),
        (f"{HUB}/dev1/mod1/?api-version=1", UserName(HUB, "dev1/mod1", "1")),
        (f"{HUB}/dev1/api-version=1&DeviceClientType=sdk/2.0", UserName(HUB, "dev1", "1", "sdk/2.0")),
        (f"{HUB}/dev1/DeviceClientType=sdk&api-version=1", UserName(HUB, "dev1", "1", "sdk")),
        (f"{HUB}/dev1/mod1/api-version=1", UserName(HUB, "dev1/mod1", "1")),
        (f"{HUB}/dev1", UserName(HUB, "dev1")),
        (f"{HUB}/dev1/", UserName(HUB, "dev1")),
        (f"{HUB}/dev1/mod1", UserName(HUB, "dev1/mod1")),
        (f"{HUB}/dev1/?model-id=dtmi%3Aa&api-version=1&api-version=2", UserName(HUB, "dev1", "1")),
        (f"{HUB.upper()}/Dev1/?", UserName(HUB, "Dev1")),
        (f"{HUB}/dev%2F1/?x", UserName(HUB, "dev%2F1")),
        ("", None),
        (HUB, None),
        (f"{HUB}/", None),
        ("/dev1/?api-version=1", None),
    ],
)
def test_user_names(text: str, expected: UserName | None) -> None:
    """Documented, older and bare forms; ids are taken as they stand."""
    assert read_user_name(text) == expected


def test_token_is_read_and_its_signature_is_secret() -> None:
    """Both spellings of the signature are to be hidden."""
    text = token()
    credentials = read_credentials(Connect("dev1", username=f"{HUB}/dev1/?api-version=1", password=text.encode()))
    assert credentials.token == parse(text)
    assert credentials.secrets == (parse(text).sig, parse(text).signature)
    assert credentials.has_password


def test_malformed_password_is_a_problem_and_a_secret() -> None:
    """What is no token may be a key or a password, so all of it is to be hidden."""
    credentials = read_credentials(Connect("dev1", username="u", password=b"hunter2-hunter2"))
    assert (credentials.token, credentials.problem) == (None, "Malformed signature")
    assert credentials.secrets == ("hunter2-hunter2",)
    assert credentials.has_password


def test_absent_password() -> None:
    """Without a password there is nothing to read and nothing to hide."""
    credentials = read_credentials(Connect("dev1"))
    assert (credentials.token, credentials.secrets, credentials.has_password) == (None, (), False)


def test_absent_user_name_has_no_parts() -> None:
    """Neither interface version nor SDK."""
    credentials = read_credentials(Connect("dev1"))
    assert (credentials.user_name, credentials.api_version, credentials.sdk_version) == (None, None, None)


def test_repr_hides_the_secrets() -> None:
    """Credentials can be shown in a traceback."""
    assert "hunter2" not in repr(read_credentials(Connect("dev1", username="u", password=b"hunter2-hunter2")))


@given(st.text(), st.none() | st.text(), st.none() | st.binary())
def test_reading_never_raises(client_id: str, username: str | None, password: bytes | None) -> None:
    """Whatever a CONNECT holds can be taken apart."""
    assert read_credentials(Connect(client_id, 0, True, username, password)).client_id == client_id
