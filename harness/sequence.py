"""What can still happen to a device once something else has: which faults of a scenario never strike, and how much the others can cut and refuse.

Only what is certain is said: a device that leaves and comes back in its own time may meet the anchors of its token in another order.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from harness.documents import Problem
from harness.fault import Fault
from harness.fault_words import CLOSING, IDENTITY, Anchor

__all__ = ["at_grace_end", "most_cuts", "most_refusals", "sequence_problems"]

_LATER: Final[Mapping[Anchor, frozenset[Anchor]]] = {
    "half-life": frozenset({"expiry", "grace-end"}),
    "expiry": frozenset({"grace-end"}),
    "renewal": frozenset({"renewal-answer", "before-renewal"}),
}
"""What comes after an anchor, and never before it unless something disturbed the device."""
_CUTS: Final = CLOSING | {"takeover", "throttle"}


def sequence_problems(
    faults: Sequence[Fault], *, renewed: bool, by_policy: bool, skew_s: float, storms: bool
) -> Iterator[Problem]:
    """The faults that never strike, for what has to come before them, or what comes before them.

    `renewed`: whether anybody renews the device's token; `by_policy`: whether a shared access policy's key signs it, and not the device's; `skew_s`: for how
    many seconds after its end it lets the device in; `storms`: whether that is longer than the hub waits with its cut.
    """
    if not renewed and not storms and not _leaves(faults, skew_s):
        for index, fault in enumerate(faults):
            if fault.at == "away":
                yield (
                    f"faults[{index}].at",
                    "is away, and nothing makes the device leave while its fixed token is good",
                    'Add a fault with at = "half-life" and action = "cut" before it, or drop it',
                )
    for index, change in enumerate(faults):
        if not _is_final(change, by_policy=by_policy):
            continue
        if change.times > 1:
            problem = f"is {change.times}, and after the first {change.action} the device is let in no more"
            yield f"faults[{index}].times", problem, "Drop it"
        for late in _unreachable(faults, index, renewed=renewed):
            yield (
                f"faults[{late}].at",
                f"{faults[late].at} is never reached: the device is let in no more after {change.action} at {change.at}",
                f"Drop one of them, or let it strike before faults[{index}]",
            )


def most_cuts(faults: Sequence[Fault], *, by_policy: bool, storms: bool) -> float:
    """How many cuts there can be at most where a device has one fixed token; infinite where an outage may strike any number of connections, or in a storm."""
    if storms or any(fault.action == "outage" for fault in faults):
        return math.inf
    at_end = at_grace_end(faults)
    last = at_end is None or at_end.action in _CUTS or any(_is_final(fault, by_policy=by_policy) for fault in faults)
    return last + sum(
        fault.times
        for fault in faults
        if fault.at != "grace-end" and fault.action in _CUTS and not _is_final(fault, by_policy=by_policy)
    )


def most_refusals(faults: Sequence[Fault], *, by_policy: bool) -> float:
    """How many new tokens the faults can refuse at most; infinite where the identity is changed, after which every attempt is refused."""
    if any(_is_final(fault, by_policy=by_policy) for fault in faults):
        return math.inf
    return sum(fault.times for fault in faults if fault.action == "refuse")


def at_grace_end(faults: Sequence[Fault]) -> Fault | None:
    """What happens instead of the hub's first cut, if anything does."""
    return next((fault for fault in faults if fault.at == "grace-end"), None)


def _is_final(fault: Fault, *, by_policy: bool) -> bool:
    """Whether the device is let in no more after it. A token that is signed by a policy outlives the device's key."""
    return fault.action in IDENTITY and not (fault.action == "roll-key" and by_policy)


def _leaves(faults: Sequence[Fault], skew_s: float) -> bool:
    """Whether a fault ends the stay of a device with a fixed token while that would let it in again."""
    return any(fault.at == "half-life" or (fault.at == "expiry" and skew_s > 0) for fault in faults)


def _unreachable(faults: Sequence[Fault], index: int, *, renewed: bool) -> Iterator[int]:
    """The faults that the change of the identity at `index` keeps from striking."""
    change = faults[index]
    later = _LATER.get(change.at, frozenset())
    if not renewed and change.at != "away":
        later |= {"away"}  # nothing but a fault lets such a device leave
    others = [other for other in range(len(faults)) if other != index]
    same = {other for other in others if faults[other].at == change.at and other > index}
    after = {other for other in others if faults[other].at in later}
    if same | after == set(others):  # nothing can disturb the device before
        yield from others
        return
    for other in others:
        if other in same or (change.at, faults[other].at) == ("half-life", "expiry"):
            yield other
