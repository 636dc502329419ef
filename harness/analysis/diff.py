"""One run against another: what the same SDK shows otherwise, row by row.

Two rows are compared where they are of one SDK, transport, scenario with its traffic, device, origin and settings. The version may be another one: rows of one version go
together first; of those that are left under the same circumstances, the newest of both runs.

| part | holds |
|---|---|
| `behaviour` | traits that both show and that are not alike (`harness.analysis.traits`), and claims of which the verdict is another one |
| `chance` | such traits of which the change may be chance (`may_be_chance`): equal runs on one machine differ in them. They are told, and are no change of behaviour |
| `timing` | timings beyond the noise of both runs (`harness.analysis.timings`); how long the shortest gap was and an end went unnoticed is told here alone, unless one of the two has no end |
| `claims` | what the profile claims otherwise, with both verdicts: a change of the documents, not of the SDK |
| `one_sided` | traits and verdicts that only one of the two shows |

A row that only one run has, or has measured to its end, is `apart`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from harness.analysis.behaviour import Baseline, Behaviour, Subject
from harness.analysis.history import Change, changed
from harness.analysis.traits import Trait, may_be_chance
from harness.versions import in_order

__all__ = ["ABSENT", "MEASURED", "Apart", "Compared", "Diff", "Side", "diff"]

TIMED: Final = frozenset({"shortest gap", "unaware"})
MEASURED: Final = "measured"
ABSENT: Final = "not in this run"
UNSEEN: Final = "not seen"


class Side(msgspec.Struct, frozen=True):
    """One of the two runs: its name, when it began, by which harness and on what machine."""

    run: str
    started: str = ""
    harness: str = ""
    machine: Mapping[str, str] = {}


class Compared(Subject, frozen=True, kw_only=True):
    """A row that both runs have measured, and what is not alike. `circumstances_changed`: the scenario of that name, or the hub's ways, are not the same in both."""

    old_version: str
    new_version: str
    circumstances_changed: bool = False
    behaviour: tuple[Change, ...] = ()
    chance: tuple[Change, ...] = ()
    timing: tuple[Change, ...] = ()
    claims: tuple[Change, ...] = ()
    one_sided: tuple[Change, ...] = ()


class Apart(Subject, frozen=True, kw_only=True):
    """A row that could not be compared: what each run has of it. A version is empty where the run does not have it."""

    old_version: str
    new_version: str
    old: str
    new: str


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What `new` shows otherwise than `old`, in the order of the rows of `new`. `changed`: whether any behaviour did."""

    schema: Literal[1]
    old: Side
    new: Side
    changed: bool
    compared: tuple[Compared, ...]
    apart: tuple[Apart, ...]


Pair = tuple[Behaviour | None, Behaviour | None]


def diff(old: Baseline, new: Baseline) -> Diff:
    """Hold `new` against `old`."""
    pairs = _pairs(old.rows, new.rows)
    compared = tuple(_compare(one, other) for one, other in pairs if one and other and not (one.status or other.status))
    apart = tuple(_apart(one, other) for one, other in pairs if not (one and other) or one.status or other.status)
    return Diff(
        schema=1,
        old=_side(old),
        new=_side(new),
        changed=any(one.behaviour for one in compared),
        compared=compared,
        apart=apart,
    )


def _side(run: Baseline) -> Side:
    return Side(run.run, run.started, run.harness, run.machine)


def _pairs(old: Iterable[Behaviour], new: Iterable[Behaviour]) -> list[Pair]:
    """The rows of both, those that belong together in one pair; the rows that only `old` has stand last."""
    before, after = _by_key(old), _by_key(new)
    paired = [pair for key, rows in after.items() for pair in _of_one_key(before.pop(key, {}), rows)]
    return paired + [(row, None) for rows in before.values() for row in rows.values()]


def _by_key(rows: Iterable[Behaviour]) -> dict[bytes, dict[str, Behaviour]]:
    found: dict[bytes, dict[str, Behaviour]] = {}
    for row in rows:
        found.setdefault(row.key, {})[row.version] = row
    return found


def _of_one_key(old: Mapping[str, Behaviour], new: Mapping[str, Behaviour]) -> list[Pair]:
    before, after = (in_order(one for one in rows if one not in others) for rows, others in ((old, new), (new, old)))
    newest: Sequence[Pair] = [(old[before.pop()], new[after.pop()])] if before and after else []
    same = [(old[version], row) for version, row in new.items() if version in old]
    return [*same, *newest, *((None, new[one]) for one in after), *((old[one], None) for one in before)]


def _compare(old: Behaviour, new: Behaviour) -> Compared:
    before, after, since = _untimed(old, new), _untimed(new, old), old.version
    either = {*old.of_chance, *new.of_chance}
    shown = changed(before, after, since)
    chance = tuple(one for one in shown if may_be_chance(one.what, before[one.what], after[one.what], either))
    same, other = _verdicts(old, new, same=True), _verdicts(old, new, same=False)
    return Compared(
        **new.subject,
        old_version=since,
        new_version=new.version,
        circumstances_changed="" != old.circumstances != new.circumstances != "",
        behaviour=(*(one for one in shown if one not in chance), *changed(*same, since)),
        chance=chance,
        timing=changed(old.timed, new.timed, since),
        claims=changed(*other, since),
        one_sided=_one_sided(old, new),
    )


def _untimed(row: Behaviour, other: Behaviour) -> dict[str, Trait]:
    """The traits without those that both tell in figures, which are timings."""
    theirs = other.traits
    return {
        name: found
        for name, found in row.traits.items()
        if not (name in TIMED and found.unit and name in theirs and theirs[name].unit)
    }


def _verdicts(old: Behaviour, new: Behaviour, *, same: bool) -> tuple[dict[str, Trait], dict[str, Trait]]:
    """The verdicts of both on claims that say the `same` in both, or, with the claims, on those that do not."""
    common = [
        one for one in new.claims if one in old.claims and (old.claims[one].claimed == new.claims[one].claimed) is same
    ]
    before, after = (
        {f"verdict on {one}": Trait(_verdict(row, one, bare=same)) for one in common} for row in (old, new)
    )
    return before, after


def _verdict(row: Behaviour, claim: str, *, bare: bool) -> str:
    judged = row.claims[claim]
    return judged.verdict if bare else f"{judged.claimed}: {judged.verdict}"


def _one_sided(old: Behaviour, new: Behaviour) -> tuple[Change, ...]:
    """What one shows and the other does not: nobody can say whether it changed."""
    before, after = ({**row.shows, **_verdict_words(row)} for row in (old, new))
    return tuple(
        Change(name, before.get(name, UNSEEN), after.get(name, UNSEEN), old.version)
        for name in {**after, **before}
        if (name in before) is not (name in after)
    )


def _verdict_words(row: Behaviour) -> dict[str, str]:
    return {f"verdict on {name}": one.verdict for name, one in row.claims.items()}


def _apart(old: Behaviour | None, new: Behaviour | None) -> Apart:
    row = new or old
    assert row is not None
    return Apart(
        **row.subject,
        old_version=old.version if old else "",
        new_version=new.version if new else "",
        old=_state(old),
        new=_state(new),
    )


def _state(row: Behaviour | None) -> str:
    if row is None:
        return ABSENT
    return f"{row.status}: {row.reason}" if row.status else MEASURED
