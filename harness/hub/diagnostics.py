"""The hub's log of connections, in the two shapes Azure shows it: the Azure Monitor record and the AzureDiagnostics row.

Record: keys and their order, the JSON text in `properties`, the masked address and the whole seconds follow the records published in
IoT Hub's documentation ("IoT Hub monitoring data reference", Connections) and in Microsoft's AZ-220 course. Row: the columns of the queries
in that documentation ("Monitor, diagnose, and troubleshoot device connectivity", "Monitor IoT Hub").

No record with 401003, 400027, 409002, 400000 or any other code has been published; they are written like the published ones with 404104.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

__all__ = [
    "BAD_REQUEST",
    "CLOSED_AS_ASKED",
    "CLOSED_REMOTELY",
    "COLUMNS",
    "CONFLICT",
    "DISPLACED",
    "NOT_FOUND",
    "QUERY_COLUMNS",
    "QUOTA_EXCEEDED",
    "REJECTED_AS_ASKED",
    "THROTTLED",
    "TOKEN_EXPIRED",
    "Operation",
    "Origin",
    "Problem",
    "build_record",
    "mask",
    "row_view",
]

Operation = Literal["deviceConnect", "deviceDisconnect"]

_NAMES: Final = {
    "400000": "GenericBadRequest",
    "400027": "ConnectionForcefullyClosedOnNewConnection",
    "400029": "ConnectionForcefullyClosedOnFaultInjection",
    "400030": "ConnectionRejectedOnFaultInjection",
    "401003": "IotHubUnauthorized",
    "404001": "DeviceNotFound",
    "404104": "DeviceConnectionClosedRemotely",
    "403002": "IotHubQuotaExceeded",
    "403005": "IotHubMaxCbsTokenExceeded",
    "409002": "LinkCreationConflict",
    "429002": "ThrottlingBacklogLimitExceeded",
    "500001": "ServerError",
}
_PROTOCOLS: Final = {"mqtt": "Mqtt", "mqtt-ws": "MqttWs", "amqp": "Amqp", "amqp-ws": "AmqpWs", "https": "Https"}
_SAS: Final = '{"scope":"device","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}'
_X509: Final = '{"scope":"device","type":"x509Certificate","issuer":"external","acceptingIpFilterRule":null}'
_RESOURCE: Final = "/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000000/RESOURCEGROUPS/HARNESS/PROVIDERS/MICROSOFT.DEVICES/IOTHUBS/{name}"
_LOCATION: Final = "local"
_SEE: Final = "Device disconnected, see cause and resolution at https://aka.ms/iothub"

QUERY_COLUMNS: Final = (
    *("TimeGenerated", "OperationName", "Level", "ResultType", "ResultDescription"),
    *("DeviceId", "Protocol", "SDKVersion"),
)
"""The result of the documentation's query for the behaviour of an SDK."""

COLUMNS: Final = (
    *QUERY_COLUMNS,
    *("ResourceProvider", "ResourceType", "Category", "_ResourceId", "properties_s", "location_s"),
)
"""The query's columns, then those of the table itself that its conditions use."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a record is an error: `code` is its resultType, `message` the errorMessage among its properties."""

    code: str
    message: str

    @property
    def name(self) -> str:
        """The record's resultDescription."""
        return _NAMES[self.code]


TOKEN_EXPIRED: Final = Problem(
    "401003", "Authentication failed for this device, renew token or certificate and reconnect"
)
CLOSED_REMOTELY: Final = Problem("404104", f"{_SEE}404104")
DISPLACED: Final = Problem("400027", f"{_SEE}400027")
CONFLICT: Final = Problem("409002", f"{_SEE}409002")
NOT_FOUND: Final = Problem("404001", f"{_SEE}404001")
THROTTLED: Final = Problem("429002", f"{_SEE}429002")
CLOSED_AS_ASKED: Final = Problem("400029", f"{_SEE}400029")
REJECTED_AS_ASKED: Final = Problem("400030", f"{_SEE}400030")
QUOTA_EXCEEDED: Final = Problem("403002", f"{_SEE}403002")
BAD_REQUEST: Final = Problem("400000", "The device sent a request that the service does not accept")


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose connection a record is about. `transport` is ours (`mqtt-ws`, …), `peer` the address, with or without port.

    `by_certificate`: the device presented a client certificate, and no token.
    """

    hub_name: str
    device_id: str
    transport: str
    peer: str
    sdk_version: str | None = None
    by_certificate: bool = False


def build_record(operation: Operation, now: float, origin: Origin, problem: Problem | None = None) -> dict[str, str]:
    """The Azure Monitor record of a connect or disconnect at `now`; without `problem` its level is Information."""
    result = {} if problem is None else {"resultType": problem.code, "resultDescription": problem.name}
    return {
        "time": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "resourceId": _RESOURCE.format(name=origin.hub_name.partition(".")[0].upper()),
        "operationName": operation,
        "category": "Connections",
        "level": "Information" if problem is None else "Error",
        **result,
        "properties": msgspec.json.encode(_properties(operation, origin, problem)).decode(),
        "location": _LOCATION,
    }


def row_view(record: Mapping[str, str]) -> dict[str, str]:
    """The record as a row of the AzureDiagnostics table, with the columns `COLUMNS`; what the record lacks is empty."""
    properties = msgspec.json.decode(record["properties"], type=dict[str, str | None])
    values = {
        "TimeGenerated": record["time"],
        "OperationName": record["operationName"],
        "Level": record["level"],
        "ResultType": record.get("resultType"),
        "ResultDescription": record.get("resultDescription"),
        "DeviceId": properties.get("deviceId"),
        "Protocol": properties.get("protocol"),
        "SDKVersion": properties.get("sdkVersion"),
        "ResourceProvider": "MICROSOFT.DEVICES",
        "ResourceType": "IOTHUBS",
        "Category": record["category"],
        "_ResourceId": record["resourceId"].lower(),
        "properties_s": record["properties"],
        "location_s": record["location"],
    }
    return {column: values[column] or "" for column in COLUMNS}


def mask(peer: str) -> str:
    """The address without its port, its last octet hidden; what is no IPv4 address is hidden altogether."""
    network, dot, _ = peer.partition(":")[0].rpartition(".")
    return f"{network}.XXX" if dot else "XXX"


def _properties(operation: Operation, origin: Origin, problem: Problem | None) -> dict[str, str | None]:
    """Only connects name the SDK, and of those only that of a device which was let in over AMQP has an authType."""
    authenticated = operation == "deviceConnect" and problem is None and origin.transport.startswith("amqp")
    sdk = {"sdkVersion": origin.sdk_version or ""} if operation == "deviceConnect" else {}
    return {
        "deviceId": origin.device_id,
        **sdk,
        "protocol": _PROTOCOLS[origin.transport],
        "authType": (_X509 if origin.by_certificate else _SAS) if authenticated else None,
        "maskedIpAddress": mask(origin.peer),
        "statusCode": None if problem is None else problem.code[:3],
        "errorMessage": "" if problem is None else problem.message,
    }
