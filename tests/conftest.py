"""What all tests share: Hypothesis without wall-clock limits, and runtimes that are required rather than skipped."""

import os

import pytest
from hypothesis import HealthCheck, settings

# The machines that run these tests are shared: a slow example says nothing about the code.
settings.register_profile("harness", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("harness")


def required_runtimes() -> frozenset[str]:
    """Runtimes that must be there (`HARNESS_REQUIRE`, a comma list): a test that needs an absent one fails instead of skipping."""
    return frozenset(filter(None, os.environ.get("HARNESS_REQUIRE", "").split(",")))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def] # noqa: ANN201 - a hook
    """Turn the skip of a test of a required runtime into a failure."""
    report = yield
    marker = item.get_closest_marker("real_sdk")
    runtime = marker.kwargs.get("runtime", "python") if marker else ""
    if report.skipped and not hasattr(report, "wasxfail") and runtime in required_runtimes():
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, but HARNESS_REQUIRE names {runtime}: {report.longrepr}"
    return report
