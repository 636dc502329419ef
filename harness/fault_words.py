"""The words for what goes wrong on purpose, which scenario documents and the hub share: when in the token's life, what happens, how a connection ends.

| anchor | when it strikes | what may happen then |
|---|---|---|
| `renewal` | the device, let in before, comes with a good token it was never let in with: the CONNECT or put-token has arrived | `refuse` `cut` `ignore` `delay` `outage`, identity |
| `renewal-answer` | that token was judged and counts from now on, but the answer has not left yet | `cut` `ignore` `delay` `outage` |
| `away` | the device has left, was turned out or cut off, in whatever way, and its next attempt to come back arrives, whichever good token it brings | as `renewal` |
| `before-renewal` | a second before the token is as old as the first was when it was renewed, or 5 % of that, if it is more: from the second renewal on | `cut` `outage` `withhold-puback` `takeover` `throttle`, identity |
| `half-life` | half of what was left of the token when it was accepted is over | the same |
| `expiry` | the token expires (`se`) | the same |
| `grace-end` | at `se` + grace, instead of the hub's ordinary cut | the same, and `ignore`: no cut |

Identity: `roll-key`, `disable`, `delete`. The words are the same for every SDK: none of them is a second on the clock. Only good tokens meet a
fault; a bad one is refused for its own sake. This module imports nothing of ours, so that both sides can have it.
"""

from typing import Final, Literal, get_args

__all__ = [
    "AMQP_ONLY_CLOSES",
    "CLOSING",
    "IDENTITY",
    "POSSIBLE",
    "Action",
    "Anchor",
    "CloseMode",
    "IdentityChange",
    "OutageHow",
]

CloseMode = Literal["fin", "rst", "detach", "detach-not-closed", "close"]
"""How the hub ends a connection.

`fin`: TLS close_notify, then FIN, after all data. `rst`: it is reset. What only AMQP knows: `detach`: the device's links are detached, with an error;
the connection stays, and with it `$cbs`. `detach-not-closed`: the same with `closed` false, as newer gateways of the service do (azure-iot-sdk-java,
pull request 1774). `close`: CLOSE with an error.
"""
AMQP_ONLY_CLOSES: Final[frozenset[CloseMode]] = frozenset({"detach", "detach-not-closed", "close"})
OutageHow = Literal["restart", "rst", "half-open", "blackhole"]
"""How hub and network fail the whole cell.

| how | connections | new connections |
|---|---|---|
| `restart` | closed as by the end of a process, without a farewell | refused |
| `rst` | reset, as by something on the way that rejects | refused |
| `half-open` | the far end is gone without a FIN: nothing is read, nothing sent | let in |
| `blackhole` | the same; with a `close`, `fin` or `rst`, they are told so as it begins | their SYN is not answered |
"""

Anchor = Literal["before-renewal", "renewal", "renewal-answer", "away", "half-life", "expiry", "grace-end"]
IdentityChange = Literal["roll-key", "disable", "delete"]
Action = Literal[
    "refuse",
    "cut",
    "ignore",
    "delay",
    "withhold-puback",
    "roll-key",
    "disable",
    "delete",
    "takeover",
    "throttle",
    "outage",
]
"""What happens then.

`refuse`: answer as an expired token is answered, or with a CONNACK code over MQTT, a put-token status over AMQP. `cut`: end the connection; over AMQP
with the error of an expired token, so that it shows what an SDK makes of such an end while its token is good. `ignore`: no answer, the connection
stands. `delay`: the answer comes later; at `renewal` and `away` the token is judged only then. `withhold-puback`: acknowledge no telemetry on this
connection from now on, not this message alone: a hub that acknowledges later ones breaks MQTT 3.1.1 section 4.6; over AMQP the dispositions.
`roll-key`: the key the device signs with is exchanged; `disable`, `delete`: its identity is; an established connection ends then, and no other is
let in. `takeover`: another client comes with the same identity, and stays until the device comes back. `throttle`: the next telemetry message is refused
for coming too fast, over MQTT by cutting the connection. `outage`: hub or network fail the whole cell for a while; an answer that was due stays out.
What still stands at its end is reset, as by a peer that knows nothing of it.
"""

IDENTITY: Final[dict[str, IdentityChange]] = {change: change for change in get_args(IdentityChange)}
"""The actions that change the identity of the device: they end its connection, and it is let in no more."""
CLOSING: Final = frozenset(IDENTITY) | {"cut"}
"""The actions that end an established connection in a way that can be chosen."""
_ARRIVAL: Final[frozenset[Action]] = frozenset(
    {"refuse", "cut", "ignore", "delay", "outage", "roll-key", "disable", "delete"}
)
_ESTABLISHED: Final[frozenset[Action]] = frozenset(
    {"cut", "outage", "withhold-puback", "roll-key", "disable", "delete", "takeover", "throttle"}
)
POSSIBLE: Final[dict[Anchor, frozenset[Action]]] = {
    "before-renewal": _ESTABLISHED,
    "renewal": _ARRIVAL,
    "renewal-answer": frozenset({"cut", "ignore", "delay", "outage"}),
    "away": _ARRIVAL,
    "half-life": _ESTABLISHED,
    "expiry": _ESTABLISHED,
    "grace-end": _ESTABLISHED | {"ignore"},
}
"""What can happen at each anchor."""
