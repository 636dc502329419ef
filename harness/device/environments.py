"""Installs an SDK into a folder of its own, once, and finds it there afterwards: nothing global, offline from the second time on.

A profile whose `[adapter]` states an `install` command gets an environment: a copy of the profile's folder in which that command was
run, as `npm ci` is. Below the cache (`cache_folder`):

| path | |
| --- | --- |
| `node-1.18.4-4f0c…/` | one environment; it is there whole or not at all. `.environment.json` says what it was made from |
| `node-1.18.4-4f0c….log` | what its install command printed, also when it failed |
| `node-1.18.4-4f0c….lock` | held by whoever installs: others wait, and then find it there |

The name ends in a fingerprint of the files of the profile's folder (its `profile.toml` apart, which no install reads), of the command
and of the runtime's own version; where one of them changes, another environment is made.
"""

import asyncio
import contextlib
import hashlib
import importlib
import os
import platform
import re
import shlex
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

import msgspec

from harness.device.runtimes import RUNTIMES
from harness.errors import EnvironmentProblem
from harness.profile import PROFILE_FILE, AdapterProgram, LoadedProfile

__all__ = ["Environments", "cache_folder"]

INSTALL_LIMIT_S = 900.0
VERSION_LIMIT_S = 30.0
LOCK_POLL_S = 0.2
RECORD_FILE = ".environment.json"
MADE_BY_TOOLS = ("__pycache__", "node_modules", "target", "build")


def cache_folder(variables: Mapping[str, str]) -> Path:
    """Where environments stand: below `HARNESS_CACHE`, else below the user's cache folder (XDG Base Directory Specification)."""
    if own := variables.get("HARNESS_CACHE"):
        return Path(own).absolute() / "environments"
    user = Path(variables.get("XDG_CACHE_HOME", ""))
    root = user if user.is_absolute() else Path.home() / ".cache"
    return root / "iot-credential-expiry-harness" / "environments"


class Environments:
    """The environments below `root`; `say` is told in one line what takes a while."""

    def __init__(self, root: Path, say: Callable[[str], None], *, limit_s: float = INSTALL_LIMIT_S) -> None:
        self._root, self._say, self._limit_s = root, say, limit_s

    async def find(self, loaded: LoadedProfile) -> LoadedProfile | None:
        """`loaded` with the folder its device program runs in, or nothing where that is not installed yet.

        Raises:
            EnvironmentProblem: the runtime does not tell its version.
        """
        plan = await self._plan(loaded)
        if plan is None:
            return loaded
        return msgspec.structs.replace(loaded, folder=plan.folder) if plan.folder.is_dir() else None

    async def prepare(self, loaded: LoadedProfile) -> LoadedProfile:
        """`loaded` with the folder its device program runs in, which is made where it is missing.

        Raises:
            EnvironmentProblem: the runtime does not tell its version, or the install failed; names the log and the next step.
        """
        plan = await self._plan(loaded)
        if plan is None:
            return loaded
        if not plan.folder.is_dir():
            await self._make(plan)
        return msgspec.structs.replace(loaded, folder=plan.folder)

    async def prepare_all(self, profiles: Iterable[LoadedProfile]) -> dict[str, LoadedProfile | EnvironmentProblem]:
        """By SDK, at the same time: what `prepare` returns, or why it could not."""
        wanted = list(profiles)
        outcomes = await asyncio.gather(*map(self._outcome, wanted))
        return {loaded.profile.sdk: outcome for loaded, outcome in zip(wanted, outcomes, strict=True)}

    async def _outcome(self, loaded: LoadedProfile) -> LoadedProfile | EnvironmentProblem:
        try:
            return await self.prepare(loaded)
        except EnvironmentProblem as problem:
            return problem

    async def _plan(self, loaded: LoadedProfile) -> "_Plan | None":
        adapter = loaded.profile.adapter
        if adapter is None or not adapter.install:
            return None
        runtime = await _runtime_version(adapter)
        made_from = fingerprint(loaded.folder, adapter.install, runtime)
        what = f"{loaded.profile.sdk} {loaded.profile.version}"
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{what}-{made_from[:12]}")
        return _Plan(what, loaded.folder, self._root / name, adapter.install, runtime, made_from)

    async def _make(self, plan: "_Plan") -> None:
        try:
            plan.folder.parent.mkdir(parents=True, exist_ok=True)
            async with _locked(
                plan.beside(".lock"), lambda: self._say(f"waiting for another run to install {plan.what}")
            ):
                if not plan.folder.is_dir():  # it is, if whoever held the lock has just made it
                    await self._install(plan)
        except OSError as problem:
            raise EnvironmentProblem(
                f"{plan.what} could not be installed below {self._root}: {problem.strerror or problem}."
                " Set HARNESS_CACHE to a folder that can be written"
            ) from problem

    async def _install(self, plan: "_Plan") -> None:
        """Run the command in a copy, and give the copy its name when all is well."""
        part, log = plan.beside(".part"), plan.beside(".log")
        self._say(f"installing {plan.what}, once: {shlex.join(plan.command)} (log: {log})")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(plan.source, part, ignore=shutil.ignore_patterns(*MADE_BY_TOOLS))
        part.chmod(0o755)  # the profile's own folder may be read-only
        try:
            with log.open("wb") as output:
                ending = await _run(_filled_in(plan.command, part), part, output, self._limit_s)
            if ending:
                raise EnvironmentProblem(
                    f"{plan.what} could not be installed: `{shlex.join(plan.command)}` {ending}; what it said stands in {log}."
                    " The first time it needs its package registry; the next comparison tries again"
                )
            (part / RECORD_FILE).write_bytes(plan.record())
            part.rename(plan.folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Plan:
    """One environment: what it is called, from where it is made, in which folder it ends, and what its fingerprint is of."""

    what: str
    source: Path
    folder: Path
    command: Sequence[str]
    runtime: str
    fingerprint: str

    def beside(self, suffix: str) -> Path:
        """A path beside the folder."""
        return self.folder.with_name(self.folder.name + suffix)

    def record(self) -> bytes:
        """What the environment was made from, for people and for later."""
        made_from = {
            "what": self.what,
            "command": self.command,
            "runtime": self.runtime,
            "fingerprint": self.fingerprint,
        }
        return msgspec.json.format(msgspec.json.encode(made_from)) + b"\n"


def fingerprint(folder: Path, command: Sequence[str], runtime: str) -> str:
    """SHA-256, in hexadecimal, of all that an install in a copy of `folder` depends on."""
    digest = hashlib.sha256()

    def add(*parts: bytes) -> None:
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)

    add(
        b"\0".join(map(os.fsencode, command)), runtime.encode(), platform.system().encode(), platform.machine().encode()
    )
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and inside.as_posix() != PROFILE_FILE and not set(inside.parts) & set(MADE_BY_TOOLS):
            add(os.fsencode(inside.as_posix()), path.read_bytes())
    return digest.hexdigest()


async def _runtime_version(adapter: AdapterProgram) -> str:
    """What the runtime says of itself, as `v20.20.2`."""
    runtime = RUNTIMES[adapter.runtime]
    command = [(runtime.executables or (sys.executable,))[0], "--version"]
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(VERSION_LIMIT_S):
            said, _ = await process.communicate()
    except (OSError, TimeoutError) as problem:
        why = getattr(problem, "strerror", None) or "it did not answer"
        raise EnvironmentProblem(f"{shlex.join(command)} cannot be run: {why}. {runtime.remedy}") from problem
    return said.decode(errors="replace").strip()


def _filled_in(command: Sequence[str], folder: Path) -> list[str]:
    return [part.format(python=sys.executable, folder=folder) for part in command]


async def _run(command: Sequence[str], folder: Path, output: BinaryIO, limit_s: float) -> str:
    """Run `command` in `folder`; how it ended, where that was not well. It is ended with all it started if this is cancelled."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    except OSError as problem:
        return f"cannot be started ({problem.strerror})"
    try:
        async with asyncio.timeout(limit_s):
            code = await process.wait()
    except TimeoutError:
        return f"took longer than {limit_s:g} s"
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return f"ended with code {code}" if code else ""


@contextlib.asynccontextmanager
async def _locked(path: Path, on_wait: Callable[[], None]) -> AsyncIterator[None]:
    """Let one process at a time in, and tell who has to wait; the system releases the lock of a process that dies."""
    try:
        fcntl = importlib.import_module("fcntl")
    except ImportError:
        yield  # a system without it does not keep two of us apart
        return
    with path.open("ab") as file:
        waiting = False
        while not _try_lock(fcntl, file):
            if not waiting:
                on_wait()
            waiting = True
            await asyncio.sleep(LOCK_POLL_S)
        yield


def _try_lock(fcntl: ModuleType, file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
