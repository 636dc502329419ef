"""What outlives a connection."""

from harness.hub.session import C2dMessage, DeviceSession

FILTER = "devices/dev1/messages/devicebound/#"


def message(number: int) -> C2dMessage:
    """Cloud-to-device message `number`."""
    return C2dMessage(f"c2d-{number}", b"hello")


def test_first_session_is_new() -> None:
    """Nothing was kept before."""
    assert not DeviceSession().begin(clean=False)


def test_session_is_present_where_it_was_kept_and_is_wanted() -> None:
    """CleanSession 0 after CleanSession 0; a 1 ends the session and leaves none."""
    session = DeviceSession()
    wanted = [False, False, True, False, False]
    assert [session.begin(clean=clean) for clean in wanted] == [False, True, False, False, True]


def test_subscriptions_are_kept_and_cleaned_with_the_session() -> None:
    """A present session still has them, a clean one has none."""
    session = DeviceSession()
    session.begin(clean=False)
    assert session.subscribe(FILTER, 2) == 1
    session.begin(clean=False)
    assert session.granted(FILTER) == 1
    session.begin(clean=True)
    assert session.granted(FILTER) is None


def test_unsubscribing_twice_is_harmless() -> None:
    """The second time there is nothing to drop."""
    session = DeviceSession()
    session.subscribe(FILTER, 0)
    session.unsubscribe(FILTER)
    session.unsubscribe(FILTER)
    assert session.granted(FILTER) is None


def test_messages_leave_the_queue_in_order() -> None:
    """First in, first out, then none."""
    session = DeviceSession()
    session.enqueue(message(1))
    session.enqueue(message(2))
    assert [session.take(), session.take(), session.take()] == [message(1), message(2), None]


def test_in_flight_messages_are_sent_again_until_acknowledged() -> None:
    """With the same identifier, DUP set, oldest first; a PUBACK for nothing is harmless."""
    session = DeviceSession()
    session.begin(clean=False)
    first = session.put_in_flight(message(1), "topic")
    second = session.put_in_flight(message(2), "topic")
    assert session.acknowledge(999) is None
    session.begin(clean=False)
    again = list(session.resend())
    assert [(m, p.packet_id, p.dup) for m, p in again] == [
        (message(1), first.packet_id, True),
        (message(2), second.packet_id, True),
    ]
    assert first.packet_id is not None
    assert session.acknowledge(first.packet_id) == message(1)
    assert [m for m, _ in session.resend()] == [message(2)]


def test_clean_session_puts_what_was_in_flight_back_to_the_head_of_the_queue() -> None:
    """The messages belong to the device; only what the old session knew of them is forgotten."""
    session = DeviceSession()
    session.begin(clean=False)
    session.put_in_flight(message(1), "topic")
    session.put_in_flight(message(2), "topic")
    session.enqueue(message(3))
    session.begin(clean=True)
    assert list(session.resend()) == []
    assert [session.take(), session.take(), session.take()] == [message(1), message(2), message(3)]


def test_messages_go_back_to_the_head_of_the_queue() -> None:
    """In the order in which they were sent."""
    session = DeviceSession()
    for number in range(4):
        session.enqueue(message(number))
    sent = [session.take(), session.take()]
    session.put_back([item for item in sent if item is not None])
    assert [item and item.message_id for item in (session.take(), session.take(), session.take())] == [
        "c2d-0",
        "c2d-1",
        "c2d-2",
    ]


def test_messages_in_flight_can_be_recalled() -> None:
    """Once, and they are in flight no more; subscriptions stay."""
    session = DeviceSession()
    session.begin(clean=False)
    session.subscribe(FILTER, 1)
    packet = session.put_in_flight(message(1), "topic")
    assert session.recall() == [message(1)]
    assert (session.recall(), list(session.resend()), session.waiting) == ([], [], True)
    assert packet.packet_id is not None
    assert session.acknowledge(packet.packet_id) is None
    assert session.granted(FILTER) == 1


def test_waiting() -> None:
    """Whether anything is in the queue."""
    session = DeviceSession()
    assert not session.waiting
    session.enqueue(message(1))
    assert session.waiting
