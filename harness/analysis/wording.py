"""Figures in plain words: how often something came again, in what rhythm, and numbers in a row."""

import statistics
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from harness.analysis.law import seconds

__all__ = [
    "AT_ONCE_S",
    "between",
    "counted",
    "lasted",
    "life",
    "listed",
    "moments",
    "numbers",
    "often",
    "rhythm",
    "times",
]

FEW: Final = 5
ALIKE: Final = 0.25
"""By how much of the median distances may differ and still be one rhythm."""
GROWTH: Final = 1.2
AT_ONCE_S: Final = 0.5
WORTH_TELLING: Final = 0.02
"""The share by which two figures have to differ to be told apart."""
WHOLE_FROM: Final = 1000
UNITS: Final = ((7200.0, 3600.0, "h"), (1200.0, 60.0, "min"))
"""From how many seconds on a life is told in a unit, and how many that has."""


def times(count: int) -> str:
    """How often something was seen, where that was more than once."""
    return "" if count == 1 else f" ({count} times)"


def counted(count: int, what: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def lasted(span_s: float) -> str:
    """How long something took: below a second in milliseconds."""
    return f"{1e3 * span_s:.0f} ms" if span_s < 1 else seconds(span_s)


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *before, last = words or [""]
    return f"{', '.join(before)} and {last}" if before else last


def moments(at: Sequence[float]) -> str:
    """Moments as `10.2 and 20.4 s`; many as their first and last."""
    if len(at) > FEW:
        return f"between {at[0]:.1f} and {seconds(at[-1])}"
    return f"at {listed([f'{one:.1f}' for one in at])} s"


def rhythm(at: Sequence[float]) -> str:
    """How moments follow each other: `about one a second`, `about one every 4.2 s`, `after 1, 2.1 and 4 s`; empty for fewer than three, or all at once."""
    distances = [round(later - earlier, 3) for earlier, later in pairwise(at)]
    if len(distances) <= 1 or at[-1] - at[0] < AT_ONCE_S:
        return ""
    median = statistics.median(distances)
    if sum(abs(one - median) <= ALIKE * median for one in distances) > 0.75 * len(distances):
        return "about one a second" if abs(median - 1) <= ALIKE else f"about one every {lasted(median)}"
    if len(distances) <= FEW or all(later >= GROWTH * earlier for earlier, later in pairwise(distances)):
        return f"after {listed([f'{one:.1f}'.removesuffix('.0') for one in distances])} s"
    return f"{lasted(min(distances))} to {lasted(max(distances))} apart"


def numbers(ids: Iterable[int]) -> str:
    """Numbers in ascending order, those in a row as `1 to 5`."""
    runs: list[list[int]] = []
    for one in sorted(ids):
        if runs and one == runs[-1][-1] + 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return listed([f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs])


def between(span: tuple[float, float]) -> str:
    """What lies between two figures: as one where they hardly differ, `24.8`, else `28.4 to 30.2`."""
    least, most = span
    alike = most - least <= WORTH_TELLING * most
    return _figure((least + most) / 2) if alike else f"{_figure(least)} to {_figure(most)}"


def _figure(value: float) -> str:
    return f"{value:.3g}" if value < WHOLE_FROM else f"{value:.0f}"


def life(span_s: float) -> str:
    """For how long a token lives: `910 s`, `60 min`, `24 h`."""
    _, size, unit = next((one for one in UNITS if span_s >= one[0]), (0.0, 1.0, "s"))
    return f"{span_s / size:.3g} {unit}"


def often(per_day: tuple[float, float]) -> str:
    """How often that is: `24.8 times a day`, `once a day`, `once in 2 days`."""
    least, most = per_day
    told = between(per_day)
    if told == "1":
        return "once a day"
    return f"{told} times a day" if most >= 1 else f"once in {between((1 / most, 1 / least))} days"
