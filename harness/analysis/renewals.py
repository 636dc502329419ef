"""Coming back with a new token: how it was done, when in the old token's life, and how long the device was away.

A token is new where its digest or its expiry differs from that of the connection the device left. How it came to be used:

| how | the device |
|---|---|
| `reconnect` | left of its own accord, by DISCONNECT or by closing |
| `hub-cut` | was cut by the hub because its token had expired |
| `in-band` | presented it on the standing connection |
| `per-request` | sent it with a request, over HTTPS, where there is no connection to leave or to present it on |

A new token after any other end is no renewal: an SDK that makes a token for every connection shows one whenever the line fails, and the hub
cannot tell a connection that was taken over on purpose from one that had died unnoticed.

A token says when it expires, not when it was made. Its lifetime is what the settings or the scenario ask for, unless the first token
refutes that; else what the first token had when its connection was accepted, in whole seconds. It was made at its expiry minus that
lifetime, or up to a second later, for most SDKs cut the expiry down to whole seconds; and not after it was first used, which is the better
estimate where it is the earlier one, for most SDKs make a token when they need it.

Where the device's clock was accelerated, what lies between its making a token and presenting it was not, and counts many times over: the first token is then
judged by that token of the cell which the least time can have passed since its making.

The first token bears a lifetime out that is up to two seconds above what it had (one for the whole second, one for the way to the hub) or a little
more than one below (an SDK may add a second). It refutes one that is not within these limits whenever between the command to open and the
CONNECT it was made. What lies between was made unclear by a slow connecting, and is neither.
"""

from collections.abc import Iterable

from harness.analysis.fields import number
from harness.analysis.findings import EXPIRED, FirstToken, RenewalHow
from harness.analysis.law import TOLERANCE_S
from harness.analysis.timeline import Absence, Timeline
from harness.analysis.visits import Token, TokenId, Visit
from harness.events import Event

__all__ = [
    "bears_out",
    "clearest_token",
    "first_token",
    "first_uses",
    "gap_ms",
    "is_noisy",
    "outlived",
    "point_in_life",
    "renewal_of",
    "token_lifetime",
    "worst_lag_ms",
]

SHORTER_S = 2.0
LONGER_S = 1.25
CLEAR = 0.01
EXPIRY_QUANTUM_S = 1.0
NOISE_FACTOR = 5.0
LAG_REACH_S = 0.1
LAG_WINDOW_S = 1.0  # where an event does not say


def renewal_of(absence: Absence) -> RenewalHow | None:
    """How the absence brought a new token, or None where it did not."""
    old, new = absence.left.last_token, absence.back.token if absence.back else None
    if old is None or new is None or old.id == new.id:
        return None
    if absence.first == "hub":
        return "hub-cut" if absence.cause == EXPIRED else None
    return "reconnect"


def first_token(timeline: Timeline, told_s: float) -> FirstToken | None:
    """The first token the device ever presented; `told_s` is when it was told to open."""
    for one in timeline.visits:
        if one.token and one.token.expires_s is not None:
            began = (one.began_s, one.attempt_s, min(told_s, one.began_s))
            return FirstToken(*(round(one.token.expires_s - at, 3) for at in began))
    return None


def clearest_token(timeline: Timeline) -> FirstToken | None:
    """The token whose making is known best, from the times of its first use: what an accelerated clock leaves to go by."""
    seen: dict[TokenId, tuple[float, float, float]] = {}
    for one in timeline.visits:
        if one.token and one.token.expires_s is not None:
            seen.setdefault(one.token.id, (one.attempt_s - one.began_s, one.token.expires_s, one.began_s))
        for put in one.puts:
            if put.token.expires_s is not None:
                seen.setdefault(put.token.id, (0.0, put.token.expires_s, put.at_s))
    if not seen:
        return None
    width, expires_s, began_s = min(seen.values())
    return FirstToken(*(round(expires_s - at, 3) for at in (began_s, began_s + width, began_s)))


def bears_out(first: FirstToken, asked_s: float) -> bool | None:
    """Whether the first token was made for `asked_s`; None where connecting took too long to tell: a hundredth of the lifetime is not too long."""
    if first.least_s - asked_s > LONGER_S or asked_s - first.most_s > SHORTER_S:
        return False
    near = CLEAR * asked_s
    return True if -max(SHORTER_S, near) <= first.lifetime_s - asked_s <= max(LONGER_S, near) else None


def token_lifetime(first: FirstToken | None, set_s: float | None) -> float | None:
    """What tokens of this cell are made for, from the first one and what was asked for."""
    if first is None or (set_s is not None and bears_out(first, set_s) is not False):
        return set_s
    return float(round(first.lifetime_s))


def outlived(timeline: Timeline, grace_s: float) -> bool:
    """Whether a token was watched beyond the last moment at which it could matter, on a connection that stood until its end."""
    return any(_stood_to_the_end(one, timeline.closing_s - grace_s) for one in timeline.admitted)


def _stood_to_the_end(one: Visit, until_s: float) -> bool:
    token = one.last_token
    if token is None or token.expires_s is None or until_s <= token.expires_s + TOLERANCE_S:
        return False
    stood = one.leaving is None or one.leaving[0] >= token.expires_s - TOLERANCE_S
    return stood or one.cut_cause == EXPIRED


def first_uses(timeline: Timeline) -> dict[TokenId, float]:
    """When each token was first presented, by digest and expiry."""
    uses: dict[TokenId, float] = {}
    for one in timeline.visits:
        if one.token:
            uses.setdefault(one.token.id, one.attempt_s)
        for put in one.puts:
            uses.setdefault(put.token.id, put.at_s)
    return uses


def point_in_life(token: Token, at_s: float, lifetime_s: float | None, first_used_s: float) -> float | None:
    """Seconds from the making of `token` to `at_s`."""
    if token.expires_s is None or lifetime_s is None:
        return None
    made_s = min(first_used_s, token.expires_s - lifetime_s + EXPIRY_QUANTUM_S)
    return round(at_s - made_s, 6)


def gap_ms(absence: Absence) -> float | None:
    """Milliseconds from leaving to CONNACK 0."""
    return None if absence.back_s is None else round((absence.back_s - absence.left_s) * 1e3, 3)


def worst_lag_ms(lags: Iterable[Event], absence: Absence) -> float:
    """The worst lag of the hub's loop during the absence and `LAG_REACH_S` around it."""
    start = absence.left_s - LAG_REACH_S
    stop = (absence.left_s if absence.back_s is None else absence.back_s) + LAG_REACH_S
    return max((_worst(event) for event in lags if _covers(event, start, stop)), default=0.0)


def is_noisy(gap: float | None, lag_ms: float) -> bool:
    """Whether a gap is too near to the hub's own lag to be believed."""
    return gap is not None and gap < NOISE_FACTOR * lag_ms


def _worst(event: Event) -> float:
    return number(event.fields, "worst_ms") or 0.0


def _covers(event: Event, start: float, stop: float) -> bool:
    end = event.t / 1e6
    return end >= start and end - (number(event.fields, "over_s") or LAG_WINDOW_S) <= stop
