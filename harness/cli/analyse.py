"""`harness analyse`: the tables again, from the logs alone."""

from functools import partial
from pathlib import Path

import click

from harness.cli.options import errors_option
from harness.cli.outputs import Outputs, outputs_options
from harness.cli.results import are_recordings, attempt, derive, derive_recordings, keep
from harness.errors import UserInputError

__all__ = ["analyse"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON instead of tables.")
@errors_option
@outputs_options
@click.option(
    "--write",
    is_flag=True,
    help="Also write findings.json, table.md, errors.md and diagnostics/ into the run's folder again.",
)
def analyse(run: Path, *, outputs: Outputs, as_json: bool, errors: bool, write: bool) -> int:
    """Print the tables of RUN again, a folder that `harness compare` wrote, or those of recorded logs, a file or a folder. Nothing is run.

    A cell whose log is cut short is analysed as far as it goes and marked incomplete; one that cannot be read is named, and the
    others are printed all the same (exit code 2). So is a recorded log that is refused.
    """
    publisher = outputs.publisher()
    recorded = are_recordings(run)
    if recorded and write:
        raise UserInputError("is no run", where=str(run), field="--write", remedy="Leave --write out for recordings")
    results = derive_recordings(run) if recorded else derive(run)
    publisher.check_entries(results)
    delivered = publisher.publish(results, as_json=as_json, errors=errors)
    unwritten = attempt(partial(keep, results, run)) if write else 0
    return UserInputError.exit_code if unwritten or results.problems or results.refused else delivered
