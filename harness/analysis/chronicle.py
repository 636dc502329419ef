"""All that is told of single cells: each with its row, its story, its picture and an excerpt of its log, in the order of the rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from harness.analysis.excerpt import Excerpt, excerpt
from harness.analysis.fields import mapping, number, text
from harness.analysis.findings import CellFindings
from harness.analysis.lacking import origin_of_row
from harness.analysis.picture import Picture, picture
from harness.analysis.rows import Row
from harness.analysis.story import Story, story
from harness.events import CellLog
from harness.scenario import Scenario

__all__ = ["Chronicle", "chronicles"]

MOST_EVENTS: Final = 1000
"""Events of a cell that are shown where cells are few."""
EVENTS_IN_ALL: Final = 60_000
FEWEST_EVENTS: Final = 60


class Chronicle(msgspec.Struct, frozen=True):
    """One cell. `title`: its scenario's, in words. `command` measures it again; empty where no command can (it was recorded elsewhere)."""

    row: Row
    cell: CellFindings
    title: str
    story: Story
    picture: Picture
    excerpt: Excerpt
    command: str


def chronicles(rows: Sequence[Row], logs: Iterable[CellLog], scenarios: Mapping[str, Scenario]) -> Iterator[Chronicle]:
    """Those of all cells of the rows whose log is among `logs`. The more there are, the shorter each excerpt. `scenarios`: the bundled ones."""
    by_name = {_name(log.header.cell, origin_of_row(log.header.origin)): log for log in logs}
    most = max(FEWEST_EVENTS, min(MOST_EVENTS, EVENTS_IN_ALL // max(len(by_name), 1)))
    for row in rows:
        for cell in row.cells:
            log = by_name.get(_name(cell.cell, cell.origin))
            if log is not None:
                yield _chronicle(row, cell, log, most, scenarios)


def _name(cell: str, origin: Mapping[str, object]) -> tuple[str, bytes]:
    return cell, msgspec.json.encode(origin, order="deterministic")


def _chronicle(row: Row, cell: CellFindings, log: CellLog, most: int, scenarios: Mapping[str, Scenario]) -> Chronicle:
    return Chronicle(
        row=row,
        cell=cell,
        title=text(log.header.scenario, "title"),
        story=story(log, cell),
        picture=picture(log, cell),
        excerpt=excerpt(log, most),
        command=_command(cell, log.header.scenario, scenarios.get(cell.scenario)),
    )


def _command(cell: CellFindings, scenario: Mapping[str, object], bundled: Scenario | None) -> str:
    """The command for this cell alone, with what was asked to be set otherwise; a scenario that is not bundled has to be named by its file."""
    if cell.origin.get("kind") == "recorded":
        return ""
    name = cell.scenario if bundled else f"{cell.scenario}.toml"
    parts = [
        f"harness compare --sdk {cell.sdk}@{cell.version} --transport {cell.transport} --scenario {name} --device {cell.device}",
        *_settings(cell),
        *(_hub_options(mapping(scenario, "hub"), bundled) if bundled else ()),
    ]
    return " ".join(parts)


def _settings(cell: CellFindings) -> Iterator[str]:
    for option, name, unit in (
        ("lifetime", "lifetime_s", ""),
        ("margin", "margin_s", ""),
        ("margin", "margin_percent", "%"),
    ):
        value = number(cell.settings, name)
        if value is not None and cell.credential == "key":
            yield f"--{option} {value:g}{unit}"


def _hub_options(asked: Mapping[str, object], bundled: Scenario) -> Iterator[str]:
    for option, own in (("grace", bundled.hub.grace_s), ("skew", bundled.hub.skew_s)):
        value = number(asked, f"{option}_s")
        if value is not None and value != own:
            yield f"--{option} {value:g}"
    if (close := text(asked, "close")) and close != bundled.hub.close:
        yield f"--close {close}"
