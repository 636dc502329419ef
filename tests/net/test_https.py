"""Plain requests on port 443, on real sockets, up to the hub's answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from support.fleet import Home, fleet
from support.net_world import asynchronous

from harness.net.certificates import client_context
from harness.net.stream import Limits

LIMITS = Limits(setup_s=0.2)


def request(home: Home, *, authorized: bool = True) -> bytes:
    """A message of the device."""
    token = f"Authorization: {home.token()}\r\n" if authorized else ""
    head = f"POST /devices/{home.device_id}/messages/events HTTP/1.1\r\nHost: {home.reservation.address}\r\n{token}"
    return f"{head}Content-Length: 2\r\n\r\n{{}}".encode()


@asynccontextmanager
async def called() -> AsyncIterator[tuple[Home, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A hub, and a connection to its port for WebSockets and HTTPS."""
    async with fleet(1, limits=LIMITS) as (home,):
        port = home.reservation.ports["websocket"]
        reader, writer = await asyncio.open_connection(
            home.reservation.address, port, ssl=client_context(home.authority.ca_pem)
        )
        try:
            yield home, reader, writer
        finally:
            writer.transport.abort()


async def status(reader: asyncio.StreamReader) -> int:
    """That of the next answer, whose body is read too."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = head.partition("content-length: ")[2].partition("\r\n")[0]
    await reader.readexactly(int(length or 0))
    return int(head.split()[1])


@asynchronous
async def test_one_connection_carries_requests_each_with_its_own_fate() -> None:
    """The second has no token."""
    async with called() as (home, reader, writer):
        answers = []
        for authorized in (True, False, True):
            writer.write(request(home, authorized=authorized))
            answers.append(await status(reader))
        assert answers == [204, 401, 204]
        assert home.fields("http-request", "conn") == [1, 1, 1]
        assert home.count("telemetry") == 2


@asynchronous
async def test_garbage_behind_a_request_ends_the_connection() -> None:
    """With an answer."""
    async with called() as (home, reader, writer):
        writer.write(request(home) + b"\0\0\0\r\n\r\n")
        assert [await status(reader), await status(reader), await reader.read()] == [204, 400, b""]
        await home.until(lambda: home.count("closed") == 1)
        assert home.fields("closed", "first") == ["hub"]


@asynchronous
async def test_a_first_request_that_does_not_come_is_not_waited_for() -> None:
    """Nobody knows yet whether it is a WebSocket's."""
    async with called() as (home, reader, writer):
        writer.write(request(home)[:30])
        assert await reader.read() == b""
        await home.until(lambda: home.count("closed") == 1)
        assert home.fields("closed", "how") == ["timeout"]
