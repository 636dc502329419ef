"""Figures in plain words."""

import pytest

from harness.analysis.wording import between, counted, lasted, life, listed, moments, numbers, often, rhythm, times


def test_how_often() -> None:
    """Once needs no word."""
    assert (times(1), times(3)) == ("", " (3 times)")
    assert (counted(1, "message"), counted(2, "message")) == ("1 message", "2 messages")


@pytest.mark.parametrize(
    ("words", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_lists(words: list[str], said: str) -> None:
    """As they are spoken."""
    assert listed(words) == said


def test_how_long() -> None:
    """In the unit that fits."""
    assert (lasted(0.0042), lasted(2.04)) == ("4 ms", "2 s")


def test_moments() -> None:
    """Few one by one, many by the first and the last."""
    assert moments([10.21]) == "at 10.2 s"
    assert moments([10.21, 20.4]) == "at 10.2 and 20.4 s"
    assert moments([float(one) for one in range(1, 10)]) == "between 1.0 and 9 s"


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ([1.0], ""),
        ([1.0, 9.0], ""),
        ([1.0, 1.1, 1.2], ""),
        ([1.0, 2.01, 3.0, 3.98], "about one a second"),
        ([1.0, 5.0, 9.2], "about one every 4.1 s"),
        ([0.0, 1.0, 3.0, 7.0, 15.0], "after 1, 2, 4 and 8 s"),
        ([0.0, 1.0, 1.2, 4.0], "after 1, 0.2 and 2.8 s"),
        ([0.0, 1.0, 2.5, 4.5, 7.5, 12.0, 19.0, 30.0], "after 1, 1.5, 2, 3, 4.5, 7 and 11 s"),
        ([0.0, 1.0, 1.2, 4.0, 9.0, 9.5, 9.6, 14.0], "100 ms to 5 s apart"),
    ],
)
def test_rhythms(at: list[float], said: str) -> None:
    """One rhythm, growing distances, a few distances, or what they lie between."""
    assert rhythm(at) == said


def test_numbers_in_a_row() -> None:
    """As from - to."""
    assert numbers([3, 1, 2, 7, 9, 10]) == "1 to 3, 7 and 9 to 10"
    assert numbers([]) == ""


@pytest.mark.parametrize(
    ("span", "said"),
    [((24.82, 24.84), "24.8"), ((28.4, 30.2), "28.4 to 30.2"), ((0.0, 0.0), "0"), ((4000.0, 4001.0), "4000")],
)
def test_what_lies_between_two_figures(span: tuple[float, float], said: str) -> None:
    """As one where they hardly differ; without an exponent."""
    assert between(span) == said


@pytest.mark.parametrize(
    ("span_s", "said"),
    [(910.0, "910 s"), (1200.0, "20 min"), (3600.0, "60 min"), (3598.3, "60 min"), (86400.0, "24 h")],
)
def test_for_how_long_a_token_lives(span_s: float, said: str) -> None:
    """In the unit one would say it in."""
    assert life(span_s) == said


@pytest.mark.parametrize(
    ("per_day", "said"),
    [
        ((24.82, 24.84), "24.8 times a day"),
        ((1.0, 1.001), "once a day"),
        ((0.5, 0.5), "once in 2 days"),
        ((0.9, 1.1), "0.9 to 1.1 times a day"),
    ],
)
def test_how_often_a_day(per_day: tuple[float, float], said: str) -> None:
    """Less than once a day is told in days."""
    assert often(per_day) == said
