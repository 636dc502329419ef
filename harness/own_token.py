"""How the application of a scenario goes on supplying tokens of its own, as the scenario's document says it."""

from collections.abc import Iterator
from typing import Literal

from harness.documents import Document, Problem

__all__ = ["MOST_SUPPLIES", "Moment", "Supply", "supply_problems"]

Moment = Literal["half-life", "asked", "cut", "never"]
"""When in a token's life: half of its time is over; the SDK asks for another; the hub cuts the connection for its expiry; or never, whoever asks."""

MOST_SUPPLIES = 100  # in a cell; more cannot happen in any scenario's time


class Supply(Document, frozen=True):
    """The application supplies a new token, as long-lived as its first: `after_s` seconds after the moment `at` of each, `times` times in the cell."""

    at: Moment
    after_s: float = 0.0
    times: int = 1

    @property
    def tokens(self) -> int:
        """How many it supplies at most."""
        return 0 if self.at == "never" else self.times


def supply_problems(supply: Supply | None, *, credential: str) -> Iterator[Problem]:
    """What is impossible in `supply` where the scenario has this `credential`."""
    if supply is None:
        return
    if credential != "token":
        yield "supply", "an SDK that owns the key makes its tokens itself", 'Use credential = "token", or drop it'
    if supply.at == "never" and (supply.after_s, supply.times) != (0.0, 1):
        yield "supply.at", "is never, and `after_s` and `times` speak of tokens that are supplied", "Drop these two"
    if supply.after_s < 0:
        yield "supply.after_s", "is below 0", "Use 0 or more seconds after that moment"
    if not 1 <= supply.times <= MOST_SUPPLIES:
        yield "supply.times", f"is not between 1 and {MOST_SUPPLIES}", "Count the tokens supplied after the first"
