"""Certificates of a run's devices: made, loaded into a device's TLS, and read where a device has proven one.

Elliptic curves (P-256) and one level of authorities, as Microsoft's own samples for devices have them. A device sends its certificate
alone, so the hub has to know the authority.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.hub.certificates import Certificate
from harness.net.temporary_files import temporary_file

__all__ = [
    "LONGEST_NAME",
    "DeviceAuthority",
    "DeviceCertificate",
    "load_identity",
    "read_certificate",
    "self_signed",
]

LONGEST_NAME = 64
"""Characters of a common name (RFC 5280 appendix A.1, ub-common-name); a device id may have more, and then no certificate of an authority."""
_BEFORE, _AFTER = timedelta(days=2), timedelta(days=366)
_LONG_AGO = timedelta(days=1)  # past any doubt about clocks


@dataclass(frozen=True, slots=True)
class DeviceCertificate:
    """What a device shows and what it keeps, both PEM text; the key is PKCS #8. `facts`: what a hub reads in it."""

    certificate: str
    key: str = field(repr=False)
    facts: Certificate

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must not be written: the key, each line of it, and its lines as one."""
        lines = [line for line in self.key.splitlines() if line and not line.startswith("-----")]
        return (self.key, *lines, "".join(lines))


class DeviceAuthority:
    """An authority for devices. `pem` is its certificate, `sha256` that certificate's fingerprint, hexadecimal in upper case."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        made = (
            _builder(self._name, self._name, self._key, expired=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, SHA256())
        )
        self.pem = made.public_bytes(Encoding.PEM).decode()
        self.sha256 = made.fingerprint(SHA256()).hex().upper()

    def issue(self, device_id: str, *, expired: bool = False) -> DeviceCertificate:
        """A certificate for this device, of `LONGEST_NAME` characters at most; `expired`: since a day ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = _builder(_named(device_id), self._name, key, expired=expired)
        made = _for_clients(builder).add_extension(issuer, critical=False).sign(self._key, SHA256())
        return _device_certificate(made, key, self.sha256)


def self_signed(device_id: str) -> DeviceCertificate:
    """A certificate that this device signed itself; of a longer id the name has the first `LONGEST_NAME` characters, for nobody reads it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named(device_id[:LONGEST_NAME])
    made = _for_clients(_builder(name, name, key, expired=False)).sign(key, SHA256())
    return _device_certificate(made, key, made.fingerprint(SHA256()).hex().upper())


def load_identity(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Let a client's `context` present this certificate; OpenSSL's loader wants a file, so a private one exists for the moment of loading.

    Raises:
        ssl.SSLError: one of them is none, or they do not belong together.
        EnvironmentProblem: no file can be written.
    """
    with temporary_file("device", key + certificate) as path:
        context.load_cert_chain(path)


def read_certificate(chain: Sequence[bytes]) -> Certificate:
    """What is in a certificate, the first of its proven `chain` (DER), the last being the one that was trusted."""
    leaf, root = x509.load_der_x509_certificate(chain[0]), x509.load_der_x509_certificate(chain[-1])
    return _facts(leaf, root.fingerprint(SHA256()).hex().upper())


def _facts(leaf: x509.Certificate, root_sha256: str) -> Certificate:
    names = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Certificate(
        sha1=leaf.fingerprint(SHA1()).hex().upper(),  # noqa: S303 - the service's own identifier
        sha256=leaf.fingerprint(SHA256()).hex().upper(),
        common_name=str(names[0].value) if names else None,
        not_before=leaf.not_valid_before_utc.timestamp(),
        not_after=leaf.not_valid_after_utc.timestamp(),
        root_sha256=root_sha256,
    )


def _device_certificate(made: x509.Certificate, key: ec.EllipticCurvePrivateKey, root_sha256: str) -> DeviceCertificate:
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return DeviceCertificate(made.public_bytes(Encoding.PEM).decode(), secret, _facts(made, root_sha256))


def _for_clients(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, expired: bool
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now - _LONG_AGO if expired else now + _AFTER)
    )


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
