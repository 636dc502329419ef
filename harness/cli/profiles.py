"""`harness profiles`: what is known and claimed about each SDK, and whether a profile is right."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click
import msgspec

from harness.cli import streams
from harness.cli.options import complete_sdks, load_profiles, profiles_option
from harness.device.runtimes import real_sdk_problem
from harness.profile import LoadedProfile, Profile, load_profile
from harness.report.profiles import claims_table, profiles_table

__all__ = ["Described", "ProfileList", "profiles"]


class Described(Profile, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A profile, and why its real SDK cannot run on this machine; empty where it can."""

    real_sdk_problem: str


class ProfileList(msgspec.Struct, frozen=True):
    """What `--json` prints; `harness/schemas/profiles.schema.json` is its JSON Schema. Fields may be added."""

    schema: Literal[1]
    profiles: tuple[Described, ...]


@click.group(invoke_without_command=True)
@profiles_option
@click.option("--json", "as_json", is_flag=True, help="Print the profiles as JSON.")
@click.pass_context
def profiles(ctx: click.Context, profile_folders: Sequence[Path], *, as_json: bool) -> None:
    """Show what is known and claimed about each SDK."""
    if ctx.invoked_subcommand:
        return
    loaded = load_profiles(profile_folders)
    if as_json:
        printed = ProfileList(1, tuple(map(_described, loaded)))
        streams.show(streams.json_text(printed))
        return
    streams.show(profiles_table([(one.profile, real_sdk_problem(one)) for one in loaded]))
    streams.show("\nWhat is claimed about one of them, and where: harness profiles show SDK")


@profiles.command()
@click.argument("sdk", shell_complete=complete_sdks)
@profiles_option
def show(sdk: str, profile_folders: Sequence[Path]) -> None:
    """Show the claims about SDK, each with its source."""
    for loaded in load_profiles(profile_folders):
        if loaded.profile.sdk == sdk:
            streams.show(claims_table(loaded.profile))
            return
    raise click.BadParameter(f"there is no profile of {sdk!r}; see `harness profiles`", param_hint="SDK")


@profiles.command()
@click.argument("path", type=click.Path(path_type=Path))
def check(path: Path) -> None:
    """Check the profile in PATH (its folder or its profile.toml) without running anything."""
    loaded = load_profile(path)
    profile = loaded.profile
    problem = real_sdk_problem(loaded)
    streams.show(
        f"{profile.name} {profile.version}: {len(profile.claims)} claims, {', '.join(profile.transports)}: in order"
    )
    streams.show(f"It would be run emulated: {problem}" if problem else "It would be run with the real SDK.")


def _described(loaded: LoadedProfile) -> Described:
    return Described(**msgspec.structs.asdict(loaded.profile), real_sdk_problem=real_sdk_problem(loaded))
