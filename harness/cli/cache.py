"""`harness cache`: the environments in which SDKs are installed, and how to get rid of them."""

import asyncio
import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from harness.cli.options import complete_sdks, load_profiles, profiles_option, sdk_list
from harness.cli.streams import complain, json_text, show
from harness.device.cache import Cached, Environment, Listing, State, listed, remove
from harness.device.environments import Environments, cache_folder
from harness.device.runtimes import real_sdk_problem
from harness.errors import EnvironmentProblem, UserInputError
from harness.profile import LoadedProfile, at_version
from harness.report.layout import render

__all__ = ["cache"]

_KIB = 1024.0


@click.group()
def cache() -> None:
    """Show and clear the environments in which SDKs are installed.

    Each SDK and version has a folder of its own below HARNESS_CACHE, or else below the user's cache folder. An environment is `current`
    where a comparison would use it as it is; `stale` where the profile's files, its install command or the runtime have changed since,
    so that a comparison makes another one; `broken` where its install failed; `unknown` where no profile, or no runtime, tells.
    """


@cache.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the environments as JSON.")
@profiles_option
def list_(profile_folders: Sequence[Path], *, as_json: bool) -> None:
    """List what is installed: its size, when it was made and used last, and whether it is current."""
    root = cache_folder(os.environ)
    found = _with_states(root, load_profiles(profile_folders))
    if as_json:
        rows = tuple(Environment(**msgspec.structs.asdict(one), state=state) for one, state in found)
        show(json_text(Listing(1, str(root), rows)))
        return
    headers = ["SDK", "version", "state", "size", "made", "last used", "fingerprint"]
    body = [_row(one, state) for one, state in found]
    show(render(headers, body, "text") if body else "Nothing is installed.")
    show(f"\n{len(found)} in {root}, {_size_text(sum(one.size for one, _ in found))}")


@cache.command()
@click.option(
    "--sdk",
    "sdks",
    metavar="SDK[@VERSION[,VERSION…]]",
    multiple=True,
    shell_complete=complete_sdks,
    help="Only those of these SDKs and versions.",
)
@click.option(
    "--stale", is_flag=True, help="Only those that no comparison would use any more, and what failed installs left."
)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@profiles_option
def clear(sdks: Sequence[str], profile_folders: Sequence[Path], *, stale: bool, everything: bool, yes: bool) -> int:
    """Remove environments; those in use stay. The next comparison that needs one installs it again."""
    if not (sdks or stale or everything):
        raise UserInputError(
            "names nothing to remove", where="harness cache clear", remedy="Say --sdk, --stale or --all"
        )
    root = cache_folder(os.environ)
    wanted = None if everything and not sdks else set(sdk_list(sdks)) if sdks else None
    found = [
        one
        for one, state in _with_states(root, load_profiles(profile_folders))
        if _is_wanted(one, wanted) and (not stale or state in {"stale", "broken"})
    ]
    if not found:
        show("Nothing to remove.")
        return 0
    for one in found:
        show(f"{one.sdk} {one.version}  {_size_text(one.size)}  {root / one.name}")
    if not (yes or _agreed(f"Remove {'it' if len(found) == 1 else f'these {len(found)}'}?")):
        show("Nothing is removed.")
        return 0
    return _remove(root, found)


def _agreed(question: str) -> bool:
    """What the user answers.

    Raises:
        UserInputError: nobody is there to answer.
    """
    try:
        return click.confirm(question)
    except click.Abort as ended:
        if isinstance(ended.__context__, EOFError):  # click makes the same of Ctrl-C
            raise UserInputError("nobody answers", where="harness cache clear", remedy="Add --yes") from None
        raise


def _is_wanted(one: Cached, wanted: set[str] | None) -> bool:
    return wanted is None or one.sdk in wanted or f"{one.sdk}@{one.version}" in wanted


def _remove(root: Path, found: Sequence[Cached]) -> int:
    """Remove them, as far as nobody uses them; the exit code."""
    kept = freed = 0
    for one in found:
        try:
            removed = remove(root, one.name)
        except OSError as problem:
            complain(f"{root / one.name} cannot be removed ({problem.strerror or problem})")
            kept += 1
            continue
        if removed:
            freed += one.size
        else:
            complain(f"{one.sdk} {one.version} is in use and stays")
            kept += 1
    show(f"{len(found) - kept} removed, {_size_text(freed)}")
    return UserInputError.exit_code if kept else 0


def _with_states(root: Path, profiles: Sequence[LoadedProfile]) -> list[tuple[Cached, State]]:
    found = listed(root)
    names = asyncio.run(_names(root, profiles, {(one.sdk, one.version) for one in found}))
    return [(one, _state(one, names.get((one.sdk, one.version)))) for one in found]


def _state(one: Cached, name: str | None) -> State:
    if not one.whole:
        return "broken"
    if name is None:
        return "unknown"
    return "current" if one.name == name else "stale"


async def _names(
    root: Path, profiles: Sequence[LoadedProfile], wanted: set[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """What the environments of these SDKs and versions are called as things stand, where that can be told."""
    environments = Environments(root, lambda _: None)
    by_sdk = {loaded.profile.sdk: loaded for loaded in profiles if not real_sdk_problem(loaded)}
    names: dict[tuple[str, str], str] = {}
    for sdk, version in sorted(wanted):
        if sdk not in by_sdk:
            continue
        try:
            names[sdk, version] = await environments.name_of(at_version(by_sdk[sdk], version))
        except UserInputError:
            names[sdk, version] = ""  # the profile has given the version up
        except EnvironmentProblem:
            continue
    return names


def _row(one: Cached, state: State) -> list[str]:
    shown = f"{state}, in use" if one.in_use else state
    return [one.sdk, one.version, shown, _size_text(one.size), _time(one.made), _time(one.used), one.fingerprint[:12]]


def _time(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M}Z" if seconds else ""


def _size_text(size: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < _KIB:
            return f"{size:.0f} {unit}"
        size /= _KIB
    return f"{size:.1f} GiB"
