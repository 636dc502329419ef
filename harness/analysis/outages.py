"""Outages: when a device could not reach the hub at all, so that nobody saw whether it tried; and what no outage of ours shows.

While hub or network refuse or swallow new connections (every outage but `half-open`), attempts leave no trace at the hub: neither is their absence a sign,
nor is a message without an attempt behind it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

from harness.analysis.fields import of_kind, text
from harness.events import Event

__all__ = ["OUT_OF_REACH", "outage_notes", "reachable_s"]

OUT_OF_REACH = "the hub was out of reach to the end"


def reachable_s(since: float, events: Sequence[Event]) -> float:
    """From when on, after `since`, attempts would have been seen: `since` itself, or the end of the outage it lies in; infinite without an end."""
    shut = False
    for event in of_kind(events, "hub", "outage-began", "outage-ended"):
        at = event.t / 1e6
        if event.kind == "outage-ended" and shut and at >= since:
            return at
        if at > since:
            break
        shut = event.kind == "outage-began" and text(event.fields, "how") != "half-open"
    return math.inf if shut else since


def outage_notes(events: Iterable[Event], *, emulated: bool) -> Iterator[str]:
    """What a reader has to know of a connection whose far end was gone: in one thing it is not so, and no profile knows what an SDK makes of it."""
    for event in of_kind(events, "hub", "outage-began"):
        if text(event.fields, "how") == "half-open":
            if emulated:
                yield "not emulated: how long the SDK takes to notice that nobody answers it any more"
            yield (
                f"from {event.t / 1e6:.1f} s on the far end was gone, but the device's kernel saw its segments acknowledged: "
                "only limits of the SDK's own can show, not those of TCP"
            )
