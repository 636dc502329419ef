"""Outages of one cell: what its connections and its doors suffer when hub or network fail, for as long as it was asked for.

| how | connections | new connections | in the words of a firewall |
|---|---|---|---|
| `restart` | closed as by the end of a process: FIN, no farewell of TLS or above | refused | - |
| `rst` | reset | refused | REJECT with a TCP reset |
| `half-open` | held: nothing is read, answered or closed | let in | a NAT that has forgotten them, or a peer that is gone |
| `blackhole` | held; where it is asked for, closed or reset instead | the SYN is not answered | DROP |

At the end the doors open again and what is held is reset, as a peer does that knows nothing of the connection. A held connection differs from one
whose peer is gone in one way: the device's kernel sees its segments acknowledged until the buffers are full, so that the end of its retransmissions
(some 15 minutes on Linux) is never seen. What an SDK notices earlier it notices by limits of its own, and those are shown.
"""

import asyncio
import contextlib
from collections.abc import Set as AbstractSet

from harness.clock import Clock
from harness.events import Emit
from harness.net.doors import Doors
from harness.net.endpoint import OutageRequest
from harness.net.stream import Stream
from harness.net.timers import Timer

__all__ = ["Outages"]


class Outages:
    """The outages of the connections `streams`, a set that its owner keeps up to date, and of the `doors` they came by.

    Emits `outage-began`, and `outage-ended` when the doors are open again. Each connection that is struck notes it: `struck`.
    """

    def __init__(
        self,
        doors: Doors,
        streams: AbstractSet[Stream],
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        emit: Emit | None,
    ) -> None:
        self._doors, self._streams, self._loop, self._clock = doors, streams, loop, clock
        self._emit = emit
        self._timer = Timer(loop, clock, self._end)
        self._held: set[Stream] = set()
        self._request: OutageRequest | None = None
        self._is_shut = False
        self._opening: asyncio.Task[None] | None = None

    def begin(self, request: OutageRequest, now: float) -> None:
        """Begin at once, and end one that left the doors open; while they are shut, nothing more can fail."""
        if self._request is not None and self._request.how == "half-open":
            self._end(now)
        if self._request is not None:
            return
        self._request = request
        self._tell("outage-began", now)
        for stream in tuple(self._streams):
            stream.note("struck", now, how=request.how)
            self._strike(stream, now)
        self._is_shut = request.how != "half-open"
        if request.how == "blackhole":
            self._doors.swallow()
        elif self._is_shut:
            self._doors.refuse()
        self._timer.set(now + request.seconds, now)

    def newcomer(self, stream: Stream) -> None:
        """A connection has come in. One that was accepted just before the doors were shut is struck too, as soon as the event loop comes round."""
        if self._is_shut:
            self._loop.call_soon(self._strike_late, stream)

    async def stop(self) -> None:
        """End whatever is under way, without a word: its cell is over."""
        self._timer.stop()
        self._let_go()
        if self._opening is not None:
            self._opening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._opening

    def _strike_late(self, stream: Stream) -> None:
        if self._is_shut and stream in self._streams:
            self._strike(stream, self._clock.now())

    def _strike(self, stream: Stream, now: float) -> None:
        assert self._request is not None
        close = {"restart": "fin", "rst": "rst"}.get(self._request.how, self._request.close)
        if close == "fin":
            stream.kill()
        elif close == "rst":
            stream.abort()
        else:
            stream.hold(now)
            self._held.add(stream)

    def _end(self, now: float) -> None:
        self._let_go()
        if self._is_shut:
            self._is_shut = False
            self._opening = self._loop.create_task(self._open())
        else:
            self._ended(now)

    async def _open(self) -> None:
        await self._doors.open()
        self._ended(self._clock.now())

    def _ended(self, now: float) -> None:
        self._tell("outage-ended", now)
        self._request = None

    def _let_go(self) -> None:
        for stream in self._held & self._streams:
            stream.abort()
        self._held.clear()

    def _tell(self, kind: str, now: float) -> None:
        if self._emit is not None and self._request is not None:
            self._emit(kind, now, how=self._request.how, seconds=self._request.seconds)
