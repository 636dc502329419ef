"""Tallies -> text. Pure."""

from collections.abc import Mapping

from tabulate import tabulate

from fuzz.tally import Finding, Tally

__all__ = ["failures", "progress", "summary"]

_HEX_SHOWN = 4_000


def progress(name: str, done: int, total: int, seconds: float) -> str:
    """One line while it goes on; `seconds` since the beginning."""
    rate = done / seconds if seconds else 0.0
    left = (total - done) / rate if rate else 0.0
    return f"{name:16} {done:>11,} of {total:,} inputs  {rate:,.0f}/s  {left / 60:.0f}:{left % 60:02.0f} to go"


def summary(tallies: Mapping[str, Tally], seconds: float, processes: int, reasons: int) -> str:
    """A table of targets that were begun, then the most frequent reasons of each."""
    begun = {name: tally for name, tally in tallies.items() if tally.inputs}
    rows = [_row(name, tally) for name, tally in begun.items()]
    headers = ("target", "inputs", "accepted", "refused", "found", "bytes", "depth", "µs", "slowest")
    lines = [tabulate(rows, headers, disable_numparse=True, colalign=("left", *["right"] * 7, "left"))]
    for name, tally in begun.items():
        lines.append(f"\n{name}: refused most often, of {len(tally.refusals)} reasons")
        lines += [f"  {count:>9,}  {reason}" for reason, count in tally.refusals.most_common(reasons)]
    inputs = sum(tally.inputs for tally in begun.values())
    lines.append(
        f"\n{inputs:,} inputs in {seconds:.0f} s with {processes} processes; bytes, depth (packets, events, …) and CPU time are "
        "the means of one input"
    )
    return "\n".join(lines)


def _row(name: str, tally: Tally) -> tuple[str, ...]:
    inputs, slowest = tally.inputs, tally.slowest
    return (
        name,
        f"{inputs:,}",
        f"{tally.accepted / inputs:.1%}",
        f"{tally.refusals.total() / inputs:.1%}",
        str(sum(finding.count for finding in tally.findings.values())),
        f"{tally.size / inputs:.0f}",
        f"{tally.depth / inputs:.1f}",
        f"{tally.cpu_ns / inputs / 1_000:.0f}",
        f"{slowest.cpu_ns / 1e6:.1f} ms, {slowest.size} bytes, --start {slowest.index}",
    )


def failures(tallies: Mapping[str, Tally], seed: int) -> str:
    """What broke the rules, one paragraph for each way it was done; empty if nothing did."""
    return "\n\n".join(
        _failure(name, what, finding, seed)
        for name, tally in tallies.items()
        for what, finding in tally.findings.items()
    )


def _failure(name: str, what: str, finding: Finding, seed: int) -> str:
    data = finding.data.hex()
    shown = data if len(data) <= _HEX_SHOWN else f"{data[:_HEX_SHOWN]}… ({len(finding.data)} bytes)"
    return (
        f"FOUND by {name}, {finding.count} times: {what}\n{finding.details.rstrip()}\n"
        f"input {finding.index}: {shown}\n"
        f"again: tox run -e fuzz -- --only {name} --seed {seed} --start {finding.index} --inputs 1"
    )
