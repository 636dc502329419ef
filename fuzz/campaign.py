"""Spreads the series of all targets over processes, and yields what is done as it is done."""

import resource
import signal
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

from fuzz.running import Watch, run_inputs
from fuzz.tally import Tally
from fuzz.targets import target

__all__ = ["HANG_S", "MEMORY_BYTES", "Job", "run_jobs", "split"]

HANG_S: Final = 2.0
"""CPU time that one input may take; the slowest takes a few milliseconds."""
MEMORY_BYTES: Final = 2 << 30
"""Address space of a process; an input that asks for more fails with MemoryError."""
_PART: Final = 5_000


@dataclass(frozen=True)
class Job:
    """A part of one target's series."""

    target: str
    seed: int
    start: int
    count: int


def split(names: list[str], seed: int, start: int, inputs: int) -> list[Job]:
    """The series of these targets, in parts, target after target."""
    return [
        Job(name, seed, first, min(_PART, start + inputs - first))
        for name in names
        for first in range(start, start + inputs, _PART)
    ]


def run_jobs(jobs: list[Job], processes: int) -> Generator[tuple[Job, Tally]]:
    """What each part came to, in the order of completion. Closing the iterator drops the parts that have not begun."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_prepare) as pool:
        try:
            begun = {pool.submit(_run, job): job for job in jobs}
            for done in as_completed(begun):
                yield begun.pop(done), done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _prepare() -> None:
    """Ctrl-C is the parent's to answer; memory is limited."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(ValueError, OSError):  # a lower limit is in force, or the system knows none
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _run(job: Job) -> Tally:
    with Watch(HANG_S) as watch:
        return run_inputs(target(job.target), job.seed, job.start, job.count, watch)
