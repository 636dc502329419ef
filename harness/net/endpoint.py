"""What this room connects sockets to: the interfaces of the two ends, as protocols. It knows no more of a hub or a device.

An endpoint is one network connection's upper end, a sans-IO machine: bytes and time in, bytes and deadlines out. The hub's
connections are endpoints; so is the emulated device's side of a connection. A client certificate is handed up as what is in it.
"""

from collections.abc import Callable
from typing import Literal, Protocol

from harness.hub.certificates import Certificate

__all__ = ["Endpoint", "HubCore", "OutageRequest"]


class Endpoint(Protocol):
    """One connection, as seen from its socket. All times are seconds since the Unix epoch."""

    @property
    def close_request(self) -> str | None:
        """How this side wants to part (a key of `stream.PARTINGS`, or "rst"); `None` as long as it stays. Set once."""
        ...

    def receive(self, data: bytes, now: float, /) -> None:
        """Take bytes of the application protocol: all that one read from the socket brought."""
        ...

    def data_to_send(self) -> bytes:
        """Give away the bytes that are ready to leave."""
        ...

    def next_deadline(self) -> float | None:
        """The moment at which `on_time` is wanted at the latest."""
        ...

    def on_time(self, now: float, /) -> None:
        """Time has passed; may be called early."""
        ...

    def peer_closed(self, how: str, now: float, /) -> None:
        """The other side closed first: "fin", "rst", "close-notify" or "websocket-close". Nothing is received after it."""
        ...

    def transport_closed(self, first: str, how: str, now: float, /) -> None:
        """Both sides are done. Called exactly once, last; without `peer_closed` before it where this side closed first."""
        ...

    def note(self, kind: str, now: float, /, **fields: object) -> None:
        """Report an event of the transport's own."""
        ...

    def proven(self, certificate: Certificate, /) -> None:
        """The other side has proven in the TLS handshake that this client certificate is its own. Called once at most, before any byte."""
        ...

    def upgraded(self, subprotocol: str, path: str, now: float, /) -> "Endpoint":
        """The WebSocket is open, agreed on `subprotocol` as the client spells it; empty where plain HTTP came instead. Returns who speaks from now on, itself or another.

        Called once, before any byte, where there may be a WebSocket. The endpoint reports the upgrade itself, for it alone knows its name.
        """
        ...

    @property
    def recording(self) -> bool:
        """Whether the fields of `note` are of interest; where they are not, those that cost something are left out."""
        ...


class OutageRequest(Protocol):
    """The wish that hub or network fail for `seconds`, and `how`: see `outages`. `close`: how connections end, where `how` leaves that open."""

    @property
    def how(self) -> Literal["restart", "rst", "half-open", "blackhole"]: ...  # noqa: D102 - said above
    @property
    def seconds(self) -> float: ...  # noqa: D102 - said above
    @property
    def close(self) -> Literal["fin", "rst"] | None: ...  # noqa: D102 - said above


class HubCore(Protocol):
    """The hub as its listeners see it."""

    def open(self, transport: str, peer: str, now: float, wake: Callable[[], None], /) -> Endpoint:
        """A device connected over `transport` ("mqtt", "amqp", "websocket") from `peer` ("address:port").

        Which protocol a WebSocket carries is known with `Endpoint.upgraded`; until then nothing is received.

        The endpoint calls `wake` when it has output, an earlier deadline or a close request that no call of ours brought about.
        """
        ...

    def next_deadline(self) -> float | None:
        """The moment at which `on_time` is wanted at the latest; connections have deadlines of their own."""
        ...

    def on_time(self, now: float, /) -> None:
        """Time has passed; may be called early."""
        ...

    def take_outage(self) -> OutageRequest | None:
        """The outage that is due, if there is one, and only once. Any call of an endpoint may bring one about."""
        ...

    def stop(self, now: float, /) -> None:
        """Ask every connection to close."""
        ...
