"""What contradicts the certificate of a scenario."""

from typing import Any

import pytest

from harness.certificate import CertificateSettings, certificate_problems
from harness.fault import Fault

SELF_SIGNED, OF_A_CA = CertificateSettings(kind="self-signed"), CertificateSettings(kind="ca")


def fields(certificate: CertificateSettings | None, **changes: Any) -> list[str]:
    """The fields that are wrong."""
    given: dict[str, Any] = {"credential": "certificate", "settings": "none", "faults": (), **changes}
    return [field for field, _, _ in certificate_problems(certificate, **given)]


@pytest.mark.parametrize(
    "certificate",
    [
        SELF_SIGNED,
        OF_A_CA,
        CertificateSettings(kind="self-signed", wrong="thumbprint"),
        CertificateSettings(kind="ca", wrong="expired"),
        CertificateSettings(kind="ca", wrong="unknown-authority"),
    ],
)
def test_what_can_be(certificate: CertificateSettings) -> None:
    """Nothing is wrong with these."""
    assert fields(certificate) == []


@pytest.mark.parametrize(
    ("certificate", "changes", "wrong"),
    [
        (None, {}, ["certificate"]),
        (SELF_SIGNED, {"credential": "key"}, ["certificate"]),
        (CertificateSettings(kind="self-signed", wrong="expired"), {}, ["certificate.wrong"]),
        (CertificateSettings(kind="self-signed", wrong="unknown-authority"), {}, ["certificate.wrong"]),
        (CertificateSettings(kind="ca", wrong="thumbprint"), {}, ["certificate.wrong"]),
        (OF_A_CA, {"settings": "profile"}, ["settings"]),
        (OF_A_CA, {"faults": (Fault(at="half-life", action="cut"),)}, ["faults[0].at"]),
    ],
)
def test_contradictions(certificate: CertificateSettings | None, changes: dict[str, Any], wrong: list[str]) -> None:
    """Each by the field that has to be changed."""
    assert fields(certificate, **changes) == wrong


def test_a_scenario_without_a_certificate_needs_none() -> None:
    """Whatever else it has."""
    assert fields(None, credential="key", settings="profile", faults=(Fault(at="renewal", action="cut"),)) == []
