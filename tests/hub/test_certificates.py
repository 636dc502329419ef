"""A client certificate against the registration of its device."""

from dataclasses import replace

import pytest
from support.hub_world import CERTIFICATE, DEVICE, NOW

from harness.hub.certificates import FAULTS, Certificate, Registration, find_fault

AUTHORITIES = frozenset({CERTIFICATE.root_sha256})
BY_AUTHORITY = Registration("ca", authorities=AUTHORITIES)


@pytest.mark.parametrize(
    "registration",
    [
        Registration("self-signed", CERTIFICATE.sha1),
        Registration("self-signed", CERTIFICATE.sha256),
        Registration("self-signed", "00", CERTIFICATE.sha1),
        Registration("self-signed", secondary=CERTIFICATE.sha256.lower()),
        Registration("self-signed", ":".join(["5a"] * 20)),
    ],
)
def test_either_thumbprint_by_either_digest(registration: Registration) -> None:
    """However it is spelt."""
    assert find_fault(CERTIFICATE, registration, DEVICE, NOW) is None


def test_a_self_signed_certificate_is_asked_for_nothing_but_its_thumbprint() -> None:
    """Neither who it says it is, nor the date."""
    other = replace(CERTIFICATE, common_name=None, not_after=0.0)
    assert find_fault(other, Registration("self-signed", CERTIFICATE.sha1), DEVICE, NOW) is None


def test_an_empty_thumbprint_matches_nothing() -> None:
    """What is not set is no thumbprint."""
    assert find_fault(CERTIFICATE, Registration("self-signed", "00"), DEVICE, NOW) == "thumbprint"


@pytest.mark.parametrize(
    ("certificate", "fault"),
    [
        (CERTIFICATE, None),
        (replace(CERTIFICATE, not_before=NOW, not_after=NOW), None),
        (replace(CERTIFICATE, not_before=NOW + 1), "certificate-validity"),
        (replace(CERTIFICATE, not_after=NOW - 1), "certificate-validity"),
        (replace(CERTIFICATE, common_name="dev2", not_after=0.0), "certificate-subject"),
        (replace(CERTIFICATE, common_name=None), "certificate-subject"),
        (replace(CERTIFICATE, root_sha256="00", common_name="dev2"), "certificate-authority"),
    ],
)
def test_a_certificate_of_an_authority(certificate: Certificate, fault: str | None) -> None:
    """Whose it is comes before what it says, and that before when it says it."""
    assert find_fault(certificate, BY_AUTHORITY, DEVICE, NOW) == fault
    assert fault is None or fault in FAULTS


@pytest.mark.parametrize("transport", ["mqtt", "mqtt-ws", "amqp", "amqp-ws", "https"])
def test_over_which_transports_a_certificate_counts(transport: str) -> None:
    """One of an authority over plain MQTT and AMQP only, however good it is; one that is known by its thumbprint over all."""
    known_itself = Registration("self-signed", CERTIFICATE.sha1)
    assert find_fault(CERTIFICATE, known_itself, DEVICE, NOW, transport) is None
    fault = None if transport in {"mqtt", "amqp"} else "certificate-transport"
    assert find_fault(CERTIFICATE, BY_AUTHORITY, DEVICE, NOW, transport) == fault


@pytest.mark.parametrize("kind", ["self-signed", "ca"])
def test_a_registration_by_nothing(kind: str) -> None:
    """No device could ever come."""
    with pytest.raises(ValueError, match=r"is known by its thumbprint|is trusted"):
        Registration(kind)  # type: ignore[arg-type]
