"""The targets by name. Each is made when it is first asked for, since making its seeds takes time."""

from collections.abc import Callable
from functools import cache

from fuzz import amqp_codec, amqp_sessions, exports, front, https, mqtt
from fuzz.target import Target

__all__ = ["NAMES", "target"]

_MAKERS: dict[str, Callable[[], Target]] = {
    "mqtt-packets": mqtt.packets,
    "mqtt-server": mqtt.server,
    "mqtt-client": mqtt.client,
    "amqp-types": amqp_codec.types,
    "amqp-frames": amqp_codec.frames,
    "amqp-messages": amqp_codec.messages,
    "amqp-server": amqp_sessions.server,
    "amqp-client": amqp_sessions.client,
    "websocket-server": front.websocket_server,
    "websocket-client": front.websocket_client,
    "https-server": https.server,
    "https-client": https.client,
    "sas": front.sas_tokens,
    "exports": exports.exports,
}
NAMES = tuple(_MAKERS)


@cache
def target(name: str) -> Target:
    """The target of this name."""
    return _MAKERS[name]()
