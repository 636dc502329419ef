"""What all tests share: Hypothesis without wall-clock limits, and runtimes that are required rather than skipped."""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support.runtimes import demand, read_required

# Last, so that the tools beside the package are found and no installed package is hidden.
sys.path.append(str(Path(__file__).parents[1]))

# The machines that run these tests are shared: a slow example says nothing about the code. The same examples every time: what
# fails here fails for everybody.
settings.register_profile("harness", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("harness")

ROOT = Path(__file__).parent
COUNTED = ("protocol", "hub", "analysis", "diagnosis")
"""The rooms whose branches are counted; their own tests have to reach all of them."""
REQUIRED = pytest.StashKey[frozenset[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Read what is required, before any test runs."""
    config.stash[REQUIRED] = read_required(os.environ.get("HARNESS_REQUIRE", ""))


@pytest.fixture(scope="session")
def required(pytestconfig: pytest.Config) -> frozenset[str]:
    """What `HARNESS_REQUIRE` names."""
    return pytestconfig.stash[REQUIRED]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is counted. Files with a test that takes a minute, `slow(seconds=60)`, come first: begun last, it would run alone at the end."""
    longest: Counter[Path] = Counter()
    for item in items:
        if item.path.relative_to(ROOT).parts[0] in COUNTED:
            item.add_marker(pytest.mark.counted)
        for marker in item.iter_markers("slow"):
            longest[item.path] = max(longest[item.path], marker.kwargs.get("seconds", 0))
    items.sort(key=lambda item: -longest[item.path])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test of a real SDK needs its runtime: `@pytest.mark.real_sdk(runtime="node")`, Python's unless it says so; one of the page, a browser."""
    marker = item.get_closest_marker("real_sdk")
    if marker is not None:
        demand(marker.kwargs.get("runtime", "python"), item.config.stash[REQUIRED])
    if item.get_closest_marker("browser") is not None:
        demand("chromium", item.config.stash[REQUIRED])
