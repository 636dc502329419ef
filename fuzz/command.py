"""The command: reads the options, shows progress, prints what came out, and ends with 1 if anything came out that must not."""

import os
import sys
import time
from contextlib import closing

import click

from fuzz.campaign import run_jobs, split
from fuzz.report import failures, progress, summary
from fuzz.tally import Tally
from fuzz.targets import NAMES

__all__ = ["main"]

_INTERRUPTED = 130


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--inputs", default=1_000_000, show_default=True, type=click.IntRange(1), help="Inputs of each target.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Another seed makes other inputs.")
@click.option(
    "--only", multiple=True, type=click.Choice(NAMES), metavar="TARGET", help=f"{', '.join(NAMES)}; repeatable."
)
@click.option("--start", default=0, show_default=True, type=click.IntRange(0), help="Index of the first input.")
@click.option(
    "--jobs", default=len(os.sched_getaffinity(0)), show_default="all cores", type=click.IntRange(1), help="Processes."
)
@click.option("--reasons", default=5, show_default=True, type=click.IntRange(0), help="Reasons shown for each target.")
def main(inputs: int, seed: int, only: tuple[str, ...], start: int, jobs: int, reasons: int) -> None:
    """Feed mutated inputs to everything that reads a peer's bytes, and see that it only refuses.

    Nothing but the error that a reader documents may come out of it; none may take long, fill the memory, or answer without
    end. What breaks this is printed with the command that runs this one input again: an input depends on its target, the seed
    and its index only.
    """
    names = [name for name in NAMES if not only or name in only]
    tallies, begun, interrupted = {name: Tally() for name in names}, time.monotonic(), False
    try:
        _run(names, seed, start, inputs, jobs, tallies)
    except KeyboardInterrupt:
        interrupted = True
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(summary(tallies, time.monotonic() - begun, jobs, reasons))
    found = failures(tallies, seed)
    if found:
        print("\n" + found)
    if interrupted:
        print("\ninterrupted: these are the inputs that were done so far")
    sys.exit(1 if found else _INTERRUPTED if interrupted else 0)


def _run(names: list[str], seed: int, start: int, inputs: int, processes: int, tallies: dict[str, Tally]) -> None:
    """Fill the tallies, and say how it goes."""
    begun, said, total = time.monotonic(), 0.0, inputs * len(names)
    with closing(run_jobs(split(names, seed, start, inputs), processes)) as parts:
        for job, tally in parts:
            tallies[job.target].add(tally)
            now = time.monotonic()
            if now - said >= (0.5 if sys.stderr.isatty() else 30.0):
                said, done = now, sum(tally.inputs for tally in tallies.values())
                _say(progress(job.target, done, total, now - begun))


def _say(line: str) -> None:
    """On a terminal in place of the line before."""
    print(
        f"\r\x1b[K{line}" if sys.stderr.isatty() else line,
        end="" if sys.stderr.isatty() else "\n",
        file=sys.stderr,
        flush=True,
    )
