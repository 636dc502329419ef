"""What a scenario lets go wrong on purpose, as its document says it: when in the token's life, and what happens then."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from harness.documents import Document, Problem

__all__ = ["AMQP_ONLY_CLOSES", "CloseMode", "Fault", "fault_problems"]

CloseMode = Literal["fin", "rst", "detach", "detach-not-closed", "close"]
"""`fin`, `rst`: the end of the TCP connection. Over AMQP: DETACH of the device's links, in good order (`closed` true) or not, or CLOSE of the connection."""
AMQP_ONLY_CLOSES: Final = frozenset({"detach", "detach-not-closed", "close"})

MOST_TIMES = 1_000  # a fault in a cell; more cannot happen in any scenario's time


class Fault(Document, frozen=True):
    """Something the hub does to the device that a hub in good order would not, `times` times in the cell.

    `renewal`: when the device, once let in, authenticates with another token; `half-life`: when half of what was left of the token has passed since
    it was accepted. `refuse`: answer as an expired token is answered; `cut`: end the connection by `close`, or the transport's own way.
    """

    at: Literal["renewal", "half-life"]
    action: Literal["refuse", "cut"]
    close: CloseMode | None = None
    times: int = 1


def fault_problems(faults: Sequence[Fault], *, credential: str) -> Iterator[Problem]:
    """What cannot happen among `faults` to a device whose scenario has this `credential`."""
    for index, fault in enumerate(faults):
        field = f"faults[{index}]"
        if fault.action == "refuse" and fault.at != "renewal":
            yield (
                f"{field}.action",
                f"there is nothing to refuse at {fault.at}",
                'Use at = "renewal", or action = "cut"',
            )
        if fault.action == "refuse" and fault.close is not None:
            yield (
                f"{field}.close",
                'goes with action = "cut"',
                "Drop it: a refusal is answered in the protocol's own way",
            )
        if not 1 <= fault.times <= MOST_TIMES:
            yield f"{field}.times", f"is not between 1 and {MOST_TIMES}", "Count how often it happens in a cell"
        if fault.at == "renewal" and credential == "token":
            yield f"{field}.at", "nobody renews a fixed token", 'Use credential = "key", or at = "half-life"'
