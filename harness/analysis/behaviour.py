"""The behaviour of a run: what its rows show, without their figures, small enough to be kept and held against that of another run.

A row that was not measured, or not to its end, shows nothing (`status` and `reason` say why): what it would have shown is not known.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from harness.analysis.cases import RunFacts
from harness.analysis.rows import Row
from harness.analysis.timings import timings
from harness.analysis.traits import Trait, of_chance, traits
from harness.analysis.verdicts import Verdict

__all__ = [
    "INCOMPLETE",
    "KIND",
    "SCHEMA",
    "Baseline",
    "Behaviour",
    "Judgement",
    "Span",
    "Subject",
    "baseline",
    "behaviour",
]

SCHEMA: Final = 1
KIND: Final = "behaviour of a run"
INCOMPLETE: Final = "incomplete"
JUDGED: Final = frozenset({"confirmed", "differs"})

Span = tuple[str, float, float]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Who was measured, and how. `origin` as of a row; `settings`: the main ones that were set."""

    sdk: str
    sdk_name: str
    transport: str
    scenario: str
    traffic: str
    device: str
    origin: Mapping[str, object] = {}
    settings: Mapping[str, object] = {}

    @property
    def subject(self) -> dict[str, Any]:
        """All of it by the names of the fields, and nothing of what a subclass adds."""
        return {name: getattr(self, name) for name in Subject.__struct_fields__}

    @property
    def key(self) -> bytes:
        """The same for those that may be compared: all of it, but for the name."""
        said = (self.sdk, self.transport, self.scenario, self.traffic, self.device, self.origin, self.settings)
        return msgspec.json.encode(said, order="deterministic")


class Judgement(msgspec.Struct, frozen=True):
    """What a claim says, and the verdict on it: `confirmed` or `differs`."""

    claimed: str
    verdict: Literal["confirmed", "differs"]


class Behaviour(Subject, frozen=True, kw_only=True, omit_defaults=True):
    """What a row shows. `shows`: its traits in words; `timings`: the same of how long things took. `spans`: of either, by its name, the unit and between what it lies.

    `occurrences`: of a trait, by its name, what single ones showed otherwise; `of_chance`: the traits that may be what they are by chance (`harness.analysis.traits`).
    `claims`: by its id each claim that is confirmed or differs. `circumstances`: the digest that all its cells have, empty where they differ in it.
    """

    version: str
    status: str = ""
    reason: str = ""
    shows: Mapping[str, str] = {}
    timings: Mapping[str, str] = {}
    spans: Mapping[str, Span] = {}
    claims: Mapping[str, Judgement] = {}
    occurrences: Mapping[str, tuple[str, ...]] = {}
    of_chance: tuple[str, ...] = ()
    circumstances: str = ""

    @property
    def traits(self) -> dict[str, Trait]:
        """The traits it shows, with their spans."""
        return {name: self._trait(name, text) for name, text in self.shows.items()}

    @property
    def timed(self) -> dict[str, Trait]:
        """The timings it shows, with their spans."""
        return {name: self._trait(f"{name} (timing)", text) for name, text in self.timings.items()}

    def _trait(self, name: str, text: str) -> Trait:
        return Trait(text, *self.spans.get(name, ("", 0.0, 0.0)), self.occurrences.get(name, ()))


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What a run shows, as a file (`kind` tells it from other JSON): its rows, and what is known of the run."""

    kind: Literal["behaviour of a run"]
    schema: Literal[1]
    run: str
    started: str = ""
    harness: str = ""
    machine: Mapping[str, str] = {}
    rows: tuple[Behaviour, ...] = ()


def baseline(rows: Iterable[Row], facts: RunFacts) -> Baseline:
    """What a run of these rows shows, in their order."""
    shown = tuple(map(behaviour, rows))
    return Baseline(
        kind=KIND,
        schema=SCHEMA,
        run=facts.run,
        started=facts.started,
        harness=facts.harness,
        machine=facts.machine,
        rows=shown,
    )


def behaviour(row: Row) -> Behaviour:
    """What the row shows."""
    who = {name: getattr(row, name) for name in (*Subject.__struct_fields__, "version")}
    if row.status:
        return Behaviour(**who, status=row.status, reason=row.reason)
    if not row.complete:
        return Behaviour(**who, status=INCOMPLETE, reason="a log ends before the scenario does")
    shown, timed = traits(row), timings(row)
    named = shown | {f"{name} (timing)": one for name, one in timed.items()}
    return Behaviour(
        **who,
        shows={name: one.text for name, one in shown.items()},
        timings={name: one.text for name, one in timed.items()},
        spans={name: (one.unit, one.low, one.high) for name, one in named.items() if one.unit},
        claims=_judgements(row.verdicts),
        occurrences={name: one.others for name, one in shown.items() if one.others},
        of_chance=of_chance(row),
        circumstances=_circumstances(row),
    )


def _circumstances(row: Row) -> str:
    said = {cell.circumstances for cell in row.cells}
    return said.pop() if len(said) == 1 else ""


def _judgements(verdicts: Iterable[Verdict]) -> dict[str, Judgement]:
    judged = (one for one in verdicts if one.verdict in JUDGED)
    return {one.claim: msgspec.convert({"claimed": one.claimed, "verdict": one.verdict}, Judgement) for one in judged}
