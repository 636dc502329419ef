"""Helpers about cells as evidence."""

import pytest
from support.analysis_findings import cell

from harness.analysis.evidence import follows_margin, own_key, printable
from harness.claims import ClaimValue
from harness.law import Law


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "configurable"),
        (False, "not configurable"),
        (Law(law="none"), "never"),
        (("401003", "connect"), "401003 → connect"),
        ((), "nothing"),
        ("hub-cut", "hub-cut"),
        (3600, "3600 s"),
        (3599.44, "3599.4 s"),
    ],
)
def test_printable(value: ClaimValue, text: str) -> None:
    """Values of claims in words."""
    assert printable(value) == text


@pytest.mark.parametrize(
    ("settings", "lifetime", "expected"),
    [
        ({"margin_s": 20}, 60.0, True),
        ({"margin_percent": 30}, 60.0, False),
        ({"margin_percent": 35}, 60.0, True),
        ({"margin_s": None}, 60.0, False),
        ({"margin_s": 20}, None, False),
    ],
)
def test_follows_margin(settings: dict[str, object], lifetime: float | None, expected: bool) -> None:  # noqa: FBT001
    """A renewal at 40 s: is that what the settings asked for?"""
    assert follows_margin(cell(settings=settings, set_lifetime_s=lifetime), 40.0) is expected


def test_own_key() -> None:
    """Cells in which the SDK makes the tokens."""
    mine, fixed = cell(), cell(credential="token")
    assert own_key([mine, fixed]) == [mine]
