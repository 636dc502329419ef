"""What changed from version to version: the rows of one SDK, transport and scenario side by side, in the order of their versions.

A version shows *traits*, each a few words made from its row (`TRAITS`). What was not seen is no trait, and no change: a trait is compared with the
last version that showed it. A row of which a cell stopped before its end shows none, for the rest might have shown otherwise. Figures count as changed where they do so beyond what their measurement leaves open:

| trait | changed where |
|---|---|
| renewal law, disconnect law | another member of the family, or a parameter outside of what fits the other version |
| default lifetime, refused renewals | they differ by more than 2.5 s |
| shortest gap (what disturbs a measurement only makes it longer), unaware | another class (below 0.1 s, 1 s, 10 s, or longer), and more than three times as long or as short |
| all others | other words |
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from harness.analysis.findings import AbsenceFinding
from harness.analysis.law import TOLERANCE_S, LawFinding, describe_short, seconds
from harness.analysis.rows import Row
from harness.analysis.signatures import in_brief
from harness.versions import in_order

__all__ = ["Change", "History", "Step", "histories"]

CLASSES_S: Final = ((0.1, "below 0.1 s"), (1.0, "0.1 to 1 s"), (10.0, "1 to 10 s"))
ALIKE: Final = 3.0**0.5  # two figures less than three times apart have spans in common
INCOMPLETE: Final = "incomplete"
FAREWELLS: Final = {"disconnect": "says so", "closed": "without a word"}


class Change(msgspec.Struct, frozen=True):
    """What the version shows otherwise than `since`, the last version before it that showed the trait."""

    what: str
    before: str
    after: str
    since: str


class Step(msgspec.Struct, frozen=True):
    """One version. `status` and `reason` say why nothing was measured, or not to the end (`incomplete`); else `shows` is every trait that was seen."""

    version: str
    status: str = ""
    reason: str = ""
    shows: Mapping[str, str] = {}
    changes: tuple[Change, ...] = ()


class History(msgspec.Struct, frozen=True):
    """The versions of one SDK, over one transport and in one scenario, in their order (see `harness.versions`)."""

    sdk: str
    sdk_name: str
    transport: str
    scenario: str
    traffic: str
    device: str
    origin: Mapping[str, object]
    steps: tuple[Step, ...]


class _Seen(msgspec.Struct, frozen=True):
    """A trait as a version shows it. Two of one `unit` are the same also where their words differ, if their spans have something in common."""

    text: str
    unit: str = ""
    low: float = 0.0
    high: float = 0.0

    def is_like(self, other: "_Seen") -> bool:
        """Whether nothing has changed between the two."""
        alike = self.unit != "" and self.unit == other.unit and self.low <= other.high and other.low <= self.high
        return self.text == other.text or alike


def histories(rows: Iterable[Row]) -> tuple[History, ...]:
    """The histories in the order of their first rows; a single version has one, too."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        origin = msgspec.json.encode(row.origin, order="deterministic").decode()
        groups.setdefault((row.sdk, row.transport, row.scenario, row.device, origin), []).append(row)
    return tuple(map(_history, groups.values()))


def _history(rows: Sequence[Row]) -> History:
    by_version = {row.version: row for row in rows}
    last: dict[str, tuple[str, _Seen]] = {}
    steps = tuple(_step(by_version[version], last) for version in in_order(by_version))
    row = rows[0]
    return History(row.sdk, row.sdk_name, row.transport, row.scenario, row.traffic, row.device, row.origin, steps)


def _step(row: Row, last: dict[str, tuple[str, _Seen]]) -> Step:
    """The step of `row`; `last` is by trait the version that showed it last, and how, and is brought up to date."""
    if row.status:
        return Step(row.version, row.status, row.reason)
    if not row.complete:
        return Step(row.version, INCOMPLETE, "a log ends before the scenario does")
    seen = {name: found for name, look in TRAITS.items() if (found := look(row)) is not None}
    changes = tuple(
        Change(name, last[name][1].text, found.text, last[name][0])
        for name, found in seen.items()
        if name in last and not found.is_like(last[name][1])
    )
    last |= {name: (row.version, found) for name, found in seen.items()}
    return Step(row.version, shows={name: found.text for name, found in seen.items()}, changes=changes)


def _text(text: str | None) -> _Seen | None:
    return None if text is None else _Seen(text)


def _law(finding: LawFinding | None) -> _Seen | None:
    if finding is None or finding.fit is None:
        return None
    fit = finding.fit
    return _Seen(describe_short(fit), fit.law, fit.low, fit.high)


def _default_lifetime(row: Row) -> _Seen | None:
    lifetime = row.default_lifetime_s
    return None if lifetime is None else _near(f"{lifetime / 60:.3g} min", lifetime, "s")


def _near(text: str, value: float, unit: str) -> _Seen:
    return _Seen(text, unit, value - TOLERANCE_S, value + TOLERANCE_S)


def _class(value_s: float | None) -> _Seen | None:
    if value_s is None:
        return None
    text = next((name for limit, name in CLASSES_S if value_s < limit), "10 s or more")
    return _Seen(text, "class", value_s / ALIKE, value_s * ALIKE)


def _gap(row: Row) -> _Seen | None:
    if row.clock_rate is not None:
        return None
    if row.gap_ms:
        return _class(min(row.gap_ms) / 1e3)
    return _Seen("not back") if row.points_s and row.first else None


def _away(row: Row) -> Iterable[AbsenceFinding]:
    return (one for cell in row.cells if cell.measured for one in cell.telling if isinstance(one, AbsenceFinding))


def _farewell(row: Row) -> _Seen | None:
    """How the device ends a connection: by DISCONNECT or CLOSE, or just so."""
    ways = {FAREWELLS[one.cause] for one in _away(row) if one.cause in FAREWELLS}
    return _Seen(" / ".join(sorted(ways))) if ways else None


def _refused(row: Row) -> _Seen | None:
    """What became of the first renewal that was refused: how long it took until a new token was accepted."""
    refused = next((one for cell in row.cells if cell.measured for one in cell.refused_renewals), None)
    if refused is None:
        return None
    if refused.renewed_s is None:
        return _Seen("not renewed any more")
    took = refused.renewed_s - refused.at_s
    return _near(f"renewed {seconds(round(took))} later", took, "s")


def _some(number: int) -> str:
    return "some" if number else "none"


def _sent(count: str) -> Callable[[Row], _Seen | None]:
    return lambda row: _Seen(_some(getattr(row, count))) if row.sent and count not in row.untold else None


TRAITS: Final[Mapping[str, Callable[[Row], _Seen | None]]] = {
    "default lifetime": _default_lifetime,
    "renewal law": lambda row: _law(row.law),
    "disconnect law": lambda row: _law(row.disconnect_law),
    "renewal": lambda row: _text(row.renewal),
    "closes first": lambda row: _text(" / ".join(row.first) or None),
    "leaves": _farewell,
    "hub log": lambda row: _text(", ".join(row.hub_log) or None),
    "application saw": lambda row: _text(", ".join(in_brief(row.app)) or "nothing"),
    "shortest gap": _gap,
    "refused renewals": _refused,
    "after a refusal": lambda row: _text(row.recovery),
    "return": lambda row: _text(row.returned),
    "unaware": lambda row: _class(row.unaware_s),
    "C2D after return": lambda row: _text(row.c2d_after_return),
    "messages lost": _sent("lost"),
    "sends failed": _sent("send_failed"),
    "sends without an end": _sent("unfinished"),
}
