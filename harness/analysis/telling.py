"""What went wrong in a cell, in episodes, and how the application was told of each.

An episode begins with a drop, or with a refusal of a device that is in or has never been in, and lasts until the device is let in (again), or, where it
stayed, until a new token is accepted. What went wrong in it bears the names of `harness.analysis.troubles`, in order, each repetition once.

| told | the application |
|---|---|
| `callback` | was called: a status, or an exception that belongs to none of its calls |
| `exception on next call` | got an exception from a call of its own, most often the next send |
| `silent` | neither; it has to look for itself |
| `lost`, `duplicated`, `reordered` | has messages of which that became, in the cell as a whole |

Of what the application was shown (`harness.analysis.signatures`), from half a second before the episode to two seconds after it, as far as the neighbours leave that to it, a status
that says no more than that all is well is no news of a trouble: one that it was shown when it was first let in. What it is shown because its client is
being closed, after the closing, comes too late.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from harness.analysis.cells import analyse_cell
from harness.analysis.fields import chain, items, mapping, of_kind, text, whole
from harness.analysis.findings import CellFindings, RenewalHow, Return
from harness.analysis.recovery import recovery
from harness.analysis.renewals import renewal_of
from harness.analysis.signatures import AFTER_S, BEFORE_S, app_text, collapse, firsts, hub_records, is_shown
from harness.analysis.timeline import Absence, Timeline, make_timeline
from harness.analysis.troubles import (
    TLS_FAILED,
    UNANSWERED_CONNECT,
    UNANSWERED_PUT,
    WEBSOCKET,
    name_of_end,
    name_of_refusal,
)
from harness.analysis.visits import PutToken, Visit
from harness.events import CellLog, Event

__all__ = ["CellTelling", "Episode", "Told", "Trial", "tell"]

Told = Literal["silent", "callback", "exception on next call", "lost", "duplicated", "reordered"]
CALL: Final = "_failed"
WAITED_S: Final = 1.0
"""For how long at least nobody answered, before that is called unanswered."""


class Trial(msgspec.Struct, frozen=True):
    """One attempt that came to nothing: when it began, its name among the troubles, and its code as the protocol has it (`CONNACK 5`, `401`).

    `reason`: the hub's decision in words.
    """

    at_s: float
    name: str
    code: str = ""
    reason: str = ""


class Episode(msgspec.Struct, frozen=True):
    """One trouble from its beginning to its end; `over_s` is null where that was not seen in the `watched_s` until the closing.

    `happened`: names, without immediate repetitions. `trials`: the attempts that came to nothing. `told_s`: how long it was until the application
    was told, `told_by` by what, `error` with which classes, outermost first, and `message`, the outermost one's. `shown`: all that it was shown, each once,
    `reasons` the reasons of its callbacks. `log`: the first line of the SDK's log at WARNING or above, when (`log_s`), and how many there are (`log_lines`). `hub_log`: codes of the hub's records, `hub_says` the
    `errorMessage` of each; `quoted`: an exception that the application got has the words of the hub's decision, or of a record.
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
    retries: str | None = None

    @property
    def tried_for_s(self) -> float:
        """From the beginning of the first attempt that came to nothing to that of the last one."""
        return round(self.trials[-1].at_s - self.trials[0].at_s, 3) if self.trials else 0.0


class CellTelling(msgspec.Struct, frozen=True):
    """A cell's findings and its episodes. `told`: all the ways in which the application was told, and what became of its messages."""

    cell: CellFindings
    episodes: tuple[Episode, ...]
    told: tuple[Told, ...]


class _Span(msgspec.Struct, frozen=True):
    """An episode before anybody has asked what was shown of it."""

    began_s: float
    over_s: float | None
    names: tuple[str, ...]
    trials: tuple[Trial, ...]
    absence: Absence | None = None
    stayed: bool = False


def tell(log: CellLog) -> CellTelling:
    """The episodes of one cell; never raises on an incomplete or foreign log."""
    cell, timeline = analyse_cell(log), make_timeline(log)
    spans = sorted(_spans(log, timeline), key=lambda span: span.began_s)
    well = _all_is_well(log.events, timeline, spans)
    following = [*(span.began_s for span in spans[1:]), timeline.closing_s]
    found = tuple(
        _episode(span, until_s, log, timeline, cell, well) for span, until_s in zip(spans, following, strict=False)
    )
    return CellTelling(cell, found, _told_in_all(cell, found))


def _told_in_all(cell: CellFindings, episodes: Sequence[Episode]) -> tuple[Told, ...]:
    became = cell.messages.telemetry
    counts: dict[Told, int] = {"lost": became.lost, "duplicated": became.duplicated, "reordered": became.reordered}
    ways = (way for one in episodes for way in one.told)
    return (*dict.fromkeys(ways), *(word for word, count in counts.items() if count))


def _spans(log: CellLog, timeline: Timeline) -> Iterator[_Span]:
    decisions = _Decisions(log)
    admitted = timeline.admitted
    first_s = admitted[0].attempt_s if admitted else timeline.closing_s
    early = decisions.trials(timeline, 0.0, first_s)
    if early:
        back_s = admitted[0].connack_s if admitted else None
        yield _Span(early[0].at_s, back_s, tuple(one.name for one in early), early)
    for visit in admitted:
        absence = next((one for one in timeline.absences if one.left == visit), None)
        yield from _of_visit(visit, absence, timeline, decisions)


def _of_visit(visit: Visit, absence: Absence | None, timeline: Timeline, decisions: "_Decisions") -> Iterator[_Span]:
    """The renewals in place that came to nothing, those without a new token between them taken together, and the absence that followed."""
    vain: list[Trial] = []
    for put in visit.puts:
        if put.at_s >= timeline.closing_s:
            break
        if put.accepted and vain:
            yield _in_vain(vain, put.answered_s)
            vain = []
        vain += decisions.of_put(visit, put, timeline.closing_s)
    if absence is None:
        if vain:
            yield _in_vain(vain, None)
        return
    until_s = timeline.closing_s if absence.back is None else absence.back.attempt_s
    trials = (*vain, *decisions.trials(timeline, absence.left_s, until_s))
    before, after = tuple(one.name for one in vain), tuple(one.name for one in trials[len(vain) :])
    began_s = vain[0].at_s if vain else absence.left_s
    yield _Span(began_s, absence.back_s, (*before, decisions.of_end(absence), *after), trials, absence)


def _in_vain(trials: Sequence[Trial], over_s: float | None) -> _Span:
    return _Span(trials[0].at_s, over_s, tuple(one.name for one in trials), tuple(trials), stayed=True)


class _Decisions:
    """What the hub decided, with its reasons, and how connections ended."""

    def __init__(self, log: CellLog) -> None:
        self._mqtt = log.header.transport.startswith("mqtt")
        self._decided: dict[tuple[int, float], Mapping[str, object]] = {}
        self._closes: dict[tuple[int, float], str] = {}
        self._doors: list[Trial] = []
        for event in log.events:
            if event.src == "hub":
                self._take(event)

    def _take(self, event: Event) -> None:
        place, fields = (whole(event.fields, "conn") or 0, event.t / 1e6), event.fields
        if event.kind in {"connack", "put-token-answered"}:
            self._decided[place] = fields
        elif event.kind in {"cut", "closed"}:
            self._closes.setdefault(place, text(fields, "close") or text(fields, "how"))
        elif event.kind == "tls-failed":
            self._doors.append(Trial(place[1], TLS_FAILED, "", text(fields, "reason")))
        elif event.kind == "websocket-refused":
            self._doors.append(Trial(place[1], WEBSOCKET, text(fields, "status"), text(fields, "reason")))
        elif event.kind in {"sasl-refused", "attach"} and text(fields, "check"):
            name = name_of_refusal(0, "", text(fields, "check"), mqtt=False)
            self._doors.append(Trial(place[1], name, text(fields, "condition"), text(fields, "message")))

    def trials(self, timeline: Timeline, since: float, until: float) -> tuple[Trial, ...]:
        """The attempts to come in that came to nothing, from `since` to `until`."""
        asked = [one for visit in timeline.visits if (one := self._of_visit(visit, timeline.closing_s)) is not None]
        found = (one for one in (*asked, *self._doors) if since <= one.at_s <= min(until, timeline.closing_s))
        return tuple(sorted(found, key=lambda one: one.at_s))

    def _of_visit(self, visit: Visit, closing_s: float) -> Trial | None:
        if visit.code is not None:
            return self._refusal(visit.attempt_s, visit.code, visit.number, visit.connack_s) if visit.refused else None
        given_up = visit.closed_s is not None and visit.closed_s < closing_s
        waited = closing_s - visit.attempt_s >= WAITED_S
        return Trial(visit.attempt_s, UNANSWERED_CONNECT) if given_up or waited else None

    def of_put(self, visit: Visit, put: PutToken, closing_s: float) -> tuple[Trial, ...]:
        """A token that was presented during the stay to no avail."""
        if put.status is not None:
            return (self._refusal(put.at_s, put.status, visit.number, put.answered_s),) if put.refused else ()
        return (Trial(put.at_s, UNANSWERED_PUT),) if closing_s - put.at_s >= WAITED_S else ()

    def _refusal(self, at_s: float, code: int, number: int, answered_s: float | None) -> Trial:
        decided = self._decided.get((number, answered_s or 0.0), {})
        reason = text(decided, "reason") or text(decided, "description")
        name = name_of_refusal(code, reason, text(decided, "check"), mqtt=self._mqtt)
        return Trial(at_s, name, f"CONNACK {code}" if self._mqtt else str(code), reason)

    def of_end(self, absence: Absence) -> str:
        """The name of how a stay ended."""
        visit = absence.left
        if absence.kind == "disconnect":
            return "left: renewal" if renewal_of(absence) == "reconnect" else "left: disconnect"
        if absence.kind == "closed" and visit.closed_first == "device":
            return "left: silently"
        ended_s = visit.cut_s if absence.kind == "cut" else visit.closed_s
        cause = visit.cut_cause if absence.kind == "cut" else ""
        return name_of_end(cause, self._closes.get((visit.number, ended_s or 0.0), "") or "fin")


def _all_is_well(events: Sequence[Event], timeline: Timeline, spans: Sequence[_Span]) -> frozenset[str]:
    """The statuses shown when the device was first let in."""
    if not timeline.admitted:
        return frozenset()
    since = (timeline.admitted[0].connack_s or 0.0) - BEFORE_S
    until = min((span.began_s for span in spans if span.began_s > since + BEFORE_S), default=timeline.closing_s)
    calls = [one for one in of_kind(events, "app", "status") if since <= one.t / 1e6 < until - BEFORE_S]
    return frozenset(app_text(one) for one in calls if not chain(one.fields))


def _episode(
    span: _Span, until_s: float, log: CellLog, timeline: Timeline, cell: CellFindings, well: frozenset[str]
) -> Episode:
    start = span.began_s - BEFORE_S
    if span.absence is not None:
        start = max(start, span.absence.left.connack_s or 0.0)
    over_s = timeline.closing_s if span.over_s is None else span.over_s
    stop = min(over_s + AFTER_S, timeline.closing_s, max(until_s - BEFORE_S, over_s))
    shown = [event for event in log.events if is_shown(event) and start <= event.t / 1e6 < stop]
    news = [event for event in shown if event.src == "app" and app_text(event) not in well]
    lines = [event for event in shown if event.src == "sdk-log"]
    error = next((event.fields for event in news if chain(event.fields)), {})
    records = hub_records(log.events, timeline.closing_s)
    since = span.began_s if span.absence is None else span.absence.left.connack_s or 0.0
    says = _hub_says(log.events, since, over_s)
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
        hub_log=collapse(one.code for one in records if since < one.at_s <= over_s or one.at_s == span.began_s),
        hub_says=says,
        quoted=_quoted(news, {*says, *(trial.reason for trial in span.trials)}),
        retries=_retries(span, log, timeline, cell),
    )


def _told(news: Sequence[Event]) -> tuple[Told, ...]:
    ways: Iterator[Told] = ("exception on next call" if one.kind.endswith(CALL) else "callback" for one in news)
    return tuple(dict.fromkeys(ways)) or ("silent",)


def _message(fields: Mapping[str, object]) -> str:
    outermost = next(iter(items(fields, "error")), None)
    return text(mapping({"error": outermost}, "error"), "message")


def _hub_says(events: Sequence[Event], since: float, until: float) -> tuple[str, ...]:
    """The error messages of the hub's records, each once."""
    records = (one for one in of_kind(events, "hub", "record") if since <= one.t / 1e6 <= until)
    return tuple(dict.fromkeys(filter(None, (_error_message(one) for one in records))))


def _error_message(record: Event) -> str:
    try:
        said = msgspec.json.decode(text(mapping(record.fields, "record"), "properties"))
    except msgspec.DecodeError:
        return ""
    return text(said, "errorMessage") if isinstance(said, dict) else ""


def _quoted(news: Sequence[Event], words: Iterable[str]) -> bool:
    said = [text(mapping({"link": link}, "link"), "message") for one in news for link in items(one.fields, "error")]
    return any(word in message for word in words if word for message in said)


def _retries(span: _Span, log: CellLog, timeline: Timeline, cell: CellFindings) -> str | None:
    """What the device did by itself: after a refusal, as `recovery` has it; where it came back unhindered, as the aftermath has it."""
    if span.absence is None:
        return None
    alone = msgspec.structs.replace(timeline, absences=(span.absence,))
    after: str | None = recovery(alone, log.events, sends_hidden=cell.sends_hidden)[0]
    return after or _returned(span.absence, timeline, cell)


def _returned(absence: Absence, timeline: Timeline, cell: CellFindings) -> Return | None:
    """Where the aftermath tells of every end of the cell, that of this absence."""
    returned = cell.aftermath.returned
    if len(returned) != len(timeline.absences):
        return None
    return returned[timeline.absences.index(absence)]
