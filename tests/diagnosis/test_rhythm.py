"""The length that comes most."""

import pytest

from harness.diagnosis.rhythm import keeping, keeps, rhythm


@pytest.mark.parametrize(
    ("lengths", "period", "number", "share"),
    [
        pytest.param([], None, 0, 0.0, id="none"),
        pytest.param([4200], 4200, 1, 1.0, id="one"),
        pytest.param([4199, 4201, 4200, 8401], 4200, 3, 1.0, id="records missing between two"),
        pytest.param([4200, 4201, 17, 9000], 4200.5, 2, 0.5, id="strays"),
        pytest.param([100, 5000], 100, 1, 0.5, id="the shorter of two"),
        pytest.param([100, 250, 430, 777, 1234], 100, 1, 0.2, id="no rhythm"),
    ],
)
def test_rhythms(lengths: list[float], period: float | None, number: int, share: float) -> None:
    """Multiples keep to it."""
    found = rhythm(lengths)
    assert found == (period, number, share)


@pytest.mark.parametrize(
    ("length", "kept"), [(4200, 1), (4280, 1), (4300, 0), (8400, 1), (4200 * 7, 0), (10, 0), (0.5, 0)]
)
def test_what_keeps_to_a_rhythm(length: float, kept: int) -> None:
    """Two per cent, and six times at most."""
    assert keeping([length], 4200) == kept


@pytest.mark.parametrize(("length", "kept"), [(4100, False), (4300, True), (8680, True), (8700, False)])
def test_what_keeps_to_a_rhythm_where_the_beginning_was_not_seen(length: float, kept: bool) -> None:  # noqa: FBT001 - a table
    """It may be longer by the time away, never shorter."""
    assert keeps(length, 4200, 120) is kept
