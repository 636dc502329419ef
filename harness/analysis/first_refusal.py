"""How a device was refused that was never let in: by which check of the hub, in which words, and what it made of that.

| `by` | what was seen |
|---|---|
| `hub` | an answer of the hub that names a check: CONNACK, the answer to a put-token, a refused ATTACH, SASL outcome or request |
| `sdk` | the scenario waits for a refusal, and the client could not be opened before the hub was shown anything |

`wire` is what a device can tell apart: `CONNACK 5`, `put-token 401`, `attach amqp:unauthorized-access`, `SASL 1`. What followed the first refusal is
named as after a refused reconnect (`harness.analysis.recovery`): no further attempt, retries of the SDK's own, or attempts that messages bring about.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from harness.analysis.fields import mapping, number, of_kind, text
from harness.analysis.findings import FirstRefusal, Recovery
from harness.analysis.recovery import REACTION_S, WATCHED_S, answers_or_retries, sends_between, worst_lag_s
from harness.analysis.timeline import Timeline
from harness.events import CellLog, Event

__all__ = ["awaits_first_refusal", "first_refusal", "pattern_of"]

_WIRE: Final = {
    "connack": ("CONNACK", "code"),
    "put-token-answered": ("put-token", "status"),
    "attach": ("attach", "condition"),
    "sasl-refused": ("SASL", "code"),
    "http-response": ("HTTP", "status"),
}
_JUDGED: Final = "certificate-judged"  # of which the device sees the links that are refused
_QUOTED: Final = re.compile(r"'[^']*'")
_ASSIGNED: Final = re.compile(r"(Hash|Thumbprint)=[^,;]*")


def first_refusal(log: CellLog, timeline: Timeline) -> FirstRefusal | None:
    """The refusal, or None where the device was let in, or neither hub nor SDK said no."""
    if timeline.admitted:
        return None
    events = [event for event in log.events if event.t / 1e6 < timeline.closing_s]
    refusals = [event for event in of_kind(events, "hub", *_WIRE, _JUDGED) if "check" in event.fields]
    if refusals:
        return _by_the_hub(refusals, events, timeline)
    failed = next(of_kind(events, "app", "open_failed"), None)
    if failed is None or not awaits_first_refusal(log):
        return None
    watched_s = round(timeline.closing_s - failed.t / 1e6, 3)
    return FirstRefusal(by="sdk", at_s=failed.t / 1e6, watched_s=watched_s, then="none")


def awaits_first_refusal(log: CellLog) -> bool:
    """Whether the scenario waits for one."""
    return (number(mapping(log.header.scenario, "end"), "first_refusals") or 0) > 0


def pattern_of(message: str) -> str:
    """An errorMessage as the documents write it, each value a `*` ("401003 IoTHubUnauthorized", symptom 2)."""
    return _ASSIGNED.sub(r"\1=*", _QUOTED.sub("'*'", message))


def _by_the_hub(refusals: Sequence[Event], events: Sequence[Event], timeline: Timeline) -> FirstRefusal:
    first = refusals[0]
    message = text(first.fields, "message")
    return FirstRefusal(
        by="hub",
        at_s=first.t / 1e6,
        check=text(first.fields, "check"),
        message=message,
        pattern=pattern_of(message),
        wire=_wire(first, events),
        attempts=len(refusals),
        watched_s=round(timeline.closing_s - first.t / 1e6, 3),
        then=_then(_begun(refusals, events), events, timeline),
        believed=any(of_kind(events, "app", "opened")),
    )


def _wire(refusal: Event, events: Iterable[Event]) -> str:
    """What the device could tell of it."""
    if refusal.kind == _JUDGED:
        conn = refusal.fields.get("conn")
        links = (event for event in of_kind(events, "hub", "attach") if event.fields.get("conn") == conn)
        refusal = next((event for event in links if event.fields.get("condition") is not None), refusal)
    word, field = _WIRE.get(refusal.kind, ("attach", ""))
    return f"{word} {refusal.fields.get(field, 'refused')}"


def _begun(refusals: Iterable[Event], events: Iterable[Event]) -> list[float]:
    """When each attempt began: with its connection, or, where that was refused before, with the refusal itself."""
    accepted = {event.fields.get("conn"): event.t / 1e6 for event in of_kind(events, "hub", "accepted")}
    return [accepted.pop(event.fields.get("conn"), event.t / 1e6) for event in refusals]


def _then(attempts: Sequence[float], events: Sequence[Event], timeline: Timeline) -> Recovery | None:
    """What followed; None where too little was watched, or the hub was too late to tell."""
    since, *later = attempts
    if not later:
        return "none" if timeline.closing_s - since >= WATCHED_S else None
    lag_s = worst_lag_s(since, timeline, events)
    sends = sends_between(since, timeline.closing_s, events)
    spans = (REACTION_S, REACTION_S + lag_s)
    judged = {answers_or_retries(later, sends, since, timeline.closing_s, within) for within in spans}
    return judged.pop() if len(judged) == 1 else None
