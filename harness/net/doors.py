"""The doors of one cell: its listening sockets, open or shut in the two ways in which a network can be unreachable.

Whoever serves a door has a duplicate of its socket, so that the door itself stays ours when nobody serves it any more:

refused     the socket stays bound and does not listen: the kernel answers SYN with RST
swallowed   it listens with a backlog of one, which a connection of our own fills: Linux drops the SYN, the device's kernel sends it again after
            1, 3, 7, … seconds, and connects when the doors are open again by then. No privileges are needed
"""

import asyncio
import contextlib
import errno
import select
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Final

from harness.net.addresses import Door, Reservation
from harness.net.resets import reset_socket

__all__ = ["CAN_SHUT", "Doors"]

CAN_SHUT: Final = sys.platform == "linux"
"""Whether doors can be shut in both ways: other systems do not un-listen, and reset what does not fit into a backlog."""
_BACKLOG = 1024
_FILLERS = 8  # more than a backlog of nothing holds
_RETRY_S = 0.2


class Doors:
    """The doors of `reservation`. `make(door)` makes the protocol of one connection that comes in there; shut until `open`."""

    def __init__(self, reservation: Reservation, make: Callable[[Door], asyncio.BaseProtocol]) -> None:
        self._reservation, self._make = reservation, make
        self._servers: list[asyncio.Server] = []
        self._fillers: list[socket.socket] = []

    async def open(self) -> None:
        """Serve every door; connections that came while they swallowed are reset. Waits where another program has taken a port meanwhile."""
        self._clear()
        for door, listener in self._reservation.sockets.items():
            await _listen(listener)
            served = listener.dup()
            loop = asyncio.get_running_loop()
            make = partial(self._make, door)
            self._servers.append(await loop.create_server(make, sock=served, backlog=_BACKLOG))

    def refuse(self) -> None:
        """From now on new connections are refused, and those that nobody has accepted yet are reset."""
        self._stop_serving()
        for listener in self._reservation.sockets.values():
            listener.shutdown(socket.SHUT_RD)

    def swallow(self) -> None:
        """From now on the SYN of new connections is not answered."""
        self._stop_serving()
        for listener in self._reservation.sockets.values():
            listener.listen(0)
            self._fill(listener)

    def close(self) -> None:
        """Serve no more, for good."""
        self._stop_serving()
        self._clear()
        for listener in self._reservation.sockets.values():
            listener.close()

    def _stop_serving(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    def _fill(self, listener: socket.socket) -> None:
        for _ in range(_FILLERS):
            filler = socket.socket(listener.family, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            if not _is_connected(filler):  # its SYN was dropped: there is no place left
                filler.close()
                return
            self._fillers.append(filler)

    def _clear(self) -> None:
        """Take out of the backlogs what came while they swallowed."""
        if not self._fillers:
            return
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        for listener in self._reservation.sockets.values():
            with contextlib.suppress(BlockingIOError):
                while True:
                    reset_socket(listener.accept()[0])


async def _listen(listener: socket.socket) -> None:
    """Listen, as soon as nobody else does: what is bound and does not listen keeps nobody from it."""
    while True:
        try:
            listener.listen(_BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return
        await asyncio.sleep(_RETRY_S)


def _is_connected(connecting: socket.socket) -> bool:
    """Over loopback that is so at once, or not at all."""
    return bool(select.select([], [connecting], [], 0)[1])
