"""One cell's log -> the device's connections, as the hub saw them, and its absences. A connection counts from its CONNECT on. Times are seconds since the cell began.

A token's times are counted on that axis too: the hub tells how much of it was left (`left_s`) when it was presented, so neither the wall
clock nor a hub that judges this device by a shifted clock enters.
"""

import math
from collections.abc import Mapping
from typing import Literal

import msgspec

from harness.analysis.fields import mapping, number, of_kind, text, whole
from harness.events import CellLog, Event

__all__ = ["Absence", "Connection", "Timeline", "Token", "make_timeline"]

LeavingKind = Literal["disconnect", "cut", "closed"]
HUB_STOPPED = "hub-stopped"


class Token(msgspec.Struct, frozen=True):
    """A SAS token as presented: digest of its signature, expiry as written, and expiry in the cell's time."""

    digest: str
    se: float | None
    expires_s: float | None


class Connection(msgspec.Struct, frozen=True):
    """One connection of the device, with the moments the log tells of; `code` is the CONNACK's."""

    number: int
    accepted_s: float | None = None
    connect_s: float | None = None
    connack_s: float | None = None
    code: int | None = None
    token: Token | None = None
    disconnect_s: float | None = None
    cut_s: float | None = None
    cut_cause: str = ""
    closed_s: float | None = None
    closed_first: str = ""

    @property
    def refused(self) -> bool:
        """Whether the hub answered the CONNECT with another code than 0."""
        return self.code is not None and self.code != 0

    @property
    def attempt_s(self) -> float:
        """When it asked to be let in, or was answered where the asking is not in the log."""
        return next((moment for moment in (self.connect_s, self.connack_s) if moment is not None), 0.0)

    @property
    def leaving(self) -> tuple[float, LeavingKind] | None:
        """The first sign that it ends, and which one; None while it lasts."""
        signs: list[tuple[float | None, LeavingKind]] = [
            (self.disconnect_s, "disconnect"),
            (self.cut_s, "cut"),
            (self.closed_s, "closed"),
        ]
        seen = [(moment, kind) for moment, kind in signs if moment is not None]
        return min(seen, key=lambda sign: sign[0], default=None)


class Absence(msgspec.Struct, frozen=True):
    """From leaving to the next accepted CONNECT (`back` is null where none came); `refused` are the attempts between."""

    left: Connection
    left_s: float
    kind: LeavingKind
    back: Connection | None
    refused: tuple[Connection, ...]

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
        """Who ended the connection: `device` or `hub`."""
        return {"disconnect": "device", "cut": "hub"}.get(self.kind) or self.left.closed_first


class Timeline(msgspec.Struct, frozen=True):
    """A cell in order. `closing_s`: when the harness itself began to end the cell; what follows is not the device's doing."""

    connections: tuple[Connection, ...]
    absences: tuple[Absence, ...]
    closing_s: float
    end_s: float

    @property
    def admitted(self) -> tuple[Connection, ...]:
        """The accepted connections, in the order they were."""
        return _admitted(self.connections)

    @property
    def first_connect_s(self) -> float:
        """When the device first asked to be let in; the end where it never did."""
        return min((connection.attempt_s for connection in self.connections), default=self.end_s)


def make_timeline(log: CellLog) -> Timeline:
    """Order what the log shows; unknown kinds and fields of a wrong type are passed over."""
    end_s = max((event.t / 1e6 for event in log.events), default=0.0)
    closing_s = min((event.t / 1e6 for event in log.events if _is_closing(event)), default=math.inf)
    connections = _connections(log)
    return Timeline(connections, _absences(connections, closing_s), min(closing_s, end_s), end_s)


def _is_closing(event: Event) -> bool:
    if event.src == "harness":
        return event.kind == "command" and event.fields.get("cmd") == "close"
    return event.src == "hub" and event.kind == "cut" and event.fields.get("cause") == HUB_STOPPED


def _connections(log: CellLog) -> tuple[Connection, ...]:
    found: dict[int, Connection] = {}
    for event in of_kind(log.events, "hub", *_CHANGES):
        conn = whole(event.fields, "conn")
        if conn is not None:
            known = found.get(conn, Connection(conn))
            found[conn] = msgspec.structs.replace(known, **_CHANGES[event.kind](event.t / 1e6, event.fields))
    return tuple(one for one in found.values() if one.connect_s is not None or one.connack_s is not None)


def _accepted(now: float, _: Mapping[str, object]) -> dict[str, object]:
    return {"accepted_s": now}


def _connect(now: float, fields: Mapping[str, object]) -> dict[str, object]:
    return {"connect_s": now, "token": _token(now, mapping(fields, "token"))}


def _connack(now: float, fields: Mapping[str, object]) -> dict[str, object]:
    return {"connack_s": now, "code": whole(fields, "code")}


def _disconnect(now: float, _: Mapping[str, object]) -> dict[str, object]:
    return {"disconnect_s": now}


def _cut(now: float, fields: Mapping[str, object]) -> dict[str, object]:
    return {"cut_s": now, "cut_cause": text(fields, "cause")}


def _closed(now: float, fields: Mapping[str, object]) -> dict[str, object]:
    return {"closed_s": now, "closed_first": text(fields, "first")}


_CHANGES = {
    "accepted": _accepted,
    "connect": _connect,
    "connack": _connack,
    "disconnect": _disconnect,
    "cut": _cut,
    "closed": _closed,
}


def _token(now: float, fields: Mapping[str, object]) -> Token | None:
    if not fields:
        return None
    left = number(fields, "left_s")
    return Token(text(fields, "digest"), number(fields, "se"), None if left is None else now + left)


def _admitted(connections: tuple[Connection, ...]) -> tuple[Connection, ...]:
    accepted = [connection for connection in connections if connection.code == 0]
    return tuple(sorted(accepted, key=lambda connection: connection.connack_s or 0.0))


def _absences(connections: tuple[Connection, ...], closing_s: float) -> tuple[Absence, ...]:
    admitted = _admitted(connections)
    found = []
    for left, back in zip(admitted, (*admitted[1:], None), strict=False):
        leaving = left.leaving
        if leaving is not None and leaving[0] < closing_s:
            refused = _refused_between(connections, leaving[0], back)
            found.append(Absence(left, *leaving, back, refused))
    return tuple(found)


def _refused_between(
    connections: tuple[Connection, ...], left_s: float, back: Connection | None
) -> tuple[Connection, ...]:
    until = math.inf if back is None else back.attempt_s
    return tuple(one for one in connections if one.refused and left_s <= one.attempt_s <= until)
