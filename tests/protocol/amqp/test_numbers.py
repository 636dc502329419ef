"""harness.protocol.amqp.numbers: handles, channels, counters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LocalProtocolError
from harness.protocol.amqp.numbers import SERIAL_MASK, Numbers, serial_distance


def test_lowest_first() -> None:
    """A released number is given out again, the lowest first."""
    numbers = Numbers()
    assert [numbers.take(9) for _ in range(3)] == [0, 1, 2]
    numbers.release(1)
    numbers.release(0)
    assert [numbers.take(9) for _ in range(3)] == [0, 1, 3]


def test_all_taken() -> None:
    """The maximum is the last one."""
    numbers = Numbers()
    numbers.take(0)
    with pytest.raises(LocalProtocolError, match="all numbers up to 0 are taken"):
        numbers.take(0)
    numbers.release(0)
    assert numbers.take(0) == 0


@given(st.integers(0, SERIAL_MASK), st.integers(-(2**31), 2**31 - 1))
def test_distance(older: int, distance: int) -> None:
    """Counters wrap (RFC 1982)."""
    assert serial_distance((older + distance) & SERIAL_MASK, older) == distance
