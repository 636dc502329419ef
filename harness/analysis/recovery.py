"""What follows once the hub has refused a reconnect (CONNACK 4 or 5, or a put-token answered by another status than 200).

| recovery | further attempts to connect |
|---|---|
| `none` | none, although the device was watched for five seconds or more; a device that left and never even tried counts here too, as does one that waits for the answer to its attempt |
| `next-send` | each of them the first after a send of the application, three in four, at least, within a quarter of a second after it, and three in four sends, at least, have one |
| `retries` | others too: the SDK tries again by itself |

A send shortly before the trouble, or before the end, counts as a cause, but not against an SDK that did not answer it. Both halves of `next-send` are needed: attempts in whole seconds may fall behind sends in whole seconds by chance, but then not behind all of them.
A busy machine may hold up the device for longer than a quarter of a second now and then, which is why one attempt in four may be late.

A log that does not tell when the application sent can show `none` only. What follows once the device is back, or the application has supplied another token, is no
matter of the refusal. Where an outage kept the device from reaching the hub, all counts from its end.

What happened is stamped when the hub's loop sees it, so an answer to a send may appear later by as much as that loop was late. The attempts are judged
with the quarter of a second and with the worst lag since the trouble added to it; where that makes a difference, nothing can be told, nor where that lag is a
second or more: then an answer may even appear before its cause.
"""

import math
from collections.abc import Sequence

from harness.analysis.fields import number, of_kind
from harness.analysis.findings import Recovery
from harness.analysis.lacking import NO_SENDS
from harness.analysis.outages import OUT_OF_REACH, reachable_s
from harness.analysis.renewals import LAG_WINDOW_S
from harness.analysis.timeline import Absence, Timeline
from harness.events import Event

__all__ = [
    "BUSY_S",
    "REACTION_S",
    "WATCHED_S",
    "answers_or_retries",
    "recovery",
    "sends_between",
    "supplies",
    "worst_lag_s",
]

WATCHED_S = 5.0
REACTION_S = 0.25
MOST = 0.75
BUSY_S = 1.0


def recovery(timeline: Timeline, events: Sequence[Event], *, sends_hidden: bool = False) -> tuple[Recovery | None, str]:
    """What the device did after its first refused reconnect, or None and why that cannot be told."""
    troubles = ((absence, _trouble(absence, timeline)) for absence in timeline.absences)
    absence, trouble_s = next((one for one in troubles if one[1] is not None), (None, None))
    if absence is None or trouble_s is None:
        return None, "no reconnect was refused"
    since = reachable_s(trouble_s, events)
    back_s = timeline.closing_s if absence.back_s is None else min(absence.back_s, timeline.closing_s)
    until = min((at for at in supplies(events) if since < at), default=back_s)
    later = [at for at in _attempts(timeline) if since < at <= until]
    watched_s = until - since
    if not later and watched_s < WATCHED_S:
        short = f"the device was watched for only {watched_s:.1f} s after it was refused or left"
        return None, OUT_OF_REACH if math.isinf(since) else short
    if not later:
        return "none", ""
    if sends_hidden:
        return None, NO_SENDS
    lag_s = worst_lag_s(since, timeline, events)
    sends = sends_between(since - REACTION_S - lag_s, until, events)
    judged = {answers_or_retries(later, sends, since, until, within) for within in (REACTION_S, REACTION_S + lag_s)}
    if len(judged) > 1 or lag_s >= BUSY_S:
        return None, f"the hub was late by up to {1e3 * lag_s:.0f} ms: retries and answers to a send look alike"
    return judged.pop(), ""


def answers_or_retries(
    attempts: Sequence[float], sends: Sequence[float], since: float, until: float, within: float
) -> Recovery:
    """Whether the attempts answer sends, if an answer comes `within` so many seconds."""
    causes = [at for at in sends if since - within <= at]
    in_time = sum(since <= at <= until - within for at in causes)
    return "next-send" if _answer(attempts, causes, within) and len(attempts) >= MOST * in_time else "retries"


def worst_lag_s(since: float, timeline: Timeline, events: Sequence[Event]) -> float:
    """The worst lag of the hub's loop from `since` to the closing, in seconds."""
    reports = [
        one for one in of_kind(events, "harness", "lag") if since <= one.t / 1e6 <= timeline.closing_s + LAG_WINDOW_S
    ]
    return max((number(one.fields, "worst_ms") or 0.0 for one in reports), default=0.0) / 1e3


def _trouble(absence: Absence, timeline: Timeline) -> float | None:
    """When the device was first refused, or tried in vain, or, where it never even tried, left; None where it came back unhindered."""
    if absence.refused:
        return absence.refused[0].attempt_s
    if absence.back is not None:
        return None
    unanswered = (one.attempt_s for one in timeline.visits if one.asked and one.code is None)
    return min((at for at in unanswered if at >= absence.left_s), default=absence.left_s)


def _attempts(timeline: Timeline) -> list[float]:
    """When attempts were first seen: how long TLS takes on a busy machine says nothing about what brought them about."""
    return sorted(one.began_s for one in timeline.visits if one.attempt_s <= timeline.closing_s)


def sends_between(since: float, until: float, events: Sequence[Event]) -> list[float]:
    """When the application sent, within these moments."""
    commands = of_kind(events, "harness", "command")
    sends = (event.t / 1e6 for event in commands if event.fields.get("cmd") == "send")
    return [at for at in sends if since <= at <= until]


def supplies(events: Sequence[Event]) -> list[float]:
    """When the application supplied another token."""
    return [event.t / 1e6 for event in of_kind(events, "harness", "token-supplied")]


def _answer(attempts: Sequence[float], sends: Sequence[float], within: float) -> bool:
    """Whether each attempt has a send of its own: one at most `within` so many seconds before it or, seldom, the last before it."""
    unused, late = list(sends), 0
    for attempt in attempts:
        cause = next((at for at in unused if at <= attempt <= at + within), None)
        if cause is None:
            late += 1
            cause = max((at for at in sends if at <= attempt), default=None)
        if cause not in unused:
            return False
        unused.remove(cause)
    return late <= (1 - MOST) * len(attempts)
