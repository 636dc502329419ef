"""The rhythm in how long connections last: the length that comes most, and how many keep to it."""

import bisect
import statistics
from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = ["Rhythm", "keeping", "keeps", "rhythm"]

_SHARE: Final = 0.02
_LEAST_S: Final = 2.5
"""Records are written to the second, and a device takes a moment to be back."""
_MULTIPLES: Final = 6
"""A length may be that of several connections, where the records between them are missing."""


class Rhythm(NamedTuple):
    """`period_s` is None where there is no length at all. `number`: how many lengths it is; `share`: of all, how many are it or a small multiple of it."""

    period_s: float | None
    number: int
    share: float


def rhythm(lengths_s: Sequence[float]) -> Rhythm:
    """The rhythm of connections that lasted so long, in seconds. Of lengths that are alike in number, the shortest is it."""
    if not lengths_s:
        return Rhythm(None, 0, 0.0)
    ordered = sorted(lengths_s)
    best: list[float] = []
    for first, length in enumerate(ordered):
        alike = ordered[first : bisect.bisect_right(ordered, length + 2 * _tolerance(length))]
        if len(alike) > len(best):
            best = alike
    period = statistics.median(best)
    return Rhythm(period, len(best), keeping(ordered, period) / len(ordered))


def keeping(lengths_s: Sequence[float], period_s: float) -> int:
    """How many lengths are `period_s` or a small multiple of it."""
    return sum(keeps(length, period_s) for length in lengths_s)


def keeps(length_s: float, period_s: float, late_s: float = 0.0) -> bool:
    """Whether a length is `period_s` or a small multiple of it, or longer than that by at most `late_s`."""
    number = max(1, round(length_s / period_s))
    beyond_s, tolerance_s = length_s - number * period_s, _tolerance(number * period_s)
    return number <= _MULTIPLES and -tolerance_s <= beyond_s <= tolerance_s + late_s


def _tolerance(length_s: float) -> float:
    return max(_LEAST_S, _SHARE * length_s)
