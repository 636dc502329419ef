"""How an emulated device spells what it says to IoT Hub over AMQP: names, addresses, properties, messages.

IoT Hub documentation, "Communicate with your IoT hub by using the AMQP Protocol"; the rest, and where SDKs differ, from the sources of the
public device SDKs.
"""

import itertools
from collections.abc import Callable, Mapping
from random import Random
from typing import Literal, TypeAlias
from urllib.parse import quote

from harness.device.opening import Opening
from harness.emulation import AmqpEmulation, Emulation
from harness.protocol.amqp.messages import (
    BATCH_FORMAT,
    MESSAGE_FORMAT,
    Data,
    Message,
    Properties,
    SingleValue,
    encode_batch,
    encode_message,
)
from harness.protocol.amqp.types import Int, Symbol, ULong, Uuid, Value

__all__ = ["CBS", "Words", "dashed"]

CBS = "$cbs"
Kind: TypeAlias = Literal["cbs", "device", "pairs"]
"""Links of `$cbs`, of the device, and among those the pairs for methods and the twin."""


class Words:
    """What one client says; `random` names what has to be unique."""

    def __init__(self, emulation: Emulation, amqp: AmqpEmulation, opening: Opening, random: Random) -> None:
        self._emulation, self._amqp, self._opening, self._random = emulation, amqp, opening, random
        self._requests = itertools.count()
        self.reply_to = self.named(amqp.reply_to)

    def named(self, template: str) -> str:
        """A name: `{guid}` and `{device}` filled in."""
        return template.replace("{guid}", self._guid().hex()).replace("{device}", self._opening.device_id)

    def address(self, node: Literal["messages/events", "messages/devicebound", "methods/devicebound", "twin"]) -> str:
        """The address of one of the device's nodes."""
        prefix = self._amqp.address_prefix.replace("{host}", self._opening.host)
        spelt = node.replace("devicebound", self._amqp.devicebound)
        return f"{prefix}/devices/{quote(self._opening.device_id, safe='')}/{spelt}"

    def link_properties(self, kind: Kind, correlation_id: str = "") -> dict[str, Value]:
        """What an ATTACH says of the client."""
        on = ("device", "pairs") if kind == "pairs" else (kind,)
        said = {
            "client-version": self._emulation.user_agent if {*on} & {*self._amqp.version_on} else "",
            "api-version": self._emulation.api_version if {*on} & {*self._amqp.api_version_on} else "",
            "channel-correlation-id": correlation_id,
        }
        return {Symbol(f"com.microsoft:{name}"): value for name, value in said.items() if value}

    def correlation_id(self, purpose: Literal["methods", "twin"]) -> str:
        """What pairs two links."""
        return f"{purpose}:{dashed(self._guid())}"

    def request_id(self) -> Value:
        """A fresh message-id for a put-token, of the SDK's type."""
        number = next(self._requests)
        makers: Mapping[str, Callable[[], Value]] = {
            "string": lambda: dashed(self._guid()),
            "request-counter": lambda: f"request{number + 1}",
            "uuid": lambda: Uuid(self._guid()),
            "ulong": lambda: ULong(number),
        }
        return makers[self._amqp.message_id]()

    def put_token(self, token: str, message_id: Value) -> bytes:
        """The request that shows the hub a token."""
        plain = f"{self._opening.host}/devices/{self._opening.device_id}"
        spelt = token.partition("sr=")[2].partition("&")[0]  # also of a token that is malformed elsewhere
        name = spelt if self._amqp.token_name == "resource" else plain  # noqa: S105 - no password
        message = Message(
            SingleValue(token),
            Properties(message_id=message_id, to=CBS, reply_to=self.reply_to or None),
            {"operation": "put-token", "type": self._amqp.token_type, "name": name},
        )
        return encode_message(message)

    def telemetry(self, number: int, properties: Mapping[str, str]) -> tuple[bytes, int]:
        """The message of this number with these application properties, and its format."""
        body = Data((b'{"id":%d}' % number,))
        message = encode_message(Message(body, Properties(message_id=str(number)), dict(properties)))
        return (encode_batch([message]), BATCH_FORMAT) if self._amqp.batches else (message, MESSAGE_FORMAT)

    def method_answer(self, correlation_id: Value) -> bytes:
        """The answer to a direct method: status 200 and an empty object."""
        answer = Message(Data((b"{}",)), Properties(correlation_id=correlation_id), {"IoThub-status": Int(200)})
        return encode_message(answer)

    def _guid(self) -> bytes:
        return self._random.randbytes(16)


def dashed(guid: bytes) -> str:
    """The usual text of a UUID (RFC 4122, section 3)."""
    digits = guid.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
