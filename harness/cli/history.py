"""`harness history`: the versions of an SDK, and what changed from one to the next."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
import msgspec

from harness.analysis import History, histories
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
from harness.cli.results import Results, attempt, derive, tell_what_is_missing
from harness.cli.running import Wish, measure
from harness.cli.streams import show
from harness.errors import UserInputError
from harness.plan import Overrides, Request, choose
from harness.profile import LoadedProfile, known_versions
from harness.report.history import history_table

__all__ = ["history"]

SCENARIOS = ("defaults", "renewal", "renewal-refused", "renewal-refused-idle", "expiry")


@click.command()
@click.argument("run", type=click.Path(path_type=Path), required=False)
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
    run: Path | None,
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

    With RUN, a folder that `harness compare` or `harness history` wrote, nothing is run: what it holds is printed.
    """
    named = sdk_list(sdks)
    tell = partial(_deliver, sdks=named, as_json=as_json)
    if run is not None:
        results = derive(run)
        return tell(results) or (UserInputError.exit_code if results.problems else 0)
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
    return measure(Wish(profiles, chosen, request, jobs=jobs, out=out, quiet=quiet), tell)


def _with_versions(named: Sequence[str], profiles: Sequence[LoadedProfile]) -> list[str]:
    """The SDKs asked for, in all the versions of their profiles where none is named."""
    versions = {loaded.profile.sdk: known_versions(loaded.profile) for loaded in profiles}
    return [full for name in named for full in [f"{name}@{one}" for one in versions.get(name, ())] or [name]]


def _deliver(results: Results, *, sdks: Sequence[str], as_json: bool) -> int:
    """Print the histories of these SDKs, or of all; what is missing goes to standard error. The exit code."""
    unprinted = attempt(partial(_print, results, sdks=sdks, as_json=as_json))
    return UserInputError.exit_code if unprinted else 0


def _print(results: Results, *, sdks: Sequence[str], as_json: bool) -> None:
    wanted = set(sdks)
    rows = [row for row in results.rows if not wanted or wanted & {row.sdk, f"{row.sdk}@{row.version}"}]
    found = histories(rows)
    show(_json(found) if as_json else history_table(found, "text"))
    tell_what_is_missing(results)


def _json(found: Sequence[History]) -> str:
    return json.dumps({"schema": 1, "histories": msgspec.to_builtins(found)}, indent=2)
