"""What stands in the cache of environments, and how to get rid of it: never of what somebody is using."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from harness.device.environments import RECORD_FILE, EnvironmentRecord
from harness.device.locks import FileLock

__all__ = ["Cached", "Environment", "Listing", "State", "listed", "remove"]

State = Literal["current", "stale", "broken", "unknown"]

_BESIDE = (".log", ".lock", ".part")


class Cached(msgspec.Struct, frozen=True):
    """One environment, or what is left of an attempt to make or remove it (`whole` is false). Sizes in bytes, times in seconds since the Unix epoch.

    `used`: when it was last made ready for a run, or made; `in_use`: somebody holds it now. Where its record does not say so, `sdk` and `version` are
    taken from its name, and may be empty.
    """

    name: str
    sdk: str
    version: str
    size: int
    made: float
    used: float
    fingerprint: str = ""
    runtime: str = ""
    whole: bool = True
    in_use: bool = False


class Environment(Cached, frozen=True, kw_only=True):
    """One that is held against what a comparison would use (see `harness.cli.cache`)."""

    state: State


class Listing(msgspec.Struct, frozen=True):
    """What `harness cache list --json` prints; `harness/schemas/cache.schema.json` is its JSON Schema. Fields may be added. `folder`: where they stand."""

    schema: Literal[1]
    folder: str
    environments: tuple[Environment, ...]


def listed(root: Path) -> list[Cached]:
    """What stands below `root`, by name; nothing where there is no such folder."""
    names = {name for path in root.iterdir() if (name := _name(path))} if root.is_dir() else set()
    return [_cached(root, name) for name in sorted(names)]


def remove(root: Path, name: str) -> bool:
    """Remove what `name` stands for, with what is beside it; false where somebody is using it.

    Raises:
        OSError: it cannot be removed.
    """
    lock = FileLock.attempt(root / f"{name}.lock", shared=False)
    if lock is None:
        return False
    try:
        doomed = root / f"{name}.doomed"
        shutil.rmtree(doomed, ignore_errors=True)
        if (root / name).is_dir():
            (root / name).rename(doomed)  # at once: nobody finds half of it
            shutil.rmtree(doomed)
        shutil.rmtree(root / f"{name}.part", ignore_errors=True)
        for suffix in (".log", ".lock"):
            (root / f"{name}{suffix}").unlink(missing_ok=True)
    finally:
        lock.release()
    return True


def _name(path: Path) -> str:
    """The environment that `path` belongs to, or an empty text. A lock alone is nothing: somebody may be about to install."""
    if path.suffix in {".part", ".log", ".doomed"}:
        return path.name.removesuffix(path.suffix)
    return path.name if path.is_dir() else ""


def _cached(root: Path, name: str) -> Cached:
    folder = root / name
    record = _record(folder)
    sdk, _, version = record.what.partition(" ")
    guessed = name.rsplit("-", 1)[0].split("-", 1)
    made = _changed(folder / RECORD_FILE) or _changed(folder) or _changed(root / f"{name}.log")
    return Cached(
        name=name,
        sdk=record.sdk or sdk or guessed[0],
        version=record.version or version or (guessed[1] if len(guessed) > 1 else ""),
        size=sum(map(_size, _files(root, name))),
        made=made,
        used=_changed(root / f"{name}.lock") or made,
        fingerprint=record.fingerprint,
        runtime=record.runtime,
        whole=folder.is_dir(),
        in_use=_is_in_use(root / f"{name}.lock"),
    )


def _record(folder: Path) -> EnvironmentRecord:
    try:
        return msgspec.json.decode((folder / RECORD_FILE).read_bytes(), type=EnvironmentRecord)
    except (OSError, msgspec.MsgspecError):
        return EnvironmentRecord(what="")


def _files(root: Path, name: str) -> Iterator[Path]:
    yield from (root / f"{name}{suffix}" for suffix in _BESIDE)
    for folder in (root / name, root / f"{name}.part", root / f"{name}.doomed"):
        for where, _, files in os.walk(folder):
            yield from (Path(where, file) for file in files)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size if not path.is_dir() else 0
    except OSError:
        return 0


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _is_in_use(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        lock = FileLock.attempt(path, shared=False)
    except OSError:
        return False
    if lock is None:
        return True
    lock.release()
    return False
