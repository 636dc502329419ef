"""Cloud-to-device messages between being received and being completed."""

from harness.hub.https.locks import LOCK_S, Locked, Locks
from harness.hub.session import MAX_DELIVERIES, C2dMessage, DeviceSession

NOW = 1000.0


def locks(*ids: str) -> Locks:
    """Locks over a queue with messages of these ids."""
    session = DeviceSession()
    for one in ids:
        session.enqueue(C2dMessage(one, b"{}"))
    return Locks(session)


def received(some: Locks, at: float = NOW) -> Locked:
    """The next message, which is there."""
    locked = some.receive(at)
    assert locked is not None
    return locked


def test_messages_come_in_order() -> None:
    """Each is out of sight from then on, and each has a lock of its own."""
    some = locks("a", "b")
    first, second = received(some), received(some)
    assert (first.message.message_id, second.message.message_id, some.receive(NOW)) == ("a", "b", None)
    assert first.token != second.token


def test_a_settled_message_is_gone() -> None:
    """A second time, the lock is lost."""
    some = locks("a")
    token = received(some).token
    assert [one and one.message_id for one in (some.settle(token), some.settle(token))] == ["a", None]


def test_an_abandoned_message_is_the_next_again() -> None:
    """It counts as delivered once more."""
    some = locks("a", "b")
    returned = some.abandon(received(some).token)
    assert returned is not None
    assert (returned.message_id, returned.kind, received(some).message.deliveries) == ("a", "c2d-returned", 1)


def test_what_is_not_locked_cannot_be_abandoned() -> None:
    """Its lock is lost."""
    assert locks().abandon("x") is None


def test_a_lock_lasts_a_minute() -> None:
    """Then the messages are in the queue again, in their order."""
    some = locks("a", "b")
    tokens = [received(some).token for _ in range(2)]
    assert some.expire(NOW + LOCK_S - 1) == []
    assert [one.message_id for one in some.expire(NOW + LOCK_S)] == ["a", "b"]
    assert some.settle(tokens[0]) is None
    assert received(some).message.message_id == "a"


def test_after_ten_deliveries_a_message_is_given_up() -> None:
    """The service moves it to the dead letters."""
    some = locks("a")
    kinds = [some.abandon(received(some).token) for _ in range(MAX_DELIVERIES)]
    assert [one and one.kind for one in kinds[-2:]] == ["c2d-returned", "c2d-dropped"]
    assert some.receive(NOW) is None
