"""The decision table: every check, in its order."""

import inspect
import re
from dataclasses import replace
from urllib.parse import quote

import pytest
from support.hub_world import (
    BY_AUTHORITY,
    CERTIFICATE,
    DEVICE,
    HUB_NAME,
    IDENTITY,
    LIFETIME,
    NOW,
    POLICY,
    PRIMARY,
    RESOURCE,
    RULE_KEY,
    SECONDARY,
    SELF_SIGNED,
    USER_NAME,
    connect_packet,
    token,
)

from harness.hub.auth import CHECKS, Gate
from harness.hub.certificates import FAULTS, Certificate
from harness.hub.credentials import read_credentials
from harness.hub.identity import Identity
from harness.protocol.mqtt.packets import Connect

GATE = Gate(IDENTITY, POLICY, frozenset({HUB_NAME, "127.64.0.1"}))


def refused(packet: Connect, gate: Gate = GATE, now: float = NOW) -> str:
    """The check that refuses a CONNECT, empty if none does."""
    refusal = gate.judge(read_credentials(packet), now)
    return "" if refusal is None else refusal.check.name


def gate_with(**changes: object) -> Gate:
    """A gate to another identity."""
    return replace(GATE, identity=replace(IDENTITY, **changes))  # type: ignore[arg-type]


def rule_token(resource: str, skn: str = "device") -> str:
    """A token signed with the key of the hub's policies."""
    return token(resource=resource, key=RULE_KEY, skn=skn)


@pytest.mark.parametrize(
    "password",
    [
        token(),
        token(key=SECONDARY),
        token(resource=f"{HUB_NAME}/devices/{DEVICE}"),
        token(resource=f"{HUB_NAME.upper()}%2Fdevices%2F{DEVICE}"),
        token(resource=f"127.64.0.1/devices/{DEVICE}"),
        token(skn=""),
        token(skn=DEVICE),
        rule_token(RESOURCE),
        rule_token(f"{HUB_NAME}/devices"),
        rule_token(HUB_NAME),
    ],
)
def test_good_tokens_are_let_in(password: str) -> None:
    """Either key, every spelling, both names of the hub, and a policy's token for each scope above the device."""
    assert refused(connect_packet(password)) == ""


OTHER_DEVICE = quote(f"{HUB_NAME}/devices/dev2", safe="")
REFUSALS = [
    ("user-name", connect_packet(username=None)),
    ("user-name", connect_packet(username=HUB_NAME)),
    ("hub-name", connect_packet(username=USER_NAME.replace("contoso", "fabrikam"))),
    ("client-id", connect_packet(client_id="dev2")),
    ("client-id", connect_packet(client_id="")),
    ("credential", Connect(DEVICE, username=USER_NAME)),
    ("token-form", connect_packet("SharedAccessSignature sig=AAAA")),
    ("token-form", Connect(DEVICE, username=USER_NAME, password=b"")),
    ("expiry", connect_packet(token(NOW - 6))),
    ("token-hub", connect_packet(token(resource=f"fabrikam.azure-devices.net/devices/{DEVICE}"))),
    ("registered", connect_packet(username=f"{HUB_NAME}/dev2", client_id="dev2")),
    ("registered", connect_packet(username=f"{HUB_NAME}/{DEVICE}/mod1/?api-version=1", client_id=f"{DEVICE}/mod1")),
    ("rule", connect_packet(rule_token(RESOURCE, "nobody"))),
    ("rule", connect_packet(rule_token(RESOURCE, "service"))),
    ("rule", connect_packet(rule_token(OTHER_DEVICE))),
    ("rule", connect_packet(rule_token(f"{HUB_NAME}/devices/{DEVICE}/modules/mod1"))),
    ("signature", connect_packet(token(key=RULE_KEY))),
    ("signature", connect_packet(token(key=PRIMARY, skn="device"))),
    ("token-device", connect_packet(token(resource=OTHER_DEVICE))),
    ("token-device", connect_packet(token(resource=f"{HUB_NAME}/devices"))),
    ("token-device", connect_packet(token(resource=f"{HUB_NAME}/devices/{DEVICE}/modules/mod1"))),
]


@pytest.mark.parametrize(("check", "packet"), REFUSALS)
def test_bad_credentials_are_refused(check: str, packet: Connect) -> None:
    """Each is refused by the check that is about it."""
    assert refused(packet) == check


def test_switched_off_sas_refuses_every_token() -> None:
    """The hub may refuse shared access signatures altogether."""
    assert refused(connect_packet(), gate_with(sas_enabled=False)) == "sas-enabled"


def test_disabled_device_is_refused_with_a_good_token() -> None:
    """That is the last check: whoever is told has proven to be the device."""
    assert refused(connect_packet(), gate_with(status="disabled")) == "device-enabled"


def test_device_that_is_not_registered_is_not_found() -> None:
    """Whatever its token, the hub knows no such device."""
    assert refused(connect_packet(), gate_with(registered=False)) == "registered"


def test_nothing_to_judge_is_a_missing_header() -> None:
    """Where a protocol lets a device ask for something before it has shown anything."""
    refusal = GATE.refuse_without_credential(DEVICE)
    assert refusal.shown == {"check": "credential", "message": "Authorization header missing"}


def test_every_check_is_tested() -> None:
    """No row of the table without a case above."""
    by_token = {name for name, _ in REFUSALS} | {"sas-enabled", "device-enabled"}
    assert {check.name for check in CHECKS} == by_token | {"x509-enabled", *FAULTS}


def test_checks_are_made_in_the_order_of_the_table() -> None:
    """The table is the specification; the code that makes the checks names one after the other."""
    order = [check.name for check in CHECKS if check.name not in {"x509-enabled", *FAULTS}]
    code = inspect.getsource(Gate._first_failure)
    assert [name for name in re.findall(r'"([a-z-]+)"', code) if name in order] == order


@pytest.mark.parametrize(("age", "check"), [(5.0, ""), (5.5, "expiry")])
def test_expired_token_is_good_until_the_skew_is_over(age: float, check: str) -> None:
    """At expiry + skew itself the token is still accepted."""
    assert refused(connect_packet(), now=NOW + LIFETIME + age) == check


def test_expiry_is_judged_before_the_signature() -> None:
    """An expired token is called expired, whoever signed it."""
    assert refused(connect_packet(token(NOW - 6, key=RULE_KEY))) == "expiry"


def test_hub_judges_by_its_own_clock() -> None:
    """For a hub that is a minute ahead, the token is a minute older."""
    gate = replace(GATE, policy=replace(POLICY, clock_shift_s=LIFETIME + 6.0))
    assert refused(connect_packet(), gate) == "expiry"


def test_module_rule_token_does_not_cover_a_longer_id() -> None:
    """Scopes go by whole segments."""
    identity = Identity(HUB_NAME, "dev12", PRIMARY, SECONDARY, policies=IDENTITY.policies)
    packet = connect_packet(rule_token(RESOURCE), f"{HUB_NAME}/dev12", "dev12")
    assert refused(packet, replace(GATE, identity=identity)) == "rule"


@pytest.mark.parametrize(
    ("check", "text", "message"),
    [
        (
            "registered",
            f"Device dev2 at IotHub {HUB_NAME} not registered.",
            f"IotHub '{HUB_NAME}' does not contain the specified device 'dev2'",
        ),
        ("credential", "Authorization header missing", "Authorization header missing"),
        (
            "token-form",
            "Missing field: se",
            "Authentication failed for this device, renew token or certificate and reconnect",
        ),
        (
            "rule",
            "The shared access policy does not allow the device to connect.",
            "Authorization rule 'nobody' does not allow access for 'dev1'",
        ),
        (
            "token-device",
            "The specified SAS token is for another device.",
            "Authorization rule 'device' does not allow access for 'dev1'",
        ),
        (
            "hub-name",
            "The credentials name another hub.",
            "IotHub 'fabrikam.azure-devices.net' does not contain the specified device 'dev1'",
        ),
    ],
)
def test_texts_are_filled_in(check: str, text: str, message: str) -> None:
    """The texts name the device, the hub, the rule, or what is wrong with the token."""
    packet = next(packet for name, packet in REFUSALS if name == check)
    refusal = GATE.judge(read_credentials(packet), NOW)
    assert refusal is not None
    assert (refusal.text, refusal.message) == (text, message)


def test_user_name_without_a_hub_is_reported_for_this_hub() -> None:
    """A refusal can be written even if the CONNECT names nothing."""
    refusal = GATE.judge(read_credentials(Connect("")), NOW)
    assert refusal is not None
    assert refusal.check.code == "401003"


def test_statuses_over_amqp() -> None:
    """Whom the hub does not know is not found; who names nobody asks wrongly; the rest is unauthorized."""
    statuses = {check.name: check.status for check in CHECKS}
    others = {name: status for name, status in statuses.items() if status != 401}
    assert others == {"user-name": 400, "registered": 404, "device-enabled": 404}


@pytest.mark.parametrize(
    ("code", "status", "name", "answers"),
    [
        (None, None, "expiry", (5, 401)),
        (4, None, "expiry", (4, 401)),
        (3, None, "server", (3, 500)),
        (None, 500, "server", (3, 500)),
        (None, 404, "registered", (5, 404)),
        (4, 403, "tokens", (4, 403)),
        (None, 400, "form", (5, 400)),
    ],
)
def test_refusal_by_a_fault(code: int | None, status: int | None, name: str, answers: tuple[int, int]) -> None:
    """As if the token were expired, or as the fault wants it, whatever the token is."""
    check = GATE.refuse_by_fault(read_credentials(connect_packet()), code, status).check
    assert (check.name, (check.connack, check.status)) == (name, answers)


def test_device_that_was_deleted() -> None:
    """Is not registered."""
    gate = replace(GATE, identity=replace(GATE.identity, registered=False))
    refusal = gate.judge(read_credentials(connect_packet()), NOW)
    assert refusal is not None
    assert refusal.check.name == "registered"


BARE = Connect(DEVICE, username=USER_NAME)


def with_certificate(identity: Identity, packet: Connect = BARE, **changes: object) -> str:
    """The check that refuses a device with a certificate, registered as `identity`."""
    certificate = replace(CERTIFICATE, **changes)  # type: ignore[arg-type]
    refusal = replace(GATE, identity=identity).judge(read_credentials(packet, certificate), NOW)
    return "" if refusal is None else refusal.check.name


@pytest.mark.parametrize("identity", [SELF_SIGNED, BY_AUTHORITY])
def test_a_device_with_its_certificate_is_let_in(identity: Identity) -> None:
    """Without any token."""
    assert with_certificate(identity) == ""


@pytest.mark.parametrize(
    ("check", "identity", "packet", "changes"),
    [
        ("hub-name", SELF_SIGNED, Connect(DEVICE, username=USER_NAME.replace("contoso", "fabrikam")), {}),
        ("registered", SELF_SIGNED, Connect("dev2", username=f"{HUB_NAME}/dev2"), {}),
        ("x509-enabled", IDENTITY, BARE, {}),
        ("thumbprint", SELF_SIGNED, BARE, {"sha1": "00"}),
        ("certificate-authority", BY_AUTHORITY, BARE, {"root_sha256": "00"}),
        ("certificate-subject", BY_AUTHORITY, BARE, {"common_name": "dev2"}),
        ("certificate-validity", BY_AUTHORITY, BARE, {"not_after": NOW - 1}),
        ("device-enabled", replace(SELF_SIGNED, status="disabled"), BARE, {}),
        ("sas-enabled", SELF_SIGNED, connect_packet(), {}),
        ("token-form", SELF_SIGNED, Connect(DEVICE, username=USER_NAME, password=b"x"), {}),
    ],
)
def test_bad_certificates_are_refused(
    check: str, identity: Identity, packet: Connect, changes: dict[str, object]
) -> None:
    """Each by the check that is about it; a token beside the certificate is judged in its stead, and such a device has none."""
    assert with_certificate(identity, packet, **changes) == check


def test_a_device_known_by_certificate_comes_without() -> None:
    """There is nothing to judge."""
    assert refused(BARE, replace(GATE, identity=SELF_SIGNED)) == "credential"


def test_the_validity_is_judged_by_the_hubs_own_clock() -> None:
    """As tokens are."""
    gate = replace(GATE, identity=BY_AUTHORITY, policy=replace(POLICY, clock_shift_s=1e6))
    refusal = gate.judge(read_credentials(BARE, CERTIFICATE), NOW)
    assert refusal is not None
    assert refusal.check.name == "certificate-validity"


def test_the_message_of_a_mismatch_names_both_sides() -> None:
    """The fifth of the messages in "401003 IoTHubUnauthorized"."""
    gate = replace(GATE, identity=SELF_SIGNED)
    other = Certificate("11" * 20, "22" * 32, DEVICE, 0.0, 0.0, "33" * 32)
    refusal = gate.judge(read_credentials(BARE, other), NOW)
    assert refusal is not None
    assert refusal.message == (
        f"Thumbprint does not match configuration: Thumbprint: SHA1Hash={'11' * 20}, SHA2Hash={'22' * 32};"
        f" Configuration: PrimaryThumbprint={'5A' * 20}, SecondaryThumbprint="
    )
    assert (refusal.check.code, refusal.check.connack) == ("401003", 5)
