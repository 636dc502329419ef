"""The states of an emulated device, and what leads from one to the next.

| phase | the transport | leads to, when |
|---|---|---|
| NEW | none | DIALLING: open |
| DIALLING | asked for | CONNECTING: `connected` · WAITING, DOWN: `lost`, or given up after `connect_timeout_s` |
| CONNECTING | the token was shown | SUBSCRIBING, READY: admitted · REFUSED, FAILED, WAITING: not admitted · WAITING, DOWN: `lost` |
| SUBSCRIBING | SUBSCRIBE or ATTACH sent | READY: granted · BROKEN · WAITING, DOWN: `lost` |
| READY | in use; renewed in place over AMQP | DRAINING, LEAVING: renewal, close · BROKEN, STALLED · WAITING, DOWN: `lost`, detached |
| DRAINING | acknowledgements are awaited | LEAVING: they came, or time is up · BROKEN · WAITING, DOWN: `lost` |
| LEAVING | leave was taken, being closed | WAITING: `lost` |
| REFUSED | refused, being closed | WAITING, DOWN: `lost` |
| FAILED | no answer, or CONNACK 3; being closed | WAITING, DOWN: `lost` |
| BROKEN | of no more use, being closed | WAITING, DOWN: `lost` |
| STALLED | closed by the hub, and the SDK does not see it yet | WAITING, DOWN: it does |
| WAITING | none until the next attempt, or one that stands | DIALLING, CONNECTING: it is time, or a message does not let it wait |
| DOWN | none, and no attempt by itself | DIALLING: a message, where the SDK lets one try |
| CLOSED | none | - |

From every phase a close command leads to CLOSED, as soon as the transport is gone. An attempt that comes to nothing (from DIALLING,
CONNECTING, REFUSED, FAILED) has an outcome, and `next_step` says what comes of it by what the attempt was for:

| purpose | REFUSED: a CONNACK other than 0 and 3, a put-token | UNREACHABLE: no answer, or CONNACK 3; NO_TRANSPORT |
|---|---|---|
| OPEN | OPEN_FAILS where the profile has `open_refused`; else as RESTORE | OPEN_FAILS where it has `open_unreachable`; else RETRY |
| RENEWAL | `after_failed_renewal`: RETRY, or as RESTORE | RETRY |
| RESTORE | `own_token_after_refusal`, `after_refusal`: RETRY or GIVE_UP | RETRY |
| MESSAGE | as RESTORE | GIVE_UP; but RETRY where there was no transport and `send_without_transport` is `retries` |

RETRY is WAITING for the next attempt; it is DOWN where the SDK has no reason to be connected (`reconnects`), and becomes GIVE_UP where its
patience ends (`retry_limit_s`). GIVE_UP and OPEN_FAILS are DOWN, and from then on an attempt is for a MESSAGE, if the SDK takes any
(`send_after_giving_up`).
"""

from enum import Enum, auto

from harness.emulation import Emulation, Manners

__all__ = ["ABSENT", "ENDED", "IN_USE", "STANDING", "Outcome", "Phase", "Purpose", "Step", "Timer", "next_step"]


class Phase(Enum):
    """Where the device stands."""

    NEW = auto()
    DIALLING = auto()
    CONNECTING = auto()
    SUBSCRIBING = auto()
    READY = auto()
    DRAINING = auto()
    LEAVING = auto()
    REFUSED = auto()
    FAILED = auto()
    BROKEN = auto()
    STALLED = auto()
    WAITING = auto()
    DOWN = auto()
    CLOSED = auto()


ABSENT = frozenset({Phase.NEW, Phase.STALLED, Phase.WAITING, Phase.DOWN, Phase.CLOSED})
"""No transport that is needed, and none on its way."""
IN_USE = frozenset({Phase.SUBSCRIBING, Phase.READY, Phase.DRAINING})
"""The hub has let the device in."""
STANDING = IN_USE | {Phase.BROKEN}
"""The hub had let the device in."""
ENDED = frozenset({Phase.NEW, Phase.CLOSED})
"""No client that could take a message."""


class Purpose(Enum):
    """What the present or the next attempt to connect is for. MESSAGE: nothing else would make the SDK try, for it has given up."""

    OPEN = auto()
    RENEWAL = auto()
    RESTORE = auto()
    MESSAGE = auto()


class Outcome(Enum):
    """How an attempt to connect came to nothing. NO_TRANSPORT: nobody was there to ask."""

    REFUSED = auto()
    UNREACHABLE = auto()
    NO_TRANSPORT = auto()


class Step(Enum):
    """What comes of that."""

    RETRY = auto()
    GIVE_UP = auto()
    OPEN_FAILS = auto()


def next_step(purpose: Purpose, outcome: Outcome, emulation: Emulation, manners: Manners, *, own_token: bool) -> Step:
    """What follows an attempt that came to nothing: the table above. `own_token`: the application supplied the token."""
    refused, signals = outcome is Outcome.REFUSED, manners.signals
    if purpose is Purpose.OPEN and (signals.open_refused if refused else signals.open_unreachable):
        return Step.OPEN_FAILS
    if purpose is Purpose.RENEWAL and emulation.after_failed_renewal == "retries-until-renewal":
        return Step.RETRY
    if not refused:
        fails = outcome is not Outcome.NO_TRANSPORT or manners.send_without_transport == "fails"
        return Step.GIVE_UP if purpose is Purpose.MESSAGE and fails else Step.RETRY
    rule = (own_token and manners.own_token_after_refusal) or manners.after_refusal
    return Step.GIVE_UP if rule == "gives-up" else Step.RETRY


class Timer(Enum):
    """What the device waits for; where two are due at once, the earlier one here comes first."""

    ATTEMPT = auto()
    TRANSPORT = auto()
    DRAINED = auto()
    STALL = auto()
    RESEND = auto()
    NOTICE = auto()
    RENEWAL = auto()
