"""What a process costs, read from outside it, and what the machine is like. Linux only."""

import os
import platform
import resource
import time
from pathlib import Path
from typing import Final

import msgspec

__all__ = ["Machine", "allow_many_files", "cores", "cpu_seconds", "load_average", "machine", "pss_kib"]

_CPUCLOCK_SCHED: Final = 2


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process so far, user and system, in nanosecond resolution.

    The id of another process's CPU clock is composed as clock_getcpuclockid(3) does it; the sum of utime and stime in
    /proc/PID/stat is the same figure in units of 10 ms.
    """
    return time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)


def pss_kib(pid: int) -> int:
    """Proportional set size of a process: its private memory and its share of what it shares."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError(f"no Pss in /proc/{pid}/smaps_rollup")


def cores() -> tuple[int | None, int | None]:
    """The core for the server and the core for the load, so that neither runs into the other's; Nones on a single core."""
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[1]) if len(available) > 1 else (None, None)


def load_average() -> float:
    """Runnable processes in the last minute."""
    return round(os.getloadavg()[0], 2)


class Machine(msgspec.Struct, frozen=True):
    """The machine as far as it bears on the figures."""

    cpu: str
    cores: int
    kernel: str
    system: str


def machine() -> Machine:
    """This one."""
    return Machine(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)),
        kernel=platform.release(),
        system=platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
    )


def allow_many_files() -> None:
    """Raise this process's limit of open files as far as it may be raised."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
