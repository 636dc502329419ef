"""Traits: what a row shows of its SDK, each in a few words, so that two rows can be held against each other (`TRAITS`).

What was not seen is no trait. Figures have a span beside their words, and two figures are alike where their spans have something in common:

| trait | span |
|---|---|
| renewal law, disconnect law | of the same member of the family: the parameters that fit |
| default lifetime, refused renewals, unaware | 1.25 s to either side |
| shortest gap (what disturbs a measurement only makes it longer) | from a 1.7th of it to 1.7 times as much: less than three times apart is alike |
| all others | none: other words are another trait |

Gaps and the time for which an end went unnoticed are told by their class (below 0.1 s, 1 s, 10 s, or longer), within which they are alike, too.
Lines of the SDK's own log are no trait: they carry numbers and addresses, which are others every time.

Equal runs on one machine do not always show the same. Where a row has several absences or repeats, what each of them showed is kept beside the usual (`OCCURRENCES`),
and two traits that have one of these in common are alike. And some of what differs is no sign of another behaviour, but may be chance (`may_be_chance`):

| trait | may be chance |
|---|---|
| application saw | what stands between the first and the last step, failed sends and repetitions aside: whether a state between two others was seen, or a send was under way |
| messages duplicated, sends failed | in a scenario with faults: whether a message was under way when the fault struck |
"""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Final

import msgspec

from harness.analysis.findings import AbsenceFinding, CellFindings, Signature
from harness.analysis.law import TOLERANCE_S, LawFinding, describe_short, seconds
from harness.analysis.rows import Row, main_cells
from harness.analysis.signatures import REPEATED, in_brief

__all__ = ["ALIKE", "TRAITS", "Trait", "may_be_chance", "of_chance", "traits"]

CLASSES_S: Final = ((0.1, "below 0.1 s"), (1.0, "0.1 to 1 s"), (10.0, "1 to 10 s"))
ALIKE: Final = 3.0**0.5  # two figures less than three times apart have spans in common
FAREWELLS: Final = {"disconnect": "says so", "closed": "without a word"}
SAW: Final = "application saw"
STEP: Final = ", "
UNDER_A_FAULT: Final = ("messages duplicated", "sends failed")
DIGITS: Final = 4  # of a span: a margin to 0.1 ms, a fraction to the same of a second


class Trait(msgspec.Struct, frozen=True):
    """A trait as a row shows it. Two of one `unit` are the same also where their words differ, if their spans have something in common.

    `others`: what single occurrences of it showed otherwise than `text`; two that have one in common are the same.
    """

    text: str
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    others: tuple[str, ...] = ()

    @property
    def occurrences(self) -> set[str]:
        """Every text that was seen."""
        return {self.text, *self.others}

    def is_like(self, other: "Trait") -> bool:
        """Whether nothing has changed between the two."""
        alike = self.unit != "" and self.unit == other.unit and self.low <= other.high and other.low <= self.high
        return alike or not self.occurrences.isdisjoint(other.occurrences)


def traits(row: Row) -> dict[str, Trait]:
    """Every trait that a measured row shows, by its name, in the order of `TRAITS`."""
    return {name: _with_others(name, found, row) for name, look in TRAITS.items() if (found := look(row)) is not None}


def of_chance(row: Row) -> tuple[str, ...]:
    """The traits of the row, by their names, that chance alone may have made what they are."""
    return UNDER_A_FAULT if any(cell.disturbed for cell in row.cells) else ()


def may_be_chance(name: str, before: Trait, after: Trait, of_chance: Container[str]) -> bool:
    """Whether a trait of two rows, though not alike in them, says nothing for certain; `of_chance` names those of either row of which that holds whatever they are."""
    if name != SAW:
        return name in of_chance
    return not {_ends(text) for text in before.occurrences}.isdisjoint(map(_ends, after.occurrences))


def _ends(saw: str) -> tuple[str, str]:
    """The first and the last step of what an application saw."""
    steps = saw.split(STEP)
    firm = [step for step in steps if step != REPEATED and not step.startswith("send_failed")] or steps
    return firm[0], firm[-1]


def _with_others(name: str, found: Trait, row: Row) -> Trait:
    seen = [*OCCURRENCES[name](row)] if name in OCCURRENCES else []
    others = dict.fromkeys(text for text in seen if text != found.text) if len(seen) > 1 else ()
    return msgspec.structs.replace(found, others=tuple(others))


def _text(text: str | None) -> Trait | None:
    return None if text is None else Trait(text)


def _within(text: str, unit: str, low: float, high: float) -> Trait:
    return Trait(text, unit, round(low, DIGITS), round(high, DIGITS))


def _law(finding: LawFinding | None) -> Trait | None:
    if finding is None or finding.fit is None:
        return None
    fit = finding.fit
    return _within(describe_short(fit), fit.law, fit.low, fit.high)


def _default_lifetime(row: Row) -> Trait | None:
    lifetime = row.default_lifetime_s
    return None if lifetime is None else _near(f"{lifetime / 60:.3g} min", lifetime, "s")


def _near(text: str, value: float, unit: str) -> Trait:
    return _within(text, unit, value - TOLERANCE_S, value + TOLERANCE_S)


def _class(value_s: float) -> Trait:
    text = next((name for limit, name in CLASSES_S if value_s < limit), "10 s or more")
    return _within(text, "class", value_s / ALIKE, value_s * ALIKE)


def _hub_log(codes: Iterable[str]) -> str:
    return STEP.join(codes)


def _app_saw(seen: Iterable[str]) -> str:
    return STEP.join(in_brief(seen)) or "nothing"


def _repeats(row: Row) -> list[CellFindings]:
    """The main cells of which there is something to see."""
    measured = [cell for cell in row.cells if cell.measured]
    return main_cells(measured) if measured else []


def _each(show: Callable[[Signature], str]) -> Callable[[Row], Iterable[str]]:
    """What each absence of the main cells showed, if possible of those that were not cut short."""

    def look(row: Row) -> Iterable[str]:
        telling = [one for cell in _repeats(row) for one in cell.telling]
        whole = [one for one in telling if not one.cut_short] or telling
        return filter(None, (show(one.signature) for one in whole))

    return look


def _gap(row: Row) -> Trait | None:
    if row.clock_rate is not None:
        return None
    if row.gap_ms:
        return _class(min(row.gap_ms) / 1e3)
    return Trait("not back") if row.points_s and row.first else None


def _unaware(row: Row) -> Trait | None:
    """How long it took the device at the worst to notice an end; one that it was never seen to notice is the worst."""
    if row.silent_s is not None and row.silent_s >= (row.unaware_s or 0.0):
        return Trait("not noticed")
    return None if row.unaware_s is None else _near(_class(row.unaware_s).text, row.unaware_s, "s")


def _away(row: Row) -> Iterable[AbsenceFinding]:
    return (one for cell in row.cells if cell.measured for one in cell.telling if isinstance(one, AbsenceFinding))


def _farewell(row: Row) -> Trait | None:
    """How the device ends a connection: by DISCONNECT or CLOSE, or just so."""
    ways = {FAREWELLS[one.cause] for one in _away(row) if one.cause in FAREWELLS}
    return Trait(" / ".join(sorted(ways))) if ways else None


def _refused(row: Row) -> Trait | None:
    """What became of the first renewal that was refused: how long it took until a new token was accepted."""
    refused = next((one for cell in row.cells if cell.measured for one in cell.refused_renewals), None)
    if refused is None:
        return None
    if refused.renewed_s is None:
        return Trait("not renewed any more")
    took = refused.renewed_s - refused.at_s
    return _near(f"renewed {seconds(round(took))} later", took, "s")


def _first_connection(row: Row) -> Trait | None:
    """Whether the device was let in; of a refusal, by whom, with which answer, for which check that failed, and what the application was told."""
    refused = row.first_refusal
    if refused is None:
        return Trait("let in") if any(cell.connections for cell in row.cells if cell.measured) else None
    told = ", yet called connected" if refused.believed else ""
    if refused.by == "sdk":
        return Trait(f"refused by the SDK itself{told}")
    return Trait(f"refused: {', '.join(filter(None, (refused.wire, refused.check)))}{told}")


def _some(number: int) -> str:
    return "some" if number else "none"


def _sent(count: str) -> Callable[[Row], Trait | None]:
    """Whether that became of any message; where the log tells the least there was, its none is no observation."""

    def look(row: Row) -> Trait | None:
        number: int = getattr(row, count)
        told = count not in row.untold and (number or count not in row.at_least)
        return Trait(_some(number)) if row.sent and told else None

    return look


def _each_sent(count: str) -> Callable[[Row], Iterable[str]]:
    """The same of each main cell."""

    def look(row: Row) -> Iterable[str]:
        numbers = (getattr(cell.messages.telemetry, count) for cell in _repeats(row))
        return (_some(number) for number in numbers if number or count not in row.at_least)

    return look


COUNTS: Final = {
    "messages lost": "lost",
    "messages duplicated": "duplicated",
    "messages reordered": "reordered",
    "sends failed": "send_failed",
    "sends without an end": "unfinished",
}
OCCURRENCES: Final[Mapping[str, Callable[[Row], Iterable[str]]]] = {
    "hub log": _each(lambda one: _hub_log(one.hub)),
    SAW: _each(lambda one: _app_saw(one.app)),
    **{name: _each_sent(count) for name, count in COUNTS.items()},
}
TRAITS: Final[Mapping[str, Callable[[Row], Trait | None]]] = {
    "default lifetime": _default_lifetime,
    "renewal law": lambda row: _law(row.law),
    "disconnect law": lambda row: _law(row.disconnect_law),
    "renewal": lambda row: _text(row.renewal),
    "token use": lambda row: _text(row.token_use),
    "closes first": lambda row: _text(" / ".join(row.first) or None),
    "leaves": _farewell,
    "first connection": _first_connection,
    "after the first refusal": lambda row: _text(row.first_refusal.then if row.first_refusal else None),
    "hub log": lambda row: _text(_hub_log(row.hub_log) or None),
    SAW: lambda row: _text(_app_saw(row.app)),
    "shortest gap": _gap,
    "refused renewal tried": lambda row: _text(row.refused_renewal),
    "refused renewals": _refused,
    "after a refusal": lambda row: _text(row.recovery),
    "return": lambda row: _text(row.returned),
    "unaware": _unaware,
    "C2D after return": lambda row: _text(row.c2d_after_return),
    **{name: _sent(count) for name, count in COUNTS.items()},
}
