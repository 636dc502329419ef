"""`harness merge`: runs of several machines, or parts of one, as one run."""

from collections.abc import Sequence
from pathlib import Path

import click

from harness.cli.results import derive, keep, tell_what_is_missing
from harness.cli.streams import show
from harness.merging import merge as merge_runs

__all__ = ["merge"]


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    required=True,
    help="The folder of the merged run; it is made, or is there and empty.",
)
def merge(runs: Sequence[Path], out: Path) -> int:
    """Write the union of RUN..., folders that `harness compare` wrote, into one folder, to be analysed like a run.

    Its run.json names each run with its machine and its cells. Nothing is written where one of them cannot be read.
    """
    merge_runs(runs, out)
    results = derive(out)
    keep(results, out)
    tell_what_is_missing(results)
    show(f"{len(results.logs)} cells of {len(results.record.merged)} runs: {out}")
    return 0
