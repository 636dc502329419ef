"""Azure-Monitor-shaped records and their AzureDiagnostics rows."""

import json
from dataclasses import replace

import pytest
from support.hub_world import HUB_NAME, NOW

from harness.hub.diagnostics import (
    BAD_REQUEST,
    CLOSED_REMOTELY,
    COLUMNS,
    CONFLICT,
    DISPLACED,
    QUERY_COLUMNS,
    TOKEN_EXPIRED,
    Origin,
    Problem,
    build_record,
    mask,
    row_view,
)

ORIGIN = Origin(HUB_NAME, "dev1", "mqtt", "203.0.113.7:50123", "sdk/1.0")
RESOURCE = "/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000000/RESOURCEGROUPS/HARNESS/PROVIDERS/MICROSOFT.DEVICES/IOTHUBS/CONTOSO"


def test_connect_record_is_as_published() -> None:
    """Keys, their order, the JSON text in properties: the whole record."""
    assert json.dumps(build_record("deviceConnect", NOW + 0.9, ORIGIN)) == json.dumps(
        {
            "time": "2026-01-01T00:00:00Z",
            "resourceId": RESOURCE,
            "operationName": "deviceConnect",
            "category": "Connections",
            "level": "Information",
            "properties": '{"deviceId":"dev1","sdkVersion":"sdk/1.0","protocol":"Mqtt","authType":null,'
            '"maskedIpAddress":"203.0.113.XXX","statusCode":null,"errorMessage":""}',
            "location": "local",
        }
    )


def test_error_record_is_as_published() -> None:
    """An error has resultType and resultDescription before properties, and a disconnect names no SDK."""
    assert json.dumps(build_record("deviceDisconnect", NOW, ORIGIN, CLOSED_REMOTELY)) == json.dumps(
        {
            "time": "2026-01-01T00:00:00Z",
            "resourceId": RESOURCE,
            "operationName": "deviceDisconnect",
            "category": "Connections",
            "level": "Error",
            "resultType": "404104",
            "resultDescription": "DeviceConnectionClosedRemotely",
            "properties": '{"deviceId":"dev1","protocol":"Mqtt","authType":null,"maskedIpAddress":"203.0.113.XXX","statusCode":"404",'
            '"errorMessage":"Device disconnected, see cause and resolution at https://aka.ms/iothub404104"}',
            "location": "local",
        }
    )


@pytest.mark.parametrize(
    ("problem", "name"),
    [
        (TOKEN_EXPIRED, "IotHubUnauthorized"),
        (DISPLACED, "ConnectionForcefullyClosedOnNewConnection"),
        (BAD_REQUEST, "GenericBadRequest"),
        (Problem("404001", ""), "DeviceNotFound"),
    ],
)
def test_result_description_is_the_name_of_the_error(problem: Problem, name: str) -> None:
    """The sentence stands in the properties."""
    record = build_record("deviceDisconnect", NOW, ORIGIN, problem)
    assert record["resultDescription"] == name
    assert json.loads(record["properties"])["errorMessage"] == problem.message


def test_websocket_and_silent_sdk() -> None:
    """MQTT over WebSocket has its own name; an SDK that does not name itself is an empty text."""
    origin = Origin(HUB_NAME, "dev1", "mqtt-ws", "127.64.0.1")
    properties = json.loads(build_record("deviceConnect", NOW, origin)["properties"])
    assert (properties["protocol"], properties["sdkVersion"]) == ("MqttWs", "")


def test_row_of_an_error() -> None:
    """The columns of the documentation's queries, and no others, in order."""
    record = build_record("deviceDisconnect", NOW, ORIGIN, TOKEN_EXPIRED)
    row = row_view(record)
    assert tuple(row) == COLUMNS
    assert row == {
        "TimeGenerated": "2026-01-01T00:00:00Z",
        "OperationName": "deviceDisconnect",
        "Level": "Error",
        "ResultType": "401003",
        "ResultDescription": "IotHubUnauthorized",
        "DeviceId": "dev1",
        "Protocol": "Mqtt",
        "SDKVersion": "",
        "ResourceProvider": "MICROSOFT.DEVICES",
        "ResourceType": "IOTHUBS",
        "Category": "Connections",
        "_ResourceId": RESOURCE.lower(),
        "properties_s": record["properties"],
        "location_s": "local",
    }


def test_row_of_an_information_has_empty_results() -> None:
    """A column that the record lacks is empty."""
    row = row_view(build_record("deviceConnect", NOW, ORIGIN))
    assert (row["ResultType"], row["ResultDescription"], row["SDKVersion"]) == ("", "", "sdk/1.0")


def test_query_columns_come_first() -> None:
    """The published result of the query is a prefix of the row."""
    assert QUERY_COLUMNS == (
        "TimeGenerated", "OperationName", "Level", "ResultType", "ResultDescription", "DeviceId", "Protocol", "SDKVersion",
    )  # fmt: skip
    assert COLUMNS[: len(QUERY_COLUMNS)] == QUERY_COLUMNS


@pytest.mark.parametrize(
    ("peer", "masked"),
    [("203.0.113.7:50123", "203.0.113.XXX"), ("203.0.113.7", "203.0.113.XXX"), ("::1", "XXX"), ("in memory", "XXX")],
)
def test_mask(peer: str, masked: str) -> None:
    """The last octet is hidden; what is no IPv4 address is hidden altogether."""
    assert mask(peer) == masked


@pytest.mark.parametrize(("transport", "protocol"), [("amqp", "Amqp"), ("amqp-ws", "AmqpWs")])
def test_connect_over_amqp_tells_how_the_device_authenticated(transport: str, protocol: str) -> None:
    """As JSON text within JSON text; a refusal and a disconnect do not."""
    origin = replace(ORIGIN, transport=transport)
    properties = json.loads(build_record("deviceConnect", NOW, origin)["properties"])
    assert json.loads(properties["authType"]) == {
        "scope": "device", "type": "sas", "issuer": "iothub", "acceptingIpFilterRule": None,
    }  # fmt: skip
    assert properties["protocol"] == protocol
    for operation, problem in (("deviceConnect", TOKEN_EXPIRED), ("deviceDisconnect", None)):
        record = build_record(operation, NOW, origin, problem)  # type: ignore[arg-type]
        assert json.loads(record["properties"])["authType"] is None


def test_connect_with_a_certificate_over_amqp() -> None:
    """As the record published in Microsoft's AZ-220 course has it."""
    origin = replace(ORIGIN, transport="amqp", by_certificate=True)
    properties = json.loads(build_record("deviceConnect", NOW, origin)["properties"])
    assert json.loads(properties["authType"]) == {
        "scope": "device", "type": "x509Certificate", "issuer": "external", "acceptingIpFilterRule": None,
    }  # fmt: skip


def test_conflict_of_links() -> None:
    """What a newer connection makes of an older one over AMQP."""
    record = build_record("deviceDisconnect", NOW, replace(ORIGIN, transport="amqp"), CONFLICT)
    assert (record["resultType"], record["resultDescription"]) == ("409002", "LinkCreationConflict")
