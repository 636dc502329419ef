"""The device's visits: each time it asked the hub to be let in, what it was answered, and, where it was let in, how long it stayed.

Over MQTT a network connection is one visit, from its CONNECT on. Over AMQP it may hold several: one begins with a put-token of a device
that is not let in, and ends with the links' DETACH by the hub, with the device's CLOSE, or with the connection. A put-token during a
visit begins none: it is an attempt to renew in place (`PutToken`), and where it succeeds the visit goes on with the new token. One that
brings the token in use is no attempt to renew, but may be refused like any other. An answer belongs to the connection's last put-token that has none.
Where a client certificate stands for a token, a visit begins with the moment it is judged, which is the asking and the answer in one.
Over HTTPS all requests together are one visit (`harness.analysis.requests`).

A log that was recorded elsewhere may hold neither digest nor expiry of a token, and of a refused one nothing at all (the event has no `token`).
Tokens without both are told apart by the moment they expire: half a second is one and the same, for expiries are whole seconds. One of which nothing is
known counts as a new one.

Times are seconds since the cell began. A token's times are counted on that axis too: the hub tells how much of it was left (`left_s`)
when it was presented, so neither the wall clock nor a hub that judges this device by a shifted clock enters.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from harness.analysis.fields import mapping, number, of_kind, text, whole
from harness.analysis.requests import as_puts
from harness.events import Event

__all__ = ["CBS_OK", "LeavingKind", "PutToken", "Token", "TokenId", "Visit", "read_visits"]

LeavingKind = Literal["disconnect", "cut", "closed"]
TokenId = tuple[str, float | None]
"""Digest and expiry, by which tokens are told apart."""
CBS_OK: Final = 200
SAME_EXPIRY_S: Final = 0.5
_BEGINNINGS: Final = frozenset({"put-token", "certificate-judged"})


class Token(msgspec.Struct, frozen=True):
    """A SAS token as presented: digest of its signature, expiry as written, and expiry in the cell's time."""

    digest: str
    se: float | None
    expires_s: float | None

    @property
    def id(self) -> TokenId:
        """What tells it from others."""
        return self.digest, self.se


class PutToken(msgspec.Struct, frozen=True):
    """A put-token during a visit; `replaces` is the token in use then, `same` whether it is the one presented. Without an answer, `status` is null."""

    at_s: float
    token: Token
    replaces: Token | None
    answered_s: float | None = None
    status: int | None = None
    same: bool = False

    @property
    def accepted(self) -> bool:
        """Whether it is the token in use from then on."""
        return self.status == CBS_OK

    @property
    def refused(self) -> bool:
        """Whether the hub answered that it would not have it."""
        return self.status is not None and not self.accepted


class Visit(msgspec.Struct, frozen=True):
    """One visit, on connection `number`, with the moments the log tells of.

    `connect_s`: the CONNECT or put-token that asked; `connack_s`: its answer, `code` being the CONNACK's, or 0 for a put-token answered
    200, else its status. `token` is the one it asked with, `puts` are those that followed during the visit.
    """

    number: int
    accepted_s: float | None = None
    connect_s: float | None = None
    connack_s: float | None = None
    code: int | None = None
    token: Token | None = None
    puts: tuple[PutToken, ...] = ()
    disconnect_s: float | None = None
    cut_s: float | None = None
    cut_cause: str = ""
    closed_s: float | None = None
    closed_first: str = ""

    @property
    def asked(self) -> bool:
        """Whether it ever got as far as asking."""
        return self.connect_s is not None or self.connack_s is not None

    @property
    def refused(self) -> bool:
        """Whether the hub answered that it would not let the device in."""
        return self.code is not None and self.code != 0

    @property
    def attempt_s(self) -> float:
        """When it asked to be let in, or was answered where the asking is not in the log."""
        return next((moment for moment in (self.connect_s, self.connack_s) if moment is not None), 0.0)

    @property
    def began_s(self) -> float:
        """When the attempt was first seen: at its accept, or, on a connection that stood, when it asked."""
        return self.attempt_s if self.accepted_s is None else self.accepted_s

    @property
    def stands(self) -> bool:
        """Whether the device was let in and has not left."""
        return self.code == 0 and self.leaving is None

    @property
    def leaving(self) -> tuple[float, LeavingKind] | None:
        """The first sign that it ends, and which one; None while it lasts."""
        signs: list[tuple[float | None, LeavingKind]] = [
            (self.cut_s, "cut"),  # before a leave of the same moment, which answers it: nothing is cut after one
            (self.disconnect_s, "disconnect"),
            (self.closed_s, "closed"),
        ]
        seen = [(moment, kind) for moment, kind in signs if moment is not None]
        return min(seen, key=lambda sign: sign[0], default=None)

    @property
    def last_token(self) -> Token | None:
        """The token in use at its end."""
        return next((put.token for put in reversed(self.puts) if put.accepted), self.token)


def read_visits(events: Sequence[Event]) -> tuple[Visit, ...]:
    """The visits, in the order in which they began; a connection that never asked to be let in is none."""
    found: list[Visit] = []
    latest: dict[int, int] = {}
    unnamed = _Unnamed()
    for event in of_kind(as_puts(events), "hub", *_CHANGES):
        conn = whole(event.fields, "conn")
        if conn is None:
            continue
        index = latest.setdefault(conn, len(found))
        if index == len(found):
            found.append(Visit(conn))
        elif event.kind in _BEGINNINGS and _is_over(found[index]):
            index = latest[conn] = len(found)
            found.append(Visit(conn))
        now = event.t / 1e6
        found[index] = _CHANGES[event.kind](found[index], now, unnamed.named(event.kind, now, event.fields))
    return tuple(visit for visit in found if visit.asked)


def _is_over(visit: Visit) -> bool:
    """Whether a put-token, or the judgement of a certificate, begins another visit on the same connection."""
    return visit.refused or (visit.asked and visit.leaving is not None)


Fields = Mapping[str, object]


class _Unnamed:
    """Gives tokens without digest and expiry a name each."""

    def __init__(self) -> None:
        self._expiries: list[float] = []

    def named(self, kind: str, now: float, fields: Fields) -> Fields:
        """The fields, with a name where they present a token without one."""
        token = mapping(fields, "token")
        if kind not in {"connect", "put-token"} or token.get("digest") or token.get("se") is not None:
            return fields
        if not token and "token" in fields:
            return fields
        left = number(token, "left_s")
        return {**fields, "token": {**token, "digest": self._name(math.nan if left is None else now + left)}}

    def _name(self, expires_s: float) -> str:
        """By the moment it expires; NaN, which is like no other, where that is not known."""
        alike = (n for n, known in enumerate(self._expiries) if abs(known - expires_s) <= SAME_EXPIRY_S)
        index = next(alike, len(self._expiries))
        if index == len(self._expiries):
            self._expiries.append(expires_s)
        return f"unnamed {index}"


def _accepted(visit: Visit, now: float, _: Fields) -> Visit:
    return replace(visit, accepted_s=now)


def _connect(visit: Visit, now: float, fields: Fields) -> Visit:
    return replace(visit, connect_s=now, token=_token(now, fields))


def _connack(visit: Visit, now: float, fields: Fields) -> Visit:
    return replace(visit, connack_s=now, code=whole(fields, "code"))


def _put_token(visit: Visit, now: float, fields: Fields) -> Visit:
    token = _token(now, fields)
    if not visit.stands:
        return replace(visit, connect_s=now, token=token)
    old = visit.last_token
    if token is None:
        return visit
    same = old is not None and token.id == old.id
    return replace(visit, puts=(*visit.puts, PutToken(now, token, old, same=same)))


def _put_token_answered(visit: Visit, now: float, fields: Fields) -> Visit:
    status = whole(fields, "status")
    if visit.code is None:
        return replace(visit, connack_s=now, code=0 if status == CBS_OK else status)
    if not visit.puts or visit.puts[-1].answered_s is not None:
        return visit
    *before, last = visit.puts
    return replace(visit, puts=(*before, replace(last, answered_s=now, status=status)))


def _certificate_judged(visit: Visit, now: float, fields: Fields) -> Visit:
    status = whole(fields, "status")
    return replace(visit, connect_s=now, connack_s=now, code=0 if status == CBS_OK else status)


def _disconnect(visit: Visit, now: float, _: Fields) -> Visit:
    return replace(visit, disconnect_s=now)


def _cut(visit: Visit, now: float, fields: Fields) -> Visit:
    """The first counts: a connection that stands after a cut may be cut for another reason."""
    return visit if visit.cut_s is not None else replace(visit, cut_s=now, cut_cause=text(fields, "cause"))


def _struck(visit: Visit, now: float, _: Fields) -> Visit:
    """An outage ends it for the device, whether the hub knows of it or not: what the hub does to it afterwards reaches nobody."""
    return visit if visit.cut_s is not None else replace(visit, cut_s=now, cut_cause="fault")


def _closed(visit: Visit, now: float, fields: Fields) -> Visit:
    return replace(visit, closed_s=now, closed_first=text(fields, "first"))


_CHANGES: Final[Mapping[str, Callable[[Visit, float, Fields], Visit]]] = {
    "accepted": _accepted,
    "connect": _connect,
    "connack": _connack,
    "put-token": _put_token,
    "put-token-answered": _put_token_answered,
    "certificate-judged": _certificate_judged,
    "disconnect": _disconnect,
    "cut": _cut,
    "struck": _struck,
    "closed": _closed,
}


def _token(now: float, fields: Fields) -> Token | None:
    shown = mapping(fields, "token")
    if not shown:
        return None
    left = number(shown, "left_s")
    return Token(text(shown, "digest"), number(shown, "se"), None if left is None else now + left)
