"""The story of one cell in plain sentences, from its log alone: who took part, what happened when, and how it ended.

Episodes (`harness.analysis.telling`) that are alike are told once, and so are attempts that came to nothing one after the other, and whatever the
application was shown again before anything else went wrong. A moment is in seconds since the cell began.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from textwrap import shorten
from typing import Final, Literal

import msgspec

from harness.analysis.fields import of_kind, text, whole
from harness.analysis.findings import CellFindings, InBandFinding
from harness.analysis.frame import about, ending
from harness.analysis.law import seconds
from harness.analysis.messages import arrived
from harness.analysis.notes import what_was_noticed
from harness.analysis.signatures import BEFORE_S, Record, app_text, hub_records, in_brief, shown_in
from harness.analysis.spans import Trial
from harness.analysis.telling import CellTelling, Episode, tell
from harness.analysis.timeline import Absence, Timeline, make_timeline
from harness.analysis.visits import Token, Visit
from harness.analysis.wording import AT_ONCE_S, counted, lasted, moments, numbers, rhythm, times
from harness.events import CellLog, Event

__all__ = ["ENDS", "Line", "Story", "story"]

LONGEST: Final = 160
"""Characters of a line of the SDK's log."""
RECORD_S: Final = 0.1
"""By how much a record may precede the end that it is about."""
ENDS: Final = {
    "token-expired": "The hub ended the device's stay, since its token had expired",
    "keep-alive": "The hub ended the device's stay, having heard nothing of it for too long",
    "takeover": "The hub ended the device's stay, for the device had come a second time",
    "protocol": "The hub ended the device's stay, for the device had broken the protocol",
    "tokens-refused": "The hub ended the device's stay, having refused too many of its tokens",
    "other-client": "The hub ended the device's stay, for another client had come with its identity",
    "key-rolled": "The hub ended the device's stay, since its key had been exchanged",
    "device-disabled": "The hub ended the device's stay, since it had been disabled",
    "device-deleted": "The hub ended the device's stay, since it had been deleted",
    "throttled": "The hub ended the device's stay, having too much to do",
    "link: detached": "The hub detached the device's links, although its token was good",
    "connection: closed": "The hub closed the connection, although the token was good",
    "network: end": "The connection ended, although the token was good",
    "network: reset": "The connection was reset, although the token was good",
    "network: half-open": "The far end of the connection was gone, and nobody said so",
    "network: blackhole": "The network began to swallow everything",
    "hub: restart": "The hub's process ended",
    "hub: other": "The hub ended the device's stay",
    "left: renewal": "The device took leave, to come back with a new token",
    "left: disconnect": "The device took leave",
    "left: silently": "The device closed its connection without taking leave",
}
"""How a stay ended, in words, by its name among the troubles."""
_RETURNS: Final = {"by-itself": ", by itself", "next-send": ", at the next send", "retries": ", by itself"}
_DOORS: Final = {"amqp": "put-token", "amqp-ws": "put-token", "https": "first request"}


class Line(msgspec.Struct, frozen=True):
    """One sentence, or a few, and the moment it is about."""

    at_s: float
    text: str


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What `explain --json` prints. `about`: who took part. `lines`: what happened, in order. `ending`: how it ended. `complete`: the log has its end."""

    schema: Literal[1] = 1  # those that were printed without it are read as well
    cell: str
    about: tuple[str, ...]
    lines: tuple[Line, ...]
    ending: tuple[str, ...]
    complete: bool
    told: tuple[str, ...]
    episodes: tuple[Episode, ...]


def story(log: CellLog, cell: CellFindings | None = None) -> Story:
    """Tell it, with the cell's findings where they are known; an incomplete log is told as far as it goes, and says so."""
    telling, timeline = tell(log, cell), make_timeline(log)
    lines = [
        *_beginning(log, timeline),
        *_stays(log.events, timeline),
        *_renewals(telling.cell.in_band, log.header.transport),
        *_episodes(telling, timeline, hub_records(log.events, timeline.closing_s)),
        *_shown(log.events, telling, timeline),
        *_notes(log.events),
    ]
    return Story(
        cell=log.header.cell,
        about=tuple(about(log, telling.cell)),
        lines=tuple(sorted(lines, key=lambda line: line.at_s)),
        ending=tuple(ending(log, telling, timeline)),
        complete=log.complete,
        told=telling.told,
        episodes=telling.episodes,
    )


def _beginning(log: CellLog, timeline: Timeline) -> Iterator[Line]:
    if timeline.admitted:
        first, transport = timeline.admitted[0], log.header.transport
        certificate = text(log.header.scenario, "credential") == "certificate"
        door = _DOORS.get(transport, "CONNECT")
        if certificate and door == "put-token":
            door = "first link"
        shown = "its client certificate" if certificate else _with(first.token)
        yield Line(first.connack_s or 0.0, f"The hub let the device in, by its {door}, with {shown}.")
    for event in of_kind(log.events, "app", "opened"):
        yield Line(event.t / 1e6, "The application's client was open.")


def _with(token: Token | None) -> str:
    if token is None:
        return "nothing that the log can show of a token"
    return "a token" if token.expires_s is None else f"a token that ends at {seconds(token.expires_s)}"


def _stays(events: Sequence[Event], timeline: Timeline) -> Iterator[Line]:
    """What was handed over for sending in each stay and after it, before the next one."""
    sends = [event for event in of_kind(events, "harness", "command") if event.fields.get("cmd") == "send"]
    reached = arrived(events)
    bounds = sorted({0.0, *(_turn for visit in timeline.admitted for _turn in _turns(visit)), timeline.closing_s})
    for start, stop in pairwise(bounds):
        here = [one for one in sends if start <= one.t / 1e6 < stop]
        if here:
            ids = [identity for one in here if (identity := whole(one.fields, "id")) is not None]
            yield Line(here[0].t / 1e6, _sent(ids, [one.t / 1e6 for one in here], reached))


def _turns(visit: Visit) -> Iterator[float]:
    yield visit.connack_s or 0.0
    if visit.leaving is not None:
        yield visit.leaving[0]


def _sent(ids: Sequence[int], at: Sequence[float], reached: frozenset[int]) -> str:
    pace = rhythm(at)
    there = [one for one in ids if one in reached]
    got = {0: "none of them ever reached the hub" if len(ids) > 1 else "it never reached the hub"}.get(len(there))
    if len(there) == len(ids):
        got = "all reached the hub" if len(ids) > 1 else "it reached the hub"
    what = f"message{'s' if len(ids) > 1 else ''} {numbers(ids)}"
    return f"The application sent {what}{f', {pace}' if pace else ''}; {got or f'{numbers(there)} reached the hub, sooner or later'}."


def _renewals(found: Sequence[InBandFinding], transport: str) -> Iterator[Line]:
    """Renewals in place; those that nobody noticed are told together."""
    how = "showed a new token, with a request" if transport == "https" else "renewed its token in place, by put-token"
    for quiet, group in groupby(found, key=lambda one: one.undisturbed):
        some = list(group)
        for one in some[:1] if quiet else some:
            took = "" if one.took_ms is None else f", answered after {one.took_ms:.0f} ms"
            noticed = "the application noticed nothing" if quiet else what_was_noticed(one)
            yield Line(one.at_s, f"The device {how}{took}: {noticed}.")
        if quiet and len(some) > 1:
            rest = [one.at_s for one in some[1:]]
            yield Line(rest[0], f"{counted(len(rest), 'more such renewal').capitalize()}, {moments(rest)}.")


def _alike(episode: Episode) -> tuple[object, ...]:
    """What makes two episodes one and the same story; those with attempts that came to nothing are told one by one."""
    own = episode.began_s if episode.trials else None
    return episode.happened, episode.told, episode.retries, episode.renewal, episode.over_s is None, own


def _episodes(telling: CellTelling, timeline: Timeline, records: Sequence[Record]) -> Iterator[Line]:
    """The episodes in order, those alike that follow each other told once."""
    for _, group in groupby(telling.episodes, key=_alike):
        first, *others = group
        yield from _episode(first, telling.cell, timeline, records)
        if others:
            away = [one.watched_s for one in others]
            spans = " to ".join(dict.fromkeys((lasted(min(away)), lasted(max(away)))))
            count = "once more" if len(others) == 1 else f"{len(others)} more times"
            when = moments([one.began_s for one in others])
            yield Line(others[0].began_s, f"The same happened {count}, {when}, and took {spans}.")


def _episode(episode: Episode, cell: CellFindings, timeline: Timeline, records: Sequence[Record]) -> Iterator[Line]:
    left = _absence(episode, timeline)
    left_s = math.inf if left is None else left.left_s
    before = [trial for trial in episode.trials if trial.at_s < left_s]
    after = episode.trials[len(before) :]
    yield from _trials(before, episode, "presented a token" if episode.left or episode.stayed else "asked to be let in")
    if left is not None:
        since_s = max(left_s - RECORD_S, left.left.connack_s or 0.0)
        back_s = episode.over_s or timeline.closing_s
        tried_s = next(
            (one.at_s for one in after if one.at_s > left_s), math.inf
        )  # what is logged then is about the attempt
        own = [one for one in records if since_s <= one.at_s <= back_s and one.at_s < tried_s]
        here = [one.code for one in own if _is_of_the_end(one.code)]
        yield Line(left_s, f"{_end_of(episode)}.{'' if 'hub-log' in cell.lacks else _logged(here)}")
    yield from _trials(after, episode, "tried to come back")
    if episode.log_s is not None:
        quoted = shorten(episode.log, LONGEST, placeholder=" …")
        yield Line(episode.log_s, f"The SDK's own log speaks of it{times(episode.log_lines)}: “{quoted}”")
    if episode.told == ("silent",):
        yield Line(episode.began_s, "Of all this the application was told nothing.")
    yield _outcome(episode, timeline)


def _is_of_the_end(code: str) -> bool:
    return code != "connect" and not code.startswith("refused")


def _absence(episode: Episode, timeline: Timeline) -> Absence | None:
    """The time away that the episode is about; None where the device was in all along, or never."""
    return next((one for one in timeline.absences if one.left_s >= episode.began_s), None) if episode.left else None


def _end_of(episode: Episode) -> str:
    return next(ENDS[name] for name in episode.happened if name in ENDS)


def _logged(codes: Sequence[str]) -> str:
    return f" The hub logged {', then '.join(codes)}." if codes else " The hub logged nothing of it."


def _trials(trials: Sequence[Trial], episode: Episode, what: str) -> Iterator[Line]:
    """Attempts that came to nothing, those alike told once."""
    for (name, code, reason), group in groupby(trials, key=lambda one: (one.name, one.code, one.reason)):
        first, *others = group
        words = ", ".join(filter(None, (code, f"“{reason}”" if reason else "")))
        yield Line(first.at_s, f"The device {what}, and {_fate(name)}{f' ({words})' if words else ''}.")
        if others:
            pace = rhythm([one.at_s for one in (first, *others)])
            cause = f"{'after' if len(others) == 1 else 'each after'} a send" if episode.retries == "next-send" else ""
            how = ", ".join(filter(None, (pace, cause)))
            count, last = counted(len(others), "more such attempt"), others[-1].at_s
            when = f", at {seconds(last)}" if len(others) == 1 else f" until {seconds(last)}"
            yield Line(others[0].at_s, f"{count}{when}{f', {how}' if how else ''}.")


def _fate(name: str) -> str:
    kind, _, why = name.partition(": ")
    return {"unanswered": "nobody answered", "network": "got no further than TLS"}.get(kind, f"was refused: {why}")


def _outcome(episode: Episode, timeline: Timeline) -> Line:
    if episode.over_s is None:
        rest = "had no new token" if episode.stayed else "was not back" if episode.left else "had not been let in"
        return Line(
            timeline.closing_s,
            f"The device {rest} when the cell was closed, {seconds(episode.watched_s)} after the trouble began.",
        )
    how = _RETURNS.get(episode.retries or "", "")
    if episode.stayed:
        return Line(
            episode.over_s, f"Then a new token was accepted, {seconds(episode.watched_s)} after the trouble began."
        )
    word = "back" if episode.left else "let in"
    token = f" with {'the same' if episode.renewal is None else 'a new'} token" if episode.left else ""
    since = "it had left" if episode.happened == ("left: renewal",) else "the trouble began"
    return Line(episode.over_s, f"The device was {word}{token}{how}, {lasted(episode.watched_s)} after {since}.")


def _shown(events: Sequence[Event], telling: CellTelling, timeline: Timeline) -> Iterator[Line]:
    """What the application was shown, each once between one trouble's beginning and the next one's; and while its client was closed."""
    begins = [next(group).began_s - BEFORE_S for _, group in groupby(telling.episodes, key=_alike)]
    groups: dict[tuple[int, str], list[float]] = {}
    for event in shown_in(events):
        at_s = event.t / 1e6
        if event.src == "app":
            chapter = -1 if at_s >= timeline.closing_s else sum(at_s >= begin for begin in begins)
            groups.setdefault((chapter, app_text(event)), []).append(at_s)
    for (chapter, said), at in groups.items():
        (brief,) = in_brief([said])
        often = f" ({len(at)} times{_spread(at)})" if len(at) > 1 else ""
        closing = "While its client was being closed, the" if chapter < 0 else "The"
        yield Line(at[0], f"{closing} application was told: {brief}{often}.")


def _spread(at: Sequence[float]) -> str:
    """Until when, and in what rhythm."""
    if at[-1] - at[0] < AT_ONCE_S:
        return " at once"
    pace = rhythm(at)
    return f" until {seconds(at[-1])}{f', {pace}' if pace else ''}"


def _notes(events: Iterable[Event]) -> Iterator[Line]:
    for event in of_kind(events, "harness", "note", "adapter-failure", "defect"):
        yield Line(event.t / 1e6, f"The harness notes: {text(event.fields, 'text')}.")
