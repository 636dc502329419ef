"""Tests of the tables of what profiles say."""

from harness.profile import find_profiles
from harness.report.layout import WIDTH
from harness.report.profiles import claims_table

NODE = next(loaded.profile for loaded in find_profiles() if loaded.profile.sdk == "node")


def test_a_claim_tells_its_kind_and_the_scenario_it_is_about() -> None:
    """Where the id does not say so; the value stands beside it."""
    lines = claims_table(NODE).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("expiry-close-unaware"))
    assert " 45 s " in lines[start]
    assert [line.split("  ")[0] for line in lines[start + 1 : start + 3]] == ["(unaware)", "in expiry-close"]


def test_the_table_fits() -> None:
    """Whatever the claims are called."""
    assert max(map(len, claims_table(NODE).splitlines())) <= WIDTH
