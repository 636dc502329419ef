"""The messages in the body of a POST: one, or a batch of the type `application/vnd.microsoft.iothub.json`.

One message is the body itself; its properties are headers, `iothub-app-{name}` for those of the application. A batch is a JSON list of objects,
each with `body`, in base64 unless `base64Encoded` is false, and `properties`, whose names are those of the headers. That is what the SDKs for Java,
Node.js and .NET send. System properties have the names here which they have over MQTT.

However small they are, a batch holds no more than `MAX_BATCH` messages.
"""

import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from harness.hub.topics import MESSAGE_ID
from harness.protocol.http.messages import Request

__all__ = ["BATCH_TYPE", "MAX_BATCH", "MAX_MESSAGE", "Message", "TooManyError", "is_batch", "read_messages"]

BATCH_TYPE: Final = "application/vnd.microsoft.iothub.json"
MAX_MESSAGE: Final = 262_144
"""Bytes of a message, or of a batch (IoT Hub documentation, "IoT Hub quotas and throttling", 256 KB)."""
MAX_BATCH: Final = 500
"""Messages of a batch ("Azure subscription and service limits, quotas, and constraints", IoT Hub limits)."""
_APPLICATION: Final = "iothub-app-"
_SYSTEM: Final[Mapping[str, str]] = {
    "iothub-messageid": MESSAGE_ID,
    "iothub-correlationid": "$.cid",
    "iothub-userid": "$.uid",
    "iothub-to": "$.to",
    "iothub-contenttype": "$.ct",
    "iothub-contentencoding": "$.ce",
}
_SHOWN: Final = 256  # characters of what a device may make as long as it likes


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `size`: of its body, in bytes."""

    properties: Mapping[str, str]
    size: int

    @property
    def message_id(self) -> str | None:
        """The id that the device gave it."""
        return self.properties.get(MESSAGE_ID)


class TooManyError(ValueError):
    """A batch has more messages than `MAX_BATCH`."""


class _Item(msgspec.Struct):
    body: str
    properties: dict[str, str] = {}
    base64_encoded: bool = msgspec.field(default=True, name="base64Encoded")


def is_batch(request: Request) -> bool:
    """Whether the body is a batch."""
    return (request.header("content-type") or "").partition(";")[0].strip().lower() == BATCH_TYPE


def read_messages(request: Request) -> tuple[Message, ...]:
    """The messages of a POST.

    Raises:
        ValueError: the body is no batch, although its type says so; `TooManyError` where it is too many messages.
    """
    if not is_batch(request):
        return (Message(_properties(request.headers), len(request.body)),)
    try:
        items = msgspec.json.decode(request.body, type=list[_Item])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"the body is no batch of messages: {error}") from error
    if len(items) > MAX_BATCH:
        raise TooManyError(f"the batch has {len(items)} messages")
    return tuple(Message(_properties(item.properties.items()), _size(item)) for item in items)


def _size(item: _Item) -> int:
    if not item.base64_encoded:
        return len(item.body.encode())
    try:
        return len(binascii.a2b_base64(item.body.encode("ascii"), strict_mode=True))
    except ValueError as error:
        raise ValueError("the body of a message is no base64") from error


def _properties(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for spelt, value in headers:
        name = spelt.lower()
        if name in _SYSTEM:
            found[_SYSTEM[name]] = value[:_SHOWN]
        elif name.startswith(_APPLICATION):
            found[spelt[len(_APPLICATION) :][:_SHOWN]] = value[:_SHOWN]
    return found
