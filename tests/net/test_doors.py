"""The listening sockets of a cell; what devices meet when they are shut is tested with the outages."""

import asyncio
import socket

import pytest
from support.net_world import asynchronous

from harness.net.addresses import AddressPool
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
