"""A device over AMQP as the load generator plays it: the engine's client for the beginning, plain bytes for telemetry.

Encoding each message anew would cost the generator what it costs the server to read it, and the server would idle.
"""

import ssl
import struct
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import quote

from benchmarks.jobs import Device
from benchmarks.workloads import PAYLOAD_BYTES
from harness.protocol.amqp.client import ClientConnection
from harness.protocol.amqp.events import AttachReceived, Event, FlowReceived, TransferReceived
from harness.protocol.amqp.messages import Data, Message, Properties, SingleValue, decode_messages, encode_message
from harness.protocol.amqp.performatives import Source, Target

__all__ = ["AmqpDevice", "count_accepted"]

_NOW: Final = 0.0  # nothing here waits for time
_OK: Final = 200
_TRANSFER, _DISPOSITION = b"\x00\x53\x14", b"\x00\x53\x15"
_LIST8, _UINT, _SMALL_UINT, _ZERO, _NULL, _FALSE = 0xC0, 0x70, 0x52, 0x43, 0x40, 0x42
_TAG: Final = b"\xa0\x04"
_NUMBERED: Final = struct.Struct(">I2sI")  # delivery-id and delivery-tag
EventT = TypeVar("EventT", bound=Event)


class AmqpDevice:
    """A device on `link`, whose TLS is up: its token is accepted, and its telemetry link has credit.

    Raises:
        RuntimeError: the server does not do its part.
    """

    def __init__(self, link: ssl.SSLSocket, device: Device) -> None:
        self._link, self._device = link, device
        self._engine = ClientConnection()
        self._events: list[Event] = []
        self._engine.connect(_NOW)
        self._engine.open(device.device_id, hostname=device.hub_name)
        self._session = self._engine.begin()
        self._put_token()
        self._telemetry = self._session.sender("telemetry", Target(f"/devices/{device.device_id}/messages/events"))
        self._await(FlowReceived)
        self._delivery_id = self._session.take_delivery_id()

    def close(self) -> None:
        """Say CLOSE and hear it."""
        self._engine.close(now=_NOW)
        self._exchange()

    def bursts(self, number: int) -> Callable[[], bytes]:
        """What gives a burst of so many telemetry messages whenever it is called, numbered on from the one before."""
        frame, offset = self._transfer()
        burst = bytearray(frame * number)
        offsets = range(offset, len(burst), len(frame))

        def following() -> bytes:
            for offset in offsets:
                _NUMBERED.pack_into(burst, offset, self._delivery_id, _TAG, self._delivery_id)
                self._delivery_id += 1
            return bytes(burst)

        return following

    def _transfer(self) -> tuple[bytes, int]:
        """A TRANSFER frame, and where its numbers belong."""
        before = bytes((_SMALL_UINT, self._telemetry.handle, _UINT))
        fields = before + bytes(_NUMBERED.size) + bytes((_ZERO, _FALSE))
        performative = _TRANSFER + bytes((_LIST8, len(fields) + 1, 5)) + fields
        message = encode_message(Message(Data((b"x" * PAYLOAD_BYTES,)), Properties(message_id="1")))
        head = struct.pack(">IBBH", 8 + len(performative) + len(message), 2, 0, self._session.channel)
        return head + performative + message, len(head) + len(_TRANSFER) + 3 + len(before)

    def _put_token(self) -> None:
        device = self._device
        sender = self._session.sender("cbs-sender", Target("$cbs"))
        receiver = self._session.receiver("cbs-receiver", Source("$cbs"))
        for _ in (sender, receiver):
            self._await(AttachReceived)
        receiver.grant(10)
        properties = {
            "operation": "put-token",
            "type": "servicebus.windows.net:sastoken",
            "name": quote(f"{device.hub_name}/devices/{device.device_id}", safe=""),
        }
        request = Message(SingleValue(device.password), Properties("1", to="$cbs", reply_to="cbs"), properties)
        sender.send(encode_message(request))
        answer = self._await(TransferReceived)
        answer.link.settle(answer.delivery_id)
        (message,) = decode_messages(answer.payload, answer.message_format)
        if message.application_properties.get("status-code") != _OK:
            raise RuntimeError(f"{device.device_id} was answered {message.application_properties!r}")
        self._events.clear()

    def _await(self, kind: type[EventT]) -> EventT:
        while True:
            while self._events:
                event = self._events.pop(0)
                if isinstance(event, kind):
                    return event
            self._exchange()

    def _exchange(self) -> None:
        """Send what is ready and take in what comes."""
        self._link.sendall(self._engine.data_to_send())
        data = self._link.recv(65_536)
        if not data:
            raise RuntimeError(f"the server left {self._device.device_id}")
        self._engine.receive(data, _NOW)
        self._events += self._engine.events()


def count_accepted(data: bytes) -> tuple[int, bytes]:
    """How many messages the DISPOSITION frames in `data` are about, and what is left of an unfinished frame."""
    count = at = 0
    while len(data) - at >= 4:  # noqa: PLR2004 - the size's own bytes
        size = int.from_bytes(data[at : at + 4])
        if len(data) - at < size:
            break
        body = at + 4 * data[at + 4]
        if data[body : body + 3] == _DISPOSITION:
            role = body + (6 if data[body + 3] == _LIST8 else 12)
            first, after = _number(data, role + 1)
            last, _ = _number(data, after)
            count += 1 if last is None or first is None else last - first + 1
        at += size
    return count, data[at:]


def _number(data: bytes, at: int) -> tuple[int | None, int]:
    """An uint or null, and where the next value begins."""
    code = data[at]
    if code == _SMALL_UINT:
        return data[at + 1], at + 2
    if code == _UINT:
        return int.from_bytes(data[at + 1 : at + 5]), at + 5
    return (None if code == _NULL else 0), at + 1
