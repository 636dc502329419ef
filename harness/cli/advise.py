"""`harness advise`: which SDK, transport and settings meet a developer's needs, from logs that are there."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import msgspec

from harness.analysis import Needs
from harness.analysis import advise as rank
from harness.cli.options import ANY, comma_list, complete_any_transport, complete_sdks, sdk_list, transport_list
from harness.cli.results import Results, derive_either, latest_run, tell_what_is_missing
from harness.cli.streams import json_text, show
from harness.documents import TRANSPORTS, not_finite, one_of
from harness.errors import UserInputError
from harness.report.advice import advice_text
from harness.runfolder import in_checkout
from harness.scenario import LONGEST_LIFETIME_S

__all__ = ["advise"]

TOLD = 5
PUBLISHED = Path("results/published/reference")
EXAMPLES = """\b
Examples:
  harness advise --max-errors-per-day 0 --transport any
  harness advise --max-errors-per-day 1 --max-away-per-day 1 --transport mqtt,mqtt-ws --all
  harness advise --sdk java --lifetime 86400 results/runs/RUN
"""
_LIMIT = click.FloatRange(min=0)


@click.command(epilog=EXAMPLES)
@click.argument("runs", metavar="[RUN]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--max-errors-per-day", type=_LIMIT, metavar="N", help="At most N errors a day in the hub's log.")
@click.option(
    "--max-app-errors-per-day", type=_LIMIT, metavar="N", help="At most N errors a day that the application is shown."
)
@click.option("--max-reconnects-per-day", type=_LIMIT, metavar="N", help="At most N connections a day end for a token.")
@click.option(
    "--max-away-per-day", "max_away_s_per_day", type=_LIMIT, metavar="S", help="At most S seconds away a day for it."
)
@click.option("--no-loss", is_flag=True, help="No message was lost, in any scenario of RUN.")
@click.option("--comes-back", is_flag=True, help="It comes back by itself, whatever ends the connection.")
@click.option(
    "--lifetime",
    "lifetime_s",
    type=click.FloatRange(0, LONGEST_LIFETIME_S, min_open=True),
    metavar="S",
    help="Go by tokens that live S seconds. Without it, by the SDK's default, and by a longer lifetime where only that meets the limits.",
)
@click.option(
    "--sdk",
    "sdks",
    metavar="SDK[@VERSION]",
    multiple=True,
    shell_complete=complete_sdks,
    help="Only these SDKs, or versions of them. Repeatable, takes comma lists.",
)
@click.option(
    "--transport",
    "transports",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_any_transport,
    help=f"Only these transports: {', '.join(TRANSPORTS)}, or {ANY}. Repeatable, takes comma lists.",
)
@click.option("--all", "everything", is_flag=True, help="Also list what does not qualify, with the reason for each.")
@click.option(
    "--limit", type=click.IntRange(0), default=TOLD, show_default=True, help="Tell of so many in sentences; 0: of all."
)
@click.option("--json", "as_json", is_flag=True, help="Print the advice as JSON, with all that does not qualify.")
def advise(
    runs: Sequence[Path],
    sdks: Sequence[str],
    transports: Sequence[str],
    limit: int,
    *,
    everything: bool,
    as_json: bool,
    **needs: float | bool | None,
) -> int:
    """Rank SDKs, transports and settings for what a device needs, from RUN, folders that `harness compare` wrote. Nothing is run.

    Without RUN: the published reference run in a checkout of the harness, elsewhere the latest run in ./harness-results. Each sentence names the cells it
    rests on and whether a real device was measured, here or in a recording, or an emulated one played; what was not observed is said, and meets no need.
    Figures of a day are reckoned from the law that was measured, for the lifetime in question.
    """
    wished = msgspec.structs.replace(_wished(needs), sdks=tuple(sdk_list(sdks)), transports=_transports(transports))
    found = [(str(run), derive_either(run)) for run in (runs or [_default_run()])]
    _check_sdks(wished, [results for _, results in found])
    advice = rank([(name, results.rows) for name, results in found], wished)
    show(json_text(advice) if as_json else advice_text(advice, limit=limit, everything=everything))
    for _, results in found:
        tell_what_is_missing(results)
    unread = any(results.problems or results.refused for _, results in found)
    return UserInputError.exit_code if unread else 0


def _wished(needs: Mapping[str, object]) -> Needs:
    """The needs by their options.

    Raises:
        UserInputError: a number is infinite or none: nothing could be held against it.
    """
    wished = msgspec.convert(needs, Needs)
    for field, number in not_finite(wished):
        option = f"--{field.replace('_s_', '_').removesuffix('_s').replace('_', '-')}"
        raise UserInputError(f"{number} is no number to calculate with", where=option, remedy="Use a finite number")
    return wished


def _transports(values: Sequence[str]) -> tuple[str, ...]:
    """Those that were named; none for all, which `any` says too."""
    named = comma_list(values, "--transport")
    return () if ANY in named else tuple(transport_list(values))


def _default_run() -> Path:
    """The published run where it is there: the wheel has no logs of it. Else the latest."""
    here = Path.cwd()
    if in_checkout(here) and (here / PUBLISHED / "run.json").is_file():
        return PUBLISHED
    return latest_run(here, remedy="Name a run's folder, or run `harness compare`")


def _check_sdks(needs: Needs, found: Sequence[Results]) -> None:
    """Refuse an SDK of which there is nothing: no advice about it could be told from one against it.

    Raises:
        UserInputError: one of them is in none of the runs.
    """
    known = dict.fromkeys(
        name for results in found for row in results.rows for name in (row.sdk, f"{row.sdk}@{row.version}")
    )
    for name in needs.sdks:
        one_of(name, known, what="SDK", where="--sdk", error=UserInputError)
