"""The process that serves Apache Qpid Proton, the peer over AMQP: its engine, written in C, behind our sockets and our TLS.

With its own input and output it would be another contest. It does what an AMQP server cannot do without: it answers put-tokens
with 200, whoever asks, and accepts and settles every message without reading it, as the hub does where nothing is recorded.
"""

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from os import getpid
from typing import Any

import msgspec
from proton import Collector, Connection, Delivery, Message, Transport, int32

from benchmarks.hub_process import announce, new_event_loop
from benchmarks.jobs import Address, HubJob, Serving
from benchmarks.measuring import allow_many_files
from harness.clock import RealClock
from harness.hub.certificates import Certificate
from harness.net.addresses import AddressPool
from harness.net.certificates import make_authority
from harness.net.listeners import CellServer

_CREDIT = 1000


class ProtonConnection:
    """One connection's upper end, as `harness.net` wants it."""

    recording = False
    close_request: str | None = None

    def __init__(self) -> None:
        self._transport, self._connection = Transport(Transport.SERVER), Connection()
        self._collector = Collector()
        self._connection.collect(self._collector)
        self._transport.bind(self._connection)
        self._answers: dict[Any, Any] = {}  # the link to `$cbs`'s clients, by session
        self._do: dict[str, Callable[[Any], None]] = {
            "on_connection_remote_open": self._open,
            "on_connection_remote_close": self._close,
            "on_session_remote_open": lambda event: event.session.open(),
            "on_link_remote_open": self._attach,
            "on_delivery": self._deliver,
        }

    def receive(self, data: bytes, _now: float) -> None:
        """Bytes from the device."""
        self._transport.push(data)
        event = self._collector.peek()
        while event:
            do = self._do.get(event.type.method)
            if do is not None:
                do(event)
            self._collector.pop()
            event = self._collector.peek()

    def data_to_send(self) -> bytes:
        """Bytes for the device."""
        size = self._transport.pending()
        if size <= 0:
            return b""
        data: bytes = self._transport.peek(size)
        self._transport.pop(size)
        return data

    def next_deadline(self) -> None:
        """No time limits."""

    def on_time(self, _now: float) -> None:
        """Nothing to do."""

    def peer_closed(self, _how: str, _now: float) -> None:
        """Nothing to do."""

    def transport_closed(self, _first: str, _how: str, _now: float) -> None:
        """Let go of what refers to this object."""
        self._transport.unbind()
        self._do.clear()

    def note(self, _kind: str, _now: float, /, **_fields: object) -> None:
        """Nobody wants to know."""

    def proven(self, _certificate: Certificate) -> None:
        """Nobody judges."""

    def upgraded(self, _subprotocol: str, _path: str, _now: float) -> "ProtonConnection":
        """It may speak at once."""
        return self

    def _open(self, event: Any) -> None:
        event.connection.container = "proton"
        event.connection.open()

    def _close(self, event: Any) -> None:
        event.connection.close()
        self.close_request = "fin"

    def _attach(self, event: Any) -> None:
        link = event.link
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.open()
        if link.is_receiver:
            link.flow(_CREDIT)
        else:
            self._answers[link.session] = link

    def _deliver(self, event: Any) -> None:
        delivery: Delivery = event.delivery
        link = delivery.link
        if not (link.is_receiver and delivery.readable and not delivery.partial):
            return
        data = link.recv(delivery.pending)
        link.advance()
        delivery.update(Delivery.ACCEPTED)
        delivery.settle()
        if link.credit < _CREDIT // 2:
            link.flow(_CREDIT - link.credit)
        if link.remote_target.address == "$cbs":
            self._answer(data, self._answers[link.session])

    def _answer(self, data: bytes, link: Any) -> None:
        request = Message()
        request.decode(data)
        properties = {"status-code": int32(200), "status-description": "OK"}
        link.delivery("1")
        link.send(Message(correlation_id=request.id, properties=properties).encode())
        link.advance()


class ProtonHub:
    """A server of which all devices are welcome."""

    def open(self, _transport: str, _peer: str, _now: float, _wake: Callable[[], None]) -> ProtonConnection:
        """A new connection."""
        return ProtonConnection()

    def next_deadline(self) -> None:
        """No time limits."""

    def on_time(self, _now: float) -> None:
        """Nothing to do."""

    def take_outage(self) -> None:
        """Nothing fails here."""

    def stop(self, _now: float) -> None:
        """The listeners cut what is left."""


async def serve(job: HubJob) -> None:
    """Serve until stdin ends."""
    authority = make_authority()
    reservation = await AddressPool().acquire()
    server = await CellServer.start(ProtonHub(), authority, reservation, RealClock(), names=[job.hub_name])
    announce(Serving(getpid(), (Address(reservation.address, reservation.ports["amqp"]),), authority.ca_pem))
    await asyncio.to_thread(sys.stdin.buffer.read)
    await server.stop()


def main() -> None:
    """Read the job, serve."""
    allow_many_files()
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=HubJob)
    with asyncio.Runner(loop_factory=partial(new_event_loop, wants_uvloop=job.uvloop)) as runner:
        runner.run(serve(job))


if __name__ == "__main__":
    main()
