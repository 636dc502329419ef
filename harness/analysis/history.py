"""What changed from version to version, and from date to date.

The rows of one SDK, transport and scenario stand side by side, in the order of their versions and, of one version, of their runs' dates.
A version shows *traits* (`harness.analysis.traits`). What was not seen is no trait, and no change: a trait is compared with the
last version that showed it. A row of which a cell stopped before its end shows none, for the rest might have shown otherwise. Figures count as
changed where they do so beyond what their measurement leaves open.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from harness.analysis.behaviour import Baseline, Behaviour, Subject
from harness.analysis.traits import Trait
from harness.versions import in_order

__all__ = ["Change", "Histories", "History", "Step", "changed", "histories"]


class Change(msgspec.Struct, frozen=True):
    """What the version shows otherwise than `since`, the last version before it that showed the trait; `run`: in which run that was."""

    what: str
    before: str
    after: str
    since: str
    run: str = ""


class Step(msgspec.Struct, frozen=True):
    """One version. `status` and `reason` say why nothing was measured, or not to the end (`incomplete`); else `shows` is every trait that was seen.

    `run` and `date`: in which run, and when that began; empty for a recording.
    """

    version: str
    status: str = ""
    reason: str = ""
    shows: Mapping[str, str] = {}
    changes: tuple[Change, ...] = ()
    run: str = ""
    date: str = ""


class History(Subject, frozen=True, kw_only=True):
    """The versions of one SDK, over one transport and in one scenario, with the same `settings`, in their order (see `harness.versions`)."""

    steps: tuple[Step, ...]


class Histories(msgspec.Struct, frozen=True):
    """What `--json` prints; `harness/schemas/history.schema.json` is its JSON Schema. Fields may be added."""

    schema: Literal[1]
    histories: tuple[History, ...]


class _Sight(msgspec.Struct, frozen=True):
    """A row, and of which run it is: its place among them, its name and its beginning. A recording, which stands beside several runs, is of none."""

    row: Behaviour
    place: int = -1
    run: str = ""
    date: str = ""


Last = dict[str, tuple[_Sight, Trait]]


def histories(runs: Iterable[Baseline]) -> tuple[History, ...]:
    """The histories of one run or several, in the order of their first rows, the earliest run first; a single version has one, too."""
    groups: dict[bytes, list[_Sight]] = {}
    for place, run in enumerate(sorted(runs, key=lambda one: one.started)):
        for row in run.rows:
            own = row.origin.get("kind") != "recorded"
            sight = _Sight(row, place, run.run, run.started) if own else _Sight(row)
            groups.setdefault(row.key, []).append(sight)
    return tuple(map(_history, groups.values()))


def changed(before: Mapping[str, Trait], after: Mapping[str, Trait], since: str, run: str = "") -> tuple[Change, ...]:
    """What both show, and one otherwise than the other, in the order of `after`."""
    return tuple(
        Change(name, before[name].text, found.text, since, run)
        for name, found in after.items()
        if name in before and not found.is_like(before[name])
    )


def _history(sights: Sequence[_Sight]) -> History:
    by_version: dict[str, dict[int, _Sight]] = {}
    for one in sights:
        by_version.setdefault(one.row.version, {})[one.place] = one
    last: Last = {}
    steps = tuple(_step(one, last) for version in in_order(by_version) for one in by_version[version].values())
    return History(**sights[0].row.subject, steps=steps)


def _step(sight: _Sight, last: Last) -> Step:
    """The step of a row; `last` is by trait the row that showed it last, and how, and is brought up to date."""
    row, run, date = sight.row, sight.run, sight.date
    if row.status:
        return Step(row.version, row.status, row.reason, run=run, date=date)
    shown = row.traits
    changes = tuple(one for name, found in shown.items() if name in last for one in _since(name, found, *last[name]))
    last |= {name: (sight, found) for name, found in shown.items()}
    return Step(row.version, shows=row.shows, changes=changes, run=run, date=date)


def _since(name: str, found: Trait, sight: _Sight, before: Trait) -> tuple[Change, ...]:
    return changed({name: before}, {name: found}, sight.row.version, sight.run)
