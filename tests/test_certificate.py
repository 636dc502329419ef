"""What contradicts the certificate of a scenario."""

from typing import Any

import pytest

from harness.certificate import NO_AUTHORITIES, CertificateSettings, certificate_problems
from harness.fault import Fault
from harness.hub.certificates import NOT_OVER

SELF_SIGNED, OF_A_CA = CertificateSettings(kind="self-signed"), CertificateSettings(kind="ca")


def fields(certificate: CertificateSettings | None, **changes: Any) -> list[str]:
    """The fields that are wrong."""
    about = {"credential": "certificate", "settings": "none", "faults": (), "transports": ("mqtt", "amqp")}
    given: dict[str, Any] = {**about, **changes}
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
        (OF_A_CA, {"transports": ("mqtt", "https")}, ["transports"]),
        (OF_A_CA, {"settings": "profile"}, ["settings"]),
        (OF_A_CA, {"faults": (Fault(at="half-life", action="cut"),)}, ["faults[0].at"]),
    ],
)
def test_contradictions(certificate: CertificateSettings | None, changes: dict[str, Any], wrong: list[str]) -> None:
    """Each by the field that has to be changed."""
    assert fields(certificate, **changes) == wrong


@pytest.mark.parametrize(
    ("certificate", "refused"),
    [(OF_A_CA, [False, True, True]), (SELF_SIGNED, [False] * 3), (CertificateSettings(kind="ca", wrong="expired"), [True] * 3)],
)  # fmt: skip
def test_who_is_refused(certificate: CertificateSettings, refused: list[bool]) -> None:
    """A bad certificate everywhere, a good one of an authority over WebSocket and HTTPS."""
    about = [("mqtt", "amqp"), ("mqtt-ws", "amqp-ws"), ("https",)]
    assert [certificate.is_refused(transports) for transports in about] == refused
    assert [fields(certificate, transports=transports) for transports in about] == [[]] * 3


def test_hub_and_documents_speak_of_the_same_transports() -> None:
    """Neither may import the other."""
    assert NO_AUTHORITIES == NOT_OVER


def test_a_scenario_without_a_certificate_needs_none() -> None:
    """Whatever else it has."""
    assert fields(None, credential="key", settings="profile", faults=(Fault(at="renewal", action="cut"),)) == []
