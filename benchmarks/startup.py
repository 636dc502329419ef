"""How long a command of the harness takes to start, beside Python itself doing the least possible."""

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from tabulate import tabulate

__all__ = ["STARTUP", "Startup", "measure_startup", "startup_table"]

STARTUP: Final = "help"
"""Its name among those of the workloads."""
TARGET_MS: Final = 150.0
_COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "python -c pass": ("-c", "pass"),
    "harness --help": ("-m", "harness", "--help"),
}
_SAMPLES: Final = 5


class Startup(msgspec.Struct, frozen=True):
    """One command: wall-clock milliseconds from its start to its end, every sample and their median; the target, where there is one."""

    command: str
    median_ms: float
    samples_ms: tuple[float, ...]
    target_ms: float | None = None


def measure_startup(rounds: int) -> list[Startup]:
    """The commands, interleaved: `rounds` times five of each, after one of each that brings the files into the cache."""
    for arguments in _COMMANDS.values():
        _once(arguments)
    samples: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for _ in range(rounds * _SAMPLES):
        for name, arguments in _COMMANDS.items():
            samples[name].append(_once(arguments))
    targets = {"harness --help": TARGET_MS}
    return [
        Startup(name, round(statistics.median(told), 1), tuple(round(one, 1) for one in told), targets.get(name))
        for name, told in samples.items()
    ]


def _once(arguments: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1e3


def startup_table(found: Sequence[Startup]) -> str:
    """The medians with the lowest and the highest sample, and whether the target is met."""
    bare = found[0].median_ms
    rows = [
        [
            one.command,
            f"{one.median_ms:.0f} ms",
            f"{min(one.samples_ms):.0f} to {max(one.samples_ms):.0f}",
            f"{one.median_ms / bare:.1f} x",
            _target(one),
        ]
        for one in found
    ]
    return tabulate(rows, ["command", "median", "samples", "of bare Python", "target"], tablefmt="simple")


def _target(one: Startup) -> str:
    if one.target_ms is None:
        return ""
    return f"<= {one.target_ms:.0f} ms: {'met' if one.median_ms <= one.target_ms else 'not met'}"
