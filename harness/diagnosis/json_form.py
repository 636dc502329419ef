"""Entries of JSON: lines of it, or a document that may fill many lines.

A line is decoded into `Wire`, which knows the usual spellings; what is spelt otherwise, or has other types, is decoded once more, into plain
objects, and told by the names in it.
"""

import itertools
import json
from collections.abc import Iterator
from functools import partial
from typing import Final

import msgspec

from harness.diagnosis.records import REMEDY, Entry, Fields, Wire, named_fields, rows_of
from harness.diagnosis.source import Source
from harness.errors import LogError

__all__ = ["json_form"]

LINES: Final = "JSON lines"
DOCUMENT: Final = "a JSON document, held in memory as a whole"

_OPENINGS: Final = (b"[", b"{")
"""What stands alone in the first line of a document."""
_LONGEST_LINE: Final = 64 << 20
_Value = Wire | list[Wire]
_decode: Final = msgspec.json.Decoder(_Value).decode
_decode_plain: Final = msgspec.json.Decoder().decode


def json_form(source: Source, first: bytes, number: int) -> tuple[str, Iterator[Entry]]:
    """The form of a file that begins with the line `first`, which has the `number`, and its entries in the order of the file.

    Raises:
        LogError: what stands first is no JSON, nor is what stands second. The entries raise it, too: a line is too long; named is the line.
    """
    if not first.endswith(b"\n"):
        first += source.stream.readline()
    value = _decoded(first)
    if value is None:
        second = source.stream.readline()
        value = _decoded(second) if second.strip() and first.strip() not in _OPENINGS else None
        if value is not None:  # so these are lines, and the first is broken
            source.leave_out(source.problem("is not JSON", line=number))
            first, number = second, number + 1
        else:
            first = _whole_document(source, first + second, number)
            value = _decoded(first)
    form = DOCUMENT if _holds_several(value) else LINES
    return form, itertools.chain(_expanded(source, value, first, number), _of_lines(source, number + 1))


def _whole_document(source: Source, begin: bytes, number: int) -> bytes:
    """The beginning and all that follows, where that is one document.

    Raises:
        LogError: it is not.
    """
    whole = begin + source.stream.read()
    try:
        json.loads(whole)
    except json.JSONDecodeError as problem:
        place = number + problem.lineno - 1
        if problem.pos >= len(problem.doc.rstrip()) or problem.msg.startswith("Unterminated string"):
            raise source.problem("is cut short", line=place) from problem
        raise source.not_in("JSON", problem.msg, whole, line=place) from problem
    except (ValueError, RecursionError) as problem:
        raise source.problem(f"is not JSON ({problem})", line=number) from problem
    return whole


def _of_lines(source: Source, start: int) -> Iterator[Entry]:
    """The entries of the lines that are left, the first of which has the number `start`."""
    entry = source.records.entry
    for number, line in enumerate(iter(partial(source.stream.readline, _LONGEST_LINE), b""), start):
        value: object = None
        try:
            value = _decode(line)
            fields = value.fields() if type(value) is Wire else None
            made = entry(fields) if fields else None
        except (msgspec.DecodeError, LogError, RecursionError):
            fields = None
        if fields is None:
            yield from _of_line(source, line, number, value)
        elif made is not None:
            yield made


def _of_line(source: Source, line: bytes, number: int, value: object) -> Iterator[Entry]:
    """The entries of a line that is no record as they usually are; `value` is what it was decoded into, None where it could not be."""
    if not line.strip():
        return
    if value is None:
        value = _plain(line)
    if value is not None:
        yield from _expanded(source, value, line, number)
    elif len(line) >= _LONGEST_LINE:
        raise source.problem(f"is longer than {_LONGEST_LINE >> 20} MiB", line=number, remedy=REMEDY)
    elif line.endswith(b"\n"):
        source.leave_out(source.problem("is not JSON", line=number))
    else:
        source.cut_short = source.problem("is cut short", line=number)


def _decoded(text: bytes) -> object:
    """`Wire` or several, else plain objects, or None where it is no JSON."""
    try:
        return _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _plain(text)


def _plain(text: bytes) -> object:
    """Plain objects, or None where it is no JSON. Python's own decoder takes more than JSON allows, as half of a surrogate pair, but takes longer."""
    try:
        return _decode_plain(text)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found


def _holds_several(value: object) -> bool:
    if isinstance(value, Wire):
        return value.records is not None or value.tables is not None
    return isinstance(value, list) or (isinstance(value, dict) and not value.keys().isdisjoint(("records", "tables")))


def _expanded(source: Source, value: object, text: bytes, number: int) -> Iterator[Entry]:
    """The entries of what was decoded from `text`, which begins in line `number`."""
    fields = _usual(value)
    if fields is None and _is_wire(value):
        value = _plain(text)
        if value is None:  # in what `Wire` passes over, the decoder does not look at every byte
            source.leave_out(source.problem("is not JSON", line=number))
            return
    entry = source.records.entry
    for one in _named(value) if fields is None else fields:
        try:
            if isinstance(one, LogError):
                raise one
            made = entry(one)
        except LogError as problem:
            source.leave_out(source.placed(problem, number))
            continue
        if made is not None:
            yield made


def _is_wire(value: object) -> bool:
    return isinstance(value[0] if isinstance(value, list) and value else value, Wire)


def _usual(value: object) -> Iterator[Fields | LogError] | None:
    """What it says, where all of it is as records usually are."""
    if isinstance(value, Wire):
        if value.tables is not None:
            return itertools.chain.from_iterable(
                rows_of([str(column.get("name")) for column in table.columns], table.rows) for table in value.tables
            )
        value = [value] if value.records is None else value.records
    if not isinstance(value, list) or not all(isinstance(one, Wire) and one.fields() for one in value):
        return None
    return (one.fields() for one in value)


def _named(value: object) -> Iterator[Fields | LogError]:
    """What plain objects say, by the names in them, or what is wrong where one is no record."""
    if isinstance(value, dict) and isinstance(value.get("records"), list):
        value = value["records"]
    for one in value if isinstance(value, list) else [value]:
        yield named_fields(one) if isinstance(one, dict) else LogError("is no record", remedy=REMEDY)
