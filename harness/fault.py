"""What a scenario lets go wrong on purpose, as its document says it: when in the token's life, and what happens then.

| `at` | when | `action` |
|---|---|---|
| `renewal` | the device, let in before, comes with a new token: the CONNECT or put-token has arrived | `refuse` `cut` `ignore` `delay` `outage` `roll-key` `disable` `delete` |
| `renewal-answer` | that token was judged and counts from now on, but the answer has not left yet | `cut` `ignore` `delay` `outage` |
| `away` | the device has left, and its next attempt to come back arrives, whichever token it brings | as `renewal` |
| `before-renewal` | a second before the token is as old as the first was when it was renewed, or 5 % of that, if it is more: from the second renewal on | `cut` `outage` `withhold-puback` `roll-key` `disable` `delete` `takeover` `throttle` |
| `half-life` | half of what was left of the token when it was accepted is over | the same |
| `expiry` | the token expires (`se`) | the same |
| `grace-end` | at `se` + grace, instead of the hub's ordinary cut | the same, and `ignore`: no cut |

The words are the same for every SDK: none of them is a second on the clock. Only good tokens meet a fault; a bad one is refused for its own sake.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, get_args

from harness.documents import Document, Problem

__all__ = [
    "AMQP_ONLY_CLOSES",
    "IDENTITY",
    "POSSIBLE",
    "Action",
    "Anchor",
    "CloseMode",
    "Fault",
    "OutageHow",
    "fault_problems",
]

CloseMode = Literal["fin", "rst", "detach", "detach-not-closed", "close"]
"""`fin`, `rst`: the end of the TCP connection. Over AMQP: DETACH of the device's links, in good order (`closed` true) or not, or CLOSE of the connection."""
AMQP_ONLY_CLOSES: Final = frozenset({"detach", "detach-not-closed", "close"})
OutageHow = Literal["restart", "rst", "half-open", "blackhole"]
"""How hub and network fail the whole cell.

`restart`: the hub's process ends: its connections close without a farewell, new ones are refused until it is back. `rst`: something on the way
rejects: connections are reset, new ones refused. `half-open`: the far end of the connections is gone without a FIN: what is sent on them vanishes,
new ones are let in. `blackhole`: the network swallows everything, also the SYN of new connections; with `close`, by `fin` or `rst`, what stands is
told so as it begins, and new connections find no answer.
"""

Anchor = Literal["before-renewal", "renewal", "renewal-answer", "away", "half-life", "expiry", "grace-end"]
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
IDENTITY: Final = frozenset({"roll-key", "disable", "delete"})
"""The actions that change the identity of the device: they end its connection, and it is let in no more."""
_OF_A_RENEWAL: Final = frozenset({"before-renewal", "renewal", "renewal-answer"})
_OF_MESSAGES: Final = frozenset({"withhold-puback", "throttle"})
_ARRIVAL: Final = frozenset({"refuse", "cut", "ignore", "delay", "outage"}) | IDENTITY
_ESTABLISHED: Final = frozenset({"cut", "takeover", "outage"}) | _OF_MESSAGES | IDENTITY
POSSIBLE: Final[dict[str, frozenset[str]]] = {
    "before-renewal": _ESTABLISHED,
    "renewal": _ARRIVAL,
    "renewal-answer": frozenset({"cut", "ignore", "delay", "outage"}),
    "away": _ARRIVAL,
    "half-life": _ESTABLISHED,
    "expiry": _ESTABLISHED,
    "grace-end": _ESTABLISHED | {"ignore"},
}
"""What can happen at each anchor."""
CODES: Final = range(1, 6)
STATUSES: Final = (400, 401, 403, 404, 500)

MOST_TIMES = 1_000  # a fault in a cell; more cannot happen in any scenario's time


class Fault(Document, frozen=True):
    """Something the hub does to the device that a hub in good order would not, `times` times in the cell; the module says when.

    `refuse`: answer as an expired token is answered, or with the CONNACK `code` over MQTT and the put-token `status` over AMQP. `cut`: end the
    connection by `close`, or the transport's own way. `ignore`: give no answer and let the connection stand. `delay`: answer `delay_s`
    seconds later. `withhold-puback`: acknowledge no telemetry on this connection from now on, not this message alone: a hub that acknowledges later
    ones breaks MQTT 3.1.1 section 4.6; over AMQP the dispositions. `roll-key`: the key the device signs with is exchanged; `disable`, `delete`:
    its identity is; an established connection ends then, by `close`, and no other is let in. `takeover`: another client comes with the same
    identity, and stays until the device comes back. `throttle`: the next telemetry message is refused, over MQTT by cutting the connection.
    `outage`: hub or network fail the cell, as `how` says, for `for_s` seconds. What then still stands is reset, as by a peer that knows nothing of it.
    """

    at: Anchor
    action: Action
    close: CloseMode | None = None
    times: int = 1
    delay_s: float = 0.0
    code: int | None = None
    status: int | None = None
    how: OutageHow | None = None
    for_s: float | None = None


def fault_problems(
    faults: Sequence[Fault], *, credential: str, traffic: Sequence[str], transports: Sequence[str]
) -> Iterator[Problem]:
    """What cannot happen among `faults` to a device whose scenario has this `credential` and `traffic`, over these `transports` (none: all)."""
    for index, fault in enumerate(faults):
        for name, problem, remedy in _problems(fault, credential, traffic, transports):
            yield f"faults[{index}].{name}", problem, remedy


def _problems(fault: Fault, credential: str, traffic: Sequence[str], transports: Sequence[str]) -> Iterator[Problem]:
    if fault.action not in POSSIBLE[fault.at]:
        anchors = ", ".join(at for at in get_args(Anchor) if fault.action in POSSIBLE[at])
        yield "action", f"{fault.action} cannot happen at {fault.at}", f"It can at {anchors}"
    if fault.close is not None and fault.action not in IDENTITY | {"cut", "outage"}:
        remedy = "Drop it: nothing else ends a connection in a way that could be chosen"
        yield "close", 'goes with action = "cut" or a change of the identity', remedy
    if fault.action == "delay" and fault.delay_s <= 0:
        yield "delay_s", "is not above 0", "Say how many seconds the answer is late"
    if fault.action != "delay" and fault.delay_s:
        yield "delay_s", 'goes with action = "delay"', "Drop it, or delay"
    yield from _answer_problems(fault, transports)
    yield from _outage_problems(fault)
    if not 1 <= fault.times <= MOST_TIMES:
        yield "times", f"is not between 1 and {MOST_TIMES}", "Count how often it happens in a cell"
    if fault.at in _OF_A_RENEWAL and credential == "token":
        yield "at", "nobody renews a fixed token", 'Use credential = "key", or at = "half-life"'
    if fault.action in _OF_MESSAGES and "sending" not in traffic:
        yield (
            "action",
            f"{fault.action} does nothing to an application that sends nothing",
            'Add "sending" to `traffic`',
        )
    if transports and all(transport == "https" for transport in transports):
        yield "at", "HTTPS has no connection that a fault could strike", "Name another transport, or drop the fault"


def _answer_problems(fault: Fault, transports: Sequence[str]) -> Iterator[Problem]:
    """About the answers of a refusal, each of which belongs to one protocol."""
    for name, known, protocol in (("code", tuple(CODES), "mqtt"), ("status", STATUSES, "amqp")):
        value = getattr(fault, name)
        if value is None:
            continue
        if fault.action != "refuse":
            yield name, 'goes with action = "refuse"', "Drop it, or refuse"
        if value not in known:
            yield name, f"{value} is none that SDKs tell apart", f"Use one of {', '.join(map(str, known))}"
        if transports and not any(transport.startswith(protocol) for transport in transports):
            remedy = "Drop it, or name such a transport"
            yield name, f"only {protocol} can carry it, and the scenario is about {', '.join(transports)}", remedy


def _outage_problems(fault: Fault) -> Iterator[Problem]:
    """`how` and `for_s` go with an outage, and it needs both."""
    outage = fault.action == "outage"
    if outage and fault.close is not None and (fault.how != "blackhole" or fault.close in AMQP_ONLY_CLOSES):
        yield (
            "close",
            f'{fault.close} does not go with how = "{fault.how}"',
            'Drop it, or use "fin" or "rst" with how = "blackhole"',
        )
    for name in ("how", "for_s"):
        if (getattr(fault, name) is not None) != outage:
            remedy = "Set both how and for_s, or neither"
            yield name, 'goes with action = "outage", and only with it', remedy
    if outage and fault.for_s is not None and fault.for_s <= 0:
        yield "for_s", "is not above 0", "Use the seconds that the outage lasts"
