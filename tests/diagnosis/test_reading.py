"""Every form of export says the same; what is none is refused with its place."""

import io
import json
from collections.abc import Callable

import pytest
from support.hub_log import HubLog, Record, array, as_csv, entries_of, lines, packed, records_document, rows, tables

from harness.diagnosis import Export
from harness.diagnosis.records import CONNECTED
from harness.errors import LogError

RECORDS = (
    HubLog(sdk="iothubclient/1.14.0 (native)").connect(0).cut(4200).refuse(9000, message="a \"b\", 'ü';\n.").records
)
PLAIN = entries_of(lines(RECORDS))


def export(text: bytes) -> Export:
    """A file of this content."""
    return Export(io.BytesIO(text), "file.log")


def problem(text: bytes) -> str:
    """Why it is refused."""
    with pytest.raises(LogError) as caught:
        list(export(text).batches())
    return str(caught.value)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lines, id="lines"),
        pytest.param(lambda records: lines(records, "\r\n"), id="lines, CRLF"),
        pytest.param(lambda records: b"\xef\xbb\xbf\r\n" + lines(records).rstrip(), id="lines, mark and blank"),
        pytest.param(lambda records: lines(rows(records)), id="lines of rows"),
        pytest.param(
            lambda records: b"\n".join(records_document([record]) for record in records), id="a document a line"
        ),
        pytest.param(records_document, id="records"),
        pytest.param(lambda records: json.dumps({"records": records}, indent=2).encode(), id="records over lines"),
        pytest.param(array, id="array"),
        pytest.param(lambda records: array(records).replace(b"\n", b"\r"), id="array, CR"),
        pytest.param(lambda records: json.dumps(records).encode(), id="array in a line"),
        pytest.param(lambda records: array(rows(records)), id="array of rows"),
        pytest.param(tables, id="tables"),
        pytest.param(as_csv, id="CSV"),
        pytest.param(lambda records: as_csv(records, ";", "time"), id="CSV, semicolons"),
        pytest.param(lambda records: as_csv(records, "\t"), id="CSV, tabs"),
        pytest.param(lambda records: packed(lines(records)), id="packed lines"),
        pytest.param(lambda records: packed(as_csv(records)), id="packed CSV"),
    ],
)
def test_all_forms_say_the_same(write: Callable[[list[Record]], bytes]) -> None:
    """To the last field."""
    assert entries_of(write(RECORDS)) == PLAIN


def test_properties_may_be_an_object() -> None:
    """In lines and in documents."""
    records = [record | {"properties": json.loads(record["properties"])} for record in RECORDS]
    assert entries_of(lines(records)) == entries_of(records_document(records)) == PLAIN


@pytest.mark.parametrize(
    ("text", "code", "written"),
    [
        pytest.param(lines(RECORDS), b'"401003"', b"401003.0", id="lines"),
        pytest.param(lines(rows(RECORDS)), b'"401003"', b"401003.0", id="lines of rows"),
        pytest.param(records_document(RECORDS), b'"401003"', b"401003.0", id="records"),
        pytest.param(tables(RECORDS), b'"401003"', b"401003.0", id="tables"),
        pytest.param(as_csv(RECORDS), b",401003,", b",401003.0,", id="CSV"),
    ],
)
def test_codes_written_as_floats(text: bytes, code: bytes, written: bytes) -> None:
    """As tools write a column of numbers that has gaps."""
    assert text.count(code) == 2
    assert entries_of(text.replace(code, written)) == entries_of(text.replace(code, written, 1)) == PLAIN


def test_names_spelt_otherwise() -> None:
    """Also in single records of a document."""
    odd = [{key.upper(): value for key, value in record.items()} for record in RECORDS]
    assert entries_of(lines(odd)) == entries_of(array(odd)) == entries_of(array([RECORDS[0], *odd[1:]])) == PLAIN
    assert entries_of(records_document(odd)) == PLAIN


def test_a_time_zone_beside_the_name_of_the_time() -> None:
    """As the portal writes it, in lines and in an array."""
    zoned = [{"TimeGenerated [UTC]": row.pop("TimeGenerated"), **row} for row in rows(RECORDS)]
    assert entries_of(lines(zoned)) == entries_of(array(zoned)) == PLAIN


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(lambda record: record | {"level": 4}, id="level as a number"),
        pytest.param(
            lambda record: {("TimeGenerated [UTC]" if name == "time" else name): record[name] for name in record},
            id="another name for the time",
        ),
        pytest.param(
            lambda record: (
                {name.title(): record[name] for name in record} | {"Properties": json.loads(record["properties"])}
            ),
            id="capitals, properties as an object",
        ),
    ],
)
def test_a_line_spelt_otherwise_is_never_read_by_the_slow_decoder(
    spelling: Callable[[Record], dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that takes what is no JSON, too."""
    text = lines([spelling(record) for record in RECORDS])
    monkeypatch.delattr("harness.diagnosis.json_form.json.loads")
    assert [entry[:3] for entry in entries_of(text)] == [entry[:3] for entry in PLAIN]


def test_types_and_texts_of_others() -> None:
    """Numbers for texts, half of a surrogate pair, a record over several lines."""
    record = RECORDS[0] | {"level": 4, "location": "\ud800"}
    assert entries_of(json.dumps(record, indent=1).encode()) == PLAIN[:1]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (lines(RECORDS), "JSON lines"),
        (records_document(RECORDS), "a JSON document, held in memory as a whole"),
        (array(RECORDS), "a JSON document, held in memory as a whole"),
        (tables(RECORDS), "a JSON document, held in memory as a whole"),
        (as_csv(RECORDS), "CSV"),
    ],
)
def test_the_form_is_told(text: bytes, form: str) -> None:
    """And how much was read."""
    found = export(text)
    assert sum(map(len, found.batches())) == found.read == len(PLAIN)
    assert found.form == form


def test_what_is_no_record_of_a_connection_is_counted() -> None:
    """Whatever its shape, and wherever it stands."""
    telemetry = {"category": "DeviceTelemetry", "operationName": "x", "properties": [1], "level": 4}
    routes = {"time": "2026-01-01T00:00:00Z", "category": "Routes"}
    found = export(lines([telemetry, *RECORDS, {"category": "Routes"}, routes, telemetry, RECORDS[0] | telemetry]))
    assert sum(map(len, found.batches())) == len(PLAIN)
    assert found.skipped == {"DeviceTelemetry": 3, "Routes": 2}
    assert found.cut_short is None


def test_a_usual_record_of_another_category_is_counted() -> None:
    """Between those that are wanted."""
    found = export(lines([RECORDS[0], RECORDS[0] | {"category": "Routes"}, *RECORDS[1:]]))
    assert sum(map(len, found.batches())) == len(PLAIN)
    assert found.skipped == {"Routes": 1}


def test_a_table_of_many_things() -> None:
    """Blank lines and other categories in CSV; columns that nobody asked for, and no protocol."""
    text = (
        b"x,time,operationName,category,deviceId\n\n1,2026-01-01T00:00:00Z,deviceConnect,Connections,d\n2,,a,Routes,\n"
    )
    found = export(text)
    assert list(found.batches()) == [[(1_767_225_600.0, CONNECTED, "d", "", "", "", "")]]
    assert found.skipped == {"Routes": 1}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(b"", "file.log: is empty. Export the category Connections", id="empty"),
        pytest.param(b"\n \r\n", "file.log: is empty", id="blank"),
        pytest.param(packed(b"x")[:2], "file.log: is cut short. Export it again", id="gzip of two bytes"),
        pytest.param(packed(b"")[:12], "file.log: is cut short", id="gzip of nothing, cut short"),
        pytest.param(packed(b""), "file.log: is empty", id="gzip of nothing"),
        pytest.param(
            lines(RECORDS, "\r"), "file.log: has lines that end by CR only. End them by LF, as by tr", id="lines, CR"
        ),
        pytest.param(
            b'{"records":\r[7, tru]}', "file.log: line 1: is not JSON (Expecting value)", id="broken document, CR"
        ),
        pytest.param(as_csv(RECORDS).replace(b"\r\n", b"\r"), "file.log: has lines that end by CR only", id="CSV, CR"),
        pytest.param("time".encode("utf-16"), "file.log: is written in UTF-16. Write it in UTF-8", id="UTF-16"),
        pytest.param(
            b"Date,Amount\n1,2\n", "file.log: TimeGenerated: is no export of an IoT hub's log", id="foreign CSV"
        ),
        pytest.param(b"\x89PNG\r\n\x00\x01", "file.log: line 1: is no text in UTF-8", id="binary"),
        pytest.param(b"just a text\n", "file.log: TimeGenerated: is no export", id="text"),
        pytest.param(b"[]", "file.log: holds no record of a device's connection. Export", id="nothing in it"),
        pytest.param(
            b'{"a": 1}\n', "holds no record of a device's connection, but 1 of 'no operation'", id="foreign JSON"
        ),
        pytest.param(b"[1]", "file.log: line 1: is no record", id="an array of others"),
        pytest.param(b'{"a": 1}\n7\n', "file.log: line 2: is no record", id="a line of others"),
        pytest.param(b'{"a": }\n{"a": 1}\n', "file.log: line 1: is not JSON. Export it again", id="broken first line"),
        pytest.param(b'{"a": 1}\n{"a": \n{"a": 1}\n', "file.log: line 2: is not JSON", id="broken line"),
        pytest.param(
            b'{"a": 1,\n "b": tru}\n', "file.log: line 2: is not JSON (Expecting value)", id="broken document"
        ),
        pytest.param(b'{"records": [\n{"a": "b', "file.log: line 2: is cut short", id="document cut short"),
        pytest.param(b'{"records": [\n{"a": 1},', "file.log: line 2: is cut short", id="document cut at a comma"),
        pytest.param(b'{"time": "2026', "file.log: line 1: is cut short", id="first line cut short"),
        pytest.param(b'{"operationName": "a", "x": "\xff"}\n', "line 1: is not JSON", id="bytes in JSON"),
        pytest.param(b'{"a": 1}\n\n{"time": "\xff"}\n', "line 3: is not JSON", id="bytes in a later line"),
        pytest.param(b"[" * 100_000, "file.log: line 1: is not JSON", id="deep"),
        pytest.param(packed(b"x" * 99)[:10] + b"\x07" * 20, "file.log: cannot be unpacked", id="broken gzip"),
        pytest.param(lines([RECORDS[0] | {"time": "?"}]), "line 1: time: '?' is no moment", id="no moment"),
        pytest.param(
            b"time,operationName,deviceId\n\nx,deviceConnect,d\n",
            "line 3: time: 'x' is no moment",
            id="no moment in CSV",
        ),
        pytest.param(b"time,operationName,deviceId\na,b\nc,d,e\n", "line 2: 2 cells for 3 columns", id="short row"),
        pytest.param(b"time,operationName,deviceId\na,b,c,d", "line 2: 4 cells for 3 columns", id="long row"),
        pytest.param(b'time,operationName,deviceId\n"a"b,c,d\n', "line 2: is not CSV", id="broken CSV"),
        pytest.param(b'"time"x,operationName\n', "line 1: is not CSV", id="broken names"),
        pytest.param(b'"time,operationName\n', "line 1: is cut short", id="names cut short"),
        pytest.param(b"time,operationName,deviceId\n\xff,a,b\n", "line 2: is no text in UTF-8", id="bytes in CSV"),
        pytest.param(
            b'{"tables": [{"columns": [{"name": "a"}], "rows": []}]}', "TimeGenerated: is no export", id="foreign table"
        ),
        pytest.param(
            tables(RECORDS[:1]).replace(b'"rows": [[', b'"rows": [["x", '),
            "rows: row 1 has 15 cells for 14 columns",
            id="table",
        ),
    ],
)
def test_what_is_refused(text: bytes, told: str) -> None:
    """File, line or field, and the remedy."""
    assert told in problem(text)


@pytest.mark.parametrize(
    ("text", "read", "told"),
    [
        pytest.param(
            lines(RECORDS)[:-20], len(RECORDS) - 1, f"file.log: line {len(RECORDS)}: is cut short", id="lines"
        ),
        pytest.param(as_csv(RECORDS)[:-30], len(RECORDS) - 1, "is cut short", id="CSV in a quoted cell"),
        pytest.param(as_csv(RECORDS[:2])[:-9], 1, "file.log: line 3: is cut short", id="CSV between cells"),
        pytest.param(as_csv(RECORDS) + b"2026-01-01", len(RECORDS), "is cut short", id="CSV in its first cell"),
        pytest.param(packed(lines(RECORDS))[:-8], len(RECORDS), "file.log: is cut short", id="gzip without its end"),
        pytest.param(
            packed(lines(RECORDS)) + packed(b"x")[:2] + b"\x07" * 20,
            len(RECORDS),
            "file.log: cannot be unpacked to its end (Unknown compression method)",
            id="gzip whose second part is damaged",
        ),
        pytest.param(
            packed(lines(RECORDS)[:-1]) + packed(b"x")[:2] + 2 * (b"\x07" * 20 + packed(lines(RECORDS))),
            len(RECORDS),
            "file.log: cannot be unpacked to its end (Unknown compression method)",
            id="gzip with good parts behind a damaged one",
        ),
        pytest.param(
            packed(lines(RECORDS))[:-8] + bytes(8),
            len(RECORDS),
            "file.log: cannot be unpacked to its end (CRC check failed",
            id="gzip with another checksum",
        ),
    ],
)
def test_a_file_that_is_cut_short(text: bytes, read: int, told: str) -> None:
    """What came before is there."""
    found = export(text)
    assert sum(map(len, found.batches())) == read
    assert told in str(found.cut_short)


HEAD = b"time,operationName,deviceId\n"
GOOD = b"2026-01-01T00:00:00Z,deviceConnect,d\n"


@pytest.mark.parametrize(
    ("text", "read", "unreadable", "told"),
    [
        pytest.param(
            lines(RECORDS[:2]) + b'{"a": \n' + lines(RECORDS[2:]),
            5,
            1,
            "line 3: is not JSON (left out). Export",
            id="line",
        ),
        pytest.param(b"{]\n" + lines(RECORDS), 5, 1, "line 1: is not JSON (left out)", id="first line"),
        pytest.param(
            lines(RECORDS[:1]) + b"7\n{\n" + lines(RECORDS[1:]),
            5,
            2,
            "line 2: is no record (left out, with 1 more)",
            id="lines",
        ),
        pytest.param(
            lines([RECORDS[0], RECORDS[0] | {"time": "?"}, RECORDS[1]]),
            2,
            1,
            "line 2: time: '?' is no moment (left out)",
            id="moment",
        ),
        pytest.param(
            lines(RECORDS[:1]) + b'{"operationName": "a", "x": "\xff"}\n' + lines(RECORDS[1:]),
            5,
            1,
            "line 2: is not JSON (left out)",
            id="bytes",
        ),
        pytest.param(
            records_document([RECORDS[0], RECORDS[0] | {"time": "?"}, RECORDS[1]]),
            2,
            1,
            "line 1: time: '?' is no moment (left out)",
            id="moment in a document",
        ),
        pytest.param(
            tables(RECORDS).replace(b'"rows": [[', b'"rows": [["x", '),
            4,
            1,
            "rows: row 1 has 15 cells for 14 columns (left out)",
            id="row of a table",
        ),
        pytest.param(HEAD + b"x,deviceConnect,d\n" + GOOD, 1, 1, "line 2: time: 'x' is no moment", id="moment in CSV"),
        pytest.param(HEAD + b"a,b\n" + GOOD, 1, 1, "line 2: 2 cells for 3 columns (left out)", id="short row"),
        pytest.param(HEAD + GOOD + b"a,b,c,d\n" + GOOD, 2, 1, "line 3: 4 cells for 3 columns", id="long row"),
        pytest.param(HEAD + b'"a"b,c,d\n' + GOOD, 1, 1, "line 2: is not CSV", id="broken CSV"),
        pytest.param(
            HEAD + b"\xff,a,b\n" + GOOD + b"a,b,c,d\n",
            1,
            2,
            "line 2: is no text in UTF-8 (left out, with",
            id="bytes in CSV",
        ),
        pytest.param(HEAD + b"a,b\n\xff\n" + GOOD, 1, 2, "line 2: 2 cells for 3 columns", id="short row, then bytes"),
    ],
)
def test_what_cannot_be_read_is_left_out(text: bytes, read: int, unreadable: int, told: str) -> None:
    """And counted; all else is there."""
    found = export(text)
    assert sum(map(len, found.batches())) == found.read == read
    assert found.unreadable == unreadable
    assert told in str(found.left_out)
    assert found.cut_short is None


def test_the_place_of_a_row_behind_bytes_that_are_no_text() -> None:
    """Their line counts."""
    found = export(HEAD + b"\xff,a,b\n" + GOOD + b"a,b")
    assert sum(map(len, found.batches())) == 1
    assert "line 4: is cut short" in str(found.cut_short)


def test_a_file_in_which_all_can_be_read() -> None:
    """Nothing is told to be left out."""
    found = export(lines(RECORDS))
    list(found.batches())
    assert (found.unreadable, found.left_out) == (0, None)


def test_a_short_row_before_a_cell_that_never_ends() -> None:
    """The row is left out, and the end is missing."""
    found = export(HEAD + GOOD + b'a,b\n"c')
    assert sum(map(len, found.batches())) == 1
    assert (found.unreadable, str(found.cut_short)[:26]) == (1, "file.log: line 4: is cut s")


def test_an_array_of_one_record_in_a_line_of_its_own() -> None:
    """Its brackets are no broken lines."""
    found = export(b"[\n" + lines(RECORDS[:1]) + b"]\n")
    assert sum(map(len, found.batches())) == 1
    assert found.left_out is None


def test_many_batches() -> None:
    """None is lost between them."""
    records = HubLog().connect(*range(4500)).records
    batches = list(export(lines(records)).batches())
    assert [len(batch) for batch in batches] == [2000, 2000, 500]


def test_an_interruption_keeps_what_was_read() -> None:
    """Also what is no full batch."""

    class Interrupted(io.BytesIO):
        def readinto(self, buffer: object) -> int:
            if self.tell() == len(self.getvalue()):
                raise KeyboardInterrupt
            return super().readinto(buffer)  # type: ignore[arg-type] # a buffer

    found = Export(Interrupted(lines(RECORDS)), "x")
    batches = found.batches()
    assert len(next(batches)) == found.read == len(RECORDS)
    with pytest.raises(KeyboardInterrupt):
        next(batches)


def test_a_medium_that_fails() -> None:
    """The system's reason is told."""

    class Failing(io.BytesIO):
        def readinto(self, buffer: object) -> int:  # noqa: ARG002 - the signature of others
            raise OSError(5, "Input/output error")

    with pytest.raises(LogError, match=r"x: cannot be read \(Input/output error\)"):
        list(Export(Failing(b"{}"), "x").batches())


def test_a_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read into memory for good."""
    monkeypatch.setattr("harness.diagnosis.json_form._LONGEST_LINE", 1 << 20)
    assert "line 2: is longer than 1 MiB" in problem(lines(RECORDS[:1]) + b" " + b"x" * (2 << 20))
