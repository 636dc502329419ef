"""The door of the emulated hub: connections come in here, and so do messages and method calls for the device."""

from collections.abc import Callable

from harness.events import Emit
from harness.hub.base import HubConnection
from harness.hub.device import Device
from harness.hub.identity import Identity
from harness.hub.methods import MethodCall
from harness.hub.outage import Outage
from harness.hub.policy import Policy
from harness.hub.session import C2dMessage
from harness.hub.transports import connect

__all__ = ["Hub"]


def _forget(_secret: str) -> None:
    """Nobody writes anything that could hold a secret."""


class Hub:
    """An IoT Hub with one device. It has no I/O and no clock: `now` is seconds since the Unix epoch throughout.

    Args:
        identity: the device.
        policy: how it is treated.
        emit: takes the hub's events; None where nobody wants them.
        learn_secret: told every signature the hub sees, in each spelling, before an event about it is emitted.
        names: host names and addresses this hub answers to, besides its own name.
    """

    def __init__(
        self,
        identity: Identity,
        policy: Policy,
        *,
        emit: Emit | None,
        learn_secret: Callable[[str], None] = _forget,
        names: frozenset[str] = frozenset(),
    ) -> None:
        self._device = Device(identity, policy, names, emit, learn_secret)
        self._count = 0

    def open(self, transport: str, peer: str, now: float, wake: Callable[[], None]) -> HubConnection:
        """A connection was accepted; see `HubConnection` for the arguments."""
        self._count += 1
        connection = connect(self._device, self._count, transport, peer, now=now, wake=wake)
        connection.note("accepted", now, transport=transport, peer=peer)
        return connection

    def send_c2d(self, message_id: str, body: bytes, now: float) -> None:
        """Queue a cloud-to-device message; it is sent as soon as the device is there and subscribed."""
        self._device.session.enqueue(C2dMessage(message_id, body))
        self._device.emit("c2d-queued", now, message_id=message_id)
        self._device.deliver(now)

    def call_method(
        self,
        request_id: str,
        name: str,
        body: bytes,
        now: float,
        *,
        connect_timeout_s: float,
        response_timeout_s: float,
    ) -> None:
        """Call a direct method of the device, which is waited for; `body` is JSON. Ends with method-answered or method-failed."""
        self._device.methods.add(MethodCall(request_id, name, body, response_timeout_s, now + connect_timeout_s))
        self._device.emit("method-called", now, request_id=request_id, name=name)
        self._device.deliver(now)

    def next_deadline(self) -> float | None:
        """When a method call times out, None if there is none. Any call of the hub or a connection may change it."""
        return self._device.methods.next_deadline()

    def on_time(self, now: float) -> None:
        """Fail the method calls whose time has come; earlier calls do nothing."""
        for call in self._device.methods.pop_overdue(now):
            code, reason = call.failure
            self._device.emit("method-failed", now, request_id=call.request_id, code=code, reason=reason)

    def take_outage(self) -> Outage | None:
        """The outage that a fault asks for, once; any call of a connection may bring one."""
        outage = self._device.outage
        if outage is not None:
            self._device.outage = None
        return outage

    def stop(self, now: float) -> None:
        """Cut every connection."""
        for connection in list(self._device.connections.values()):
            connection.stop(now)
