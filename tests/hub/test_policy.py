"""The intervals around a token's end, and what no hub can do."""

import math
from typing import get_args

import pytest

from harness.hub.ending import CloseMode, of_transport
from harness.hub.policy import Policy


def test_defaults_are_the_services() -> None:
    """Ten minutes of grace, five of skew."""
    assert (Policy().cut_at(1000), Policy().too_late_to_connect(1000, 1300)) == (1600, False)


def test_way_to_cut_is_the_transports_own() -> None:
    """Unless it is said."""
    assert Policy().close is None
    assert [Policy(close=close).close for close in get_args(CloseMode)] == list(get_args(CloseMode))


@pytest.mark.parametrize(
    ("close", "way"), [(None, "fin"), ("fin", "fin"), ("rst", "rst"), ("detach", "fin"), ("close", "fin")]
)
def test_way_to_cut_of_a_transport(close: CloseMode | None, way: str) -> None:
    """What only AMQP knows is a FIN elsewhere."""
    assert of_transport(close) == way


@pytest.mark.parametrize(("now", "late"), [(1005.0, False), (1005.001, True)])
def test_skew_is_strict(now: float, late: bool) -> None:  # noqa: FBT001 - a table
    """At expiry + skew itself a token is still accepted."""
    assert Policy(skew_s=5).too_late_to_connect(1000, now) is late


def test_clock_shift_moves_both_ends_of_a_token() -> None:
    """A hub whose clock is ahead refuses earlier and cuts earlier."""
    policy = Policy(grace_s=10, skew_s=5, clock_shift_s=100)
    assert policy.too_late_to_connect(1000, 906)
    assert policy.cut_at(1000) == 910


@pytest.mark.parametrize(
    ("keep_alive", "timeout"), [(0, 1767.0), (1, 1.5), (230, 345.0), (1177, 1765.5), (1179, 1767.0), (65535, 1767.0)]
)
def test_keep_alive_is_half_again_and_capped(keep_alive: int, timeout: float) -> None:
    """The documentation's example: 230 s are cut after 345 s; nothing lives longer than 1767 s in silence."""
    assert Policy().keep_alive_timeout_s(keep_alive) == timeout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grace_s", -1.0),
        ("skew_s", math.nan),
        ("keep_alive_zero_s", math.inf),
        ("keep_alive_cap_s", -1.0),
        ("connect_timeout_s", -0.1),
        ("clock_shift_s", math.inf),
        ("close", "end"),
    ],
)
def test_impossible_values_are_refused_by_name(name: str, value: object) -> None:
    """The message names the field."""
    with pytest.raises(ValueError, match=name):
        Policy(**{name: value})  # type: ignore[arg-type]
