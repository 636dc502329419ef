"""The dossier of defects: each entry of the table with what the logs show of it, the smallest settings, and how to see it again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from harness.analysis.defects import Defect, Evidence, evidence_of
from harness.analysis.fields import chain, mapping, number, text
from harness.analysis.signatures import in_brief
from harness.analysis.story import story
from harness.errors import LogError
from harness.events import CellLog, Event

__all__ = ["Entry", "Witness", "dossier"]

MOST: Final = 4
LONGEST: Final = 110
_SAID: Final = (
    *("cmd", "cause", "close", "detail", "code", "reason", "status", "description", "callback"),
    *("first", "how", "id", "message_id", "packet_id", "dup", "text"),
)


class Witness(msgspec.Struct, frozen=True):
    """One cell that shows a defect: where its log is, when and where from, by how much, and the lines that show it."""

    cell: str
    file: str
    date: str
    built: str
    figure: str
    lines: tuple[str, ...]


class Entry(msgspec.Struct, frozen=True):
    """One defect, reproduced. `smallest`: the settings of the least of its cells, in sentences; `command` brings it about again, `shows` tells it from the log.

    `others`: names of the further cells that show it. `command` is empty where no bundled scenario does.
    """

    defect: Defect
    versions: tuple[str, ...]
    transports: tuple[str, ...]
    scenarios: tuple[str, ...]
    witnesses: tuple[Witness, ...]
    others: tuple[str, ...]
    smallest: tuple[str, ...]
    command: str
    shows: str


def dossier(defects: Sequence[Defect], logs: Mapping[str, CellLog], scenarios: Collection[str]) -> tuple[Entry, ...]:
    """The entries, from logs by the names of their files; `scenarios` are the bundled ones.

    Raises:
        LogError: one is not shown any more, on one of its transports; all that are not are named.
    """
    found = evidence_of(defects, logs.values())
    missing = [f"{defect.id} over {name}" for defect in defects for name in _unseen(defect, found[defect.id])]
    if missing:
        raise LogError(
            f"no log shows {'; '.join(missing)}",
            where="the dossier of defects",
            remedy="Correct the entry, or take it out: it is no longer reproduced",
        )
    files = {id(log): file for file, log in logs.items()}
    return tuple(_entry(defect, found[defect.id], files, scenarios) for defect in defects)


def _unseen(defect: Defect, shown: Iterable[Evidence]) -> list[str]:
    seen = {one.log.header.transport for one in shown}
    return [name for name in defect.transports if name not in seen]


def _entry(defect: Defect, shown: Sequence[Evidence], files: Mapping[int, str], scenarios: Collection[str]) -> Entry:
    least = min(shown, key=lambda one: one.log.events[-1].t)
    firsts = [next(one for one in shown if one.log.header.transport == name) for name in defect.transports]
    witnesses = [least, *(one for one in firsts if one is not least)][:MOST]
    seen = tuple(dict.fromkeys(_scenario(one) for one in shown))
    return Entry(
        defect=defect,
        versions=tuple(dict.fromkeys(one.version for one in shown)),
        transports=defect.transports,
        scenarios=seen,
        witnesses=tuple(_witness(one, files[id(one.log)]) for one in witnesses),
        others=tuple(one.log.header.cell for one in shown if one not in witnesses),
        smallest=story(least.log).about[1:],
        command=_command(defect, least, scenarios),
        shows=f"harness explain {files[id(least.log)]}",
    )


def _scenario(shown: Evidence) -> str:
    return text(shown.log.header.scenario, "id")


def _command(defect: Defect, least: Evidence, scenarios: Collection[str]) -> str:
    scenario = defect.repeat or _scenario(least)
    recorded = least.log.header.origin.get("kind") == "recorded"
    if scenario not in scenarios or (recorded and not defect.repeat):
        return ""
    sdk, transports = f"{defect.sdk}@{least.version}", ",".join(defect.transports)
    command = f"harness compare --sdk {sdk} --device real --transport {transports} --scenario {scenario}"
    return f"{command} {defect.options}".rstrip()


def _witness(shown: Evidence, file: str) -> Witness:
    header = shown.log.header
    return Witness(
        cell=header.cell,
        file=file,
        date=str(header.origin.get("date") or header.started[:10]),
        built=text(header.origin, "built"),
        figure=shown.figure,
        lines=tuple(map(_line, shown.events)),
    )


def _line(event: Event) -> str:
    """An event in one line, with those of its fields that say something."""
    said = [f"{name}={_short(event.fields[name])}" for name in _SAID if event.fields.get(name) not in {None, ""}]
    left_s = number(mapping(event.fields, "token"), "left_s")
    token = [] if left_s is None else [f"token: {left_s:.1f} s left"]
    error = in_brief([f": {' <- '.join(chain(event.fields))}"]) if chain(event.fields) else ()
    classes = [f"error{one}" for one in error]
    return " ".join([f"{event.t / 1e6:.3f} s", event.src, event.kind, *said, *token, *classes])


def _short(value: object) -> str:
    said = str(value)
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"
