"""What follows once the hub, or a fault of the scenario, has ended the device's stay.

The ends that are asked about: those the hub began, by a cut (but for `takeover`, `protocol`, `tokens-refused` and `keep-alive`, which are the device's own doing) or by closing; those of an outage; and those
of a device whose renewal was refused, by put-token before it left or when it came back. An end is counted from the moment the hub ended the stay or
the device left, or, where a renewal by a new connection was refused, from the first refusal. How it returned is asked from the first refusal on, whatever the end: the attempt that
was refused may have been of another kind.

| return | the device was let in again |
|---|---|
| `next-send` | after a send of the application: the first one, half a second after the end or later, and each that followed it before the last attempt was answered by an attempt within a quarter of a second, and no attempt answers none |
| `new-token` | with a token that the application supplied meanwhile, by an attempt that began within a quarter of a second after that, and not after a send |
| `by-itself` | otherwise |
| `none` | it was not, made no attempt, and was watched for fifteen seconds or more |

Both halves of `next-send` are needed: an attempt in its own time may fall behind a send by chance, but then mostly not behind the first one. An attempt begins when the hub accepts a connection, or with a put-token on one that stands. Where the only send that could have caused the first attempt
came within half a second after the end (or after that of the outage in which nobody could reach the hub), where the lag of the hub's loop makes a difference or is a second or more, where the device tried and was not let in, and
where it was watched for too short a time, or the log does not tell when the application sent, nothing can be told. Nor is a return possible with a token the application supplied, once the hub has cut
the connection for its expiry, unless it supplies another: what follows is counted from then on. A device whose program has ended is no longer watched.

`unaware` is how many seconds pass from such an end to the first sign that the device has noticed: the application is shown something (a status, an
exception, also that of a message it had sent, the demand for a token), or an attempt begins. An answer of the protocol (DETACH, CLOSE, a closed socket) is
no sign: nobody sees it. Where there was none until the closing, it lasted for longer than was watched.

`c2d-after-return` is about the C2D messages that were queued after an absence while the device was there again, five seconds or more before it left or
the cell was closed: `delivered` where every one of them was shown to the application before that stay ended, `dead` where none was. Where what it
reports of them carries no ids, the device's acknowledgement counts.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from harness.analysis.fields import of_kind, text
from harness.analysis.findings import EXPIRED, Aftermath, C2dAfterReturn, CellFindings, Return
from harness.analysis.lacking import NO_SENDS
from harness.analysis.messages import Results
from harness.analysis.outages import OUT_OF_REACH, reachable_s
from harness.analysis.recovery import BUSY_S, REACTION_S, sends_between, supplies, worst_lag_s
from harness.analysis.signatures import shown_in
from harness.analysis.timeline import Absence, Timeline
from harness.events import Event

__all__ = ["aftermath"]

WATCHED_S: Final = 15.0
CLEAR_S: Final = 0.5
DELIVERY_S: Final = 5.0
OWN_DOING: Final = frozenset({"takeover", "protocol", "tokens-refused", "keep-alive"})
NO_END: Final = "neither the hub nor a fault ended the device's stay"


def aftermath(timeline: Timeline, events: Sequence[Event], cell: CellFindings, c2d: Results) -> Aftermath:
    """What followed each end of the cell; `c2d` is what became of the C2D messages."""
    timeline = _while_it_ran(timeline, events)
    asked = [(absence, _since(absence)) for absence in timeline.absences if _is_asked_about(absence)]
    ends = [(absence, since) for absence, since in asked if since < timeline.closing_s]
    starts = _attempts(timeline, events)
    returned = [_returned(absence, since, starts, timeline, events, cell) for absence, since in ends]
    seen = [(since, _first_sign(since, starts, timeline, events)) for _, since in ends]
    noticed = tuple(round(sign - since, 3) for since, sign in seen if sign is not None)
    silent = [round(timeline.closing_s - since, 3) for since, sign in seen if sign is None]
    delivered, why_not = _c2d(timeline, events, c2d, cell)
    return Aftermath(
        returned=tuple(how for how, _ in returned if how is not None),
        returned_reason=next((reason for _, reason in returned if reason), "" if ends else NO_END),
        unaware_s=noticed,
        silent_s=max(silent, default=None),
        unaware_reason="" if ends else NO_END,
        c2d=delivered,
        c2d_reason=why_not,
    )


def _while_it_ran(timeline: Timeline, events: Sequence[Event]) -> Timeline:
    """The timeline up to the end of the device program: what is no longer there neither notices anything nor comes back."""
    over_s = min((event.t / 1e6 for event in of_kind(events, "harness", "adapter-exit")), default=math.inf)
    return replace(timeline, closing_s=min(timeline.closing_s, over_s))


def _is_asked_about(absence: Absence) -> bool:
    if absence.first == "hub":
        return absence.cause not in OWN_DOING
    return bool(absence.refused) or any(put.refused for put in absence.left.puts[-1:])


def _since(absence: Absence) -> float:
    if absence.first != "hub" and absence.refused:
        return absence.refused[0].connack_s or absence.left_s
    return absence.left_s


def _attempts(timeline: Timeline, events: Sequence[Event]) -> list[float]:
    """When each attempt began, up to the closing."""
    accepted = [event.t / 1e6 for event in of_kind(events, "hub", "accepted")]
    in_place = [visit.attempt_s for visit in timeline.visits if visit.accepted_s is None]
    return sorted(at for at in (*accepted, *in_place) if at <= timeline.closing_s)


def _returned(
    absence: Absence,
    since: float,
    starts: Sequence[float],
    timeline: Timeline,
    events: Sequence[Event],
    cell: CellFindings,
) -> tuple[Return | None, str]:
    """How the device returned after one end, or None and why that cannot be told."""
    since = max(since, absence.refused[0].connack_s or since) if absence.refused else since
    back_s = math.inf if absence.back_s is None else absence.back_s
    supplied_s = max((at for at in supplies(events) if since < at < back_s), default=None)
    if cell.credential == "token" and absence.cause == EXPIRED and supplied_s is None:
        return None, "the application's token had expired: it could not be let in again"
    since = since if supplied_s is None else supplied_s
    attempts = [at for at in starts if since < at <= back_s]
    if absence.back is not None and cell.sends_hidden:
        return None, NO_SENDS
    heard_s = reachable_s(since, events)
    if absence.back is not None:
        return _how(attempts, since, heard_s, timeline, events, supplied=supplied_s is not None)
    if attempts:
        return None, "it tried to come back and was not let in"
    if math.isinf(heard_s):
        return None, OUT_OF_REACH
    watched_s = timeline.closing_s - heard_s
    return ("none", "") if watched_s >= WATCHED_S else (None, f"the device was watched for only {watched_s:.1f} s")


def _how(
    attempts: Sequence[float],
    since: float,
    heard_s: float,
    timeline: Timeline,
    events: Sequence[Event],
    *,
    supplied: bool,
) -> tuple[Return | None, str]:
    sends = sends_between(since, timeline.closing_s, events)
    lag_s = worst_lag_s(since, timeline, events)
    withins = (REACTION_S, REACTION_S + lag_s)
    judged = {_judge(attempts, sends, heard_s, within) for within in withins}
    if len(judged) > 1 or lag_s >= BUSY_S:
        return None, f"the hub was late by up to {1e3 * lag_s:.0f} ms: coming back by itself and with a send look alike"
    how = judged.pop()
    if supplied and how == "by-itself" and min(attempts, default=math.inf) <= since + max(withins):
        return "new-token", ""
    return how, "" if how else "a send came so soon after the end that it cannot be told what made the device return"


def _judge(attempts: Sequence[float], sends: Sequence[float], since: float, within: float) -> Return | None:
    """What made the attempts, if a send shows its effect `within` so many seconds; None where that cannot be told."""
    causes = [next((at for at in reversed(sends) if at <= attempt <= at + within), None) for attempt in attempts]
    if not causes or None in causes:
        return "by-itself"
    due = [at for at in sends if since + CLEAR_S <= at <= attempts[-1]]
    if any(at not in causes for at in due):
        return "by-itself"
    return "next-send" if causes[0] in due else None


def _first_sign(since: float, starts: Sequence[float], timeline: Timeline, events: Sequence[Event]) -> float | None:
    told = (event.t / 1e6 for event in shown_in(events) if event.src == "app")
    signs = (at for at in (*starts, *told) if since < at <= timeline.closing_s)
    return min(signs, default=None)


def _c2d(
    timeline: Timeline, events: Sequence[Event], results: Results, cell: CellFindings
) -> tuple[C2dAfterReturn | None, str]:
    if "listening" not in cell.traffic.split("+"):
        return None, "the application does not listen"
    asked = dict(_asked(timeline, events))
    if not asked:
        return None, f"no C2D message was queued {DELIVERY_S:g} s or more before the device left again or was closed"
    answered = _first_answered(events)
    delivered = [name for name in asked.keys() & results.answered if answered[name] <= asked[name]]
    if delivered and len(delivered) < len(asked):
        return None, f"{len(delivered)} of {len(asked)} C2D messages were delivered"
    return ("delivered" if delivered else "dead"), ""


def _asked(timeline: Timeline, events: Sequence[Event]) -> Iterator[tuple[str, float]]:
    """The C2D messages queued in time, each with the end of the stay it was queued in."""
    stays = list(_returns(timeline))
    for event in of_kind(events, "hub", "c2d-queued"):
        until = next((stop for start, stop in stays if start <= event.t / 1e6 <= stop - DELIVERY_S), None)
        if until is not None:
            yield text(event.fields, "message_id"), until


def _first_answered(events: Sequence[Event]) -> dict[str, float]:
    """When each was first shown; where the application tells no ids, when it was acknowledged."""
    return _firsts(of_kind(events, "app", "c2d")) or _firsts(of_kind(events, "hub", "c2d-acknowledged"))


def _firsts(events: Iterable[Event]) -> dict[str, float]:
    found: dict[str, float] = {}
    for event in events:
        if name := text(event.fields, "message_id"):
            found.setdefault(name, event.t / 1e6)
    return found


def _returns(timeline: Timeline) -> Iterator[tuple[float, float]]:
    """The stays that follow an absence, from when to when."""
    for absence in timeline.absences:
        if absence.back is not None and absence.back_s is not None:
            leaving = absence.back.leaving
            yield absence.back_s, timeline.closing_s if leaving is None else min(leaving[0], timeline.closing_s)
