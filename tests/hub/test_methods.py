"""Direct methods and their two time limits."""

from harness.hub.methods import GATEWAY_TIMEOUT, NOT_ONLINE, MethodCall, MethodCalls


def call(request_id: str, deadline: float = 10.0) -> MethodCall:
    """A call that waits for the device until `deadline`, then five seconds for its answer."""
    return MethodCall(request_id, "probe", b"{}", 5.0, deadline)


def test_waiting_calls_are_sent_once_and_get_a_new_deadline() -> None:
    """From sending on, the answer is waited for."""
    calls = MethodCalls()
    calls.add(call("1"))
    assert [sent.request_id for sent in calls.send_waiting(2.0)] == ["1"]
    assert calls.send_waiting(3.0) == []
    assert calls.next_deadline() == 7.0


def test_answers_end_only_calls_that_were_sent() -> None:
    """An answer to nothing, to a call not sent yet, or for the second time counts for nothing."""
    calls = MethodCalls()
    calls.add(call("1"))
    assert not calls.answered("2")
    assert not calls.answered("1")
    calls.send_waiting(1.0)
    assert calls.answered("1")
    assert not calls.answered("1")
    assert calls.next_deadline() is None


def test_overdue_calls_fail_by_what_they_waited_for() -> None:
    """The device was not there, or it was and did not answer; the earliest deadline comes first."""
    calls = MethodCalls()
    calls.add(call("sent", 3.0))
    calls.send_waiting(4.0)
    calls.add(call("waiting", 8.0))
    calls.add(call("later", 11.0))
    assert calls.pop_overdue(7.9) == []
    overdue = calls.pop_overdue(9.0)
    assert [(each.request_id, each.failure) for each in overdue] == [("waiting", NOT_ONLINE), ("sent", GATEWAY_TIMEOUT)]
    assert calls.next_deadline() == 11.0


def test_calls_may_be_sent_one_by_one() -> None:
    """The oldest first."""
    calls = MethodCalls()
    for request_id in ("1", "2"):
        calls.add(call(request_id))
    assert [sent.request_id for sent in calls.send_waiting(2.0, 1)] == ["1"]
    assert calls.waiting
    assert [sent.request_id for sent in calls.send_waiting(2.0, 1)] == ["2"]
    assert not calls.waiting
    assert calls.request_ids == ("1", "2")
