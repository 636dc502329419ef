"""The emulated device's link over MQTT 3.1.1, in IoT Hub's topics."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from urllib.parse import quote

from msgspec.structs import replace

from harness.device import topics
from harness.device.link import (
    Acknowledged,
    Admitted,
    Broken,
    Called,
    Link,
    LinkEvent,
    Listening,
    Received,
    Refused,
    Wish,
)
from harness.device.opening import Opening
from harness.emulation import Emulation, FarewellWay
from harness.protocol.mqtt import events as mqtt
from harness.protocol.mqtt.client import ClientConnection
from harness.protocol.mqtt.packets import ConnackCode, Connect, Publish
from harness.protocol.mqtt.session import OutgoingSession

__all__ = ["MqttLink"]


class MqttLink(Link):
    """Sending is possible from CONNACK 0 on. The session outlives its connections; a message's key is its packet identifier."""

    renews_in_place = False

    def __init__(self, emulation: Emulation, farewell: FarewellWay) -> None:
        super().__init__(farewell, emulation.resends)
        self._emulation = emulation
        self._session = OutgoingSession()
        self._connection: ClientConnection | None = None
        self._device_id = ""

    @property
    def stands(self) -> bool:
        """Never: a connection carries one CONNECT (MQTT 3.1.1 section 3.1)."""
        return False

    def connected(self, opening: Opening, token: str, now: float) -> None:
        """Send CONNECT. What was asked for on earlier connections is not answered any more, only publishes still wait."""
        self._device_id = opening.device_id
        self._session.ids.keep_only(packet.packet_id or 0 for packet in self._session.unacknowledged())
        self._connection = ClientConnection(
            connack_timeout_s=self._emulation.connack_timeout_s,
            ping_interval_s=self._emulation.ping_interval_s,
            ids=self._session.ids,
        )
        self._connection.connect(_connect_packet(self._emulation, opening, token), now)
        self.write()

    def authenticate(self, token: str, now: float) -> None:
        """Never asked for, since no connection `stands`."""

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes."""
        if self._connection is not None:
            self._connection.receive(data, now)

    def next_deadline(self) -> float | None:
        """When PINGREQ is due, or an answer overdue."""
        return None if self._connection is None else self._connection.next_deadline()

    def on_time(self, now: float) -> None:
        """Send PINGREQ or stop waiting."""
        if self._connection is not None:
            self._connection.on_time(now)

    def events(self, now: float) -> Iterator[LinkEvent]:
        """What happened; a received publish is acknowledged when its event was handled."""
        connection = self._connection
        for event in connection.events() if connection is not None else ():
            if (told := self._told(event)) is not None:
                yield told
            if connection is not self._connection:
                return
            if isinstance(event, mqtt.PublishReceived):
                self._acknowledge(event.packet, now)
        self.write()

    def _told(self, event: mqtt.ClientEvent) -> LinkEvent | None:
        match event:
            case mqtt.Connected(ConnackCode.ACCEPTED):
                return Admitted()
            case mqtt.Connected(code):
                return Refused(passing=code == ConnackCode.SERVER_UNAVAILABLE)
            case mqtt.Subscribed():
                return Listening()
            case mqtt.Acknowledged(packet_id):
                self._session.acknowledge(packet_id)
                return Acknowledged(packet_id)
            case mqtt.ProtocolViolation() | mqtt.Timeout():
                return Broken()
        return self._received(event.packet) if isinstance(event, mqtt.PublishReceived) else None

    def _received(self, packet: Publish) -> LinkEvent | None:
        if (found := topics.received_message_id(packet.topic, self._device_id)) is not None:
            return Received(found[0], len(packet.payload))
        if (call := topics.method_call(packet.topic)) is not None:
            return Called(call[0], call[1], call[1])
        return None

    def _acknowledge(self, packet: Publish, now: float) -> None:
        if self._connection is not None and packet.qos == 1 and packet.packet_id is not None:
            self._connection.acknowledge(packet.packet_id, now=now)

    def listen(self, wishes: Collection[Wish], now: float) -> bool:
        """Send SUBSCRIBE, if there is anything to subscribe to."""
        candidates = (
            ("twin", topics.TWIN_FILTER, 1),
            ("c2d", topics.c2d_filter(self._device_id), 1),
            ("methods", topics.METHOD_FILTER, self._emulation.methods_qos),
        )
        filters = tuple((name, qos) for wish, name, qos in candidates if wish in wishes)
        if filters and self._connection is not None:
            self._connection.subscribe(filters, now=now)
        return bool(filters)

    def send(self, number: int, now: float, properties: Mapping[str, str] | None = None) -> int:
        """Send a new PUBLISH of QoS 1."""
        topic = topics.telemetry(self._device_id, str(number), properties or {})
        packet = self._session.publish(topic, b'{"id":%d}' % number)
        self._publish(packet, now)
        assert packet.packet_id is not None
        return packet.packet_id

    def resend(self, keys: Iterable[int], now: float) -> None:
        """Send the same packets with DUP (MQTT 3.1.1 section 4.4), oldest first."""
        due = frozenset(keys)
        for packet in self._session.unacknowledged():
            if packet.packet_id in due:
                self._publish(replace(packet, dup=True), now)

    def forget(self) -> None:
        """Free the identifiers of what was in flight."""
        self._session.clear()

    def answer(self, call: Called, now: float) -> None:
        """Publish the answer to a direct method."""
        self._publish(topics.method_response(call.request_id), now)

    @property
    def is_renewing(self) -> bool:
        """Never: nothing is renewed in place."""
        return False

    def renew(self, token: str, now: float) -> None:
        """Never asked for, since nothing is renewed in place."""

    def leave(self, now: float) -> None:
        """Send DISCONNECT and end the transport."""
        if self._connection is not None:
            self._connection.disconnect()
        self.close(now)

    def close(self, now: float) -> None:  # noqa: ARG002 - there is nothing to say that would take time
        """End the transport with the farewell."""
        self._hang_up(self._farewell)

    def _publish(self, packet: Publish, now: float) -> None:
        if self._connection is not None:
            self._connection.publish(
                packet.topic, packet.payload, now=now, qos=packet.qos, packet_id=packet.packet_id, dup=packet.dup
            )

    def _data_to_send(self) -> bytes:
        return b"" if self._connection is None else self._connection.data_to_send()

    def _forget_connection(self) -> None:
        self._connection = None


def _connect_packet(emulation: Emulation, opening: Opening, token: str) -> Connect:
    """The CONNECT of IoT Hub's clients: the session is kept, no will; no password where a certificate stands for the token.

    IoT Hub documentation, "Communicate with an IoT hub using the MQTT protocol", on the CONNECT packet.
    """
    about = f"api-version={emulation.api_version}&DeviceClientType={quote(emulation.user_agent, safe='')}"
    return Connect(
        opening.device_id,
        keep_alive=emulation.keep_alive_s,
        clean_session=False,
        username=f"{opening.host}/{opening.device_id}/?{about}",
        password=token.encode() or None,
    )
