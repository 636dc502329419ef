"""Clients that misbehave over AMQP, beside devices that do not: the former are cut at the documented limits, the latter notice nothing.

One process serves four cells, one for each transport, each with an emulated device that sends. At every cell's door all the bad ones
knock again and again. What is counted are messages and connections, never time.
"""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

import pytest
from support.fleet import Home, fleet
from support.net_world import Watched, asynchronous

from harness.clock import RealClock
from harness.device.devices import device_for
from harness.device.driver import DeviceCallbacks
from harness.hub.policy import Policy
from harness.net.addresses import DOORS, PORTS
from harness.net.certificates import client_context
from harness.net.dial import DevicePump
from harness.net.stream import Limits
from harness.profile import bundled_folder, load_profile
from harness.protocol.amqp.frames import AMQP_HEADER, FrameType, encode_frame
from harness.protocol.amqp.performatives import Attach, Begin, Flow, Open, Source, Target, Transfer

pytestmark = pytest.mark.slow

POLICY: Final = Policy(connect_timeout_s=0.5)
LIMITS: Final = Limits(setup_s=0.5)
MESSAGES, PAUSE_S = 40, 0.05
ATTACK_S = 0.7  # longer than the time limits
NODE = load_profile(bundled_folder() / "node").profile
Client = Callable[[Home], Coroutine[Any, Any, None]]
OPENED = AMQP_HEADER + encode_frame(FrameType.AMQP, 0, Open("bad"))
BEGUN = OPENED + encode_frame(FrameType.AMQP, 0, Begin(None, 1, 5_000, 5_000))
TO_CBS = encode_frame(
    FrameType.AMQP, 0, Attach("cbs", 0, False, source=Source("me"), target=Target("$cbs"), initial_delivery_count=0)
)
LIST = encode_frame(FrameType.AMQP, 0, Flow(1, 5_000, 1, 5_000, echo=True)) * 100


def links() -> bytes:
    """ATTACH without end."""
    return BEGUN + b"".join(
        encode_frame(
            FrameType.AMQP, 0, Attach(f"l{n}", n, False, source=Source("me"), target=Target("$cbs"), initial_delivery_count=0)
        )
        for n in range(100)
    )  # fmt: skip


def sessions() -> bytes:
    """BEGIN without end."""
    return OPENED + b"".join(encode_frame(FrameType.AMQP, n, Begin(None, 1, 5_000, 5_000)) for n in range(100))


ONCE: Final[dict[str, tuple[bytes, str, str]]] = {
    "half a frame": (OPENED[:-5], "connect-timeout", ""),
    "nothing after OPEN": (OPENED, "connect-timeout", ""),
    "another protocol": (b"GET / HTTP/1.1\r\n\r\n", "protocol", "no protocol header"),
    "a giant frame": (OPENED + (1 << 30).to_bytes(4) + b"\2\0\0\0", "protocol", "65536"),
    "endless links": (links(), "protocol", "more than 64 links"),
    "endless sessions": (sessions(), "protocol", "more than 16 sessions"),
    "messages without credit": (
        BEGUN + TO_CBS + encode_frame(FrameType.AMQP, 0, Transfer(0, 0, b"t", 0), b"\0\x53\x77\x40") * 200,
        "protocol",
        "without credit",
    ),
}
"""What is sent, and the hub's cut that follows: its cause, and words of its detail."""


async def knock(home: Home, data: bytes) -> None:
    """Send, then listen until the hub closes."""
    async with connection(home) as (reader, writer):
        writer.write(data)
        await reader.read()


async def flood(home: Home) -> None:
    """Frames that want an answer, without end, and no answer is read."""
    async with connection(home) as (_, writer):
        writer.write(BEGUN)
        while True:
            writer.write(LIST)
            await writer.drain()
            await asyncio.sleep(0.02)  # it shares its core with its victims


async def trickle(home: Home) -> None:
    """A byte at a time."""
    async with connection(home) as (_, writer):
        for byte in itertools.cycle(BEGUN):
            writer.write(bytes((byte,)))
            await asyncio.sleep(0.02)


async def say_nothing(home: Home) -> None:
    """Not even TLS."""
    reader, writer = await asyncio.open_connection(home.reservation.address, PORTS["amqp"])
    try:
        with contextlib.suppress(OSError):
            await reader.read()
    finally:
        writer.transport.abort()


@contextlib.asynccontextmanager
async def connection(home: Home) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A TLS connection to the door of AMQP; its end, however it comes, ends the block."""
    reader, writer = await asyncio.open_connection(
        home.reservation.address, PORTS["amqp"], ssl=client_context(home.authority.ca_pem)
    )
    try:
        with contextlib.suppress(OSError):
            yield reader, writer
    finally:
        writer.transport.abort()


class GoodDevice(Watched):
    """An emulated device over a transport, and what its application saw."""

    def __init__(self, home: Home, transport: str) -> None:
        super().__init__()
        self.seen: list[dict[str, object]] = []
        self._home, self._transport = home, transport
        device = device_for(NODE, transport, random=random.Random(1))
        callbacks = DeviceCallbacks(self._saw, self._ignore, self._ignore, self._ignore, self._ignore)
        port = home.reservation.ports[DOORS[transport]]
        self.pump = DevicePump(device, home.reservation.address, port, transport, callbacks, RealClock())

    async def live(self) -> None:
        """Connect, send everything, leave."""
        await self.pump.start()
        fields = {"transport": self._transport, "ca_pem": self._home.authority.ca_pem}
        self.pump.send({"cmd": "open", "connection_string": self._home.connection_string, **fields})
        await self.until(lambda: self.named("opened"))
        for number in range(1, MESSAGES + 1):
            self.pump.send({"cmd": "send", "id": number})
            await asyncio.sleep(PAUSE_S)
        await self.until(lambda: len(self.named("sent")) + len(self.named("send_failed")) == MESSAGES)
        await self.pump.stop()

    def named(self, event: str) -> list[dict[str, object]]:
        """What it saw of this name."""
        return [seen for seen in self.seen if seen["event"] == event]

    def _saw(self, event: dict[str, object], _now: float) -> None:
        self.seen.append(event)
        self.touch()

    def _ignore(self, *_: object) -> None:
        """Nothing of interest."""


async def cut_of(client: Client) -> tuple[str, str]:
    """The cause of the hub's cut and its detail, as soon as it is made: the hub then waits a while for an answer to its CLOSE."""
    async with fleet(1, policy=POLICY, limits=LIMITS) as (home,):
        attack = asyncio.create_task(client(home))
        await home.until(lambda: home.count("cut"))
        attack.cancel()
        await asyncio.gather(attack, return_exceptions=True)
        ((cause,), (detail,)) = home.fields("cut", "cause"), home.fields("cut", "detail")
        return str(cause), str(detail)


@pytest.mark.parametrize("name", ONCE)
@asynchronous
async def test_a_misbehaving_client_is_cut(name: str) -> None:
    """At the limit that is its own, and with its reason in the log."""
    data, expected, words = ONCE[name]
    cause, detail = await cut_of(lambda home: knock(home, data))
    assert cause == expected
    assert words in detail


@pytest.mark.parametrize("client", [flood, trickle])
@asynchronous
async def test_one_that_never_gets_anywhere_is_cut(client: Client) -> None:
    """However busy it is, it has to authenticate in time."""
    assert (await cut_of(client))[0] == "connect-timeout"


@asynchronous
async def test_one_that_does_not_even_begin_tls_is_cut() -> None:
    """By the time limit of the set-up."""
    async with fleet(1, policy=POLICY, limits=LIMITS) as (home,):
        await say_nothing(home)
        assert home.fields("closed", "how") == ["timeout"]


@asynchronous
async def test_devices_notice_nothing_of_misbehaving_clients() -> None:
    """Every message of every device arrives once, over the one connection it opened."""
    async with fleet(len(DOORS), policy=POLICY, limits=LIMITS) as homes:
        devices = [GoodDevice(home, transport) for home, transport in zip(homes, DOORS, strict=True)]
        good = asyncio.gather(*(device.live() for device in devices))
        bad = [asyncio.create_task(again_and_again(client, home)) for home in homes for client in everybody()]
        await good
        for task in bad:
            task.cancel()
        assert {type(end) for end in await asyncio.gather(*bad, return_exceptions=True)} == {asyncio.CancelledError}
        for device, home in zip(devices, homes, strict=True):
            assert len(device.named("sent")) == home.count("telemetry") == MESSAGES
            assert device.named("send_failed") == []
            assert {str(seen.get("status")) for seen in device.named("status")} == {"connect"}
            assert len(set(home.fields("telemetry", "conn"))) == 1
            assert home.count("accepted") > 3 * len(everybody())
            ours = home.fields("telemetry", "conn")[0]
            assert ours not in home.fields("cut", "conn")


def everybody() -> list[Client]:
    """All the bad ones."""

    def once(data: bytes) -> Client:
        return lambda home: knock(home, data)

    return [*(once(data) for data, _, _ in ONCE.values()), flood, trickle, say_nothing]


async def again_and_again(client: Client, home: Home) -> None:
    """Until it is cancelled; one attack for as long as it takes the hub to see through it."""
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ATTACK_S):
                await client(home)
        await asyncio.sleep(0.05)
