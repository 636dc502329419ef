"""Who the devices of a run are where they have certificates: their authorities, and for each cell what it presents and how the hub knows it."""

from dataclasses import dataclass

from harness.errors import EnvironmentProblem
from harness.hub.certificates import Registration
from harness.net.device_certificates import LONGEST_NAME, DeviceAuthority, DeviceCertificate, self_signed
from harness.plan import Cell

__all__ = ["Credential", "DeviceAuthorities"]


@dataclass(frozen=True, slots=True)
class Credential:
    """The certificate of a cell's device, and by what the hub knows the device."""

    certificate: DeviceCertificate
    registration: Registration


class DeviceAuthorities:
    """Two authorities for devices: the hubs of the run trust the one and not the other."""

    def __init__(self) -> None:
        self._trusted = DeviceAuthority("IoT credential expiry harness, devices of one run")
        self._unknown = DeviceAuthority("IoT credential expiry harness, an authority no hub knows")

    def client_trust(self, credential: Credential | None) -> str:
        """The certificates (PEM) to which that of a device has to lead so that TLS lets the hub judge it: see `make_authority`."""
        own = credential.certificate.certificate if credential is not None else ""
        return self._trusted.pem + self._unknown.pem + own

    def credential(self, cell: Cell) -> Credential | None:
        """A fresh one for the cell's device, whose id is the cell's; None where its scenario has no certificate.

        Raises:
            EnvironmentProblem: the id is too long to be the name in a certificate.
        """
        wanted = cell.scenario.certificate
        if wanted is None:
            return None
        if wanted.kind == "self-signed":
            mine = self_signed(cell.id)
            registered = self_signed(cell.id) if wanted.wrong == "thumbprint" else mine
            return Credential(mine, Registration("self-signed", registered.facts.sha256))
        if len(cell.id) > LONGEST_NAME:
            raise EnvironmentProblem(
                f"the device's id {cell.id} is longer than the {LONGEST_NAME} characters of a name in a certificate;"
                " give the scenario a shorter one"
            )
        authority = self._unknown if wanted.wrong == "unknown-authority" else self._trusted
        certificate = authority.issue(cell.id, expired=wanted.wrong == "expired")
        return Credential(certificate, Registration("ca", authorities=frozenset({self._trusted.sha256})))
