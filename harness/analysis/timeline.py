"""One cell's log -> the device's visits, as the hub saw them, and its absences. Times are seconds since the cell began."""

import math
from collections.abc import Iterator, Sequence

import msgspec

from harness.analysis.fields import of_kind, once
from harness.analysis.visits import LeavingKind, Visit, read_visits
from harness.events import CellLog, Event

__all__ = ["Absence", "Timeline", "make_timeline"]

HUB_STOPPED = "hub-stopped"


class Absence(msgspec.Struct, frozen=True):
    """From leaving to being let in again (`back` is null where it never was); `refused` are the attempts between."""

    left: Visit
    left_s: float
    kind: LeavingKind
    back: Visit | None
    refused: tuple[Visit, ...]

    @property
    def back_s(self) -> float | None:
        """When the device was back, never before it left: a connection may take over from one that still stands."""
        if self.back is None or self.back.connack_s is None:
            return None
        return max(self.back.connack_s, self.left_s)

    @property
    def cause(self) -> str:
        """Why it left; see `harness.analysis.findings`."""
        return self.left.cut_cause or "cut" if self.kind == "cut" else self.kind

    @property
    def first(self) -> str:
        """Who ended the visit: `device` or `hub`."""
        return {"disconnect": "device", "cut": "hub"}.get(self.kind) or self.left.closed_first


class Timeline(msgspec.Struct, frozen=True):
    """A cell in order. `closing_s`: when the harness itself began to end the cell; what follows is not the device's doing."""

    visits: tuple[Visit, ...]
    absences: tuple[Absence, ...]
    closing_s: float
    end_s: float

    @property
    def admitted(self) -> tuple[Visit, ...]:
        """The visits in which the device was let in, in the order they were."""
        return _admitted(self.visits)

    @property
    def first_connect_s(self) -> float:
        """When the device first asked to be let in; the end where it never did."""
        return min((visit.attempt_s for visit in self.visits), default=self.end_s)


def make_timeline(log: CellLog) -> Timeline:
    """Order what the log shows; unknown kinds and fields of a wrong type are passed over."""
    return _timeline(log.events)


@once
def _timeline(events: Sequence[Event]) -> Timeline:
    end_s = max((event.t for event in events), default=0) / 1e6
    closing_s = min((event.t / 1e6 for event in _closings(events)), default=math.inf)
    visits = read_visits(events)
    return Timeline(visits, _absences(visits, closing_s), min(closing_s, end_s), end_s)


def _closings(events: Sequence[Event]) -> Iterator[Event]:
    """Every sign that the harness ends the cell."""
    yield from of_kind(events, "harness", "closing")
    yield from (one for one in of_kind(events, "harness", "command") if one.fields.get("cmd") == "close")
    yield from (one for one in of_kind(events, "hub", "cut") if one.fields.get("cause") == HUB_STOPPED)


def _admitted(visits: tuple[Visit, ...]) -> tuple[Visit, ...]:
    accepted = [visit for visit in visits if visit.code == 0]
    return tuple(sorted(accepted, key=lambda visit: visit.connack_s or 0.0))


def _absences(visits: tuple[Visit, ...], closing_s: float) -> tuple[Absence, ...]:
    admitted = _admitted(visits)
    found = []
    for left, back in zip(admitted, (*admitted[1:], None), strict=False):
        leaving = left.leaving
        if leaving is not None and leaving[0] < closing_s:
            found.append(Absence(left, *leaving, back, _refused_between(visits, leaving[0], back)))
    return tuple(found)


def _refused_between(visits: tuple[Visit, ...], left_s: float, back: Visit | None) -> tuple[Visit, ...]:
    until = math.inf if back is None else back.attempt_s
    return tuple(one for one in visits if one.refused and left_s <= one.attempt_s <= until)
