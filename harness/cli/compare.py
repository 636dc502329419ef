"""`harness compare`: plan, run, analyse, print."""

import asyncio
import contextlib
import datetime as dt
import os
import platform
import secrets
import signal
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar, get_args

import click
import msgspec

from harness import __version__
from harness.cli.main import INTERRUPTED
from harness.cli.options import comma_list, load_profiles, profiles_option
from harness.cli.progress import CellProgress, say
from harness.cli.results import attempt, deliver, derive, keep
from harness.cli.streams import complain, note
from harness.clock import RealClock
from harness.device.environments import Environments, cache_folder
from harness.device.runtimes import real_sdk_problem
from harness.errors import EnvironmentProblem, HarnessError, UserInputError
from harness.events import FORMAT
from harness.plan import Cell, DeviceChoice, Overrides, Request, make_plan, parse_margin
from harness.profile import LoadedProfile
from harness.run.cell import CellOutcome
from harness.run.executor import default_jobs, run_cells
from harness.run.stage import open_staging
from harness.runfolder import RunFolder, RunRecord, Status, default_root, iso
from harness.scenario import CloseMode, Scenario, check_scenario, find_scenarios, load_scenario, select_scenarios

__all__ = ["compare"]

T = TypeVar("T")


@click.command(
    epilog="Exit codes: 0 measured, whatever the verdicts; 2 usage, input, or results that cannot be written; 3 a fault of the harness or of a device program in any"
    " cell, the others finished; 130 interrupted, what was measured is kept."
)
@click.option(
    "--sdk", "sdks", metavar="SDK[@VERSION]", multiple=True, help="Only these SDKs. Repeatable, takes comma lists."
)
@click.option(
    "--transport",
    "transports",
    metavar="NAME",
    multiple=True,
    help="Only these transports: mqtt, mqtt-ws, amqp, amqp-ws.",
)
@click.option(
    "--scenario",
    "scenarios",
    metavar="NAME|FILE.toml",
    multiple=True,
    help="Only these scenarios, or a document of your own.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "real", "emulated"]),
    default="auto",
    show_default=True,
    help="Which devices to run.",
)
@click.option(
    "--lifetime",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="Token lifetime in seconds, for every SDK.",
)
@click.option(
    "--margin", metavar="S|P%", help="Renewal margin, in seconds or in percent of the lifetime, for every SDK."
)
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Seconds the hub keeps a connection whose token has expired.",
)
@click.option(
    "--skew",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Seconds the hub still accepts an expired token; half the grace.",
)
@click.option(
    "--close",
    type=click.Choice(get_args(CloseMode)),
    help="How the hub ends an expired connection: fin over MQTT and detach over AMQP; detach, detach-not-closed and close are AMQP's alone.",
)
@click.option(
    "--repeat", type=click.IntRange(1, 100), default=1, show_default=True, metavar="N", help="Run every cell N times."
)
@click.option("--jobs", type=click.IntRange(min=1), default=None, metavar="N", help="Cells at a time.")
@click.option("--seed", type=int, default=None, metavar="N", help="Seed of what emulated devices draw by chance.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where the run's folder goes.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON instead of tables.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@profiles_option
def compare(  # noqa: PLR0913, PLR0917 - one parameter per option
    sdks: Sequence[str],
    transports: Sequence[str],
    scenarios: Sequence[str],
    device: DeviceChoice,
    lifetime: float | None,
    margin: str | None,
    grace: float | None,
    skew: float | None,
    close: str | None,
    repeat: int,
    jobs: int | None,
    seed: int | None,
    out: Path | None,
    profile_folders: Sequence[Path],
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run SDKs side by side and print how each one behaves when its token is renewed and when it expires."""
    loaded = load_profiles(profile_folders)
    chosen = [_with_hub(scenario, grace, skew, close) for scenario in _scenarios(comma_list(scenarios, "--scenario"))]
    overrides = Overrides(lifetime_s=lifetime)
    request = Request(
        sdks=comma_list(sdks, "--sdk"),
        transports=comma_list(transports, "--transport"),
        device=device,
        overrides=parse_margin(margin, overrides) if margin else overrides,
        repeat=repeat,
    )
    cells = _planned(loaded, chosen, request, say(quiet=quiet))
    seed = secrets.randbits(32) if seed is None else seed
    folder = RunFolder.create(out or default_root(Path.cwd()), _record(cells, request, seed))
    faults, interrupted = _run(cells, folder, seed, jobs or default_jobs(), quiet=quiet)
    status: Status = "interrupted" if interrupted else "finished"
    unwritten = attempt(partial(folder.finish, status, dt.datetime.now(dt.UTC)))
    results = derive(folder.path)
    unwritten += attempt(partial(deliver, results, as_json=as_json), partial(keep, results, folder.path))
    if not quiet:
        note(f"Logs, findings and the full tables: {folder.path}")
    if interrupted:
        complain(f"interrupted; what was measured is in {folder.path}")
    return _exit_code(faults, unwritten, interrupted=interrupted)


def _exit_code(faults: int, unwritten: int, *, interrupted: bool) -> int:
    """What the caller most needs to know."""
    if interrupted:
        return INTERRUPTED
    if faults:
        return HarnessError.exit_code
    return UserInputError.exit_code if unwritten else 0


def _scenarios(wanted: Sequence[str]) -> list[Scenario]:
    """The scenarios of `--scenario`: names of known ones, or files of the user's own."""
    files = {name: Path(name) for name in wanted if name.endswith(".toml")}
    known = find_scenarios(files.values())
    return select_scenarios(known, [load_scenario(files[name]).id if name in files else name for name in wanted])


def _planned(
    loaded: Sequence[LoadedProfile], scenarios: Sequence[Scenario], request: Request, tell: Callable[[str], None]
) -> list[Cell]:
    """The cells, after the SDKs they need have been made ready; one that cannot be counts as one this machine has not."""
    cells = make_plan(loaded, scenarios, request, real_sdk_problem)
    wanted = {cell.profile.profile.sdk: cell.profile for cell in cells if cell.device == "real" and not cell.status}
    environments = Environments(cache_folder(os.environ), tell)
    try:
        outcomes = asyncio.run(_stoppable(environments.prepare_all(wanted.values())))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    problems = {sdk: str(outcome) for sdk, outcome in outcomes.items() if isinstance(outcome, EnvironmentProblem)}
    for problem in problems.values():
        tell(problem)
    ready = {sdk: outcome for sdk, outcome in outcomes.items() if isinstance(outcome, LoadedProfile)}
    return make_plan(
        [ready.get(one.profile.sdk, one) for one in loaded],
        scenarios,
        request,
        lambda one: problems.get(one.profile.sdk) or real_sdk_problem(one),
    )


def _with_hub(scenario: Scenario, grace: float | None, skew: float | None, close: str | None) -> Scenario:
    changes = {
        name: value for name, value in (("grace_s", grace), ("skew_s", skew), ("close", close)) if value is not None
    }
    hub = msgspec.structs.replace(scenario.hub, **changes)
    changed = msgspec.structs.replace(scenario, hub=hub, closes_otherwise=hub.close != scenario.hub.close)
    check_scenario(
        changed, f"scenario {scenario.id} with --grace/--skew/--close" if changes else f"scenario {scenario.id}"
    )
    return changed


def _record(cells: Sequence[Cell], request: Request, seed: int) -> RunRecord:
    now = dt.datetime.now(dt.UTC)
    return RunRecord(
        format=FORMAT,
        run=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        started=iso(now),
        status="running",
        cells=tuple(cell.id for cell in cells),
        harness=__version__,
        seed=seed,
        request=msgspec.to_builtins(request),
        machine={
            "system": platform.platform(),
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
        },
    )


def _run(cells: Sequence[Cell], folder: RunFolder, seed: int, jobs: int, *, quiet: bool) -> tuple[int, bool]:
    """Run the cells; how many ended by a fault, and whether the run was interrupted."""
    outcomes: list[CellOutcome] = []
    interrupted = False
    with CellProgress(cells, quiet=quiet) as progress:

        def on_end(outcome: CellOutcome) -> None:
            outcomes.append(outcome)
            progress.ended(outcome)

        try:
            asyncio.run(_stoppable(_measure(cells, folder, seed, jobs, on_end)))
        except (KeyboardInterrupt, asyncio.CancelledError):
            interrupted = True
    return sum(outcome.fault for outcome in outcomes), interrupted


async def _stoppable(work: Awaitable[T]) -> T:
    """Wait for `work`, which SIGTERM cancels as Ctrl-C does."""
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # event loops outside Unix have no signal handlers
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


async def _measure(
    cells: Sequence[Cell], folder: RunFolder, seed: int, jobs: int, on_end: Callable[[CellOutcome], None]
) -> None:
    """Run the cells on one event loop."""
    clock = RealClock()
    async with open_staging(clock, seed) as staging:
        await run_cells(cells, folder, staging, clock, jobs=jobs, on_end=on_end)
