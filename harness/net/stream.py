"""One connection: socket <-> TLS <-> WebSocket, where there is one <-> endpoint. The same class serves the hub and the device.

A stream is *setting up* (TLS handshake, WebSocket upgrade), then *open*, and from the moment one side closes *parting*: this
side's farewell is written, whatever still comes is read away until the peer's FIN or the linger is over, then the socket
closes. Who closed first, and how, is decided once, where parting begins:

================================  ========  ==================================================================================
what happened                     first     how
================================  ========  ==================================================================================
peer's FIN, no close_notify       peer      fin
peer's close_notify               peer      close-notify
peer's WebSocket close frame      peer      websocket-close
peer's RST, or its host is gone   peer      rst
the endpoint's close request      us        see `PARTINGS`, or rst
peer's TLS alert                  peer      fin
TLS or the upgrade failed         us        fin
the peer broke WebSocket          us        websocket-close
TLS + upgrade took too long       us        timeout
its owner kills, or aborts it     us        fin, or rst
================================  ========  ==================================================================================

A stream that is held neither reads nor sends, and parts from nobody until it is aborted.

Some device SDKs ignore close_notify, so a farewell always includes the FIN, and the linger is short. All that one read brings is
handed up at once and all answers leave as one TLS record in one write.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Final

from harness.clock import Clock
from harness.net.device_certificates import read_certificate
from harness.net.endpoint import Endpoint
from harness.net.resets import reset
from harness.net.timers import Timer
from harness.net.tls import TlsConnection
from harness.net.websocket import WebSocket

__all__ = ["PARTINGS", "Limits", "Parting", "Shared", "Stream"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may take.

    `setup_s`: TLS handshake and WebSocket upgrade together. `linger_s`: from our farewell until the socket closes without the
    peer's. `unsent`: bytes a peer may leave unread before we stop reading from it.
    """

    setup_s: float = 20.0
    linger_s: float = 1.0
    unsent: int = 65_536


@dataclass(frozen=True, slots=True)
class Parting:
    """A way to close: the farewells sent before the FIN, and its name in the event `closed`."""

    how: str
    close_frame: bool = False
    close_notify: bool = False


PARTINGS: Final[Mapping[str, Parting]] = MappingProxyType(
    {
        "fin": Parting("fin", close_notify=True),
        "tcp-fin": Parting("fin"),
        "websocket-close": Parting("websocket-close", close_frame=True, close_notify=True),
    }
)
"""Every close request but "rst", which says no farewell."""

_ANSWER = Parting("", close_notify=True)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all streams of one listener, or one device, have in common.

    `local`, `remote`: the names of the sides in events, "hub" and "device" or the reverse. `on_activity` is called after every read, wake and
    deadline, `on_end` when a socket is closed.
    """

    loop: asyncio.AbstractEventLoop
    clock: Clock
    limits: Limits
    local: str
    remote: str
    on_end: Callable[["Stream"], None]
    on_activity: Callable[[], None]


class Stream(asyncio.Protocol):
    """The asyncio protocol of one connection. `open_endpoint(stream, now)` makes its upper end, once the socket is connected."""

    __slots__ = (
        "_deadline", "_endpoint", "_first", "_held", "_open_endpoint", "_peer_done", "_ready", "_shared",
        "_stalled", "_timer", "_tls", "_tls_noted", "_transport", "_websocket", "_woken",
    )  # fmt: skip

    def __init__(
        self,
        shared: Shared,
        tls: TlsConnection,
        websocket: WebSocket | None,
        open_endpoint: Callable[["Stream", float], Endpoint],
    ) -> None:
        self._shared, self._tls, self._websocket, self._open_endpoint = shared, tls, websocket, open_endpoint
        self._timer = Timer(shared.loop, shared.clock, self._on_time)
        self._deadline: float | None = None  # of set-up, then of parting
        self._first: tuple[str, str] | None = None  # who closed first, and how
        self._tls_noted = False
        self._ready = False
        self._peer_done = False
        self._stalled = False
        self._held = False
        self._woken = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is connected."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # uvloop's inherit from nothing
        self._transport.set_write_buffer_limits(high=self._shared.limits.unsent)
        now = self._shared.clock.now()
        self._endpoint: Endpoint = self._open_endpoint(self, now)
        self._deadline = now + self._shared.limits.setup_s
        self._flush(now)

    def data_received(self, data: bytes) -> None:
        """Ciphertext was read."""
        if self._first is not None:
            return
        shared, tls, websocket = self._shared, self._tls, self._websocket
        now = shared.clock.now()
        data = tls.receive(data)
        if data and websocket is not None:
            data = websocket.receive(data)
        if not self._ready:
            self._set_up(now)
        if data:
            self._endpoint.receive(data, now)
        if websocket is not None or tls.peer_closed or tls.failure is not None:
            self._watch_peer(now)
        self._flush(now)
        shared.on_activity()

    def eof_received(self) -> bool:
        """The peer sent FIN; `True`: our own direction stays open until we close it."""
        self._peer_done = True
        if self._first is None:
            now = self._shared.clock.now()
            if not self._ready:
                self._note_broken_setup("the peer closed the connection during the handshake", now)
            self._peer_closed("fin", now)
        else:
            self._transport.close()
        return True

    def pause_writing(self) -> None:
        """The peer does not read: stop listening to it, so that nothing piles up here."""
        self._stalled = True
        if self._first is None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._stalled = False
        if self._first is None and not self._held:
            self._transport.resume_reading()
            self._flush(self._shared.clock.now())

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        now = self._shared.clock.now()
        self._timer.stop()
        if self._first is None:
            self._first = (self._shared.remote if isinstance(exc, OSError) else self._shared.local, "rst")
            self._note_broken_setup("the peer reset the connection during the handshake", now)
            if self._first[0] == self._shared.remote:
                self._endpoint.peer_closed("rst", now)
        self._endpoint.transport_closed(*self._first, now)
        self._shared.on_end(self)
        # Both lead back to this object. Without them all of it, OpenSSL's share above all, is free at once, not some day.
        del self._endpoint, self._timer

    # What the owner calls.

    @property
    def peer(self) -> str:
        """The other end's "address:port"."""
        host, port = (self._transport.get_extra_info("peername") or ("?", 0))[:2]  # gone already
        return f"{host}:{port}"

    def wake(self) -> None:
        """The endpoint has something to do; it is looked at as soon as the event loop comes round."""
        if not self._woken:
            self._woken = True
            self._shared.loop.call_soon(self._on_wake)

    def note(self, kind: str, now: float, **fields: object) -> None:
        """Report what happens to this connection from outside, unless one side has closed already."""
        if self._first is None:
            self._endpoint.note(kind, now, **fields)

    def hold(self, now: float) -> None:
        """Read and send nothing from now on, and close nothing, as if the peer's host were gone; until `abort`.

        The endpoint is not told. What it says is thrown away, its deadlines are kept. The kernel still acknowledges what it has room for.
        """
        if self._first is None and not self._transport.is_closing():
            self._held, self._deadline = True, None
            self._transport.pause_reading()
            self._flush(now)

    def kill(self) -> None:
        """Close the socket as the end of its process would: a FIN without farewell, or an RST where something was left unread."""
        if self._first is None:
            self._first = (self._shared.local, "fin")
        self._transport.abort()

    def abort(self) -> None:
        """Close the socket with an RST, whatever is under way."""
        if self._first is None:
            self._first = (self._shared.local, "rst")
        reset(self._transport)

    # Setting up.

    def _set_up(self, now: float) -> None:
        if not self._tls_noted and self._tls.established:
            self._tls_noted = True
            if chain := self._tls.proven_chain() if self._shared.local == "hub" else ():
                self._endpoint.proven(read_certificate(chain))
            self._endpoint.note("tls", now, **asdict(self._tls.info()) if self._endpoint.recording else {})
        websocket = self._websocket
        if websocket is None:
            self._ready = self._tls_noted
        elif websocket.upgrade is not None and self._endpoint.close_request is None:
            self._ready = True
            self._endpoint = self._endpoint.upgraded(websocket.upgrade.subprotocol, websocket.upgrade.path, now)
        if self._ready:
            self._deadline = None

    def _note_broken_setup(self, reason: str, now: float) -> None:
        if not self._tls_noted and self._tls.failure is None:
            self._endpoint.note("tls-failed", now, reason=reason)
        elif not self._ready and self._websocket is not None and self._websocket.refusal is None:
            self._endpoint.note("websocket-refused", now, path="", status=0, reason=reason)

    # While open.

    def _watch_peer(self, now: float) -> None:
        """See whether what was just received ends the connection."""
        tls, websocket = self._tls, self._websocket
        if tls.failure is not None:
            self._endpoint.note("tls-failed", now, reason=tls.failure.reason)
            if tls.failure.by_peer:
                self._peer_closed("fin", now)
            else:
                self._part(PARTINGS["fin"], now)
        elif websocket is not None and websocket.refusal is not None:
            no = websocket.refusal
            self._endpoint.note("websocket-refused", now, path=no.path, status=no.status, reason=no.reason)
            self._part(PARTINGS["fin"], now)
        elif websocket is not None and websocket.failure is not None:
            self._endpoint.note("websocket-failed", now, reason=websocket.failure)
            self._part(PARTINGS["websocket-close"], now)
        elif websocket is not None and websocket.peer_closed:
            self._peer_closed("websocket-close", now)
        elif tls.peer_closed:
            self._peer_closed("close-notify", now)

    def _flush(self, now: float) -> None:
        """Send what is ready, close if asked to, and set the timer; after everything that may have changed the endpoint."""
        if self._first is not None:
            return
        endpoint = self._endpoint
        if self._held:
            endpoint.data_to_send()
        elif not self._stalled:
            self._send()
        if endpoint.close_request is not None and not self._held:
            self._leave(endpoint.close_request, now)
            return
        deadline, theirs = self._deadline, endpoint.next_deadline()
        if deadline is None or (theirs is not None and theirs < deadline):
            deadline = theirs
        if deadline != self._timer.deadline:
            self._timer.set(deadline, now)

    def _send(self, *, close_notify: bool = False) -> None:
        tls, websocket = self._tls, self._websocket
        data = self._endpoint.data_to_send() if self._ready else b""
        if websocket is not None:
            websocket.send(data)
            data = websocket.data_to_send() if tls.established else b""
        if close_notify:
            if data:
                tls.send(data)
            tls.close()
            data = b""
        ciphertext = tls.encrypt(data) if data else tls.data_to_send()
        if ciphertext and not self._transport.is_closing():
            self._transport.write(ciphertext)

    # Time.

    def _on_time(self, now: float) -> None:
        if self._deadline is None or now < self._deadline:
            self._endpoint.on_time(now)
            self._flush(now)
            self._shared.on_activity()
            return
        if self._first is None:
            self._note_broken_setup(f"not done within {self._shared.limits.setup_s:g} s", now)
            self._first = (self._shared.local, "timeout")
        self._transport.abort()

    def _on_wake(self) -> None:
        self._woken = False
        if self._first is None:
            self._flush(self._shared.clock.now())
            self._shared.on_activity()

    # Parting.

    def _leave(self, request: str, now: float) -> None:
        if request == "rst":
            self._first = (self._shared.local, "rst")
            self._timer.set(None)
            reset(self._transport)
        else:
            self._part(PARTINGS[request], now)

    def _part(self, parting: Parting, now: float) -> None:
        self._first = (self._shared.local, parting.how)
        self._say_farewell(parting, now)

    def _peer_closed(self, how: str, now: float) -> None:
        self._first = (self._shared.remote, how)
        self._endpoint.peer_closed(how, now)
        self._say_farewell(_ANSWER, now)

    def _say_farewell(self, parting: Parting, now: float) -> None:
        if parting.close_frame and self._websocket is not None:
            self._websocket.close()
        self._send(close_notify=parting.close_notify)
        self._deadline = now + self._shared.limits.linger_s
        if self._peer_done:
            self._transport.close()
        elif not self._transport.is_closing():
            self._end_writing()
        self._timer.set(self._deadline, now)

    def _end_writing(self) -> None:
        if self._stalled:
            self._transport.resume_reading()  # to see the peer's FIN
        try:
            self._transport.write_eof()
        except OSError:  # reset by the peer, and asyncio has not heard of it yet
            self._transport.abort()
