"""What a log that was recorded elsewhere has not, and what therefore cannot be observed in it.

| `lacks` | the log does not hold |
|---|---|
| `commands` | what the harness told the device: when the application sent a message |
| `hub-log` | the hub's records of the Connections category |
| `sdk-log` | the SDK's own log |
| `hello` | what the device program said of itself |
| `answer-times` | when a put-token was answered: request and answer are one row |
| `quiet-rows` | quiet traffic far from anything else: messages are counted by the header's `totals` |
| `last-rows` | the rows at the end |

In a log that was written by a run of the harness nothing is lacking. Without commands a send is not seen, so that nothing can be told apart by it, but
for an application that sends nothing. Without all rows, what is counted of repeated messages is the least there was.
"""

from collections.abc import Mapping
from typing import Final

from harness.analysis.fields import mapping, number
from harness.events import Header

__all__ = ["HUB_LOG", "NO_HUB_LOG", "NO_SENDS", "clock_rate", "device_in_words", "origin_of_row"]

HUB_LOG: Final = "hub-log"
NO_HUB_LOG: Final = "the recording holds none of the hub's records"
NO_SENDS: Final = "the recording does not tell when the application sent"
OF_THE_CELL: Final = frozenset({"digest", "clock", "source"})


def clock_rate(header: Header) -> float | None:
    """How many virtual seconds went by in a real one; None in real time."""
    rate = number(mapping(header.origin, "clock"), "rate")
    return None if rate == 1 else rate


def origin_of_row(origin: Mapping[str, object]) -> dict[str, object]:
    """The origin without what differs between cells that were measured together: a row may stand for several."""
    return {name: value for name, value in origin.items() if name not in OF_THE_CELL}


def device_in_words(device: str, date: str) -> str:
    """`real`, or `real, recorded 2026-11-24` where the origin has a date: a recording's, or this run's for those who read of it on another day."""
    return f"{device}, recorded {date}" if date else device
