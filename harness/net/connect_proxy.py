"""An HTTP proxy that knows one method, CONNECT (RFC 9110 section 9.3.6), and no targets but those it is given.

It leads devices to a hub whose WebSocket could not be put on port 443: the device asks for the standard port and gets the real one.
Since it is measured who closes and how, a tunnel passes on what it sees, direction by direction: FIN as FIN, RST as RST.

| request | answer |
|---|---|
| CONNECT to a known target | 200, then the tunnel; 502 if nobody listens there |
| CONNECT to any other target | 403 |
| another method, or no HTTP | 400 |
| a head of over 8 KiB | 431 |
| a head that is not complete in time | 408 |
| more connections than the limit | 503 |
"""

import asyncio
import http
from collections.abc import Mapping
from dataclasses import dataclass

from harness.net.resets import reset

__all__ = ["ConnectProxy", "ProxyLimits"]

_ADDRESS = "127.0.0.1"
_MAX_HEAD = 8192
# One segment: some clients read the first line and take what follows it in the same read for the rest of the head.
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ProxyLimits:
    """`head_s`: the time a client has for its request. `connections`: how many clients at once."""

    head_s: float = 10.0
    connections: int = 256


class ConnectProxy:
    """A proxy at `address`, `port` (loopback, an ephemeral port), from `start` to `stop`."""

    def __init__(self, targets: Mapping[tuple[str, int], tuple[str, int]], limits: ProxyLimits) -> None:
        self._targets = {(name.lower(), port): real for (name, port), real in targets.items()}
        self.limits = limits
        self.address, self.port = _ADDRESS, 0
        self._server: asyncio.Server | None = None
        self._clients: set[_Client] = set()
        self._drained = asyncio.Event()

    @classmethod
    async def start(
        cls, targets: Mapping[tuple[str, int], tuple[str, int]], *, limits: ProxyLimits | None = None
    ) -> "ConnectProxy":
        """Listen. `targets`: (host name as devices write it, port) to (address, port) as it really is."""
        self = cls(targets, limits or ProxyLimits())
        server = await asyncio.get_running_loop().create_server(lambda: _Client(self), _ADDRESS, 0)
        self._server = server
        self.port = server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Stop listening, reset the tunnels, wait until every socket is closed."""
        if self._server is not None:
            self._server.close()
        for client in tuple(self._clients):
            client.abort()
        while self._clients:
            self._drained.clear()
            await self._drained.wait()

    def find(self, host: str, port: int) -> tuple[str, int] | None:
        """Where `host`, `port` really is."""
        return self._targets.get((host.lower(), port))

    def enter(self, client: "_Client") -> bool:
        """A client came; `False`: there are too many."""
        self._clients.add(client)
        return len(self._clients) <= self.limits.connections

    def leave(self, client: "_Client") -> None:
        """A client and its tunnel are gone."""
        self._clients.discard(client)
        if not self._clients:
            self._drained.set()


class _Leg(asyncio.Protocol):
    """One of a tunnel's two connections; what happens to it happens to the `other`."""

    transport: asyncio.Transport
    other: "_Leg | None" = None
    ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment] # uvloop's transports inherit from nothing

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        self.ended = True
        if self.other is None or self.other.ended:
            self.transport.close()
        if self.other is not None:
            self.other.finish()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        other, self.other = self.other, None
        if other is not None:
            other.other = None
            if exc is not None:
                reset(other.transport)
            else:
                other.transport.close()

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.transport.resume_reading()

    def finish(self) -> None:
        """The other leg's peer sends nothing more: pass that on; with both directions over, close."""
        if self.ended:
            self.transport.close()
        elif not self.transport.is_closing():
            self.transport.write_eof()


class _Client(_Leg):
    """The device's connection: the request first, the tunnel after it."""

    def __init__(self, proxy: ConnectProxy) -> None:
        self._proxy = proxy
        self._head: bytearray | None = bytearray()
        self._dialling: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        self._limit = loop.call_later(self._proxy.limits.head_s, self._refuse, http.HTTPStatus.REQUEST_TIMEOUT)
        if not self._proxy.enter(self):
            self._refuse(http.HTTPStatus.SERVICE_UNAVAILABLE)

    def data_received(self, data: bytes) -> None:
        if self._head is None:
            super().data_received(data)
            return
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if len(head) > _MAX_HEAD:
            self._refuse(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif end:
            self._judge(bytes(head), bytes(rest))

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit.cancel()
        if self._dialling is not None:
            self._dialling.cancel()
        super().connection_lost(exc)
        self._proxy.leave(self)

    def abort(self) -> None:
        """Reset both connections."""
        if self.other is not None:
            reset(self.other.transport)
        reset(self.transport)

    def _judge(self, head: bytes, rest: bytes) -> None:
        self._limit.cancel()
        target = _target(head)
        if target is None:
            self._refuse(http.HTTPStatus.BAD_REQUEST)
        elif (real := self._proxy.find(*target)) is None:
            self._refuse(http.HTTPStatus.FORBIDDEN)
        else:
            self._head = None
            self.transport.pause_reading()
            self._dialling = asyncio.get_running_loop().create_task(self._dial(real, rest))

    async def _dial(self, real: tuple[str, int], rest: bytes) -> None:
        upstream = _Leg()
        try:
            await asyncio.get_running_loop().create_connection(lambda: upstream, *real)
        except OSError:
            self._refuse(http.HTTPStatus.BAD_GATEWAY)
            return
        self.other, upstream.other = upstream, self
        self.transport.write(_ESTABLISHED)
        if rest:
            upstream.transport.write(rest)
        self.transport.resume_reading()

    def _refuse(self, status: http.HTTPStatus) -> None:
        self._head = None
        if not self.transport.is_closing():
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            self.transport.write(head.encode())
            self.transport.close()


def _target(head: bytes) -> tuple[str, int] | None:
    """The host and port of a CONNECT request; `None` if it is none."""
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) != 3 or words[0] != b"CONNECT" or not words[2].startswith(b"HTTP/1."):  # noqa: PLR2004
        return None
    host, _, port = words[1].decode("latin-1").rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or len(port) > 5:  # noqa: PLR2004
        return None
    return host, int(port)
