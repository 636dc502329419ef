"""A run's certificates: what they say, whom they ask, and that no key stays on the disk."""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from support.net_world import NAME

from harness.net.certificates import client_context, make_authority
from harness.net.tls import TlsConnection


def test_authority_may_sign_certificates_and_nothing_below_it_may() -> None:
    """The CA's certificate says so in the extensions that strict verifiers ask for."""
    certificate = x509.load_pem_x509_certificate(make_authority().ca_pem.encode())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


@pytest.mark.parametrize("name", [NAME, "hub.example", "127.64.0.1", "127.0.0.1"])
def test_every_name_and_address_is_proven_to_a_strict_client(name: str) -> None:
    """RFC 5280 to the letter, as Python 3.13 checks by default."""
    authority = make_authority()
    context = client_context(authority.ca_pem)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    server = authority.server_context([NAME, "hub.example"], ["127.64.0.1", "127.0.0.1"])
    client = handshake(context, server, name)[0]
    assert (client.established, client.failure) == (True, None)


def handshake(
    context: ssl.SSLContext, server_context: ssl.SSLContext, name: str
) -> tuple[TlsConnection, TlsConnection]:
    """Both ends after the handshake."""
    client = TlsConnection(context, server_side=False, server_hostname=name)
    server = TlsConnection(server_context, server_side=True)
    for _ in range(2):
        server.receive(client.data_to_send())
        client.receive(server.data_to_send())
    return client, server


def test_two_authorities_do_not_vouch_for_each_other() -> None:
    """A run's devices trust that run's hub only."""
    client, _ = handshake(client_context(make_authority().ca_pem), make_authority().server_context([NAME], []), NAME)
    assert client.failure is not None


def test_old_tls_is_refused() -> None:
    """Nothing below TLS 1.2 is offered."""
    assert make_authority().server_context([NAME], []).minimum_version == ssl.TLSVersion.TLSv1_2


def test_clients_are_not_asked_for_certificates_by_default() -> None:
    """Without `client_trust` there is no certificate request."""
    assert make_authority().server_context([NAME], []).verify_mode == ssl.CERT_NONE


@pytest.mark.parametrize("presents", [True, False])
def test_client_certificate_is_requested_but_not_required(tmp_path: Path, *, presents: bool) -> None:
    """With `client_trust`, a device with a certificate and one without both get in."""
    file = tmp_path / "device.pem"
    authority = make_authority(client_trust=self_signed(file))
    context = client_context(authority.ca_pem)
    if presents:
        context.load_cert_chain(file)
    _, server = handshake(context, authority.server_context([NAME], []), NAME)
    assert server.established
    assert server.info().client_certificate is presents


def self_signed(file: Path) -> str:
    """A device's self-signed certificate; `file` gets its key as well."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "device")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate)
    return certificate.decode()


def test_key_is_removed_from_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left in the temporary folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    make_authority().server_context([NAME], ["127.64.0.1"])
    assert list(tmp_path.iterdir()) == []


def test_authority_that_is_no_certificate() -> None:
    """A device told to trust nonsense gets an error, not a context that trusts everybody."""
    with pytest.raises((ssl.SSLError, ValueError)):
        client_context("no certificate")


def test_an_issued_certificate_comes_with_its_key() -> None:
    """Both as PEM text, and the key does not show by accident."""
    issued = make_authority().issue(["localhost"], ["127.0.0.1"])
    certificate, key = x509.load_pem_x509_certificate(issued.certificate.encode()), issued.key.encode()
    assert load_pem_private_key(key, None).public_key() == certificate.public_key()
    assert "PRIVATE KEY" not in repr(issued)
