"""What every connection of the hub is, whatever it speaks: a number, its events and records, one end."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from harness.errors import LocalProtocolError
from harness.hub.certificates import Certificate
from harness.hub.device import Device
from harness.hub.diagnostics import Operation, Origin, Problem, build_record, row_view
from harness.hub.ending import CloseMode, TransportClose
from harness.hub.faults import IdentityChange
from harness.sas import Token

__all__ = ["HubConnection", "shown_certificate", "shown_token"]


class HubConnection(ABC):
    """One connection of a device. Whoever moves its bytes calls it; `now` is seconds since the Unix epoch throughout.

    `close_request` is set once: close the transport that way, after `data_to_send` has been sent. `data_to_send()` gives away
    everything to be sent to the device since the last call; it is the protocol machine's own method, to spare a call.

    Args:
        device: what all its connections share.
        number: of this connection, from 1.
        transport: `mqtt`, `mqtt-ws`, `amqp`, `amqp-ws`; `websocket` until it is known which.
        peer: the address it comes from.
        wake: called when there is output, a new deadline or a close request that did not come from a call of its owner.
    """

    __slots__ = (
        "_accepted", "_certificate", "_closed", "_device", "_origin", "_over", "_peer", "_transport", "_wake", "close_request",
        "data_to_send", "number",
    )  # fmt: skip

    def __init__(self, device: Device, number: int, transport: str, peer: str, wake: Callable[[], None]) -> None:
        self.number = number
        self.close_request: TransportClose | None = None
        self._device, self._wake = device, wake
        self._transport, self._peer = transport, peer
        self._accepted = False  # the device is on this connection
        self._over = False  # the device has left or was cut; the transport may still be there
        self._closed = False
        self._certificate: Certificate | None = None
        self._origin: Origin
        self.data_to_send: Callable[[], bytes]

    @abstractmethod
    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the device; ignored once the connection is over."""

    @abstractmethod
    def next_deadline(self) -> float | None:
        """When `on_time` is wanted at the latest, None for never."""

    @abstractmethod
    def on_time(self, now: float) -> None:
        """Do what is due; earlier calls do nothing."""

    @abstractmethod
    def peer_closed(self, how: str, now: float) -> None:
        """The device closed the transport; all that it had sent was received before."""

    @abstractmethod
    def displaced(self, newer: int | None, now: float) -> None:
        """The device came by connection `newer`, or (None) another client with its identity, so this one ends."""

    @abstractmethod
    def evicted(self, change: IdentityChange, close: CloseMode | None, now: float) -> None:
        """The device's identity was changed, so the connection ends, by `close` or the transport's own way."""

    @abstractmethod
    def deliver(self, now: float) -> None:
        """Something may be waiting for the device."""

    @abstractmethod
    def stop(self, now: float) -> None:
        """The hub stops."""

    def proven(self, certificate: Certificate) -> None:
        """The device has proven in the TLS handshake that this certificate is its own. Before any byte is received, if at all."""
        self._certificate = certificate

    def upgraded(self, subprotocol: str, path: str, now: float) -> "HubConnection":  # noqa: ARG002 - for one that can
        """A WebSocket connection has agreed on its subprotocol; the connection that goes on from there.

        Raises:
            LocalProtocolError: it is none, or was upgraded before.
        """
        raise LocalProtocolError(f"connection {self.number} speaks already")

    def transport_closed(self, first: str, how: str, now: float) -> None:
        """Both sides are done: `first` closed ("device" or "hub"), and `how`. Only the first call counts."""
        if not self._closed:
            self._closed = True
            del self._device.connections[self.number]
            if self.close_request is None:
                self.peer_closed(how, now)
            if self._device.recording:
                self.note("closed", now, first=first, how=how)

    def note(self, kind: str, now: float, /, **fields: object) -> None:
        """Record an event of this connection."""
        if self._device.recording:
            self._device.emit(kind, now, conn=self.number, **fields)

    @property
    def recording(self) -> bool:
        """Whether anybody wants to know what `note` is told."""
        return self._device.recording

    def _log(
        self, operation: Operation, now: float, problem: Problem | None = None, origin: Origin | None = None
    ) -> None:
        """Write a diagnostics record; it belongs to the hub's log, not to the connection."""
        if self._device.recording:
            record = build_record(operation, now, origin or self._origin, problem)
            self._device.emit("record", now, record=record, row=row_view(record))


def shown_token(token: Token | None, now: float) -> dict[str, object] | None:
    """What events tell of a token: all but its signature."""
    if token is None:
        return None
    return {
        "sr": token.resource,
        "se": token.expiry,
        "skn": token.policy,
        "digest": token.digest,
        "left_s": token.expiry - now,
    }


def shown_certificate(certificate: Certificate) -> dict[str, object]:
    """What events tell of a certificate; nothing in it is secret. Times are seconds since the Unix epoch."""
    return {
        "common_name": certificate.common_name,
        "sha1": certificate.sha1,
        "sha256": certificate.sha256,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "root_sha256": certificate.root_sha256,
    }
