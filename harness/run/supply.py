"""When the application supplies another token of its own, as the scenario's `supply` says. Pure: times are arguments, in Unix seconds."""

from collections.abc import Iterator

from harness.events import Event
from harness.own_token import Moment, Supply

__all__ = ["Supplier"]


class Supplier:
    """Told of every token and every event; says when the next token is due, and why.

    `issued` is told when a token is handed over, the first one included, `observe` the cell's events as they are recorded. A moment that comes while a token is due
    already asks for no second one.
    """

    def __init__(self, supply: Supply | None, lifetime_s: float) -> None:
        self._supply, self._lifetime_s = supply, lifetime_s
        self._left = supply.tokens if supply else 0
        self._due: float | None = None

    def issued(self, now: float) -> None:
        """The application has handed over a token that lives from `now` on."""
        self._plan("half-life", now + self._lifetime_s / 2)

    def observe(self, event: Event, now: float) -> None:
        """An event was recorded."""
        for moment in _moments(event):
            self._plan(moment, now)

    def take(self, now: float) -> Moment | None:
        """The moment for which a token is to be supplied at `now`, None if there is none; then the next one is waited for."""
        if self._supply is None or self._due is None or now < self._due:
            return None
        self._due = None
        self._left -= 1
        return self._supply.at

    def _plan(self, moment: Moment, at: float) -> None:
        if self._supply is not None and self._supply.at == moment and self._left and self._due is None:
            self._due = at + self._supply.after_s


def _moments(event: Event) -> Iterator[Moment]:
    if event.src == "app" and event.kind == "token_required":
        yield "asked"
    if event.src == "hub" and event.kind == "cut" and event.fields.get("cause") == "token-expired":
        yield "cut"
