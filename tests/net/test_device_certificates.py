"""Certificates of devices: what is made, what a hub reads in them, and that TLS lets through whatever the hub has to judge."""

import ssl
from datetime import UTC, datetime

import pytest
from support.net_world import NAME, asynchronous, in_thread, serving

from harness.net.certificates import Authority, client_context, make_authority
from harness.net.device_certificates import (
    LONGEST_NAME,
    DeviceAuthority,
    DeviceCertificate,
    load_identity,
    read_certificate,
    self_signed,
)
from harness.net.tls import TlsConnection

OURS, UNKNOWN = DeviceAuthority("ours"), DeviceAuthority("unknown")
MINE = self_signed("dev1")


def handshake(authority: Authority, device: DeviceCertificate | None, version: ssl.TLSVersion) -> TlsConnection:
    """The server's end after the handshake with a device."""
    context = client_context(authority.ca_pem)
    context.maximum_version = version
    if device is not None:
        load_identity(context, device.certificate, device.key)
    client = TlsConnection(context, server_side=False, server_hostname=NAME)
    server = TlsConnection(authority.server_context([NAME], []), server_side=True)
    while server.failure is None and (flight := client.data_to_send()):
        server.receive(flight)
        client.receive(server.data_to_send())
    return server


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("device", [MINE, OURS.issue("dev1"), OURS.issue("dev1", expired=True), UNKNOWN.issue("dev1")])
def test_what_is_proven_is_what_was_made(device: DeviceCertificate, version: ssl.TLSVersion) -> None:
    """An expired certificate and one of an authority that the hub will not trust get through the handshake."""
    server = handshake(make_authority(client_trust=OURS.pem + UNKNOWN.pem + MINE.certificate), device, version)
    assert (server.established, server.failure) == (True, None)
    assert read_certificate(server.proven_chain()) == device.facts


def test_a_device_without_a_certificate_has_proven_none() -> None:
    """Nor has anybody where nobody asked."""
    asked = handshake(make_authority(client_trust=OURS.pem), None, ssl.TLSVersion.TLSv1_3)
    assert (asked.established, asked.proven_chain()) == (True, ())
    assert handshake(make_authority(), MINE, ssl.TLSVersion.TLSv1_3).proven_chain() == ()


def test_a_certificate_that_leads_nowhere_fails_the_handshake() -> None:
    """Where the service would let it through: Python's TLS cannot."""
    server = handshake(make_authority(client_trust=OURS.pem), self_signed("dev1"), ssl.TLSVersion.TLSv1_2)
    assert server.failure is not None
    assert "certificate verify failed" in server.failure.reason


def test_facts_of_a_certificate() -> None:
    """Digests in upper case, whose it is, until when, and to whom it leads."""
    now = datetime.now(UTC).timestamp()
    good, expired = OURS.issue("dev1").facts, OURS.issue("dev1", expired=True).facts
    assert (len(good.sha1), len(good.sha256), good.common_name, good.root_sha256) == (40, 64, "dev1", OURS.sha256)
    assert good.sha256 == good.sha256.upper()
    assert good.not_before < now < good.not_after
    assert expired.not_before < expired.not_after < now
    assert MINE.facts.root_sha256 == MINE.facts.sha256


def test_a_long_id_is_cut_where_nobody_reads_it() -> None:
    """A self-signed certificate is known by its thumbprint."""
    assert self_signed("d" * 100).facts.common_name == "d" * LONGEST_NAME


def test_secrets_are_all_of_the_key_and_nothing_else() -> None:
    """The whole text and each line, but not the words that every key begins with."""
    assert MINE.key in MINE.secrets
    assert all(one in MINE.key.replace("\n", "") or one == MINE.key for one in MINE.secrets)
    assert not any(secret in MINE.certificate or "-----" in secret for secret in MINE.secrets[1:])
    assert "PRIVATE KEY" not in repr(MINE)


def test_a_key_that_is_not_the_certificates() -> None:
    """A device with both has no context."""
    with pytest.raises(ssl.SSLError):
        load_identity(client_context(make_authority().ca_pem), MINE.certificate, self_signed("dev1").key)


@asynchronous
async def test_the_hubs_end_hears_of_the_certificate() -> None:
    """Before any byte."""
    authority = make_authority(client_trust=MINE.certificate)
    context = client_context(authority.ca_pem)
    load_identity(context, MINE.certificate, MINE.key)
    async with serving(authority=authority) as world:
        with await in_thread(lambda: world.tls(context=context)) as device:
            device.sendall(b"CONNECT")
            assert await in_thread(device.recv, 7) == b"CONNECT"
        [endpoint] = world.hub.connections
        assert (endpoint.certificate, endpoint.fields("tls")["client_certificate"]) == (MINE.facts, True)
