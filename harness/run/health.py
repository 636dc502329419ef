"""What this machine can run: looked at, not assumed. Every check says what was found and, where something is missing, what brings it."""

import asyncio
import platform
from collections.abc import Iterable
from typing import Literal

import msgspec

from harness.clock import RealClock
from harness.device.adapter import handshake
from harness.device.environments import Environments
from harness.device.faketime import REMEDY, find_library
from harness.device.runtimes import RUNTIMES, real_sdk_problem
from harness.errors import AdapterError, EnvironmentProblem
from harness.net.addresses import PORTS, AddressPool
from harness.profile import LoadedProfile

__all__ = ["Check", "Health", "examine"]


class Check(msgspec.Struct, frozen=True):
    """One finding. `state`: `ok` · `limited`, works with a detour or as an emulated device · `missing`, nothing runs without it."""

    name: str
    state: Literal["ok", "limited", "missing"]
    found: str
    remedy: str = ""


class Health(msgspec.Struct, frozen=True):
    """What `harness doctor --json` prints; `harness/schemas/doctor.schema.json` is its JSON Schema. Fields may be added."""

    schema: Literal[1]
    checks: tuple[Check, ...]


async def examine(profiles: Iterable[LoadedProfile], environments: Environments, *, install: bool) -> list[Check]:
    """Look at the system, the loopback interface, and every profile's device program, whose handshake is really made.

    With `install`, an SDK that is not installed yet is installed first.
    """
    programs = [_sdk(loaded, environments, install=install) for loaded in profiles]
    return [_system(), *await _loopback(), _shifted_clock(), *await asyncio.gather(*programs)]


def _system() -> Check:
    found = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        return Check("system", "ok", found)
    return Check("system", "limited", f"{found}: untested", "Linux with glibc is what the harness is tested on")


async def _loopback() -> list[Check]:
    pool = AddressPool()
    try:
        reservation = await pool.acquire()
    except EnvironmentProblem as problem:
        return [Check("loopback", "missing", str(problem))]
    reservation.release()
    if pool.shared:
        address = Check(
            "loopback",
            "limited",
            "only 127.0.0.1: cells run one after the other",
            "Linux answers on all of 127.0.0.0/8",
        )
    else:
        address = Check("loopback", "ok", "an address of its own for every cell")
    port = PORTS["websocket"]
    if reservation.privileged:
        return [address, Check(f"port {port}", "ok", "may be bound: WebSockets and HTTPS are reached directly")]
    remedy = f"sysctl net.ipv4.ip_unprivileged_port_start={port} (as root) lets everybody bind it"
    found = "may not be bound: WebSockets and HTTPS are reached through the SDK's own proxy option, where it has one"
    return [address, Check(f"port {port}", "limited", found, remedy)]


def _shifted_clock() -> Check:
    name = "shifted clock"
    if find_library() is None:
        found = "libfaketime is not installed: no device program can run by a clock that is off"
        return Check(name, "limited", found, REMEDY)
    return Check(name, "ok", "libfaketime is there: device programs can run by a clock that is off")


async def _sdk(loaded: LoadedProfile, environments: Environments, *, install: bool) -> Check:
    profile = loaded.profile
    name = f"{profile.sdk} {profile.version}"
    problem = real_sdk_problem(loaded)
    if problem:
        return Check(name, "limited", f"emulated: {problem}")
    try:
        ready = await (environments.prepare(loaded) if install else environments.find(loaded))
        if ready is None:
            return _not_installed(loaded, name)
        hello = await handshake(ready, RealClock())
    except (AdapterError, EnvironmentProblem) as failure:
        return Check(name, "limited", f"emulated only: {failure}")
    if hello.sdk_version != profile.version:
        found = f"real, but version {hello.sdk_version} is installed and the profile is about {profile.version}"
        return Check(name, "limited", found)
    can = ", ".join(hello.capabilities) or "nothing optional"
    return Check(name, "ok", f"real, on {hello.runtime}; {', '.join(hello.transports)}; can: {can}")


def _not_installed(loaded: LoadedProfile, name: str) -> Check:
    assert loaded.profile.adapter is not None
    runtime = RUNTIMES[loaded.profile.adapter.runtime].name
    found = f"{runtime} is there; the SDK is not installed yet: the first comparison installs it"
    return Check(name, "ok", found, "harness doctor --install does it now")
