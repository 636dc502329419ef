"""What went wrong in a cell, in episodes, and how the application was told of each.

An episode is a span (`harness.analysis.spans`), with all that was shown of it. What went wrong in it bears the names of `harness.analysis.troubles`, in order, each
repetition once.

| told | the application |
|---|---|
| `callback` | was called: a status, or an exception that belongs to none of its calls |
| `exception on next call` | got an exception from a call of its own, most often the next send |
| `silent` | neither; it has to look for itself |
| `lost`, `duplicated`, `reordered` | has messages of which that became, in the cell as a whole |

Of what the application was shown (`harness.analysis.signatures`), from half a second before the episode to two seconds after it, as far as the
neighbours leave that to it, a status that says no more than that all is well is no news of a trouble. Two kinds of status say so, whatever their words: those
shown when the device was first let in, and the one that stood when the SDK declared its client open (`opened`), the last before it, if it came without an
exception. The latter counts for a device that is never let in, too: an SDK may declare it before the hub has judged. What it is shown because its client is being
closed, after the closing, comes too late.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Final, Literal

import msgspec

from harness.analysis.cells import analyse_cell
from harness.analysis.fields import chain, items, mapping, of_kind, text
from harness.analysis.findings import CellFindings, RenewalHow, Return
from harness.analysis.recovery import recovery
from harness.analysis.renewals import renewal_of
from harness.analysis.signatures import AFTER_S, BEFORE_S, Record, app_text, collapse, firsts, hub_records, shown_in
from harness.analysis.spans import Span, Trial, spans
from harness.analysis.timeline import Absence, Timeline, make_timeline
from harness.events import CellLog, Event

__all__ = ["CellTelling", "Episode", "Told", "tell"]

Told = Literal["silent", "callback", "exception on next call", "lost", "duplicated", "reordered"]
CALL: Final = "_failed"
REFUSED: Final = "401003"


class Episode(msgspec.Struct, frozen=True):
    """One trouble from its beginning to its end; `over_s` is null where that was not seen in the `watched_s` until the closing.

    `happened`: names, without immediate repetitions. `trials`: the attempts that came to nothing. `told_s`: how long it was until the application
    was told, `told_by` by what, `error` with which classes, outermost first, and `message`, the outermost one's. `shown`: all that it was shown, each once,
    `reasons` the reasons of its callbacks. `log`: the first line of the SDK's log at WARNING or above, when (`log_s`), and how many there are (`log_lines`). `hub_log`: codes of the hub's records, `hub_says` the
    `errorMessage` of each; `quoted`: an exception that the application got has the words of the hub's decision, or of a record, and which (`words`).
    `unread`: records with 401003 have words, of which neither the application nor the SDK's log at WARNING or above was shown any.
    `retries`: what the device did once it was refused, or what brought it back, where that can be told. `left`: whether it left, or was made to;
    `stayed`: whether it was in and stayed all along. With neither, it had never been in.
    """

    began_s: float
    over_s: float | None
    watched_s: float
    happened: tuple[str, ...]
    left: bool
    stayed: bool = False
    renewal: RenewalHow | None = None
    trials: tuple[Trial, ...] = ()
    told: tuple[Told, ...] = ("silent",)
    told_s: float | None = None
    told_by: str = ""
    error: tuple[str, ...] = ()
    message: str = ""
    shown: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    log: str = ""
    log_s: float | None = None
    log_lines: int = 0
    hub_log: tuple[str, ...] = ()
    hub_says: tuple[str, ...] = ()
    quoted: bool = False
    words: tuple[str, ...] = ()
    unread: bool = False
    retries: str | None = None

    @property
    def tried_for_s(self) -> float:
        """From the beginning of the first attempt that came to nothing to that of the last one."""
        return round(self.trials[-1].at_s - self.trials[0].at_s, 3) if self.trials else 0.0

    @property
    def rested_s(self) -> float | None:
        """From the last of these to the closing: for how long it was seen to try no more. Null where it got over it, or never tried."""
        if self.over_s is not None or not self.trials:
            return None
        return round(max(self.began_s + self.watched_s - self.trials[-1].at_s, 0.0), 3)


class CellTelling(msgspec.Struct, frozen=True):
    """A cell's findings and its episodes. `told`: all the ways in which the application was told, and what became of its messages."""

    cell: CellFindings
    episodes: tuple[Episode, ...]
    told: tuple[Told, ...]


def tell(log: CellLog, cell: CellFindings | None = None) -> CellTelling:
    """The episodes of one cell, whose findings are `cell` where they are known; never raises on an incomplete or foreign log."""
    cell, timeline = cell or analyse_cell(log), make_timeline(log)
    wrong = spans(log, timeline)
    case = _Case(
        log=log,
        timeline=timeline,
        cell=cell,
        well=_all_is_well(log.events, timeline, wrong),
        shown=shown_in(log.events),
        records=hub_records(log.events, timeline.closing_s),
        sayings=tuple(map(_saying, of_kind(log.events, "hub", "record"))),
    )
    following = [*(span.began_s for span in wrong[1:]), timeline.closing_s]
    found = tuple(_episode(span, until_s, case) for span, until_s in zip(wrong, following, strict=False))
    return CellTelling(cell, found, _told_in_all(cell, found))


class _Saying(msgspec.Struct, frozen=True):
    """The `errorMessage` of a record of the hub, and the record's code as it stands there."""

    at_s: float
    code: str
    message: str


class _Case(msgspec.Struct, frozen=True, kw_only=True):
    """What the episodes of one cell have in common. `well`: what a status says when all is well. `shown`: what `harness.analysis.signatures` calls so."""

    log: CellLog
    timeline: Timeline
    cell: CellFindings
    well: frozenset[str]
    shown: tuple[Event, ...]
    records: tuple[Record, ...]
    sayings: tuple[_Saying, ...]


def _told_in_all(cell: CellFindings, episodes: Sequence[Episode]) -> tuple[Told, ...]:
    became = cell.messages.telemetry
    counts: dict[Told, int] = {"lost": became.lost, "duplicated": became.duplicated, "reordered": became.reordered}
    ways = (way for one in episodes for way in one.told)
    return (*dict.fromkeys(ways), *(word for word, count in counts.items() if count))


def _all_is_well(events: Sequence[Event], timeline: Timeline, wrong: Sequence[Span]) -> frozenset[str]:
    """The statuses shown when the SDK declared its client open, and when the device was first let in."""
    shown = (*_when_opened(events), *_when_admitted(events, timeline, wrong))
    return frozenset(app_text(one) for one in shown if not chain(one.fields))


def _when_opened(events: Sequence[Event]) -> Sequence[Event]:
    """The last status before the client was open; none where it never was, or where none came before."""
    told = of_kind(events, "app", "status", "opened")
    before = list(takewhile(lambda one: one.kind == "status", told))
    return before[-1:] if any(of_kind(events, "app", "opened")) else ()


def _when_admitted(events: Sequence[Event], timeline: Timeline, wrong: Sequence[Span]) -> Sequence[Event]:
    """The statuses from the time the device was first let in to its first trouble after that."""
    if not timeline.admitted:
        return ()
    since = (timeline.admitted[0].connack_s or 0.0) - BEFORE_S
    until = min((span.began_s for span in wrong if span.began_s > since + BEFORE_S), default=timeline.closing_s)
    return [one for one in of_kind(events, "app", "status") if since <= one.t / 1e6 < until - BEFORE_S]


def _episode(span: Span, until_s: float, case: _Case) -> Episode:
    timeline = case.timeline
    start = span.began_s - BEFORE_S
    if span.absence is not None:
        start = max(start, span.absence.left.connack_s or 0.0)
    over_s = timeline.closing_s if span.over_s is None else span.over_s
    stop = min(over_s + AFTER_S, timeline.closing_s, max(until_s - BEFORE_S, over_s))
    shown = [event for event in case.shown if start <= event.t / 1e6 < stop]
    news = [event for event in shown if event.src == "app" and app_text(event) not in case.well]
    lines = [event for event in shown if event.src == "sdk-log"]
    error = next((event.fields for event in news if chain(event.fields)), {})
    since = span.began_s if span.absence is None else span.absence.left.connack_s or 0.0
    said = [one for one in case.sayings if since <= one.at_s <= over_s and one.message]
    says = tuple(dict.fromkeys(one.message for one in said))
    refusals = tuple(dict.fromkeys(one.message for one in said if one.code == REFUSED))
    words = _read(_messages(news), (*says, *(trial.reason for trial in span.trials)))
    return Episode(
        began_s=span.began_s,
        over_s=span.over_s,
        watched_s=round(max(over_s - span.began_s, 0.0), 3),
        happened=collapse(span.names),
        left=span.absence is not None,
        stayed=span.stayed,
        renewal=None if span.absence is None else renewal_of(span.absence),
        trials=span.trials,
        told=_told(news),
        told_s=round(max(news[0].t / 1e6 - span.began_s, 0.0), 3) if news else None,
        told_by=app_text(news[0]) if news else "",
        error=chain(error),
        message=_message(error),
        shown=firsts(app_text(event) for event in shown if event.src == "app"),
        reasons=tuple(dict.fromkeys(filter(None, (text(event.fields, "reason") for event in news)))),
        log=text(lines[0].fields, "text") if lines else "",
        log_s=lines[0].t / 1e6 if lines else None,
        log_lines=len(lines),
        hub_log=collapse(one.code for one in case.records if since < one.at_s <= over_s or one.at_s == span.began_s),
        hub_says=says,
        quoted=bool(words),
        words=words,
        unread=bool(refusals) and not words and not _read([text(one.fields, "text") for one in lines], refusals),
        retries=_retries(span, case),
    )


def _told(news: Sequence[Event]) -> tuple[Told, ...]:
    ways: Iterator[Told] = ("exception on next call" if one.kind.endswith(CALL) else "callback" for one in news)
    return tuple(dict.fromkeys(ways)) or ("silent",)


def _message(fields: Mapping[str, object]) -> str:
    outermost = next(iter(items(fields, "error")), None)
    return text(mapping({"error": outermost}, "error"), "message")


def _saying(record: Event) -> _Saying:
    said = mapping(record.fields, "record")
    return _Saying(record.t / 1e6, text(said, "resultType"), _error_message(text(said, "properties")))


def _error_message(properties: str) -> str:
    try:
        said = msgspec.json.decode(properties)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return text(said, "errorMessage") if isinstance(said, dict) else ""


def _messages(news: Iterable[Event]) -> list[str]:
    """Those of all exceptions, of their causes too."""
    return [text(mapping({"link": link}, "link"), "message") for one in news for link in items(one.fields, "error")]


def _read(messages: Sequence[str], words: Iterable[str]) -> tuple[str, ...]:
    """Those of `words` that stand in one of `messages`, each once."""
    return tuple(dict.fromkeys(one for one in words if one and any(one in message for message in messages)))


def _retries(span: Span, case: _Case) -> str | None:
    """What the device did by itself: after a refusal, as `recovery` has it, or `first_refusal`; where it came back unhindered, as the aftermath has it."""
    if span.absence is None:
        return None if case.cell.first_refusal is None else case.cell.first_refusal.then
    alone = msgspec.structs.replace(case.timeline, absences=(span.absence,))
    after: str | None = recovery(alone, case.log.events, sends_hidden=case.cell.sends_hidden)[0]
    return after or _returned(span.absence, case.timeline, case.cell)


def _returned(absence: Absence, timeline: Timeline, cell: CellFindings) -> Return | None:
    """Where the aftermath tells of every end of the cell, that of this absence."""
    returned = cell.aftermath.returned
    if len(returned) != len(timeline.absences):
        return None
    return returned[timeline.absences.index(absence)]
