"""The renewal law: when in the life L of a token something happens, chosen from a family by what was observed.

| member | predicts, in seconds after the token was made | fits an observation x within its tolerance t where |
|---|---|---|
| `margin` m >= 0 | L - m | L - x - t <= m <= L - x + t, and the device acted |
| `fraction` 0 < f <= 1 | f * L | (x - t) / L <= f <= (x + t) / L, and the device acted |
| `hub-cut` | L + grace | L + grace - t <= x <= L + grace + t, and the hub acted |
| `none` | never | it did not happen although L + grace passed |

A member fits where one parameter serves all observations; its interval is the intersection of theirs. Any law fits a single
lifetime, so two are needed at least 30 s or a factor of 2 apart; and where two members still fit, nothing is chosen. The tolerance stands
for an SDK that looks at the clock once a second, or counts from an expiry in whole seconds, and for the time the act itself takes.

A busy machine makes a device late and never early: what comes after the earliest act of the device with an equal token is
given the difference, up to `LATE_S`, on top of its tolerance.
"""

import math
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from harness.law import Law
from harness.scenario import HUB_GRACE_S

__all__ = [
    "TOLERANCE_S",
    "Fit",
    "LawFinding",
    "Observation",
    "consistent",
    "describe",
    "describe_interval",
    "describe_short",
    "fit_law",
    "seconds",
    "too_few",
]

TOLERANCE_S: Final = 1.25
LATE_S: Final = 1.0
EQUAL_S: Final = 1.0  # by so much do lifetimes of equal tokens differ, which end in whole seconds
EXTRAPOLATED_S: Final = 3600.0
APART_S: Final = 30.0
APART_FACTOR: Final = 2.0
WIDE_S: Final = 2.0
WIDE_FRACTION: Final = 0.01

Actor = Literal["device", "hub"]
Member = Literal["margin", "fraction", "hub-cut", "none"]


class Observation(msgspec.Struct, frozen=True):
    """Something that happened `point_s` after a token made for `lifetime_s`; null: it did not, although the time passed.

    `by` is whose act it was. `grace_s` is how long this hub keeps an expired connection.
    """

    lifetime_s: float
    point_s: float | None
    by: Actor = "device"
    grace_s: float = 0.0
    tolerance_s: float = TOLERANCE_S


class Fit(msgspec.Struct, frozen=True):
    """A member of the family that fits. `low`, `value`, `high`: its parameter (m in seconds, f, or seconds off the hub's cut).

    `residual_s`: the largest distance of an observation from the prediction. `at_3600_s`: the interval in which it predicts the event for a token of an hour,
    at the service's own grace; null for `none`.
    """

    law: Member
    low: float
    value: float
    high: float
    residual_s: float
    at_3600_s: tuple[float, float] | None = None


class LawFinding(msgspec.Struct, frozen=True):
    """The chosen member, or null with the reason; all members that fit; and what they were fitted to."""

    fit: Fit | None
    reason: str = ""
    candidates: tuple[Fit, ...] = ()
    observations: tuple[Observation, ...] = ()


def fit_law(observations: Sequence[Observation]) -> LawFinding:
    """Choose the member of the family that explains all `observations`."""
    known = tuple(observations)
    if problem := too_few(known):
        return LawFinding(None, problem, observations=known)
    judged = _bearing_lateness(known)
    fits = (_margin(judged), _fraction(judged), _hub_cut(judged), _never(judged))
    candidates = tuple(fit for fit in fits if fit is not None)
    if len(candidates) == 1:
        return LawFinding(candidates[0], candidates=candidates, observations=known)
    names = " and ".join(describe(fit) for fit in candidates)
    reason = f"{names} fit alike" if candidates else "no law of the family fits all that was observed"
    return LawFinding(None, reason, candidates, known)


def consistent(law: Law, observations: Sequence[Observation]) -> bool:
    """Whether a claimed law predicts every observation within its tolerance."""
    return all(_predicts(law, one) for one in _bearing_lateness(observations))


def seconds(value: float) -> str:
    """`value` with at most one decimal: `3600 s`."""
    return f"{value:.1f}".removesuffix(".0") + " s"


def describe(law: Law | Fit) -> str:
    """The law in words, such as `lifetime - 120 s`."""
    if law.law == "margin":
        return f"lifetime - {seconds(_margin_of(law))}"
    if law.law == "fraction":
        return f"{100 * _fraction_of(law):.3g} % of the lifetime"
    if isinstance(law, Law) and law.law == "lifespan":
        return f"lifetime + {seconds(law.seconds)}"
    return "never" if law.law == "none" else "the hub's cut (lifetime + grace)"


def describe_interval(fit: Fit) -> str:
    """The law in words with the interval of its parameter, such as `lifetime - 119.7 s (118.9 to 120.5)`."""
    scale = {"margin": 1.0, "fraction": 100.0}.get(fit.law)
    interval = "" if scale is None else f" ({scale * fit.low:.1f} to {scale * fit.high:.1f})"
    return describe(fit) + interval


def describe_short(fit: Fit) -> str:
    """The law as a table's cell, such as `L - 120 s`, with the interval of its parameter where that is wide: `0.80 to 0.85 x L`."""
    if fit.law == "margin":
        return f"L - {_span(fit, WIDE_S, '.0f')} s"
    if fit.law == "fraction":
        return f"{_span(fit, WIDE_FRACTION, '.2f')} x L"
    return "never" if fit.law == "none" else "L + grace"


def _span(fit: Fit, wide: float, form: str) -> str:
    """The parameter, or its interval where that reaches further than `wide` to either side."""
    if max(fit.high - fit.value, fit.value - fit.low) <= wide:
        return format(fit.value, form)
    return f"{fit.low:{form}} to {fit.high:{form}}"


def _margin_of(law: Law | Fit) -> float:
    return law.seconds if isinstance(law, Law) else law.value


def _fraction_of(law: Law | Fit) -> float:
    return law.fraction if isinstance(law, Law) else law.value


def too_few(observations: Sequence[Observation]) -> str:
    """Why these observations cannot tell one law from another, or an empty text."""
    if not observations:
        return "it was not seen to happen, and no token was watched to its end"
    shortest = min(one.lifetime_s for one in observations)
    longest = max(one.lifetime_s for one in observations)
    if longest - shortest >= APART_S or longest >= APART_FACTOR * shortest:
        return ""
    lifetimes = ", ".join(map(seconds, sorted({one.lifetime_s for one in observations})))
    return f"a law needs two lifetimes {APART_S:g} s or a factor of {APART_FACTOR:g} apart, this is about {lifetimes}"


def _predicts(law: Law, one: Observation) -> bool:
    """Whether `law` predicts the observation; a margin or a fraction is the device's own act, a hub's cut the hub's."""
    if law.law == "none" or one.point_s is None:
        return law.law == "none" and one.point_s is None
    predicted, by = {
        "margin": (one.lifetime_s - law.seconds, "device"),
        "fraction": (one.lifetime_s * law.fraction, "device"),
        "lifespan": (one.lifetime_s + law.seconds, one.by),
        "hub-cut": (one.lifetime_s + one.grace_s, "hub"),
    }[law.law]
    return by == one.by and abs(one.point_s - predicted) <= one.tolerance_s


def _bearing_lateness(observations: Sequence[Observation]) -> Sequence[Observation]:
    """The observations, late acts of the device with more tolerance."""
    return [
        msgspec.structs.replace(one, tolerance_s=one.tolerance_s + _late_s(one, observations)) for one in observations
    ]


def _late_s(one: Observation, among: Sequence[Observation]) -> float:
    """How long after the earliest act of the device with an equal token, at most `LATE_S`."""
    if one.point_s is None or one.by != "device":
        return 0.0
    equal = (other for other in among if other.by == "device" and abs(other.lifetime_s - one.lifetime_s) < EQUAL_S)
    return min(one.point_s - min(other.point_s for other in equal if other.point_s is not None), LATE_S)


Points = Sequence[tuple[Observation, float]]


def _points(observations: Sequence[Observation], by: Actor) -> Points:
    """The observations with their points if all of them happened and were the act of `by`, else none."""
    happened = [(one, one.point_s) for one in observations if one.point_s is not None and one.by == by]
    return happened if len(happened) == len(observations) else []


def _margin(observations: Sequence[Observation]) -> Fit | None:
    margins = [(one.lifetime_s - point, one.tolerance_s) for one, point in _points(observations, "device")]
    found = _shared(margins, 0.0, math.inf)
    if found is None:
        return None
    low, value, high = found
    residual = max(abs(margin - value) for margin, _ in margins)
    return _fit("margin", found, residual, (EXTRAPOLATED_S - high, EXTRAPOLATED_S - low))


def _fraction(observations: Sequence[Observation]) -> Fit | None:
    points = _points(observations, "device")
    found = _shared([(point / one.lifetime_s, one.tolerance_s / one.lifetime_s) for one, point in points], 0.0, 1.0)
    if found is None:
        return None
    low, value, high = found
    residual = max(abs(point - value * one.lifetime_s) for one, point in points)
    return _fit("fraction", found, residual, (EXTRAPOLATED_S * low, EXTRAPOLATED_S * high))


def _hub_cut(observations: Sequence[Observation]) -> Fit | None:
    points = _points(observations, "hub")
    late = [(point - one.lifetime_s - one.grace_s, one.tolerance_s) for one, point in points]
    if not late or any(abs(seconds) > tolerance for seconds, tolerance in late):
        return None
    low, high = min(seconds for seconds, _ in late), max(seconds for seconds, _ in late)
    cut = EXTRAPOLATED_S + HUB_GRACE_S
    return _fit("hub-cut", (low, (low + high) / 2, high), max(abs(low), abs(high)), (cut + low, cut + high))


def _never(observations: Sequence[Observation]) -> Fit | None:
    return Fit("none", 0.0, 0.0, 0.0, 0.0) if all(one.point_s is None for one in observations) else None


def _fit(law: Member, parameter: tuple[float, float, float], residual: float, at_3600: tuple[float, float]) -> Fit:
    """A fit to the microsecond: what the log itself resolves."""
    low, value, high = (round(one, 6) for one in parameter)
    return Fit(law, low, value, high, round(residual, 6), (round(at_3600[0], 6), round(at_3600[1], 6)))


def _shared(measured: Sequence[tuple[float, float]], least: float, most: float) -> tuple[float, float, float] | None:
    """The parameters that lie within the tolerance of every measured one: lowest, nearest to their weighted mean, highest."""
    if not measured:
        return None
    low = max(least, *(value - tolerance for value, tolerance in measured))
    high = min(most, *(value + tolerance for value, tolerance in measured))
    if low > high:
        return None
    weights = [tolerance**-2 for _, tolerance in measured]
    mean = sum(value * weight for (value, _), weight in zip(measured, weights, strict=True)) / sum(weights)
    return low, min(max(mean, low), high), high
