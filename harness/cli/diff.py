"""`harness diff`: what one run shows otherwise than another."""

from functools import partial
from pathlib import Path

import click

from harness.analysis import Diff
from harness.analysis import diff as compare
from harness.cli.outputs import FAILED, write_output
from harness.cli.results import attempt
from harness.cli.runs import load_run
from harness.cli.streams import json_text, show
from harness.errors import UserInputError
from harness.report.diff import diff_report

__all__ = ["diff"]


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Exit with 1 where behaviour changed, or where nothing could be compared.")
@click.option("--json", "as_json", is_flag=True, help="Print the difference as JSON.")
@click.option(
    "--summary",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write it as Markdown; $GITHUB_STEP_SUMMARY is added to.",
)
def diff(old: Path, new: Path, *, check: bool, as_json: bool, summary: Path | None) -> int:
    """Print what NEW shows otherwise than OLD: changed behaviour first, then what may be chance, timings beyond noise, then what could not be compared.

    Each is a folder that `harness compare` wrote, one of recorded logs, or a file that `harness baseline` wrote. Rows are compared that have the same SDK,
    transport, scenario, device and settings; versions may differ. May be chance: what the application saw between its first and last step or of failed sends,
    and, in a scenario with faults, whether messages were duplicated or sends failed. A timing has changed where what both runs leave open has nothing in common: the spread of
    the measured values, five times the hub's lag, and, of fewer than five values, a factor of three (points of renewal: 2.5 seconds).
    """
    before, after = load_run(old), load_run(new)
    found = compare(before.baseline, after.baseline)
    steps = [partial(_print, found, as_json=as_json)]
    if summary is not None:
        steps.append(partial(write_output, summary, lambda: f"{diff_report(found, 'markdown')}\n"))
    unwritten = attempt(*steps)
    for run in (before, after):
        run.tell_what_is_missing()
    if unwritten or before.refused or after.refused:
        return UserInputError.exit_code
    return FAILED if check and (found.changed or not found.compared) else 0


def _print(found: Diff, *, as_json: bool) -> None:
    show(json_text(found) if as_json else diff_report(found, "text"))
