"""Loopback addresses, one per cell: device SDKs hard-code the ports, so what tells cells apart is the address.

Linux answers on all of 127.0.0.0/8. Addresses come from 127.64.0.0/10, from a random place on. Listening on port 8883 *is* the
reservation: whoever comes second, in this process or another, gets EADDRINUSE and takes the next address, and so does who
finds 5671 taken. Nothing is ever bound to a wildcard address. Port 443 may be forbidden or taken; then an ephemeral port
serves, and the way there leads through the CONNECT proxy. Where only 127.0.0.1 exists it is lent to one cell after the other.
"""

import asyncio
import contextlib
import errno
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from types import MappingProxyType
from typing import Final, Literal

from harness.errors import EnvironmentProblem

__all__ = ["DOORS", "PORTS", "AddressPool", "Door", "Reservation"]

Door = Literal["mqtt", "amqp", "websocket"]
PORTS: Final[Mapping[Door, int]] = MappingProxyType({"mqtt": 8883, "amqp": 5671, "websocket": 443})
"""What a hub listens on, and device SDKs insist on."""
DOORS: Final[Mapping[str, Door]] = MappingProxyType(
    {"mqtt": "mqtt", "mqtt-ws": "websocket", "amqp": "amqp", "amqp-ws": "websocket", "https": "websocket"}
)
"""Which door leads a transport in."""
_ONLY = "127.0.0.1"
_FIRST = int(IPv4Address("127.64.0.0"))
_SIZE = 1 << 22
_TRIES = 64
_BACKLOG = 1024
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Reservation:
    """An address with a listening socket for each door; connections wait in their backlog until somebody accepts them.

    The sockets belong to whoever serves them; `release` closes them in any case and gives the address back.
    """

    address: str
    sockets: Mapping[Door, socket.socket]
    ports: Mapping[Door, int]
    on_release: Callable[[], None]

    @property
    def privileged(self) -> bool:
        """Whether a device can use the port its SDK insists on, 443, without a proxy."""
        return self.ports["websocket"] == PORTS["websocket"]

    def targets(self, names: Sequence[str]) -> Mapping[tuple[str, int], tuple[str, int]]:
        """For a CONNECT proxy: the (name, standard port) pairs of this address, and where they really are."""
        return {
            (name, standard): (self.address, real)
            for name in (*names, self.address)
            for standard, real in ((PORTS[door], self.ports[door]) for door in PORTS)
        }

    def release(self) -> None:
        """Close the sockets and give the address back; does nothing the second time."""
        for listener in self.sockets.values():
            listener.close()
        self.on_release()


class AddressPool:
    """Hands out addresses. `start`: where in the range to begin, at random unless given.

    `patience_s`: how long to wait for 127.0.0.1, where there is no other, if another process has it.
    """

    def __init__(self, *, start: int | None = None, patience_s: float = 60.0) -> None:
        self._next = secrets.randbelow(_SIZE) if start is None else start
        self._patience_s = patience_s
        self._only: asyncio.Lock | None = None

    @property
    def shared(self) -> bool:
        """Whether there is only 127.0.0.1, so that cells run one after the other. Known after the first `acquire`."""
        return self._only is not None

    async def acquire(self) -> Reservation:
        """Reserve an address; waits where there is only one.

        Raises:
            EnvironmentProblem: no address can be bound; says what was tried and what helps.
        """
        if self._only is None:
            try:
                return self._acquire_own()
            except _NoSuchAddressError:
                self._only = asyncio.Lock()
        return await self._acquire_only(self._only)

    def _acquire_own(self) -> Reservation:
        tried: list[str] = []
        for address in self._candidates():
            tried.append(address)
            with _explained(address):
                reservation = _reserve(address, lambda: None)
                if reservation is not None:
                    return reservation
        raise _in_use(f"tried {tried[0]} to {tried[-1]}, {len(tried)} addresses")

    async def _acquire_only(self, turn: asyncio.Lock) -> Reservation:
        await turn.acquire()
        try:
            return await self._wait_for_only(_once(turn.release))
        except BaseException:
            turn.release()
            raise

    async def _wait_for_only(self, on_release: Callable[[], None]) -> Reservation:
        for _ in range(1 + round(self._patience_s / _POLL_S)):
            with _explained(_ONLY):
                reservation = _reserve(_ONLY, on_release)
            if reservation is not None:
                return reservation
            await asyncio.sleep(_POLL_S)
        raise _in_use(f"tried {_ONLY} for {self._patience_s:g} s, this machine has no other loopback address")

    def _candidates(self) -> Iterator[str]:
        for _ in range(_TRIES):
            candidate, self._next = self._next, (self._next + 1) % _SIZE
            yield str(IPv4Address(_FIRST + candidate))


class _NoSuchAddressError(Exception):
    """This machine does not have the address."""


def _reserve(address: str, on_release: Callable[[], None]) -> Reservation | None:
    """Listen on every port of `address`; `None` if 8883 or 5671 is taken."""
    sockets: dict[Door, socket.socket] = {}
    with contextlib.ExitStack() as undo:
        try:
            for door in ("mqtt", "amqp"):
                sockets[door] = undo.enter_context(_listen(address, PORTS[door]))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return None
            raise
        try:
            sockets["websocket"] = undo.enter_context(_listen(address, PORTS["websocket"]))
        except OSError as error:
            if error.errno not in {errno.EACCES, errno.EPERM, errno.EADDRINUSE}:
                raise
            sockets["websocket"] = undo.enter_context(_listen_anywhere(address))
        undo.pop_all()
    ports = {door: listener.getsockname()[1] for door, listener in sockets.items()}
    return Reservation(address, sockets, ports, on_release)


def _listen_anywhere(address: str) -> socket.socket:
    """Listen on a port that is free, asked for by its number: Linux takes back one that it chose itself as soon as nobody listens on it, as while the doors refuse."""
    for _ in range(_TRIES):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        try:
            return _listen(address, port)
        except OSError as error:  # somebody was faster
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _listen(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if (
            os.name == "posix"
        ):  # so that connections in TIME_WAIT do not block the port; elsewhere it means something else
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((address, port))
        listener.listen(_BACKLOG)  # at once: before it, SO_REUSEADDR lets a second socket bind
    except OSError:
        listener.close()
        raise
    return listener


@contextlib.contextmanager
def _explained(address: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL and address != _ONLY:
            raise _NoSuchAddressError from error
        raise EnvironmentProblem(
            f"Cannot listen on {address} ports {', '.join(map(str, PORTS.values()))}: {error.strerror or error}. "
            "Run where programs may open listening sockets on the loopback interface (`ulimit -n` shows the limit of open files)."
        ) from error


def _in_use(tried: str) -> EnvironmentProblem:
    mqtt, amqp = PORTS["mqtt"], PORTS["amqp"]
    return EnvironmentProblem(
        f"Port {mqtt} or {amqp} is in use on the loopback interface ({tried}). Another program probably listens on it on "
        f"all addresses; `ss -ltnp 'sport = :{mqtt} or sport = :{amqp}'` shows which. Stop it and run again."
    )


def _once(function: Callable[[], None]) -> Callable[[], None]:
    pending = [function]
    return lambda: pending.pop()() if pending else None
