"""The matrix: a line for each scenario, a column for each SDK, version and transport; where they meet, what was measured of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from harness.analysis import Row, error_codes
from harness.report.columns import COLUMNS, RETURNS, evidence, evidence_word, gaps_in_short

__all__ = ["Column", "Entry", "Line", "Matrix", "matrix"]

_NEVER_IN: Final = "refused"


class Column(msgspec.Struct, frozen=True):
    """One SDK in one version, and the transports that are under it."""

    sdk: str
    version: str
    transports: tuple[str, ...]


class Entry(msgspec.Struct, frozen=True):
    """What is told of one row. `link`: the name of its first cell that is told by itself, or empty. `outcome`: `errors`, `clean`, `unknown` or `none`.

    `evidence`: `real`, `emulated`, `remote` or `recorded`, and `said` the same in words, with the date. `verdicts`: the words, each once. `differs`: how many claims are not as documented.
    """

    sdk: str
    transport: str
    evidence: str
    said: str
    link: str
    way: str
    log: str
    away: str
    outcome: str
    verdicts: tuple[str, ...]
    differs: int
    hint: str


class Line(msgspec.Struct, frozen=True):
    """One scenario, and for each column what is there: as a rule one entry, none where nothing was asked for."""

    scenario: str
    title: str
    traffic: str
    entries: tuple[tuple[Entry, ...], ...]


class Matrix(msgspec.Struct, frozen=True):
    """All of it. `options`: what can be filtered for, by the name of the filter. `devices`: what those of the filter for devices mean, with the date where there is one."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    options: Mapping[str, tuple[str, ...]]
    devices: Mapping[str, str]
    entries: int


def matrix(rows: Sequence[Row], links: Mapping[int, str], titles: Mapping[str, str]) -> Matrix:
    """The matrix of the rows in their order. `links`: the cell to show for each row, by its place; `titles`: those of the scenarios."""
    columns = _columns(rows)
    places = {(one.sdk, one.version, name): None for one in columns for name in one.transports}
    found: dict[str, dict[tuple[str, str, str], list[Entry]]] = {}
    traffic: dict[str, str] = {}
    for number, row in enumerate(rows):
        line = found.setdefault(row.scenario, {})
        line.setdefault((row.sdk, row.version, row.transport), []).append(_entry(row, links.get(number, "")))
        traffic.setdefault(row.scenario, row.traffic)
    lines = tuple(
        Line(name, titles.get(name, ""), traffic[name], tuple(tuple(line.get(place, ())) for place in places))
        for name, line in found.items()
    )
    return Matrix(columns, lines, _options(rows), _devices(rows), len(rows))


def _columns(rows: Iterable[Row]) -> tuple[Column, ...]:
    found: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        found.setdefault((row.sdk, row.version), {})[row.transport] = None
    return tuple(Column(*key, tuple(transports)) for key, transports in found.items())


def _options(rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    named = {
        "sdk": (row.sdk for row in rows),
        "transport": (row.transport for row in rows),
        "scenario": (row.scenario for row in rows),
        "device": map(evidence_word, rows),
        "verdict": (word for row in rows for word in _words(row)),
    }
    return {name: tuple(dict.fromkeys(values)) for name, values in named.items()}


def _devices(rows: Iterable[Row]) -> dict[str, str]:
    """What each word stands for; the word itself, where it is more than one thing."""
    said: dict[str, dict[str, None]] = {}
    for row in rows:
        said.setdefault(evidence_word(row), {})[evidence(row)[0]] = None
    return {word: next(iter(texts)) if len(texts) == 1 else word for word, texts in said.items()}


def _words(row: Row) -> tuple[str, ...]:
    """The words of its verdicts, and of its status where it was not measured."""
    return tuple(dict.fromkeys([*(one.verdict for one in row.verdicts), *([row.status] if row.status else [])]))


def _entry(row: Row, link: str) -> Entry:
    way, log = _way(row), _log(row)
    return Entry(
        sdk=row.sdk,
        transport=row.transport,
        evidence=evidence_word(row),
        said=evidence(row)[0],
        link=link,
        way=row.status or ("incomplete" if not row.complete else way),
        log="" if row.status or not row.complete else log,
        away="" if row.status else gaps_in_short(row),
        outcome="none" if row.status else "unknown" if not row.complete else _outcome(row),
        verdicts=_words(row),
        differs=sum(one.verdict == "differs" for one in row.verdicts),
        hint=row.reason if row.status else " · ".join(COLUMNS["renewal"](row).split("\n")),
    )


def _way(row: Row) -> str:
    if row.first_refusal is not None:
        return _NEVER_IN
    if row.refused_renewal is not None and not row.renewal:
        return f"{row.refused_renewal} refused"
    if row.renewal == "none":
        return "no renewal"
    return row.renewal or RETURNS.get(row.returned or "", "-")


def _log(row: Row) -> str:
    codes = error_codes(row)
    return "log unknown" if codes is None else " ".join(codes) or "no error"


def _outcome(row: Row) -> str:
    codes = error_codes(row)
    return "unknown" if codes is None else "errors" if codes else "clean"
