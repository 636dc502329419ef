"""A machine of ours and rhea, an AMQP library for Node.js that others wrote, at the two ends of a TCP connection over loopback.

A test is a coroutine that is given both: `ours` and `rhea`. Each keeps what has happened at its end until it is asked for.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from support.plans import a_profile

from harness.device.environments import Environments, cache_folder
from harness.profile import AdapterProgram
from harness.protocol.amqp.client import ClientConnection, plain
from harness.protocol.amqp.connection import Connection, Limits
from harness.protocol.amqp.events import (
    AttachReceived,
    BeginReceived,
    CloseReceived,
    DetachReceived,
    EndReceived,
    Event,
    FlowReceived,
    LinkViolation,
    OpenReceived,
    ProtocolViolation,
    SaslInitReceived,
    SessionViolation,
)
from harness.protocol.amqp.performatives import SaslCode, Source, Target
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.server import ServerConnection

NOW = 1_000.0
FOLDER = Path(__file__).parent / "rhea_peer"
INSTALL = ("npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
PATIENCE_S = 10.0

BY_HAND = {"credit_window": 0, "autoaccept": False, "autosettle": False}
"""Links of rhea's that do nothing on their own."""

EventT = TypeVar("EventT")
Options = dict[str, Any]
Told = dict[str, Any]
"""A line of the peer's program."""


@cache
def installed() -> Path:
    """The folder of the peer's program with rhea in it; made below the cache the first time, as an SDK's is."""
    program = AdapterProgram(("node", "peer.js"), runtime="node", transports=("amqp",), install=INSTALL)
    loaded = a_profile("rhea", adapter=program, folder=FOLDER)
    return asyncio.run(Environments(cache_folder(os.environ), print).prepare(loaded)).folder


class Happened:
    """What has happened at one end and was not asked for yet."""

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._changed = asyncio.Event()
        self._failure = ""

    def add(self, item: object) -> None:
        """One more."""
        self._items.append(item)
        self._changed.set()

    def fail(self, reason: str) -> None:
        """Nothing more will happen."""
        self._failure = reason
        self._changed.set()

    async def take(self, wanted: Callable[[Any], bool]) -> Any:
        """The first that is wanted, as soon as it has happened; what else has happened stays."""
        while True:
            for index, item in enumerate(self._items):
                if wanted(item):
                    return self._items.pop(index)
            assert not self._failure, f"{self._failure}; what happened: {self._items}"
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), PATIENCE_S)
            except TimeoutError:
                raise AssertionError(f"it did not happen; what did: {self._items}") from None


class Ours(asyncio.Protocol):
    """Our end: a machine, and an owner that accepts all there is and takes any violation for a failed test."""

    def __init__(self, machine: Connection) -> None:
        self.machine = machine
        self.connected = asyncio.Event()
        self._happened = Happened()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The other end is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.connected.set()
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Bytes of the other end."""
        self.machine.receive(data, NOW)
        while events := self.machine.events():
            for event in events:
                self._happened.add(event)
                self._answer(event)
        self.flush()

    def flush(self) -> None:
        """Send what is queued."""
        if self._transport is not None and (data := self.machine.data_to_send()):
            self._transport.write(data)

    async def until(self, kind: type[EventT]) -> EventT:
        """The next event of this kind."""
        self.flush()
        event = await self._happened.take(lambda event: isinstance(event, kind))
        assert isinstance(event, kind)
        return event

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()

    def _answer(self, event: Event) -> None:
        match event:
            case ProtocolViolation() | SessionViolation() | LinkViolation():
                self._happened.fail("a violation")
            case EndReceived(session):
                session.end()
            case DetachReceived(link):
                link.detach()
            case CloseReceived():
                self.machine.close(now=NOW)
            case _ if isinstance(self.machine, ServerConnection):
                self._serve(self.machine, event)

    def _serve(self, machine: ServerConnection, event: Event) -> None:
        match event:
            case SaslInitReceived():
                machine.sasl_outcome(SaslCode.OK, now=NOW)
            case OpenReceived():
                machine.open("harness")
            case BeginReceived(session):
                session.accept()
            case AttachReceived(link):
                link.accept()


class Rhea:
    """Their end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._happened = Happened()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, folder: Path, options: Options) -> "Rhea":
        """Start the program in its folder; `options` as it takes them."""
        process = await asyncio.create_subprocess_exec(
            "node", "peer.js", json.dumps(options), cwd=folder,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return cls(process)

    def do(self, what: str, **arguments: object) -> None:
        """Give a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **arguments}).encode() + b"\n")

    async def until(self, event: str, link: str | None = None) -> Told:
        """The next event of this name, of this link if one is named."""
        told = await self._happened.take(lambda told: told["event"] == event and link in (None, told.get("link")))
        assert isinstance(told, dict)
        return told

    async def stop(self) -> None:
        """End the program by closing its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), PATIENCE_S)
        finally:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._happened.add(json.loads(line))
        self._happened.fail("the program has ended")


Test = Callable[[Ours, Rhea], Awaitable[None]]


class Way(NamedTuple):
    """Which rhea, and the role of our machine."""

    rhea: str
    role: str


every_way = pytest.mark.parametrize(
    "way", [Way(rhea, role) for rhea in ("rhea", "rhea-1") for role in ("server", "client")], ids="-".join
)
"""`rhea-1` is the version that azure-iot-device-amqp has, `rhea` the one that is current."""


def play(way: Way, test: Test, *, frame: int = 4_096, sasl: bool = False, **options: Any) -> None:
    """Run a test; `frame` is the largest frame of either side, `options` are rhea's besides those of `BY_HAND`."""
    limits = Limits(max_frame_size=frame)
    theirs = {
        "rhea": way.rhea, "role": "client" if way.role == "server" else "server", "max_frame_size": frame,
        "receiver_options": BY_HAND, "sender_options": BY_HAND, **options,
    }  # fmt: skip
    if way.role == "server":
        user = {"username": "u", "password": "secret"} if sasl else {}
        _run(_listen, ServerConnection(now=NOW, limits=limits), test, {**theirs, **user})
    else:
        mechanism, response = ("PLAIN", plain("u", "secret")) if sasl else (None, None)
        client = ClientConnection(mechanism=mechanism, response=response, limits=limits)
        client.connect(NOW)
        client.open("harness")
        _run(_connect, client, test, theirs)


async def receiving(ours: Ours, rhea: Rhea, **modes: Any) -> ReceiverLink:
    """A link on which rhea sends and we receive, begun by the client."""
    if isinstance(ours.machine, ServerConnection):
        rhea.do("sender", options={"name": "link", "target": "there", **BY_HAND, **modes})
        link = (await ours.until(AttachReceived)).link
    else:
        link = ours.machine.begin().receiver("link", Source("there"), **modes)
        await ours.until(AttachReceived)
    assert isinstance(link, ReceiverLink)
    link.grant(50)
    ours.flush()
    await rhea.until("sender_flow", "link")
    return link


async def sending(ours: Ours, rhea: Rhea, *, credit: int = 0, **modes: Any) -> SenderLink:
    """A link on which we send and rhea receives, begun by the client; rhea settles nothing on its own."""
    if isinstance(ours.machine, ServerConnection):
        rhea.do("receiver", options={"name": "link", "source": "there", **BY_HAND, **modes})
        link = (await ours.until(AttachReceived)).link
    else:
        link = ours.machine.begin().sender("link", Target("there"), **modes)
        await ours.until(AttachReceived)
    ours.flush()
    assert isinstance(link, SenderLink)
    await rhea.until("receiver_open", "link")
    if credit:
        rhea.do("credit", link="link", credit=credit)
        await ours.until(FlowReceived)
    return link


Meeting = Callable[[Ours, Path, Options], Awaitable[Rhea]]


def _run(meet: Meeting, machine: Connection, test: Test, options: Options) -> None:
    folder = installed()

    async def meet_and_test() -> None:
        ours = Ours(machine)
        rhea = await meet(ours, folder, options)
        try:
            await test(ours, rhea)
        finally:
            await rhea.stop()
            ours.close()

    asyncio.run(meet_and_test())


async def _listen(ours: Ours, folder: Path, options: Options) -> Rhea:
    """Rhea connects to us."""
    async with await asyncio.get_running_loop().create_server(lambda: ours, "127.0.0.1", 0) as server:
        rhea = await Rhea.start(folder, options | {"port": server.sockets[0].getsockname()[1]})
        await ours.connected.wait()
    return rhea


async def _connect(ours: Ours, folder: Path, options: Options) -> Rhea:
    """We connect to rhea."""
    rhea = await Rhea.start(folder, options)
    port = (await rhea.until("listening"))["port"]
    await asyncio.get_running_loop().create_connection(lambda: ours, "127.0.0.1", port)
    return rhea
