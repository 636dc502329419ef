"""Lines of the table of what went wrong: the episodes of one SDK, version and device that looked alike, over all transports and scenarios.

`finds_out` is how a developer learns of it, in words: by a callback, at the next call, by a missing message, in the hub's log, or not at all.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from harness.analysis.law import seconds
from harness.analysis.signatures import in_brief
from harness.analysis.telling import CellTelling, Episode, Told
from harness.analysis.wording import lasted

__all__ = ["Trouble", "troubles"]

AT_ONCE_S: Final = 1.0
_RETRIES: Final = {
    "none": "no further attempt",
    "retries": "tries by itself",
    "next-send": "tries at every send",
    "by-itself": "back by itself",
}


class Trouble(msgspec.Struct, frozen=True):
    """One line. `error`: classes of the first exception, outermost first; `codes`: those of the attempts that came to nothing (`CONNACK 5`, `401`, `HTTP 401`).

    `cells`: those that showed it. Times in seconds, as texts, are those of the worst episode: told last, away longest.
    `retries`: how, how often and for how long it tried in vain, and how long before the cell's end it last did; of the episode with the most attempts.
    `log`: a line of the SDK's own log at WARNING or above. `hub_says`: the error messages of the hub's records; `quoted`: the application got to read its words.
    `words`: which, in the first episode in which it did. `unread`: the hub gave words for a 401003 each time, and the SDK showed none of them.
    """

    sdk: str
    version: str
    device: str
    origin: Mapping[str, object]
    transports: tuple[str, ...]
    scenarios: tuple[str, ...]
    traffic: str
    happened: tuple[str, ...]
    told: tuple[Told, ...]
    finds_out: str
    error: tuple[str, ...]
    message: str
    reasons: tuple[str, ...]
    codes: tuple[str, ...]
    hub_log: tuple[str, ...]
    hub_says: tuple[str, ...]
    quoted: bool
    log: str
    retries: str
    comes_back: str
    episodes: int
    cells: tuple[str, ...]
    words: tuple[str, ...] = ()
    unread: bool = False


def troubles(tellings: Iterable[CellTelling]) -> tuple[Trouble, ...]:
    """The lines, in the order of their first episodes."""
    groups: dict[tuple[object, ...], list[tuple[CellTelling, Episode]]] = {}
    for telling in tellings:
        for episode in telling.episodes:
            groups.setdefault(_alike(telling, episode), []).append((telling, episode))
    return tuple(map(_trouble, groups.values()))


def _alike(telling: CellTelling, episode: Episode) -> tuple[object, ...]:
    """What episodes have in common that share a line; MQTT and AMQP never do, for what is told of them has other names."""
    cell = telling.cell
    return (
        *(cell.sdk, cell.version, cell.device, msgspec.json.encode(cell.origin), cell.transport.removesuffix("-ws")),
        *(cell.traffic, episode.happened, _told(telling, episode), episode.error, episode.reasons),
        *(episode.retries, episode.over_s is None, bool(episode.trials)),
    )


def _told(telling: CellTelling, episode: Episode) -> tuple[Told, ...]:
    """How this episode was told, and what became of the messages of its cell."""
    became = (one for one in telling.told if one in {"lost", "duplicated", "reordered"})
    return (*episode.told, *became)


def _trouble(group: list[tuple[CellTelling, Episode]]) -> Trouble:
    cells = [telling.cell for telling, _ in group]
    episodes = [episode for _, episode in group]
    worst = max(group, key=lambda one: one[1].told_s or 0.0)
    first, longest = episodes[0], max(group, key=lambda one: one[1].watched_s)
    return Trouble(
        sdk=cells[0].sdk,
        version=cells[0].version,
        device=cells[0].device,
        origin=cells[0].origin,
        transports=tuple(dict.fromkeys(cell.transport for cell in cells)),
        scenarios=tuple(dict.fromkeys(cell.scenario for cell in cells)),
        traffic=cells[0].traffic,
        happened=first.happened,
        told=_told(*group[0]),
        finds_out=_finds_out(*worst),
        error=first.error,
        message=first.message,
        reasons=first.reasons,
        codes=tuple(dict.fromkeys(trial.code for one in episodes for trial in one.trials if trial.code)),
        hub_log=first.hub_log,
        hub_says=first.hub_says,
        quoted=any(one.quoted for one in episodes),
        log=first.log,
        retries=_tries(max(episodes, key=lambda one: len(one.trials))),
        comes_back=_comes_back(*longest),
        episodes=len(group),
        cells=tuple(dict.fromkeys(cell.cell for cell in cells)),
        words=next((one.words for one in episodes if one.words), ()),
        unread=all(one.unread for one in episodes),
    )


def _finds_out(telling: CellTelling, episode: Episode) -> str:
    if episode.told_s is not None:
        (said,) = in_brief([episode.told_by])
        when = "at once" if episode.told_s < AT_ONCE_S else f"after {seconds(episode.told_s)}"
        return f"{'by a callback' if episode.told[0] == 'callback' else 'at the next call'} {when}: {said}"
    if telling.cell.messages.telemetry.lost:
        return "by messages that are missing"
    if telling.cell.messages.telemetry.duplicated:
        return "by messages that come twice"
    known = "in the hub's log only" if any(code[0].isdigit() for code in _errors(episode)) else "not at all"
    return f"{known} (watched for {seconds(episode.watched_s)})" if episode.over_s is None else known


def _errors(episode: Episode) -> list[str]:
    return [code.removeprefix("refused ") for code in episode.hub_log if code]


def _tries(episode: Episode) -> str:
    said = _RETRIES.get(episode.retries or "", "")
    number = len(episode.trials)
    if not number:
        return said
    took = f" in {seconds(episode.tried_for_s)}" if number > 1 else ""
    rested = episode.rested_s
    last = "" if rested is None else f", {'the last ' if number > 1 else ''}{seconds(rested)} before the end"
    return ": ".join(filter(None, (said, f"{number} in vain{took}{last}")))


def _comes_back(telling: CellTelling, episode: Episode) -> str:
    word = "renewed" if episode.stayed else "back" if episode.left else "let in"
    if episode.over_s is None:
        end = ", where its log breaks off" if telling.cell.status == "interrupted" else ""
        return f"not {word} within {seconds(episode.watched_s)}{end}"
    return f"{word} after {lasted(episode.watched_s)}"
