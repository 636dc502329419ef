"""Why an ATTACH is refused, and the errors with which links end.

The description of a refusal for want of rights is JSON, as users of the .NET SDK and of IoT Edge reported it; its code is 401002 on the
wire, whatever the diagnostics say. The tracking id is made from the connection and the time, so that it is the same in the same run.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from harness.hub.amqp.addresses import Place
from harness.hub.amqp.node import Node
from harness.hub.ending import CloseMode
from harness.hub.faults import IdentityChange
from harness.protocol.amqp.conditions import (
    NOT_ALLOWED,
    NOT_FOUND,
    RESOURCE_LIMIT_EXCEEDED,
    STOLEN,
    UNAUTHORIZED_ACCESS,
)
from harness.protocol.amqp.performatives import Error

__all__ = [
    "CONFLICT",
    "OF_LOST_IDENTITY",
    "QUOTA_ERROR",
    "STOLEN_ERROR",
    "THROTTLED_ERROR",
    "TOKEN_INVALID",
    "TOO_MANY_TOKENS",
    "Asked",
    "Refusal",
    "lost_identity",
    "no_cbs",
    "refuse",
    "unauthorized",
]

CONFLICT: Final = "com.microsoft:link-creation-conflict"
TOKEN_INVALID: Final = Error(UNAUTHORIZED_ACCESS, "Token Invalid.")
TOO_MANY_TOKENS: Final = Error(RESOURCE_LIMIT_EXCEEDED, "Too many tokens were refused.")
THROTTLED_ERROR: Final = Error("com.microsoft:device-container-throttled", "The device sends more than it may.")
QUOTA_ERROR: Final = Error(RESOURCE_LIMIT_EXCEEDED, "The quota of messages is used up.")
STOLEN_ERROR: Final = Error(STOLEN, "Another connection of the device was opened.")
OF_LOST_IDENTITY: Final[Mapping[IdentityChange, CloseMode]] = {"disable": "detach-not-closed"}
"""How the links of a device end whose identity was changed, where that is not the DETACH of an expired token: the service's newer gateways
leave `closed` false for a device that is disabled (azure-iot-sdk-java, pull request 1774; azure-iot-sdk-csharp, 3422); of the other changes nobody says so.
"""


class Refusal(NamedTuple):
    """The error for the device, and the reason in the hub's own words."""

    error: Error
    reason: str


class Asked(NamedTuple):
    """An ATTACH, as far as it matters here: the place, what the device is on the link, the channel-correlation-id."""

    place: Place
    device_role: str
    correlation_id: object


def refuse(asked: Asked, device_id: str | None, nodes: Iterable[Node], seed: str, now: float) -> Refusal | None:
    """Why the link is refused, None if it is not.

    `device_id`: of the authenticated device, None without. `nodes`: of the links that are attached. `seed`: see `unauthorized`.
    """
    kind, client_id = asked.place
    if kind == "cbs":
        return None
    if device_id is None:
        return Refusal(unauthorized(seed, now), "The device is not authenticated on this connection.")
    if kind == "unknown":
        text = "The link address did not match any of the expected formats"
        return Refusal(Error(NOT_FOUND, text), text)
    if client_id != device_id:
        return Refusal(unauthorized(seed, now), "The address is another device's.")
    if asked.correlation_id is not None and any(_same(asked, node) for node in nodes):
        text = "The device has such a link with the same channel-correlation-id."
        return Refusal(Error(CONFLICT, text), text)
    return None


def lost_identity(change: IdentityChange, device_id: str) -> Error:
    """The error of a device whose identity was changed while it was connected."""
    if change == "roll-key":
        return TOKEN_INVALID
    return Error(NOT_FOUND, f"Device {device_id} is {'disabled' if change == 'disable' else 'not registered'}.")


def no_cbs() -> Refusal:
    """A device that came by PLAIN has no use for `$cbs`."""
    text = "The token of SASL PLAIN cannot be renewed."
    return Refusal(Error(NOT_ALLOWED, text), text)


def unauthorized(seed: str, now: float) -> Error:
    """The error of a device without the right to do this; `seed` tells its tracking id from others of the same moment."""
    time = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    tracking_id = hashlib.sha256(f"{seed} {now}".encode()).hexdigest()[:32]
    description = {
        "errorCode": 401002,
        "message": "Unauthorized access",
        "trackingId": f"{tracking_id}-G2:-TimeStamp:{time}",
        "timestampUtc": time,
        "info": None,
    }
    return Error(UNAUTHORIZED_ACCESS, msgspec.json.encode(description).decode())


def _same(asked: Asked, node: Node) -> bool:
    return (node.kind, node.device_role, node.correlation_id) == (
        asked.place.kind,
        asked.device_role,
        asked.correlation_id,
    )
