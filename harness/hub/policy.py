"""How the hub treats its device: the intervals around a token's end, the close mode, the time limits of a connection."""

import math
from dataclasses import dataclass
from typing import get_args

from harness.hub.ending import CloseMode
from harness.hub.faults import Fault

__all__ = ["Policy"]

KEEP_ALIVE_FACTOR = 1.5


@dataclass(frozen=True, slots=True)
class Policy:
    """The treatment of one device identity; all intervals in seconds. The defaults are the service's.

    `grace_s`: an established connection is cut at `se` + grace. 600 s: IoT Hub documentation, "Monitor, diagnose, and troubleshoot
    device connectivity", the 10-minute grace of its SDK table.
    `skew_s`: new authentication is accepted until `se` + skew. 300 s: a clock drift of 5 minutes is tolerated ("401003").
    `close`: how that cut is made. None is the transport's own: `fin` over MQTT, `detach` over AMQP (links were seen to be detached with
    "Token Invalid." by users of the Java SDK, no CLOSE was ever reported). Over MQTT, what only AMQP knows is a `fin`.
    `keep_alive_zero_s`, `keep_alive_cap_s`: silence tolerated where the client asked for no keep-alive, and at most. 1767 s: "Communicate
    with an IoT hub using the MQTT protocol", default keep-alive timeout.
    `connect_timeout_s`: how long a connection may stay without CONNECT; over AMQP without OPEN, then without authentication.
    `clock_shift_s`: the hub judges tokens by a clock that is this much ahead; a device whose clock is behind looks the same.
    `faults`: what goes wrong on purpose.
    """

    grace_s: float = 600.0
    skew_s: float = 300.0
    close: CloseMode | None = None
    keep_alive_zero_s: float = 1767.0
    keep_alive_cap_s: float = 1767.0
    connect_timeout_s: float = 60.0
    clock_shift_s: float = 0.0
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        """Raise `ValueError` for what no hub can do."""
        for name in ("grace_s", "skew_s", "keep_alive_zero_s", "keep_alive_cap_s", "connect_timeout_s"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise ValueError(f"{name} = {value} has to be 0 or more seconds")
        if not math.isfinite(self.clock_shift_s):
            raise ValueError(f"clock_shift_s = {self.clock_shift_s} has to be a number of seconds")
        if self.close not in (None, *get_args(CloseMode)):
            raise ValueError(f"close = {self.close!r} has to be one of {', '.join(get_args(CloseMode))}")

    def too_late_to_connect(self, se: float, now: float) -> bool:
        """Whether a token of expiry `se` is refused at `now`; at `se` + skew itself it is still good."""
        return se + self.skew_s < now + self.clock_shift_s

    def cut_at(self, se: float) -> float:
        """When a connection with a token of expiry `se` is cut, on the clock of the caller."""
        return se + self.grace_s - self.clock_shift_s

    def keep_alive_timeout_s(self, keep_alive: int) -> float:
        """The silence tolerated for a CONNECT's keep-alive value (MQTT 3.1.1 section 3.1.2.10, capped by the service)."""
        if not keep_alive:
            return self.keep_alive_zero_s
        return min(keep_alive * KEEP_ALIVE_FACTOR, self.keep_alive_cap_s)
