"""Burdens that were ordered over HTTPS."""

from harness.hub.fault_messages import MOST_WAITING, Burden, FaultMessage
from harness.hub.https.orders import Orders

THROTTLED, QUOTA = Burden("throttled"), Burden("quota")


def message(delay_s: float, duration_s: float = 10.0) -> FaultMessage:
    """A test message of any kind."""
    return FaultMessage("Invoke", "", delay_s, duration_s, None)


def test_each_is_given_once_when_its_time_has_come() -> None:
    """In the order of their times, each with its end."""
    orders = Orders()
    orders.wait(THROTTLED, message(5), 100.0)
    orders.wait(QUOTA, message(2, 1), 100.0)
    assert orders.due(101.9) == []
    assert orders.due(105.0) == [(QUOTA, 103.0), (THROTTLED, 115.0)]
    assert orders.due(200.0) == []


def test_no_more_wait_than_may() -> None:
    """Until one of them is given."""
    orders = Orders()
    for _ in range(MOST_WAITING):
        assert not orders.full
        orders.wait(QUOTA, message(1), 0.0)
    assert orders.full
    assert len(orders.due(1.0)) == MOST_WAITING
    assert not orders.full
