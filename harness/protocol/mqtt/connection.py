"""The plumbing both connection machines share: bytes to packets, packets to events, answers to bytes.

Rules of every method that sends: before the connection is accepted it raises LocalProtocolError, because its owner is
wrong; after the end it does nothing, because the peer may have left while the owner was still answering what came before.
"""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from msgspec.structs import replace

from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.protocol.mqtt.codec import Decoder, encode
from harness.protocol.mqtt.events import ProtocolViolation, Timeout
from harness.protocol.mqtt.packets import Packet, Publish
from harness.protocol.mqtt.session import PacketIds
from harness.protocol.mqtt.state import Allowed, State

EventT = TypeVar("EventT")
_DEAF = (State.CONNECT_RECEIVED, State.CLOSED)


class Connection(ABC, Generic[EventT]):
    """One network connection; the roles add what packets mean and which time limits hold.

    `connected`: it was accepted and is not over, so that what is sent leaves.
    """

    __slots__ = (
        "_allowed", "_decoder", "_events", "_ids", "_max_packet_size", "_output", "_reading", "_reads", "_state",
        "connected",
    )  # fmt: skip

    def __init__(self, reads: Allowed, *, max_packet_size: int, ids: PacketIds) -> None:
        self._reads = reads
        self._decoder = Decoder(max_packet_size)
        self._max_packet_size = max_packet_size
        self._ids = ids
        self._events: list[EventT | ProtocolViolation | Timeout] = []
        self._output: list[bytes] = []
        self._enter(State.AWAIT_CONNECT)

    @property
    def state(self) -> State:
        """Where the connection stands; CLOSED is final."""
        return self._state

    def close(self) -> None:
        """The owner ends the connection: nothing is read or queued any more; bytes already queued can still leave."""
        if self._state is not State.CLOSED:
            self._enter(State.CLOSED)

    def events(self) -> list[EventT | ProtocolViolation | Timeout]:
        """What happened since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> bytes:
        """Everything queued since the last call, as one chunk."""
        if not self._output:
            return b""
        data = b"".join(self._output)
        self._output.clear()
        return data

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the peer, in any fragmentation; a violation becomes an event and closes the machine.

        Args:
            data: what the network delivered; ignored after the end.
            now: seconds since the Unix epoch.
        """
        self._events = self.read(data, now)

    def read(self, data: bytes, now: float) -> list[EventT | ProtocolViolation | Timeout]:
        """`receive` and `events` in one, for every message of a device passes here."""
        if self._reading:
            decoder = self._decoder
            decoder.append(data)
            try:
                while decoder.waiting and self._reading and (packet := decoder.next_packet()) is not None:
                    if type(packet) in self._allowed:
                        self._handle(packet, now)
                    else:
                        self._violation(f"{type(packet).__name__.upper()} is not allowed {self._state.value}")
            except RemoteProtocolError as error:
                self._malformed(error)
        elif self._state is not State.CLOSED:
            self._hold(data)
        events, self._events = self._events, []
        return events

    def _hold(self, data: bytes) -> None:
        """Keep for later what arrives in a state that does not read."""
        self._decoder.append(data)
        if len(self._decoder) > self._max_packet_size:
            self._violation(f"more than {self._max_packet_size} bytes {self._state.value}")

    @abstractmethod
    def _handle(self, packet: Packet, now: float) -> None:
        """Act on a packet that the state allows."""

    def _enter(self, state: State) -> None:
        self._state = state
        self._allowed = self._reads[state]
        self.connected = state is State.CONNECTED
        self._reading = state not in _DEAF

    def _malformed(self, error: RemoteProtocolError) -> None:
        self._violation(str(error))

    def _violation(self, reason: str, answered: int | None = None) -> None:
        self._events.append(ProtocolViolation(reason, answered))
        self._enter(State.CLOSED)

    def _time_out(self, timeout: Timeout) -> None:
        self._events.append(timeout)
        self._enter(State.CLOSED)

    def _may_send(self) -> bool:
        """True on an accepted connection, False after the end, an error before."""
        if self.connected:
            return True
        if self._state is State.CLOSED:
            return False
        raise LocalProtocolError(f"nothing can be sent {self._state.value}")

    def _choose_id(self, packet_id: int | None) -> int:
        if packet_id is None:
            return self._ids.take()
        self._ids.reserve(packet_id)
        return packet_id

    def _queue_publish(self, packet: Publish) -> int | None:
        if packet.qos not in (0, 1):
            raise LocalProtocolError(f"a PUBLISH with QoS {packet.qos} is not supported")
        if packet.qos:
            packet = replace(packet, packet_id=self._choose_id(packet.packet_id))
        self._output.append(encode(packet))
        return packet.packet_id
