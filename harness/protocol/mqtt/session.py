"""What outlives a network connection on the sending side: packet identifiers and unacknowledged publishes.

MQTT 3.1.1 section 2.3.1: identifiers are 1 to 65535 and unique among the packets still waiting for their answer. Section
4.4: with CleanSession 0, both sides send unacknowledged PUBLISH packets again after a reconnect, with their identifiers;
section 4.6: in their original order. The connection machines know none of this; their owner keeps one `OutgoingSession`
per client identifier and sends what `resend` returns first on each new connection.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from harness.errors import LocalProtocolError
from harness.protocol.mqtt.packets import Publish

MAX_PACKET_ID = 65_535


class PacketIds:
    """Allocates packet identifiers round robin, skipping those in use, so that a late answer meets no new request."""

    __slots__ = ("_in_use", "_last")

    def __init__(self) -> None:
        self._last = 0
        self._in_use: dict[int, None] = {}  # used as a set; each connection has one, and empty it is a third as large

    def take(self) -> int:
        """The next free identifier, now in use.

        Raises:
            LocalProtocolError: all 65535 are in use.
        """
        if len(self._in_use) == MAX_PACKET_ID:
            raise LocalProtocolError("all packet identifiers are in use")
        packet_id = self._last % MAX_PACKET_ID + 1
        while packet_id in self._in_use:
            packet_id = packet_id % MAX_PACKET_ID + 1
        self._last = packet_id
        self._in_use[packet_id] = None
        return packet_id

    def reserve(self, packet_id: int) -> None:
        """Mark an identifier the caller chose as in use; doing it twice is harmless."""
        self._in_use[packet_id] = None

    def release(self, packet_id: int) -> None:
        """Its answer has come; releasing an unknown identifier is harmless."""
        self._in_use.pop(packet_id, None)

    def keep_only(self, packet_ids: Iterable[int]) -> None:
        """Release all others: their requests died with the connection that carried them."""
        if self._in_use:
            self._in_use = {packet_id: None for packet_id in packet_ids if packet_id in self._in_use}

    def __contains__(self, packet_id: object) -> bool:
        return packet_id in self._in_use

    def __len__(self) -> int:
        return len(self._in_use)


class OutgoingSession:
    """Unacknowledged QoS 1 publishes of one client identifier, in the order they were first sent."""

    def __init__(self) -> None:
        self.ids = PacketIds()
        self._unacknowledged: dict[int, Publish] = {}

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> Publish:
        """A QoS 1 PUBLISH with a fresh identifier, remembered until `acknowledge`.

        Raises:
            LocalProtocolError: all packet identifiers are in use.
        """
        packet_id = self.ids.take()
        packet = Publish(topic, payload, qos=1, packet_id=packet_id, retain=retain)
        self._unacknowledged[packet_id] = packet
        return packet

    def acknowledge(self, packet_id: int) -> Publish | None:
        """Forget the publish a PUBACK names and free its identifier; None if no publish waits under it."""
        packet = self._unacknowledged.pop(packet_id, None)
        if packet is not None:
            self.ids.release(packet_id)
        return packet

    def unacknowledged(self) -> tuple[Publish, ...]:
        """The publishes still waiting, oldest first, as they were first sent."""
        return tuple(self._unacknowledged.values())

    def resend(self) -> tuple[Publish, ...]:
        """A connection of the same session begins: the unacknowledged publishes, with DUP set (section 3.3.1.1).

        They are to be sent first. All other identifiers are free again, for requests do not outlive their connection.
        """
        self.ids.keep_only(self._unacknowledged)
        return tuple([replace(packet, dup=True) for packet in self._unacknowledged.values()])

    def clear(self) -> None:
        """Forget everything, as CleanSession 1 demands (section 3.1.2.4)."""
        self._unacknowledged.clear()
        self.ids.keep_only(())

    def __len__(self) -> int:
        return len(self._unacknowledged)
