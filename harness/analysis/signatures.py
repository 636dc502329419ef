"""What an absence looks like: the codes of the hub's log, and what the application was shown.

| record of the hub | code |
|---|---|
| deviceConnect, Information | `connect` |
| deviceConnect, Error 401003 | `refused 401003` |
| deviceDisconnect, Information | `disconnect` |
| deviceDisconnect, Error 401003 | `401003` |

To an absence belong the hub's records since the device was last let in, up to the moment it is let in again.

Of the application's events, those that tell it something: status callbacks, the demand for a token, and all that carry an exception.
A text is made of callback (or the event's kind, unless that is `status`), `status/reason`, and the classes of the exception, outermost first:
`on_connection_state_change False`, `DISCONNECTED_RETRYING/EXPIRED_SAS_TOKEN`, `send_failed: CredentialError <- UnauthorizedError`.
They travel through a pipe and may precede what they tell of, so an absence owns those from half a second before it to two seconds
after it, as far as the neighbours leave them to it. Where the cell ended sooner, the absence was cut short: what is missing may have been
about to come.

Between runs of the same behaviour the number of repetitions differs, and where threads race their order too. So what the application saw, and
the lines of the SDK's log, stand once each, in the order of their first appearance, and `… (repeated)` follows where anything came
again. Of the hub's codes, whose order is certain, only immediate repetitions are left out.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from harness.analysis.fields import chain, mapping, of_kind, of_sources, once, text
from harness.analysis.findings import Signature
from harness.analysis.timeline import Absence, Timeline
from harness.events import Event

__all__ = [
    "AFTER_S",
    "BEFORE_S",
    "REPEATED",
    "Record",
    "app_text",
    "collapse",
    "firsts",
    "hub_records",
    "in_brief",
    "is_cut_short",
    "levels_of",
    "overall",
    "shown_in",
    "signature_within",
    "signatures",
]

REPEATED: Final = "… (repeated)"
BEFORE_S = 0.5
AFTER_S = 2.0
LONGEST_CYCLE = 12
LEVEL_REACH = 80
LEVEL_WORD = re.compile(r"\b(?:TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL|SEVERE)\b", re.IGNORECASE)
PACKAGES = re.compile(r"\b(?:[A-Za-z_][\w$]*\.)+(?=[A-Za-z_])")
NOTABLE = frozenset({"WARN", "WARNING", "ERROR", "CRITICAL", "FATAL", "SEVERE"})
TELLING = frozenset({"status", "token_required"})


class Record(msgspec.Struct, frozen=True):
    """One record of the hub's log: when, as which code, at which level (`Information`, `Error`)."""

    at_s: float
    code: str
    level: str


def hub_records(events: Sequence[Event], until_s: float) -> tuple[Record, ...]:
    """The hub's records in order, without those of the harness's own ending of the cell."""
    return tuple(record for record in _records(events) if record.at_s <= until_s)


@once
def _records(events: Sequence[Event]) -> tuple[Record, ...]:
    return tuple(_record(event) for event in of_kind(events, "hub", "record"))


def signatures(events: Sequence[Event], timeline: Timeline, records: Sequence[Record]) -> tuple[Signature, ...]:
    """One signature for each of the timeline's absences."""
    absences = timeline.absences
    seen = shown_in(events)
    found = []
    for absence, following in zip(absences, (*absences[1:], None), strict=False):
        hub = [record for record in records if _belongs(record, absence)]
        window = _window(absence, following, timeline.closing_s)
        found.append(_signature(hub, [event for event in seen if window[0] <= event.t / 1e6 < window[1]]))
    return tuple(found)


def overall(events: Sequence[Event], timeline: Timeline, records: Sequence[Record]) -> Signature:
    """The signature of the whole cell, up to its closing."""
    return _signature(records, [one for one in shown_in(events) if one.t / 1e6 < timeline.closing_s])


def signature_within(
    events: Sequence[Event], records: Sequence[Record], start: float, records_from: float, stop: float
) -> Signature:
    """The signature of what the application saw from `start` on, and the hub logged from `records_from` on, before `stop`."""
    hub = [record for record in records if records_from <= record.at_s < stop]
    return _signature(hub, [one for one in shown_in(events) if start <= one.t / 1e6 < stop])


def is_cut_short(absence: Absence, timeline: Timeline, *, interrupted: bool) -> bool:
    """Whether the cell ended before all that belongs to the absence could be seen; `interrupted`: it stopped before its own end."""
    since = absence.left_s if absence.back_s is None else absence.back_s
    watched_s = round(timeline.closing_s - since, 6)
    return watched_s < AFTER_S or (interrupted and absence.back is None)


def _signature(hub: Sequence[Record], shown: Sequence[Event]) -> Signature:
    errors = sum(map(_is_error, hub))
    return Signature(
        hub=collapse(record.code for record in hub),
        levels=levels_of(hub),
        app=firsts(app_text(event) for event in shown if event.src == "app"),
        log=firsts(text(event.fields, "text") for event in shown if event.src == "sdk-log"),
        errors=errors,
        informational=len(hub) - errors,
        app_errors=sum(event.src == "app" and bool(chain(event.fields)) for event in shown),
    )


def firsts(entries: Iterable[str]) -> tuple[str, ...]:
    """Each entry once, in the order of their first appearance, and `REPEATED` where any came again."""
    counted = Counter(entries)
    return (*counted, *([REPEATED] if counted.total() > len(counted) else []))


def levels_of(records: Iterable[Record]) -> str:
    """`informational`, `error`, `informational+error`, or empty without records."""
    levels = {"error" if _is_error(record) else "informational" for record in records}
    return "+".join(sorted(levels, reverse=True))


def _is_error(record: Record) -> bool:
    return record.level.startswith("Err")


def collapse(entries: Iterable[str]) -> tuple[str, ...]:
    """The entries with every immediate repetition of a sequence (of up to a dozen) written once."""
    out: list[str] = []
    for entry in entries:
        out.append(entry)
        longest = min(LONGEST_CYCLE, len(out) // 2)
        cycle = next((n for n in range(1, longest + 1) if out[-n:] == out[-2 * n : -n]), 0)
        del out[len(out) - cycle :]
    return tuple(out)


def app_text(event: Event) -> str:
    """What an event of the application says, in one line; see the module's table."""
    fields = event.fields
    head = text(fields, "callback") or ("" if event.kind == "status" else event.kind)
    state = "/".join(filter(None, (text(fields, "status"), text(fields, "reason"))))
    return ": ".join(filter(None, (" ".join(filter(None, (head, state))), " <- ".join(chain(fields)))))


def in_brief(app: Iterable[str]) -> tuple[str, ...]:
    """What the application saw, each thing once, with classes named without their packages."""
    return tuple(dict.fromkeys(map(_without_packages, app)))


def _without_packages(seen: str) -> str:
    """Classes stand behind the first colon; what stands before it is the SDK's own word."""
    word, colon, classes = seen.partition(": ")
    return word + colon + PACKAGES.sub("", classes)


def _record(event: Event) -> Record:
    record = mapping(event.fields, "record")
    level, result = text(record, "level"), text(record, "resultType")
    return Record(event.t / 1e6, _code(text(record, "operationName"), level, result), level)


def _code(operation: str, level: str, result: str) -> str:
    plain = {"deviceConnect": "connect", "deviceDisconnect": "disconnect"}.get(operation, operation)
    if not level.startswith("Err"):
        return plain
    failed = {"connect": "refused", "disconnect": ""}.get(plain, plain)
    return " ".join(filter(None, (failed, result))) or plain


def _belongs(record: Record, absence: Absence) -> bool:
    since = absence.left.connack_s or 0.0
    return since < record.at_s and (absence.back_s is None or record.at_s <= absence.back_s)


@once
def shown_in(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events that tell the application something, and the lines of the SDK's log at WARNING or above, in order."""
    return tuple(event for event in of_sources(events, "app", "sdk-log") if _is_shown(event))


def _is_shown(event: Event) -> bool:
    if event.src == "sdk-log":
        return _is_notable(event.fields)
    return event.kind in TELLING or bool(chain(event.fields))


def _is_notable(fields: Mapping[str, object]) -> bool:
    """By the line's level, or, where the log has none, by the word most loggers write near its beginning."""
    level = text(fields, "level")
    if not level and (found := LEVEL_WORD.search(text(fields, "text"), 0, LEVEL_REACH)):
        level = found[0]
    return level.upper() in NOTABLE


def _window(absence: Absence, following: Absence | None, closing_s: float) -> tuple[float, float]:
    """From when to when the application's events belong to the absence; without a return, to the cell's end."""
    start = max(absence.left_s - BEFORE_S, absence.left.connack_s or 0.0)
    if absence.back_s is None:
        return start, closing_s
    stop = min(absence.back_s + AFTER_S, closing_s)
    return start, stop if following is None else min(stop, max(following.left_s - BEFORE_S, absence.back_s))
