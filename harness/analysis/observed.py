"""What was observed about each kind of claim.

| kind | observed in |
|---|---|
| token-lifetime | the first token of the cells in which nothing set a lifetime |
| lifetime-configurable, renewal-point-configurable | `harness.analysis.configurable` |
| renewal-point, disconnect-point | `harness.analysis.points`, fitted by `harness.analysis.law` |
| renewal-action, token-use, recovery | the cells of the row's main settings |
| return, unaware, c2d-after-return | the same, by `harness.analysis.aftermath` |
| all others | each telling absence or renewal of these cells (`CellFindings.telling`); a signature only where the cell went on for long enough to show all of it |

Beside renewals, the times a device was away without renewing count too (`CellFindings.unexplained`): where a token was renewed in place twice and the
connection was lost in between, the application was told something.
At a renewal in place nothing is closed, so nobody closes first, and the hub logs nothing: its signature is empty, its level `none`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

from harness.analysis.configurable import TOO_SLOW, default_token, lifetime_configurable, point_configurable
from harness.analysis.evidence import Evidence, Observed, own_key, printable
from harness.analysis.findings import AbsenceFinding, Aftermath, CellFindings, InBandFinding, Telling
from harness.analysis.lacking import HUB_LOG, NO_HUB_LOG
from harness.analysis.law import LawFinding, Observation, describe_interval, seconds
from harness.analysis.points import laws, renewal_ways
from harness.claims import ClaimKind, ClaimValue

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


Side = Literal["hub", "app"]
IN_PLACE: Final = "it was done in place: nothing was closed"


def _of_absences(
    value: Callable[[Telling], ClaimValue | None], side: Side | None = None
) -> Callable[[Evidence], Observed]:
    """The distinct values of the telling absences and renewals; None is one that does not show it.

    With a `side`, one whose signature may lack something there is left out.
    """

    def observed(evidence: Evidence) -> Observed:
        if side == "hub" and all(HUB_LOG in cell.lacks for cell in evidence.main):
            return Observed(reason=NO_HUB_LOG)
        telling = [one for cell in evidence.main for one in _told(cell)]
        whole = [absence for absence in telling if not _lacks(absence, side)]
        seen = [shown for absence in whole if (shown := value(absence)) is not None]
        if telling and not whole:
            return Observed(reason="the cell ended too soon after the device had left to show all of it")
        return _distinct(seen, _why_not_shown(telling) if telling else _why_never_away(evidence))

    return observed


def _told(cell: CellFindings) -> tuple[Telling, ...]:
    return (*cell.telling, *(cell.unexplained if cell.renewals else ()))


def _lacks(shown: Telling, side: Side | None) -> bool:
    """Whether the signature may lack something on that side; what the hub logs is complete once the device is back."""
    return side is not None and shown.cut_short and (side == "app" or shown.back_s is None)


def _why_not_shown(telling: Sequence[Telling]) -> str:
    return "the log does not tell" if any(isinstance(one, AbsenceFinding) for one in telling) else IN_PLACE


def _levels(shown: Telling) -> str | None:
    return shown.signature.levels or ("none" if isinstance(shown, InBandFinding) else None)


def _codes(shown: Telling) -> tuple[str, ...] | None:
    return shown.signature.hub or (() if isinstance(shown, InBandFinding) else None)


def _why_never_away(evidence: Evidence) -> str:
    if told := _never_let_in(evidence):
        return told
    others = sorted({absence.cause for cell in evidence.main for absence in cell.absences})
    if others:
        return f"the device was away only because the hub cut it for another reason: {', '.join(others)}"
    return "the device was never away"


def _never_let_in(evidence: Evidence) -> str:
    """That no main cell of the row ever had a connection, or an empty text."""
    if any(cell.connections for cell in evidence.main):
        return ""
    return ": ".join(filter(None, ("the device was never let in", evidence.main[0].reason)))


def _renewal_action(evidence: Evidence) -> Observed:
    watched = max(cell.watched_s for cell in evidence.main)
    unseen = f"no renewal was seen in {seconds(watched)}, and no token was watched to its end"
    return _distinct(renewal_ways(evidence.main), _never_let_in(evidence) or unseen)


def _token_use(evidence: Evidence) -> Observed:
    reason = (
        "no two requests are far enough apart to tell"
        if evidence.main[0].transport == "https"
        else "there are no requests"
    )
    return _distinct((cell.token_use for cell in own_key(evidence.main) if cell.token_use), reason)


def _recovery(evidence: Evidence) -> Observed:
    reason = evidence.main[0].recovery_reason
    return _distinct((cell.recovery for cell in evidence.main if cell.recovery is not None), reason)


def _aftermaths(evidence: Evidence) -> list[Aftermath]:
    return [cell.aftermath for cell in evidence.main]


def _return(evidence: Evidence) -> Observed:
    found = _aftermaths(evidence)
    reason = next((one.returned_reason for one in found if one.returned_reason), "")
    return _distinct((how for one in found for how in one.returned), reason)


def _unaware(evidence: Evidence) -> Observed:
    found = _aftermaths(evidence)
    noticed = [after_s for one in found for after_s in one.unaware_s]
    longest = max((one.silent_s for one in found if one.silent_s is not None), default=None)
    never = [] if longest is None else [f"more than {seconds(longest)}"]
    text = ", ".join([*map(seconds, noticed), *never])
    reason = (
        found[0].unaware_reason
        if longest is None
        else f"there was no sign in the {seconds(longest)} it was watched for"
    )
    return Observed(tuple(noticed), text, reason=reason, longer_s=longest)


def _c2d_after_return(evidence: Evidence) -> Observed:
    found = _aftermaths(evidence)
    return _distinct((one.c2d for one in found if one.c2d is not None), found[0].c2d_reason)


def _token_lifetime(evidence: Evidence) -> Observed:
    first = default_token(evidence)
    if first is None:
        return Observed(reason="no cell left the lifetime to the SDK")
    return Observed((first.lifetime_s,), seconds(first.lifetime_s), reason=TOO_SLOW, first=first)


_OBSERVERS: Mapping[ClaimKind, Callable[[Evidence], Observed]] = {
    "token-lifetime": _token_lifetime,
    "lifetime-configurable": lifetime_configurable,
    "renewal-point": _law(lambda both: both[0]),
    "renewal-point-configurable": point_configurable,
    "disconnect-point": _law(lambda both: both[1]),
    "renewal-action": _renewal_action,
    "token-use": _token_use,
    "closes-first": _of_absences(lambda absence: absence.first or None),
    "hub-log-levels": _of_absences(_levels, "hub"),
    "hub-signature": _of_absences(_codes, "hub"),
    "app-signature": _of_absences(lambda absence: absence.signature.app, "app"),
    "recovery": _recovery,
    "return": _return,
    "unaware": _unaware,
    "c2d-after-return": _c2d_after_return,
}
