"""The messages an emulated device was told to send: kept, in flight, acknowledged, sent again, or given up.

Habits of SDKs at a lost connection. `same-packet`: what was in flight comes again as it was (MQTT 3.1.1 section 4.4). `new-message`: the
protocol's library forgets, and the SDK above it sends again what it has seen no acknowledgement for. `never`: the SDK fails it.
"""

from collections import deque
from collections.abc import Mapping
from typing import Literal, TypeAlias

__all__ = ["Outbox", "Resends"]

Resends: TypeAlias = Literal["same-packet", "new-message", "never"]

IN_FLIGHT_MAX = 1000
"""Messages without an acknowledgement at a time; more are kept back. Far above what the harness's scenarios send."""


class Outbox:
    """Messages by the harness's number; those in flight stand under the link's keys."""

    def __init__(self, resends: Resends) -> None:
        self._resends = resends
        self._queue: deque[int] = deque()
        self._in_flight: dict[int, int] = {}
        self._to_resend: tuple[int, ...] = ()
        self._properties: dict[int, Mapping[str, str]] = {}  # of the few that have any

    @property
    def is_waiting(self) -> bool:
        """Whether a message waits for a connection."""
        return bool(self._queue)

    @property
    def is_settled(self) -> bool:
        """Whether no acknowledgement is outstanding."""
        return not self._in_flight

    def add(self, number: int, properties: Mapping[str, str] | None = None) -> None:
        """Take a message, with the application properties that it is to have."""
        self._queue.append(number)
        if properties:
            self._properties[number] = properties

    def properties(self, number: int) -> Mapping[str, str]:
        """The application properties of a message."""
        return self._properties.get(number, {})

    def next(self) -> int | None:
        """The message to send now, or None; `sent` follows."""
        return self._queue.popleft() if self._queue and len(self._in_flight) < IN_FLIGHT_MAX else None

    def sent(self, key: int, number: int) -> None:
        """The message is in flight under `key`."""
        self._in_flight[key] = number

    def acknowledge(self, key: int) -> int | None:
        """The message that is done with this acknowledgement, or None."""
        return self._in_flight.pop(key, None)

    def resend(self) -> tuple[int, ...]:
        """Keys of what was in flight on earlier connections and comes again as it was; once on each connection."""
        due, self._to_resend = self._to_resend, ()
        return tuple(key for key in due if key in self._in_flight)

    def connection_lost(self) -> list[int]:
        """The connection is gone; what comes back as a new message waits again, in its old order. Returns what does not come back."""
        lost: list[int] = []
        if self._resends == "same-packet":
            self._to_resend = tuple(self._in_flight)
            return lost
        if self._resends == "new-message":
            self._queue.extendleft(reversed(self._in_flight.values()))
        else:
            lost = list(self._in_flight.values())
        self._in_flight.clear()
        return lost

    def give_up_waiting(self) -> list[int]:
        """Forget and name the messages that wait for a connection."""
        given_up = list(self._queue)
        self._queue.clear()
        return given_up

    def give_up(self) -> list[int]:
        """Forget and name all messages, those in flight first."""
        given_up = [*self._in_flight.values(), *self.give_up_waiting()]
        self._in_flight.clear()
        return given_up
