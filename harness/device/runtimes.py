"""Which runtimes the device programs need, whether this machine has them, and what brings them."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.profile import LoadedProfile

__all__ = ["RUNTIMES", "Runtime", "real_sdk_problem", "runtime_path"]


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime: its name for people, the executable that shows it is there, and a command that brings it on Debian."""

    name: str
    executable: str
    remedy: str


RUNTIMES = {
    "python": Runtime("Python", "", "it is the harness's own interpreter"),
    "node": Runtime("Node.js", "node", "apt-get install nodejs npm"),
    "java": Runtime("Java and Maven", "mvn", "apt-get install openjdk-17-jdk-headless maven"),
    "c": Runtime("a C compiler and CMake", "cmake", "apt-get install build-essential cmake libssl-dev"),
    "dotnet": Runtime(".NET 8 SDK", "dotnet", "install the .NET 8 SDK from https://dotnet.microsoft.com/download"),
}


def runtime_path(name: str) -> str:
    """Where the runtime's executable stands on this machine, or an empty text."""
    runtime = RUNTIMES[name]
    return (shutil.which(runtime.executable) or "") if runtime.executable else sys.executable


def real_sdk_problem(loaded: LoadedProfile) -> str:
    """Why the real SDK of this profile cannot run here, in one sentence with its remedy, or an empty text."""
    adapter = loaded.profile.adapter
    if adapter is None:
        return "the profile has no device program"
    if not runtime_path(adapter.runtime):
        runtime = RUNTIMES[adapter.runtime]
        return f"{runtime.name} is not installed ({runtime.remedy})"
    missing = [part for part in adapter.command if _is_program_file(part) and not (loaded.folder / part).is_file()]
    return f"{missing[0]} is missing in {loaded.folder}" if missing else ""


def _is_program_file(part: str) -> bool:
    return "{" not in part and bool(Path(part).suffix) and not Path(part).is_absolute()
