"""What the devices of a run present, and how their hubs know them."""

from typing import Any

import pytest
from support.plans import a_cell, a_scenario

from harness.errors import EnvironmentProblem
from harness.hub.certificates import find_fault
from harness.plan import Cell
from harness.run.certificates import Credential, DeviceAuthorities

AUTHORITIES = DeviceAuthorities()


def credential(scenario: str, **changes: Any) -> tuple[Cell, Credential]:
    """The credential of a cell of this scenario."""
    cell = a_cell(scenario=a_scenario(scenario), **changes)
    found = AUTHORITIES.credential(cell)
    assert found is not None
    return cell, found


@pytest.mark.parametrize(
    ("scenario", "fault"),
    [
        ("x509-thumbprint", None),
        ("x509-thumbprint-mismatch", "thumbprint"),
        ("x509-ca", None),
        ("x509-ca-expired", "certificate-validity"),
        ("x509-ca-unknown", "certificate-authority"),
    ],
)
def test_each_scenario_has_its_fault_and_no_other(scenario: str, fault: str | None) -> None:
    """The one that the hub is to find."""
    cell, found = credential(scenario)
    facts = found.certificate.facts
    now = facts.not_after + 3_600 if scenario == "x509-ca-expired" else facts.not_before + 3_600
    assert find_fault(facts, found.registration, cell.id, now) == fault
    assert (scenario == "x509-ca-expired") == (facts.not_after - facts.not_before < 86_401)


def test_a_device_with_a_key_has_no_certificate() -> None:
    """And its hub asks for one all the same."""
    assert AUTHORITIES.credential(a_cell()) is None
    assert AUTHORITIES.client_trust(None).count("BEGIN CERTIFICATE") == 2


def test_tls_lets_the_devices_own_certificate_through() -> None:
    """Which leads to nobody."""
    _, found = credential("x509-thumbprint")
    assert found.certificate.certificate in AUTHORITIES.client_trust(found)


def test_an_id_that_no_certificate_can_name() -> None:
    """A thumbprint does not mind."""
    assert credential("x509-thumbprint", id="d" * 100)
    with pytest.raises(EnvironmentProblem, match="64 characters"):
        credential("x509-ca", id="d" * 65)
