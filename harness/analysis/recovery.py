"""What follows once the hub has refused a reconnect (CONNACK 4 or 5).

| recovery | further attempts to connect |
|---|---|
| `none` | none, although the device was watched for five seconds or more; a device that left and never even tried counts here too |
| `next-send` | each of them within a quarter of a second after a send of the application, and three in four sends, at least, have one |
| `retries` | others too: the SDK tries again by itself |

A send shortly before the trouble, or before the end, counts as a cause, but not against an SDK that did not answer it. Both halves of `next-send` are needed: attempts in whole seconds may fall behind sends in whole seconds by chance, but then not behind all of them.
"""

from collections.abc import Iterable, Sequence

from harness.analysis.fields import of_kind
from harness.analysis.findings import Recovery
from harness.analysis.timeline import Absence, Timeline
from harness.events import Event

__all__ = ["recovery"]

WATCHED_S = 5.0
REACTION_S = 0.25
MOST = 0.75


def recovery(timeline: Timeline, events: Iterable[Event]) -> tuple[Recovery | None, str]:
    """What the device did after its first refused reconnect, or None and why that cannot be told."""
    since = next((since for absence in timeline.absences if (since := _trouble(absence)) is not None), None)
    if since is None:
        return None, "no reconnect was refused"
    later = [at for at in _attempts(timeline) if since < at]
    watched_s = timeline.closing_s - since
    if not later and watched_s < WATCHED_S:
        return None, f"the device was watched for only {watched_s:.1f} s after it was refused or left"
    if not later:
        return "none", ""
    sends = _sends(since - REACTION_S, timeline, events)
    in_time = sum(since <= at <= timeline.closing_s - REACTION_S for at in sends)
    return ("next-send" if _answer(later, sends) and len(later) >= MOST * in_time else "retries"), ""


def _trouble(absence: Absence) -> float | None:
    """When the device was first refused, or, where it never even tried, when it left; None where it came back unhindered."""
    if absence.refused:
        return absence.refused[0].attempt_s
    return absence.left_s if absence.back is None else None


def _attempts(timeline: Timeline) -> list[float]:
    return sorted(one.attempt_s for one in timeline.connections if one.attempt_s <= timeline.closing_s)


def _sends(since: float, timeline: Timeline, events: Iterable[Event]) -> list[float]:
    """When the application sent, until it was told to close."""
    commands = of_kind(events, "harness", "command")
    sends = (event.t / 1e6 for event in commands if event.fields.get("cmd") == "send")
    return [at for at in sends if since <= at <= timeline.closing_s]


def _answer(attempts: Sequence[float], sends: Sequence[float]) -> bool:
    """Whether each attempt comes shortly after a send that no earlier one came after."""
    unused = list(sends)
    for attempt in attempts:
        cause = next((at for at in unused if at <= attempt <= at + REACTION_S), None)
        if cause is None:
            return False
        unused.remove(cause)
    return True
