"""The codec's door: `encode`, and `Decoder`, which cuts a stream of bytes into packets (MQTT 3.1.1 section 2.2)."""

from harness.errors import RemoteProtocolError
from harness.protocol.mqtt.decoding import DECODERS, first_byte_problem, with_packet_name
from harness.protocol.mqtt.encoding import encode, encode_puback
from harness.protocol.mqtt.packets import Packet
from harness.protocol.mqtt.wire import CONTINUES, read_remaining_length

__all__ = ["DEFAULT_MAX_PACKET_SIZE", "Decoder", "encode", "encode_puback"]

DEFAULT_MAX_PACKET_SIZE = 262_144 + 65_535 + 4
"""A payload of IoT Hub's largest message, 256 KB (IoT Hub documentation, "Quotas and throttling"), under the longest topic."""


class Decoder:
    """Incremental decoder of one direction of one connection.

    Bytes go in by `append` in any fragmentation, packets come out by `next_packet`; `feed` does both. Packets in front of
    a malformed one are never lost: they come out first, then every further call raises the same error. Nothing but
    RemoteProtocolError is ever raised, whatever the bytes.

    `waiting` is empty if everything that was appended has come out.

    Args:
        max_packet_size: the largest remaining length accepted, in bytes; it bounds the memory a peer can claim.
    """

    __slots__ = ("_at", "_max_packet_size", "waiting")

    def __init__(self, max_packet_size: int = DEFAULT_MAX_PACKET_SIZE) -> None:
        self._max_packet_size = max_packet_size
        # What was appended last, nearly always whole packets, read from `_at` on; a buffer only while a packet is incomplete.
        self.waiting: bytes | bytearray = b""
        self._at = 0

    def __len__(self) -> int:
        """How many bytes wait to be decoded."""
        return len(self.waiting) - self._at

    def append(self, data: bytes) -> None:
        """Take bytes without looking at them."""
        if not self.waiting:
            self.waiting = data
            return
        if not isinstance(self.waiting, bytearray):
            self.waiting = bytearray(self.waiting)
        del self.waiting[: self._at]
        self.waiting += data
        self._at = 0

    def next_packet(self) -> Packet | None:
        """The next packet, or None until more bytes arrive.

        Raises:
            RemoteProtocolError: what comes next is malformed, too large or of QoS 2's hand-shake.
        """
        data, at = self.waiting, self._at
        if not data:
            return None
        first = data[at]
        read_body = DECODERS.get(first)
        if read_body is None:
            raise RemoteProtocolError(first_byte_problem(first))
        size = len(data)
        if size > at + 2 and (low := data[at + 1]) >= CONTINUES > (high := data[at + 2]):  # nearly every publish
            length, start = low - CONTINUES + high * CONTINUES, at + 3
        elif (header := read_remaining_length(data, at + 1)) is not None:
            length, start = header
        else:
            return None
        if length > self._max_packet_size:
            raise RemoteProtocolError(f"a packet of {length} bytes exceeds {self._max_packet_size}")
        end = start + length
        if end > size:
            return None
        try:
            body = data[start:end]
            packet = read_body(first, body if type(body) is bytes else bytes(body))
        except RemoteProtocolError as error:
            raise with_packet_name(first, error) from None
        if end < size:
            self._at = end
        else:
            self.waiting, self._at = b"", 0
        return packet

    def feed(self, data: bytes) -> list[Packet]:
        """Append, then every packet that is complete; an error after at least one packet is kept for the next call.

        Raises:
            RemoteProtocolError: see `next_packet`.
        """
        self.append(data)
        packets: list[Packet] = []
        try:
            while (packet := self.next_packet()) is not None:
                packets.append(packet)
        except RemoteProtocolError:
            if not packets:
                raise
        return packets
