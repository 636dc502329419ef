"""Requests over HTTPS, as far as they are about tokens.

There is no connection to be let in on, so all requests of a cell together count as one visit (`harness.analysis.visits`): it begins with the first one
whose token was good, and nothing ends it. A request with a token that none before it had is a renewal, done `per-request`: it takes nothing but
the request itself. One that was refused counts as refused, be its token a new one or that in use, for the reason that its answer gives. Requests
between these show nothing new.

Whether an SDK makes a token for each request is told by requests that are further apart than `APART_S`: tokens of the same second are the same
text, since expiries are whole seconds.

| tokens | of the requests |
|---|---|
| `each-request` | no two that are so far apart have the same |
| `kept` | two or more have |
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from harness.analysis.fields import mapping, number, of_kind, once, text, whole
from harness.events import Event, Events

__all__ = ["TokenUse", "as_puts", "token_use"]

TokenUse = Literal["each-request", "kept"]
APART_S: Final = 1.5
_STAY: Final = 0
"""The number of the visit; no connection has it."""
_OK: Final = 200
_REQUESTS: Final = ("http-request", "http-response")
_WHY: Final = ("reason", "check", "message")  # of a refusal


@once
def as_puts(events: Sequence[Event]) -> Sequence[Event]:
    """The events, and in place of requests and answers those of put-tokens where they tell something about a token."""
    return Events(_as_puts(events)) if any(of_kind(events, "hub", *_REQUESTS)) else events


def _as_puts(events: Iterable[Event]) -> Iterator[Event]:
    asked: Event | None = None
    known: set[str] = set()
    for event in events:
        if event.src != "hub" or event.kind not in _REQUESTS:
            yield event
        elif event.kind == "http-request":
            asked = event
        elif asked is not None:
            yield from _told(asked, event, known)
            asked = None


def _told(asked: Event, answered: Event, known: set[str]) -> Iterator[Event]:
    name, refused = _name(asked), is_refusal(answered)
    if name in known and not refused:
        return
    if not refused:
        known.add(name)
    status = (whole(answered.fields, "status") if refused else _OK) or 0
    yield _put(asked, "put-token", {"token": asked.fields.get("token")})
    why = {name: answered.fields[name] for name in _WHY if name in answered.fields}
    yield _put(answered, "put-token-answered", {"status": status, **why})


def is_refusal(answered: Event) -> bool:
    """Whether the answer is about the credentials of the request."""
    return bool(text(answered.fields, "reason"))


def _put(event: Event, kind: str, fields: Mapping[str, object]) -> Event:
    return Event(event.seq, event.t, "hub", kind, {"conn": _STAY, **fields})


def _name(asked: Event) -> str:
    token = mapping(asked.fields, "token")
    return f"{text(token, 'digest')} {number(token, 'se')}"


def token_use(events: Iterable[Event], closing_s: float) -> TokenUse | None:
    """Whether each request has a token of its own; None where no two requests are far enough apart to tell."""
    uses: dict[str, list[float]] = {}
    for event in of_kind(events, "hub", "http-request"):
        if event.t / 1e6 < closing_s and mapping(event.fields, "token"):
            uses.setdefault(_name(event), []).append(event.t / 1e6)
    every = [at for used in uses.values() for at in used]
    if not every or max(every) - min(every) <= APART_S:
        return None
    return "kept" if any(max(used) - min(used) > APART_S for used in uses.values()) else "each-request"
