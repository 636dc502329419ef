"""What a request asks for. Reading only, no judgement.

    POST   /devices/{id}/messages/events                     telemetry
    GET    /devices/{id}/messages/devicebound                receive a cloud-to-device message
    DELETE /devices/{id}/messages/devicebound/{lock}         complete it; with `reject` in the query, reject it
    POST   /devices/{id}/messages/devicebound/{lock}/abandon put it back

Source: IoT Hub documentation, "Azure IoT Hub communication protocols and ports", and the HTTPS transports of the device SDKs. Ids and locks
are percent-encoded. A lock may be in quotation marks, as in the `ETag` it came by: not every SDK takes them off.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from harness.hub.certificates import Certificate
from harness.hub.credentials import Credentials, UserName, with_token
from harness.protocol.http.messages import Request

__all__ = ["Operation", "Route", "read_credentials", "read_route"]

Operation = Literal["send", "receive", "complete", "reject", "abandon"]

_PATH: Final = re.compile(
    r"/devices/(?P<device>[^/]+)/messages/(?:(?P<events>events)|devicebound(?:/(?P<lock>[^/]+)(?P<abandon>/abandon)?)?)/?",
    re.IGNORECASE,
)
_LONGEST_QUERY: Final = 64  # parameters


@dataclass(frozen=True, slots=True)
class Route:
    """A request's target taken apart. `path`: without the query, which may be anything. `device_id`: empty where the path is none of the interface's.

    `operation`: None where the path is known and the method is not one of its own.
    """

    path: str
    device_id: str = ""
    operation: Operation | None = None
    lock: str = ""
    api_version: str | None = None


def read_route(method: str, target: str) -> Route:
    """Take a target apart, in the origin or the absolute form (RFC 9112 section 3.2); nothing in it raises."""
    try:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=_LONGEST_QUERY))
    except ValueError:
        return Route("")
    found = _PATH.fullmatch(parts.path)
    if found is None:
        return Route(parts.path)
    lock = unquote(found["lock"] or "").strip('"')
    operation = _operation(method, found, rejects="reject" in query)
    return Route(parts.path, unquote(found["device"]), operation, lock, query.get("api-version"))


def _operation(method: str, found: re.Match[str], *, rejects: bool) -> Operation | None:
    if found["events"]:
        return "send" if method == "POST" else None
    if found["abandon"]:
        return "abandon" if method == "POST" else None
    if found["lock"]:
        if method != "DELETE":
            return None
        return "reject" if rejects else "complete"
    return "receive" if method == "GET" else None


def read_credentials(request: Request, route: Route, certificate: Certificate | None = None) -> Credentials:
    """Whom the request says it comes from: the host and the path name the device, `Authorization` is its token.

    A `certificate` counts where there is none: a device presents the one or the other.
    """
    host = (request.header("host") or "").rpartition("@")[2].partition(":")[0].lower()
    user_name = UserName(host, route.device_id, route.api_version, request.header("user-agent"))
    token = request.header("authorization")
    if token is None:
        return Credentials(route.device_id, user_name, certificate=certificate, transport="https")
    return with_token(route.device_id, user_name, token)
