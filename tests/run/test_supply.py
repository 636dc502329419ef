"""When a further token is due."""

import pytest

from harness.events import Event
from harness.own_token import Moment, Supply
from harness.run.supply import Supplier

ASKED = Event(0, 0, "app", "token_required", {})
CUT = Event(0, 0, "hub", "cut", {"cause": "token-expired"})
OTHER_CUT = Event(0, 0, "hub", "cut", {"cause": "fault"})


def test_nothing_is_supplied_where_the_scenario_says_nothing() -> None:
    """Whatever happens."""
    supplier = Supplier(None, 10)
    supplier.issued(0)
    supplier.observe(ASKED, 1)
    assert supplier.take(100) is None


def test_at_half_life() -> None:
    """Of the token before, as often as the scenario says."""
    supplier = Supplier(Supply(at="half-life", times=2), 10)
    supplier.issued(100)
    assert [supplier.take(now) for now in (104.9, 105, 106)] == [None, "half-life", None]
    supplier.issued(106)
    assert [supplier.take(now) for now in (110.9, 111)] == [None, "half-life"]
    supplier.issued(111)
    assert supplier.take(200) is None


def test_never() -> None:
    """Whoever asks."""
    supplier = Supplier(Supply(at="never"), 10)
    supplier.issued(0)
    for event in (ASKED, CUT):
        supplier.observe(event, 1)
    assert supplier.take(100) is None


@pytest.mark.parametrize(("at", "event"), [("asked", ASKED), ("cut", CUT)])
def test_so_long_after_the_moment(at: Moment, event: Event) -> None:
    """The demand, or the cut."""
    supplier = Supplier(Supply(at=at, after_s=2), 10)
    supplier.issued(0)
    supplier.observe(event, 10)
    assert [supplier.take(now) for now in (11.9, 12)] == [None, at]


@pytest.mark.parametrize(("at", "event"), [("asked", CUT), ("cut", ASKED), ("cut", OTHER_CUT), ("half-life", ASKED)])
def test_other_moments_bring_no_token(at: Moment, event: Event) -> None:
    """Nor does a cut for another reason."""
    supplier = Supplier(Supply(at=at), 100)
    supplier.issued(0)
    supplier.observe(event, 10)
    assert supplier.take(20) is None


def test_asked_twice_before_it_is_supplied() -> None:
    """One token is enough."""
    supplier = Supplier(Supply(at="asked", after_s=2, times=2), 10)
    supplier.observe(ASKED, 10)
    supplier.observe(ASKED, 11)
    assert [supplier.take(now) for now in (12, 13, 14)] == ["asked", None, None]
