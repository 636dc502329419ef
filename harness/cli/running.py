"""What the commands that measure have in common: make SDKs ready, run cells into a folder of their own, and say how that went."""

import asyncio
import contextlib
import datetime as dt
import os
import platform
import secrets
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from harness import __version__
from harness.cli.main import INTERRUPTED
from harness.cli.progress import CellProgress, say
from harness.cli.results import Results, attempt, derive, keep
from harness.cli.streams import complain, note
from harness.clock import RealClock
from harness.device.adapter import handshake
from harness.device.environments import Environments, cache_folder
from harness.device.runtimes import real_sdk_problem
from harness.errors import EnvironmentProblem, HarnessError, UserInputError
from harness.events import FORMAT
from harness.plan import Cell, Request, choose, make_plan
from harness.profile import LoadedProfile
from harness.recorded import bundled_recordings, read_recorded
from harness.run.cell import CellOutcome
from harness.run.executor import default_jobs, run_cells
from harness.run.stage import open_staging
from harness.runfolder import RunFolder, RunRecord, Status, default_root, iso
from harness.scenario import Scenario

__all__ = ["Wish", "environments", "measure"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be measured, of which profiles and scenarios, and how; `out` is where the run's folder goes.

    `recordings`: show those of the same SDKs and transports beside it; they show nothing that was asked to be set otherwise.
    """

    profiles: Sequence[LoadedProfile]
    scenarios: Sequence[Scenario]
    request: Request
    jobs: int | None = None
    seed: int | None = None
    out: Path | None = None
    quiet: bool = False
    recordings: bool = False


def environments(tell: Callable[[str], None]) -> Environments:
    """The user's cache of SDKs, which are verified by their handshake."""
    return Environments(cache_folder(os.environ), tell, verify=lambda loaded: handshake(loaded, RealClock()))


def measure(wish: Wish, deliver: Callable[[Results], int]) -> int:
    """Make the SDKs ready, run every cell, keep what comes of it in the run's folder and deliver it; the exit code.

    `deliver` returns the exit code of what it did, which is the whole command's where nothing worse happened.
    """
    with contextlib.closing(environments(say(quiet=wish.quiet))) as ready:
        cells = _planned(wish, ready, say(quiet=wish.quiet))
        seed = secrets.randbits(32) if wish.seed is None else wish.seed
        folder = RunFolder.create(wish.out or default_root(Path.cwd()), _record(cells, wish.request, seed))
        if wish.recordings:
            _add_recordings(folder, cells)
        faults, interrupted = _run(cells, folder, seed, wish.jobs or default_jobs(), quiet=wish.quiet)
    status: Status = "interrupted" if interrupted else "finished"
    unwritten = attempt(partial(folder.finish, status, dt.datetime.now(dt.UTC)))
    results = derive(folder.path)
    delivered = deliver(results)
    unwritten += attempt(partial(keep, results, folder.path))
    if not wish.quiet:
        note(f"Logs, findings and the full tables: {folder.path}")
    if interrupted:
        complain(f"interrupted; what was measured is in {folder.path}")
    return _exit_code(faults, unwritten, delivered, interrupted=interrupted)


def _exit_code(faults: int, unwritten: int, delivered: int, *, interrupted: bool) -> int:
    """What the caller most needs to know."""
    if interrupted:
        return INTERRUPTED
    if faults:
        return HarnessError.exit_code
    return UserInputError.exit_code if unwritten else delivered


def _planned(wish: Wish, ready: Environments, tell: Callable[[str], None]) -> list[Cell]:
    """The cells, after the SDKs they need have been made ready; of one that cannot be, they say why."""
    chosen = choose(wish.profiles, wish.request.sdks)
    request = msgspec.structs.replace(wish.request, sdks=())
    cells = make_plan(chosen, wish.scenarios, request, real_sdk_problem)
    wanted = {_key(cell.profile): cell.profile for cell in cells if cell.device == "real" and not cell.status}
    try:
        outcomes = asyncio.run(_stoppable(ready.prepare_all(wanted.values())))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    problems = {key: str(outcome) for key, outcome in outcomes.items() if isinstance(outcome, EnvironmentProblem)}
    for problem in problems.values():
        tell(problem)
    made = {key: outcome for key, outcome in outcomes.items() if isinstance(outcome, LoadedProfile)}
    return make_plan(
        [made.get(_key(one), one) for one in chosen],
        wish.scenarios,
        request,
        real_sdk_problem,
        lambda one: problems.get(_key(one), ""),
    )


def _key(loaded: LoadedProfile) -> tuple[str, str]:
    return loaded.profile.sdk, loaded.profile.version


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


def _add_recordings(folder: RunFolder, cells: Sequence[Cell]) -> None:
    """Put the recordings of the SDKs and transports asked for beside the run."""
    wanted = {(cell.profile.profile.sdk, cell.transport) for cell in cells}
    root = bundled_recordings()
    for path in sorted(root.rglob("*.jsonl")):
        if not any(path.name.startswith(f"{sdk}-") for sdk, _ in wanted):
            continue
        try:
            header = read_recorded(path).header
        except UserInputError as problem:
            complain(problem)
            continue
        if (header.sdk, header.transport) in wanted:
            folder.add_recording(path.relative_to(root).as_posix(), path.read_bytes())


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
