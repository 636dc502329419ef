"""Timings of a row, each with the span in which it lies by all that the measurement leaves open: a timing has changed where two spans have nothing in common.

| timing | value | span |
|---|---|---|
| `gap`, of five values or more | their median | the middle eight tenths of them, and a tenth of the median or 5 ms beyond: what differs from run to run does not show in the spread of one |
| `gap`, of fewer | the same | the shortest divided, the longest multiplied by 1.7: no spread is known, so that only three times as long or as short is a change |
| `renewal or cut` | the median of the points in the token's life | the earliest to the latest, and 1.25 s beyond, as a law is fitted: SDKs reckon in whole seconds |
| `unaware` | the longest time in which an end went unnoticed | 1.25 s to either side |

Each gap counts with five times the worst lag of the hub's loop around it to either side; those that are shorter than that (noisy) are left out where there are others.
By this a single gap against a single gap is a change beyond three times, and beyond five times the lag of both. Points have the same lag added. Under an accelerated clock
gaps are none of the SDK's, and a second of the tolerance is as many as the clock makes of it.
"""

import statistics
from typing import Final

from harness.analysis.law import TOLERANCE_S, seconds
from harness.analysis.renewals import NOISE_FACTOR
from harness.analysis.rows import FEWEST_FOR_A_MEDIAN, Row
from harness.analysis.traits import ALIKE, Trait
from harness.analysis.wording import lasted

__all__ = ["timings"]

FROM_RUN_TO_RUN: Final = 0.1
LEAST_MS: Final = 5.0
TENTHS: Final = 10


def timings(row: Row) -> dict[str, Trait]:
    """The timings that a measured row has, by their names; spans are in milliseconds (`gap`) or seconds."""
    found = {"gap": _gap(row), "renewal or cut": _point(row), "unaware": _unaware(row)}
    return {name: one for name, one in found.items() if one is not None}


def _gap(row: Row) -> Trait | None:
    if not row.gap_ms or row.clock_rate is not None:
        return None
    lags = [*row.lag_ms, *[0.0] * len(row.gap_ms)]
    measured = [(gap, NOISE_FACTOR * lag) for gap, lag in zip(row.gap_ms, lags, strict=False)]
    measured = [(gap, noise) for gap, noise in measured if gap >= noise] or measured
    gaps = [gap for gap, _ in measured]
    low, high = _spread(gaps)
    noise = max(noise for _, noise in measured)
    return Trait(_told(gaps), "ms", round(max(low - noise, 0.0), 1), round(high + noise, 1))


def _spread(gaps_ms: list[float]) -> tuple[float, float]:
    """Where the median of these gaps may lie, but for the lag."""
    if len(gaps_ms) < FEWEST_FOR_A_MEDIAN:
        return min(gaps_ms) / ALIKE, max(gaps_ms) * ALIKE
    tenths = statistics.quantiles(gaps_ms, n=TENTHS, method="inclusive")
    beyond = max(FROM_RUN_TO_RUN * statistics.median(gaps_ms), LEAST_MS)
    return tenths[0] - beyond, tenths[-1] + beyond


def _told(gaps_ms: list[float]) -> str:
    median = lasted(statistics.median(gaps_ms) / 1e3)
    if len(gaps_ms) == 1:
        return median
    return f"{median} ({lasted(min(gaps_ms) / 1e3)} to {lasted(max(gaps_ms) / 1e3)}, of {len(gaps_ms)})"


def _point(row: Row) -> Trait | None:
    if not row.points_s:
        return None
    beyond = TOLERANCE_S * (row.clock_rate or 1.0) + NOISE_FACTOR * max(row.lag_ms, default=0.0) / 1e3
    text = f"at {seconds(statistics.median(row.points_s))}"
    return _around(text, min(row.points_s), max(row.points_s), beyond)


def _unaware(row: Row) -> Trait | None:
    longest = row.unaware_s
    return None if longest is None else _around(seconds(longest), longest, longest, TOLERANCE_S)


def _around(text: str, low_s: float, high_s: float, beyond_s: float) -> Trait:
    return Trait(text, "s", round(low_s - beyond_s, 2), round(high_s + beyond_s, 2))
