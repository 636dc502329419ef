"""Which SDK, over which transport and with which lifetime meets a developer's needs, from the rows of runs; ranked, each sentence with its evidence.

Candidates that meet all needs are ranked by what they cost, in this order, each figure by the most a day may bring, and rounded to what it can tell:

| first | what |
|---|---|
| 1 | real devices, measured here or recorded, before emulated ones: these show what would follow if a profile is right |
| 2 | the SDK's defaults before a lifetime that has to be set |
| 3 | errors a day in the hub's log, to a tenth |
| 4 | seconds away a day, whole |
| 5 | reconnects a day, whole |
| 6 | errors a day the application is shown, to a tenth |

What was not observed comes after all that was. Those that agree in all six share a rank and come by name. Without a wish for a lifetime, a candidate that its
default keeps from meeting the needs is tried once more with the shortest one, in whole hours, that keeps within the limits.

The others come nearest first: real ones first, too, then by how many needs they do not meet, by of how many of these nobody knows, and as above.
"""

import math
from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from harness.analysis.needs import Needs
from harness.analysis.prospect import Figure, Figures, Prospect, figures_at, origin_of, prospects
from harness.analysis.reasons import Reason, reasons, settings_of, with_a_lifetime
from harness.analysis.rows import Row
from harness.analysis.shortfall import Miss, enough_s, misses
from harness.analysis.volume import DAY_S

__all__ = ["Advice", "Candidate", "advise"]

SCHEMA: Final = 1
Key = tuple[float, ...]


class Candidate(msgspec.Struct, frozen=True):
    """An SDK over a transport with its settings. `rank` is null where it does not qualify; `misses` say why. `tied`: how many others have the same rank.

    `origin`: `real`, `emulated`, `real, recorded 2026-11-24`. `lifetime_s`: of its tokens, null where the default was not observed;
    `lifetime_set`: it has to be set. `run`: where its cells are. `hint`: what another lifetime would bring.
    """

    rank: int | None
    sdk: str
    sdk_name: str
    version: str
    transport: str
    origin: str
    run: str
    settings: str
    lifetime_s: float | None
    lifetime_set: bool
    figures: Figures
    misses: tuple[Miss, ...]
    reasons: tuple[Reason, ...]
    hint: Reason | None = None
    tied: int = 0


class Advice(msgspec.Struct, frozen=True):
    """What `--json` prints; `harness/schemas/advice.schema.json` is its JSON Schema. Fields may be added.

    `candidates` are those that qualify, best first; `others` those that do not, nearest first. `unseen`: transports that were asked for and are in none of the `runs`.
    """

    schema: Literal[1]
    runs: tuple[str, ...]
    needs: Needs
    candidates: tuple[Candidate, ...]
    others: tuple[Candidate, ...]
    unseen: tuple[str, ...] = ()


def advise(runs: Sequence[tuple[str, Sequence[Row]]], needs: Needs) -> Advice:
    """The advice from the rows of runs, each with the name by which its reader finds it."""
    found = [one for one in prospects(runs) if needs.wants(one.rows[0].sdk, one.rows[0].version, one.rows[0].transport)]
    judged = sorted((_candidate(one, needs) for one in found), key=_place)
    seen = {one.transport for one in judged}
    return Advice(
        schema=SCHEMA,
        runs=tuple(name for name, _ in runs),
        needs=needs,
        candidates=_ranked([one for one in judged if not one.misses]),
        others=tuple(sorted((one for one in judged if one.misses), key=_nearness)),
        unseen=tuple(name for name in needs.transports if name not in seen),
    )


def _candidate(one: Prospect, needs: Needs) -> Candidate:
    default_s = one.volume.default_lifetime_s
    if needs.lifetime_s is not None:
        return _judged(one, needs, needs.lifetime_s, lifetime_set=True)
    first = _judged(one, needs, default_s, lifetime_set=False)
    longer_s = None if default_s is None else enough_s(one, needs, default_s)
    if not first.misses or longer_s is None:
        return first
    again = _judged(one, needs, longer_s, lifetime_set=True)
    return first if again.misses else again


def _judged(one: Prospect, needs: Needs, lifetime_s: float | None, *, lifetime_set: bool) -> Candidate:
    row, figures = one.row or one.rows[0], figures_at(one, lifetime_s)
    missed = misses(one, needs, figures, lifetime_set=lifetime_set)
    return Candidate(
        rank=None,
        sdk=row.sdk,
        sdk_name=row.sdk_name,
        version=row.version,
        transport=row.transport,
        origin=origin_of(row),
        run=one.run,
        settings=settings_of(one, lifetime_s, lifetime_set=lifetime_set),
        lifetime_s=lifetime_s,
        lifetime_set=lifetime_set,
        figures=figures,
        misses=missed,
        reasons=reasons(one, figures),
        hint=_hint(one, needs, figures, missed),
    )


def _hint(one: Prospect, needs: Needs, figures: Figures, missed: Sequence[Miss]) -> Reason | None:
    """What another lifetime would bring: the one that would keep within the limits, else that of a day where renewals cost something."""
    if figures.lifetime_s is None:
        return None
    longer_s = enough_s(one, needs, figures.lifetime_s) if missed else None
    costs = any((figures.errors.per_renewal, figures.away_s.per_renewal))
    worth_it = not missed and needs.lifetime_s is None and figures.lifetime_s < DAY_S and costs
    other_s = longer_s or (DAY_S if worth_it else None)
    return None if other_s is None else with_a_lifetime(one, other_s)


def _ranked(chosen: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """With their ranks; those with the same key share one."""
    keys = [_cost(one) for one in chosen]
    return tuple(
        replace(one, rank=keys.index(key) + 1, tied=keys.count(key) - 1) for one, key in zip(chosen, keys, strict=True)
    )


def _place(one: Candidate) -> tuple[object, ...]:
    return (*_cost(one), one.sdk, one.version, one.transport, one.origin, one.run)


def _nearness(one: Candidate) -> tuple[object, ...]:
    unknown = sum(not miss.measured for miss in one.misses)
    return _emulated(one), len(one.misses), unknown, *_place(one)


def _cost(one: Candidate) -> Key:
    found = one.figures
    return (
        _emulated(one),
        one.lifetime_set,
        _most(found.errors, 1),
        _most(found.away_s, 0),
        _most(found.reconnects, 0),
        _most(found.app_errors, 1),
    )


def _emulated(one: Candidate) -> bool:
    return one.origin.startswith("emulated")


def _most(figure: Figure, digits: int) -> float:
    return math.inf if figure.per_day is None else round(figure.per_day[1], digits)
