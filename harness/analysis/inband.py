"""Renewals in place, each with what happened around it, and renewals that the hub refused.

A renewal in place is a put-token with another token than the one in use, answered 200 while the device stayed. It counts in the life of the
token it replaces, from the put-token's arrival, and has no gap. What belongs to it lies between half a second before the put-token (events of
the application travel through a pipe) and two seconds after the answer, but not beyond half a second before the next put-token, nor the cell's closing:

| of the renewal | is |
|---|---|
| signature | what the application was shown then; the hub's records from the put-token on: none, where nothing was disturbed |
| left | whether an absence began then |
| lost | numbered messages handed over to the device then that are lost, as `harness.analysis.messages` has it |
| c2d, methods | what became of the C2D message and the direct method that the harness sent because of it |

A refused renewal is another token than the one in use that the hub would not have: by put-token during the stay (`in-band`), or while the device
was away (`reconnect`). Up to the next accepted new token, that is all one attempt at renewing. To its signature belongs what the application was shown
from half a second before the put-token, or before the device left, and what the hub logged from then on, to two seconds after a new token was
accepted or the device was back.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec.structs import replace

from harness.analysis.fields import of_kind, whole
from harness.analysis.findings import InBandFinding, RefusedRenewal
from harness.analysis.messages import Outcomes, exchanges, probes
from harness.analysis.signatures import AFTER_S, BEFORE_S, Record, signature_within
from harness.analysis.timeline import Absence, Timeline
from harness.analysis.visits import PutToken, Token, Visit
from harness.events import Event

__all__ = ["PointOf", "in_band", "refused_renewals"]

PointOf = Callable[[Token, float], float | None]
"""How many seconds after the making of a token a moment lies."""


def in_band(
    events: Sequence[Event],
    timeline: Timeline,
    records: Sequence[Record],
    outcomes: Outcomes,
    lost_ids: Iterable[int],
    *,
    lifetime_s: float | None,
    point_of: PointOf,
) -> tuple[InBandFinding, ...]:
    """The renewals in place before the closing, in order."""
    puts = [(visit, put) for visit, put in _puts(timeline) if put.at_s < timeline.closing_s]
    lost = frozenset(lost_ids)
    found = []
    for index, (visit, put) in enumerate(puts):
        if not put.accepted or put.answered_s is None:
            continue
        following_s = puts[index + 1][1].at_s if index + 1 < len(puts) else timeline.closing_s
        start = max(put.at_s - BEFORE_S, visit.connack_s or 0.0)
        wanted = put.answered_s + AFTER_S
        stop = min(wanted, max(following_s - BEFORE_S, put.answered_s), timeline.closing_s)
        asked = probes(events, "renewal", since=put.at_s, until=following_s)
        found.append(
            InBandFinding(
                at_s=put.at_s,
                took_ms=round((put.answered_s - put.at_s) * 1e3, 3),
                lifetime_s=lifetime_s,
                point_s=None if put.replaces is None else point_of(put.replaces, put.at_s),
                left=any(start <= absence.left_s < stop for absence in timeline.absences),
                lost=tuple(sorted(lost & _handed_over(events, start, stop))),
                c2d=exchanges(outcomes.c2d, asked["c2d"]),
                methods=exchanges(outcomes.methods, asked["method"]),
                cut_short=timeline.closing_s < wanted,
                signature=signature_within(events, records, start, put.at_s, stop),
            )
        )
    return tuple(found)


def refused_renewals(
    events: Sequence[Event], timeline: Timeline, records: Sequence[Record], point_of: PointOf
) -> tuple[RefusedRenewal, ...]:
    """The refused renewals before the closing, in order."""
    found = []
    for away in timeline.absences:
        for one in away.refused:
            if _is_new(one.token, away.left):
                refused = RefusedRenewal(one.attempt_s, "reconnect", one.code or 0, None, _renewed_by_coming_back(away))
                found.append(_seen(refused, away.left_s, away.back_s, events, timeline, records))
    for visit, put in _puts(timeline):
        if put.refused:
            absence, renewed_s = _what_followed(visit, put, timeline)
            left_s = None if absence is None else absence.left_s
            over_s = renewed_s if absence is None else absence.back_s
            point_s = None if put.replaces is None else point_of(put.replaces, put.at_s)
            refused = RefusedRenewal(put.at_s, "in-band", put.status or 0, left_s, renewed_s, point_s)
            found.append(_seen(refused, put.at_s, over_s, events, timeline, records))
    return tuple(sorted((one for one in found if one.at_s < timeline.closing_s), key=lambda one: one.at_s))


def _seen(
    refused: RefusedRenewal,
    since: float,
    over_s: float | None,
    events: Sequence[Event],
    timeline: Timeline,
    records: Sequence[Record],
) -> RefusedRenewal:
    """With what was seen of it from `since` until it was over, or to the closing where it never was."""
    stop = timeline.closing_s if over_s is None else min(over_s + AFTER_S, timeline.closing_s)
    return replace(
        refused,
        cut_short=timeline.closing_s < (refused.at_s if over_s is None else over_s) + AFTER_S,
        signature=signature_within(events, records, since - BEFORE_S, since, stop),
    )


def _puts(timeline: Timeline) -> Iterator[tuple[Visit, PutToken]]:
    """The attempts at renewing in place."""
    return ((visit, put) for visit in timeline.admitted for put in visit.puts if not put.same)


def _handed_over(events: Sequence[Event], start: float, stop: float) -> set[int]:
    """Numbers of the messages that the device was told to send between the two moments."""
    within = (event for event in of_kind(events, "harness", "command") if start <= event.t / 1e6 < stop)
    numbers = (whole(event.fields, "id") for event in within if event.fields.get("cmd") == "send")
    return {number for number in numbers if number is not None}


def _what_followed(visit: Visit, refused: PutToken, timeline: Timeline) -> tuple[Absence | None, float | None]:
    """The absence that followed it, and when a new token was accepted."""
    later = (put for put in visit.puts if put.at_s > refused.at_s and put.accepted and not put.same)
    if renewed := next(later, None):
        return None, renewed.answered_s
    absence = next((one for one in timeline.absences if one.left == visit), None)
    return absence, None if absence is None else _renewed_by_coming_back(absence)


def _renewed_by_coming_back(absence: Absence) -> float | None:
    return absence.back_s if absence.back is not None and _is_new(absence.back.token, absence.left) else None


def _is_new(token: Token | None, left: Visit) -> bool:
    """Whether the token is another one than that of the stay the device left."""
    old = left.last_token
    return token is not None and old is not None and token.id != old.id
