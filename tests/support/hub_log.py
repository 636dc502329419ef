"""Records of a hub's Connections log in every form in which they are exported."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.diagnosis import Diagnosed, Export, Finding, Patients
from harness.diagnosis.records import Entry
from harness.hub.diagnostics import (
    CLOSED_REMOTELY,
    CONFLICT,
    DISPLACED,
    TOKEN_EXPIRED,
    Operation,
    Origin,
    Problem,
    build_record,
    row_view,
)

__all__ = [
    "CONNECT",
    "DISCONNECT",
    "START",
    "HubLog",
    "Record",
    "array",
    "as_csv",
    "diagnose",
    "entries_of",
    "findings",
    "judged",
    "lines",
    "packed",
    "records_document",
    "rows",
    "tables",
]

CONNECT: Operation = "deviceConnect"
DISCONNECT: Operation = "deviceDisconnect"
START = 1_767_225_600.0
Record = dict[str, str]


@dataclass
class HubLog:
    """Builds a log, most of it about one device. Moments are seconds after `START`."""

    device: str = "dev1"
    sdk: str = ""
    transport: str = "mqtt"
    records: list[Record] = field(default_factory=list)

    def add(self, at: float, operation: Operation, problem: Problem | None = None) -> "HubLog":
        """One record."""
        origin = Origin("hub1.azure-devices.net", self.device, self.transport, "203.0.113.7:1", self.sdk)
        self.records.append(build_record(operation, START + at, origin, problem))
        return self

    def connect(self, *moments: float) -> "HubLog":
        """It is let in."""
        for at in moments:
            self.add(at, CONNECT)
        return self

    def leave(self, *moments: float) -> "HubLog":
        """It takes leave."""
        for at in moments:
            self.add(at, DISCONNECT)
        return self

    def gone(self, *moments: float) -> "HubLog":
        """Its connection ends, and nothing says why."""
        for at in moments:
            self.add(at, DISCONNECT, CLOSED_REMOTELY)
        return self

    def cut(self, *moments: float, back_s: float | None = 1) -> "HubLog":
        """The hub cuts it at its token's end, and it comes back, if `back_s` is not None, so much later."""
        for at in moments:
            self.add(at, DISCONNECT, TOKEN_EXPIRED).gone(at)
            if back_s is not None:
                self.connect(at + back_s)
        return self

    def renew(self, *moments: float) -> "HubLog":
        """It takes leave and is back a second later."""
        for at in moments:
            self.leave(at).connect(at + 1)
        return self

    def replaced(self, *moments: float) -> "HubLog":
        """Another connection with its identity ends its own."""
        for at in moments:
            self.add(at, DISCONNECT, DISPLACED if self.transport.startswith("mqtt") else CONFLICT).connect(at)
        return self

    def refuse(self, *moments: float, message: str = TOKEN_EXPIRED.message, code: str = "401003") -> "HubLog":
        """It is not let in."""
        for at in moments:
            self.add(at, CONNECT, Problem(code, message))
        return self

    def about(self, device: str, sdk: str = "") -> "HubLog":
        """The same log, going on about another device."""
        return replace(self, device=device, sdk=sdk)


def lines(records: Iterable[Mapping[str, object]], end: str = "\n") -> bytes:
    """As in blob storage."""
    return "".join(json.dumps(record) + end for record in records).encode()


def records_document(records: Sequence[Mapping[str, object]]) -> bytes:
    """As from an event hub."""
    return json.dumps({"records": records}).encode()


def array(records: Sequence[Mapping[str, object]]) -> bytes:
    """Rows or records as an array, over many lines."""
    return json.dumps(records, indent=1).encode()


def rows(records: Iterable[Record]) -> list[dict[str, str]]:
    """Rows of AzureDiagnostics."""
    return [row_view(record) for record in records]


def tables(records: Sequence[Record]) -> bytes:
    """As Log Analytics answers a query."""
    found = rows(records)
    columns = [{"name": name, "type": "string"} for name in found[0]]
    table = {"name": "PrimaryResult", "columns": columns, "rows": [list(row.values()) for row in found]}
    return json.dumps({"tables": [table]}).encode()


def as_csv(records: Iterable[Record], delimiter: str = ",", time: str = "TimeGenerated [UTC]") -> bytes:
    """As the portal exports a query, with a byte order mark and CRLF."""
    out = io.StringIO(newline="")
    found = [{time: row.pop("TimeGenerated"), **row} for row in rows(records)]
    writer = csv.DictWriter(out, list(found[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(found)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def packed(text: bytes) -> bytes:
    """By gzip."""
    return gzip.compress(text)


def entries_of(text: bytes) -> list[Entry]:
    """What is read from a file of this content."""
    return [entry for batch in Export(io.BytesIO(text), "log").batches() for entry in batch]


def diagnose(records: Sequence[Record]) -> dict[str, Diagnosed]:
    """What each device suffers from, the worst first."""
    return judged(entries_of(lines(records)))


def judged(entries: Iterable[Entry], span: int = 20_000) -> dict[str, Diagnosed]:
    """The same, of entries."""
    return {name: one.told for name, one in findings(entries, span).items()}


def findings(entries: Iterable[Entry], span: int = 20_000) -> dict[str, Finding]:
    """All that is found, by device. Entries come one by one, so that a window never holds more than it should."""
    patients = Patients(span)
    for entry in entries:
        patients.add([entry])
    return {one.told.device_id: one for one in patients.findings()}
