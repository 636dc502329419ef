"""When something went wrong in a cell, what, and until when: from the device's visits and the hub's decisions.

A span begins with a drop, or with a refusal of a device that is in or has never been in, and lasts until the device is let in (again), or, where it stayed,
until a new token is accepted. Attempts that came to nothing belong to it, also those that never got to ask: TLS failed, the WebSocket or SASL was refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from harness.analysis.fields import of_kind, text, whole
from harness.analysis.renewals import renewal_of
from harness.analysis.requests import as_puts
from harness.analysis.timeline import Absence, Timeline
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

__all__ = ["Span", "Trial", "spans"]

_DECISIONS: Final = ("connack", "put-token-answered", "certificate-judged")
_ENDS: Final = ("cut", "closed", "struck")
_AT_THE_DOOR: Final = ("tls-failed", "websocket-refused", "sasl-refused", "attach")
WAITED_S: Final = 1.0
"""For how long at least nobody answered, before that is called unanswered."""


class Trial(msgspec.Struct, frozen=True):
    """One attempt that came to nothing: when it began, its name among the troubles, and its code as the protocol has it (`CONNACK 5`, `401`, `HTTP 401`).

    `reason`: the hub's decision in words.
    """

    at_s: float
    name: str
    code: str = ""
    reason: str = ""


class Span(msgspec.Struct, frozen=True):
    """From when to when, and the names of what happened; `absence` where the device left, or was made to, `stayed` where it was in all along.

    `over_s` is null where its end was not seen.
    """

    began_s: float
    over_s: float | None
    names: tuple[str, ...]
    trials: tuple[Trial, ...]
    absence: Absence | None = None
    stayed: bool = False


def spans(log: CellLog, timeline: Timeline) -> list[Span]:
    """The spans of a cell up to its closing, in the order of their beginnings."""
    return sorted(_spans(log, timeline), key=lambda span: span.began_s)


def _spans(log: CellLog, timeline: Timeline) -> Iterator[Span]:
    decisions = _Decisions(log, timeline)
    admitted = timeline.admitted
    first_s = admitted[0].attempt_s if admitted else timeline.closing_s
    early = decisions.trials(0.0, first_s)
    if early:
        back_s = admitted[0].connack_s if admitted else None
        yield Span(early[0].at_s, back_s, tuple(one.name for one in early), early)
    for visit in admitted:
        absence = next((one for one in timeline.absences if one.left is visit), None)
        yield from _of_visit(visit, absence, timeline, decisions)


def _of_visit(visit: Visit, absence: Absence | None, timeline: Timeline, decisions: "_Decisions") -> Iterator[Span]:
    """The renewals in place that came to nothing, those without a new token between them taken together, and the absence that followed."""
    vain: list[Trial] = []
    for put in visit.puts:
        if put.at_s >= timeline.closing_s:
            break
        if put.accepted and vain:
            yield _in_vain(vain, put.answered_s)
            vain = []
        vain += decisions.of_put(visit, put)
    if absence is None:
        if vain:
            yield _in_vain(vain, None)
        return
    until_s = timeline.closing_s if absence.back is None else absence.back.attempt_s
    trials = (*vain, *decisions.trials(absence.left_s, until_s))
    before, after = tuple(one.name for one in vain), tuple(one.name for one in trials[len(vain) :])
    began_s = vain[0].at_s if vain else absence.left_s
    yield Span(began_s, absence.back_s, (*before, decisions.of_end(absence), *after), trials, absence)


def _in_vain(trials: Sequence[Trial], over_s: float | None) -> Span:
    return Span(trials[0].at_s, over_s, tuple(one.name for one in trials), tuple(trials), stayed=True)


class _Decisions:
    """What the hub decided, with its reasons, and how connections ended."""

    def __init__(self, log: CellLog, timeline: Timeline) -> None:
        self._closing_s = timeline.closing_s
        self._mqtt = log.header.transport.startswith("mqtt")
        self._word = {"mqtt": "CONNACK ", "mqtt-ws": "CONNACK ", "https": "HTTP "}.get(log.header.transport, "")
        self._decided: dict[tuple[int, float], Mapping[str, object]] = {}
        self._closes: dict[tuple[int, float], str] = {}
        self._doors: list[Trial] = []
        for event in of_kind(as_puts(log.events), "hub", *_DECISIONS, *_ENDS, *_AT_THE_DOOR):
            self._take(event)
        asked = (self._of_visit(visit) for visit in timeline.visits)
        trials = (*(one for one in asked if one is not None), *self._doors)
        self._trials = sorted(trials, key=lambda one: one.at_s)

    def _take(self, event: Event) -> None:
        place, fields = (whole(event.fields, "conn") or 0, event.t / 1e6), event.fields
        if event.kind in _DECISIONS:
            self._decided[place] = fields
        elif event.kind in _ENDS:
            self._closes.setdefault(place, text(fields, "close") or text(fields, "how"))
        elif event.kind == "tls-failed":
            self._doors.append(Trial(place[1], TLS_FAILED, "", text(fields, "reason")))
        elif event.kind == "websocket-refused":
            self._doors.append(Trial(place[1], WEBSOCKET, text(fields, "status"), text(fields, "reason")))
        elif text(fields, "check"):
            name = name_of_refusal(0, "", text(fields, "check"), mqtt=False)
            self._doors.append(Trial(place[1], name, text(fields, "condition"), text(fields, "message")))

    def trials(self, since: float, until: float) -> tuple[Trial, ...]:
        """The attempts to come in that came to nothing, from `since` to `until`."""
        return tuple(one for one in self._trials if since <= one.at_s <= min(until, self._closing_s))

    def _of_visit(self, visit: Visit) -> Trial | None:
        if visit.code is not None:
            return self._refusal(visit.attempt_s, visit.code, visit.number, visit.connack_s) if visit.refused else None
        given_up = visit.closed_s is not None and visit.closed_s < self._closing_s
        waited = self._closing_s - visit.attempt_s >= WAITED_S
        return Trial(visit.attempt_s, UNANSWERED_CONNECT) if given_up or waited else None

    def of_put(self, visit: Visit, put: PutToken) -> tuple[Trial, ...]:
        """A token that was presented during the stay to no avail."""
        if put.status is not None:
            return (self._refusal(put.at_s, put.status, visit.number, put.answered_s),) if put.refused else ()
        return (Trial(put.at_s, UNANSWERED_PUT),) if self._closing_s - put.at_s >= WAITED_S else ()

    def _refusal(self, at_s: float, code: int, number: int, answered_s: float | None) -> Trial:
        decided = self._decided.get((number, answered_s or 0.0), {})
        reason = text(decided, "reason") or text(decided, "description")
        name = name_of_refusal(code, reason, text(decided, "check"), mqtt=self._mqtt)
        return Trial(at_s, name, f"{self._word}{code}", reason)

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
