"""Installs an SDK into a folder of its own, once, and finds it there afterwards: nothing global, offline from the second time on.

A profile whose `[adapter]` states an `install` command gets an environment: a copy of the profile's folder in which that command was
run, as `npm ci` is. So does every other version of its SDK. Below the cache (`cache_folder`):

| path | |
| --- | --- |
| `node-1.18.4-4f0c…/` | one environment; it is there whole or not at all. `.environment.json` says what it was made from |
| `node-1.18.4-4f0c….log` | what its install command printed, also when it failed |
| `node-1.18.4-4f0c….lock` | held alone by whoever installs or removes it, together by those who use it; changed when it was used last |

The name ends in a fingerprint of the files of the profile's folder (its `profile.toml` apart, which no install reads), of the command
and of the runtime's own version; where one of them changes, another environment is made. Before an environment gets its name, `verify` has started
the device program in it, so that one which does not run, or is of another version, is none. Whoever is to find out what is wrong with a program
installs without `verify`; such an environment is verified when it is used by others for the first time.
"""

import asyncio
import contextlib
import hashlib
import os
import platform
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from harness.device.driver import Hello
from harness.device.locks import FileLock
from harness.device.runtimes import RUNTIMES
from harness.errors import AdapterError, EnvironmentProblem
from harness.profile import PROFILE_FILE, AdapterProgram, LoadedProfile
from harness.versions import covers

__all__ = ["RECORD_FILE", "EnvironmentRecord", "Environments", "Key", "cache_folder", "fingerprint"]

INSTALL_LIMIT_S = 900.0
VERSION_LIMIT_S = 30.0
LOCK_POLL_S = 0.2
INSTALLS_AT_A_TIME = 4
RECORD_FILE = ".environment.json"
MADE_BY_TOOLS = ("__pycache__", "node_modules", "target", "build", "bin", "obj")

Key = tuple[str, str]
"""SDK and version."""
Verify = Callable[[LoadedProfile], Awaitable[Hello]]


class EnvironmentRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an environment was made from, for people and for later; `said_version` and `said_runtime` are the device program's own words."""

    what: str
    command: Sequence[str] = ()
    runtime: str = ""
    fingerprint: str = ""
    sdk: str = ""
    version: str = ""
    said_version: str = ""
    said_runtime: str = ""


def cache_folder(variables: Mapping[str, str]) -> Path:
    """Where environments stand: below `HARNESS_CACHE`, else below the user's cache folder (XDG Base Directory Specification)."""
    if own := variables.get("HARNESS_CACHE"):
        return Path(own).absolute() / "environments"
    user = Path(variables.get("XDG_CACHE_HOME", ""))
    root = user if user.is_absolute() else Path.home() / ".cache"
    return root / "iot-credential-expiry-harness" / "environments"


class Environments:
    """The environments below `root`; `say` is told in one line what takes a while. Those it prepared are in use until `close`.

    `verify` starts a device program and returns its hello, or raises AdapterError or EnvironmentProblem.
    """

    def __init__(
        self, root: Path, say: Callable[[str], None], *, verify: Verify | None = None, limit_s: float = INSTALL_LIMIT_S
    ) -> None:
        self._root, self._say, self._verify, self._limit_s = root, say, verify, limit_s
        self._held: dict[Path, FileLock] = {}

    def close(self) -> None:
        """Let go of the environments in use, so that others may remove them."""
        while self._held:
            self._held.popitem()[1].release()

    async def name_of(self, loaded: LoadedProfile) -> str:
        """What its environment is called, there or not; an empty text where it needs none.

        Raises:
            EnvironmentProblem: the runtime does not tell its version.
        """
        plan = await self._plan(loaded)
        return "" if plan is None else plan.folder.name

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
            EnvironmentProblem: the runtime does not tell its version, the install failed, or what it installed does not run or is not the version
                asked for; names the log and the next step.
        """
        plan = await self._plan(loaded)
        if plan is None:
            await self._check_own(loaded)
            return loaded
        await self._hold(plan)
        ready = msgspec.structs.replace(loaded, folder=plan.folder)
        said = _said_version(plan) or await self._said_now(plan, ready)
        if said and (problem := _other_version(loaded, said)):
            raise EnvironmentProblem(f"{problem}, in {plan.folder}. Correct its install command")
        return ready

    async def prepare_all(self, profiles: Iterable[LoadedProfile]) -> dict[Key, LoadedProfile | EnvironmentProblem]:
        """By SDK and version, several at the same time: what `prepare` returns, or why it could not."""
        wanted = list(profiles)
        room = asyncio.Semaphore(INSTALLS_AT_A_TIME)
        outcomes = await asyncio.gather(*(self._outcome(loaded, room) for loaded in wanted))
        return {_key(loaded): outcome for loaded, outcome in zip(wanted, outcomes, strict=True)}

    async def _outcome(self, loaded: LoadedProfile, room: asyncio.Semaphore) -> LoadedProfile | EnvironmentProblem:
        async with room:
            try:
                return await self.prepare(loaded)
            except EnvironmentProblem as problem:
                return problem

    async def _check_own(self, loaded: LoadedProfile) -> None:
        """A program that needs no install runs with whatever is there; where its version was asked for by name, it has to be that."""
        if loaded.asked and self._verify is not None:
            try:
                hello = await self._verify(loaded)
            except AdapterError as problem:
                raise EnvironmentProblem(str(problem)) from problem
            if other := _other_version(loaded, hello.sdk_version):
                raise EnvironmentProblem(f"{other}. It is what stands in {sys.prefix}: install the version there")

    async def _plan(self, loaded: LoadedProfile) -> "_Plan | None":
        adapter = loaded.profile.adapter
        if adapter is None or not adapter.install:
            return None
        runtime = await _runtime_version(adapter)
        made_from = fingerprint(loaded.folder, adapter.install, runtime, adapter.without)
        what = f"{loaded.profile.sdk} {loaded.profile.version}"
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{what}-{made_from[:12]}")
        return _Plan(what, loaded, self._root / name, adapter, runtime, made_from)

    async def _hold(self, plan: "_Plan") -> None:
        """Have the environment in use, after it has been made where it is missing."""
        try:
            waiting = False
            while not await self._held_or_made(plan):
                if not waiting:
                    self._say(f"waiting for another run to install {plan.what}")
                waiting = True
                await asyncio.sleep(LOCK_POLL_S)
        except OSError as problem:
            raise EnvironmentProblem(
                f"{plan.what} could not be installed below {self._root}: {problem.strerror or problem}."
                " Set HARNESS_CACHE to a folder that can be written"
            ) from problem

    async def _held_or_made(self, plan: "_Plan") -> bool:
        """Try once; whether the environment is in use by us now."""
        while plan.folder.is_dir():
            if not self._share(plan):
                return False
            if plan.folder.is_dir():  # and nobody has removed it just before
                return True
        plan.folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock.attempt(plan.beside(".lock"), shared=False)
        if lock is None:
            return False
        try:
            if not plan.folder.is_dir():  # it is, if whoever held the lock has just made it
                await self._install(plan)
        finally:
            lock.release()
        return await self._held_or_made(plan)

    def _share(self, plan: "_Plan") -> bool:
        """Whether nobody keeps us from using it. A cache that cannot be written is used without saying so."""
        try:
            lock = FileLock.attempt(plan.beside(".lock"), shared=True)
        except OSError:
            return True
        if lock is None:
            return False
        lock.touch()
        self._held.setdefault(plan.folder, lock)
        return True

    async def _install(self, plan: "_Plan") -> None:
        """Run the command in a copy, and give the copy its name when all is well."""
        part, log = plan.beside(".part"), plan.beside(".log")
        began = asyncio.get_running_loop().time()
        self._say(f"installing {plan.what}, once: {shlex.join(plan.adapter.install)} (log: {log})")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(plan.loaded.folder, part, ignore=shutil.ignore_patterns(*MADE_BY_TOOLS, *plan.adapter.without))
        part.chmod(0o755)  # the profile's own folder may be read-only
        try:
            with log.open("wb") as output:
                ending = await _run(
                    _filled_in(plan.adapter.install, part), part, output, self._limit_s, _variables(plan.adapter)
                )
                if ending:
                    asked = ", and that has to have the version asked for" if plan.loaded.asked else ""
                    raise EnvironmentProblem(
                        f"{plan.what} could not be installed: `{shlex.join(plan.adapter.install)}` {ending}; what it said stands in {log}."
                        f" The first time it needs its package registry{asked}; the next comparison tries again"
                    )
                hello = await self._verified(plan, part, output)
            (part / RECORD_FILE).write_bytes(plan.record(hello))
            part.rename(plan.folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        self._say(f"{plan.what} is installed: {asyncio.get_running_loop().time() - began:.1f} s")

    async def _verified(self, plan: "_Plan", part: Path, output: BinaryIO) -> Hello | None:
        """Start the program in the copy: it has to say hello, and the version where that was asked for."""
        if self._verify is None:
            return None
        try:
            hello = await self._verify(msgspec.structs.replace(plan.loaded, folder=part))
            problem = _other_version(plan.loaded, hello.sdk_version)
        except (AdapterError, EnvironmentProblem) as failure:
            hello, problem = None, str(failure)
        if problem:
            output.write(f"\n{problem}\n".encode())
            raise EnvironmentProblem(
                f"{plan.what} was installed and does not pass its handshake: {problem.removesuffix('.')}. What its"
                f" install said stands in {plan.beside('.log')}; the next comparison tries again"
            )
        return hello

    async def _said_now(self, plan: "_Plan", ready: LoadedProfile) -> str:
        """Verify an environment that was made without, and note it there where that can be written."""
        if self._verify is None:
            return ""
        try:
            hello = await self._verify(ready)
        except (AdapterError, EnvironmentProblem) as failure:
            raise EnvironmentProblem(
                f"{plan.what} is installed and does not pass its handshake: {str(failure).removesuffix('.')}. What its"
                f" install said stands in {plan.beside('.log')}; `harness cache clear --sdk {'@'.join(_key(ready))}` removes it"
            ) from failure
        with contextlib.suppress(OSError):
            noted = plan.folder / f"{RECORD_FILE}.part"
            noted.write_bytes(plan.record(hello))
            noted.replace(plan.folder / RECORD_FILE)
        return hello.sdk_version


def _key(loaded: LoadedProfile) -> Key:
    return loaded.profile.sdk, loaded.profile.version


def _other_version(loaded: LoadedProfile, said: str) -> str:
    """That another version runs than the one asked for, or an empty text."""
    sdk, version = _key(loaded)
    return (
        ""
        if not loaded.asked or covers([version], said)
        else f"{sdk} {version} was asked for, and the device program runs {said}"
    )


def _said_version(plan: "_Plan") -> str:
    """The version that the program of an environment named when it was verified; an empty text where nobody has done so."""
    try:
        return msgspec.json.decode((plan.folder / RECORD_FILE).read_bytes(), type=EnvironmentRecord).said_version
    except (OSError, msgspec.MsgspecError):
        return ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """One environment: what it is called, from where it is made, in which folder it ends, and what its fingerprint is of."""

    what: str
    loaded: LoadedProfile
    folder: Path
    adapter: AdapterProgram
    runtime: str
    fingerprint: str

    def beside(self, suffix: str) -> Path:
        """A path beside the folder."""
        return self.folder.with_name(self.folder.name + suffix)

    def record(self, hello: Hello | None) -> bytes:
        """Its `EnvironmentRecord`."""
        sdk, version = _key(self.loaded)
        record = EnvironmentRecord(
            what=self.what,
            command=self.adapter.install,
            runtime=self.runtime,
            fingerprint=self.fingerprint,
            sdk=sdk,
            version=version,
            said_version=hello.sdk_version if hello else "",
            said_runtime=hello.runtime if hello else "",
        )
        return msgspec.json.format(msgspec.json.encode(record)) + b"\n"


def fingerprint(folder: Path, command: Sequence[str], runtime: str, without: Sequence[str] = ()) -> str:
    """SHA-256, in hexadecimal, of all that an install in a copy of `folder` depends on; not of what is called as in `without`."""
    digest = hashlib.sha256()

    def add(*parts: bytes) -> None:
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)

    add(
        b"\0".join(map(os.fsencode, command)), runtime.encode(), platform.system().encode(), platform.machine().encode()
    )
    left_out = {*MADE_BY_TOOLS, *without}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and inside.as_posix() != PROFILE_FILE and not set(inside.parts) & left_out:
            add(os.fsencode(inside.as_posix()), path.read_bytes())
    return digest.hexdigest()


async def _runtime_version(adapter: AdapterProgram) -> str:
    """What the runtime says of itself, as `v20.20.2`."""
    runtime = RUNTIMES[adapter.runtime]
    command = [(runtime.executables or (sys.executable,))[0], "--version"]
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(VERSION_LIMIT_S):
                said, _ = await process.communicate()
        finally:
            await _end(process)
    except (OSError, TimeoutError) as problem:
        why = getattr(problem, "strerror", None) or "it did not answer"
        raise EnvironmentProblem(f"{shlex.join(command)} cannot be run: {why}. {runtime.remedy}") from problem
    version = said.decode(errors="replace").strip()
    if runtime.too_old(version):
        answer = version.partition("\n")[0] or "nothing"
        raise EnvironmentProblem(f"{runtime.name} is needed; {shlex.join(command)} says: {answer} ({runtime.remedy})")
    return version


def _variables(adapter: AdapterProgram) -> dict[str, str]:
    """What the profile sets for its install: nobody is trusted there but whom the system trusts."""
    return {name: text for name, text in adapter.environment.items() if "{ca_file}" not in text}


def _filled_in(command: Sequence[str], folder: Path) -> list[str]:
    return [part.format(python=sys.executable, folder=folder) for part in command]


async def _run(
    command: Sequence[str], folder: Path, output: BinaryIO, limit_s: float, variables: Mapping[str, str]
) -> str:
    """Run `command` in `folder`; how it ended, where that was not well. It is ended with all it started if this is cancelled."""
    added = {name: text.format(python=sys.executable, folder=folder) for name, text in variables.items()}
    try:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env={**os.environ, **added}, stdin=asyncio.subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    except OSError as problem:
        return f"cannot be started ({problem.strerror})"
    try:
        async with asyncio.timeout(limit_s):
            code = await process.wait()
    except TimeoutError:
        return f"took longer than {limit_s:g} s"
    finally:
        await _end(process)
    return f"ended with code {code}" if code else ""


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the process, which leads a session, with all it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
