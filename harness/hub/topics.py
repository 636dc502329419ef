"""The topics of IoT Hub's MQTT interface, both directions, and the property bags in them.

Source: IoT Hub documentation, "Communicate with an IoT hub using the MQTT protocol". `{id}` is `{device}` or
`{device}/modules/{module}`; ids are never percent-encoded, bags and request ids may be.

    device -> hub   devices/{id}/messages/events/[{bag}]                        telemetry, closing slash optional
                    $iothub/twin/GET/?$rid={rid}                                read the twin
                    $iothub/twin/PATCH/properties/reported/?$rid={rid}          change reported properties
                    $iothub/methods/res/{status}/?$rid={rid}                    answer to a direct method
    hub -> device   devices/{device}/messages/devicebound/{bag}                 cloud-to-device message
                    devices/{device}/modules/{module}/inputs/{input}/{bag}      message to an input of a module
                    $iothub/twin/res/{status}/?$rid={rid}[&$version={v}]        answer to the two twin requests
                    $iothub/twin/PATCH/properties/desired/?$version={v}         desired properties changed
                    $iothub/methods/POST/{name}/?$rid={rid}                     direct method

A device subscribes with `#` in place of what varies. A bag is `key=value&…`, percent-encoded; a key without `=` has no value, which is
not the same as an empty one. System properties begin with `$.`; `$.mid` is the message id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

__all__ = [
    "DESIRED_FILTER",
    "MESSAGE_ID",
    "METHOD_FILTER",
    "TWIN_ANSWER_FILTER",
    "DeviceTopics",
    "MethodAnswer",
    "ModuleTopics",
    "Properties",
    "TwinGet",
    "TwinPatch",
    "build_bag",
    "desired_topic",
    "method_topic",
    "parse_bag",
    "parse_request",
    "twin_answer_topic",
]

MESSAGE_ID = "$.mid"
TWIN_ANSWER_FILTER = "$iothub/twin/res/#"
DESIRED_FILTER = "$iothub/twin/PATCH/properties/desired/#"
METHOD_FILTER = "$iothub/methods/POST/#"

Properties = Mapping[str, str | None]

# A request id is echoed in a topic of ours, so its length has to leave room there.
_REQUEST = re.compile(
    r"\$iothub/(?:(?P<get>twin/GET)|(?P<patch>twin/PATCH/properties/reported)|methods/res/(?P<status>-?[0-9]{1,9}))"
    r"/\?\$rid=(?P<rid>[^&/]{1,1024})(?:&.*)?",
    re.ASCII | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class TwinGet:
    """The device asks for its twin; `rid` as it stands in the topic."""

    rid: str


@dataclass(frozen=True, slots=True)
class TwinPatch:
    """The device changes its reported properties; `rid` as it stands in the topic."""

    rid: str


@dataclass(frozen=True, slots=True)
class MethodAnswer:
    """The device answers the direct method `request_id` (percent-decoded)."""

    request_id: str
    status: int


def parse_request(topic: str) -> TwinGet | TwinPatch | MethodAnswer | None:
    """What a publish to a topic below `$iothub/` asks for; None for a topic the service does not know."""
    found = _REQUEST.fullmatch(topic)
    if found is None:
        return None
    if found["get"]:
        return TwinGet(found["rid"])
    if found["patch"]:
        return TwinPatch(found["rid"])
    return MethodAnswer(unquote(found["rid"]), int(found["status"]))


def parse_bag(bag: str) -> dict[str, str | None]:
    """The properties of a bag, decoded; the last of a repeated key counts."""
    found: dict[str, str | None] = {}
    for item in filter(None, bag.split("&")):
        key, has_value, value = item.partition("=")
        found[_decoded(key)] = _decoded(value) if has_value else None
    return found


@lru_cache(maxsize=256)
def _percent_decoded(text: str) -> str:
    return unquote(text)


def _decoded(text: str) -> str:
    """Keys and content types come again with every message, and are remembered."""
    return _percent_decoded(text) if "%" in text else text


def build_bag(properties: Properties) -> str:
    """The bag of these properties."""
    return "&".join(
        quote(key, safe="") if value is None else f"{quote(key, safe='')}={quote(value, safe='')}"
        for key, value in properties.items()
    )


class DeviceTopics:
    """The topics that name one device.

    `events`: where its telemetry goes, without the closing slash and the bag. `c2d_filter`: what it subscribes to for
    cloud-to-device messages. `filters`: everything it may subscribe to.
    """

    __slots__ = ("_to", "c2d_filter", "events", "filters")

    def __init__(self, device_id: str) -> None:
        self.events = f"devices/{device_id}/messages/events"
        self._to = f"/devices/{device_id}/messages/devicebound"
        self.c2d_filter = f"{self._to[1:]}/#"
        self.filters = frozenset({self.c2d_filter, TWIN_ANSWER_FILTER, DESIRED_FILTER, METHOD_FILTER})

    def c2d(self, message_id: str) -> str:
        """The topic of one cloud-to-device message, with the system properties the service adds to every one."""
        return self.c2d_filter[:-1] + build_bag({MESSAGE_ID: message_id, "$.to": self._to})


class ModuleTopics:
    """The topics that name one module of a device: `events` and `filters` as above, `inputs_filter` for its inputs."""

    __slots__ = ("events", "filters", "inputs_filter")

    def __init__(self, device_id: str, module_id: str) -> None:
        base = f"devices/{device_id}/modules/{module_id}"
        self.events = f"{base}/messages/events"
        self.inputs_filter = f"{base}/inputs/#"
        self.filters = frozenset({self.inputs_filter, TWIN_ANSWER_FILTER, DESIRED_FILTER, METHOD_FILTER})

    def input(self, name: str, properties: Properties) -> str:
        """The topic of one message to the input `name`."""
        return f"{self.inputs_filter[:-1]}{quote(name, safe='')}/{build_bag(properties)}"


def twin_answer_topic(status: int, rid: str, version: int | None = None) -> str:
    """The answer to a twin request; `rid` as the request had it."""
    suffix = "" if version is None else f"&$version={version}"
    return f"$iothub/twin/res/{status}/?$rid={rid}{suffix}"


def desired_topic(version: int) -> str:
    """The news that desired properties changed."""
    return f"$iothub/twin/PATCH/properties/desired/?$version={version}"


def method_topic(name: str, request_id: str) -> str:
    """A call of the direct method `name`."""
    return f"$iothub/methods/POST/{quote(name, safe='')}/?$rid={quote(request_id, safe='')}"
