"""The certificates of a run's hubs: one authority, and from it one server certificate per cell. Those of devices are in `device_certificates`.

A certificate per cell, because cells get their addresses one after the other while the run goes on; elliptic curves
(P-256), because making one then takes a fraction of a millisecond. Keys live in memory; OpenSSL's loader wants a file, so a
private one exists for the moment of loading.
"""

import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.net.tls import remember_server_name

__all__ = ["Authority", "ServerCertificate", "client_context", "make_authority"]

# Wide, since the clock of a device under test may be wrong or faked.
_BEFORE, _AFTER = timedelta(days=366), timedelta(days=3660)
_ANY_TIME = 0x20_0000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h: whether a certificate is still valid is the hub's to judge


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """What a server shows and what it keeps, both PEM text."""

    certificate: str
    key: str = field(repr=False)


class Authority:
    """A certificate authority that devices are told to trust: `ca_pem` is its certificate, PEM text."""

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, client_trust: str | None
    ) -> None:
        self._key, self._certificate, self._client_trust = key, certificate, client_trust
        self.ca_pem = certificate.public_bytes(Encoding.PEM).decode()

    def asking_for(self, client_trust: str) -> "Authority":
        """The same authority, whose servers ask devices for a certificate that leads to one of these (PEM), as in `make_authority`."""
        return Authority(self._key, self._certificate, client_trust)

    def server_context(self, names: Sequence[str], addresses: Sequence[str]) -> ssl.SSLContext:
        """A server's context with a fresh certificate for these host names and IP addresses.

        TLS 1.2 and up, no session tickets, no renegotiation. Sessions of TLS 1.2 may be resumed by their ids.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.num_tickets = 0
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET  # the latter for TLS 1.2
        context.sni_callback = remember_server_name
        if self._client_trust is not None:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.verify_flags |= _ANY_TIME
            context.load_verify_locations(cadata=self._client_trust)
        _load(context, self.issue(names, addresses))
        return context

    def issue(self, names: Sequence[str], addresses: Sequence[str]) -> ServerCertificate:
        """A fresh certificate for these host names and IP addresses, with its key: for a server that is not ours."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = [*map(x509.DNSName, names), *(x509.IPAddress(ip_address(address)) for address in addresses)]
        builder = (
            _builder((*names, *addresses)[0], self._certificate.subject, key, self._key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return ServerCertificate(builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM).decode(), secret.decode())


def make_authority(*, client_trust: str | None = None) -> Authority:
    """A fresh authority, good for one run.

    `client_trust`, PEM certificates: servers then ask devices for a certificate that leads to one of these, whatever the date, but take a device
    that has none (IoT Hub documentation, "Transport Layer Security (TLS) support in IoT Hub"). Without it they do not ask. The service's TLS takes
    every certificate and leaves the judgement to what comes later. Python's cannot: a device whose certificate leads elsewhere does not get through
    the handshake. So whatever a device of a run may come with has to be among these, also what its hub does not trust.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = "IoT credential expiry harness, authority of one run"
    builder = (
        _builder(name, _name(name), key, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return Authority(key, builder.sign(key, SHA256()), client_trust)


def client_context(ca_pem: str) -> ssl.SSLContext:
    """A client's context that trusts `ca_pem` alone and checks the server's name or address.

    Raises:
        ssl.SSLError: `ca_pem` is no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=ca_pem)
    return context


def _builder(
    common_name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _AFTER)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _load(context: ssl.SSLContext, issued: ServerCertificate) -> None:
    with tempfile.TemporaryDirectory() as folder:  # mode 0700
        path = Path(folder, "server.pem")
        path.write_text(issued.key + issued.certificate, encoding="ascii")
        context.load_cert_chain(path)
