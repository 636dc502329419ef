"""What a series of inputs came to; tallies of parts of a series add up to that of the whole, in whatever order they come."""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

__all__ = ["Finding", "Slowest", "Tally", "in_general"]

_PARTICULARS = re.compile(r"'[^']*'|\"[^\"]*\"|0x[0-9a-fA-F]+|-?\d+")
_LONGEST = 90


@lru_cache(maxsize=16_384)
def in_general(reason: str) -> str:
    """A reason without the numbers and texts of the one input it was given for."""
    return " ".join(_PARTICULARS.sub("…", reason).split())[:_LONGEST]


@dataclass(frozen=True, order=True)
class Slowest:
    """An input by the CPU time it took."""

    cpu_ns: int = 0
    index: int = 0
    size: int = 0


@dataclass
class Finding:
    """The first input that broke the rules in one way, and how many did."""

    index: int
    data: bytes
    details: str
    count: int = 1

    def add(self, other: "Finding") -> None:
        """Take in what was found elsewhere."""
        if other.index < self.index:
            self.index, self.data, self.details = other.index, other.data, other.details
        self.count += other.count


@dataclass
class Tally:
    """A part of one target's series.

    Attributes:
        inputs, accepted: how many; what is neither accepted nor in `refusals` is in `findings`.
        refusals: how often each reason was given, in general terms.
        size, depth, cpu_ns: of all inputs together: bytes, the target's unit, CPU time without that of making them.
        slowest: one input.
        findings: by what went wrong.
    """

    inputs: int = 0
    accepted: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    size: int = 0
    depth: int = 0
    cpu_ns: int = 0
    slowest: Slowest = Slowest()
    findings: dict[str, Finding] = field(default_factory=dict)

    def refuse(self, reason: str) -> None:
        """One more refusal."""
        self.refusals[in_general(reason)] += 1

    def find(self, what: str, finding: Finding) -> None:
        """One more finding."""
        if what in self.findings:
            self.findings[what].add(finding)
        else:
            self.findings[what] = finding

    def add(self, other: "Tally") -> None:
        """Take in another part of the series."""
        self.inputs += other.inputs
        self.accepted += other.accepted
        self.refusals.update(other.refusals)
        self.size += other.size
        self.depth += other.depth
        self.cpu_ns += other.cpu_ns
        self.slowest = max(self.slowest, other.slowest)
        for what, finding in other.findings.items():
            self.find(what, finding)
