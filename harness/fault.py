"""What a scenario lets go wrong on purpose, as its document says it, and what contradicts itself there. `harness.fault_words` lists anchors and actions."""

from collections.abc import Iterator, Sequence
from typing import Final, get_args

from harness.documents import Document, Problem
from harness.fault_words import AMQP_ONLY_CLOSES, CLOSING, POSSIBLE, Action, Anchor, CloseMode, OutageHow

__all__ = ["Fault", "fault_problems"]

_OF_A_RENEWAL: Final = frozenset({"before-renewal", "renewal", "renewal-answer"})
_OF_MESSAGES: Final = frozenset({"withhold-puback", "throttle"})
CODES: Final = range(1, 6)
STATUSES: Final = (400, 401, 403, 404, 500)

MOST_TIMES = 1_000  # a fault in a cell; more cannot happen in any scenario's time


class Fault(Document, frozen=True):
    """Something the hub does to the device that a hub in good order would not, `times` times in the cell.

    `close`: how a connection ends by `cut` or a change of the identity, if not in the transport's own way; how a `blackhole` begins. `delay_s`: how
    late an answer is, in seconds. `code`, `status`: what a refusal says over MQTT, over AMQP. `how`, `for_s`: of an outage, for so many seconds.
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
    faults: Sequence[Fault], *, renewed: bool, traffic: Sequence[str], transports: Sequence[str]
) -> Iterator[Problem]:
    """What cannot happen among `faults` to a device in this `traffic`, over these `transports` (none: all over which it is connected).

    `renewed`: whether anybody renews its token, be it the SDK or the application.
    """
    for index, fault in enumerate(faults):
        for name, problem, remedy in (
            *_action_problems(fault, traffic),
            *_anchor_problems(fault, transports, renewed=renewed),
            *_answer_problems(fault, transports),
            *_outage_problems(fault),
        ):
            yield f"faults[{index}].{name}", problem, remedy


def _action_problems(fault: Fault, traffic: Sequence[str]) -> Iterator[Problem]:
    if fault.action not in POSSIBLE[fault.at]:
        anchors = ", ".join(at for at in get_args(Anchor) if fault.action in POSSIBLE[at])
        yield "action", f"{fault.action} cannot happen at {fault.at}", f"It can at {anchors}"
    if fault.close is not None and fault.action not in CLOSING | {"outage"}:
        remedy = "Drop it: nothing else ends a connection in a way that could be chosen"
        yield "close", 'goes with action = "cut" or a change of the identity', remedy
    if fault.action == "delay" and fault.delay_s <= 0:
        yield "delay_s", "is not above 0", "Say how many seconds the answer is late"
    if fault.action != "delay" and fault.delay_s:
        yield "delay_s", 'goes with action = "delay"', "Drop it, or delay"
    if not 1 <= fault.times <= MOST_TIMES:
        yield "times", f"is not between 1 and {MOST_TIMES}", "Count how often it happens in a cell"
    if fault.action in _OF_MESSAGES and "sending" not in traffic:
        yield (
            "action",
            f"{fault.action} does nothing to an application that sends nothing",
            'Add "sending" to `traffic`',
        )


def _anchor_problems(fault: Fault, transports: Sequence[str], *, renewed: bool) -> Iterator[Problem]:
    """About when it strikes: a renewal that never comes, or a connection that there is not."""
    if fault.at in _OF_A_RENEWAL and not renewed:
        remedy = 'Use credential = "key", let `[supply]` hand over a further token, or use at = "half-life"'
        yield "at", "nobody renews a fixed token", remedy
    if "https" in transports:
        others = [transport for transport in transports if transport != "https"]
        remedy = f"Keep {', '.join(others)} and drop https" if others else "Name another transport, or drop the fault"
        yield "at", "HTTPS has no connection that a fault could strike, and `transports` names https", remedy


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
