"""What outlives a connection: the device's subscriptions, its queue of cloud-to-device messages, and what is in flight.

A CONNECT with CleanSession 0 finds the subscriptions and the unacknowledged messages of the session before it, and is told so (MQTT 3.1.1
sections 3.1.2.4 and 3.2.2.2). The queue belongs to the device, not to its session: with CleanSession 1, or when the device comes over
AMQP, messages that were in flight go back to its head and wait like the others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.protocol.mqtt.packets import Publish
from harness.protocol.mqtt.session import OutgoingSession

__all__ = ["MAX_DELIVERIES", "C2dMessage", "DeviceSession"]

MAX_DELIVERIES: Final = 10
"""The service's default for the maximum delivery count; what comes back as often goes to the dead letters."""


@dataclass(frozen=True, slots=True)
class C2dMessage:
    """A cloud-to-device message. `deliveries`: how often it was sent over AMQP and came back unsettled."""

    message_id: str
    body: bytes
    deliveries: int = 0


class DeviceSession:
    """The session of the one device, in turn for each of its connections."""

    def __init__(self) -> None:
        self._kept = False
        self._granted: dict[str, int] = {}
        self._queue: list[C2dMessage] = []  # a deque takes half a KiB even where it is empty, as it mostly is
        self._outgoing = OutgoingSession()
        self._in_flight: dict[int, C2dMessage] = {}

    def begin(self, *, clean: bool) -> bool:
        """A connection was accepted; whether it goes on with a session that was there."""
        present = self._kept and not clean
        if not present:
            self._granted.clear()
            self.recall()
        self._kept = not clean
        return present

    def recall(self) -> list[C2dMessage]:
        """Put what is in flight over MQTT back to the head of the queue; what that was, oldest first."""
        messages = list(self._in_flight.values())
        self.put_back(messages)
        self._in_flight.clear()
        self._outgoing.clear()
        return messages

    @property
    def waiting(self) -> bool:
        """Whether the queue holds anything."""
        return bool(self._queue)

    def put_back(self, messages: Sequence[C2dMessage]) -> None:
        """These were sent and not acknowledged, oldest first: they are the next again."""
        self._queue[:0] = messages

    def subscribe(self, topic_filter: str, qos: int) -> int:
        """Note a subscription; the QoS granted, at most 1."""
        self._granted[topic_filter] = min(qos, 1)
        return self._granted[topic_filter]

    def unsubscribe(self, topic_filter: str) -> None:
        """Drop a subscription, if there is one."""
        self._granted.pop(topic_filter, None)

    def granted(self, topic_filter: str) -> int | None:
        """The QoS granted to a subscription, None without one."""
        return self._granted.get(topic_filter)

    def enqueue(self, message: C2dMessage) -> None:
        """Take a message for the device."""
        self._queue.append(message)

    def resend(self) -> Iterable[tuple[C2dMessage, Publish]]:
        """The messages in flight, oldest first, each with its PUBLISH for a new connection: same identifier, DUP set."""
        return zip(self._in_flight.values(), self._outgoing.resend(), strict=True) if self._in_flight else ()

    def take(self) -> C2dMessage | None:
        """The next message of the queue, which is off it then."""
        return self._queue.pop(0) if self._queue else None

    def put_in_flight(self, message: C2dMessage, topic: str) -> Publish:
        """The PUBLISH with QoS 1 for a message, which is in flight until its `acknowledge`."""
        packet = self._outgoing.publish(topic, message.body)
        assert packet.packet_id is not None
        self._in_flight[packet.packet_id] = message
        return packet

    def acknowledge(self, packet_id: int) -> C2dMessage | None:
        """A PUBACK came; the message it ends, None if nothing was in flight under this identifier."""
        self._outgoing.acknowledge(packet_id)
        return self._in_flight.pop(packet_id, None)
