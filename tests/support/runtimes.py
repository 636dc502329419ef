"""Which runtimes the tests of real SDKs, and those of the page in a browser, find, and which they must find (`HARNESS_REQUIRE`)."""

import shutil
from collections.abc import Callable
from typing import Final

import pytest

from harness.device.faketime import REMEDY, find_library
from harness.device.runtimes import RUNTIMES, Runtime, runtime_path

__all__ = ["FAKETIME", "KNOWN", "demand", "read_required", "whereabouts"]

CHROMIUM: Final = "chromium"
FAKETIME: Final = "faketime"
KNOWN: Final = {
    **RUNTIMES,
    CHROMIUM: Runtime("Chromium", (CHROMIUM,), "apt-get install chromium"),
    FAKETIME: Runtime("libfaketime", (), REMEDY),
}
"""The runtimes of device programs, a browser, and the library that shifts a program's clock."""


def whereabouts(runtime: str) -> str:
    """Where it stands, or an empty text."""
    if runtime == CHROMIUM:
        return shutil.which(CHROMIUM) or ""
    return str(find_library() or "") if runtime == FAKETIME else runtime_path(runtime)


def read_required(text: str) -> frozenset[str]:
    """The runtimes of `HARNESS_REQUIRE`, a comma list.

    Raises:
        pytest.UsageError: one of them is no runtime; a typing error must not pass for a requirement that was met.
    """
    named = frozenset(filter(None, (word.strip() for word in text.split(","))))
    if unknown := sorted(named - set(KNOWN)):
        raise pytest.UsageError(f"HARNESS_REQUIRE names {', '.join(unknown)}; known are {', '.join(KNOWN)}")
    return named


def demand(runtime: str, required: frozenset[str], find: Callable[[str], str] = whereabouts) -> None:
    """Go on if `runtime` is there; else skip the test, or fail it if the runtime is required."""
    if find(runtime):
        return
    reason = f"{KNOWN[runtime].name} is not installed ({KNOWN[runtime].remedy})"
    if runtime in required:
        pytest.fail(f"HARNESS_REQUIRE names {runtime}: {reason}", pytrace=False)
    pytest.skip(reason)
