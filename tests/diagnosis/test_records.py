"""What one record tells."""

import itertools
import json
from typing import Any

import pytest

from harness.diagnosis.records import (
    CONNECTED,
    CUT,
    DENIED,
    GONE,
    LEFT,
    REFUSED,
    REPLACED,
    SERVICE,
    Columns,
    Entry,
    Fields,
    Records,
    named_fields,
)  # fmt: skip
from harness.errors import LogError

EXPIRED = "Authentication failed for this device, renew token or certificate and reconnect"


def a_record(operation: str = "deviceConnect", code: Any = None, message: str | None = None, **other: Any) -> Fields:
    """A record as Azure Monitor writes it, where `other` takes the place of its fields."""
    properties = {"deviceId": "d", "protocol": "Mqtt", "errorMessage": message}
    record = {
        "time": "2026-01-01T00:00:00Z",
        "operationName": operation,
        "category": "Connections",
        "level": "Error" if code not in {None, "0"} else "Information",
        "resultType": code,
        "properties": json.dumps(properties),
    }
    return named_fields(record | other)


def read(fields: Fields) -> Entry:
    """Its entry."""
    entry = Records().entry(fields)
    assert entry
    return entry


@pytest.mark.parametrize(
    ("operation", "code", "message", "kind"),
    [
        ("deviceConnect", None, "", CONNECTED),
        ("deviceDisconnect", None, "", LEFT),
        ("deviceDisconnect", "0", "", LEFT),
        ("deviceDisconnect", "401003", EXPIRED, CUT),
        ("deviceDisconnect", "401003", None, CUT),
        ("deviceDisconnect", "IotHubUnauthorized", None, CUT),
        ("deviceDisconnect", "401003", "Authorization header missing", REFUSED),
        ("deviceConnect", "401003", EXPIRED, DENIED),
        ("deviceConnect", 401003, None, DENIED),
        ("deviceDisconnect", 404104.0, None, GONE),
        ("deviceDisconnect", "404104.0", None, GONE),
        ("deviceDisconnect", "404104.5", None, REFUSED),
        ("deviceConnect", "401003", "IotHub 'h' does not contain the specified device 'd'", REFUSED),
        ("deviceDisconnect", "404104", None, GONE),
        ("deviceDisconnect", "DeviceConnectionClosedRemotely", None, GONE),
        ("deviceConnect", "404104", None, REFUSED),
        ("deviceDisconnect", "400027", None, REPLACED),
        ("deviceDisconnect", "409002", None, REPLACED),
        ("deviceDisconnect", "500001", None, SERVICE),
        ("deviceDisconnect", "404012", None, SERVICE),
        ("deviceConnect", "404001", None, REFUSED),
        ("deviceDisconnect", "429002", None, REFUSED),
    ],
)
def test_kinds(operation: str, code: object, message: str | None, kind: int) -> None:
    """By operation, code and, for 401003, text."""
    assert read(a_record(operation, code, message))[1] == kind


@pytest.mark.parametrize(
    "codes",
    list(itertools.permutations([401003, 401003.0, "401003", "401003.0"], 2)),
    ids=lambda codes: f"{codes[0]!r} before {codes[1]!r}",
)
def test_a_code_written_as_a_float_is_the_same_code(codes: tuple[object, object]) -> None:
    """Whichever comes first, of what is equal to Python."""
    records, text = Records(), a_record("deviceDisconnect", "401003", EXPIRED)
    told = [records.entry((*text[:4], code, *text[5:])) for code in codes]
    assert told == [read(text)] * 2


def test_no_error_written_as_a_float() -> None:
    """It is none all the same."""
    assert read(a_record(code="0.0", level="Information"))[1] == CONNECTED


@pytest.mark.parametrize(
    ("operation", "kind", "code"), [("deviceDisconnect", GONE, "404104"), ("deviceConnect", REFUSED, "error")]
)
def test_an_error_without_a_code(operation: str, kind: int, code: str) -> None:
    """Its level says that it is one."""
    entry = read(a_record(operation, level="Error"))
    assert (entry[1], entry[3]) == (kind, code)


def test_without_a_message_the_name_is_told() -> None:
    """Records before 2020 had only that."""
    entry = read(a_record("deviceDisconnect", "404104", resultDescription="DeviceConnectionClosedRemotely"))
    assert entry[4] == "DeviceConnectionClosedRemotely"


def test_a_sentence_in_the_description_counts() -> None:
    """Where the properties hold none."""
    assert read(a_record("deviceConnect", "401003", resultDescription="Authorization header missing"))[1] == REFUSED


@pytest.mark.parametrize(
    "properties",
    [
        {"deviceId": "x", "sdkVersion": "s"},
        '{"deviceId": "x", "sdkVersion": "s"}',
        '{"deviceId": "x", "sdkVersion": "s", "protocol": 7}',
        '{"deviceId": "x", "sdkVersion": "s", "\ud800": 7}',
    ],
)
def test_properties_are_text_or_object(properties: object) -> None:
    """With values of any type."""
    entry = read(a_record(properties=properties))
    assert (entry[2], entry[5]) == ("x", "s")


@pytest.mark.parametrize("properties", ["no JSON", "[1]", "7", "[" * 100_000])
def test_properties_that_cannot_be_read(properties: str) -> None:
    """The field is named."""
    with pytest.raises(LogError, match="properties: is no JSON object"):
        read(a_record(properties=properties))


@pytest.mark.parametrize("time", [None, "", "soon", 7])
def test_moments_that_cannot_be_read(time: object) -> None:
    """The field is named."""
    with pytest.raises(LogError, match=r"time: .* is no moment"):
        read(a_record(time=time))


def test_what_is_no_record_of_a_connection_is_counted() -> None:
    """By category or operation; a hostile file cannot grow that."""
    records = Records()
    assert records.entry(a_record(category="DeviceTelemetry")) is None
    assert records.entry(a_record(operation="getTwin")) is None
    assert records.entry(a_record(operation="")) is None
    assert records.entry(a_record(properties="{}")) is None
    assert records.skipped == {"DeviceTelemetry": 1, "operation getTwin": 1, "no operation": 1, "no device": 1}
    for number in range(100):
        records.entry(a_record(category=f"c{number}"))
    assert len(records.skipped) == 21
    assert records.skipped["others"] == 84


def test_an_object_where_a_text_should_be() -> None:
    """It is told as it is written."""
    assert read(a_record(level={"a": 1}, resultDescription=["b"]))[1] == CONNECTED


def test_what_is_remembered_of_kinds_is_bounded() -> None:
    """However many codes there are."""
    records = Records()
    for number in range(5000):
        records.entry(a_record(code=str(400_000 + number)))
    assert len(records._kinds) <= 4096


def test_what_is_kept_of_a_description_is_bounded() -> None:
    """And of a code."""
    records = Records()
    entry = records.entry(a_record("deviceConnect", "4" * 5000, resultDescription="x" * 5000))
    assert entry
    assert (len(entry[3]), len(entry[4])) == (200, 1000)
    assert {len(description) for _, _, _, description in records._kinds} == {1000}


@pytest.mark.parametrize(
    "names",
    [
        ["TimeGenerated [UTC]", "OperationName", "properties_s"],
        ["time", "operationName_s", "deviceId_s"],
        [" TIMEGENERATED ", "operationname", "DeviceId"],
    ],
)
def test_names_of_columns(names: list[str]) -> None:
    """Capitals, suffixes and zones make no difference."""
    Columns(names).check()


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["Date", "Amount"], "TimeGenerated"),
        (["time", "deviceId"], "OperationName"),
        (["time", "operationName"], "properties_s or DeviceId"),
    ],
)
def test_a_table_that_is_none(names: list[str], missing: str) -> None:
    """The first column that it lacks is named."""
    with pytest.raises(LogError, match=f"{missing}: is no export of an IoT hub's log"):
        Columns(names).check()
