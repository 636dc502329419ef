"""Entries of CSV: a line with the names of its columns, then a row each, parted by comma, semicolon or tab."""

import csv
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from harness.diagnosis.records import REMEDY, Columns, Entry
from harness.diagnosis.source import Source
from harness.errors import LogError

if TYPE_CHECKING:
    from _csv import Reader

__all__ = ["csv_entries"]

_DELIMITERS: Final = ",;\t"


def csv_entries(source: Source, first: bytes, number: int) -> Iterator[Entry]:
    """The entries of a file that begins with the line `first`, which has the `number`, in the order of the file.

    Raises:
        LogError: it is no CSV, or no export; named is the line.
    """
    before, rows = number - 1, None
    try:
        head = first.decode()
        lines = itertools.chain([head], (line.decode() for line in source.stream))
        rows = csv.reader(lines, delimiter=max(_DELIMITERS, key=head.count), strict=True)
        yield from _entries(source, rows, before)
    except UnicodeDecodeError:
        place = number if rows is None else before + rows.line_num + 1
        raise source.problem("is no text in UTF-8", line=place, remedy=REMEDY) from None
    except csv.Error as problem:
        place = number if rows is None else before + rows.line_num
        if "unexpected end" not in str(problem):
            raise source.problem(f"is not CSV ({problem})", line=place) from problem
        source.cut_short = source.problem("is cut short", line=place)


def _entries(source: Source, rows: "Reader", before: int) -> Iterator[Entry]:
    names = next(rows)
    columns = Columns(names)
    try:
        columns.check()
    except LogError as problem:
        raise source.placed(problem) from None
    entry, fields, width = source.records.entry, columns.fields, len(names)
    for row in rows:
        if len(row) != width:
            if row:
                _misfit(source, row, width, rows, before)
            continue
        try:
            made = entry(fields(row))
        except LogError as problem:
            raise source.placed(problem, before + rows.line_num) from None
        if made is not None:
            yield made


def _misfit(source: Source, row: list[str], width: int, rows: "Reader", before: int) -> None:
    """A row with fewer cells than columns is cut short if it is the last.

    Raises:
        LogError: it is not.
    """
    place = before + rows.line_num
    if len(row) > width or next(rows, None) is not None:
        raise source.problem(f"{len(row)} cells for {width} columns", line=place)
    source.cut_short = source.problem("is cut short", line=place)
