"""`harness history`: the versions of an SDK, and what changed from one to the next."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
import msgspec

from harness.analysis import Baseline, Histories, histories
from harness.cli.options import (
    comma_list,
    complete_sdks,
    load_profiles,
    profiles_option,
    scenario_option,
    scenarios_named,
    sdk_list,
    transport_list,
    transport_option,
)
from harness.cli.results import Results, attempt
from harness.cli.running import Wish, measure
from harness.cli.runs import Run, load_runs, run_of
from harness.cli.streams import json_text, show
from harness.errors import UserInputError
from harness.plan import Overrides, Request, choose
from harness.profile import LoadedProfile, known_versions
from harness.report.history import history_table

__all__ = ["history"]

SCENARIOS = ("defaults", "renewal", "renewal-refused", "renewal-refused-idle", "expiry")


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--sdk",
    "sdks",
    metavar="SDK[@VERSION[,VERSION…]]",
    multiple=True,
    shell_complete=complete_sdks,
    help="The SDK, in the versions its profile names, or in these. Repeatable, takes comma lists.",
)
@transport_option
@scenario_option(f"These scenarios, or groups of them, instead of {', '.join(SCENARIOS)}.")
@click.option("--lifetime", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Token lifetime in seconds.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, metavar="N", help="Cells at a time.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where the run's folder goes.")
@click.option("--json", "as_json", is_flag=True, help="Print the history as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@profiles_option
def history(  # noqa: PLR0913, PLR0917 - one parameter per option
    runs: Sequence[Path],
    sdks: Sequence[str],
    transports: Sequence[str],
    scenarios: Sequence[str],
    lifetime: float | None,
    jobs: int | None,
    out: Path | None,
    profile_folders: Sequence[Path],
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run several versions of an SDK and print what changed from one to the next.

    With RUN, a folder that `harness compare` or `harness history` wrote, nothing is run: what it holds is printed. Of several, and of baselines
    (`harness baseline`), it is the course of things: by version and, of one version, by date.
    """
    named = sdk_list(sdks)
    if runs:
        loaded = load_runs(runs)
        unprinted = _deliver(loaded, sdks=named, as_json=as_json)
        return unprinted or (UserInputError.exit_code if any(one.refused for one in loaded) else 0)
    if not named:
        raise UserInputError("names no SDK", where="harness history", remedy="Say --sdk python, or name a run's folder")
    profiles = load_profiles(profile_folders)
    over, versions = transport_list(transports), _with_versions(named, profiles)
    request = Request(
        sdks=versions,
        transports=over,
        device="real",
        overrides=Overrides(lifetime_s=lifetime),
    )
    chosen = scenarios_named(comma_list(scenarios, "--scenario") or SCENARIOS, over, choose(profiles, versions))
    return measure(
        Wish(profiles, chosen, request, jobs=jobs, out=out, quiet=quiet),
        partial(_measured, sdks=named, as_json=as_json),
    )


def _with_versions(named: Sequence[str], profiles: Sequence[LoadedProfile]) -> list[str]:
    """The SDKs asked for, in all the versions of their profiles where none is named."""
    versions = {loaded.profile.sdk: known_versions(loaded.profile) for loaded in profiles}
    return [full for name in named for full in [f"{name}@{one}" for one in versions.get(name, ())] or [name]]


def _measured(results: Results, *, sdks: Sequence[str], as_json: bool) -> int:
    return _deliver([run_of(results)], sdks=sdks, as_json=as_json)


def _deliver(runs: Sequence[Run], *, sdks: Sequence[str], as_json: bool) -> int:
    """Print the histories of these SDKs, or of all; what is missing goes to standard error. The exit code."""
    unprinted = attempt(partial(_print, [one.baseline for one in runs], sdks=sdks, as_json=as_json))
    for one in runs:
        one.tell_what_is_missing()
    return UserInputError.exit_code if unprinted else 0


def _print(runs: Sequence[Baseline], *, sdks: Sequence[str], as_json: bool) -> None:
    found = histories(_only(run, set(sdks)) for run in runs)
    show(json_text(Histories(1, found)) if as_json else history_table(found, "text"))


def _only(run: Baseline, sdks: set[str]) -> Baseline:
    """The run's rows of these SDKs or versions of them, or all."""
    rows = (row for row in run.rows if not sdks or sdks & {row.sdk, f"{row.sdk}@{row.version}"})
    return msgspec.structs.replace(run, rows=tuple(rows))
