"""What of a cell's log is shown beside its story where room is short: the wire trace, and the SDK's own log, each with what was left out of it.

What the harness measures of its own delay is no part of a trace, and a record of the hub's log stands in it once, not as a table's row too. Where the rest is longer than it may
be, quiet traffic is left out of its middle first; where what remains is still too long, its own middle. A line of the SDK's log is never left out for
what it says: it, too, is cut in the middle.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from harness.events import CellLog, Event

__all__ = ["LONGEST_TEXT", "Excerpt", "Extract", "excerpt"]

LONGEST_TEXT: Final = 600
"""Characters of a text; the rest of it is left out."""
DEEPEST: Final = 12
"""Objects and arrays within each other; what is deeper is left out."""
_TOO_DEEP: Final = "… (nested deeper)"
_EXACT: Final = (1 << 53) - 1
"""Whole numbers that JavaScript keeps as they are; greater ones are told as text."""
_TRAFFIC: Final = frozenset(
    {
        *("telemetry", "puback", "disposition", "command", "sent", "stimulus", "ping", "http-request", "http-response"),
        *(
            "c2d-queued",
            "c2d-sent",
            "c2d-acknowledged",
            "c2d",
            "method-called",
            "method-sent",
            "method-answered",
            "method",
        ),
    }
)
_AS_THEY_ARE: Final = frozenset({bool, type(None)})
_SAID_ELSEWHERE: Final = frozenset({"row", "device_t"})


class Extract(msgspec.Struct, frozen=True):
    """Some of the events, in order, of `total`. `gaps`: before which of those that are shown others were left out, and how many."""

    events: tuple[Event, ...]
    total: int
    gaps: Mapping[int, int]


class Excerpt(msgspec.Struct, frozen=True):
    """`trace`: hub, application and harness; `sdk_log`: the SDK's own lines."""

    trace: Extract
    sdk_log: Extract


def excerpt(log: CellLog, most: int) -> Excerpt:
    """At most `most` events of the trace, and as many lines of the SDK's log; all of them where there are no more."""
    trace: list[Event] = []
    lines: list[Event] = []
    for event in log.events:
        if event.src == "sdk-log":
            lines.append(event)
        elif event.kind != "lag":
            trace.append(event)
    return Excerpt(_extract(trace, _kept(trace, most)), _extract(lines, _ends(range(len(lines)), most)))


def _kept(events: Sequence[Event], most: int) -> Sequence[int]:
    """The places of those that are shown."""
    if len(events) <= most:
        return range(len(events))
    telling: list[int] = []
    quiet: list[int] = []
    for place, event in enumerate(events):
        (quiet if _is_quiet(event) else telling).append(place)
    if len(telling) >= most:
        return _ends(telling, most)
    return sorted([*telling, *_ends(quiet, most - len(telling))])


def _is_quiet(event: Event) -> bool:
    return event.kind in _TRAFFIC and event.fields.get("cmd", "send") == "send"


def _ends(places: Sequence[int], most: int) -> Sequence[int]:
    """The first and the last of them."""
    if len(places) <= most:
        return places
    first = (most + 1) // 2
    return [*places[:first], *places[len(places) - (most - first) :]]


def _extract(events: Sequence[Event], places: Sequence[int]) -> Extract:
    if len(places) == len(events):
        return Extract(tuple(map(_shown, events)), len(events), {})
    gaps = {}
    for index, (place, before) in enumerate(zip([*places, len(events)], [-1, *places], strict=True)):
        if place - before > 1:
            gaps[index] = place - before - 1
    return Extract(tuple(_shown(events[place]) for place in places), len(events), gaps)


def _shown(event: Event) -> Event:
    fields = {
        name: value if value.__class__ in _AS_THEY_ARE else _shortened(value, DEEPEST)
        for name, value in event.fields.items()
        if name not in _SAID_ELSEWHERE
    }
    return Event(event.seq, event.t, event.src, event.kind, fields)


def _shortened(value: object, deep: int) -> object:
    """The value with none of its texts longer than may be, no more than `deep` levels, no number more exact than a thousandth, and none that a browser would change."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else f"{value[:LONGEST_TEXT]} … ({len(value) - LONGEST_TEXT} more)"
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, int):
        return value if -_EXACT <= value <= _EXACT else str(value)
    if isinstance(value, dict | Mapping):
        return {name: _shortened(one, deep - 1) for name, one in value.items()} if deep else _TOO_DEEP
    if isinstance(value, list | tuple):
        return [_shortened(one, deep - 1) for one in value] if deep else _TOO_DEEP
    return value
