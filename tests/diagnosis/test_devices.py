"""What is gathered about a device while its records pass."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.diagnosis.devices import KEPT, Device, Episode
from harness.diagnosis.records import CONNECTED, CUT, DENIED, GONE, LEFT, REFUSED


def device(*records: tuple[float, int], code: str = "") -> Device:
    """A device of which these are told."""
    found = Device()
    for at, kind in records:
        found.take((at, kind, "d", code, "", "", ""))
    found.finish()
    return found


def test_a_record_that_comes_twice_counts_once() -> None:
    """The same to the moment, also with another between them."""
    found = device((5.0, CUT), (5.0, GONE), (5.0, CUT), (6.0, CUT), code="c")
    assert (found.records, found.errors) == (3, {"c": 3})


@pytest.mark.parametrize(
    "records",
    [
        [(0.0, CONNECTED), (100.0, LEFT), (101.0, CONNECTED), (250.0, LEFT), (251.0, CONNECTED)],
        [(0.0, CONNECTED), (100.0, LEFT), (100.0, CONNECTED), (250.0, LEFT), (250.0, CONNECTED)],
        [(0.0, CONNECTED), (1.0, CONNECTED), (101.0, LEFT), (102.0, CONNECTED), (251.0, LEFT), (253.0, CONNECTED)],
    ],
)
def test_lengths_are_the_same_in_either_direction(records: list[tuple[float, int]]) -> None:
    """From coming to leaving."""
    up, down = device(*records), device(*records[::-1])
    assert list(up.ends[LEFT].lengths_s) == list(down.ends[LEFT].lengths_s)[::-1]
    assert up.ends[LEFT].count == down.ends[LEFT].count == 2


def test_lengths_that_are_kept_are_bounded() -> None:
    """The last ones."""
    found = device(
        *((100.0 * number + later, kind) for number in range(200) for later, kind in ((0, LEFT), (1, CONNECTED)))
    )
    assert found.ends[LEFT].count == 200
    assert list(found.ends[LEFT].lengths_s) == [99.0] * KEPT


def test_codes_that_are_told_apart_are_bounded() -> None:
    """However many a hostile file has; none is lost from the count."""
    found = Device()
    for number in range(500):
        found.take((float(number), REFUSED, "d", str(number), "", "", ""))
    assert (len(found.errors), sum(found.errors.values()), found.errors["others"]) == (33, 500, 468)


@example([(6.0, CUT), (0.0, DENIED), (6.0, CUT)])
@given(st.lists(st.tuples(st.integers(0, 120).map(float), st.sampled_from([*range(1, 9)])), max_size=40))
def test_no_length_is_negative(records: list[tuple[float, int]]) -> None:
    """In whatever order records come."""
    assert all(length > 0 for kept in device(*records).ends.values() for length in kept.lengths_s)


@pytest.mark.parametrize(
    ("held", "at", "kind", "taken"),
    [
        pytest.param([(10, CUT)], 12, CONNECTED, True, id="back"),
        pytest.param([(10, CUT)], 16, CONNECTED, False, id="back much later"),
        pytest.param([(10, CONNECTED)], 12, LEFT, False, id="leaves again"),
        pytest.param([(10, CONNECTED)], 8, LEFT, True, id="left before, told late"),
        pytest.param([(10, LEFT)], 8, CONNECTED, False, id="came before"),
        pytest.param([(10, LEFT), (14, DENIED), (18, DENIED), (22, DENIED), (26, DENIED), (30, DENIED), (34, DENIED), (38, DENIED)], 41, DENIED, False, id="long"),
        pytest.param([(40, DENIED), (36, DENIED), (32, DENIED), (28, DENIED), (24, DENIED), (20, DENIED), (16, DENIED), (12, DENIED)], 9, LEFT, False, id="long, running down"),
    ],
)  # fmt: skip
def test_what_belongs_together(held: list[tuple[float, int]], at: float, kind: int, taken: bool) -> None:  # noqa: FBT001 - a table
    """It is near, and no two connections begin in it."""
    episode = Episode(held[0][0])
    for moment, one in held:
        assert episode.takes(moment, one)
        episode.add(moment, one)
    assert episode.takes(at, kind) is taken
