"""Puts the page together: tables, cells, and the packed logs.

Where cells are few, everything but their logs stands in the page as it is: it can be read, printed and searched without a script. Where that would make the page
too long, what is told of single cells is packed, too, and shown by the script.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from harness.analysis import Chronicle, Row, RunFacts, sentences, volumes
from harness.report.answers import answer_lines, code_named
from harness.report.comparison import legend, not_measured, notes, provenance
from harness.report.page.cells import Sheet, link, logs_of, sheets
from harness.report.page.claims import claim_lines, rest
from harness.report.page.drawing import MARKS
from harness.report.page.matrix import matrix
from harness.report.page.packing import batches, pack, policy
from harness.report.page.visible import IN_SCRIPT, visible

__all__ = ["MOST_BYTES_UNPACKED", "html_page"]

MOST_BYTES_UNPACKED: Final = 1_000_000
"""Of what is told of single cells, their logs aside."""
_BATCH: Final = 32


def html_page(
    run: RunFacts,
    rows: Sequence[Row],
    chronicles: Iterable[Chronicle],
    *,
    files: Mapping[str, str],
    shortfalls: Sequence[str] = (),
    linked: bool = False,
) -> str:
    """The whole page. `files`: where the log of each cell is, by the cell's name; `shortfalls`: what is missing of the run, in sentences.

    `linked`: the files are where they are seen from the page.
    """
    told = sheets(chronicles, files)
    bodies = [_template("cell.html").render(sheet=sheet, linked=linked) for sheet in told]
    packed = sum(map(len, bodies)) > MOST_BYTES_UNPACKED
    titles = {one.chronicle.cell.scenario: one.chronicle.title for one in reversed(told)}
    return _template("page.html").render(
        run=run,
        shortfalls=shortfalls,
        answers=answer_lines(rows),
        advice=sentences(volumes(rows)),
        matrix=matrix(rows, _links(rows, told), titles),
        claims=claim_lines(rows),
        rest=rest(rows),
        legend=legend(rows),
        marks=MARKS,
        remarks=_remarks(rows),
        sheets=told,
        bodies=[] if packed else [Markup(body) for body in bodies],  # noqa: S704 - rendered with everything escaped
        cut=sum(one.cut for one in told),
        index=_index(told, bodies if packed else []),
        **_frame(),
    )


def _frame() -> dict[str, str]:
    """Style and script, and the policy that allows them."""
    style, script = _asset("page.css"), _asset("page.js").replace("[INVISIBLE]", f"[{IN_SCRIPT}]")
    return {"policy": policy(style, script), "style": Markup(style), "script": Markup(script)}  # noqa: S704 - ours


def _remarks(rows: Sequence[Row]) -> list[tuple[str, list[str]]]:
    return [
        ("Where recordings come from", provenance(rows)),
        ("What could not be measured in this run", not_measured(rows, "text")),
        ("What to know of single rows", notes(rows)),
    ]


def _index(told: Sequence[Sheet], bodies: Sequence[str]) -> Markup:
    """What the script reads: JSON of numbers and packed parts alone, so that nothing in it can mean anything to HTML.

    Each kind of part is packed by itself, a batch of cells at a time: what is alike stands close together then, and takes less room.
    """
    logs = [logs_of(sheet) for sheet in told]
    parts = {"html": bodies, "trace": [one["trace"] for one in logs], "log": [one["log"] for one in logs]}
    index = {
        "batch": _BATCH,
        "names": pack([sheet.name for sheet in told]),
        **{name: [pack(batch) for batch in batches(each, _BATCH)] for name, each in parts.items()},
    }
    return Markup(msgspec.json.encode(index).decode())  # noqa: S704 - see above


def _links(rows: Sequence[Row], told: Iterable[Sheet]) -> dict[int, str]:
    """The first cell of each row that is told by itself, by the row's place."""
    first: dict[int, str] = {}
    for sheet in told:
        first.setdefault(id(sheet.chronicle.row), sheet.name)
    return {number: first[id(row)] for number, row in enumerate(rows) if id(row) in first}


def _finalize(value: object) -> object:
    """What every expression of a template goes through before it is escaped."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.report.page", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"link": link, "named": code_named}
    return environment


def _template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def _asset(name: str) -> str:
    return (resources.files("harness.report.page") / "assets" / name).read_text(encoding="utf-8")
