"""The messages an emulated device was told to send: kept, in flight, acknowledged, sent again, or given up.

Two habits of SDKs at a lost connection. `same-packet`: MQTT 3.1.1 section 4.4, DUP and the same packet identifier.
`new-message`: the MQTT library forgets, and the SDK above it sends again what it has seen no acknowledgement for.
"""

from collections import deque
from typing import Literal

from msgspec.structs import replace

from harness.device import topics
from harness.protocol.mqtt.packets import Publish
from harness.protocol.mqtt.session import OutgoingSession

__all__ = ["Outbox"]

IN_FLIGHT_MAX = 1000
"""Publishes without a PUBACK at a time; more are kept back. Far above what the harness's scenarios send."""


class Outbox:
    """Messages by the harness's number; `session` holds those in flight as MQTT sees them."""

    def __init__(self, device_id: str, resends: Literal["same-packet", "new-message"]) -> None:
        self._device_id, self._resends = device_id, resends
        self.session = OutgoingSession()
        self._queue: deque[int] = deque()
        self._in_flight: dict[int, int] = {}
        self._to_resend: frozenset[int] = frozenset()

    @property
    def is_waiting(self) -> bool:
        """Whether a message waits for a connection."""
        return bool(self._queue)

    @property
    def is_settled(self) -> bool:
        """Whether no acknowledgement is outstanding."""
        return not self._in_flight

    def add(self, number: int) -> None:
        """Take a message."""
        self._queue.append(number)

    def free_packet_ids(self) -> None:
        """A connection begins: what was asked for on earlier ones is not answered any more, only publishes still wait."""
        self.session.ids.keep_only(self._in_flight)

    def resend(self) -> list[Publish]:
        """The publishes of earlier connections that come again as the same packets, oldest first; once on each connection."""
        due, self._to_resend = self._to_resend, frozenset()
        return [replace(packet, dup=True) for packet in self.session.unacknowledged() if packet.packet_id in due]

    def release(self) -> list[Publish]:
        """The publishes of the messages kept so far, which are in flight now."""
        released = []
        while self._queue and len(self._in_flight) < IN_FLIGHT_MAX:
            number = self._queue.popleft()
            packet = self.session.publish(topics.telemetry(self._device_id, str(number)), b'{"id":%d}' % number)
            assert packet.packet_id is not None
            self._in_flight[packet.packet_id] = number
            released.append(packet)
        return released

    def acknowledge(self, packet_id: int) -> int | None:
        """The message that is done with this PUBACK, or None."""
        self.session.acknowledge(packet_id)
        return self._in_flight.pop(packet_id, None)

    def connection_lost(self) -> None:
        """The connection is gone; what comes back as a new message waits again, in its old order."""
        if self._resends == "new-message":
            self._queue.extendleft(reversed(self._in_flight.values()))
            self._in_flight.clear()
            self.session.clear()
        self._to_resend = frozenset(self._in_flight)

    def give_up_waiting(self) -> list[int]:
        """Forget and name the messages that wait for a connection."""
        given_up = list(self._queue)
        self._queue.clear()
        return given_up

    def give_up(self) -> list[int]:
        """Forget and name all messages, those in flight first."""
        given_up = [*self._in_flight.values(), *self.give_up_waiting()]
        self._in_flight.clear()
        self.session.clear()
        return given_up
