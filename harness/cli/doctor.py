"""`harness doctor`: what can run on this machine, and what is missing."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

import click

from harness.cli.options import load_profiles, profiles_option
from harness.cli.progress import say
from harness.cli.running import environments
from harness.cli.streams import json_text, show
from harness.report.layout import render
from harness.run.health import Health, examine

__all__ = ["doctor"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.option("--install", is_flag=True, help="Install the SDKs this machine can run, as the first comparison does.")
@profiles_option
def doctor(profile_folders: Sequence[Path], *, as_json: bool, install: bool) -> int:
    """Show what can run on this machine, what is missing, and what brings it.

    Device programs are started and their handshake is made; nothing is measured, and nothing is installed unless asked for. Exit code 3 if the harness cannot run at all.
    """
    with contextlib.closing(environments(say(quiet=False))) as ready:
        checks = asyncio.run(examine(load_profiles(profile_folders), ready, install=install))
    if as_json:
        show(json_text(Health(1, tuple(checks))))
    else:
        rows = [[check.name, check.state, "\n".join(filter(None, [check.found, check.remedy]))] for check in checks]
        show(render(["what", "state", "found, and what helps"], rows, "text", widths=[16, 8, 92]))
    return 3 if any(check.state == "missing" for check in checks) else 0
