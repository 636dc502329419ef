"""Watches a cell's events while it runs: is the device there, has it just left, has what the scenario waits for been seen. Pure."""

from collections.abc import Mapping
from typing import Final, Literal

from harness.events import Event
from harness.scenario import End

__all__ = ["Turn", "Watch"]

Turn = Literal["gap", "renewal"]
"""What the traffic is told of: the device has left, or is about to renew its token in place."""
_LEAVES: Final = frozenset({"disconnect", "cut", "struck", "closed"})
_EXPIRED: Final = "token-expired"
_AWAITED_CUTS: Final = frozenset(
    {
        _EXPIRED,
        "fault",
        "key-rolled",
        "device-disabled",
        "device-deleted",
        "other-client",
        "throttled",
        "tokens-refused",
    }
)
_CBS_OK: Final = 200
_REQUESTS: Final = "requests"  # in place of a connection's number


class Watch:
    """Told every event of a cell in order.

    `renewals`: times the device came back with another token after leaving by itself or being cut for the expiry of the old one, or took
    another one in place, which is what the analysis of the log calls a renewal too. `cuts`: by the hub, at the end of a token's grace or by a
    fault, or by an outage. `refusals`: times the hub refused another token than the one in use, once the device had been let in; `first_refusals`: times it
    refused the device before that. `faults`: those that have struck. `refused_requests`: over HTTPS, where all requests together count as one
    connection, those whose token would not do.
    `seen_at`: when the last awaited thing was seen, in microseconds since the cell began; None until then.
    """

    def __init__(self, end: End, awaited_renewals: int) -> None:
        self.renewals = self.cuts = self.refusals = self.first_refusals = self.faults = self.sent = 0
        self.refused_requests = 0
        self.ever_connected = self.failed_to_open = False
        self.seen_at: int | None = None
        self._end, self._awaited_renewals = end, awaited_renewals
        self._tokens: dict[object, object] = {}
        self._current: object = None
        self._token: object = None
        self._may_renew = False

    @property
    def connected(self) -> bool:
        """Whether the device is let in and nobody has ended that."""
        return self._current is not None

    @property
    def is_satisfied(self) -> bool:
        """Whether what is awaited was seen; a device that is to be refused may be so by its own SDK, before the hub is asked."""
        return self.seen_at is not None and (self._end.first_refusals > 0 or not self.failed_to_open)

    def observe(self, event: Event) -> Turn | None:
        """Take note of `event`, and tell of the turn that came with it."""
        conn = event.fields.get("conn")
        if "check" in event.fields and not self.ever_connected:  # whatever the device asked for, the hub refused it
            self._refused_at_first(event.t)
        if event.src == "app":
            self._app(event)
        elif event.kind in {"connect", "put-token"}:
            return self._presented(conn, event)
        elif event.kind in {"http-request", "http-response"}:
            self._request(event)
        elif event.kind == "connack":
            self._answered(conn, event.t, good=event.fields.get("code") == 0)
        elif event.kind in {"put-token-answered", "certificate-judged"}:
            self._answered(conn, event.t, good=event.fields.get("status") == _CBS_OK)
        elif event.kind == "fault":
            self.faults += 1
            self._judge(event.t)
        elif event.kind in _LEAVES:
            return self._left(event, conn)
        return None

    def _refused_at_first(self, t: int) -> None:
        self.first_refusals += 1
        if self.seen_at is None and 0 < self._end.first_refusals <= self.first_refusals:
            self.seen_at = t

    def _app(self, event: Event) -> None:
        self.sent += event.kind == "sent"
        if event.kind == "open_failed" and not self.ever_connected:
            self.failed_to_open = True
            self.seen_at = event.t if self.seen_at is None else self.seen_at

    def _presented(self, conn: object, event: Event) -> Turn | None:
        token = event.fields.get("token")
        self._tokens[conn] = (token.get("digest"), token.get("se")) if isinstance(token, Mapping) else None
        in_place = event.kind == "put-token" and self.connected and conn == self._current
        return "renewal" if in_place and self._is_new(self._tokens[conn]) else None

    def _request(self, event: Event) -> None:
        """A request, or the answer to it: nothing is told of it, for there is no turn into which anything could fall."""
        if event.kind == "http-request":
            self._presented(_REQUESTS, event)
            return
        refused = "reason" in event.fields
        self.refused_requests += refused
        self._answered(_REQUESTS, event.t, good=not refused)
        if self._end.refused_requests:  # which a device may see that was never let in
            self._judge(event.t)

    def _is_new(self, token: object) -> bool:
        return None not in {token, self._token} and token != self._token

    def _answered(self, conn: object, t: int, *, good: bool) -> None:
        token = self._tokens.get(conn)
        if good:
            in_place = self.connected and conn == self._current
            self.renewals += (in_place or self._may_renew) and self._is_new(token)
            self._current, self._token, self.ever_connected = conn, token, True
            self._may_renew = False
        else:
            self.refusals += self._is_new(token)
        if self.ever_connected:
            self._judge(t)

    def _left(self, event: Event, conn: object) -> Turn | None:
        if _cause(event) in _AWAITED_CUTS:
            self.cuts += 1
            self._judge(event.t)
        if conn != self._current or conn is None:
            return None
        self._current, self._may_renew = None, _is_of_the_token(event)
        return "gap"

    def _judge(self, t: int) -> None:
        end, renewed = self._end, self.renewals >= self._awaited_renewals
        refused = self.refusals >= end.refusals and self.first_refusals >= end.first_refusals
        refused = refused and self.refused_requests >= end.refused_requests
        struck = self.cuts >= end.cuts and self.faults >= end.faults
        if self.seen_at is None and renewed and refused and struck:
            self.seen_at = t


def _is_of_the_token(event: Event) -> bool:
    """Whether the device left by itself, or was cut because its token had expired: the ends after which a new token is a renewal."""
    if event.kind == "cut":
        return _cause(event) == _EXPIRED
    return event.kind == "disconnect" or (event.kind == "closed" and event.fields.get("first") != "hub")


def _cause(event: Event) -> object:
    return "fault" if event.kind == "struck" else event.fields.get("cause") if event.kind == "cut" else None
