"""Client role of one MQTT 3.1.1 network connection, without I/O and without policy.

The machine checks the protocol and keeps a client's three time limits: the wait for CONNACK, the silence after which it
sends PINGREQ, and the wait for PINGRESP. When to connect, what to acknowledge and what to send again is its owner's decision.
"""

from harness.errors import LocalProtocolError
from harness.protocol.mqtt.codec import DEFAULT_MAX_PACKET_SIZE, encode, encode_puback
from harness.protocol.mqtt.connection import Connection
from harness.protocol.mqtt.events import (
    Acknowledged,
    ClientEvent,
    Connected,
    PongReceived,
    PublishReceived,
    Subscribed,
    Timeout,
    Unsubscribed,
)
from harness.protocol.mqtt.packets import (
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
)
from harness.protocol.mqtt.session import PacketIds
from harness.protocol.mqtt.state import CLIENT_READS, State


class ClientConnection(Connection[ClientEvent]):
    """One connection to a server, from CONNECT to DISCONNECT.

    Sending follows the rules of `connection`: LocalProtocolError before CONNACK, no effect after the end. Methods that
    send take `now`, seconds since the Unix epoch, because sending postpones the next PINGREQ.

    Args:
        connack_timeout_s: how long to wait for CONNACK.
        ping_interval_s: PINGREQ after so many seconds without sending, 0 for never; by default the CONNECT's `keep_alive`,
            the most that section 3.1.2.10 allows. Some clients ping more often than they promise.
        ping_timeout_s: how long to wait for PINGRESP; one PINGREQ is under way at a time.
        max_packet_size: see `codec.Decoder`.
        ids: identifiers of the session, so that new ones avoid those of unacknowledged publishes.
    """

    __slots__ = ("_connack_timeout_s", "_last_sent_at", "_ping_interval_s", "_ping_sent_at", "_ping_timeout_s")

    def __init__(
        self,
        *,
        connack_timeout_s: float = 60.0,
        ping_interval_s: float | None = None,
        ping_timeout_s: float = 30.0,
        max_packet_size: int = DEFAULT_MAX_PACKET_SIZE,
        ids: PacketIds | None = None,
    ) -> None:
        super().__init__(CLIENT_READS, max_packet_size=max_packet_size, ids=PacketIds() if ids is None else ids)
        self._connack_timeout_s = connack_timeout_s
        self._ping_interval_s = ping_interval_s
        self._ping_timeout_s = ping_timeout_s
        self._last_sent_at = 0.0
        self._ping_sent_at: float | None = None

    def next_deadline(self) -> float | None:
        """When `on_time` has something to do, seconds since the Unix epoch; None for never."""
        if self._state is State.CONNECT_SENT:
            return self._last_sent_at + self._connack_timeout_s
        if self._state is not State.CONNECTED:
            return None
        if self._ping_sent_at is not None:
            return self._ping_sent_at + self._ping_timeout_s
        return self._last_sent_at + self._ping_interval_s if self._ping_interval_s else None

    def on_time(self, now: float) -> None:
        """Send PINGREQ, or end the connection, if the deadline for it has come; earlier calls do nothing."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline:
            return
        if self._state is State.CONNECT_SENT:
            self._time_out(Timeout("connack"))
        elif self._ping_sent_at is not None:
            self._time_out(Timeout("ping"))
        else:
            self._last_sent_at = self._ping_sent_at = now
            self._output.append(encode(Pingreq()))

    def connect(self, packet: Connect, now: float) -> None:
        """Queue CONNECT, the first thing to do; the answer is the event `Connected`.

        Raises:
            LocalProtocolError: it was done before, or the packet cannot be encoded.
        """
        if self._state is not State.AWAIT_CONNECT:
            raise LocalProtocolError("a connection carries one CONNECT, as its first packet")
        self._output.append(encode(packet))
        self._last_sent_at = now
        if self._ping_interval_s is None:
            self._ping_interval_s = packet.keep_alive
        self._enter(State.CONNECT_SENT)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        now: float,
        qos: int = 0,
        packet_id: int | None = None,
        dup: bool = False,
        retain: bool = False,
    ) -> int | None:
        """Queue a PUBLISH to the server.

        Returns:
            The packet identifier: with QoS 1 the given one or else a fresh one, with QoS 0 None.

        Raises:
            LocalProtocolError: it is too early, QoS 2, or a value cannot be encoded.
        """
        if self._may_send_at(now):
            return self._queue_publish(Publish(topic, payload, qos, packet_id, dup, retain))
        return packet_id

    def subscribe(
        self, filters: tuple[tuple[str, int], ...], *, now: float, packet_id: int | None = None
    ) -> int | None:
        """Queue SUBSCRIBE for (topic filter, QoS) pairs; the answer is the event `Subscribed`.

        Returns:
            The packet identifier, the given one or else a fresh one.
        """
        if self._may_send_at(now):
            packet_id = self._choose_id(packet_id)
            self._output.append(encode(Subscribe(packet_id, filters)))
        return packet_id

    def unsubscribe(self, filters: tuple[str, ...], *, now: float, packet_id: int | None = None) -> int | None:
        """Queue UNSUBSCRIBE; the answer is the event `Unsubscribed`.

        Returns:
            The packet identifier, the given one or else a fresh one.
        """
        if self._may_send_at(now):
            packet_id = self._choose_id(packet_id)
            self._output.append(encode(Unsubscribe(packet_id, filters)))
        return packet_id

    def acknowledge(self, packet_id: int, *, now: float) -> None:
        """Queue the PUBACK for a received QoS 1 publish."""
        if self._may_send_at(now):
            self._output.append(encode_puback(packet_id))

    def disconnect(self) -> None:
        """Queue DISCONNECT; the machine is closed then (section 3.14.4)."""
        if self._may_send():
            self._output.append(encode(Disconnect()))
            self._enter(State.CLOSED)

    def _may_send_at(self, now: float) -> bool:
        may = self._may_send()
        self._last_sent_at = now
        return may

    def _handle(self, packet: Packet, now: float) -> None:  # noqa: ARG002 - a client times what it sends
        match packet:
            case Publish():
                self._events.append(PublishReceived(packet))
            case Puback(packet_id):
                self._ids.release(packet_id)
                self._events.append(Acknowledged(packet_id))
            case Suback(packet_id, return_codes):
                self._ids.release(packet_id)
                self._events.append(Subscribed(packet_id, return_codes))
            case Unsuback(packet_id):
                self._ids.release(packet_id)
                self._events.append(Unsubscribed(packet_id))
            case Connack(return_code, session_present):
                self._enter(State.CLOSED if return_code else State.CONNECTED)
                self._events.append(Connected(return_code, session_present))
            case _:  # PINGRESP: CLIENT_READS lets nothing else pass
                self._ping_sent_at = None
                self._events.append(PongReceived())
