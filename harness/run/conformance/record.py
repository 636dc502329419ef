"""What an act showed, and how to look something up in it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from harness.events import Event

__all__ = ["Act", "ActName", "Conformance", "Finding", "State"]

ActName = Literal["greeting", "course", "refused", "malformed", "hang-up"]
State = Literal["right", "wrong", "note", "not tested"]


class Finding(msgspec.Struct, frozen=True):
    """What one check came to. `clause`: the section of docs/adapter-protocol.md it is about; `remedy` only where something is wrong.

    `note`: nothing is wrong, and the author should know. `transport` is empty for what belongs to none.
    """

    check: str
    transport: str
    state: State
    found: str
    clause: str
    remedy: str = ""


class Conformance(msgspec.Struct, frozen=True):
    """What `harness adapter check --json` prints; `harness/schemas/conformance.schema.json` is its JSON Schema. Fields may be added."""

    schema: Literal[1]
    sdk: str
    counts: Mapping[State, int]
    findings: tuple[Finding, ...]


class Act(msgspec.Struct, frozen=True):
    """One life of the program, from its start to its end.

    `events`: everything in the order of its arrival, as in a cell's log: `app` is what the program said, `hub` what the hub saw. Of `harness`
    are the kinds `line` (a line was written to the program, `what` it was), `dam` (`shut`: whether the hub's answers are held back from now on),
    `cut` (the hub is about to end the connection), `closing` (`silently`: without a `close`), and those of a cell.
    `failure`: why the program was ended, or could not be started, in a sentence. `leaks`: where something secret was written. `problem`:
    why the act could not be played on this machine. `asked`: of the greeting, the transports that the program was to be led over.
    """

    name: ActName
    transport: str = ""
    events: tuple[Event, ...] = ()
    failure: str = ""
    leaks: tuple[str, ...] = ()
    problem: str = ""
    asked: tuple[str, ...] = ()

    def app(self, *kinds: str) -> list[Event]:
        """What the program said, of these kinds; of all, if none is named."""
        return [event for event in self.events if event.src == "app" and (not kinds or event.kind in kinds)]

    def hub(self, *kinds: str) -> list[Event]:
        """What the hub saw, of these kinds."""
        return [event for event in self.events if event.src == "hub" and event.kind in kinds]

    def staged(self, kind: str, **fields: object) -> list[Event]:
        """What was done to the program, of this kind and with these fields."""
        return [
            event
            for event in self.events
            if event.src == "harness" and event.kind == kind and fields.items() <= event.fields.items()
        ]

    def dammed(self) -> Iterator[tuple[int, int]]:
        """The spans during which the hub's answers were held back, as numbers of events: first, and after the last."""
        began: int | None = None
        for event in self.staged("dam"):
            if event.fields["shut"]:
                began = event.seq
            elif began is not None:
                yield began, event.seq
                began = None
        if began is not None:
            yield began, len(self.events)
