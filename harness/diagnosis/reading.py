"""Reads an export, whichever form it has, into batches of entries. The form is told by the content, never by the name.

| form | how it is read |
|---|---|
| JSON lines: a record or a row a line, as in blob storage | line by line |
| a JSON document: `{"records": […]}`, an array, `{"tables": […]}`, a single record | as a whole, which it takes in memory |
| CSV with a line of column names | row by row |

Each of them may be packed by gzip, begin with a byte order mark and end its lines by CRLF. A line may hold a whole document, too: so
Event Hubs deliver records.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from harness.diagnosis.csv_form import csv_entries
from harness.diagnosis.json_form import json_form
from harness.diagnosis.records import REMEDY, Entry
from harness.diagnosis.source import Source
from harness.errors import LogError

__all__ = ["Export"]

_BATCH: Final = 2000
_NAMED: Final = 5


class Export:
    """What is read from `stream`; `where` names it in errors. All figures are those so far.

    `form`: in words. `read`: how many records of the category.
    """

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self.form = ""
        self.read = 0
        self._source = Source(stream, where)

    @property
    def cut_short(self) -> LogError | None:
        """Why the end is missing, where it is and what came before is good all the same."""
        return self._source.cut_short

    @property
    def unreadable(self) -> int:
        """How many lines or records were left out because they cannot be read."""
        return self._source.unreadable

    @property
    def left_out(self) -> LogError | None:
        """What is wrong with the first of these, where it is, and how many more there are."""
        first = self._source.first_unreadable
        if first is None:
            return None
        others = self.unreadable - 1
        told = f"{first.problem} (left out{f', with {others} more' if others else ''})"
        return LogError(told, where=first.where, field=first.field, remedy=first.remedy)

    @property
    def skipped(self) -> dict[str, int]:
        """How many records are none of a connection, by what they are instead, most first."""
        return dict(self._source.records.skipped.most_common())

    def batches(self) -> Iterator[list[Entry]]:
        """The entries in the order of the file.

        Raises:
            LogError: it is no export, or holds no record of a connection that can be read; named are the file and, where there are lines, the line.
        """
        source = self._source
        try:
            for batch in _batched(self._entries(source)):
                self.read += len(batch)
                yield batch
        except (gzip.BadGzipFile, zlib.error) as problem:
            raise source.problem(f"cannot be unpacked ({problem})") from problem
        except OSError as problem:
            reason = problem.strerror or problem
            raise source.problem(f"cannot be read ({reason})", remedy="Check the medium") from problem
        source.see_to_the_end()
        if not self.read:
            raise source.first_unreadable or source.cut_short or self._nothing(source)

    def _entries(self, source: Source) -> Iterator[Entry]:
        first, number = source.first_line()
        if first.lstrip()[:1] in {b"{", b"["}:
            self.form, entries = json_form(source, first, number)
            return entries
        self.form = "CSV"
        return csv_entries(source, first, number)

    def _nothing(self, source: Source) -> LogError:
        others = ", ".join(f"{count} of {what!r}" for what, count in list(self.skipped.items())[:_NAMED])
        found = f", but {others}" if others else ""
        return source.problem(f"holds no record of a device's connection{found}", remedy=REMEDY)


def _batched(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """In lists; what was read when somebody interrupts is one of them."""
    batch: list[Entry] = []
    try:
        for entry in entries:
            batch.append(entry)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    except KeyboardInterrupt:
        yield batch
        raise
    if batch:
        yield batch
