"""Whether a client certificate belongs to the device. `CHECKS` of `auth` holds the texts; here the first fault that is found decides.

The certificate was proven in the TLS handshake, which fails only where it leads to nobody that the run knows; it is judged later, at CONNECT or when a link is
opened (IoT Hub documentation, "Transport Layer Security (TLS) support in IoT Hub"). What is asked of it depends on how the device is registered
("Authenticate identities with X.509 certificates"):

| registered | asked |
|---|---|
| self-signed | the SHA-1 or SHA-256 of the certificate is the primary or the secondary thumbprint; nothing else |
| ca | it comes by another transport than `NOT_OVER`, leads to an authority whose possession was proven to the hub, names the device as its subject, and is valid now |

Nobody asks for revocation lists, and nothing is tolerated at the ends of the validity: no document names such a tolerance.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

__all__ = ["FAULTS", "NOT_OVER", "Certificate", "CertificateFault", "Registration", "find_fault"]

CertificateFault = Literal[
    "thumbprint", "certificate-transport", "certificate-authority", "certificate-subject", "certificate-validity"
]
FAULTS: Final[tuple[CertificateFault, ...]] = get_args(CertificateFault)
"""What can be wrong, in the order in which it is looked for."""
NOT_OVER: Final = frozenset({"mqtt-ws", "amqp-ws", "https"})
"""The transports over which the service takes no certificate of an authority ("Authenticate identities with X.509 certificates", its older editions)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is in a client certificate.

    `sha1`, `sha256`: of its DER form, hexadecimal in upper case. `not_before`, `not_after`: seconds since the Unix epoch. `root_sha256`: of the
    certificate at the end of its proven chain, which is its own where it signed itself. `common_name`: of the subject, None without.
    """

    sha1: str
    sha256: str
    common_name: str | None
    not_before: float
    not_after: float
    root_sha256: str


@dataclass(frozen=True, slots=True)
class Registration:
    """By which certificates the hub knows a device. Raises `ValueError` where by none.

    `self-signed`: by `primary` or `secondary`, thumbprints in hexadecimal, either case, with or without colons; empty: not set.
    `ca`: by those that lead to one of `authorities`, each the SHA-256 of an authority's certificate, hexadecimal in upper case.
    """

    kind: Literal["self-signed", "ca"]
    primary: str = ""
    secondary: str = ""
    authorities: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Check that there is a way in."""
        if self.kind == "self-signed" and not (self.primary or self.secondary):
            raise ValueError("a self-signed certificate is known by its thumbprint, and none is set")
        if self.kind == "ca" and not self.authorities:
            raise ValueError("no certificate authority is trusted")


def find_fault(
    certificate: Certificate, registration: Registration, device_id: str, now: float, transport: str = ""
) -> CertificateFault | None:
    """What is wrong with the certificate of the device `device_id` at `now` over `transport`, None if it lets the device in."""
    if registration.kind == "self-signed":
        known = {_bare(registration.primary), _bare(registration.secondary)}
        return None if known & {certificate.sha1, certificate.sha256} else "thumbprint"
    if transport in NOT_OVER:
        return "certificate-transport"
    if certificate.root_sha256 not in registration.authorities:
        return "certificate-authority"
    if certificate.common_name != device_id:
        return "certificate-subject"
    return None if certificate.not_before <= now <= certificate.not_after else "certificate-validity"


def _bare(thumbprint: str) -> str:
    return thumbprint.replace(":", "").upper()
