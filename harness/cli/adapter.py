"""`harness adapter`: whether a device program keeps the adapter protocol."""

import asyncio
import os
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from harness.cli.options import comma_list, complete_connected
from harness.cli.progress import say
from harness.cli.streams import json_text, show
from harness.clock import RealClock
from harness.device.environments import Environments, cache_folder
from harness.device.runtimes import RUNTIMES, real_sdk_problem
from harness.documents import CONNECTED, one_of
from harness.emulation import Emulation
from harness.errors import EnvironmentProblem, UserInputError
from harness.law import Law
from harness.profile import PROFILE_FILE, AdapterProgram, LoadedProfile, Profile, Settings, load_profile
from harness.report.layout import render
from harness.run.conformance import Act, Conformance, Finding, State, examine_program, findings
from harness.run.stage import open_staging

__all__ = ["adapter"]

PAGE = "docs/adapter-protocol.md"
_WAYS = ("gateway", "host-ip", "hosts-file")
_STATES: tuple[State, ...] = ("right", "wrong", "note", "not tested")


@click.group()
def adapter() -> None:
    """Check device programs, which put an SDK behind the adapter protocol."""


@adapter.command(
    epilog="Exit codes: 0 nothing is wrong; 1 something is; 2 usage or input; 3 the program could not be tried: an absent runtime, a fault of the harness."
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--command",
    metavar="COMMAND",
    help="How the program is started, in PATH, which then needs no profile; {python} is the harness's own interpreter.",
)
@click.option(
    "--way", type=click.Choice(_WAYS), default="gateway", help="With --command: how the SDK is led to the hub."
)
@click.option(
    "--transport",
    "transports",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_connected,
    help="Only these; repeatable, comma lists.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def check(path: Path, command: str | None, way: str, transports: Sequence[str], *, as_json: bool, quiet: bool) -> int:
    """Drive the device program of PATH through the protocol, against a hub of its own, and say what is right and what is not.

    PATH is a profile's folder, or, with --command, the folder of any program. Each finding names the section of docs/adapter-protocol.md. Over HTTPS,
    where there is no connection to lose, nothing is acted.
    """
    wanted = comma_list(transports, "--transport")
    for name in wanted:
        one_of(name, CONNECTED, what="transport", where="--transport", error=UserInputError)
    loaded = _loaded(path) if command is None else _bare(path, command, way)
    if command is None and loaded.profile.adapter is not None:
        wanted = wanted or [one for one in loaded.profile.adapter.transports if one in CONNECTED]
    found = findings(asyncio.run(_examined(loaded, wanted, quiet=quiet)))
    show(json_text(_conformance(loaded, found)) if as_json else _table(found))
    return 1 if any(finding.state == "wrong" for finding in found) else 0


def _loaded(path: Path) -> LoadedProfile:
    if path.is_dir() and not (path / PROFILE_FILE).is_file():
        raise UserInputError(
            f"holds no {PROFILE_FILE}", where=str(path), remedy="Name a profile's folder, or add --command"
        )
    loaded = load_profile(path)
    if loaded.profile.adapter is None:
        raise UserInputError(
            "names no device program",
            where=str(path),
            field="adapter",
            remedy="Add `[adapter]` to the profile, or --command",
        )
    if problem := real_sdk_problem(loaded):
        raise EnvironmentProblem(f"the device program cannot be started: {problem}")
    return loaded


def _bare(path: Path, command: str, way: str) -> LoadedProfile:
    """A profile of a program nobody has described: only how it is started, and how it is led to the hub."""
    if not path.is_dir():
        raise UserInputError("is no folder", where=str(path), remedy="Name the folder the program runs in")
    try:
        parts = tuple(map(_escaped, shlex.split(command)))
    except ValueError as problem:
        raise UserInputError(f"cannot be read ({problem})", where="--command", remedy="Close the quotes") from None
    if not parts:
        raise UserInputError("is empty", where="--command", remedy="Name the program and its arguments")
    # By it, the remedy is told where the program cannot be started; of one by any other name it is the command that is wrong.
    runtime = next((name for name, one in RUNTIMES.items() if Path(parts[0]).name in one.executables), "python")
    program = msgspec.convert(
        {"command": parts, "runtime": runtime, "transports": ("mqtt",), "way": way, "proxy": True}, AdapterProgram
    )
    emulation = Emulation(
        user_agent="", api_version="", keep_alive_s=60, default_lifetime_s=3600, renewal=Law(law="none")
    )
    profile = Profile(
        schema=1, sdk="program", name=parts[0], language="", version="", transports=("mqtt",), settings=(Settings(),), emulation=emulation, adapter=program,
    )  # fmt: skip
    return LoadedProfile(profile, path)


def _escaped(part: str) -> str:
    """A word of a command line as `adapter.command` has it: braces are themselves, but for those that are filled in."""
    doubled = part.replace("{", "{{").replace("}", "}}")
    return re.sub(r"\{\{(python|folder|hosts_file)\}\}", r"{\1}", doubled)


async def _examined(loaded: LoadedProfile, transports: Sequence[str], *, quiet: bool) -> list[Act]:
    tell = say(quiet=quiet)
    ready = await Environments(cache_folder(os.environ), tell).prepare(loaded)
    async with open_staging(RealClock(), 0) as staging:
        return await examine_program(ready, transports, staging, say=tell)


def _conformance(loaded: LoadedProfile, found: Sequence[Finding]) -> Conformance:
    counted = Counter(finding.state for finding in found)
    return Conformance(1, loaded.profile.sdk, {state: counted[state] for state in _STATES}, tuple(found))


def _table(found: Sequence[Finding]) -> str:
    """What is right in a line each, what is not with its clause and what helps; transports that agree share a line."""
    merged: dict[tuple[str, ...], list[str]] = {}
    for one in found:
        more = [f"{PAGE}: {one.clause}", one.remedy] if one.state == "wrong" else []
        told = "\n".join(filter(None, [one.found, *more]))
        transports = merged.setdefault((one.check, one.state, told), [])
        if one.transport not in transports:
            transports.append(one.transport)
    rows = [
        [check, "\n".join(filter(None, transports)), state, told] for (check, state, told), transports in merged.items()
    ]
    counted = Counter(finding.state for finding in found)
    counts = ", ".join(f"{counted[state]} {state}" for state in _STATES if counted[state])
    table = render(["check", "transport", "", "found, and what helps"], rows, "text", widths=[28, 9, 10, 66])
    return f"{table}\n\n{counts}"
