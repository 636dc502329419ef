"""Single cells: what the page says of each, and what of it is packed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

import msgspec
from markupsafe import Markup

from harness.analysis import Chronicle, Extract, Verdict
from harness.report.columns import COLUMNS, evidence, evidence_word
from harness.report.page.drawing import draw, svg
from harness.report.page.visible import visible

__all__ = ["Sheet", "link", "logs_of", "sheets"]

_BY_ITSELF: Final = ("SDK", "claims")


class Fact(msgspec.Struct, frozen=True):
    """A column of the tables, and what it says, in lines."""

    name: str
    lines: tuple[str, ...]


class Sheet(msgspec.Struct, frozen=True):
    """What the page shows of one cell. `name` tells it from all others, also where two runs have a cell of one name; `number` is its place.

    `siblings`: names of the other cells of its row. `events`, `lines`: how long trace and log are. `cut`: either was cut.
    """

    name: str
    number: int
    chronicle: Chronicle
    word: str
    evidence: tuple[str, ...]
    facts: tuple[Fact, ...]
    verdicts: tuple[Verdict, ...]
    width: int
    height: float
    svg: Markup
    file: str
    siblings: tuple[str, ...]
    events: int
    lines: int
    cut: bool


def link(name: str) -> str:
    """The fragment of the address that leads to a cell."""
    return f"#cell={quote(name, safe='-._~')}"


def sheets(chronicles: Iterable[Chronicle], files: Mapping[str, str]) -> list[Sheet]:
    """One for each, in their order; `files`: where the log of each is, by its name."""
    told = list(chronicles)
    names = _names(told)
    by_row: dict[int, list[str]] = {}
    for name, one in zip(names, told, strict=True):
        by_row.setdefault(id(one.row), []).append(name)
    return [
        _sheet(number, name, one, files, [other for other in by_row[id(one.row)] if other != name])
        for number, (name, one) in enumerate(zip(names, told, strict=True))
    ]


def _names(told: Iterable[Chronicle]) -> list[str]:
    """The cells' names as they are shown; one that comes again gets a number."""
    seen: dict[str, int] = {}
    names = []
    for one in told:
        name = visible(one.cell.cell)
        count = seen[name] = seen.get(name, 0) + 1
        names.append(name if count == 1 else f"{name}~{count}")
    return names


def _sheet(number: int, name: str, one: Chronicle, files: Mapping[str, str], siblings: Sequence[str]) -> Sheet:
    drawing = draw(one.picture)
    trace, sdk_log = one.excerpt.trace, one.excerpt.sdk_log
    measured = {} if one.row.status else {head: column(one.row) for head, column in COLUMNS.items()}
    return Sheet(
        name=name,
        number=number,
        chronicle=one,
        word=evidence_word(one.row),
        evidence=tuple(evidence(one.row)),
        facts=tuple(Fact(head, tuple(text.split("\n"))) for head, text in measured.items() if head not in _BY_ITSELF),
        verdicts=one.row.verdicts,
        width=drawing.width,
        height=drawing.height,
        svg=svg(drawing),
        file=files.get(one.cell.cell, ""),
        siblings=tuple(siblings),
        events=trace.total,
        lines=sdk_log.total,
        cut=bool(trace.gaps or sdk_log.gaps),
    )


def logs_of(sheet: Sheet) -> dict[str, object]:
    """What of the cell's log is packed: `trace` and `log`, each with `rows` (`[milliseconds, source, kind, fields]`) and `gaps` (`{place: how many were left out}`)."""
    excerpt = sheet.chronicle.excerpt
    return {"trace": _extract(excerpt.trace), "log": _extract(excerpt.sdk_log)}


def _extract(extract: Extract) -> dict[str, object]:
    rows = [((event.t + 500) // 1000, event.src, event.kind, event.fields) for event in extract.events]
    return {"rows": rows, "gaps": extract.gaps}
