"""What the hub asks of those who have its sockets: to let the network, or the hub as a whole, fail for a while."""

from dataclasses import dataclass

from harness.fault_words import OutageHow
from harness.hub.ending import TransportClose

__all__ = ["Outage", "OutageHow"]


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage of the whole cell, which lasts `seconds`; `harness.net.outages` makes it so.

    `close`: how a `blackhole` begins for connections that stand, None: without a word.

    The hub itself does nothing more about it: it hears of connections that are closed, and of the others it knows nothing, as a hub does whose
    network fails. It keeps them until their keep-alive is over or the device comes by another one.
    """

    how: OutageHow
    seconds: float
    close: TransportClose | None = None
