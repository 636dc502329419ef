"""Which runtimes the tests of real SDKs find, and which they must find (`HARNESS_REQUIRE`)."""

from collections.abc import Callable

import pytest

from harness.device.faketime import REMEDY, find_library
from harness.device.runtimes import RUNTIMES, runtime_path

__all__ = ["FAKETIME", "demand", "demand_faketime", "read_required"]

FAKETIME = "faketime"
"""What `HARNESS_REQUIRE` may name besides runtimes: libfaketime."""


def read_required(text: str) -> frozenset[str]:
    """The runtimes of `HARNESS_REQUIRE`, a comma list.

    Raises:
        pytest.UsageError: one of them is no runtime; a typing error must not pass for a requirement that was met.
    """
    named = frozenset(filter(None, (word.strip() for word in text.split(","))))
    known = (*RUNTIMES, FAKETIME)
    if unknown := sorted(named - set(known)):
        raise pytest.UsageError(f"HARNESS_REQUIRE names {', '.join(unknown)}; known are {', '.join(known)}")
    return named


def demand(runtime: str, required: frozenset[str], find: Callable[[str], str] = runtime_path) -> None:
    """Go on if `runtime` is there; else skip the test, or fail it if the runtime is required."""
    if not find(runtime):
        _is_missing(runtime, RUNTIMES[runtime].name, RUNTIMES[runtime].remedy, required)


def demand_faketime(required: frozenset[str]) -> None:
    """The same for libfaketime."""
    if find_library() is None:
        _is_missing(FAKETIME, "libfaketime", REMEDY, required)


def _is_missing(word: str, name: str, remedy: str, required: frozenset[str]) -> None:
    reason = f"{name} is not installed ({remedy})"
    if word in required:
        pytest.fail(f"HARNESS_REQUIRE names {word}: {reason}", pytrace=False)
    pytest.skip(reason)
