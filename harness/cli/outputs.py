"""What becomes of a run's results besides the tables: the check that decides the exit code, and files for people and for CI systems.

One decorator gives a command all options about it, one dataclass holds what they said, and one function does it.
"""

import functools
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from harness.analysis import Case, Check, Required, Suite, check, parse_required, suites
from harness.cli.options import comma_list, complete_sdks
from harness.cli.results import Results, attempt, deliver, facts_of
from harness.cli.streams import note, show
from harness.documents import TRANSPORTS, one_of
from harness.errors import UserInputError
from harness.events import CellLog, Header
from harness.known import Entry, bundled_known, check_against, load_known
from harness.profile import LoadedProfile, find_profiles
from harness.recorded import bundled_recordings, find_recorded
from harness.report.annotations import annotations
from harness.report.badge import badge
from harness.report.check import step_summary
from harness.report.ctrf import ctrf
from harness.report.junit import junit
from harness.runfolder import real_path
from harness.scenario import Scenario, find_scenarios

__all__ = ["Outputs", "Publisher", "outputs_options", "write_output"]

F = TypeVar("F", bound=Callable[..., Any])
_FILES = ("junit", "ctrf", "summary", "html", "badge")
FAILED = 1
"""The exit code of a check that found something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What the options of `outputs_options` said."""

    check: bool = False
    known: tuple[Path, ...] = ()
    require: tuple[str, ...] = ()
    junit: Path | None = None
    ctrf: Path | None = None
    summary: Path | None = None
    html: Path | None = None
    badge: Path | None = None
    annotations: bool = False

    @property
    def annotated(self) -> bool:
        """Whether annotations are printed: where asked for, and in a step of GitHub Actions."""
        return self.annotations or os.environ.get("GITHUB_ACTIONS") == "true"

    @property
    def judged(self) -> bool:
        """Whether anything is made that needs the check."""
        return self.check or self.annotated or any((self.junit, self.ctrf, self.summary, self.badge))

    def publisher(
        self, profiles: Sequence[LoadedProfile] | None = None, scenarios: Sequence[Scenario] | None = None
    ) -> "Publisher":
        """What publishes results as the options say; to be made before anything runs, since whatever is wrong with them is told here.

        `profiles`, `scenarios`: what is going to be run, where that is known.

        Raises:
            UserInputError: a file of known differences is wrong, a required cell cannot be, an option has no effect, or a file cannot be written.
        """
        for option, given in (("--known", self.known), ("--require", self.require)):
            if given and not self.judged:
                raise UserInputError(
                    "has no effect by itself", where=option, remedy="Add --check, or a file such as --junit FILE"
                )
        _check_files({f"--{name}": getattr(self, name) for name in _FILES if getattr(self, name) is not None})
        required = [parse_required(text, where="--require") for text in comma_list(self.require, "--require")]
        for one in required:
            _check_required(one, profiles, scenarios)
        files = [bundled_known(), *self.known] if self.judged else []
        entries = tuple(entry for file in files for entry in load_known(file))
        if profiles is not None and entries:
            _check_entries(entries, profiles, [one.id for one in scenarios or ()])
        return Publisher(self, entries, tuple(required))


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes results as the options say: `entries` are the known differences, `required` the cells that have to have run."""

    outputs: Outputs
    entries: tuple[Entry, ...] = ()
    required: tuple[Required, ...] = ()

    def check_entries(self, results: Results) -> None:
        """Refuse a known difference that neither what comes with the harness nor the logs can ever show; where a log could not be read, nobody can say that.

        Raises:
            UserInputError: names the file, the entry and the remedy.
        """
        if self.entries and not (results.problems or results.refused):
            headers = [log.header for log in (*results.logs, *results.recorded)]
            scenarios = [str(header.scenario.get("id")) for header in headers]
            _check_entries(self.entries, find_profiles(), scenarios, headers)

    def publish(self, results: Results, *, as_json: bool, errors: bool) -> int:
        """Print the results and write the files; the exit code: 2 where something cannot be written, 1 where the check fails, else 0."""
        page = [] if self.outputs.html is None else [partial(write_output, self.outputs.html, partial(_page, results))]
        if not self.outputs.judged:
            told = attempt(partial(deliver, results, as_json=as_json, errors=errors), *page)
            return UserInputError.exit_code if told else 0
        found = check(results.rows, self.entries, self.required, never_began=results.missing)
        printed = partial(deliver, results, as_json=as_json, errors=errors, found=found if self.outputs.check else None)
        if attempt(printed, *page, *self._steps(results, found, as_json=as_json)):
            return UserInputError.exit_code
        return FAILED if self.outputs.check and not found.passed else 0

    def _steps(self, results: Results, found: Check, *, as_json: bool) -> list[Callable[[], None]]:
        """What there is to be written, each for itself."""
        wanted, facts, told = self.outputs, facts_of(results.record), suites(found)
        steps: list[Callable[[], None]] = []
        for file, text in (
            (wanted.junit, lambda: junit(told, facts)),
            (wanted.ctrf, lambda: ctrf(told, facts)),
            (wanted.summary, lambda: step_summary(found, facts)),
            (wanted.badge, lambda: badge(found)),
        ):
            if file is not None:
                steps.append(partial(write_output, file, text))
        if wanted.annotated:
            steps.append(partial(_annotate, told, results.folder, strict=wanted.check, to_stderr=as_json))
        return steps


def _check_entries(
    entries: Sequence[Entry],
    profiles: Iterable[LoadedProfile],
    scenarios: Iterable[str],
    headers: Iterable[Header] = (),
) -> None:
    """Refuse an entry about what neither these nor the bundled scenarios and recordings have."""
    claims = {one.profile.sdk: [claim.id for claim in one.profile.claims] for one in profiles}
    for header in headers:
        claims.setdefault(header.sdk, []).extend(str(claim.get("id")) for claim in header.claims)
    recorded = (one for one in find_recorded(bundled_recordings()) if isinstance(one, CellLog))
    bundled = (*find_scenarios(), *(str(log.header.scenario.get("id")) for log in recorded))
    check_against(
        entries, {sdk: dict.fromkeys(ids) for sdk, ids in claims.items()}, dict.fromkeys((*bundled, *scenarios))
    )


def _check_required(
    one: Required, profiles: Iterable[LoadedProfile] | None, scenarios: Iterable[Scenario] | None
) -> None:
    """Refuse what cannot be among the cells."""
    if profiles is not None:
        known = dict.fromkeys(loaded.profile.sdk for loaded in profiles)
        one_of(one.sdk, known, what="SDK", where="--require", error=UserInputError)
    if one.transport:
        one_of(one.transport, TRANSPORTS, what="transport", where="--require", error=UserInputError)
    if one.scenario and scenarios is not None:
        run = [scenario.id for scenario in scenarios]
        one_of(one.scenario, run, what="scenario of this run", where="--require", error=UserInputError)


def _check_files(files: Mapping[str, Path]) -> None:
    """Refuse, before anything runs, what cannot be written afterwards: as far as it can be told without writing."""
    taken: dict[Path, str] = {}
    for option, file in files.items():
        problem = _obstacle(real_path(file))
        if problem:
            raise UserInputError(
                f"cannot be written ({problem})", where=option, field=str(file), remedy="Name another file"
            )
        other = taken.setdefault(real_path(file), option)
        if other != option and (file.is_file() or not file.exists()):
            raise UserInputError(
                f"{other} writes there, too", where=option, field=str(file), remedy="Name a file for each"
            )


def _obstacle(file: Path) -> str:
    """What stands in the way of writing it, and of making the folders it needs; empty where nothing does."""
    if file.is_dir():
        return "it is a folder"
    for there in (file, *file.absolute().parents):
        try:
            kind = there.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as problem:
            return problem.strerror or str(problem)
        if there != file and not stat.S_ISDIR(kind):
            return f"{there} is no folder"
        return "" if os.access(there, os.W_OK) else f"{there} may not be written"
    return ""


def _page(results: Results) -> str:
    from harness.cli.page import page_of  # noqa: PLC0415 - templates take their time to load, and most commands need none

    return page_of(results)


def write_output(file: Path, text: Callable[[], str]) -> None:
    """Write the file, with the folders it needs; the summary of a step of GitHub Actions, which other steps write too, is added to.

    Raises:
        UserInputError: it cannot be written.
    """
    shared, content = os.environ.get("GITHUB_STEP_SUMMARY"), text()
    mode = "a" if shared and real_path(file) == real_path(Path(shared)) else "w"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open(mode, encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(content)
    except OSError as problem:
        raise UserInputError(
            f"cannot be written ({problem.strerror or problem})", where=str(file), remedy="Name another file"
        ) from problem


def _annotate(told: Sequence[Suite], run: Path | None, *, strict: bool, to_stderr: bool) -> None:
    """Print the annotations where the runner finds them, which is either stream: not among JSON."""
    for line in annotations(told, _entry_file, partial(_log_file, run=run), strict=strict):
        (note if to_stderr else show)(line)


def _entry_file(case: Case) -> str:
    """The file to show a case beside: of all that is read, an entry's alone is the user's own."""
    return _from_here(Path(case.where)) if case.where and Path(case.where) != bundled_known() else ""


def _log_file(case: Case, run: Path | None) -> str:
    """The log of its first cell; a recording's stands elsewhere."""
    log = run / "cells" / f"{case.cells[0]}.jsonl" if run and case.cells else None
    return _from_here(log) if log and log.is_file() else ""


def _from_here(file: Path) -> str:
    """Relative, where it lies below the working folder."""
    try:
        return real_path(file).relative_to(real_path(Path.cwd())).as_posix()
    except ValueError:
        return file.as_posix()


_FILE = click.Path(dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option(
        "--check",
        is_flag=True,
        help="Exit with 1 where something differs that is not known, a known difference no longer holds, what --require names did not run, a cell was cut short or never began, or nothing was measured.",
    ),
    click.option(
        "--known",
        metavar="FILE",
        type=click.Path(path_type=Path),
        multiple=True,
        help="Known differences of your own, beside the bundled ones. Repeatable.",
    ),
    click.option(
        "--require",
        metavar="SDK[/TRANSPORT[/SCENARIO]]",
        multiple=True,
        shell_complete=complete_sdks,
        help="Cells that have to have run for the check to pass. Repeatable, takes comma lists.",
    ),
    click.option("--junit", type=_FILE, metavar="FILE", help="Write the verdicts as JUnit XML."),
    click.option("--ctrf", type=_FILE, metavar="FILE", help="Write the verdicts as CTRF JSON."),
    click.option(
        "--summary",
        type=_FILE,
        metavar="FILE",
        help="Write a short summary as Markdown; $GITHUB_STEP_SUMMARY is added to.",
    ),
    click.option(
        "--html",
        type=_FILE,
        metavar="FILE",
        help="Write a page with everything in it: tables, pictures, stories and logs.",
    ),
    click.option("--badge", type=_FILE, metavar="FILE", help="Write a badge as SVG."),
    click.option(
        "--annotations", is_flag=True, help="Print annotations of GitHub Actions; there, they are printed unasked."
    ),
)


def outputs_options(command: F) -> F:
    """The options about results; the command gets what they said as `outputs`."""

    @functools.wraps(command)
    def with_outputs(*arguments: Any, **options: Any) -> Any:
        own = {field.name: options.pop(field.name) for field in fields(Outputs)}
        return command(*arguments, outputs=Outputs(**own), **options)

    wrapped: Any = with_outputs
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return] # click's decorators leave the type open
