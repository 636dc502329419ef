"""What the renewal of a token leaves behind, for each SDK and transport at the SDK's own settings.

Which errors stand in the hub's log, how often, how long is the device away each time and in a day, and what follows? Time away a day is the gap times the renewals a day. Gaps are those
of all renewals that count for the errors a day, whatever lifetime their tokens had. They were measured on one machine: a network's way there and back comes on top.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from harness.analysis.findings import AbsenceFinding
from harness.analysis.lacking import HUB_LOG
from harness.analysis.rows import Row
from harness.analysis.volume import Volume, renewing_cells, volumes, whole_renewals

__all__ = ["Answer", "answers", "error_codes"]

Outcome = Literal["quiet", "noise", "ends", "unknown"]
_WITHOUT_A_GAP: Final = frozenset({"in-band", "per-request"})
_NOT_AWAY: Final = (0.0, 0.0)


class Answer(msgspec.Struct, frozen=True):
    """One SDK, version and transport. `row` is the one that the figures of `volume` were seen in.

    `outcome`: a renewal leaves errors in the hub's log (`noise`) or none (`quiet`); the device never renews (`ends`); or that was not observed.
    `codes`: the errors a renewal leaves, each once, null where the log is not known. `away_ms`, `away_s_per_day`: the least and the longest, zero where the device
    never leaves, null where that was not observed; `noisy`: the machine may have made one of them. `quiet_over`: the transports over which the same SDK, measured in the same way, leaves no error.
    """

    volume: Volume
    row: Row
    outcome: Outcome
    codes: tuple[str, ...] | None
    away_ms: tuple[float, float] | None
    away_s_per_day: tuple[float, float] | None
    noisy: bool
    quiet_over: tuple[str, ...]


def answers(rows: Sequence[Row]) -> tuple[Answer, ...]:
    """One for each volume, in their order."""
    found = volumes(rows)
    named = {(*Volume.of(row).identity, row.scenario): row for row in rows}
    return tuple(_answer(one, named[*one.identity, one.scenario], found) for one in found)


def _answer(volume: Volume, row: Row, others: Iterable[Volume]) -> Answer:
    outcome, seen = _outcome(volume), bool(volume.renewals_seen)
    gaps = _gaps(row)
    away = _away(row, gaps) if seen else None
    return Answer(
        volume,
        row,
        outcome,
        error_codes(row) if seen or outcome == "ends" else None,
        away,
        _a_day(away, volume.renewals_per_day),
        any(one.noisy for one in gaps),
        tuple(one.transport for one in others if _alike(one, volume) and one.errors_per_day == 0),
    )


def _a_day(away_ms: tuple[float, float] | None, per_day: float | None) -> tuple[float, float] | None:
    """Seconds; what is never away is not, however often it renews."""
    if away_ms in {None, _NOT_AWAY}:
        return away_ms
    return None if away_ms is None or per_day is None else (away_ms[0] * per_day / 1e3, away_ms[1] * per_day / 1e3)


def _outcome(volume: Volume) -> Outcome:
    if volume.fit and volume.fit.law == "none":
        return "ends"
    if volume.errors_per_day is None:
        return "unknown"
    return "noise" if volume.errors_per_day else "quiet"


def error_codes(row: Row) -> tuple[str, ...] | None:
    """The codes of the errors in the hub's log, each once; None where the log is not known."""
    if row.status or HUB_LOG in row.lacks:
        return None
    return tuple(dict.fromkeys(code for name in row.hub_log if (code := name.rpartition(" ")[2]).isdigit()))


def _gaps(row: Row) -> list[AbsenceFinding]:
    """The renewals for which the device was away, where for how long is known, and the SDK's."""
    if row.clock_rate is not None:
        return []
    found = (one for one in whole_renewals(renewing_cells(row)) if isinstance(one, AbsenceFinding))
    return [one for one in found if one.gap_ms is not None]


def _away(row: Row, gaps: Sequence[AbsenceFinding]) -> tuple[float, float] | None:
    """For how long, in milliseconds; nobody who was not seen to renew without leaving is said never to be away."""
    lengths = [one.gap_ms for one in gaps if one.gap_ms is not None]
    if lengths:
        return min(lengths), max(lengths)
    return _NOT_AWAY if row.renewal in _WITHOUT_A_GAP and row.clock_rate is None else None


def _alike(one: Volume, other: Volume) -> bool:
    """Whether they are the same SDK, measured in the same way."""
    return (one.sdk, one.version, one.evidence) == (other.sdk, other.version, other.evidence)
