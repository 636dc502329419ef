"""Profiles: what an SDK is, how its device program is started, how an emulated device plays it, and what is claimed about it.

A profile is a folder with a `profile.toml`; `Profile` is its shape. Bundled profiles travel with the package.
"""

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from harness.claims import Claim, check_claims
from harness.documents import Document, Transport, load, one_of
from harness.emulation import Emulation, check_emulation
from harness.errors import ProfileError

__all__ = [
    "PROFILE_FILE",
    "AdapterProgram",
    "LoadedProfile",
    "Profile",
    "Settings",
    "bundled_folder",
    "find_profiles",
    "load_profile",
    "settings_problem",
]

PROFILE_FILE = "profile.toml"


class Settings(Document, frozen=True):
    """What the application sets on its client; what is left out is left to the SDK's default."""

    lifetime_s: float | None = None
    margin_s: float | None = None
    margin_percent: float | None = None


class AdapterProgram(Document, frozen=True):
    """How the device program is started. In `command`, `{python}` is the harness's interpreter, `{folder}` the folder it runs in.

    `install`: a command, with the same words, that makes the SDK ready in a copy of the profile's folder, in which the program then
    runs; without one, the program runs in the profile's folder as it is.
    `way` is how the SDK is led to the hub: `gateway` (`GatewayHostName`), `host-ip` (`HostName` is the address), `hosts-file` (the
    runtime resolves the hub's name by a file: in `command`, `{hosts_file}` is its path).
    `proxy`: the SDK's public API takes an HTTP proxy, the way to WebSockets where port 443 cannot be bound.
    """

    command: tuple[str, ...]
    runtime: Literal["python", "node", "java", "c", "dotnet"]
    transports: tuple[Transport, ...]
    way: Literal["gateway", "host-ip", "hosts-file"] = "gateway"
    proxy: bool = False
    install: tuple[str, ...] = ()


class Profile(Document, frozen=True):
    """One SDK. `settings`: what the short scenarios set, the first being the main one; the others let the renewal law show.

    `lifetime_min_s` and `lifetime_max_s` bound the lifetimes at which this SDK behaves at all; `lifetime_note` says why.
    """

    schema: Literal[1]
    sdk: str
    name: str
    language: str
    version: str
    transports: tuple[Transport, ...]
    settings: tuple[Settings, ...]
    emulation: Emulation
    claims: tuple[Claim, ...] = ()
    adapter: AdapterProgram | None = None
    lifetime_min_s: float = 1.0
    lifetime_max_s: float = 315_360_000.0
    lifetime_note: str = ""
    summary: str = ""


class LoadedProfile(msgspec.Struct, frozen=True):
    """A profile and the folder it came from."""

    profile: Profile
    folder: Path


def bundled_folder() -> Path:
    """Where the bundled profiles stand: inside an installed package, else beside the package in a checkout."""
    package = Path(str(resources.files("harness")))
    installed = package / "sdk_profiles"
    return installed if installed.is_dir() else package.parent / "sdk_profiles"


def load_profile(path: Path) -> LoadedProfile:
    """Read and check one profile; `path` is its folder or its `profile.toml`.

    Raises:
        ProfileError: names the file, the field and the remedy.
    """
    file = path / PROFILE_FILE if path.is_dir() else path
    profile = load(file, Profile, ProfileError)
    _check(profile, str(file))
    return LoadedProfile(profile, file.parent)


def find_profiles(folders: Iterable[Path] = ()) -> list[LoadedProfile]:
    """The bundled profiles and those in `folders`, each a profile's folder or a folder of such folders, by SDK.

    Raises:
        ProfileError: a folder holds no profile, a profile is wrong, or two profiles claim the same SDK.
    """
    found = [load_profile(path) for path in _profile_files(bundled_folder())]
    for folder in folders:
        paths = list(_profile_files(folder))
        if not paths:
            raise ProfileError(
                "holds no profile",
                where=str(folder),
                remedy=f"Name a folder with a {PROFILE_FILE}, or one of such folders",
            )
        found += map(load_profile, paths)
    by_sdk: dict[str, LoadedProfile] = {}
    for loaded in found:
        if loaded.profile.sdk in by_sdk:
            other = by_sdk[loaded.profile.sdk].folder
            raise ProfileError(
                f"the SDK {loaded.profile.sdk!r} is already described in {other}",
                where=str(loaded.folder / PROFILE_FILE), field="sdk", remedy="Give it a name of its own",
            )  # fmt: skip
        by_sdk[loaded.profile.sdk] = loaded
    return [by_sdk[sdk] for sdk in sorted(by_sdk)]


def _profile_files(folder: Path) -> Iterator[Path]:
    if (folder / PROFILE_FILE).is_file():
        yield folder / PROFILE_FILE
    elif folder.is_dir():
        yield from sorted(folder.glob(f"*/{PROFILE_FILE}"))


def _check(profile: Profile, where: str) -> None:
    if not _SDK.fullmatch(profile.sdk):
        raise ProfileError(
            f"{profile.sdk!r} cannot be named with --sdk",
            where=where, field="sdk", remedy="Use lower-case letters, digits, `.`, `_` and `-`, a letter or digit first",
        )  # fmt: skip
    _check_settings(profile, where)
    _check_adapter(profile, where)
    check_emulation(profile.emulation, profile.transports, where)
    check_claims(profile.claims, where)


def _check_settings(profile: Profile, where: str) -> None:
    if not profile.settings:
        raise ProfileError(
            "is empty", where=where, field="settings", remedy="Add one `[[settings]]` with a short lifetime_s"
        )
    for index, settings in enumerate(profile.settings):
        problem = settings_problem(profile, settings) or _margin_problem(profile, settings)
        if settings in profile.settings[:index]:
            problem = "is there twice; --repeat N runs every cell N times"
        if problem:
            raise ProfileError(
                problem, where=where, field=f"settings[{index}]", remedy="Correct the lifetime or the margin"
            )
    if not profile.transports:
        raise ProfileError("is empty", where=where, field="transports", remedy="Name at least one transport")


def _margin_problem(profile: Profile, settings: Settings) -> str:
    """Why the SDK has no such margin, or an empty text. Not asked of a user's own settings: there it is `unsupported`."""
    for name, value in (("margin-s", settings.margin_s), ("margin-percent", settings.margin_percent)):
        if value is not None and name != profile.emulation.margin_setting:
            return f"{name.replace('-', '_')} = {value:g} is no setting of {profile.name}: its margin_setting says so"
    return ""


def settings_problem(profile: Profile, settings: Settings) -> str:
    """Why these settings are impossible for the SDK, or an empty text."""
    lifetime, margin = settings.lifetime_s, settings.margin_s
    percent = settings.margin_percent
    if lifetime is not None and not profile.lifetime_min_s <= lifetime <= profile.lifetime_max_s:
        why = f": {profile.lifetime_note}" if profile.lifetime_note else ""
        return (
            f"lifetime_s = {lifetime:g} is outside {profile.lifetime_min_s:g} to {profile.lifetime_max_s:g} s,"
            f" the lifetimes {profile.name} can be used with{why}"
        )
    default = profile.emulation.renewal
    if default.law == "margin" and margin is None and lifetime is not None and lifetime <= default.seconds:
        return f"lifetime_s = {lifetime:g} leaves no time before the renewal, {default.seconds:g} s before the end"
    if margin is not None and lifetime is None:
        return f"margin_s = {margin:g} is set without a lifetime_s"
    if margin is not None and lifetime is not None and not 0 <= margin < lifetime:
        return f"margin_s = {margin:g} is not below lifetime_s = {lifetime:g}"
    if percent is not None and not 0 <= percent <= 100:  # noqa: PLR2004 - percent
        return f"margin_percent = {percent:g} is not between 0 and 100"
    return ""


def _check_adapter(profile: Profile, where: str) -> None:
    for transport in profile.adapter.transports if profile.adapter else ():
        one_of(transport, profile.transports, what="transport of the adapter", where=where, error=ProfileError)
    if profile.adapter:
        for name in ("command", "install"):
            known = (*_WORDS, *([_HOSTS_FILE] if name == "command" else []))
            if problem := _command_problem(getattr(profile.adapter, name), known, required=name == "command"):
                raise ProfileError(problem, where=where, field=f"adapter.{name}", remedy=_COMMAND_REMEDY)
        _check_way(profile.adapter, where)


def _check_way(adapter: AdapterProgram, where: str) -> None:
    takes_one = any(f"{{{_HOSTS_FILE}}}" in part for part in adapter.command)
    if takes_one != (adapter.way == "hosts-file"):
        raise ProfileError(
            f"{'takes' if takes_one else 'does not take'} a hosts file, and way is {adapter.way!r}",
            where=where, field="adapter.command", remedy=f'`{{{_HOSTS_FILE}}}` and way = "hosts-file" go together',
        )  # fmt: skip


def _command_problem(command: tuple[str, ...], known: Sequence[str], *, required: bool) -> str:
    """Why no process can be started by this command, or an empty text."""
    if not command:
        return "is empty" if required else ""
    if not command[0].strip():
        return "names no program"
    for part in command:
        if "\0" in part:
            return f"{part!r} holds a NUL, which no argument can"
        if not _placeholders_known(part, known):
            return f"{part!r} holds other braces than {' and '.join(f'{{{word}}}' for word in known)}"
    return ""


def _placeholders_known(part: str, words: Sequence[str]) -> bool:
    known = {(None, None, None), *((word, "", None) for word in words)}
    try:
        return all(tuple(rest) in known for _, *rest in string.Formatter().parse(part))
    except ValueError:
        return False


_SDK = re.compile(r"[a-z0-9][a-z0-9._-]*")
_WORDS, _HOSTS_FILE = ("python", "folder"), "hosts_file"  # what is filled in, and what more in adapter.command
_COMMAND_REMEDY = (
    "Name the program and its arguments; {python} and {folder} are filled in, and a brace itself is written {{ or }}"
)
