"""Options and their reading that several commands share."""

from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import click

from harness.documents import CONNECTED, TRANSPORTS, one_of
from harness.errors import UserInputError
from harness.profile import LoadedProfile, find_profiles
from harness.scenario import Scenario, find_scenarios, load_scenario
from harness.scenario_groups import GROUPS, select_scenarios

__all__ = [
    "ANY",
    "comma_list",
    "complete_any_transport",
    "complete_connected",
    "complete_scenarios",
    "complete_sdks",
    "complete_transports",
    "errors_option",
    "load_profiles",
    "profiles_option",
    "scenario_option",
    "scenarios_named",
    "sdk_list",
    "transport_list",
    "transport_option",
]

ANY = "any"
"""Every transport, where one may be asked for."""
F = TypeVar("F", bound=Callable[..., Any])
Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def _completing(names: Callable[[], Iterable[str]]) -> Completion:
    """What completes the last item of a comma list by `names`, for a shell that asks."""

    def complete(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        before, comma, begun = incomplete.rpartition(",")
        return [f"{before}{comma}{name}" for name in names() if name.startswith(begun)]

    return complete


def _bundled_scenarios() -> list[str]:
    """By their files, which have their names: nobody waits for a document to be read. The groups come first."""
    files = (resources.files("harness") / "scenarios").iterdir()
    return [*GROUPS, *sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))]


complete_scenarios = _completing(_bundled_scenarios)
complete_sdks = _completing(lambda: [loaded.profile.sdk for loaded in find_profiles()])
complete_transports = _completing(lambda: TRANSPORTS)
complete_any_transport = _completing(lambda: (*TRANSPORTS, ANY))
complete_connected = _completing(lambda: CONNECTED)


def profiles_option(command: F) -> F:
    """The option `--profiles DIR`, repeatable."""
    return click.option(
        "--profiles",
        "profile_folders",
        metavar="DIR",
        multiple=True,
        type=click.Path(path_type=Path),
        help="A further profile's folder, or a folder of such folders. Repeatable.",
    )(command)


def errors_option(command: F) -> F:
    """The option `--errors`."""
    told = "Also print what went wrong, by one name for all SDKs, and how the application was told of it."
    return click.option("--errors", is_flag=True, help=told)(command)


def comma_list(values: Sequence[str], option: str) -> list[str]:
    """The values of a repeatable option that also takes comma lists, in order, without repeats.

    Raises:
        UserInputError: the option is there and names nothing; that is not the same as leaving it out.
    """
    named = list(dict.fromkeys(part.strip() for value in values for part in value.split(",") if part.strip()))
    if values and not named:
        raise UserInputError("names nothing", where=option, remedy="Name one, or leave the option out for all")
    return named


def transport_list(values: Sequence[str]) -> list[str]:
    """The transports of `--transport`.

    Raises:
        UserInputError: an unknown one, or the option is there and names nothing.
    """
    named = comma_list(values, "--transport")
    return [one_of(name, TRANSPORTS, what="transport", where="--transport", error=UserInputError) for name in named]


def sdk_list(values: Sequence[str], option: str = "--sdk") -> list[str]:
    """The SDKs of a repeatable option, each with its version where one is named, as `python@2.14.0`: in order, without repeats.

    After `SDK@VERSION`, what begins with a digit is a further version of the same SDK, until an SDK is named or the option ends.

    Raises:
        UserInputError: the option is there and names nothing, or a version belongs to no SDK.
    """
    named: list[str] = []
    for value in values:
        sdk = ""
        for part in filter(None, map(str.strip, value.split(","))):
            name, at, version = part.partition("@")
            if at and not (name and version):
                raise UserInputError(f"{part!r} is no SDK@VERSION", where=option, remedy="Write it as python@2.14.0")
            versioned = sdk and not at and part[0].isdigit()
            sdk = sdk if versioned else name if at else ""
            named.append(f"{sdk}@{part}" if versioned else part)
    return comma_list(named if named or not values else [""], option)


def load_profiles(folders: Iterable[Path]) -> list[LoadedProfile]:
    """The bundled profiles and those of `--profiles`.

    Raises:
        UserInputError: a folder does not exist, holds no profile, or a profile is wrong.
    """
    for folder in folders:
        if not folder.exists():
            raise UserInputError(
                "does not exist", where=str(folder), field="--profiles", remedy="Name an existing folder"
            )
    return find_profiles(folders)


def transport_option(command: F) -> F:
    """The option `--transport`, repeatable."""
    return click.option(
        "--transport",
        "transports",
        metavar="NAME",
        multiple=True,
        shell_complete=complete_transports,
        help=f"Only these transports: {', '.join(TRANSPORTS)}. Repeatable, takes comma lists.",
    )(command)


def scenario_option(told: str) -> Callable[[F], F]:
    """The option `--scenario`, repeatable; `told` is what is special about it in the command."""
    return click.option(
        "--scenario",
        "scenarios",
        metavar="NAME|GROUP|FILE.toml",
        multiple=True,
        shell_complete=complete_scenarios,
        help=f"{told} Groups: {', '.join(GROUPS)}. Repeatable, takes comma lists.",
    )


def scenarios_named(
    wanted: Sequence[str], transports: Sequence[str] = (), profiles: Iterable[LoadedProfile] = ()
) -> list[Scenario]:
    """The scenarios of `--scenario`: names of known ones, groups, or files of the user's own; else the default ones for `--transport`.

    `profiles`: those of the SDKs that are to be run; of a group come the scenarios that one of them has a transport for.

    Raises:
        UserInputError: an unknown name, a file that is wrong, or one whose scenario has the name of a group.
    """
    files = {name: Path(name) for name in wanted if name.endswith(".toml")}
    known = find_scenarios(files.values())
    names = [_own_name(files[name]) if name in files else name for name in wanted]
    offered = {transport for one in profiles for transport in (*one.profile.transports, *one.profile.not_offered)}
    return select_scenarios(known, names, transports, offered or TRANSPORTS)


def _own_name(file: Path) -> str:
    name = load_scenario(file).id
    if name in GROUPS:
        problem = f"{name!r} is the name of a group of scenarios"
        raise UserInputError(problem, where=str(file), field="id", remedy="Give it an id of its own")
    return name
