"""The first table: which errors, how often, and how long the device is away each time."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from harness.analysis import Row, Volume
from harness.report.columns import span_in_short
from harness.report.volume import volume_cells

__all__ = ["Answer", "answers"]

_WITHOUT_A_GAP: Final = frozenset({"in-band", "per-request"})


class Answer(msgspec.Struct, frozen=True):
    """One line; transports with the same figures share it. `bar`: errors a day as a share of the most there are, in percent; null where they are not known."""

    sdk: str
    version: str
    evidence: str
    transports: tuple[str, ...]
    errors: str
    bar: float | None
    made_of: str
    renewals: str
    away: str
    shown: str


def answers(found: Sequence[Volume], rows: Sequence[Row]) -> list[Answer]:
    """The lines in the order of the volumes, those without a figure last."""
    most = max((one.errors_per_day or 0.0 for one in found), default=0.0) or 1.0
    named = _named(rows)
    merged: dict[tuple[str, ...], list[Volume]] = {}
    for one in found:
        merged.setdefault(volume_cells(one), []).append(one)
    lines = [_answer(cells, alike, most, named) for cells, alike in merged.items()]
    return sorted(lines, key=lambda one: one.bar is None)


def _named(rows: Sequence[Row]) -> Mapping[tuple[str, ...], Row]:
    """The rows by what a volume names them with."""
    kinds = ((row, str(row.origin.get("kind", "this-run"))) for row in rows)
    return {(row.sdk, row.version, row.transport, row.device, kind, row.scenario): row for row, kind in kinds}


def _away(rows: Sequence[Row]) -> str:
    """For how long; nobody who was not seen to renew without leaving is said never to be away."""
    if gaps := [gap for row in rows for gap in row.gap_ms]:
        return span_in_short(gaps)
    return "never" if rows and all(row.renewal in _WITHOUT_A_GAP for row in rows) else "not observed"


def _answer(
    cells: tuple[str, ...], alike: Sequence[Volume], most: float, named: Mapping[tuple[str, ...], Row]
) -> Answer:
    _, errors, made_of, renewals, shown = cells
    first = alike[0]
    known = first.errors_per_day is not None
    meant = [row for one in alike if (row := named.get((*one.identity, one.scenario)))]
    return Answer(
        sdk=first.sdk,
        version=first.version,
        evidence="recorded" if first.origin == "recorded" else first.device,
        transports=tuple(one.transport for one in alike),
        errors=errors,
        bar=round(100 * (first.errors_per_day or 0.0) / most, 1) if known else None,
        made_of=made_of,
        renewals=renewals,
        away=_away(meant),
        shown=shown,
    )
