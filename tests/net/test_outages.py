"""Hub and network fail for a while: what becomes of connections, of new ones, and when it is over."""

import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.net_world import FakeEndpoint, Watched, World, asynchronous, in_thread, read_reset, serving

from harness.hub.outage import Outage, OutageHow

SHORT_S = 0.05
FOR_EVER = 60.0


class Failing(Watched):
    """A served cell with one device connected, and the events of its outages."""

    world: World
    device: ssl.SSLSocket
    endpoint: FakeEndpoint

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, dict[str, object]]] = []

    def emit(self, kind: str, _: float, /, **fields: object) -> None:
        """Remember an event of an outage."""
        if kind != "listening":
            self.told.append((kind, fields))
            self.touch()

    @property
    def kinds(self) -> list[str]:
        """What was told."""
        return [kind for kind, _ in self.told]

    def fail(self, how: OutageHow, seconds: float = FOR_EVER, close: Any = None) -> None:
        """A fault asks for an outage, and the hub is looked at."""
        self.world.hub.outage = Outage(how, seconds, close)
        self.endpoint.wake()

    async def until_told(self, kind: str) -> None:
        """Wait for an event of the outage."""
        await self.until(lambda: kind in self.kinds)


@asynccontextmanager
async def failing() -> AsyncIterator[Failing]:
    """One device, which has been answered."""
    cell = Failing()
    async with serving(emit=cell.emit) as cell.world:
        with await in_thread(cell.world.tls) as cell.device:
            assert await in_thread(is_answered, cell.device)
            cell.endpoint = cell.world.hub.connections[0]
            yield cell


def is_answered(device: ssl.SSLSocket) -> bool:
    """Whether the hub gives back what it is sent."""
    device.sendall(b"CONNECT")
    return device.recv(7) == b"CONNECT"


def is_refused(world: World) -> bool:
    """Whether a new connection is refused by every door."""
    for port in world.reservation.ports.values():
        with pytest.raises(ConnectionRefusedError):
            world.tcp(port)
    return True


def is_swallowed(world: World) -> bool:
    """Whether the SYN of a new connection is not answered by any door."""
    for port in world.reservation.ports.values():
        with pytest.raises(TimeoutError):
            socket.create_connection((world.reservation.address, port), timeout=0.05)
    return True


@asynchronous
async def test_restart() -> None:
    """A bare FIN, as the kernel sends for a process that ends; then nobody listens."""
    async with failing() as cell:
        cell.fail("restart")
        with pytest.raises(ssl.SSLEOFError):
            await in_thread(cell.device.recv, 1)
        assert cell.endpoint.closed == ("hub", "fin")
        assert await in_thread(is_refused, cell.world)


@asynchronous
async def test_rst() -> None:
    """What a firewall does that rejects."""
    async with failing() as cell:
        cell.fail("rst")
        with pytest.raises(ConnectionResetError):
            await in_thread(read_reset, cell.device)
        assert cell.endpoint.closed == ("hub", "rst")
        assert await in_thread(is_refused, cell.world)


@asynchronous
async def test_half_open() -> None:
    """What is sent vanishes, what the hub says too, nothing is closed; others are let in."""
    async with failing() as cell:
        cell.fail("half-open")
        await cell.until_told("outage-began")
        await in_thread(cell.device.sendall, b"PING")
        cell.endpoint.out = b"PONG"
        cell.endpoint.part("fin")
        with await in_thread(cell.world.tls) as other:
            assert await in_thread(is_answered, other)
        cell.device.settimeout(0.02)
        with pytest.raises(TimeoutError):
            await in_thread(cell.device.recv, 1)
        assert (cell.endpoint.received, cell.endpoint.out, cell.endpoint.closed) == (b"CONNECT", b"", None)


@asynchronous
async def test_deadlines_of_what_is_held() -> None:
    """The hub knows nothing, and does what it would do."""
    async with failing() as cell:
        cell.fail("half-open")
        cell.endpoint.deadline = 0.0
        cell.endpoint.wake()
        await cell.endpoint.until(lambda: cell.endpoint.ticks)
        assert cell.endpoint.closed is None


@asynchronous
async def test_blackhole() -> None:
    """Connections are held, and new ones find no answer."""
    async with failing() as cell:
        cell.fail("blackhole")
        await cell.until_told("outage-began")
        assert await in_thread(is_swallowed, cell.world)
        assert cell.endpoint.closed is None


@pytest.mark.parametrize("close", ["fin", "rst"])
@asynchronous
async def test_blackhole_that_ends_connections(close: str) -> None:
    """As it was asked to."""
    async with failing() as cell:
        cell.fail("blackhole", close=close)
        await cell.endpoint.until(lambda: cell.endpoint.closed)
        assert cell.endpoint.closed == ("hub", close)
        assert await in_thread(is_swallowed, cell.world)


@pytest.mark.parametrize("how", ["restart", "rst", "half-open", "blackhole"])
@asynchronous
async def test_end(how: OutageHow) -> None:
    """What is held is reset, devices are let in again, and nobody hears of what filled the backlogs."""
    async with failing() as cell:
        cell.fail(how, SHORT_S)
        await cell.until_told("outage-ended")
        with await in_thread(cell.world.tls) as other:
            assert await in_thread(is_answered, other)
        assert cell.endpoint.closed is not None
        assert len(cell.world.hub.connections) == 2


@pytest.mark.slow
@asynchronous
async def test_connection_that_waits_for_the_end_of_a_black_hole() -> None:
    """Its kernel sends the SYN again after a second, and it is let in."""
    async with failing() as cell:
        cell.fail("blackhole", SHORT_S)
        await cell.until_told("outage-began")
        with await in_thread(cell.world.tls) as late:
            assert await in_thread(is_answered, late)


@asynchronous
async def test_events() -> None:
    """Of the outage, and of each connection that it strikes."""
    async with failing() as cell:
        cell.fail("rst", SHORT_S)
        await cell.until_told("outage-ended")
        outage = {"how": "rst", "seconds": SHORT_S}
        assert cell.told == [("outage-began", outage), ("outage-ended", outage)]
        assert cell.endpoint.fields("struck") == {"how": "rst"}


@asynchronous
async def test_another_one_while_the_doors_are_open() -> None:
    """Ends the first."""
    async with failing() as cell:
        cell.fail("half-open")
        await cell.until_told("outage-began")
        cell.fail("rst")
        await cell.endpoint.until(lambda: cell.endpoint.closed)
        assert [(kind, fields["how"]) for kind, fields in cell.told] == [
            ("outage-began", "half-open"),
            ("outage-ended", "half-open"),
            ("outage-began", "rst"),
        ]


@asynchronous
async def test_another_one_while_the_doors_are_shut() -> None:
    """Is not to be had."""
    async with failing() as cell:
        cell.fail("blackhole")
        await cell.until_told("outage-began")
        cell.fail("rst")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (cell.world.hub.outage, cell.kinds) == (None, ["outage-began"])


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # what asyncio drops it leaves to the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as does 3.13 itself
@pytest.mark.parametrize("turns", range(5))
@asynchronous
async def test_connections_accepted_a_moment_ago(caplog: pytest.LogCaptureFixture, turns: int) -> None:
    """Do not slip through, however far they have got."""
    caplog.set_level("CRITICAL", "asyncio")  # which tells of connections it drops
    async with failing() as cell:
        with cell.world.tcp():
            for _ in range(turns):
                await asyncio.sleep(0)
            cell.fail("restart")
            await cell.until_told("outage-began")
            for _ in range(5):
                await asyncio.sleep(0)
            gc.collect()
            assert all(endpoint.closed for endpoint in cell.world.hub.connections)


@pytest.mark.parametrize("how", ["restart", "half-open", "blackhole"])
@asynchronous
async def test_cell_that_is_over_before_its_outage(how: OutageHow) -> None:
    """Everything is closed, and the address is free."""
    async with failing() as cell:
        cell.fail(how)
        await cell.until_told("outage-began")
        await cell.world.server.stop()
        assert cell.endpoint.closed is not None
        assert is_refused(cell.world)
