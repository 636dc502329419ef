"""TLS in memory: both sides, any fragmentation, every kind of end."""

import contextlib
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.net_world import NAME

from harness.net.certificates import Authority, client_context, make_authority
from harness.net.device_certificates import load_identity, self_signed
from harness.net.tls import TlsConnection, TlsInfo, remember_server_name

AUTHORITY = make_authority()
SERVER_CONTEXT = AUTHORITY.server_context([NAME], ["127.64.0.1"])
CLIENT_CONTEXT = client_context(AUTHORITY.ca_pem)


def pair(client_context: ssl.SSLContext = CLIENT_CONTEXT, name: str = NAME) -> tuple[TlsConnection, TlsConnection]:
    """A client and a server, before the handshake."""
    client = TlsConnection(client_context, server_side=False, server_hostname=name)
    return client, TlsConnection(SERVER_CONTEXT, server_side=True)


def carry(client: TlsConnection, server: TlsConnection) -> None:
    """Carry bytes until both are silent."""
    while (up := client.data_to_send()) or (down := server.data_to_send()):
        if up:
            server.receive(up)
        else:
            client.receive(down)


def established() -> tuple[TlsConnection, TlsConnection]:
    """A client and a server, after the handshake."""
    client, server = pair()
    carry(client, server)
    assert client.established
    assert server.established
    return client, server


def test_server_knows_what_was_agreed() -> None:
    """Version, cipher, the server name asked for, no client certificate."""
    _, server = established()
    assert server.info() == TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", NAME, client_certificate=False)


def test_address_as_server_name_is_no_sni() -> None:
    """A client that dials an address sends no server name, and the certificate covers the address."""
    client, server = pair(name="127.64.0.1")
    carry(client, server)
    assert server.info().sni is None


def test_tls_1_2() -> None:
    """A client pinned to TLS 1.2 is served."""
    context = client_context(AUTHORITY.ca_pem)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    client, server = pair(context)
    carry(client, server)
    assert server.info().version == "TLSv1.2"


def test_no_session_tickets() -> None:
    """The server sends nothing after its handshake."""
    client, server = pair()
    server.receive(client.data_to_send())
    client.receive(server.data_to_send())
    server.receive(client.data_to_send())
    assert (server.established, server.data_to_send()) == (True, b"")


@given(messages=st.lists(st.binary(min_size=1, max_size=40_000), min_size=1, max_size=3), step=st.integers(50, 40_000))
def test_plaintext_survives_any_fragmentation(messages: list[bytes], step: int) -> None:
    """What one side sends is what the other receives, however the ciphertext is cut."""
    client, server = established()
    for message in messages:
        client.send(message)
    ciphertext = client.data_to_send()
    cuts = range(0, len(ciphertext), step)
    assert b"".join(server.receive(ciphertext[cut : cut + step]) for cut in cuts) == b"".join(messages)
    assert server.failure is None


def test_close_notify_after_data() -> None:
    """Data and close_notify in one read: both are seen."""
    client, server = established()
    client.send(b"bye")
    client.close()
    assert (server.receive(client.data_to_send()), server.peer_closed) == (b"bye", True)


def test_close_notify_crosses() -> None:
    """Both sides close at the same moment; neither fails."""
    client, server = established()
    client.close()
    server.close()
    carry(client, server)
    assert (client.failure, server.failure) == (None, None)
    assert client.peer_closed


def test_close_with_data_still_unread() -> None:
    """close_notify leaves although the peer's data have not been taken."""
    client, server = established()
    client.send(b"x")
    server.close()
    assert client.receive(server.data_to_send()) == b""
    assert client.peer_closed


def test_close_before_the_handshake_says_nothing() -> None:
    """There is nothing to close yet."""
    _, server = pair()
    server.close()
    assert server.data_to_send() == b""


def test_garbage_is_a_failure() -> None:
    """Bytes that are no TLS fail the handshake; the alert is there to be sent."""
    _, server = pair()
    assert server.receive(b"GET / HTTP/1.1\r\n\r\n") == b""
    assert server.failure is not None
    assert (server.failure.reason, server.failure.by_peer) == ("http request", False)


def test_nothing_is_sent_after_a_failure() -> None:
    """Output meant for a broken connection is dropped, and so is the close."""
    client, server = established()
    server.receive(b"\x17\x03\x03\x00\x20" + bytes(32))
    server.data_to_send()
    server.send(b"x")
    server.close()
    assert server.failure is not None
    assert server.data_to_send() == b""
    assert client.failure is None


def test_data_before_a_broken_record_are_not_lost() -> None:
    """A good record and a broken one in one read: plaintext and failure."""
    client, server = established()
    client.send(b"good")
    assert server.receive(client.data_to_send() + b"\x17\x03\x03\x00\x20" + bytes(32)) == b"good"
    assert server.failure is not None


def fails(authority: Authority, name: str) -> tuple[TlsConnection, TlsConnection]:
    """A handshake with a client that trusts `authority` and expects `name`."""
    client, server = pair(client_context(authority.ca_pem), name)
    carry(client, server)
    return client, server


@pytest.mark.parametrize(
    ("authority", "name", "reason"),
    [
        (make_authority(), NAME, "unable to get local issuer certificate"),
        (AUTHORITY, "other.example", "Hostname mismatch"),
        (AUTHORITY, "127.64.0.2", "IP address mismatch"),
    ],
    ids=["authority", "name", "address"],
)
def test_client_that_is_not_convinced(authority: Authority, name: str, reason: str) -> None:
    """The client says why; the server learns it by an alert."""
    client, server = fails(authority, name)
    assert client.failure is not None
    assert server.failure is not None
    assert reason in client.failure.reason or "certificate signature failure" in client.failure.reason
    assert (client.failure.by_peer, server.failure.by_peer) == (False, True)


def test_server_name_of_a_foreign_object_is_ignored() -> None:
    """The callback only knows its own class of connections."""
    tls = CLIENT_CONTEXT.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=NAME)
    remember_server_name(tls, "x", CLIENT_CONTEXT)
    assert not hasattr(tls, "sni")


def test_a_resumed_session_has_proven_what_the_first_one_had() -> None:
    """There OpenSSL knows the certificate and no chain; another server's connections know nothing of it."""
    made = self_signed("dev1")
    server = AUTHORITY.asking_for(made.certificate).server_context([NAME], [])
    client = client_context(AUTHORITY.ca_pem)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    load_identity(client, made.certificate, made.key)
    proven: dict[bytes, tuple[bytes, ...]] = {}
    first, session = resumed(client, server, None, proven)
    second, _ = resumed(client, server, session, proven)
    assert first == second
    assert len(first) == 1
    assert resumed(client, server, session, {})[0] == ()


def resumed(
    client: ssl.SSLContext,
    server: ssl.SSLContext,
    session: ssl.SSLSession | None,
    proven: dict[bytes, tuple[bytes, ...]],
) -> tuple[tuple[bytes, ...], ssl.SSLSession | None]:
    """The chain that a client proves, by a session of before if there is one, and its session."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = client.wrap_bio(down, up, server_hostname=NAME, session=session)
    ours = TlsConnection(server, server_side=True, proven=proven)
    for _ in range(4):
        with contextlib.suppress(ssl.SSLWantReadError):
            theirs.do_handshake()
        ours.receive(up.read())
        down.write(ours.data_to_send())
    assert theirs.session_reused == (session is not None)
    ours.close()  # without that, OpenSSL forgets the session
    return ours.proven_chain(), theirs.session
