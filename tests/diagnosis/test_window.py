"""Entries come out in the order of their moments, as far as the window reaches."""

import random

import pytest

from harness.diagnosis.records import Entry
from harness.diagnosis.window import Window


def entries(moments: list[int], device: str = "d") -> list[Entry]:
    """Connects at these moments."""
    return [(float(at), 8, device, "", "", "", "") for at in moments]


def order(moments: list[int], span: int) -> tuple[list[float], bool]:
    """The moments as they come out, and whether they run down."""
    taken: list[float] = []
    window = Window(lambda entry: taken.append(entry[0]), span)
    for one in entries(moments):
        window.add([one])
    window.finish()
    return taken, window.descending


@pytest.mark.parametrize("number", [10, 1000])
def test_within_the_window_they_are_sorted(number: int) -> None:
    """Whether all of it fits or not."""
    moments = list(range(number))
    for start in range(0, number, 10):
        part = moments[start : start + 10]
        random.Random(start).shuffle(part)
        moments[start : start + 10] = part
    assert order(moments, 20) == (list(range(number)), False)


def test_a_file_from_the_latest_to_the_oldest() -> None:
    """They keep running down."""
    moments = list(range(100, 0, -1))
    moments[40], moments[45] = moments[45], moments[40]
    assert order(moments, 20) == ([float(at) for at in range(100, 0, -1)], True)


def test_devices_one_after_the_other_do_not_run_down() -> None:
    """It is the records of a device that count."""
    window = Window(lambda _: None, 5)
    window.add([entry for name in "abcdef" for entry in entries([1, 2], name)])
    assert not window.descending


def test_what_is_held_is_bounded() -> None:
    """By twice the span."""
    window = Window(lambda _: None, 10)
    for at in range(1000):
        window.add(entries([at]))
        assert len(window._held) < 20
