"""What was observed about each kind of claim.

| kind | observed in |
|---|---|
| token-lifetime | the first token of the cells in which nothing set a lifetime |
| lifetime-configurable, renewal-point-configurable | `harness.analysis.configurable` |
| renewal-point, disconnect-point | `harness.analysis.points`, fitted by `harness.analysis.law` |
| all others | the cells of the row's main settings: each of their telling absences (`CellFindings.telling`) |
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.analysis.configurable import default_lifetime, lifetime_configurable, point_configurable
from harness.analysis.evidence import Evidence, Observed, printable
from harness.analysis.findings import AbsenceFinding
from harness.analysis.law import LawFinding, Observation, describe_interval, seconds
from harness.analysis.points import laws, watched_to_the_end
from harness.profile import ClaimKind, ClaimValue

__all__ = ["observe"]


def observe(kind: ClaimKind, evidence: Evidence) -> Observed:
    """What was observed about claims of `kind`."""
    return _OBSERVERS[kind](evidence)


def _law(which: Callable[[tuple[LawFinding, LawFinding]], LawFinding]) -> Callable[[Evidence], Observed]:
    def observed(evidence: Evidence) -> Observed:
        renewing, disconnecting, margin_set = laws(evidence)
        law = which((renewing, disconnecting))
        if margin_set:
            return Observed(reason="the settings set the margin; a default is observed only where nothing does")
        if law.fit is None:
            return Observed(text=_points(law.observations), reason=law.reason, law=law)
        text = describe_interval(law.fit)
        return Observed((text,), text, law=law)

    return observed


def _points(observations: Sequence[Observation]) -> str:
    """One observation for each lifetime, as `10.3 s of 130 s`."""
    first = {one.lifetime_s: one.point_s for one in reversed(observations)}
    return ", ".join(
        f"never in {seconds(lifetime)}" if point is None else f"{seconds(point)} of {seconds(lifetime)}"
        for lifetime, point in sorted(first.items())
    )


def _distinct(values: Iterable[ClaimValue], reason: str) -> Observed:
    """The distinct values, the most frequent first; `reason` is why there are none."""
    counted = Counter(values)
    if not counted:
        return Observed(reason=reason)
    total = counted.total()
    texts = [
        printable(value) if len(counted) == 1 else f"{printable(value)} ({times} of {total})"
        for value, times in counted.most_common()
    ]
    return Observed(tuple(value for value, _ in counted.most_common()), "; ".join(texts))


def _of_absences(value: Callable[[AbsenceFinding], ClaimValue | None]) -> Callable[[Evidence], Observed]:
    """The distinct values of the telling absences; None is an absence that does not show it."""

    def observed(evidence: Evidence) -> Observed:
        telling = [absence for cell in evidence.main for absence in cell.telling]
        seen = [shown for absence in telling if (shown := value(absence)) is not None]
        return _distinct(seen, "the log does not tell" if telling else _why_never_away(evidence))

    return observed


def _why_never_away(evidence: Evidence) -> str:
    others = sorted({absence.cause for cell in evidence.main for absence in cell.absences})
    if others:
        return f"the device was away only because the hub cut it for another reason: {', '.join(others)}"
    return "the device was never away"


def _renewal_action(evidence: Evidence) -> Observed:
    ways = [one.renewal for cell in evidence.main for one in cell.renewals if one.renewal is not None]
    if not ways and all(map(watched_to_the_end, evidence.main)):
        return _distinct(["none"], "")
    watched = max(cell.watched_s for cell in evidence.main)
    return _distinct(ways, f"no renewal was seen in {seconds(watched)}, and the first token was valid for longer")


def _recovery(evidence: Evidence) -> Observed:
    reason = evidence.main[0].recovery_reason
    return _distinct((cell.recovery for cell in evidence.main if cell.recovery is not None), reason)


def _token_lifetime(evidence: Evidence) -> Observed:
    default = default_lifetime(evidence)
    if default is None:
        return Observed(reason="no cell left the lifetime to the SDK")
    return Observed((default,), seconds(default))


_OBSERVERS: Mapping[ClaimKind, Callable[[Evidence], Observed]] = {
    "token-lifetime": _token_lifetime,
    "lifetime-configurable": lifetime_configurable,
    "renewal-point": _law(lambda both: both[0]),
    "renewal-point-configurable": point_configurable,
    "disconnect-point": _law(lambda both: both[1]),
    "renewal-action": _renewal_action,
    "closes-first": _of_absences(lambda absence: absence.first or None),
    "hub-log-levels": _of_absences(lambda absence: absence.signature.levels or None),
    "hub-signature": _of_absences(lambda absence: absence.signature.hub or None),
    "app-signature": _of_absences(lambda absence: absence.signature.app),
    "recovery": _recovery,
}
