"""SAS tokens: the forms all SDKs send, signatures, scopes and what is malformed."""

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.sas import MalformedTokenError, covers, decode_key, make_token, parse, sign

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER_KEY = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
SE = 1_767_225_600
HOST = "hub1.azure-devices.net"
DEVICE_IDS = st.text(
    "ABCXYZabcxyz0189-:.+%_#*?!(),=@;$'", min_size=1, max_size=128
)  # IoT Hub documentation, identity registry


@pytest.mark.parametrize(
    ("resource", "sig"),
    [
        ("hub1.azure-devices.net%2Fdevices%2Fdev1", "LzPWB2jTnQdFPww4A%2BnwUMPcAI5ocx93l%2FZWyGfp1C8%3D"),
        ("hub1.azure-devices.net/devices/dev1", "aVrnhCx%2BSsfffNI%2BizJmSlOIx%2BDENJrNrXo6Sm1TKXA%3D"),
    ],
)
def test_test_vectors(resource: str, sig: str) -> None:
    """The signature covers the resource as it is spelled in the token."""
    assert make_token(resource, KEY, SE) == f"SharedAccessSignature sr={resource}&sig={sig}&se={SE}"


def test_make_token_appends_the_policy() -> None:
    """A policy's key is named by skn, at the end."""
    assert make_token("r", KEY, SE, "device").endswith(f"&se={SE}&skn=device")


def double(host: str, device: str) -> str:
    """The resource as .NET spells it: the id encoded, and the whole encoded once more."""
    return quote(f"{host}/devices/{quote(device, safe='')}", safe="")


def lower_case(host: str, device: str) -> str:
    """Percent-encoding with lower-case digits, as some SDKs write it for some characters."""
    return quote(f"{host}/devices/{device}", safe="").replace("%2F", "%2f")


SPELLINGS: dict[str, Callable[[str, str], str]] = {
    "python": lambda host, device: quote(f"{host}/devices/{device}", safe=""),
    "node": lower_case,
    "dotnet": double,
    "java": lambda host, device: f"{host}/devices/{quote(device, safe='')}",
    "c": lambda host, device: f"{host}/devices/{device}",
    "scheme": lambda host, device: f"https://{host}/devices/{quote(device, safe='')}",
}
ORDERS = {
    "sr first": "SharedAccessSignature sr={sr}&sig={sig}&se={se}{skn}",
    "sr last": "SharedAccessSignature sig={sig}&se={se}{skn}&sr={sr}",
    "upper case": "SharedAccessSignature SIG={sig}&SE={se}{skn}&SR={sr}",
}


@given(
    device=DEVICE_IDS,
    spelling=st.sampled_from(sorted(SPELLINGS)),
    order=st.sampled_from(sorted(ORDERS)),
    skn=st.sampled_from(["", "&skn=", "&skn=device"]),
    key=st.binary(min_size=1, max_size=64),
    se=st.integers(0, 999_999_999_999),
)
def test_round_trip_over_all_spellings(device: str, spelling: str, order: str, skn: str, key: bytes, se: int) -> None:
    """A token made with any SDK's spelling and field order parses, verifies and means its device."""
    encoded_key = base64.b64encode(key).decode()
    resource = SPELLINGS[spelling](HOST, device)
    signature = quote(sign(resource, str(se), encoded_key), safe="")
    token = parse(ORDERS[order].format(sr=resource, sig=signature, se=se, skn=skn))
    assert token.verify(encoded_key)
    assert (HOST, "devices", device) in token.scopes()
    assert (token.resource, token.expiry, token.sig) == (resource, se, signature)
    assert token.policy_name("other") == ("device" if skn == "&skn=device" else None)


@pytest.mark.parametrize("changed", [{"resource": "hub1.azure-devices.net%2fdevices%2Fdev1"}, {"se": SE + 1}])
def test_signature_covers_resource_and_expiry(changed: dict[str, str | int]) -> None:
    """Any other spelling of the resource, or another expiry, is another text."""
    values = {"resource": "hub1.azure-devices.net%2Fdevices%2Fdev1", "se": SE}
    good = parse(make_token(str(values["resource"]), KEY, SE))
    values |= changed
    forged = parse(f"SharedAccessSignature sr={values['resource']}&sig={good.sig}&se={values['se']}")
    assert not forged.verify(KEY)


def test_verify_refuses_another_key() -> None:
    """Only the key that signed verifies."""
    assert not parse(make_token("r", KEY, SE)).verify(OTHER_KEY)


def test_verify_refuses_a_truncated_signature() -> None:
    """A signature of another length is just wrong."""
    assert not parse(f"SharedAccessSignature sr=r&sig=AAAA&se={SE}").verify(KEY)


@pytest.mark.parametrize("key", ["no base64!", "AAA", "ä"])
def test_bad_keys_are_value_errors(key: str) -> None:
    """A key that is no base64 cannot sign."""
    with pytest.raises(ValueError, match="base64"):
        decode_key(key)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Malformed signature"),
        ("SharedAccessSignature", "Malformed signature"),
        ("sharedaccesssignature sr=r&sig=AAAA&se=1", "Malformed signature"),
        ("SharedAccessSignature  sr=r&sig=AAAA&se=1", "Malformed signature"),
        ("SharedAccessSignature sr=r&sig=AAAA&se=1\n", "Malformed signature"),
        ("SharedAccessSignature sr=r sig=AAAA&se=1", "Malformed signature"),
        ("SharedAccessSignature skn=x", "Missing field: sig"),
        ("SharedAccessSignature sig=AAAA", "Missing field: se"),
        ("SharedAccessSignature sig=AAAA&se=1", "Missing field: sr"),
        ("SharedAccessSignature sr=r&sig=AAA&se=1", "Malformed signature"),
        ("SharedAccessSignature sr=r&sig=%C3%A4&se=1", "Malformed signature"),
        ("SharedAccessSignature sr=r&sig=AAAA&se=soon", "Malformed signature"),
        ("SharedAccessSignature sr=r&sig=AAAA&se=", "Malformed signature"),
        ("SharedAccessSignature sr=r&sig=AAAA&se=-1", "Malformed signature"),
        ("SharedAccessSignature sr=r&sig=AAAA&se=1.5", "Malformed signature"),
        ("SharedAccessSignature sr=r&sig=AAAA&se=\N{ARABIC-INDIC DIGIT ONE}", "Malformed signature"),
        ("SharedAccessSignature sr=r&sig=AAAA&se=" + "9" * 5000, "Malformed signature"),
        ("SharedAccessSignature sr=r&sig=AAAA&se=1&sr=r", "Malformed signature"),
        ("SharedAccessSignature sr=r&sig=AAAA&se=1&SE=1", "Malformed signature"),
    ],
)
def test_malformed_tokens(text: str, reason: str) -> None:
    """Each way of being malformed has the service's text for it."""
    with pytest.raises(MalformedTokenError) as caught:
        parse(text)
    assert str(caught.value) == reason


@given(st.text() | st.builds("SharedAccessSignature {}".format, st.text("srigekn=&%2F1 \u00e4", max_size=40)))
def test_parse_raises_nothing_else(text: str) -> None:
    """Whatever the text, it is a token or it is malformed, and a token can be asked everything."""
    try:
        token = parse(text)
    except MalformedTokenError:
        return
    token.verify(KEY)
    assert token.scopes()
    assert len(token.digest) == 16
    token.policy_name("dev1")


def test_empty_and_unknown_fields_are_skipped() -> None:
    """What the format does not name is no error."""
    assert parse("SharedAccessSignature &sr=r&&sig=AAAA&se=1&x").resource == "r"


@pytest.mark.parametrize(
    ("skn", "name"), [("", None), ("dev%201", None), ("dev 1", None), ("device", "device"), ("my%20rule", "my rule")]
)
def test_policy_name(skn: str, name: str | None) -> None:
    """An empty skn, and the device's own id in any spelling, name no policy."""
    token = parse("SharedAccessSignature sr=r&sig=AAAA&se=1&skn=" + skn.replace(" ", "%20"))
    assert token.policy_name("dev 1") == name


@pytest.mark.parametrize(
    "resource",
    [
        "HUB1.azure-devices.net/devices/dev1",
        "amqps://hub1.azure-devices.net/devices/dev1",
        "hub1.azure-devices.net/devices/dev1/",
        "hub1.azure-devices.net/devices/dev1/api-version=2016-11-14",
    ],
)
def test_scopes_drop_what_says_nothing(resource: str) -> None:
    """Case of the host, a scheme, a closing slash and an api-version do not change the scope."""
    token = parse(make_token(resource, KEY, SE))
    assert set(token.scopes()) == {(HOST, "devices", "dev1")}


def test_scopes_keep_the_case_of_ids() -> None:
    """Device ids are case-sensitive."""
    token = parse(make_token(f"{HOST}/devices/Dev1", KEY, SE))
    assert (HOST, "devices", "dev1") not in token.scopes()


@pytest.mark.parametrize(
    ("scope", "answer"),
    [
        ((), True),
        (("a",), True),
        (("a", "b"), True),
        (("a", "b", "c"), False),
        (("a", "bc"), False),
        (("a", ""), False),
    ],
)
def test_covers_goes_by_segments(scope: tuple[str, ...], answer: bool) -> None:  # noqa: FBT001 - a table
    """A scope covers itself and what is below it."""
    assert covers(scope, ("a", "b")) is answer


def test_repr_hides_the_signature() -> None:
    """A token can be shown in a traceback."""
    token = parse(make_token("r", KEY, SE))
    assert token.signature not in repr(token)
    assert token.sig not in repr(token)


def test_digest_ignores_the_spelling() -> None:
    """The same signature, encoded with other digits, is the same token."""
    text = make_token("r", KEY, SE)
    assert "%3D" in text
    assert parse(text).digest == parse(text.replace("%3D", "=")).digest
