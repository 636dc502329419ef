"""A cell's listeners in front of a hub that only remembers, and plain clients for them."""

import asyncio
import functools
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from harness.clock import RealClock
from harness.events import Emit
from harness.hub.certificates import Certificate
from harness.hub.outage import Outage
from harness.net.addresses import AddressPool, Reservation
from harness.net.certificates import Authority, client_context, make_authority
from harness.net.listeners import CellServer
from harness.net.stream import Limits

NAME = "contoso.azure-devices.net"
QUICK = Limits(setup_s=0.1, linger_s=0.1)
_PATIENCE_S = 10.0
T = TypeVar("T")


def asynchronous(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an `async def` test on an event loop of its own, within ten seconds."""

    @functools.wraps(test)
    def wrapper(*args: object, **kwargs: object) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(_PATIENCE_S):
                await test(*args, **kwargs)

        asyncio.run(bounded())

    return wrapper


class Watched:
    """Something whose changes can be awaited, without polling."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def touch(self) -> None:
        """Say that something has changed."""
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds; it is looked at after every change."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()


class FakeEndpoint(Watched):
    """Remembers what it is told and answers what `answer` makes of each read; the default gives it back."""

    recording = True

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.wake = wake
        self.answer: Callable[[bytes], bytes] = lambda data: data
        self.reads: list[bytes] = []
        self.out = b""
        self.notes: list[tuple[str, dict[str, object]]] = []
        self.left: list[str] = []
        self.closed: tuple[str, str] | None = None
        self.close_request: str | None = None
        self.deadline: float | None = None
        self.ticks = 0
        self.successor: FakeEndpoint | None = None
        self.certificate: Certificate | None = None

    @property
    def received(self) -> bytes:
        """Everything received so far."""
        return b"".join(self.reads)

    def fields(self, kind: str) -> dict[str, object]:
        """The fields of the one event of this kind."""
        [fields] = [fields for name, fields in self.notes if name == kind]
        return fields

    def part(self, how: str) -> None:
        """Ask to close, out of the blue."""
        self.close_request = how
        self.wake()

    def receive(self, data: bytes, _now: float) -> None:
        """A read."""
        self.reads.append(data)
        self.out += self.answer(data)
        self.touch()

    def data_to_send(self) -> bytes:
        """The answer."""
        out, self.out = self.out, b""
        return out

    def next_deadline(self) -> float | None:
        """What the test has set."""
        return self.deadline

    def on_time(self, _now: float) -> None:
        """Counted."""
        self.ticks += 1
        self.deadline = None
        self.touch()

    def peer_closed(self, how: str, _now: float) -> None:
        """The other side was first."""
        assert self.closed is None
        self.left.append(how)
        self.touch()

    def transport_closed(self, first: str, how: str, _now: float) -> None:
        """The end; there is only one."""
        assert self.closed is None
        self.closed = (first, how)
        self.touch()

    def proven(self, certificate: Certificate) -> None:
        """The device has a certificate."""
        assert not self.reads
        self.certificate = certificate
        self.touch()

    def upgraded(self, subprotocol: str, path: str, now: float) -> "FakeEndpoint":
        """The WebSocket is open; what speaks from then on is `self.successor`, where the test has set one."""
        self.note("websocket", now, path=path, subprotocol=subprotocol)
        return self.successor or self

    def note(self, kind: str, _now: float, /, **fields: object) -> None:
        """An event."""
        self.notes.append((kind, fields))
        self.touch()


class FakeHub(Watched):
    """Opens a `FakeEndpoint` for every connection; `prepare` may change it first."""

    def __init__(self, prepare: Callable[[FakeEndpoint], None] = lambda _: None) -> None:
        super().__init__()
        self.prepare = prepare
        self.connections: list[FakeEndpoint] = []
        self.transports: list[tuple[str, str]] = []
        self.deadline: float | None = None
        self.ticks = 0
        self.lets_go = True
        self.outage: Outage | None = None
        self.opened: list[FakeEndpoint] = []
        """The endpoints of the next connections; new ones where there are none."""

    def open(self, transport: str, peer: str, _now: float, wake: Callable[[], None]) -> FakeEndpoint:
        """A new connection."""
        endpoint = self.opened.pop(0) if self.opened else FakeEndpoint(wake)
        self.prepare(endpoint)
        self.connections.append(endpoint)
        self.transports.append((transport, peer))
        self.touch()
        return endpoint

    def next_deadline(self) -> float | None:
        """What the test has set."""
        return self.deadline

    def on_time(self, _now: float) -> None:
        """Counted."""
        self.ticks += 1
        self.deadline = None
        self.touch()

    def take_outage(self) -> Outage | None:
        """What the test has set, once."""
        outage, self.outage = self.outage, None
        return outage

    def stop(self, _now: float) -> None:
        """Let go of every connection, unless the test says otherwise."""
        for endpoint in self.connections:
            if self.lets_go:
                endpoint.part("fin")

    async def connection(self, number: int = 0) -> FakeEndpoint:
        """Connection `number`, as soon as it is there."""
        await self.until(lambda: len(self.connections) > number)
        return self.connections[number]


class World:
    """One served cell."""

    def __init__(self, hub: FakeHub, authority: Authority, reservation: Reservation) -> None:
        self.hub, self.authority, self.reservation = hub, authority, reservation
        self.server: CellServer

    def tcp(self, port: int | None = None) -> socket.socket:
        """A plain connection to the MQTT port, or another; blocking, so only for threads."""
        return socket.create_connection((self.reservation.address, port or self.reservation.ports["mqtt"]), timeout=5)

    def tls(self, *, name: str = NAME, context: ssl.SSLContext | None = None, port: int | None = None) -> ssl.SSLSocket:
        """A TLS connection to the MQTT port, or another; blocking, so only for threads."""
        context = context or client_context(self.authority.ca_pem)
        connection = self.tcp(port)
        try:
            return context.wrap_socket(connection, server_hostname=name, suppress_ragged_eofs=False)
        except BaseException:
            connection.close()
            raise


@asynccontextmanager
async def serving(
    hub: FakeHub | None = None,
    *,
    limits: Limits | None = None,
    authority: Authority | None = None,
    emit: Emit | None = None,
) -> AsyncIterator[World]:
    """Serve a `FakeHub` at an address of its own."""
    world = World(hub or FakeHub(), authority or make_authority(), await AddressPool().acquire())
    world.server = await CellServer.start(
        world.hub, world.authority, world.reservation, RealClock(), names=[NAME], limits=limits, emit=emit
    )
    try:
        yield world
    finally:
        await world.server.stop()


async def in_thread(function: Callable[..., T], *args: object) -> T:
    """Run a blocking client while the event loop serves it."""
    return await asyncio.to_thread(function, *args)


def reset_socket(connection: socket.socket) -> None:
    """Close so that an RST leaves."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def recv_all(connection: socket.socket) -> bytes:
    """Everything up to the end of the stream."""
    data = b""
    while part := connection.recv(65_536):
        data += part
    return data


def read_reset(connection: ssl.SSLSocket) -> None:
    """Read what must be an RST; from the plain socket, since ssl would report an end of file."""
    with socket.socket(fileno=connection.detach()) as plain:
        plain.settimeout(5)
        plain.recv(1)
