"""AMQP values as texts of an event."""

from typing import Final

from harness.protocol.amqp import types as t
from harness.protocol.amqp.messages import Message
from harness.protocol.amqp.performatives import Error

__all__ = ["condition_of", "properties_of", "shown", "text_of"]

_SHOWN = 256  # characters of what a device may make as long as it likes

_SYSTEM: Final = (
    ("$.mid", "message_id"),
    ("$.cid", "correlation_id"),
    ("$.uid", "user_id"),
    ("$.to", "to"),
    ("$.ct", "content_type"),
    ("$.ce", "content_encoding"),
)
"""Properties of the system: their names over MQTT, and here."""


def text_of(value: t.Value) -> str | None:
    """A value as a text: a UUID with its hyphens, bytes as hexadecimal digits, true and false, None for none."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, t.Uuid):
        digits = value.hex()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    if isinstance(value, bool):
        return str(value).lower()
    return value.hex() if isinstance(value, bytes) else str(value)


def shown(value: t.Value) -> str | None:
    """Any value, cut to a length that an event can bear."""
    text = text_of(value)
    return None if text is None else text[:_SHOWN]


def properties_of(message: Message) -> dict[str, str | None]:
    """The application's properties, and those of the system under the names which MQTT has for them; cut like everything else."""
    system = message.properties
    found = {name: shown(value) for name, field in _SYSTEM if (value := getattr(system, field)) is not None}
    for name, value in message.application_properties.items():
        found[str(name)[:_SHOWN]] = shown(value)
    return found


def condition_of(error: Error | t.Described | None) -> str | None:
    """The condition of an error, None without error."""
    if error is None:
        return None
    return str(error.condition if isinstance(error, Error) else error.descriptor)[:_SHOWN]
