"""The load generator: a process of its own that plays many devices against one server and reads what it costs the server.

Its own CPU time is not what is measured, yet it has to send quicker than the server answers, or the server idles and pays for
a wake-up per message. Hence epoll and the bare TLS object below `SSLSocket`: its `write` is one system call, its `read` two.
"""

import contextlib
import itertools
import os
import select
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import msgspec

from benchmarks.amqp_device import AmqpDevice, count_accepted
from benchmarks.jobs import Address, Device, LoadJob, Measurement
from benchmarks.measuring import allow_many_files, cpu_seconds, pss_kib
from benchmarks.workloads import PAYLOAD_BYTES
from harness.protocol.mqtt.codec import encode
from harness.protocol.mqtt.packets import Connect, Disconnect, Publish

_PUBACK_BYTES: Final = 4
_ACCEPTED: Final = (b"\x20\x02\x00\x00", b"\x20\x02\x01\x00")  # CONNACK 0, without and with a session
_WARM_UP: Final = 0.2  # of the measured duration or count
_WARM_UP_CONNECTIONS: Final = 10
_SETTLE_S: Final = 0.3
_PATIENCE_S: Final = 10.0
_DISCONNECT: Final = encode(Disconnect())

Over = Callable[[int], bool]


class Load:
    """One job: its devices and how to reach their server."""

    def __init__(self, job: LoadJob) -> None:
        self._job, self._pid = job, job.serving.pid
        self._context = ssl.create_default_context(cadata=job.serving.ca_pem)
        self._context.minimum_version = self._context.maximum_version = job.workload.tls
        self._ways = list(zip(job.devices, itertools.cycle(job.serving.addresses), strict=False))

    def measure(self) -> Measurement:
        """Do the job."""
        return {"publish": self._publish, "connect": self._connect, "idle": self._idle}[self._job.workload.kind]()

    def _publish(self) -> Measurement:
        ends = [self._open_publisher(device, way) for device, way in self._ways]
        publisher = Publisher(ends, self._job.workload.in_flight, spin=self._job.core is not None)
        return self._twice(publisher.run)

    def _open_publisher(self, device: Device, way: Address) -> "End":
        number = self._job.workload.in_flight
        if self._job.workload.transport == "mqtt":
            packets = publish_packets(device, number)
            return End(self._open(device, way), lambda: packets, _count_pubacks)
        link = self._secure(way)
        return End(link, AmqpDevice(link, device).bursts(number), count_accepted)

    def _connect(self) -> Measurement:
        with ThreadPoolExecutor(len(self._ways)) as pool:
            return self._twice(lambda over: self._connect_until(over, pool))

    def _connect_until(self, over: Over, pool: ThreadPoolExecutor) -> int:
        done = itertools.count(1)

        def repeat(way: tuple[Device, Address]) -> int:
            for own in itertools.count(1):
                self._come_and_go(*way)
                if over(next(done)):
                    return own
            raise AssertionError

        return sum(pool.map(repeat, self._ways))

    def _come_and_go(self, device: Device, address: Address) -> None:
        if self._job.workload.transport == "mqtt":
            link = self._open(device, address)
            link.sendall(_DISCONNECT)
        else:
            link = self._secure(address)
            AmqpDevice(link, device).close()
        link.close()

    def _stay(self, device: Device, address: Address) -> ssl.SSLSocket:
        if self._job.workload.transport == "mqtt":
            return self._open(device, address)
        link = self._secure(address)
        AmqpDevice(link, device)
        return link

    def _idle(self) -> Measurement:
        first, rest = self._ways[:_WARM_UP_CONNECTIONS], self._ways[_WARM_UP_CONNECTIONS:]
        links = [self._stay(*way) for way in first]
        before, cpu, began = self._settled_memory(), cpu_seconds(self._pid), time.monotonic()
        links += [self._stay(*way) for way in rest]
        cpu, wall = cpu_seconds(self._pid) - cpu, time.monotonic() - began
        return Measurement(len(rest), cpu, wall, self._settled_memory() - before)

    def _settled_memory(self) -> int:
        time.sleep(_SETTLE_S)
        return pss_kib(self._pid)

    def _twice(self, run: Callable[[Over], int]) -> Measurement:
        """Run once to warm up, then once for the record."""
        seconds, count = self._job.seconds, self._job.count
        run(_limit(seconds * _WARM_UP, count and max(1, round(count * _WARM_UP))))
        cpu, began = cpu_seconds(self._pid), time.monotonic()
        operations = run(_limit(seconds, count))
        return Measurement(operations, cpu_seconds(self._pid) - cpu, time.monotonic() - began)

    def _secure(self, address: Address) -> ssl.SSLSocket:
        """A connection whose TLS is up."""
        raw = socket.create_connection((address.host, address.port), timeout=_PATIENCE_S)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._context.wrap_socket(raw, server_hostname=address.host)

    def _open(self, device: Device, address: Address) -> ssl.SSLSocket:
        """A connection that has its CONNACK."""
        link = self._secure(address)
        link.sendall(connect_packet(device))
        answer = link.recv(64)
        if answer not in _ACCEPTED:
            raise RuntimeError(f"{device.device_id} was answered {answer!r} instead of CONNACK 0")
        return link


class End(NamedTuple):
    """A connection that publishes: what it sends at a time, and how to count what was acknowledged, with what is left over."""

    link: ssl.SSLSocket
    burst: Callable[[], bytes]
    counted: Callable[[bytes], tuple[int, bytes]]


class Publisher:
    """Connections that publish all at once, `in_flight` messages each, and again when every one is acknowledged.

    In bursts, and polling without sleep where this process has a core of its own (`spin`), because what a server pays for a
    message also depends on who waits for it: waking a sleeping peer costs the sender, being woken up for every single message
    costs the receiver. This way no server pays the former and each the latter once a burst, however quick it is.
    """

    def __init__(self, ends: list[End], in_flight: int, *, spin: bool) -> None:
        self._in_flight = in_flight
        self._wait_s = 0 if spin else _PATIENCE_S
        self._links = [end.link for end in ends]  # closed when nobody holds them
        self._poll = select.epoll()
        self._readers: dict[int, Callable[[int], int]] = {}
        self._senders: list[Callable[[], object]] = []
        for end in ends:
            end.link.setblocking(False)
            self._poll.register(end.link, select.EPOLLIN)
            self._readers[end.link.fileno()], send = _bare(end)
            self._senders.append(send)

    def run(self, over: Over) -> int:
        """Publish until it is `over`; returns how many publishes were acknowledged. Nothing is in flight afterwards."""
        burst, done = self._in_flight * len(self._senders), 0
        while not over(done):
            for send in self._senders:
                send()
            self._await(burst)
            done += burst
        return done

    def _await(self, owed: int) -> None:
        """Read that many acknowledgements, whoever sends them."""
        poll, readers, wait_s = self._poll.poll, self._readers, self._wait_s
        patience = time.monotonic() + _PATIENCE_S
        while owed:
            for fd, _ in poll(wait_s):
                with contextlib.suppress(ssl.SSLWantReadError):
                    owed -= readers[fd](4096)
            if time.monotonic() > patience:
                raise TimeoutError(f"the server owes {owed} acknowledgements")


def connect_packet(device: Device) -> bytes:
    """The CONNECT of a device as SDKs send it: persistent session, SAS token as password."""
    password = device.password.encode()
    return encode(Connect(device.device_id, 240, clean_session=False, username=device.username, password=password))


def publish_packets(device: Device, number: int) -> bytes:
    """Telemetry messages, one behind the other."""
    return b"".join(_publish_packet(device, packet_id) for packet_id in range(1, number + 1))


def _publish_packet(device: Device, packet_id: int) -> bytes:
    topic = f"devices/{device.device_id}/messages/events/%24.mid={packet_id}"
    return encode(Publish(topic, b"x" * PAYLOAD_BYTES, qos=1, packet_id=packet_id))


def _bare(end: End) -> tuple[Callable[[int], int], Callable[[], object]]:
    """How to read acknowledgements from a connection, and how to send a burst, without the wrappers of `SSLSocket`."""
    bare = end.link._sslobj  # type: ignore[attr-defined]  # noqa: SLF001 - see the module's first lines
    read, write, burst, count = bare.read, bare.write, end.burst, end.counted
    left = b""

    def acknowledged(size: int) -> int:
        nonlocal left
        number, left = count(left + read(size))
        return number

    return acknowledged, lambda: write(burst())


def _count_pubacks(data: bytes) -> tuple[int, bytes]:
    whole = len(data) // _PUBACK_BYTES
    return whole, data[whole * _PUBACK_BYTES :]


def _limit(seconds: float, count: int | None) -> Over:
    """Whether a run is over after so many operations; asks for nothing but a number or the clock."""
    if count is not None:
        return lambda done: done >= count
    ends = time.monotonic() + seconds
    return lambda _done: time.monotonic() >= ends


def _jobs() -> Iterator[LoadJob]:
    for line in sys.stdin.buffer:
        yield msgspec.json.decode(line, type=LoadJob)


def main() -> None:
    """Do the jobs that come on stdin and write a measurement for each."""
    allow_many_files()
    for job in _jobs():
        if job.core is not None:
            os.sched_setaffinity(0, {job.core})
        sys.stdout.buffer.write(msgspec.json.encode(Load(job).measure()) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
