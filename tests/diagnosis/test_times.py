"""Moments as exports write them."""

from datetime import UTC, datetime

import pytest

from harness.diagnosis.times import Moments

MOMENT = datetime(2023, 9, 21, 22, 16, 5, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "after_s"),
    [
        pytest.param("2023-09-21T22:16:05Z", 0, id="azure monitor"),
        pytest.param("2023-09-21T22:16:05.2500000Z", 0.25, id="seven digits"),
        pytest.param("2023-09-21 22:16:05", 0, id="no zone"),
        pytest.param("2023-09-22T00:16:05.25+02:00", 0.25, id="offset"),
        pytest.param("9/21/2023, 10:16:05.250 PM", 0.25, id="portal"),
        pytest.param("9/21/2023 22:16:05", 0, id="month first, 24 hours"),
    ],
)
def test_what_is_read(text: str, after_s: float) -> None:
    """The first time and, from what is remembered of its minute, the second."""
    moments = Moments()
    assert [moments.seconds(text), moments.seconds(text)] == [MOMENT + after_s] * 2


@pytest.mark.parametrize(("hour", "text"), [(0, "12:00:00 AM"), (12, "12:00:00 PM"), (11, "11:00:00 AM")])
def test_twelve_hours(hour: int, text: str) -> None:
    """Midnight and noon."""
    assert datetime.fromtimestamp(Moments().seconds(f"1/2/2024, {text}"), UTC).hour == hour


@pytest.mark.parametrize(
    "text", ["", "yesterday", "21/9/2023, 22:16:05", "2023-09-21T22:16:99Z", "2023-09-21T22:16:nanZ"]
)
def test_what_is_no_moment(text: str) -> None:
    """Also where the minute is known already."""
    moments = Moments()
    moments.seconds("2023-09-21T22:16:05Z")
    with pytest.raises(ValueError, match=r".*"):
        moments.seconds(text)


def test_what_is_remembered_is_bounded() -> None:
    """A log of years does not grow it."""
    moments = Moments()
    for day in range(1, 29):
        for hour in range(24):
            for minute in range(0, 60, 8):
                moments.seconds(f"2023-09-{day:02}T{hour:02}:{minute:02}:00Z")
    assert len(moments._minutes) <= 4096
