"""The emulated device's way to the hub: one transport after another, and the MQTT connection on each."""

from collections.abc import Iterator
from typing import Literal
from urllib.parse import quote

from harness.device.actions import Action, Dial, Hangup, Write
from harness.device.opening import Opening
from harness.emulation import Emulation, FarewellWay
from harness.protocol.mqtt.client import ClientConnection
from harness.protocol.mqtt.events import ClientEvent
from harness.protocol.mqtt.packets import Connect, Publish
from harness.protocol.mqtt.session import PacketIds

__all__ = ["Link", "connect_packet"]


class Link:
    """Turns what the device does into actions for its transport. Sending is possible from CONNACK 0 on.

    `farewell`: how a transport ends that the device does not abort.
    """

    def __init__(self, farewell: FarewellWay) -> None:
        self._farewell: FarewellWay = farewell
        self._actions: list[Action] = []
        self._connection: ClientConnection | None = None

    def actions(self) -> list[Action]:
        """What the transport has to do, in order; drained."""
        actions, self._actions = self._actions, []
        return actions

    def dial(self) -> None:
        """Ask for a transport."""
        self._actions.append(Dial())

    def connect(self, emulation: Emulation, packet: Connect, ids: PacketIds, now: float) -> None:
        """The transport stands: send CONNECT."""
        self._connection = ClientConnection(
            connack_timeout_s=emulation.connack_timeout_s, ping_interval_s=emulation.ping_interval_s, ids=ids
        )
        self._connection.connect(packet, now)
        self.write()

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes; ignored where nothing is read any more."""
        if self._connection is not None:
            self._connection.receive(data, now)

    def next_deadline(self) -> float | None:
        """When `on_time` has something to do, or None."""
        return None if self._connection is None else self._connection.next_deadline()

    def on_time(self, now: float) -> None:
        """Send PINGREQ or stop waiting, if it is time."""
        if self._connection is not None:
            self._connection.on_time(now)

    def events(self) -> Iterator[ClientEvent]:
        """What happened, oldest first, as long as the transport is not hung up; then writes the answers."""
        connection = self._connection
        for event in connection.events() if connection is not None else ():
            if connection is not self._connection:
                return
            yield event
        self.write()

    def subscribe(self, filters: tuple[tuple[str, int], ...], now: float) -> None:
        """Send SUBSCRIBE."""
        if self._connection is not None:
            self._connection.subscribe(filters, now=now)

    def publish(self, packet: Publish, now: float) -> None:
        """Send a PUBLISH as it is."""
        if self._connection is not None:
            self._connection.publish(
                packet.topic, packet.payload, now=now, qos=packet.qos, packet_id=packet.packet_id, dup=packet.dup
            )

    def acknowledge(self, packet: Publish, now: float) -> None:
        """Send the PUBACK for a received publish, if it wants one."""
        if self._connection is not None and packet.qos == 1 and packet.packet_id is not None:
            self._connection.acknowledge(packet.packet_id, now=now)

    def write(self) -> None:
        """Hand over the bytes queued so far."""
        if self._connection is not None and (data := self._connection.data_to_send()):
            self._actions.append(Write(data))

    def leave(self) -> None:
        """Send DISCONNECT and end the transport."""
        if self._connection is not None:
            self._connection.disconnect()
        self.close()

    def close(self) -> None:
        """End the transport with the farewell; nothing is read any more."""
        self._hang_up(self._farewell)

    def abort(self) -> None:
        """End the transport without one; nothing is read any more."""
        self._hang_up("rst")

    def _hang_up(self, how: FarewellWay | Literal["rst"]) -> None:
        self.write()
        self._connection = None
        self._actions.append(Hangup(how))

    def lost(self) -> None:
        """The transport is gone."""
        self._connection = None


def connect_packet(emulation: Emulation, opening: Opening, token: str) -> Connect:
    """The CONNECT of IoT Hub's clients: the session is kept, no will.

    IoT Hub documentation, "Communicate with an IoT hub using the MQTT protocol", on the CONNECT packet.
    """
    about = f"api-version={emulation.api_version}&DeviceClientType={quote(emulation.user_agent, safe='')}"
    return Connect(
        opening.device_id,
        keep_alive=emulation.keep_alive_s,
        clean_session=False,
        username=f"{opening.host}/{opening.device_id}/?{about}",
        password=token.encode(),
    )
