"""What link addresses and token audiences name.

    link      [{scheme}://{authority}]/devices/{id}[/modules/{module}]/…     or `$cbs`
    audience  [{scheme}://]{host}[:{port}]/devices/{id}[/modules/{module}]   percent-encoded as a whole, or not

The SDKs for Node.js and Java write bare paths, those for .NET and C URIs, .NET with a port and with `deviceBound`: paths are compared
without regard to case, ids exactly, after percent-decoding. An id is `{device}` or `{device}/{module}`.
"""

import re
from typing import Final, Literal, NamedTuple, get_args
from urllib.parse import unquote

from harness.protocol.amqp.types import Value

__all__ = ["CBS", "Kind", "Place", "read_address", "read_audience"]

Kind = Literal["cbs", "telemetry", "c2d", "methods", "twin", "unknown"]
CBS: Final = "$cbs"

_AUTHORITY = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://[^/]*")
_SCHEME = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://")
_PORT = re.compile(r":[0-9]+\Z")
_LONGEST_ID = 2 * 128 + 1  # a device's, a slash, a module's (IoT Hub documentation, "Understand the identity registry")

_TAILS: Final[dict[tuple[str, str], Kind]] = {
    ("messages/events", "sender"): "telemetry",
    ("messages/devicebound", "receiver"): "c2d",
    ("methods/devicebound", "sender"): "methods",
    ("methods/devicebound", "receiver"): "methods",
    ("twin", "sender"): "twin",
    ("twin", "receiver"): "twin",
}
"""The kind by the end of the path and by what the device is on the link."""

assert set(_TAILS.values()) < set(get_args(Kind))


class Place(NamedTuple):
    """What a link is for, and whose it is; `client_id` is None where the kind is `cbs` or `unknown`."""

    kind: Kind
    client_id: str | None = None


def read_address(address: Value, device_role: str) -> Place:
    """The place an address names; `device_role` is "sender" or "receiver"."""
    if not isinstance(address, str):
        return Place("unknown")
    path = _AUTHORITY.sub("", address, count=1).removeprefix("/")
    if path.lower() == CBS:
        return Place("cbs")
    client_id, tail = _split(path.split("/"))
    kind = _TAILS.get(("/".join(tail).lower(), device_role), "unknown")
    return Place("unknown") if client_id is None else Place(kind, client_id)


def read_audience(name: str) -> tuple[str, str] | None:
    """Host (in lower case, without its port) and id that a token is said to be for; None where there is no such pair."""
    text = _SCHEME.sub("", name if "/" in name else unquote(name), count=1)
    host, *path = text.split("/")
    client_id, tail = _split(path)
    if not host or client_id is None or tail or len(client_id) > _LONGEST_ID:
        return None
    return _PORT.sub("", host).lower(), client_id


def _split(path: list[str]) -> tuple[str | None, list[str]]:
    """The id a path begins with, if it does, and what follows it."""
    if len(path) < 2 or path[0].lower() != "devices" or not path[1]:  # noqa: PLR2004 - the word and the id
        return None, path
    device, rest = unquote(path[1]), path[2:]
    if len(rest) > 1 and rest[0].lower() == "modules" and rest[1]:
        return f"{device}/{unquote(rest[1])}", rest[2:]
    return device, rest
