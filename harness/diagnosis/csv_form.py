"""Entries of CSV: a line with the names of its columns, then a row each, parted by comma, semicolon or tab."""

import csv
import itertools
from collections.abc import Iterator
from typing import Final

from harness.diagnosis.records import REMEDY, Columns, Entry
from harness.diagnosis.source import Source
from harness.errors import LogError

__all__ = ["csv_entries"]

_DELIMITERS: Final = ",;\t"


def csv_entries(source: Source, first: bytes, number: int) -> Iterator[Entry]:
    """The entries of a file that begins with the line `first`, which has the `number`, in the order of the file.

    Raises:
        LogError: its first line is no CSV, or it is no export.
    """
    try:
        head = first.decode()
        rows = _Rows(source, head, number)
        columns = Columns(rows.names)
        columns.check()
    except UnicodeDecodeError:
        raise source.problem("is no text in UTF-8", line=number, remedy=REMEDY) from None
    except csv.Error as problem:
        if _is_the_end(problem):
            raise source.problem("is cut short", line=number) from problem
        raise source.not_in("CSV", str(problem), first, line=number) from problem
    except LogError as problem:
        raise source.placed(problem) from None
    entry, fields = source.records.entry, columns.fields
    for row in rows.whole():
        try:
            made = entry(fields(row))
        except LogError as problem:
            source.leave_out(source.placed(problem, rows.place))
            continue
        if made is not None:
            yield made


class _Rows:
    """The rows behind the line `head`. `names`: of the columns."""

    def __init__(self, source: Source, head: str, number: int) -> None:
        self._source, self._before = source, number - 1
        lines = itertools.chain([head], map(bytes.decode, source.stream))  # `map` goes on behind a line that is no text
        self._rows = csv.reader(lines, delimiter=max(_DELIMITERS, key=head.count), strict=True)
        self.names = next(self._rows)
        self._short: LogError | None = None

    @property
    def place(self) -> int:
        """The line in which the latest row ends."""
        return self._before + self._rows.line_num

    def whole(self) -> Iterator[list[str]]:
        """Those with a cell for each column. The others are left out; one with fewer is where the file was cut short, if it is the last."""
        while True:
            try:
                yield from self._fitting()
                break
            except UnicodeDecodeError:
                self._before += 1  # the reader never saw this line
                self._leave_out(self._source.problem("is no text in UTF-8", line=self.place, remedy=REMEDY))
            except csv.Error as problem:
                if _is_the_end(problem):
                    self._leave_out_the_short_one()
                    self._short = self._source.problem("is cut short", line=self.place)
                    break
                self._leave_out(self._source.problem(f"is not CSV ({problem})", line=self.place))
        if self._short:
            self._source.cut_short = self._source.problem("is cut short", line=self.place)

    def _fitting(self) -> Iterator[list[str]]:
        width = len(self.names)
        for row in self._rows:
            if self._short:
                self._leave_out_the_short_one()
            if len(row) == width:
                yield row
            elif row:
                self._misfit(len(row))

    def _misfit(self, cells: int) -> None:
        problem = self._source.problem(f"{cells} cells for {len(self.names)} columns", line=self.place)
        if cells < len(self.names):
            self._short = problem
        else:
            self._source.leave_out(problem)

    def _leave_out(self, problem: LogError) -> None:
        self._leave_out_the_short_one()
        self._source.leave_out(problem)

    def _leave_out_the_short_one(self) -> None:
        if self._short:
            self._source.leave_out(self._short)
            self._short = None


def _is_the_end(problem: csv.Error) -> bool:
    """Whether the file ends within a cell."""
    return "unexpected end" in str(problem)
