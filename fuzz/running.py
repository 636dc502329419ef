"""Runs inputs through a target, one after the other. An input is what (target, seed, index) makes of it, wherever it is run."""

import gc
import signal
import time
import traceback
from hashlib import blake2b
from random import Random
from types import FrameType, TracebackType
from typing import Self

from fuzz.tally import Finding, Slowest, Tally
from fuzz.target import Target

__all__ = ["HangError", "Watch", "run_inputs"]

_ROOMY_GC = 20_000
"""Connections are full of cycles; looking for them after every 700 objects would take more time than the reading."""


class HangError(BaseException):
    """An input took too long. No ordinary exception, so that nothing on the way out takes it for one."""


class Watch:
    """Ends, with `HangError`, an input that takes more than `limit_s` of CPU time (and less than twice as much at the latest).

    For the main thread of a process, on POSIX.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self.current = self._seen = -1

    def __enter__(self) -> Self:
        signal.signal(signal.SIGVTALRM, self._tick)
        signal.setitimer(signal.ITIMER_VIRTUAL, self._limit_s, self._limit_s)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)

    def _tick(self, _number: int, _frame: FrameType | None) -> None:
        if self.current >= 0 and self.current == self._seen:
            raise HangError(f"more than {self._limit_s:g} s of CPU time")
        self._seen = self.current


def _origin(target: Target, seed: int) -> int:
    return int.from_bytes(blake2b(f"{target.name} {seed}".encode(), digest_size=8).digest(), "big")


def run_inputs(target: Target, seed: int, start: int, count: int, watch: Watch | None = None) -> Tally:
    """Run the inputs from index `start` on."""
    tally, random, origin, clock = Tally(), Random(), _origin(target, seed), time.thread_time_ns
    make, read = target.mutator.make, target.read
    gc.set_threshold(_ROOMY_GC)
    for index in range(start, start + count):
        random.seed(origin + index)
        chunks = make(random)
        size = sum(map(len, chunks))
        if watch is not None:
            watch.current = index
        begun = clock()
        try:
            outcome = read(chunks, random)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, it should not have come out
            tally.find(
                _name(error), Finding(index, b"".join(chunks), "".join(traceback.format_exception(error, limit=-6)))
            )
        else:
            tally.depth += outcome.depth
            if outcome.refusal is None:
                tally.accepted += 1
            else:
                tally.refuse(outcome.refusal)
        spent = clock() - begun
        tally.cpu_ns += spent
        tally.size += size
        if spent > tally.slowest.cpu_ns:
            tally.slowest = Slowest(spent, index, size)
    if watch is not None:
        watch.current = -1
    tally.inputs = count
    return tally


def _name(error: BaseException) -> str:
    """The class of an error and where it was raised; findings of the same name are one."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    place = last.filename.replace("\\", "/").rsplit("/", 2)[-2:]
    told = f": {error}" if type(error).__name__ == "RuleBrokenError" else ""
    return f"{type(error).__name__} in {'/'.join(place)}, {last.name}, line {last.lineno}{told}"
