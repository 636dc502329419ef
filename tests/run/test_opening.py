"""Tests of what a device is told to open."""

import base64
from pathlib import Path

import msgspec
import pytest
from support.plans import a_cell, a_scenario

from harness.net.device_certificates import self_signed
from harness.plan import Cell
from harness.profile import Settings
from harness.run.keys import Keys
from harness.run.opening import Way, open_command
from harness.sas import MalformedTokenError, parse

KEY = base64.b64encode(bytes(range(32))).decode()
KEYS = Keys(KEY, KEY, {"service": base64.b64encode(bytes(range(1, 33))).decode()})
GATEWAY = Way("hub.azure-devices.net", "127.64.0.1", 8883, gateway=True)
DIRECT = Way("127.64.0.1", "127.64.0.1", 8883, gateway=False)
BY_FILE = Way("hub.azure-devices.net", "127.64.0.1", 8883, gateway=False, hosts_file=Path("hosts"))


def connection_string(cell: Cell, way: Way) -> dict[str, str]:
    """The parts of the connection string that the device is given."""
    text = str(open_command(cell, way, KEYS, "PEM", 1000.0)[0]["connection_string"])
    return dict(part.split("=", 1) for part in text.split(";"))


def test_an_sdk_that_owns_the_key_is_given_it() -> None:
    """With the gateway's address where the SDK is led by one."""
    assert connection_string(a_cell(), GATEWAY) == {
        "HostName": "hub.azure-devices.net",
        "DeviceId": "one-1.0-mqtt-renewal-1",
        "SharedAccessKey": KEY,
        "GatewayHostName": "127.64.0.1",
    }


def test_an_sdk_without_a_gateway_option_is_given_the_address_as_its_hub() -> None:
    """Its host name is the address."""
    parts = connection_string(a_cell(), DIRECT)
    assert parts["HostName"] == "127.64.0.1"
    assert "GatewayHostName" not in parts


def test_an_sdk_led_by_a_hosts_file_is_given_the_hubs_own_name() -> None:
    """And no other."""
    parts = connection_string(a_cell(), BY_FILE)
    assert parts["HostName"] == "hub.azure-devices.net"
    assert "GatewayHostName" not in parts


def test_over_https_there_are_no_methods() -> None:
    """Messages from the cloud there are."""
    cell = msgspec.structs.replace(a_cell(), transport="https")
    command, _ = open_command(cell, DIRECT, KEYS, "PEM", 1000.0)
    assert (command["c2d"], command["methods"], "method_names" in command) == (True, False, False)


@pytest.mark.parametrize(("way", "how"), [(GATEWAY, "gateway"), (DIRECT, "host-ip"), (BY_FILE, "hosts-file")])
def test_the_header_tells_the_way(way: Way, how: str) -> None:
    """By the name the profile has for it."""
    assert way.described()["how"] == how


def test_a_fixed_token_lives_as_long_as_the_scenario_says() -> None:
    """And no key goes with it."""
    parts = connection_string(a_cell(scenario=a_scenario("expiry")), GATEWAY)
    token = parse(parts["SharedAccessSignature"])
    assert (token.expiry, token.resource) == (1010, "hub.azure-devices.net%2Fdevices%2Fone-1.0-mqtt-renewal-1")
    assert "SharedAccessKey" not in parts


@pytest.mark.parametrize(("name", "expiry"), [("clock-behind-6", 1030), ("clock-behind-6-process", 670)])
def test_a_token_is_made_by_the_clock_of_the_process(name: str, expiry: int) -> None:
    """Where that is off; where the hub's is, it is made by the right time."""
    parts = connection_string(a_cell(scenario=a_scenario(name)), GATEWAY)
    assert parse(parts["SharedAccessSignature"]).expiry == expiry


@pytest.mark.parametrize(
    ("name", "further"), [("expiry", None), ("own-token-asked", "asked"), ("own-token-renewed", "unasked")]
)
def test_further_tokens_are_announced(name: str, further: str | None) -> None:
    """For an SDK whose client has to be made for them."""
    command, _ = open_command(a_cell(scenario=a_scenario(name)), GATEWAY, KEYS, "PEM", 1000.0)
    assert command.get("further_tokens") == further


def test_only_what_is_set_is_said() -> None:
    """What is left out stays the SDK's default."""
    command, _ = open_command(a_cell(settings=Settings(lifetime_s=20, margin_percent=15)), GATEWAY, KEYS, "PEM", 0.0)
    assert {key: command[key] for key in command if key != "connection_string"} == {
        "cmd": "open", "transport": "mqtt", "ca_pem": "PEM", "c2d": True, "methods": True, "method_names": ["probe"],
        "lifetime_s": 20, "margin_percent": 15,
    }  # fmt: skip
    assert "lifetime_s" not in open_command(a_cell(settings=Settings()), GATEWAY, KEYS, "PEM", 0.0)[0]


def test_the_proxy_is_told_where_there_is_one() -> None:
    """And the header says `via_proxy`."""
    way = Way("h", "127.64.0.1", 12345, gateway=True, proxy=("127.0.0.1", 999))
    assert open_command(a_cell(), way, KEYS, "PEM", 0.0)[0]["proxy"] == {"host": "127.0.0.1", "port": 999}
    assert way.described()["via_proxy"] is True


def test_the_signature_of_a_fixed_token_comes_with_it() -> None:
    """So that it can be kept out of the log before anybody has seen it; a key of the SDK's has none."""
    command, secrets = open_command(a_cell(scenario=a_scenario("expiry")), GATEWAY, KEYS, "PEM", 1000.0)
    assert len(secrets) == 2
    assert secrets[0] in str(command["connection_string"])
    assert open_command(a_cell(), GATEWAY, KEYS, "PEM", 0.0)[1] == ()


def test_without_a_credential_it_speaks_of_a_certificate_that_nobody_hands_over() -> None:
    """The one form of a connection string that holds neither key nor token."""
    parts = connection_string(a_cell(scenario=a_scenario("no-credential")), GATEWAY)
    assert parts["x509"] == "true"
    assert not {"SharedAccessKey", "SharedAccessSignature"} & set(parts)


def test_a_policys_token_is_signed_with_its_key() -> None:
    """And names it."""
    parts = connection_string(a_cell(scenario=a_scenario("rule-not-allowed")), GATEWAY)
    token = parse(parts["SharedAccessSignature"])
    assert (token.policy, token.verify(KEYS.policies["service"])) == ("service", True)


def test_a_token_that_is_over_ended_when_the_scenario_says() -> None:
    """Ten minutes ago."""
    parts = connection_string(a_cell(scenario=a_scenario("expired-at-start")), GATEWAY)
    assert parse(parts["SharedAccessSignature"]).expiry == 400


@pytest.mark.parametrize(
    ("scenario", "why"), [("malformed-token", "Malformed signature"), ("token-cut-off", "Missing field: se")]
)
def test_a_spoilt_token_is_malformed_to_the_hub(scenario: str, why: str) -> None:
    """Each in its own way; its signature, as it was, comes with it to be kept out of the log."""
    cell = a_cell(scenario=a_scenario(scenario))
    with pytest.raises(MalformedTokenError, match=why):
        parse(connection_string(cell, GATEWAY)["SharedAccessSignature"])
    assert len(open_command(cell, GATEWAY, KEYS, "PEM", 1000.0)[1]) == 2


def test_a_device_with_a_certificate_has_neither_key_nor_token() -> None:
    """Its private key is a secret."""
    cell, mine = a_cell(scenario=a_scenario("x509-thumbprint"), settings=Settings()), self_signed("dev1")
    command, secrets = open_command(cell, GATEWAY, KEYS, "PEM", 1000.0, mine)
    text = f"HostName=hub.azure-devices.net;DeviceId={cell.id};x509=true;GatewayHostName=127.64.0.1"
    assert command["connection_string"] == text
    assert (command["cert_pem"], command["key_pem"], secrets) == (mine.certificate, mine.key, mine.secrets)
    assert (command["host"], command["device_id"]) == ("hub.azure-devices.net", cell.id)
