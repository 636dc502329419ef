"""The listening sockets of a cell; what devices meet when they are shut is tested with the outages."""

import asyncio
import errno
import os
import socket

import pytest
from support.net_world import asynchronous

from harness.net.addresses import PORTS, AddressPool
from harness.net.doors import Doors


@asynchronous
async def test_port_that_another_program_took_meanwhile() -> None:
    """What is bound and does not listen can be taken; the doors open when it is free again."""
    reservation = await AddressPool().acquire()
    doors = Doors(reservation, lambda _: asyncio.Protocol())
    await doors.open()
    doors.refuse()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((reservation.address, reservation.ports["mqtt"]))
        other.listen()
        opening = asyncio.create_task(doors.open())
        await asyncio.sleep(0)
        assert not opening.done()
    await opening
    doors.close()


@asynchronous
async def test_door_that_cannot_be_opened() -> None:
    """Is no door that somebody else has."""
    reservation = await AddressPool().acquire()
    doors = Doors(reservation, lambda _: asyncio.Protocol())
    reservation.release()
    with pytest.raises(OSError, match="Bad file descriptor"):
        await doors.open()


@asynchronous
async def test_a_door_that_stands_elsewhere_opens_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where 443 may not be bound: whoever was told the other port finds it again."""

    class Unprivileged(socket.socket):
        def bind(self, address: object) -> None:
            assert isinstance(address, tuple)
            if address[1] == PORTS["websocket"]:
                raise OSError(errno.EACCES, os.strerror(errno.EACCES))
            super().bind(address)

    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", Unprivileged)
        reservation = await AddressPool().acquire()
    doors = Doors(reservation, lambda _: asyncio.Protocol())
    await doors.open()
    doors.refuse()
    await doors.open()
    socket.create_connection((reservation.address, reservation.ports["websocket"]), timeout=5).close()
    doors.close()
