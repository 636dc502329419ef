"""Device programs whose clock is really off: libfaketime, preloaded, and what it has to be told (its own README, "Usage basics" and "Advanced usage").

Tried with 0.9.10, which Debian 12 has, and real SDKs for Python, Node.js, Java and C (`tests/real/test_clocks.py`). Under that version `time.sleep` of CPython
fails. The SDK for Python and its device program do not call it; paho below them does in its own wait before a reconnect, which no cell of these scenarios reached.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from harness.errors import EnvironmentProblem

__all__ = ["REMEDY", "find_library", "forget_shared_clock", "shifted_clock"]

REMEDY: Final = "apt-get install libfaketime"
LIBRARY: Final = "libfaketimeMT.so.1"
"""The one for programs with threads."""
FOLDERS: Final = ("usr/lib/*/faketime", "usr/lib/faketime", "usr/lib64/faketime", "usr/local/lib/faketime")

_WALL_CLOCK_ONLY: Final = {
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # without it, waits by the monotonic clock on a condition (Java, CPython's own lock) end at once, or never
    "NO_FAKE_STAT": "1",
}


def find_library(root: Path = Path("/")) -> Path | None:
    """Where libfaketime stands on this machine, if anywhere."""
    return next(_candidates(root), None)


def _candidates(root: Path) -> Iterator[Path]:
    return (file for folder in FOLDERS for file in sorted(root.glob(f"{folder}/{LIBRARY}")))


def shifted_clock(ahead_s: float) -> dict[str, str]:
    """The variables of a process whose clock is `ahead_s` seconds ahead, or behind below 0; none for 0.

    Only the wall clock is off, as that of a device is: the monotonic one, by which programs wait, stays right, and so do the times of files.

    Raises:
        EnvironmentProblem: libfaketime is not there.
    """
    if not ahead_s:
        return {}
    library = find_library()
    if library is None:
        raise EnvironmentProblem(f"a process with a shifted clock needs libfaketime, which is not installed ({REMEDY})")
    return {"LD_PRELOAD": str(library), "FAKETIME": f"{ahead_s:+f}".rstrip("0").rstrip("."), **_WALL_CLOCK_ONLY}


def forget_shared_clock(pid: int, folder: Path = Path("/dev/shm")) -> None:  # noqa: S108 - libfaketime's own place
    """Remove what libfaketime leaves behind of a process that did not end by returning from `main`."""
    for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
        (folder / name).unlink(missing_ok=True)
