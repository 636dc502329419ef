"""One record of the category Connections, whatever form it came in: its fields, its moment, and what it tells.

`Wire` takes the two shapes of JSON as they are written most: Azure Monitor's export, as in "IoT Hub monitoring data reference"
(Connections), and a row of the table AzureDiagnostics. Whatever is spelt otherwise goes by `Columns`, which looks at names only.

A record tells one of these:

| kind | operation | the record |
|---|---|---|
| `CUT` | disconnect | 401003 with the text of a token that has expired, or none |
| `GONE` | disconnect | 404104: the connection ended, and the service does not say why |
| `REPLACED` | any | 400027, 409002: another connection with the same identity |
| `SERVICE` | any | 5xx, or 404012: the service had a trouble of its own |
| `LEFT` | disconnect | no error: the device took leave |
| `REFUSED` | any | any other error: the device may not come in, or not stay |
| `DENIED` | connect | 401003 with the text of a token that has expired, or none: refused, unless it belongs to a cut |
| `CONNECTED` | connect | no error: the device was let in |

The numbers put the end of a connection before the next one begins, where both have the same moment: most records are written to the second.
"""

import functools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import msgspec

from harness.diagnosis.times import Moments
from harness.errors import LogError

__all__ = [
    "CONNECTED",
    "CUT",
    "DENIED",
    "EXPIRED_TEXT",
    "GONE",
    "LEFT",
    "REFUSED",
    "REMEDY",
    "REPLACED",
    "SERVICE",
    "Columns",
    "Entry",
    "Fields",
    "Records",
    "Table",
    "Wire",
    "named_fields",
    "rows_of",
]

CUT: Final = 1
GONE: Final = 2
REPLACED: Final = 3
SERVICE: Final = 4
LEFT: Final = 5
REFUSED: Final = 6
DENIED: Final = 7
CONNECTED: Final = 8

Entry = tuple[float, int, str, str, str, str, str]
"""A record: moment (s), kind, device, code, message, sdkVersion, protocol. What is not told is empty. Entries have an order."""
Fields = tuple[Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any]
"""What a record says, in the order of `_NAMES`; what it does not say is None or empty.

A plain tuple, since one with names takes two to four times as long to make, some per cent of a record's time. Only `Wire.fields` and `Records.entry` go by
that order; all else goes by the names.
"""

EXPIRED_TEXT: Final = "authentication failed for this device"
"""How the text of a 401003 begins that an expired token brings about (as does a wrong one): IoT Hub troubleshooting, 401003."""

REMEDY: Final = (
    "Export the category Connections of an IoT hub as it is, or by a query that keeps TimeGenerated, OperationName, Level, "
    "ResultType, ResultDescription and properties_s"
)
"""What to do where something is no export."""

_CATEGORY: Final = "connections"
_OPERATIONS: Final = ("deviceconnect", "devicedisconnect")
_REPLACED: Final = frozenset({"400027", "409002"})
_SERVICE: Final = frozenset({"404012"})
_UNAUTHORIZED: Final = "401003"
_CLOSED: Final = "404104"
_NO_CODE: Final = frozenset({"", "0", "200", "None"})
_CODE_OF_NAME: Final = {
    "iothubunauthorized": _UNAUTHORIZED,
    "deviceconnectionclosedremotely": _CLOSED,
    "connectionforcefullyclosedonnewconnection": "400027",
    "linkcreationconflict": "409002",
}
_MESSAGE_LENGTH: Final = 1000
_SDK_LENGTH: Final = 200
_CODE_LENGTH: Final = 200
_CACHED: Final = 4096
_SPELLINGS: Final = 64
_AS_THEY_ARE: Final = frozenset({str, type(None)})
_CATEGORIES_NAMED: Final = 20


class Properties(msgspec.Struct, rename="camel", gc=False):
    """What stands in a record's `properties`, as far as it is used."""

    device_id: str | None = None
    sdk_version: str | None = None
    protocol: str | None = None
    error_message: str | None = None


_decode_properties: Final = msgspec.json.Decoder(Properties).decode


class Table(msgspec.Struct, gc=False):
    """A table of Log Analytics' answer to a query."""

    columns: list[dict[str, Any]]
    rows: list[list[Any]]


class Wire(
    msgspec.Struct,
    gc=False,
    rename={
        "operation": "operationName",
        "code": "resultType",
        "description": "resultDescription",
        "row_time": "TimeGenerated",
        "row_time_utc": "TimeGenerated [UTC]",
        "row_operation": "OperationName",
        "row_category": "Category",
        "row_level": "Level",
        "row_code": "ResultType",
        "row_description": "ResultDescription",
        "row_properties": "properties_s",
        "row_device": "DeviceId",
        "row_sdk": "SDKVersion",
        "row_protocol": "Protocol",
    },
):
    """A JSON object of an export: a record, a row, or what holds several of either (`records`, `tables`)."""

    time: str | None = None
    operation: str | None = None
    category: str | None = None
    level: str | int | None = None
    code: str | int | float | None = None
    description: str | None = None
    properties: str | Properties | None = None
    row_time: str | None = None
    row_time_utc: str | None = None
    row_operation: str | None = None
    row_category: str | None = None
    row_level: str | int | None = None
    row_code: str | int | float | None = None
    row_description: str | None = None
    row_properties: str | Properties | None = None
    row_device: str | None = None
    row_sdk: str | None = None
    row_protocol: str | None = None
    records: "list[Wire] | None" = None
    tables: list[Table] | None = None

    def fields(self) -> Fields | None:
        """What it says as a record; None where it is none, or spelt otherwise."""
        if self.time is not None:
            if self.operation is None or self.properties is None:
                return None
            # fmt: off
            return (
                self.time, self.operation, self.category, self.level, self.code, self.description, self.properties,
                None, None, None, None,
            )
        time = self.row_time if self.row_time is not None else self.row_time_utc
        if time is None or self.row_operation is None or (self.row_properties or self.row_device) is None:
            return None
        return (
            time,
            self.row_operation,
            self.row_category,
            self.row_level,
            self.row_code,
            self.row_description,
            self.row_properties,
            self.row_device,
            self.row_sdk,
            self.row_protocol,
            None,
        )
        # fmt: on


_NAMES: Final = {
    "time": ("time", "timegenerated", "eventtime"),
    "operation": ("operationname",),
    "category": ("category",),
    "level": ("level",),
    "code": ("resulttype",),
    "description": ("resultdescription",),
    "properties": ("properties",),
    "device": ("deviceid",),
    "sdk": ("sdkversion",),
    "protocol": ("protocol",),
    "message": ("errormessage",),
}
"""The fields, in their order, and how a column with each may be named."""
_PROPERTIES: Final = list(_NAMES).index("properties")


class Columns:
    """Where the fields of a record stand in a row, by the names of its columns.

    Capitals, blanks, a suffix of Log Analytics (`properties_s`) and a time zone (`TimeGenerated [UTC]`) make no difference.
    """

    def __init__(self, names: Sequence[str]) -> None:
        places: dict[str, int] = {}
        for place, name in enumerate(names):
            places.setdefault(_plain(name), place)
        self._lacking = len(names)
        self._places = {
            field: next((places[name] for name in known if name in places), self._lacking)
            for field, known in _NAMES.items()
        }
        self._pick: Callable[[Sequence[Any]], Fields] = itemgetter(*self._places.values())

    def fields(self, row: Sequence[Any]) -> Fields:
        """What a row says, which has as many cells as there are columns."""
        return self._pick([*row, None])

    def check(self) -> None:
        """See to it that there is a column for whatever a record must have.

        Raises:
            LogError: there is none.
        """
        needed = {
            "TimeGenerated": ("time",),
            "OperationName": ("operation",),
            "properties_s or DeviceId": ("properties", "device"),
        }
        for name, fields in needed.items():
            if all(self._places[field] == self._lacking for field in fields):
                raise LogError(
                    "is no export of an IoT hub's log, since it has no such column", field=name, remedy=REMEDY
                )


def _plain(name: str) -> str:
    return re.sub(r"\s*\[.*\]$", "", name.strip()).lower().removesuffix("_s")


class Records:
    """Makes entries of what is read, and counts what is no record of a connection (`skipped`, by category or operation)."""

    def __init__(self) -> None:
        self.skipped: Counter[str] = Counter()
        self._kinds: dict[tuple[Any, ...], tuple[int, str]] = {}
        self._seconds = Moments().seconds

    def entry(self, fields: Fields) -> Entry | None:
        """The entry, or None where it is none of the category.

        Raises:
            LogError: it is a record of a connection that cannot be read.
        """
        time, operation, category, level, code, description, properties, device, sdk, protocol, message = fields
        if category and category != "Connections" and str(category).lower() != _CATEGORY:
            self._skip(str(category))
            return None
        if description and len(description) > _MESSAGE_LENGTH:
            description = description[:_MESSAGE_LENGTH]
        key = (operation, level, code, description)
        known = self._kinds.get(key)
        if known is None:
            if str(operation).lower() not in _OPERATIONS:
                self._skip(f"operation {operation}" if operation else "no operation")
                return None
            known = self._remember(key)
        kind, code = known
        if properties:
            told = properties if type(properties) is Properties else read_properties(properties)
            device = device or told.device_id
            sdk, protocol = sdk or told.sdk_version, protocol or told.protocol
            message = message or told.error_message
        if not device:
            self._skip("no device")
            return None
        if code:
            message = str(message or description or "")[:_MESSAGE_LENGTH]
            if code == _UNAUTHORIZED:
                kind = _unauthorized(kind, message)
        else:
            message = ""
        try:
            at = self._seconds(time)
        except (ValueError, TypeError, IndexError):
            remedy = "Export times as 2023-09-21T22:16:00Z"
            raise LogError(f"{str(time)[:40]!r} is no moment", field="time", remedy=remedy) from None
        return at, kind, device, code, message, (sdk or "")[:_SDK_LENGTH], protocol or ""

    def _skip(self, what: str) -> None:
        known = what in self.skipped or len(self.skipped) < _CATEGORIES_NAMED
        self.skipped[what[:_SDK_LENGTH] if known else "others"] += 1

    def _remember(self, key: tuple[Any, ...]) -> tuple[int, str]:
        if len(self._kinds) >= _CACHED:
            self._kinds.clear()
        self._kinds[key] = _kind_of(*key)
        return self._kinds[key]


def _kind_of(operation: object, level: object, result: object, description: object) -> tuple[int, str]:
    """What a record tells as far as that stands outside its properties, and its code: empty without an error."""
    connect = str(operation).lower() == _OPERATIONS[0]
    code = "" if result is None else _whole(str(result).strip())[:_CODE_LENGTH]
    code = _CODE_OF_NAME.get(code.lower(), code)
    if code in _NO_CODE:
        code = _CODE_OF_NAME.get(str(description or "").lower(), "")
    if not code and not str(level or "").lower().startswith("err"):
        return (CONNECTED if connect else LEFT), ""
    if code in _REPLACED:
        return REPLACED, code
    if code.startswith("5") or code in _SERVICE:
        return SERVICE, code
    if code == _UNAUTHORIZED:
        return (DENIED if connect else CUT), code
    if code in {"", _CLOSED} and not connect:
        return GONE, code or _CLOSED
    return REFUSED, code or "error"


def _whole(code: str) -> str:
    """Without the `.0` of a tool that keeps a column of numbers with gaps as floats."""
    digits, point, rest = code.partition(".")
    return digits if point and digits.isdecimal() and not rest.strip("0") else code


def _unauthorized(kind: int, message: str) -> int:
    """A 401003 whose text names another reason than the token is a refusal, whenever it comes. What has no blank is a name, and no text."""
    return kind if " " not in message or message.lower().startswith(EXPIRED_TEXT) else REFUSED


def read_properties(text: object) -> Properties:
    """The properties, which are JSON in a text or, in some exports, an object.

    Raises:
        LogError: they are neither.
    """
    if isinstance(text, str):
        try:
            return _decode_properties(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):  # half of a surrogate pair cannot be encoded
            text = _loosely(text)
    if not isinstance(text, Mapping):
        raise LogError("is no JSON object", field="properties", remedy="Export the records whole, as they are")
    return Properties(
        _text(text.get("deviceId")),
        _text(text.get("sdkVersion")),
        _text(text.get("protocol")),
        _text(text.get("errorMessage")),
    )


def _loosely(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def named_fields(record: Mapping[str, Any]) -> Fields:
    """What a JSON object says whose names are spelt in any way."""
    return _texts(_columns_of(tuple(record)).fields(tuple(record.values())))


@functools.lru_cache(_SPELLINGS)
def _columns_of(names: tuple[str, ...]) -> Columns:
    """The same for all records with these names: a file has few sets of them."""
    return Columns(names)


def rows_of(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Fields | LogError]:
    """What the rows of a table say, or what is wrong: they are no records (told once), or one has not a cell for each column."""
    columns = Columns(names)
    try:
        columns.check()
    except LogError as problem:
        yield problem
        return
    for number, row in enumerate(rows, 1):
        if len(row) == len(names):
            yield _texts(columns.fields(row))
        else:
            misfit = f"row {number} has {len(row)} cells for {len(names)} columns"
            yield LogError(misfit, field="rows", remedy="Export the table again")


def _texts(fields: Fields) -> Fields:
    """The same, where numbers may stand instead of texts, and an object only for properties."""
    if _AS_THEY_ARE.issuperset(map(type, fields[:_PROPERTIES] + fields[_PROPERTIES + 1 :])):
        return fields
    texts = [_text(value) for value in fields]
    texts[_PROPERTIES] = fields[_PROPERTIES]
    return tuple(texts)  # type: ignore[return-value] # as many as there were


def _text(value: object) -> str | None:
    return value if value is None or type(value) is str else str(value)
