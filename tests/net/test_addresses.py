"""The pool of loopback addresses: reservation by listening, other people's ports, missing permission, missing addresses."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network

import pytest
from support.net_world import asynchronous

from harness.errors import EnvironmentProblem
from harness.net import addresses
from harness.net.addresses import PORTS, AddressPool, Reservation

Bind = Callable[[str, int], int]
"""Decides the errno of bind(2) for an address and a port, 0 for success."""


def refuse(monkeypatch: pytest.MonkeyPatch, decide: Bind) -> list[str]:
    """Let bind(2) fail as `decide` says; the list gets every address tried on 8883."""
    tried: list[str] = []

    class Socket(socket.socket):
        def bind(self, address: object) -> None:
            assert isinstance(address, tuple)
            host, port = address
            if port == PORTS["mqtt"]:
                tried.append(host)
            if number := decide(host, port):
                raise OSError(number, os.strerror(number))
            super().bind((host, 0 if port == PORTS["websocket"] else port))

    monkeypatch.setattr(socket, "socket", Socket)
    return tried


def only_localhost(host: str, _: int) -> int:
    """A system without the rest of 127.0.0.0/8."""
    return 0 if host == "127.0.0.1" else errno.EADDRNOTAVAIL


async def reserved(pool: AddressPool) -> Reservation:
    """A reservation that is released at once, for its data."""
    reservation = await pool.acquire()
    reservation.release()
    return reservation


@asynchronous
async def test_address_is_in_the_range_and_every_port_listens() -> None:
    """A client can connect to any before anybody accepts."""
    reservation = await AddressPool().acquire()
    try:
        assert IPv4Address(reservation.address) in IPv4Network("127.64.0.0/10")
        assert (reservation.ports["mqtt"], reservation.ports["amqp"]) == (8883, 5671)
        for port in reservation.ports.values():
            socket.create_connection((reservation.address, port), timeout=5).close()
    finally:
        reservation.release()


@asynchronous
async def test_two_pools_racing_for_one_address_get_two() -> None:
    """The second finds the first one's address taken and goes on."""
    start = AddressPool()._next
    pools = [AddressPool(start=start) for _ in range(3)]
    reservations = [await pool.acquire() for pool in pools]
    assert len({reservation.address for reservation in reservations}) == 3
    for reservation in reservations:
        reservation.release()


@asynchronous
async def test_bound_but_not_listening_is_no_reservation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sockets may bind before either listens; the second to listen loses and moves on."""
    pool = AddressPool()
    rival = socket.socket()
    rival.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    contested = str(IPv4Address(addresses._FIRST + pool._next))
    rival.bind((contested, 8883))

    class Socket(socket.socket):
        def listen(self, backlog: int = 0) -> None:
            rival.listen()
            super().listen(backlog)

    monkeypatch.setattr(socket, "socket", Socket)
    assert (await reserved(pool)).address != contested
    rival.close()


@asynchronous
async def test_released_address_can_be_had_again() -> None:
    """`release`, twice, frees every port at once."""
    first = AddressPool()
    start = first._next
    reservation = await first.acquire()
    reservation.release()
    reservation.release()
    assert (await reserved(AddressPool(start=start))).address == reservation.address


def test_range_wraps_around() -> None:
    """After the last address comes the first."""
    last = AddressPool(start=addresses._SIZE - 1)
    assert list(last._candidates())[:2] == ["127.127.255.255", "127.64.0.0"]


@asynchronous
async def test_more_cells_than_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a pool has handed out itself does not count as a try."""
    monkeypatch.setattr(addresses, "_TRIES", 3)
    pool = AddressPool()
    reservations = [await pool.acquire() for _ in range(5)]
    for reservation in reservations:
        reservation.release()
    assert len({reservation.address for reservation in reservations}) == 5


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EADDRINUSE])
@asynchronous
async def test_443_that_may_not_be_bound(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """WebSocket moves to an ephemeral port, and the reservation says so."""
    refuse(monkeypatch, lambda _, port: number if port == 443 else 0)
    reservation = await reserved(AddressPool())
    assert not reservation.privileged
    port = reservation.ports["websocket"]
    assert port > 1023
    assert reservation.targets(["hub.example"])["hub.example", 443] == (reservation.address, port)


def test_443_that_is_bound_is_privileged() -> None:
    """Where 443 itself is had, nothing needs a proxy."""
    assert Reservation("127.64.0.1", {}, PORTS, lambda: None).privileged


@pytest.mark.parametrize("busy", [8883, 5671])
@asynchronous
async def test_a_port_in_use_everywhere(monkeypatch: pytest.MonkeyPatch, busy: int) -> None:
    """After a bounded number of addresses the user is told what was tried and how to find the culprit."""
    tried = refuse(monkeypatch, lambda _, port: errno.EADDRINUSE if port == busy else 0)
    with pytest.raises(EnvironmentProblem, match=r"8883 or 5671 is in use .*ss -ltnp") as caught:
        await AddressPool().acquire()
    assert len(tried) == 64
    assert tried[0] in str(caught.value)


@pytest.mark.parametrize("port", PORTS.values())
@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOBUFS])
@asynchronous
async def test_other_trouble_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch, port: int, number: int) -> None:
    """The system's own words reach the user, and no socket is left open."""
    refuse(monkeypatch, lambda _, wanted: number if wanted == port else 0)
    with pytest.raises(EnvironmentProblem, match=os.strerror(number)):
        await AddressPool().acquire()


@asynchronous
async def test_no_permission_for_8883(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no port at all may be bound, no further address is tried."""
    tried = refuse(monkeypatch, lambda *_: errno.EACCES)
    with pytest.raises(EnvironmentProblem, match="Permission denied"):
        await AddressPool().acquire()
    assert len(tried) == 1


@asynchronous
async def test_only_127_0_0_1_is_lent_to_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits until the first gives back."""
    refuse(monkeypatch, only_localhost)
    pool = AddressPool()
    first = await pool.acquire()
    assert (first.address, pool.shared) == ("127.0.0.1", True)
    waiting = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    assert not waiting.done()
    first.release()
    first.release()
    (await waiting).release()


@asynchronous
async def test_waiting_for_127_0_0_1_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancelled waiter leaves the turn to the next."""
    refuse(monkeypatch, only_localhost)
    pool = AddressPool()
    first = await pool.acquire()
    waiting = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    first.release()
    await reserved(pool)


@asynchronous
async def test_only_127_0_0_1_held_by_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, as long as the patience lasts, and the turn is given back."""
    monkeypatch.setattr(addresses, "_POLL_S", 0.001)
    busy = [True]
    refuse(
        monkeypatch, lambda host, port: errno.EADDRINUSE if busy and host == "127.0.0.1" else only_localhost(host, port)
    )
    pool = AddressPool(patience_s=0.002)
    with pytest.raises(EnvironmentProblem, match="no other loopback address"):
        await pool.acquire()
    busy.clear()
    await reserved(pool)


def test_targets_name_the_address_too() -> None:
    """A proxy knows the cell by its names and by its address, on every standard port."""
    targets = Reservation("127.64.0.1", {}, {**PORTS, "websocket": 10443}, lambda: None).targets(["a.example"])
    assert targets == {
        (name, standard): ("127.64.0.1", real)
        for name in ("a.example", "127.64.0.1")
        for standard, real in ((8883, 8883), (5671, 5671), (443, 10443))
    }


@asynchronous
async def test_an_address_whose_5671_is_taken_is_passed_over() -> None:
    """A device over AMQP would otherwise reach somebody else; the address's 8883 is free again."""
    pool = AddressPool()
    contested = str(IPv4Address(addresses._FIRST + pool._next))
    with socket.create_server((contested, 5671)):
        assert (await reserved(pool)).address != contested
        socket.create_server((contested, 8883)).close()
