"""The target of `harness diagnose`: files that are said to be exports of a hub's log."""

import csv
import gzip
import io
import json
import re
from random import Random
from typing import Final

import msgspec

from fuzz.mutation import Mutator, Seed
from fuzz.target import Outcome, Target, require
from harness.diagnosis import Diagnosis, Export, Patients
from harness.errors import LogError
from harness.hub.diagnostics import CLOSED_REMOTELY, TOKEN_EXPIRED, Origin, build_record, row_view
from harness.report.diagnosis import diagnosis_text

__all__ = ["exports"]

_ORIGIN: Final = Origin("h.azure-devices.net", "d", "mqtt", "203.0.113.7", ".NET/1.38.0 (x)")
_PRINTED: Final = 0.05  # of all inputs: a table takes longer than all the rest
_RECORDS: Final = (
    build_record("deviceConnect", 1_767_225_600.0, _ORIGIN),
    build_record("deviceDisconnect", 1_767_229_800.0, _ORIGIN, TOKEN_EXPIRED),
    build_record("deviceDisconnect", 1_767_229_800.0, _ORIGIN, CLOSED_REMOTELY),
)
_WORDS: Final = (
    *(
        b'"records":[',
        b'"tables":[',
        b'{"columns":[',
        b"null",
        b"1e999",
        b"NaN",
        b"\\ud800",
        b"[[[[",
        b"{}",
        b"\r\n",
        b"\xef\xbb\xbf",
    ),
    *(
        b'"',
        b'""',
        b";",
        b"\t",
        b"401003",
        b"404104",
        b"deviceConnect",
        b"9999-12-31T23:59:59Z",
        b"12/31/9999, 11:59:59 PM",
        b"\x1f\x8b",
    ),
)


def exports() -> Target:
    """Every form of export."""
    title = "file -> cause of each device, table and JSON; LogError"
    return Target("exports", title, "records", Mutator(_seeds(), words=_WORDS), _read)


def _seeds() -> list[Seed]:
    rows = [row_view(record) for record in _RECORDS]
    table = {"columns": [{"name": name} for name in rows[0]], "rows": [list(row.values()) for row in rows]}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    lines = tuple(json.dumps(record).encode() + b"\n" for record in _RECORDS)
    documents = ({"records": _RECORDS}, rows, {"tables": [table]})
    return [
        lines,
        *((json.dumps(document).encode(),) for document in documents),
        tuple(text.getvalue().encode().splitlines(keepends=True)),
        (gzip.compress(b"".join(lines), mtime=0),),
    ]


def _read(chunks: list[bytes], random: Random) -> Outcome:
    export, patients = Export(io.BytesIO(b"".join(chunks)), "file"), Patients(4)
    refusal: str | None = None
    try:
        for batch in export.batches():
            patients.add(batch)
    except LogError as problem:
        refusal = problem.problem
    else:
        refusal = export.cut_short.problem if export.cut_short else None
    found = patients.findings()
    require(sum(one.records for one in found) <= export.read, "no record is counted that was not read")
    if random.random() < _PRINTED:
        require("\x1b" not in diagnosis_text(found, 2), "no control character comes out")
        msgspec.convert(msgspec.to_builtins(Diagnosis(1, tuple(one.told for one in found))), Diagnosis)
    return Outcome(refusal and re.sub(r"\(.*\)|'.*'|[0-9]+", "", refusal), export.read)
