"""How many errors an SDK leaves in the hub's log per device and day, at its default settings, reckoned from what was measured.

```
renewals a day = 86400 s / the time from one token to the next, by the law and the default lifetime
errors a day   = renewals a day x error records per renewal, the mean of those seen
```

Where each request has a token of its own (HTTPS), and none of those that were seen left anything, a day's number is zero, however many requests it has. Else
law, default lifetime and records per renewal have to be observed, all three, or there is no figure and the reason instead.

The time from one token to the next is L - m for a margin, f x L for a fraction, and L + 600 s, the service's own grace, for a device that waits to
be cut. A device that never renews has no number of errors a day: the hub turns it out for good.

What the application is shown per renewal depends on what it is doing; here it is doing what the scenario's traffic says.
"""

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from harness.analysis.evidence import margin_of
from harness.analysis.fields import text
from harness.analysis.findings import AbsenceFinding, CellFindings, InBandFinding, Signature
from harness.analysis.lacking import HUB_LOG, NO_HUB_LOG, device_in_words
from harness.analysis.law import Fit, describe, seconds
from harness.analysis.rows import Row
from harness.scenario import HUB_GRACE_S

__all__ = [
    "DAY_S",
    "Volume",
    "period_s",
    "renewing_cells",
    "sentences",
    "unobserved",
    "volumes",
    "whole_renewals",
]

DAY_S: Final = 86400.0
WHOLE_FROM: Final = 10.0  # a day's errors are printed without decimals from here on


class Volume(msgspec.Struct, frozen=True):
    """One SDK, version and transport. Where `reason` says why there is no figure, what could not be observed is null.

    `law` (in words; `fit` is the law itself), `default_lifetime_s` and `period_s`, the seconds from one token to the next, are what the figures are
    made of, with `grace_s`, the service's own, where the device waits for the cut, and with `errors_per_renewal` and the like, means over the `renewals_seen`; `scenario` is where these were seen, with its `traffic`.
    `measured`: of a row that was; what is told of all that was measured does not speak of others.
    `date`: of a recording, and of a run that is read of on another day. `renewals_per_day_between`: by the interval of the law's parameter. `informational_per_day`: records that are no errors. `app_errors_per_day`: events with an exception that the application was shown.
    """

    sdk: str
    version: str
    transport: str
    device: str
    origin: str
    date: str = ""
    measured: bool = True
    reason: str = ""
    scenario: str = ""
    traffic: str = ""
    law: str | None = None
    fit: Fit | None = None
    default_lifetime_s: float | None = None
    grace_s: float | None = None
    period_s: float | None = None
    renewals_per_day: float | None = None
    renewals_per_day_between: tuple[float, float] | None = None
    renewals_seen: int = 0
    errors_per_renewal: float | None = None
    informational_per_renewal: float | None = None
    app_errors_per_renewal: float | None = None
    errors_per_day: float | None = None
    informational_per_day: float | None = None
    app_errors_per_day: float | None = None

    @classmethod
    def of(cls, row: Row) -> "Volume":
        """What the row says of whom it is about, without a figure."""
        origin, date = str(row.origin.get("kind", "this-run")), text(row.origin, "date")
        return cls(row.sdk, row.version, row.transport, row.device, origin, date)

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from the others."""
        return self.sdk, self.version, self.transport, self.device, self.origin, self.date

    @property
    def evidence(self) -> str:
        """What the device was, and when it was recorded."""
        return device_in_words(self.device, self.date)


def volumes(rows: Iterable[Row]) -> tuple[Volume, ...]:
    """One for each SDK, version, transport, device and origin, in the order of their first rows; from the row that shows most."""
    best: dict[tuple[str, ...], Volume] = {}
    for row in rows:
        found = _volume(row)
        known = best.get(found.identity)
        if known is None or _completeness(found) > _completeness(known):
            best[found.identity] = found
    return tuple(best.values())


def _completeness(volume: Volume) -> int:
    return (volume.errors_per_day is not None) * 4 + (volume.law is not None) * 2 + bool(volume.renewals_seen)


def _volume(row: Row) -> Volume:
    blank = msgspec.structs.replace(Volume.of(row), scenario=row.scenario, traffic=row.traffic)
    if row.status:
        return msgspec.structs.replace(blank, measured=False, reason=row.reason or row.status)
    seen = [one.signature for one in whole_renewals(renewing_cells(row))]
    fit = _own_law(row)
    facts = msgspec.structs.replace(
        blank,
        law=fit and describe(fit),
        fit=fit,
        default_lifetime_s=row.default_lifetime_s,
        grace_s=HUB_GRACE_S if fit and fit.law == "hub-cut" else None,
        renewals_seen=len(seen),
        errors_per_renewal=_mean(seen, lambda one: one.errors),
        informational_per_renewal=_mean(seen, lambda one: one.informational),
        app_errors_per_renewal=_mean(seen, lambda one: one.app_errors),
    )
    return _with_figures(facts, row, seen)


def _with_figures(facts: Volume, row: Row, seen: Sequence[Signature]) -> Volume:
    """The figures of a day, or why there are none."""
    fit, lifetime = facts.fit, facts.default_lifetime_s
    if HUB_LOG in row.lacks:
        unknown = {"errors_per_renewal": None, "informational_per_renewal": None, "reason": NO_HUB_LOG}
        return msgspec.structs.replace(facts, **unknown)
    if row.token_use == "each-request" and seen and not any(map(_leaves_something, seen)):  # noqa: S105 - no password
        return msgspec.structs.replace(facts, errors_per_day=0.0, informational_per_day=0.0, app_errors_per_day=0.0)
    if fit is None or lifetime is None:
        return msgspec.structs.replace(facts, reason=unobserved(row, fit))
    if fit.law == "none":
        gone_s = lifetime + HUB_GRACE_S
        return msgspec.structs.replace(facts, reason=f"it never renews: the hub cuts it once, after {seconds(gone_s)}")
    periods = [period_s(fit, value, lifetime) for value in (fit.low, fit.value, fit.high)]
    if min(periods) <= 0:
        nothing = f"{describe(fit)} leaves nothing of a lifetime of {seconds(lifetime)}"
        return msgspec.structs.replace(facts, reason=nothing)
    unseen = msgspec.structs.replace(facts, reason="no renewal was seen to its end")
    return _reckoned(facts, periods) if seen else unseen


def _leaves_something(one: Signature) -> bool:
    return bool(one.errors or one.informational or one.app_errors)


def _reckoned(facts: Volume, periods: Sequence[float]) -> Volume:
    """The figures, where a token follows the other after the middle one of `periods`, as far as the law tells."""
    _, period_s, _ = periods
    per_day = DAY_S / period_s
    return msgspec.structs.replace(
        facts,
        period_s=round(period_s, 3),
        renewals_per_day=round(per_day, 3),
        renewals_per_day_between=(round(DAY_S / max(periods), 3), round(DAY_S / min(periods), 3)),
        errors_per_day=_times(per_day, facts.errors_per_renewal),
        informational_per_day=_times(per_day, facts.informational_per_renewal),
        app_errors_per_day=_times(per_day, facts.app_errors_per_renewal),
    )


def renewing_cells(row: Row) -> list[CellFindings]:
    """The row's undisturbed cells at the SDK's own margin: those whose renewals are what an SDK's renewals look like."""
    cells = [cell for cell in row.cells if cell.measured and not cell.about_the_end and cell.credential == "key"]
    unset = [cell for cell in cells if margin_of(cell) == (None, None)]
    return unset or [
        cell for cell in cells if margin_of(cell) == margin_of(cells[0])
    ]  # one without effect, as in `points`


def whole_renewals(cells: Iterable[CellFindings]) -> list[AbsenceFinding | InBandFinding]:
    """Their renewals, as far as they were seen whole."""
    return [one for cell in cells for one in cell.renewals if not one.cut_short]


def _own_law(row: Row) -> Fit | None:
    """The SDK's own law, where nothing disturbed it and no margin was set."""
    if row.law is None or row.law_margin_set or any(cell.about_the_end for cell in row.cells):
        return None
    return row.law.fit


def unobserved(row: Row, fit: Fit | None) -> str:
    """Why there is no law, or, where there is one, no lifetime to apply it to."""
    if fit is not None:
        return "the default lifetime was not observed"
    if row.token_use == "each-request":  # noqa: S105 - no password
        return "every request has a token of its own, and one that is good leaves no record"
    if row.law is None or not row.law.observations:
        return "no renewal was observed"
    if row.law_margin_set:
        return "the law was observed with a margin that was set"
    return f"the law was not observed: {row.law.reason or 'the scenario disturbs it'}"


def period_s(fit: Fit, parameter: float, lifetime_s: float) -> float:
    """Seconds from one token to the next, for a value of the law's parameter."""
    if fit.law == "margin":
        return lifetime_s - parameter
    return lifetime_s * parameter if fit.law == "fraction" else lifetime_s + HUB_GRACE_S + parameter


def _mean(seen: Sequence[Signature], count: Callable[[Signature], int]) -> float | None:
    return round(statistics.fmean(map(count, seen)), 3) if seen else None


def _times(per_day: float, per_renewal: float | None) -> float | None:
    return None if per_renewal is None else round(per_day * per_renewal, 1)


def sentences(found: Iterable[Volume]) -> tuple[str, ...]:
    """What follows for somebody to whom the number of errors matters: real devices and emulated ones, this run's and recorded ones, apart."""
    groups: dict[str, list[Volume]] = {}
    for volume in found:
        if volume.measured:
            groups.setdefault(volume.evidence, []).append(volume)
    return tuple(
        f"{evidence}: {_sentence(members)}"
        for evidence, members in groups.items()
        if any(one.errors_per_day is not None for one in members)
    )


def _sentence(measured: Sequence[Volume]) -> str:
    members = [one for one in measured if one.errors_per_day is not None]
    fewest, most = min(map(_errors, members)), max(map(_errors, members))
    best = [one for one in members if _errors(one) == fewest]
    told = f"{_count(fewest)} in the hub's log {_who(best, measured)}"
    if fewest == most:
        return f"{told}."
    worst = [one for one in members if _errors(one) == most]
    chief = worst[0]
    made_of = f"{chief.errors_per_renewal:g} x {chief.renewals_per_day:.3g} renewals"
    return f"{told}; most with {_list(worst)}: {_count(most)} ({made_of})."


def _errors(volume: Volume) -> float:
    assert volume.errors_per_day is not None
    return volume.errors_per_day


def _count(errors: float) -> str:
    return f"{errors:{'.0f' if errors >= WHOLE_FROM else '.2g'}} errors a day" if errors else "no error"


def _who(best: Sequence[Volume], measured: Sequence[Volume]) -> str:
    """Whole SDKs first, then whole transports, then what is left; one of which no figure is known makes neither whole."""
    over = list(dict.fromkeys(one.transport for one in measured))
    if len(best) == len(measured):
        return f"with every SDK measured, over {', '.join(over)}"
    others = [one for one in measured if one not in best]
    sdks = [name for name in dict.fromkeys(map(_sdk, measured)) if name not in map(_sdk, others)]
    transports = [name for name in over if name not in {one.transport for one in others}]
    rest = [one for one in best if _sdk(one) not in sdks and one.transport not in transports]
    parts = [
        f"with {', '.join(sdks)} over every transport measured" if sdks else "",
        f"over {', '.join(transports)} with every SDK measured" if transports else "",
        f"with {_list(rest)}" if rest else "",
    ]
    return ", and ".join(filter(None, parts))


def _list(members: Iterable[Volume]) -> str:
    """Each SDK with its transports."""
    by_sdk: dict[str, list[str]] = {}
    for one in members:
        by_sdk.setdefault(_sdk(one), []).append(one.transport)
    return ", ".join(f"{sdk} over {' and '.join(over)}" for sdk, over in by_sdk.items())


def _sdk(volume: Volume) -> str:
    return f"{volume.sdk} {volume.version}"
