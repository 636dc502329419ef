"""Profiles: what an SDK is, how its device program is started (`harness.program`), how an emulated device plays it, and what is claimed about it.

A profile is a folder with a `profile.toml`; `Profile` is its shape. Bundled profiles travel with the package.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from harness.claims import Claim, check_claims
from harness.documents import Document, Transport, load, one_of
from harness.emulation import Emulation, check_emulation
from harness.errors import ProfileError, UserInputError
from harness.program import AdapterProgram, KnownVersion, OtherVersions, check_program, lacking_words, made_for
from harness.registration import Presented
from harness.versions import Version, covers, in_order, version_problem

__all__ = [
    "PROFILE_FILE",
    "AdapterProgram",
    "Cannot",
    "KnownVersion",
    "LoadedProfile",
    "OtherVersions",
    "Profile",
    "Settings",
    "at_version",
    "bundled_folder",
    "find_profiles",
    "known_versions",
    "load_profile",
    "settings_problem",
]

PROFILE_FILE = "profile.toml"


class Settings(Document, frozen=True):
    """What the application sets on its client; what is left out is left to the SDK's default."""

    lifetime_s: float | None = None
    margin_s: float | None = None
    margin_percent: float | None = None


class Cannot(Document, frozen=True):
    """Something no application can make the SDK `present` to the hub, over these `transports` (none: over all); `why` names the call that is missing."""

    present: Presented
    why: str
    transports: tuple[Transport, ...] = ()


class Profile(Document, frozen=True):
    """One SDK. `settings`: what the short scenarios set, the first being the main one; the others let the renewal law show.

    `version` is the one that the emulated device plays and the program runs with where none is asked for; `versions` are others to compare it with.
    `cannot`: what the real SDK does not let an application present; an emulated device presents it all the same.
    `not_offered`: why it lacks a transport, as the rest of a sentence that begins with its name.
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
    versions: tuple[KnownVersion, ...] = ()
    cannot: tuple[Cannot, ...] = ()
    not_offered: Mapping[Transport, str] = {}
    lifetime_min_s: float = 1.0
    lifetime_max_s: float = 315_360_000.0
    lifetime_note: str = ""
    summary: str = ""


class LoadedProfile(msgspec.Struct, frozen=True):
    """A profile and the folder it came from.

    `asked`: its version was asked for by name, so that the device program has to be of that version. `other`: that is not the version
    the profile was written about, which alone an emulated device plays. `why_not`: the device program cannot be made with this version, and why.
    """

    profile: Profile
    folder: Path
    asked: bool = False
    other: bool = False
    why_not: str = ""


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


def known_versions(profile: Profile) -> list[str]:
    """The profile's own version and those it compares itself with, in their order."""
    return in_order({*(known.version for known in profile.versions), profile.version})


def at_version(loaded: LoadedProfile, version: str) -> LoadedProfile:
    """The profile for another version of its SDK, or for its own if that is asked for by name.

    Raises:
        UserInputError: it is no version, or the profile does not say how it is installed.
    """
    profile, name = loaded.profile, f"{loaded.profile.sdk}@{version}"
    if version_problem(version) or any(sign in version for sign in _RANGE_SIGNS):
        raise UserInputError(f"{version!r} is no version", where="--sdk", remedy=f"Write --sdk {_example(profile)}")
    if _same(version, profile.version):
        return msgspec.structs.replace(loaded, asked=True)
    others = profile.adapter.other_versions if profile.adapter else None
    if profile.adapter is None or others is None:
        raise UserInputError(
            f"{name} cannot be run",
            where="--sdk",
            remedy=f"This profile is about version {profile.version}, and does not say how others are installed: use --sdk {profile.sdk}",
        )
    known = next((one for one in profile.versions if _same(one.version, version)), KnownVersion(version=version))
    made = msgspec.structs.replace(
        loaded, asked=True, other=True, profile=msgspec.structs.replace(profile, version=known.version)
    )
    if others.covers and not covers(others.covers, version):
        return msgspec.structs.replace(made, why_not=_not_covered(others))
    if lacking := lacking_words(others, known):
        raise UserInputError(
            f"{name} cannot be installed: its profile does not say with which {', '.join(lacking)}",
            where="--sdk",
            remedy=f"Use one of {', '.join(known_versions(profile))}, or add it to the profile's [[versions]]",
        )
    adapter = made_for(profile.adapter, others, known)
    return msgspec.structs.replace(made, profile=msgspec.structs.replace(made.profile, adapter=adapter))


def _not_covered(others: OtherVersions) -> str:
    """Why a version is none of those the device program can be made with, and what would run it."""
    why = f" ({others.why})" if others.why else ""
    return f"the device program is made for {' or '.join(others.covers)}{why}; others need one of their own, in a profile of their own"


def _example(profile: Profile) -> str:
    return f"{profile.sdk}@{','.join(known_versions(profile))}"


def _same(first: str, second: str) -> bool:
    return covers([first], second)


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
    _check_versions(profile, where)
    if profile.adapter:
        check_program(profile.adapter, profile.transports, profile.versions, where)
    _check_cannot(profile, where)
    check_emulation(profile.emulation, profile.transports, where)
    check_claims(profile.claims, where)


def _check_cannot(profile: Profile, where: str) -> None:
    for index, one in enumerate(profile.cannot):
        field = f"cannot[{index}]"
        if not one.why.strip():
            raise ProfileError(
                "is empty",
                where=where,
                field=f"{field}.why",
                remedy="Name the call that the SDK has not, or that refuses",
            )
        for transport in one.transports:
            one_of(transport, profile.transports, what=f"transport in {field}", where=where, error=ProfileError)


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
    for transport in profile.not_offered:
        if transport in profile.transports:
            raise ProfileError(
                f"says why {transport} is lacking, and `transports` names it",
                where=where, field="not_offered", remedy="Drop one of the two",
            )  # fmt: skip
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
            f"lifetime_s = {lifetime:.12g} is outside {profile.lifetime_min_s:.12g} to {profile.lifetime_max_s:.12g} s,"
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


def _check_versions(profile: Profile, where: str) -> None:
    """Versions to compare need an order, and a way to be installed; a profile that names none may call its own as it likes."""
    if not profile.versions:
        return
    seen: set[Version] = set()
    for field, version in [
        ("version", profile.version),
        *((f"versions[{n}]", v.version) for n, v in enumerate(profile.versions)),
    ]:
        try:
            found = Version(version)
        except ValueError as problem:
            raise ProfileError(
                str(problem), where=where, field=field, remedy="Write it as 2.14.0 or 2.15.0rc1"
            ) from problem
        if found in seen:
            raise ProfileError(f"{version} is there twice", where=where, field=field, remedy="Name each version once")
        seen.add(found)
    if not (profile.adapter and profile.adapter.other_versions):
        raise ProfileError(
            "nothing says how they are installed",
            where=where, field="versions", remedy="Add [adapter.other_versions] with an install command",
        )  # fmt: skip


_RANGE_SIGNS = "<>=!,"
_SDK = re.compile(r"[a-z0-9][a-z0-9._-]*")
