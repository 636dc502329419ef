"""Which connection belongs to which transport, and the one on port 443 that has not said yet what it carries."""

from collections.abc import Callable
from typing import Final, Protocol

from harness.errors import LocalProtocolError
from harness.hub.amqp.connection import AmqpConnection
from harness.hub.base import HubConnection
from harness.hub.connection import MqttConnection
from harness.hub.device import Device
from harness.hub.ending import CloseMode, TransportClose
from harness.hub.faults import IdentityChange
from harness.hub.https.connection import HttpsConnection

__all__ = ["WEBSOCKET_TRANSPORTS", "WebSocketConnection", "connect"]

WEBSOCKET_TRANSPORTS: Final = {"mqtt": "mqtt-ws", "amqpwsb10": "amqp-ws"}
"""The transport by the subprotocol, in lower case."""
PLAIN: Final = ""
"""In place of a subprotocol: there is no WebSocket, requests follow."""


class WebSocketConnection(HubConnection):
    """A connection before its upgrade: no bytes, only a time limit."""

    __slots__ = ("_accepted_at", "_deadline")

    def __init__(
        self, device: Device, number: int, transport: str, peer: str, *, now: float, wake: Callable[[], None]
    ) -> None:
        super().__init__(device, number, transport, peer, wake)
        self.data_to_send = bytes  # nothing
        self._accepted_at = now
        self._deadline: float | None = now + device.policy.connect_timeout_s

    def upgraded(self, subprotocol: str, path: str, now: float) -> HubConnection:
        """The connection that speaks from now on, in place of this one; `subprotocol` as the device spelt it, or empty for plain HTTP.

        Raises:
            LocalProtocolError: it is over or was upgraded before, or the hub does not know the subprotocol.
        """
        transport = "https" if subprotocol == PLAIN else WEBSOCKET_TRANSPORTS.get(subprotocol.lower())
        if transport is None or self._over:
            raise LocalProtocolError(f"connection {self.number} cannot be upgraded to {subprotocol}")
        self._over, self._deadline = True, None
        accepted_at = now if transport == "https" else self._accepted_at
        connection = connect(self._device, self.number, transport, self._peer, now=accepted_at, wake=self._wake)
        if self._certificate is not None:
            connection.proven(self._certificate)
        if transport != "https":
            connection.note("websocket", now, path=path, subprotocol=subprotocol, transport=transport)
        return connection

    def receive(self, data: bytes, now: float) -> None:
        """Nothing is read before the upgrade."""

    def next_deadline(self) -> float | None:
        """When the upgrade has to be done."""
        return self._deadline

    def on_time(self, now: float) -> None:
        """Give up on an upgrade that does not come."""
        if self._deadline is not None and now >= self._deadline:
            self._cut("connect-timeout", now)

    def peer_closed(self, how: str, now: float) -> None:  # noqa: ARG002 - nobody knows the device yet
        """The device gave up."""
        self._end("fin")

    def displaced(self, newer: int | None, now: float) -> None:
        """The device is on no connection of this kind."""

    def evicted(self, change: IdentityChange, close: CloseMode | None, now: float) -> None:
        """The same."""

    def deliver(self, now: float) -> None:
        """There is no way yet to deliver anything."""

    def stop(self, now: float) -> None:
        """The hub stops."""
        if not self._over:
            self._cut("hub-stopped", now)
        self._wake()

    def _cut(self, cause: str, now: float) -> None:
        self._end("fin")
        self.note("cut", now, cause=cause, close="fin", detail="before the upgrade")

    def _end(self, close: TransportClose) -> None:
        self._over, self._deadline = True, None
        self.close_request = self.close_request or close


class _Make(Protocol):
    def __call__(
        self, device: Device, number: int, transport: str, peer: str, /, *, now: float, wake: Callable[[], None]
    ) -> HubConnection: ...


_SPEAKERS: Final[dict[str, _Make]] = {
    "mqtt": MqttConnection,
    "mqtt-ws": MqttConnection,
    "amqp": AmqpConnection,
    "amqp-ws": AmqpConnection,
    "https": HttpsConnection,
    "websocket": WebSocketConnection,
}


def connect(
    device: Device, number: int, transport: str, peer: str, *, now: float, wake: Callable[[], None]
) -> HubConnection:
    """The connection for a transport, entered among those of the device."""
    connection = _SPEAKERS[transport](device, number, transport, peer, now=now, wake=wake)
    device.connections[number] = connection
    return connection
