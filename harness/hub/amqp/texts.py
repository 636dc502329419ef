"""AMQP values as texts of an event."""

from harness.protocol.amqp import types as t
from harness.protocol.amqp.messages import Message
from harness.protocol.amqp.performatives import Error

__all__ = ["condition_of", "properties_of", "shown", "text_of"]

_SHOWN = 256  # characters of what a device may make as long as it likes


def text_of(value: t.Value) -> str | None:
    """A value as a text: a UUID with its hyphens, bytes as hexadecimal digits, true and false, None for none."""
    if value is None:
        return None
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
    """The application's properties, and those of the system under the names which MQTT has for them."""
    system = message.properties
    named = {
        "$.mid": system.message_id,
        "$.cid": system.correlation_id,
        "$.uid": system.user_id,
        "$.to": system.to,
        "$.ct": system.content_type,
        "$.ce": system.content_encoding,
    }
    return {
        **{name: text_of(value) for name, value in named.items() if value is not None},
        **{str(name): text_of(value) for name, value in message.application_properties.items()},
    }


def condition_of(error: Error | t.Described | None) -> str | None:
    """The condition of an error, None without error."""
    if error is None:
        return None
    return str(error.condition if isinstance(error, Error) else error.descriptor)[:_SHOWN]
