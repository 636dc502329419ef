"""Which runtimes the tests of real SDKs find, and which they must find (`HARNESS_REQUIRE`)."""

from collections.abc import Callable

import pytest

from harness.device.runtimes import RUNTIMES, runtime_path

__all__ = ["demand", "read_required"]


def read_required(text: str) -> frozenset[str]:
    """The runtimes of `HARNESS_REQUIRE`, a comma list.

    Raises:
        pytest.UsageError: one of them is no runtime; a typing error must not pass for a requirement that was met.
    """
    named = frozenset(filter(None, (word.strip() for word in text.split(","))))
    if unknown := sorted(named - set(RUNTIMES)):
        raise pytest.UsageError(f"HARNESS_REQUIRE names {', '.join(unknown)}; known are {', '.join(RUNTIMES)}")
    return named


def demand(runtime: str, required: frozenset[str], find: Callable[[str], str] = runtime_path) -> None:
    """Go on if `runtime` is there; else skip the test, or fail it if the runtime is required."""
    if find(runtime):
        return
    reason = f"{RUNTIMES[runtime].name} is not installed ({RUNTIMES[runtime].remedy})"
    if runtime in required:
        pytest.fail(f"HARNESS_REQUIRE names {runtime}: {reason}", pytrace=False)
    pytest.skip(reason)
