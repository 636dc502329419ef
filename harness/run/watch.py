"""Watches a cell's events while it runs: is the device there, has it just left, has what the scenario waits for been seen. Pure."""

from collections.abc import Mapping

from harness.events import Event
from harness.scenario import End

__all__ = ["Watch"]

_LEAVES = frozenset({"disconnect", "cut", "closed"})
_EXPIRED = "token-expired"


class Watch:
    """Told every event of a cell in order.

    `renewals`: times the device came back with another token after leaving by itself or being cut for the expiry of the old one, which is
    what the analysis of the log calls a renewal too. `cuts`: by the hub, at the end of a token's grace.
    `seen_at`: when the last awaited thing was seen, in microseconds since the cell began; None until then.
    """

    def __init__(self, end: End, awaited_renewals: int) -> None:
        self.renewals = self.cuts = self.sent = 0
        self.ever_connected = self.failed_to_open = False
        self.seen_at: int | None = None
        self._end, self._awaited_renewals = end, awaited_renewals
        self._tokens: dict[object, object] = {}
        self._current: object = None
        self._token: object = None
        self._may_renew = False

    @property
    def connected(self) -> bool:
        """Whether the hub has an accepted connection of the device that nobody has ended."""
        return self._current is not None

    def observe(self, event: Event) -> bool:
        """Take note of `event`; true if the device has left with it."""
        conn = event.fields.get("conn")
        if event.src == "app":
            self._app(event)
        elif event.kind == "connect":
            token = event.fields.get("token")
            self._tokens[conn] = (token.get("digest"), token.get("se")) if isinstance(token, Mapping) else None
        elif event.kind == "connack" and event.fields.get("code") == 0:
            self._back(conn, event.t)
        elif event.kind in _LEAVES:
            return self._left(event, conn)
        return False

    def _app(self, event: Event) -> None:
        self.sent += event.kind == "sent"
        if event.kind == "open_failed" and not self.ever_connected:
            self.failed_to_open, self.seen_at = True, event.t

    def _back(self, conn: object, t: int) -> None:
        token = self._tokens.get(conn)
        self.renewals += self._may_renew and None not in {token, self._token} and token != self._token
        self._current, self._token, self.ever_connected = conn, token, True
        self._may_renew = False
        self._judge(t)

    def _left(self, event: Event, conn: object) -> bool:
        if _cause(event) == _EXPIRED:
            self.cuts += 1
            self._judge(event.t)
        if conn != self._current or conn is None:
            return False
        self._current, self._may_renew = None, _is_of_the_token(event)
        return True

    def _judge(self, t: int) -> None:
        if self.seen_at is None and self.renewals >= self._awaited_renewals and self.cuts >= self._end.cuts:
            self.seen_at = t


def _is_of_the_token(event: Event) -> bool:
    """Whether the device left by itself, or was cut because its token had expired: the ends after which a new token is a renewal."""
    if event.kind == "cut":
        return _cause(event) == _EXPIRED
    return event.kind == "disconnect" or event.fields.get("first") != "hub"


def _cause(event: Event) -> object:
    return event.fields.get("cause") if event.kind == "cut" else None
