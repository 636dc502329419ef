"""What a picture of one cell draws: tokens with their lives, stays at the hub, times away, messages, and single moments. Times are seconds since the cell began.

A token is drawn from its first use to its expiry, `made_s` being where its life is reckoned to have begun; it is in use from when the hub accepted it to when another
took its place, or to the end. What a message became is told by the definitions of `harness.analysis.messages`.

| kind of moment | what happened |
|---|---|
| `renewal` | the device had a new token accepted, or left to fetch one |
| `refused` | the hub refused to let the device in, or a token |
| `fault` | a fault or an outage of the scenario |
| `error`, `record` | a record of the hub's log, at level error or below |
| `told`, `exception` | the application was called, or got an exception |
| `warning` | the SDK's own log, at WARNING or above |
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from harness.analysis.fields import chain, of_kind, text, whole
from harness.analysis.findings import AbsenceFinding, CellFindings, InBandFinding, Telemetry
from harness.analysis.lacking import HUB_LOG, NO_HUB_LOG
from harness.analysis.law import seconds
from harness.analysis.messages import Results, arrived, outcomes
from harness.analysis.renewals import first_uses, point_in_life, token_lifetime
from harness.analysis.signatures import app_text, hub_records, in_brief, shown_in
from harness.analysis.timeline import Timeline, make_timeline
from harness.analysis.visits import Token, TokenId
from harness.analysis.wording import counted, lasted, listed
from harness.events import CellLog, Event

__all__ = ["Away", "Exchange", "Fate", "Moment", "MomentKind", "Picture", "Stay", "TokenLife", "picture"]

Fate = Literal["reached", "again", "lost", "failed", "open"]
MomentKind = Literal["renewal", "refused", "fault", "error", "record", "told", "exception", "warning"]
_FAULTS: Final = {
    "fault": ("action", "at"),
    "outage-began": ("how",),
    "outage-ended": ("how",),
    "fault-message": ("operation",),
}
_WORDS: Final = {"outage-began": "outage begins: ", "outage-ended": "outage ends: "}


class TokenLife(msgspec.Struct, frozen=True):
    """A token that the device presented; `until_s`: in use until then, null where it was never accepted. `kept_s`: until when the hub keeps its connection."""

    used_s: float
    until_s: float | None
    made_s: float | None
    expires_s: float | None
    kept_s: float | None


class Stay(msgspec.Struct, frozen=True):
    """The device was let in, on connection `conn`; `ended` says by what it went, empty where it was still there at the closing."""

    since_s: float
    until_s: float
    conn: int
    ended: str


class Away(msgspec.Struct, frozen=True):
    """The device was away, to the closing where `back` is false."""

    since_s: float
    until_s: float
    back: bool


class Exchange(msgspec.Struct, frozen=True):
    """One message: telemetry (`id` is its number), or what the cloud sent, when it was first seen, and what it became."""

    at_s: float
    fate: Fate
    id: str


class Moment(msgspec.Struct, frozen=True):
    """Something that has no length, in a few words."""

    at_s: float
    kind: MomentKind
    text: str


class Picture(msgspec.Struct, frozen=True):
    """A cell's course. `closing_s`: when the harness began to end it. `told`: the same in a sentence, for those who cannot see it.

    `lacks`: kinds of evidence that the log has not, so that nobody takes what is not drawn for what was not there.
    """

    end_s: float
    closing_s: float
    tokens: tuple[TokenLife, ...]
    stays: tuple[Stay, ...]
    aways: tuple[Away, ...]
    telemetry: tuple[Exchange, ...]
    cloud: tuple[Exchange, ...]
    moments: tuple[Moment, ...]
    lacks: tuple[str, ...]
    told: str


def picture(log: CellLog, cell: CellFindings) -> Picture:
    """The course of `log`, whose findings are `cell`; an incomplete log is drawn as far as it goes."""
    timeline = make_timeline(log)
    moments = [
        *_renewals(cell),
        *_refusals(timeline),
        *_faults(log.events),
        *_records(log.events, timeline),
        *_shown(log.events, timeline),
    ]
    drawn = Picture(
        end_s=timeline.end_s,
        closing_s=timeline.closing_s,
        tokens=tuple(_tokens(timeline, cell)),
        stays=tuple(_stays(timeline)),
        aways=tuple(_aways(cell, timeline)),
        telemetry=tuple(_telemetry(log.events, cell)),
        cloud=tuple(_cloud(log.events)),
        moments=tuple(sorted(moments, key=lambda one: one.at_s)),
        lacks=cell.lacks,
        told="",
    )
    return msgspec.structs.replace(drawn, told=_told(drawn, cell.messages.telemetry))


def _tokens(timeline: Timeline, cell: CellFindings) -> Iterator[TokenLife]:
    """Each token once, in the order of first use."""
    lifetime_s, uses = token_lifetime(cell.first_token, cell.set_lifetime_s), first_uses(timeline)
    accepted = _accepted(timeline)
    known: dict[TokenId, Token] = {}
    for one in _presented(timeline):
        known.setdefault(one.id, one)
    for name, token in known.items():
        used_s = uses[name]
        lived_s = point_in_life(token, used_s, lifetime_s, used_s)
        yield TokenLife(
            used_s=used_s,
            until_s=accepted.get(name),
            made_s=None if lived_s is None else used_s - lived_s,
            expires_s=token.expires_s,
            kept_s=None if token.expires_s is None else token.expires_s + cell.grace_s,
        )


def _presented(timeline: Timeline) -> Iterator[Token]:
    for visit in timeline.visits:
        if visit.token is not None:
            yield visit.token
        yield from (put.token for put in visit.puts)


def _accepted(timeline: Timeline) -> dict[TokenId, float]:
    """Until when each token that was accepted was in use: to the next one's acceptance, or to the closing."""
    taken = [(one.connack_s or 0.0, one.token.id) for one in timeline.admitted if one.token is not None]
    taken += [(put.answered_s or put.at_s, put.token.id) for one in timeline.visits for put in one.puts if put.accepted]
    taken.sort(key=lambda one: one[0])
    until: dict[TokenId, float] = {}
    for place, (_, name) in enumerate(taken, start=1):
        next_s = taken[place][0] if place < len(taken) else timeline.closing_s
        until[name] = max(next_s, until.get(name, 0.0))
    return until


def _stays(timeline: Timeline) -> Iterator[Stay]:
    causes = {one.left: f"{one.cause}, {one.first} first" for one in timeline.absences}
    for visit in timeline.admitted:
        leaving_s = timeline.end_s if visit.leaving is None else visit.leaving[0]
        yield Stay(visit.connack_s or 0.0, leaving_s, visit.number, causes.get(visit, ""))


def _aways(cell: CellFindings, timeline: Timeline) -> Iterator[Away]:
    for one in cell.absences:
        yield Away(one.left_s, timeline.closing_s if one.back_s is None else one.back_s, one.back_s is not None)


def _telemetry(events: Sequence[Event], cell: CellFindings) -> Iterator[Exchange]:
    """Each numbered message when it was first seen: as a rule when it was handed over."""
    first: dict[int, float] = {}
    for number, at_s in sorted(_mentions(events), key=lambda one: one[1]):
        first.setdefault(number, at_s)
    told, there = cell.messages.telemetry, arrived(events)
    unseen: Fate = "open" if told.unfinished else "reached"  # a recording may leave arrivals out that its totals count
    again = frozenset(one.id for one in told.duplicates)
    failed = {whole(event.fields, "id") for event in of_kind(events, "app", "send_failed")}
    fates: Mapping[Fate, Iterable[int | None]] = {
        "again": again,
        "reached": there,
        "lost": told.lost_ids,
        "failed": failed,
    }
    for number, at_s in first.items():
        yield Exchange(at_s, next((fate for fate, ids in fates.items() if number in ids), unseen), str(number))


def _mentions(events: Sequence[Event]) -> Iterator[tuple[int, float]]:
    """The number of every message that an event is about, and when."""
    sends = (one for one in of_kind(events, "harness", "command") if one.fields.get("cmd") == "send")
    arrivals = of_kind(events, "hub", "telemetry")
    reports = of_kind(events, "app", "sent", "send_failed")
    for name, some in (("id", sends), ("message_id", arrivals), ("id", reports)):
        for event in some:
            number = whole(event.fields, name)
            if number is not None:
                yield number, event.t / 1e6


def _cloud(events: Sequence[Event]) -> Iterator[Exchange]:
    """The C2D messages and direct methods when they were asked for."""
    found = outcomes(events)
    for event in of_kind(events, "hub", "c2d-queued", "method-called"):
        if event.kind == "c2d-queued":
            name = text(event.fields, "message_id")
            yield Exchange(event.t / 1e6, _fate(name, found.c2d), f"C2D {name}")
        else:
            name = text(event.fields, "request_id")
            yield Exchange(event.t / 1e6, _fate(name, found.methods), f"method {name}")


def _fate(name: str, results: Results) -> Fate:
    return "reached" if name in results.answered else "lost" if name in results.lost else "open"


def _renewals(cell: CellFindings) -> Iterator[Moment]:
    for one in cell.renewals:
        at_s = one.left_s if isinstance(one, AbsenceFinding) else one.at_s
        point = "" if one.point_s is None else f", {seconds(one.point_s)} after the token was made"
        yield Moment(at_s, "renewal", f"renewal, {one.renewal}{point}{_gap(one)}")


def _gap(one: AbsenceFinding | InBandFinding) -> str:
    return "" if one.gap_ms is None else f"; away for {lasted(one.gap_ms / 1e3)}"


def _refusals(timeline: Timeline) -> Iterator[Moment]:
    for visit in timeline.visits:
        if visit.refused:
            yield Moment(visit.attempt_s, "refused", f"refused: {visit.code}")
        for put in visit.puts:
            if put.refused:
                yield Moment(put.at_s, "refused", f"token refused: {put.status}")


def _faults(events: Sequence[Event]) -> Iterator[Moment]:
    for event in of_kind(events, "hub", *_FAULTS):
        said = " at ".join(filter(None, (text(event.fields, name) for name in _FAULTS[event.kind])))
        yield Moment(event.t / 1e6, "fault", _WORDS.get(event.kind, "") + said)


def _records(events: Sequence[Event], timeline: Timeline) -> Iterator[Moment]:
    for one in hub_records(events, timeline.closing_s):
        yield Moment(one.at_s, "error" if one.level.startswith("Err") else "record", one.code)


def _shown(events: Sequence[Event], timeline: Timeline) -> Iterator[Moment]:
    """What the application was shown before the closing."""
    for event in shown_in(events):
        if event.t / 1e6 < timeline.closing_s:
            if event.src == "sdk-log":
                yield Moment(event.t / 1e6, "warning", text(event.fields, "text"))
            else:
                (brief,) = in_brief([app_text(event)])
                yield Moment(event.t / 1e6, "exception" if chain(event.fields) else "told", brief)


def _told(drawn: Picture, messages: Telemetry) -> str:
    """What the picture shows, in a sentence; of messages as many as were counted, which may be more than the log has single ones of."""
    kinds = [one.kind for one in drawn.moments]
    missing = messages.lost + messages.send_failed + messages.unfinished
    longest_s = max((one.until_s - one.since_s for one in drawn.aways), default=0.0)
    away = f"{counted(len(drawn.aways), 'time')} away, at most for {lasted(longest_s)}" if drawn.aways else "never away"
    parts = [
        counted(len(drawn.tokens), "token"),
        counted(len(drawn.stays), "stay") + " at the hub",
        away,
        f"{counted(messages.sent, 'message')}, {missing or 'none'} of them missing" if messages.sent else "",
        f"{counted(kinds.count('refused'), 'refusal')}" if "refused" in kinds else "",
        f"{counted(kinds.count('error'), 'error')} in the hub's log" if HUB_LOG not in drawn.lacks else "",
        f"{counted(kinds.count('exception'), 'exception')} for the application",
    ]
    unknown = f"; {NO_HUB_LOG}" if HUB_LOG in drawn.lacks else ""
    return f"In {seconds(drawn.end_s)}: {listed([part for part in parts if part])}{unknown}."
