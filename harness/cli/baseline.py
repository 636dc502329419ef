"""`harness baseline`: what a run shows, as a file to be kept."""

import re
from pathlib import Path
from typing import Final

import click
import msgspec

from harness.analysis import Baseline
from harness.cli.outputs import write_output
from harness.cli.runs import load_run
from harness.cli.streams import show
from harness.errors import UserInputError

__all__ = ["baseline"]

_SPAN: Final = re.compile(r'\[\s+("[^"\\]*"),\s+(-?[\d.e+-]+),\s+(-?[\d.e+-]+)\s+\]')
"""A unit and two numbers in an array; no text can look like it, for a quotation mark in a text has a backslash before it."""


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it into this file instead of printing it.",
)
def baseline(run: Path, *, out: Path | None) -> int:
    """Print what RUN shows, without its figures, as JSON: small enough to be committed, and to be OLD of `harness diff`.

    RUN is a folder that `harness compare` wrote, or one of recorded logs. What could not be read is named, and left out (exit code 2).
    """
    loaded = load_run(run)
    text = _text(loaded.baseline)
    if out is None:
        show(text)
    else:
        write_output(out, lambda: f"{text}\n")
    loaded.tell_what_is_missing()
    return UserInputError.exit_code if loaded.refused else 0


def _text(found: Baseline) -> str:
    """A line for each thing that can change, so that versions of the file can be compared line by line."""
    text = msgspec.json.format(msgspec.json.encode(found), indent=1).decode()
    return _SPAN.sub(r"[\1, \2, \3]", text)
