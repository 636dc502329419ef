"""The states of an emulated device, and what leads from one to the next.

| phase | the transport | leads to, when |
|---|---|---|
| NEW | none | DIALLING: open |
| DIALLING | asked for | CONNECTING: `connected` · WAITING, DOWN: `lost` |
| CONNECTING | CONNECT sent | SUBSCRIBING, READY: CONNACK 0 · REFUSED, FAILED: another CONNACK · WAITING, DOWN: `lost` |
| SUBSCRIBING | SUBSCRIBE sent | READY: SUBACK · BROKEN · WAITING, DOWN: `lost` |
| READY | in use | DRAINING, LEAVING: renewal, close · BROKEN · WAITING, DOWN: `lost` |
| DRAINING | PUBACKs are awaited | LEAVING: they came, or time is up · BROKEN · WAITING, DOWN: `lost` |
| LEAVING | DISCONNECT sent, being closed | WAITING: `lost` |
| REFUSED | refused by CONNACK, being closed | WAITING, DOWN: `lost` |
| FAILED | no answer, or CONNACK 3; being closed | WAITING, DOWN: `lost` |
| BROKEN | the hub broke MQTT or fell silent, being closed | WAITING, DOWN: `lost` |
| WAITING | none, until the next attempt | DIALLING: it is time, or a message does not let it wait |
| DOWN | none, and no attempt by itself | DIALLING: a message, where the SDK lets one try |
| CLOSED | none | - |

From every phase a close command leads to CLOSED, as soon as the transport is gone. What an attempt that comes to nothing leads to (from
DIALLING, CONNECTING, REFUSED, FAILED) is the profile's: `reconnects`, `after_refusal`, `refused_retry_s`, `retry_limit_s`, `send_while_down`,
`send_after_giving_up`.
"""

from enum import Enum, auto

__all__ = ["ABSENT", "ENDED", "STANDING", "Phase", "Purpose", "Timer"]


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
    WAITING = auto()
    DOWN = auto()
    CLOSED = auto()


ABSENT = frozenset({Phase.NEW, Phase.WAITING, Phase.DOWN, Phase.CLOSED})
"""No transport, and none on its way."""
STANDING = frozenset({Phase.SUBSCRIBING, Phase.READY, Phase.DRAINING, Phase.BROKEN})
"""The hub had let the device in."""
ENDED = frozenset({Phase.NEW, Phase.CLOSED})
"""No client that could take a message."""


class Purpose(Enum):
    """What the present or the next attempt to connect is for."""

    OPEN = auto()
    RENEWAL = auto()
    RESTORE = auto()


class Timer(Enum):
    """What the device waits for; where two are due at once, the earlier one here comes first."""

    ATTEMPT = auto()
    DRAINED = auto()
    RESEND = auto()
    NOTICE = auto()
    RENEWAL = auto()
