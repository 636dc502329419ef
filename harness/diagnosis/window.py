"""Puts entries in the order of their moments, as far as a window of bounded size reaches.

The service promises no order, and an export of a query often has the latest record first. What the window cannot put in its place comes where
it stands; so does everything else that is older than what has left the window. The devices count both. Which way a file runs is told from its first entries.
"""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Final

from harness.diagnosis.records import Entry

__all__ = ["SPAN", "Window"]

SPAN: Final = 20_000
"""By how many records one may stand from its place and still be put there; twice as many are held."""

_device_of: Final = itemgetter(2)


class Window:
    """Hands entries on to `take`, in order. `descending`: the file runs from the latest to the oldest, and so do they."""

    def __init__(self, take: Callable[[Entry], None], span: int = SPAN) -> None:
        self.descending = False
        self._take, self._span = take, span
        self._held: list[Entry] = []
        self._began = False

    def add(self, entries: Iterable[Entry]) -> None:
        """Hold these, and hand on the first ones of what is held, if that is too many."""
        self._held.extend(entries)
        while len(self._held) >= 2 * self._span:
            if not self._began:
                self.descending, self._began = _runs_down(self._held), True
            self._hand_on(self._span)

    def finish(self) -> None:
        """Hand on what is left."""
        self._hand_on(len(self._held))

    def _hand_on(self, number: int) -> None:
        self._held.sort(reverse=self.descending)
        ripe, self._held = self._held[:number], self._held[number:]
        for entry in ripe:
            self._take(entry)


def _runs_down(entries: Iterable[Entry]) -> bool:
    """Whether the records of a device are mostly followed by older ones."""
    latest: dict[str, float] = {}
    balance = 0
    for entry in entries:
        device, at = _device_of(entry), entry[0]
        before = latest.get(device, at)
        balance += (at > before) - (at < before)
        latest[device] = at
    return balance < 0
