"""What the three processes of a measurement tell each other, as JSON lines, and how one of ours is started.

parent -> hub    HubJob on stdin                 hub -> parent    Address per device, as `Serving`, on stdout
parent -> load   LoadJob on stdin                load -> parent   Measurement on stdout
"""

import os
import subprocess
import sys
from typing import Literal, TypeVar

import msgspec

from benchmarks.workloads import Workload

__all__ = ["Address", "Device", "HubJob", "LoadJob", "Measurement", "Serving", "read", "start", "write"]

T = TypeVar("T")


class Device(msgspec.Struct, frozen=True):
    """A device's identity, and what it puts into its CONNECT; over AMQP the password is the token it puts."""

    hub_name: str
    device_id: str
    username: str
    password: str


class Address(msgspec.Struct, frozen=True):
    """Where a device finds its server."""

    host: str
    port: int


class HubJob(msgspec.Struct, frozen=True):
    """The transport, the identities the hub has to know, the folder its events go to (None: recording off), the event loop."""

    transport: Literal["mqtt", "amqp"]
    hub_name: str
    key: str
    devices: tuple[str, ...]
    record_to: str | None
    uvloop: bool


class Serving(msgspec.Struct, frozen=True):
    """A server that is ready: one address per device, or one for all."""

    pid: int
    addresses: tuple[Address, ...]
    ca_pem: str


class LoadJob(msgspec.Struct, frozen=True):
    """What the load generator has to do to which server; it ends after `count` operations if given, else `seconds`."""

    workload: Workload
    serving: Serving
    devices: tuple[Device, ...]
    seconds: float
    count: int | None
    core: int | None


class Measurement(msgspec.Struct, frozen=True):
    """The server's cost of `operations` (of `operations` connections, with idle). Memory is PSS growth in KiB."""

    operations: int
    cpu_s: float
    wall_s: float
    memory_kib: float = 0.0

    def figure(self, workload: Workload) -> float:
        """The cost of one operation in the workload's unit."""
        total = self.memory_kib if workload.kind == "idle" else self.cpu_s * 1e6
        return total / self.operations


def start(module: str) -> subprocess.Popen[bytes]:
    """Run one of our modules in a process of its own that finds the same packages as this one."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )


def write(process: subprocess.Popen[bytes], job: msgspec.Struct) -> None:
    """Hand a process its job."""
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(job) + b"\n")
    process.stdin.flush()


def read(process: subprocess.Popen[bytes], answer: type[T]) -> T:
    """A process's answer.

    Raises:
        RuntimeError: it ended without one; its standard error has told why.
    """
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args!r} ended with exit code {process.wait()} instead of an answer")
    return msgspec.json.decode(line, type=answer)
