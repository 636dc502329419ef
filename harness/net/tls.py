"""TLS without a socket: ciphertext in, plaintext out, and the reverse, for both sides of a connection.

`ssl.MemoryBIO` under our own protocol instead of asyncio's `ssl=`: the latter keeps a read buffer of 256 KiB for every
connection (asyncio.sslproto.SSLProtocol.max_size), this keeps what OpenSSL itself needs. Nothing here raises: what the peer
does wrong is `failure`, what it says in the end is `peer_closed`.

A `TlsConnection` stands where an `ssl.SSLObject` would: it makes and calls the object of the `_ssl` module itself. Every message
passes twice, and a layer of Python is saved each time; so is that layer's memory on every connection. It also gives the chain of a client's
certificate as it was proven, which Python 3.11's own layer keeps to itself. A client that resumes a session (TLS 1.2 by its id, as the SDK for Java does with
every request over HTTPS) has proven its certificate in the handshake that began it, and OpenSSL keeps the chain of that one only.
"""

import _ssl
import ssl
from collections.abc import MutableMapping
from dataclasses import dataclass

__all__ = ["TlsConnection", "TlsFailure", "TlsInfo", "remember_server_name"]

_DER: int = _ssl.ENCODING_DER
_RECORD = 16_384  # RFC 8446 section 5.1: no record holds more plaintext


@dataclass(frozen=True, slots=True)
class TlsInfo:
    """What a handshake agreed on. `sni`: the server name the client asked for; `client_certificate`: it proved one."""

    version: str
    cipher: str
    sni: str | None
    client_certificate: bool


@dataclass(frozen=True, slots=True)
class TlsFailure:
    """Why TLS cannot go on, in OpenSSL's words; `by_peer`: an alert of the other side said so."""

    reason: str
    by_peer: bool


class TlsConnection:
    """One side of one TLS connection.

    `established`: the handshake is done. `failure`: set once, when it or a record failed; send what `data_to_send` still
    holds (the alert), then close. `peer_closed`: the other side sent close_notify (RFC 8446 section 6.1). `sni`: the server name the
    client asked for. `proven`: what the connections of one server have in common, the chains that clients have proven to it, by their certificates.
    """

    __slots__ = (
        "__weakref__", "_incoming", "_object", "_outgoing", "_proven", "established", "failure", "peer_closed", "sni",
    )  # fmt: skip

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        server_side: bool,
        server_hostname: str | None = None,
        proven: MutableMapping[bytes, tuple[bytes, ...]] | None = None,
    ) -> None:
        self._proven = {} if proven is None else proven
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        # In `SSLContext.wrap_bio` the owner, which callbacks are given, is the SSLObject.
        self._object = context._wrap_bio(  # type: ignore[attr-defined] # noqa: SLF001
            self._incoming,
            self._outgoing,
            server_side=server_side,
            server_hostname=server_hostname and server_hostname.encode("idna").decode("ascii"),
            owner=self,
        )
        self.established = False
        self.peer_closed = False
        self.sni: str | None = None
        self.failure: TlsFailure | None = None
        if not server_side:
            self._handshake()

    def receive(self, ciphertext: bytes | memoryview) -> bytes:
        """Take what the socket brought; the plaintext in it, which is empty until the handshake is done."""
        self._incoming.write(ciphertext)
        if not self.established and not self._handshake():
            return b""
        data = b""
        try:
            while self._incoming.pending:  # a read takes a whole record, so OpenSSL itself holds nothing back
                record = self._object.read(_RECORD)
                if not record:
                    self.peer_closed = True
                    break
                data += record
        except ssl.SSLWantReadError:
            pass  # the rest of a record is still on its way
        except ssl.SSLZeroReturnError:
            self.peer_closed = True  # both sides have sent close_notify
        except ssl.SSLError as error:
            self.failure = _failure(error)
        return data

    def send(self, plaintext: bytes) -> None:
        """Encrypt; `data_to_send` has the records. Only once established; dropped after a failure."""
        if self.failure is not None:
            return
        self._object.write(plaintext)  # all of it: a MemoryBIO takes any amount, and Python enables no partial writes

    def encrypt(self, plaintext: bytes) -> bytes:
        """`send` and `data_to_send` in one."""
        if self.failure is None:
            self._object.write(plaintext)
        return self._outgoing.read()

    def close(self) -> None:
        """Send close_notify, if there is an established connection to close."""
        if not self.established or self.failure is not None:
            return
        try:
            self._object.shutdown()
        except ssl.SSLError:
            return  # OpenSSL would wait for the peer's close_notify too; ours is written, and the socket's end settles the rest

    def data_to_send(self) -> bytes:
        """Give away the ciphertext that is ready to leave."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def info(self) -> TlsInfo:
        """What the handshake agreed on. Only once established."""
        cipher = self._object.cipher()
        return TlsInfo(
            version=self._object.version() or "",
            cipher=cipher[0] if cipher else "",
            sni=self.sni,
            client_certificate=self._object.getpeercert(True) is not None,
        )

    def proven_chain(self) -> tuple[bytes, ...]:
        """The client's certificate and those it leads to, up to a trusted one, in DER; empty without. Only once established."""
        leaf: bytes | None = self._object.getpeercert(True)
        if leaf is None:
            return ()
        chain = tuple(one.public_bytes(_DER) for one in self._object.get_verified_chain() or ())
        return self._proven.setdefault(leaf, chain) if chain else self._proven.get(leaf, ())

    def _handshake(self) -> bool:
        """Go on with it; whether it is done."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            self.failure = _failure(error)
            return False
        self.established = True
        return True


def remember_server_name(connection: object, name: str | None, _: ssl.SSLContext) -> None:
    """The `sni_callback` of a server's context."""
    if isinstance(connection, TlsConnection):
        connection.sni = name


def _failure(error: ssl.SSLError) -> TlsFailure:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailure(f"certificate verify failed: {error.verify_message}", by_peer=False)
    reason = error.reason or str(error)
    return TlsFailure(reason.replace("_", " ").lower(), by_peer="ALERT" in reason)
