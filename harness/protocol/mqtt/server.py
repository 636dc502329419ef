"""Server role of one MQTT 3.1.1 network connection, without I/O and without policy.

The machine checks the protocol, keeps the two time limits a server has (the wait for CONNECT, and keep-alive), and gives the answers
that leave no choice: PINGRESP, and CONNACK 1 to another protocol level. Everything else is its owner's decision: whom to accept, which messages to acknowledge and when, when to close.
"""

from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.protocol.mqtt.codec import DEFAULT_MAX_PACKET_SIZE, encode, encode_puback
from harness.protocol.mqtt.connection import Connection
from harness.protocol.mqtt.decoding import UnacceptableProtocolLevelError
from harness.protocol.mqtt.events import (
    ConnectReceived,
    DisconnectReceived,
    PingReceived,
    PubackReceived,
    PublishReceived,
    ServerEvent,
    SubscribeReceived,
    Timeout,
    UnsubscribeReceived,
)
from harness.protocol.mqtt.packets import (
    Connack,
    ConnackCode,
    Connect,
    Disconnect,
    Packet,
    Pingresp,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
)
from harness.protocol.mqtt.session import PacketIds
from harness.protocol.mqtt.state import SERVER_READS, State

_ACCEPTED = {present: encode(Connack(ConnackCode.ACCEPTED, present)) for present in (False, True)}


class ServerConnection(Connection[ServerEvent]):
    """One client's connection, from the first byte to the last.

    Sending follows the rules of `connection`: LocalProtocolError before `accept`, no effect after the end.

    Args:
        now: when the network connection was opened, seconds since the Unix epoch; likewise every other `now`.
        connect_timeout_s: how long the CONNECT may take to arrive (section 3.1.4 asks for a reasonable time).
        max_packet_size: see `codec.Decoder`; also bounds what a client may send ahead of its CONNACK.
    """

    __slots__ = ("_connect_deadline", "_keep_alive_timeout_s", "_last_packet_at")

    def __init__(
        self,
        *,
        now: float,
        connect_timeout_s: float = 60.0,
        max_packet_size: int = DEFAULT_MAX_PACKET_SIZE,
    ) -> None:
        super().__init__(SERVER_READS, max_packet_size=max_packet_size, ids=PacketIds())
        self._connect_deadline = now + connect_timeout_s
        self._keep_alive_timeout_s: float | None = None
        self._last_packet_at = now

    def next_deadline(self) -> float | None:
        """When `on_time` has something to do, seconds since the Unix epoch; None for never."""
        if self._state is State.AWAIT_CONNECT:
            return self._connect_deadline
        if self._state is State.CONNECTED and self._keep_alive_timeout_s is not None:
            return self._last_packet_at + self._keep_alive_timeout_s
        return None

    def on_time(self, now: float) -> None:
        """End the connection if its deadline has come; earlier calls do nothing."""
        deadline = self.next_deadline()
        if deadline is not None and now >= deadline:
            self._time_out(Timeout("connect" if self._state is State.AWAIT_CONNECT else "keep-alive"))

    def accept(self, *, session_present: bool, keep_alive_timeout_s: float | None, now: float) -> None:
        """Answer CONNECT with CONNACK 0, then read what the client has sent since: call `events` again afterwards.

        Args:
            session_present: the server has a session of this client (section 3.2.2.2).
            keep_alive_timeout_s: silence after which the client counts as gone, None for never. Section 3.1.2.10 asks for
                1.5 times the CONNECT's `keep_alive`; every complete packet starts it afresh.
            now: the present.

        Raises:
            LocalProtocolError: there is no CONNECT to answer.
        """
        if self._may_answer_connect():
            self._output.append(_ACCEPTED[session_present])
            self._keep_alive_timeout_s = keep_alive_timeout_s
            self._last_packet_at = now
            self._enter(State.CONNECTED)
            if self._decoder.waiting:
                self.receive(b"", now)

    def refuse(self, return_code: int, now: float) -> None:  # noqa: ARG002 - same shape as accept
        """Answer CONNECT with a CONNACK of another code; the machine is closed then (section 3.2.2.3).

        Raises:
            LocalProtocolError: there is no CONNECT to answer, or the code is no refusal.
        """
        if return_code == ConnackCode.ACCEPTED:
            raise LocalProtocolError("CONNACK 0 is no refusal")
        if self._may_answer_connect():
            self._output.append(encode(Connack(return_code)))
            self._enter(State.CLOSED)

    def acknowledge(self, packet_id: int) -> None:
        """Queue the PUBACK for a received QoS 1 publish."""
        if self.connected or self._may_send():
            self._output.append(encode_puback(packet_id))

    def suback(self, packet_id: int, return_codes: tuple[int, ...]) -> None:
        """Queue the SUBACK: per filter the granted QoS or `packets.SUBACK_FAILURE`."""
        if self._may_send():
            self._output.append(encode(Suback(packet_id, return_codes)))

    def unsuback(self, packet_id: int) -> None:
        """Queue the UNSUBACK."""
        if self._may_send():
            self._output.append(encode(Unsuback(packet_id)))

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        packet_id: int | None = None,
        dup: bool = False,
        retain: bool = False,
    ) -> int | None:
        """Queue a PUBLISH to the client.

        Returns:
            The packet identifier: with QoS 1 the given one or else a fresh one, with QoS 0 None.

        Raises:
            LocalProtocolError: it is too early, QoS 2, or a value cannot be encoded.
        """
        if self._may_send():
            return self._queue_publish(Publish(topic, payload, qos, packet_id, dup, retain))
        return packet_id

    def _may_answer_connect(self) -> bool:
        if self._state in (State.CONNECT_RECEIVED, State.CLOSED):
            return self._state is State.CONNECT_RECEIVED
        raise LocalProtocolError(f"there is no CONNECT to answer {self._state.value}")

    def _handle(self, packet: Packet, now: float) -> None:
        self._last_packet_at = now
        match packet:
            case Publish():
                self._events.append(PublishReceived(packet))
            case Connect():
                self._events.append(ConnectReceived(packet))
                self._enter(State.CONNECT_RECEIVED)
            case Disconnect():
                self._events.append(DisconnectReceived())
                self._enter(State.CLOSED)
            case Puback(packet_id):
                self._ids.release(packet_id)
                self._events.append(PubackReceived(packet_id))
            case Subscribe():
                self._events.append(SubscribeReceived(packet))
            case Unsubscribe():
                self._events.append(UnsubscribeReceived(packet))
            case _:  # PINGREQ: SERVER_READS lets nothing else pass
                self._output.append(encode(Pingresp()))
                self._events.append(PingReceived())

    def _malformed(self, error: RemoteProtocolError) -> None:
        if isinstance(error, UnacceptableProtocolLevelError) and self._state is State.AWAIT_CONNECT:
            self._output.append(encode(Connack(ConnackCode.UNACCEPTABLE_PROTOCOL_VERSION)))
            self._violation(str(error), ConnackCode.UNACCEPTABLE_PROTOCOL_VERSION)
        else:
            super()._malformed(error)
