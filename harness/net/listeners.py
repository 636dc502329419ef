"""The listeners of one cell, at one address, in front of one hub: MQTT over TLS on 8883, AMQP on 5671, both over WebSocket and HTTPS on 443."""

import asyncio
import ssl
from collections.abc import Sequence
from functools import partial
from typing import get_args

from harness.clock import Clock
from harness.events import Emit
from harness.net.addresses import Door, Reservation
from harness.net.certificates import Authority
from harness.net.doors import Doors
from harness.net.endpoint import Endpoint, HubCore
from harness.net.outages import Outages
from harness.net.stream import Limits, Shared, Stream
from harness.net.timers import Timer
from harness.net.tls import TlsConnection
from harness.net.websocket import FrontDoor

__all__ = ["CellServer"]


class CellServer:
    """Serves a hub at a reserved address, from `start` to `stop`. Hub and streams run on this event loop only."""

    def __init__(
        self,
        hub: HubCore,
        reservation: Reservation,
        context: ssl.SSLContext,
        clock: Clock,
        limits: Limits,
        emit: Emit | None,
    ) -> None:
        self.reservation = reservation
        self._hub, self._context, self._clock = hub, context, clock
        # Only what leads to whom the context trusts, so that it stays small.
        self._proven: dict[bytes, tuple[bytes, ...]] = {}
        loop = asyncio.get_running_loop()
        self._timer = Timer(loop, clock, self._on_time)
        self._streams: set[Stream] = set()
        self._openers = {door: partial(self._open, door) for door in get_args(Door)}  # once, not with every connection
        self._doors = Doors(reservation, self._make_stream)
        self._outages = Outages(self._doors, self._streams, loop, clock, emit)
        self._drained = asyncio.Event()
        self._shared = Shared(loop, clock, limits, "hub", "device", self._on_end, self._on_activity)

    @classmethod
    async def start(
        cls,
        hub: HubCore,
        authority: Authority,
        reservation: Reservation,
        clock: Clock,
        *,
        names: Sequence[str],
        emit: Emit | None = None,
        limits: Limits | None = None,
    ) -> "CellServer":
        """Serve `hub` at `reservation`, which is released by `stop`. Emits `listening`.

        `names`: the host names the certificate is good for, beside the address.
        """
        context = authority.server_context(names, [reservation.address])
        self = cls(hub, reservation, context, clock, limits or Limits(), emit)
        await self._doors.open()
        if emit is not None:
            emit("listening", clock.now(), address=reservation.address, ports=dict(reservation.ports))
        self.wake()
        return self

    def wake(self) -> None:
        """The hub's own deadline may have moved: to be called after every call to the hub from outside this room."""
        self._timer.set(self._hub.next_deadline())

    async def stop(self) -> None:
        """Close listeners and connections, wait until every socket is closed (bounded by the linger), release the address."""
        await self._outages.stop()
        self._doors.close()
        for _ in range(3):  # what was accepted a moment ago becomes a stream, and gets its endpoint
            await asyncio.sleep(0)
        self._timer.stop()
        self._hub.stop(self._clock.now())
        try:
            async with asyncio.timeout(2 * self._shared.limits.linger_s):
                await self._wait_until_drained()
        except TimeoutError:
            for stream in tuple(self._streams):
                stream.abort()
            await self._wait_until_drained()
        self.reservation.release()

    async def _wait_until_drained(self) -> None:
        while self._streams:
            self._drained.clear()
            await self._drained.wait()

    def _make_stream(self, door: Door) -> Stream:
        tls = TlsConnection(self._context, server_side=True, proven=self._proven)
        return Stream(self._shared, tls, FrontDoor() if door == "websocket" else None, self._openers[door])

    def _open(self, door: Door, stream: Stream, now: float) -> Endpoint:
        self._streams.add(stream)  # only now: of a connection that asyncio drops while it closes, nothing is heard
        self._outages.newcomer(stream)
        return self._hub.open(door, stream.peer, now, stream.wake)

    def _on_activity(self) -> None:
        if (request := self._hub.take_outage()) is not None:
            self._outages.begin(request, self._clock.now())
        if self._timer.deadline is not None:  # a method call waits, and a connection may have changed what it waits for
            self.wake()

    def _on_end(self, stream: Stream) -> None:
        self._streams.discard(stream)
        if not self._streams:
            self._drained.set()

    def _on_time(self, now: float) -> None:
        self._hub.on_time(now)
        self.wake()
