"""Defects of SDKs as data: a predicate over what a cell showed, and the cells that fulfil it.

| predicate | a cell shows it where |
|---|---|
| `stays-away` | the device was not back, and was watched for `for_s` or more; with at most `attempts` attempts, and told as `told` has it |
| `told-late` | the application was told of it `for_s` or more after it had begun |
| `comes-back-late` | the device was back, or had its new token, `for_s` or more after it had begun |
| `ends-itself` | the device came back, and closed its connection for good within `for_s` |
| `happens` | it happened at all |
| `says` | the application was shown something in which `pattern` is found |
| `logs` | the SDK's own log has a line in which `pattern` is found |
| `sends-hang` | of a message that was handed over after it had begun the application had heard nothing for `for_s`, up to the closing |
| `c2d-dead` | C2D messages no longer came once the device was back |
| `resent-as-new` | a message came again over MQTT without the DUP flag |
| `old-token-again` | the device presented the token in use once more |
| `waits-for-sends` | the device made `least` attempts or more to come back that came to nothing, and each of them only with a message |
| `connects-often` | the device made `least` connections or more within `for_s` |
| `puts-often` | the device presented a token, over AMQP, `least` times or more within `for_s` |
| `open-hangs` | the application had heard nothing of its opening of the client for `for_s`, up to the closing |
| `opens-unasked` | the application was told that its client was open, and the hub, once asked, refused it |
| `crashes` | the device program was ended by a signal that tells of an error of its own |

*It* is an episode (`harness.analysis.telling`) whose names begin with those of `happened`, any where that is empty. Only real devices count.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec

from harness.analysis.fields import of_kind, text, whole
from harness.analysis.law import seconds
from harness.analysis.signatures import app_text
from harness.analysis.telling import CellTelling, Episode, Told, tell
from harness.analysis.timeline import Timeline, make_timeline
from harness.analysis.wording import counted
from harness.events import CellLog, Event

__all__ = ["Defect", "Evidence", "Predicate", "evidence_of"]

Predicate = Literal[
    "stays-away", "told-late", "comes-back-late", "ends-itself", "happens", "says", "logs", "sends-hang", "c2d-dead", "resent-as-new",
    "old-token-again", "waits-for-sends", "connects-often", "puts-often", "open-hangs", "opens-unasked", "crashes",
]  # fmt: skip
SAME_S: Final = 0.0006
"""By how much a moment of an episode, which is rounded to milliseconds, may lie beside its event."""
QUOTED: Final = (
    *("cut", "disconnect", "connack", "put-token-answered", "put-token", "closed", "telemetry", "c2d-queued"),
    *("command", "closing", "cell-end", "line"),
)
"""Kinds of events that show something, besides all of the application's; of one moment's, the first named here."""

CRASHES: Final[Mapping[int, str]] = {-4: "SIGILL", -6: "SIGABRT", -7: "SIGBUS", -8: "SIGFPE", -11: "SIGSEGV"}
"""Exit codes of a program that failed by itself (Linux on x86-64 and ARM); by the others somebody ends it."""


class Defect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the table. `transports`: where it was seen, each of which has to show it; `scenarios`: those that may, any where empty.

    `attempts`: so many at most; `least`: so many at least. `repeat`: the bundled scenario that brings it about, where the evidence was recorded in another one.
    `options`: of the command that brings it about, besides SDK, transports and scenario.
    """

    id: str
    sdk: str
    title: str
    text: str
    transports: tuple[str, ...]
    predicate: Predicate
    scenarios: tuple[str, ...] = ()
    happened: tuple[str, ...] = ()
    for_s: float = 0.0
    attempts: int | None = None
    least: int = 0
    told: Told | None = None
    pattern: str = ""
    repeat: str = ""
    options: str = ""


class Evidence(msgspec.Struct, frozen=True):
    """A cell that shows a defect: `figure` says by how much, `events` are the lines of its log that show it."""

    log: CellLog
    version: str
    figure: str
    events: tuple[Event, ...]


Shown = tuple[str, tuple[Event, ...]] | None
"""By how much a cell shows a defect, in words, and the events that do."""


class _Case(msgspec.Struct, frozen=True):
    """A cell, and what in it a defect is about."""

    log: CellLog
    telling: CellTelling
    timeline: Timeline
    episodes: tuple[Episode, ...]

    @property
    def closing_s(self) -> float:
        """When the harness began to end the cell."""
        return self.timeline.closing_s

    def at(self, moment_s: float, source: str, said: str = "") -> tuple[Event, ...]:
        """The event of that moment that shows most, if there is one; `said`: the one of the application's that says so."""
        alike = [one for one in self.log.events if one.src == source and abs(one.t / 1e6 - moment_s) < SAME_S]
        if source == "app":
            return tuple(one for one in alike if app_text(one) == said)[:1]
        telling = [one for one in alike if one.kind in QUOTED and one.fields.get("cause") != "refused"]
        return tuple(sorted(telling, key=lambda one: QUOTED.index(one.kind))[:1])

    def ending(self) -> tuple[Event, ...]:
        """The harness's beginning to end the cell."""
        return self.at(self.closing_s, "harness")

    def course(self, episode: Episode) -> tuple[Event, ...]:
        """The events that tell an episode: beginning, the news, first and last attempt that came to nothing, the end."""
        told = () if episode.told_s is None else self.at(episode.began_s + episode.told_s, "app", episode.told_by)
        tried = (event for trial in (*episode.trials[:1], *episode.trials[-1:]) for event in self.at(trial.at_s, "hub"))
        over = self.ending() if episode.over_s is None else self.at(episode.over_s, "hub")
        return (*self.at(episode.began_s, "hub"), *told, *tried, *over)

    def worst(self, found: Iterable[tuple[float, Episode]], figure: str) -> Shown:
        """The episode with the highest number of seconds, which `figure` has a place for."""
        most = max(found, key=lambda one: one[0], default=None)
        return None if most is None else (figure.format(seconds(most[0])), self.course(most[1]))


def evidence_of(defects: Sequence[Defect], logs: Iterable[CellLog]) -> dict[str, list[Evidence]]:
    """The logs that show each defect, in their order, by its id."""
    found: dict[str, list[Evidence]] = {defect.id: [] for defect in defects}
    for log in logs:
        meant = [defect for defect in defects if _is_about(defect, log)]
        if meant:
            telling = tell(log)
            for defect in meant:
                found[defect.id] += _evidence(defect, log, telling)
    return found


def _is_about(defect: Defect, log: CellLog) -> bool:
    header = log.header
    alike = (header.sdk, header.device) == (defect.sdk, "real") and header.transport in defect.transports
    return alike and (not defect.scenarios or header.scenario.get("id") in defect.scenarios)


def _evidence(defect: Defect, log: CellLog, telling: CellTelling) -> Iterator[Evidence]:
    meant = (one for one in telling.episodes if one.happened[: len(defect.happened)] == defect.happened)
    shown = _PREDICATES[defect.predicate](defect, _Case(log, telling, make_timeline(log), tuple(meant)))
    if shown is not None:
        figure, events = shown
        in_order = sorted({event.seq: event for event in events}.items())
        yield Evidence(log, telling.cell.version, figure, tuple(event for _, event in in_order))


def _stays_away(defect: Defect, case: _Case) -> Shown:
    away = [one for one in case.episodes if one.left and one.over_s is None and one.watched_s >= defect.for_s]
    few = [one for one in away if defect.attempts is None or len(one.trials) <= defect.attempts]
    found = [(one.watched_s, one) for one in few if defect.told in {None, *one.told}]
    return case.worst(found, "not back in the {} until its client was closed")


def _told_late(defect: Defect, case: _Case) -> Shown:
    told = [(one.told_s, one) for one in case.episodes if one.told_s is not None]
    return case.worst([one for one in told if one[0] >= defect.for_s], "the application was told after {}")


def _comes_back_late(defect: Defect, case: _Case) -> Shown:
    over = [(one.watched_s, one) for one in case.episodes if one.over_s is not None]
    return case.worst([one for one in over if one[0] >= defect.for_s], "all was well again after {}")


def _ends_itself(defect: Defect, case: _Case) -> Shown:
    for earlier, later in pairwise(case.telling.episodes):
        stayed_s = None if earlier.over_s is None else later.began_s - earlier.over_s
        ended = later.happened[0] == "left: silently" and later.over_s is None
        if earlier in case.episodes and ended and stayed_s is not None and stayed_s <= defect.for_s:
            figure = (
                f"back for {1e3 * stayed_s:.0f} ms, then closed by itself, and not back in {seconds(later.watched_s)}"
            )
            return figure, (*case.course(earlier), *case.course(later))
    return None


def _happens(_: Defect, case: _Case) -> Shown:
    return (counted(len(case.episodes), "time"), case.course(case.episodes[0])) if case.episodes else None


def _says(defect: Defect, case: _Case) -> Shown:
    found = [event for event in _since(case, "app") if re.search(defect.pattern, app_text(event))]
    return (counted(len(found), "time"), tuple(found[:2])) if found else None


def _logs(defect: Defect, case: _Case) -> Shown:
    found = [one for one in _since(case, "sdk-log") if re.search(defect.pattern, text(one.fields, "text"))]
    return (counted(len(found), "line"), (*_beginning(case), found[0])) if found else None


def _beginning(case: _Case) -> tuple[Event, ...]:
    return case.at(case.episodes[0].began_s, "hub")


def _since(case: _Case, source: str) -> list[Event]:
    """The events of a source from the beginning of the first episode that is meant to the closing."""
    began_s = min((one.began_s for one in case.episodes), default=case.closing_s)
    return [event for event in case.log.events if event.src == source and began_s <= event.t / 1e6 < case.closing_s]


def _sends_hang(defect: Defect, case: _Case) -> Shown:
    handed = [one for one in _since(case, "harness") if one.fields.get("cmd") == "send"]
    heard = {whole(one.fields, "id") for one in _since(case, "app") if one.kind in {"sent", "send_failed"}}
    hanging = [one for one in handed if whole(one.fields, "id") not in heard]
    if not hanging or (longest := case.closing_s - hanging[0].t / 1e6) < defect.for_s:
        return None
    figure = f"{counted(len(hanging), 'send')} without any answer, the first for {seconds(longest)}"
    return figure, (*_beginning(case), hanging[0], *case.ending())


def _c2d_dead(_: Defect, case: _Case) -> Shown:
    first = next((one for one in case.episodes if one.over_s is not None), None)
    if case.telling.cell.aftermath.c2d != "dead" or first is None:
        return None
    queued = [one for one in of_kind(case.log.events, "hub", "c2d-queued") if one.t / 1e6 > (first.over_s or 0.0)]
    figure = f"none of {counted(len(queued), 'C2D message')} after that was shown to the application"
    return figure, (*case.course(first), *queued[:1])


def _resent_as_new(_: Defect, case: _Case) -> Shown:
    became = case.telling.cell.messages.telemetry
    again = [one for one in became.duplicates if not one.dup]
    if not again or not case.log.header.transport.startswith("mqtt"):
        return None
    late = f", {became.reordered} out of order" if became.reordered else ""
    copies = [
        one for one in of_kind(case.log.events, "hub", "telemetry") if whole(one.fields, "message_id") == again[0].id
    ]
    return f"{counted(len(again), 'message')} came again as new{late}", tuple(copies)


def _old_token_again(_: Defect, case: _Case) -> Shown:
    puts = [put for visit in case.timeline.visits for put in visit.puts]
    again = [put.at_s for put in puts if put.same]
    if not again:
        return None
    following = [put.at_s for put in puts if put.at_s > again[0]]
    moments = {*again[:1], *following[:1]}
    shown = [event for event in of_kind(case.log.events, "hub", "put-token") if event.t / 1e6 in moments]
    return counted(len(again), "time"), tuple(shown)


def _waits_for_sends(defect: Defect, case: _Case) -> Shown:
    tried = [(float(len(one.trials)), one) for one in case.episodes if one.retries == "next-send"]
    most = max(tried, key=lambda one: one[0], default=None)
    if most is None or most[0] < defect.least:
        return None
    return f"{counted(len(most[1].trials), 'attempt')} in vain, each with a message", case.course(most[1])


def _connects_often(defect: Defect, case: _Case) -> Shown:
    return _often("accepted", "connection", defect, case)


def _puts_often(defect: Defect, case: _Case) -> Shown:
    return _often("put-token", "put-token", defect, case)


def _often(kind: str, name: str, defect: Defect, case: _Case) -> Shown:
    """The most events of the hub's of a kind that there are within `for_s`, up to the closing."""
    where = _since(case, "hub") if defect.happened else list(case.log.events)
    made = [one for one in of_kind(where, "hub", kind) if one.t / 1e6 < case.closing_s]
    moments = [one.t / 1e6 for one in made]
    counts = [bisect_right(moments, at_s + defect.for_s) - index for index, at_s in enumerate(moments)]
    most = max(counts, default=0)
    if not most or most < defect.least:
        return None
    first = counts.index(most)
    shown = (*(_beginning(case) if defect.happened else ()), made[first], made[first + most - 1])
    return f"{counted(most, name)} within {seconds(defect.for_s)}", shown


def _open_hangs(defect: Defect, case: _Case) -> Shown:
    commands = of_kind(case.log.events, "harness", "command")
    asked = next((one for one in commands if one.fields.get("cmd") == "open"), None)
    heard = [one for one in of_kind(case.log.events, "app", "opened", "open_failed") if one.t / 1e6 < case.closing_s]
    if asked is None or heard or (longest := case.closing_s - asked.t / 1e6) < defect.for_s:
        return None
    return f"no word of the opening for {seconds(longest)}", (asked, *case.ending())


def _opens_unasked(_: Defect, case: _Case) -> Shown:
    refused, opened = case.telling.cell.first_refusal, next(of_kind(case.log.events, "app", "opened"), None)
    if refused is None or opened is None or not refused.believed:
        return None
    figure = f"open for {seconds(refused.at_s - opened.t / 1e6)} before the hub was asked, and refused"
    return figure, (opened, *case.at(refused.at_s, "hub"))


def _crashes(_: Defect, case: _Case) -> Shown:
    for event in of_kind(case.log.events, "harness", "adapter-exit"):
        code = whole(event.fields, "code")
        if code is not None and code in CRASHES:
            return f"the process was ended by {CRASHES[code]}", (*case.ending(), event)
    return None


_PREDICATES: Final[Mapping[Predicate, Callable[[Defect, _Case], Shown]]] = {
    "stays-away": _stays_away,
    "told-late": _told_late,
    "comes-back-late": _comes_back_late,
    "ends-itself": _ends_itself,
    "happens": _happens,
    "says": _says,
    "logs": _logs,
    "sends-hang": _sends_hang,
    "c2d-dead": _c2d_dead,
    "resent-as-new": _resent_as_new,
    "old-token-again": _old_token_again,
    "waits-for-sends": _waits_for_sends,
    "connects-often": _connects_often,
    "puts-often": _puts_often,
    "open-hangs": _open_hangs,
    "opens-unasked": _opens_unasked,
    "crashes": _crashes,
}
