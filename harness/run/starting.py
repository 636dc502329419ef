"""How many devices start at a time."""

import asyncio
import os
from collections.abc import Callable

__all__ = ["StartGate"]


class StartGate:
    """Lets in as many devices as the machine has processors, and one more, since a start also waits; whoever waits is let in by turns.

    Until it is connected, an SDK takes a processor for a second or several (a Java machine loads classes even after `open`): more of them at
    once would let tokens of seconds age before they are shown, and would hold up the devices that are being measured.
    """

    def __init__(self, places: int | None = None) -> None:
        self._places = asyncio.Semaphore(places or 1 + (os.cpu_count() or 1))

    async def enter(self) -> Callable[[], None]:
        """Wait for a place. What is returned gives it back, as often as it is called."""
        await self._places.acquire()
        inside = True

        def leave() -> None:
            nonlocal inside
            if inside:
                inside = False
                self._places.release()

        return leave
