"""Numbers of things on the wire: handles and channels, and 32-bit counters that wrap."""

from heapq import heappop, heappush
from typing import Final

from harness.errors import LocalProtocolError

SERIAL_MASK: Final = 0xFFFFFFFF
HALF_CIRCLE: Final = 0x80000000


def serial_distance(newer: int, older: int) -> int:
    """How far `newer` is ahead of `older` on the circle of 32 bits, negative if behind (RFC 1982)."""
    distance = (newer - older) & SERIAL_MASK
    return distance if distance < HALF_CIRCLE else distance - SERIAL_MASK - 1


class Numbers:
    """Gives out the lowest free number from 0 up; a released one is given out again."""

    __slots__ = ("_free", "_next")

    def __init__(self) -> None:
        self._next = 0
        self._free: list[int] = []

    def take(self, maximum: int) -> int:
        """The lowest free number.

        Raises:
            LocalProtocolError: all up to `maximum` are taken.
        """
        if self._free:
            return heappop(self._free)
        if self._next > maximum:
            raise LocalProtocolError(f"all numbers up to {maximum} are taken")
        self._next += 1
        return self._next - 1

    def release(self, number: int) -> None:
        """It may be given out again."""
        heappush(self._free, number)
