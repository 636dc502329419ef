"""Status, headers and body of every answer.

The headers and the body of a refusal are those that users of the service reported: `iothub-errorcode` and a JSON text inside a JSON object
(helium/router, issue 619; azure-iot-sdk-python, issue 577). The message there was `Unauthorized` for a token that would not do; where IoT
Hub's documentation of 401003 names another cause, its own text stands there instead. The code is 401002 on the wire, whatever the diagnostics
say. Tracking and request ids are made from the connection, the request and the time: the same run has the same.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec

from harness.hub.auth import Refusal
from harness.hub.diagnostics import TOKEN_EXPIRED, Problem
from harness.hub.fault_messages import Strain
from harness.hub.https.locks import Locked
from harness.hub.https.telemetry import MAX_BATCH
from harness.protocol.http.messages import Response

__all__ = [
    "BAD_BATCH",
    "BURDENS",
    "LOCK_LOST",
    "NOT_ALLOWED",
    "NOT_FOUND",
    "TOO_LARGE",
    "TOO_MANY",
    "Error",
    "Writer",
    "of_refusal",
]

_JSON: Final = "application/json; charset=utf-8"
_SERVER: Final = "Microsoft-HTTPAPI/2.0"


class Error(NamedTuple):
    """Why a request is not done: the HTTP status, the service's code and name for it, and the text."""

    status: HTTPStatus
    code: int
    name: str
    text: str


NOT_FOUND: Final = Error(HTTPStatus.NOT_FOUND, 404000, "GenericNotFound", "There is no such resource")
NOT_ALLOWED: Final = Error(
    HTTPStatus.METHOD_NOT_ALLOWED, 405000, "GenericMethodNotAllowed", "The resource has no such method"
)
BAD_BATCH: Final = Error(HTTPStatus.BAD_REQUEST, 400004, "ArgumentInvalid", "The body is no batch of messages")
LOCK_LOST: Final = Error(
    HTTPStatus.PRECONDITION_FAILED, 412002, "DeviceMessageLockLost", "The lock of the message is lost"
)
TOO_LARGE: Final = Error(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, 413001, "MessageTooLarge", "The message is larger than 256 KB"
)
TOO_MANY: Final = Error(
    HTTPStatus.BAD_REQUEST, 400004, "ArgumentInvalid", f"The batch has more than {MAX_BATCH} messages"
)
BURDENS: Final[Mapping[Strain, Error]] = {
    "throttled": Error(
        HTTPStatus.TOO_MANY_REQUESTS, 429001, "ThrottlingException", "The device sends more than it may"
    ),
    "quota": Error(HTTPStatus.FORBIDDEN, 403002, "IotHubQuotaExceeded", "The quota of messages is used up"),
}
"""What a message is refused with while the device bears this; who is `unauthorized` is refused before anybody looks at what it wants."""


def of_refusal(refusal: Refusal) -> Error:
    """The answer to credentials that will not do."""
    check = refusal.check
    if check.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}:
        problem = Problem(check.code, refusal.message)
        return Error(HTTPStatus(check.status), int(problem.code), problem.name, refusal.message)
    if check.status == HTTPStatus.NOT_FOUND:
        return Error(HTTPStatus.NOT_FOUND, 404001, "DeviceNotFound", refusal.message)
    text = "Unauthorized" if refusal.message == TOKEN_EXPIRED.message else refusal.message
    return Error(HTTPStatus.UNAUTHORIZED, 401002, "IotHubUnauthorizedAccess", text)


class Writer:
    """Writes the answer to request `number` of a connection, at `now`."""

    def __init__(self, connection: int, number: int, now: float) -> None:
        self._id = hashlib.sha256(f"{connection} {number} {now}".encode()).hexdigest()
        self._time = datetime.fromtimestamp(now, UTC)

    def done(self) -> Response:
        """It was done, and there is nothing to say."""
        return Response(HTTPStatus.NO_CONTENT, self._headers())

    def message(self, locked: Locked, device_id: str) -> Response:
        """A cloud-to-device message."""
        message = locked.message
        about = (
            ("content-type", "application/octet-stream"),
            ("etag", f'"{locked.token}"'),
            ("iothub-messageid", message.message_id),
            ("iothub-to", f"/devices/{device_id}/messages/devicebound"),
            ("iothub-deliverycount", str(message.deliveries)),
        )
        return Response(HTTPStatus.OK, (*about, *self._headers()), message.body)

    def error(self, error: Error) -> Response:
        """It was not done."""
        time = self._time.strftime("%Y-%m-%dT%H:%M:%SZ")
        inner = {
            "errorCode": error.code,
            "trackingId": f"{self._id[:32]}-G:3-TimeStamp:{time}",
            "message": error.text,
            "timestampUtc": time,
        }
        body = {"Message": msgspec.json.encode(inner).decode(), "ExceptionMessage": ""}
        headers = (("content-type", _JSON), ("iothub-errorcode", error.name), *self._headers())
        return Response(error.status, headers, msgspec.json.encode(body))

    def _headers(self) -> tuple[tuple[str, str], ...]:
        digits = self._id[32:]
        request_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        return (
            ("server", _SERVER),
            ("x-ms-request-id", request_id),
            ("date", format_datetime(self._time, usegmt=True)),
        )
