"""The device's side of IoT Hub's MQTT topics (IoT Hub documentation, "Communicate with an IoT hub using the MQTT protocol")."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode

from harness.protocol.mqtt.packets import Publish

__all__ = [
    "METHOD_FILTER",
    "TWIN_FILTER",
    "c2d_filter",
    "method_call",
    "method_response",
    "received_message_id",
    "telemetry",
]

METHOD_FILTER = "$iothub/methods/POST/#"
TWIN_FILTER = "$iothub/twin/res/#"
_METHOD_PREFIX = METHOD_FILTER.removesuffix("#")


def telemetry(device_id: str, message_id: str, properties: Mapping[str, str]) -> str:
    """The topic of a message with the system property `$.mid` and the application's properties."""
    bag = {"$.mid": message_id, **properties}
    return f"devices/{device_id}/messages/events/{urlencode(bag, quote_via=quote, safe='')}"


def c2d_filter(device_id: str) -> str:
    """The filter of the device's cloud-to-device messages."""
    return f"devices/{device_id}/messages/devicebound/#"


def received_message_id(topic: str, device_id: str) -> tuple[str | None] | None:
    """The message id of a cloud-to-device message in a tuple, which holds None where it has none; None: the topic is another."""
    prefix = c2d_filter(device_id).removesuffix("#")
    if not topic.startswith(prefix):
        return None
    return (dict(parse_qsl(topic.removeprefix(prefix))).get("$.mid"),)


def method_call(topic: str) -> tuple[str, str] | None:
    """Name and request id of a direct method call; None: the topic is another."""
    name, _, query = topic.removeprefix(_METHOD_PREFIX).partition("/?$rid=")
    return (name, query) if topic.startswith(_METHOD_PREFIX) and name and query else None


def method_response(request_id: str) -> Publish:
    """The answer to a direct method: status 200 and an empty object."""
    return Publish(f"$iothub/methods/res/200/?$rid={request_id}", b"{}")
