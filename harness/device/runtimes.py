"""Which runtimes the device programs need, whether this machine has them, and what brings them."""

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.profile import LoadedProfile

__all__ = [
    "RUNTIMES",
    "Runtime",
    "missing_executable",
    "missing_part",
    "real_sdk_problem",
    "runtime_path",
    "start_remedy",
]


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime: its name for people, the executables that have to be there, and a command that brings them on Debian.

    The first executable tells the runtime's version when it is asked with `--version`. `headers`: what else an install compiles with.
    `at_least`: its lowest major version that will do.
    """

    name: str
    executables: tuple[str, ...]
    remedy: str
    headers: tuple[str, ...] = ()
    at_least: int = 0

    def too_old(self, said: str) -> bool:
        """Whether what it says of its version is no version that will do."""
        match = re.match(r"v?(\d+)\.", said)
        return self.at_least > 0 and (match is None or int(match[1]) < self.at_least)


HEADER_FOLDERS = ("/usr/include", "/usr/local/include")

RUNTIMES = {
    "python": Runtime("Python", (), "it is the harness's own interpreter"),
    "node": Runtime("Node.js", ("node", "npm"), "apt-get install nodejs npm"),
    "java": Runtime("Java", ("java", "javac", "mvn"), "apt-get install openjdk-17-jdk-headless maven"),
    "c": Runtime(
        "CMake",
        ("cmake", "cc", "c++", "make", "cargo"),
        "apt-get install build-essential cmake libssl-dev uuid-dev cargo; on Debian 12 cargo-web instead of cargo",
        headers=("openssl/ssl.h", "uuid/uuid.h"),
    ),
    "dotnet": Runtime(
        ".NET SDK 8 or newer",
        ("dotnet",),
        'curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 8.0 && export PATH="$HOME/.dotnet:$PATH"',
        at_least=8,
    ),
}


def missing_executable(name: str) -> str:
    """The first executable of the runtime that is not on this machine's path, or an empty text."""
    return next((program for program in RUNTIMES[name].executables if not shutil.which(program)), "")


def missing_part(name: str) -> str:
    """The first executable or header of the runtime that is not on this machine, or an empty text.

    Headers are looked for on Linux only, in the folders of its compilers; elsewhere it is the install that says what is missing.
    """
    if (missing := missing_executable(name)) or sys.platform != "linux":
        return missing
    return next((header for header in RUNTIMES[name].headers if not _is_header(header)), "")


def _is_header(name: str) -> bool:
    own = filter(None, os.environ.get("CPATH", "").split(os.pathsep))
    return any((Path(folder) / name).is_file() for folder in (*own, *HEADER_FOLDERS))


def runtime_path(name: str) -> str:
    """Where the runtime's first executable stands on this machine, or an empty text where any part of it is missing."""
    if missing_part(name):
        return ""
    executables = RUNTIMES[name].executables
    return (shutil.which(executables[0]) or "") if executables else sys.executable


def start_remedy(name: str) -> str:
    """What to do about a device program of this runtime that cannot be started."""
    where = "adapter.command in the profile, or --command of `harness adapter check`"
    if not missing_executable(name):
        return f"Correct {where}"
    return f"It needs {RUNTIMES[name].name}: {RUNTIMES[name].remedy}. Or correct {where}"


def real_sdk_problem(loaded: LoadedProfile) -> str:
    """Why the real SDK of this profile cannot run here, in one sentence with its remedy, or an empty text."""
    adapter = loaded.profile.adapter
    if adapter is None:
        return "the profile has no device program"
    if missing := missing_part(adapter.runtime):
        runtime = RUNTIMES[adapter.runtime]
        name = runtime.name if missing == runtime.executables[0] else missing
        return f"{name} is not installed ({runtime.remedy})"
    absent = [part for part in adapter.command if _is_program_file(part) and not (loaded.folder / part).is_file()]
    return f"{absent[0]} is missing in {loaded.folder}" if absent else ""


def _is_program_file(part: str) -> bool:
    return "{" not in part and bool(Path(part).suffix) and not Path(part).is_absolute()
