"""What became of the messages, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.analysis_logs import LogBuilder

from harness.analysis.findings import Duplicate, Exchanges, Telemetry
from harness.analysis.messages import messages, telemetry


def counted(log: LogBuilder) -> Telemetry:
    """The telemetry of what was built."""
    return telemetry(log.log().events)


def test_all_through() -> None:
    """Sent, arrived and confirmed, each once."""
    assert counted(LogBuilder().delivered(1, 2, 3)) == Telemetry(sent=3, confirmed=3, reached=3)


def test_confirmed_but_never_arrived_is_lost() -> None:
    """The application believes it is through."""
    found = counted(LogBuilder().send(1).app("sent", id=1))
    assert (found.lost, found.lost_ids) == (1, (1,))


def test_passed_over_is_lost() -> None:
    """No word about it, and a later message arrived."""
    assert counted(LogBuilder().send(1).send(2).arrives(2)).lost_ids == (1,)


def test_no_word_at_the_end_is_unfinished() -> None:
    """It may still be under way."""
    found = counted(LogBuilder().delivered(1).send(2))
    assert (found.lost, found.unfinished) == (0, 1)


def test_a_failure_the_application_knows_of_is_no_loss() -> None:
    """It was told, and can send it again."""
    found = counted(LogBuilder().send(1).failure("send_failed", "E", id=1).delivered(2))
    assert (found.lost, found.send_failed, found.failed_but_reached) == (0, 1, 0)


def test_failed_but_reached() -> None:
    """An exception about a message that arrived all the same: an application that repeats it duplicates it."""
    found = counted(LogBuilder().send(1).failure("send_failed", "E", id=1).arrives(1, dup=True))
    assert (found.send_failed, found.failed_but_reached, found.reached) == (0, 1, 1)


def test_duplicates_of_the_protocol() -> None:
    """Re-sent with DUP under its packet identifier."""
    found = counted(LogBuilder().send(1).arrives(1).arrives(1, dup=True))
    assert (found.duplicated, found.duplicates) == (1, (Duplicate(1, 2, dup=True, same_packet_id=True),))


def test_duplicates_as_new_messages() -> None:
    """Sent again as if for the first time."""
    found = counted(LogBuilder().send(1).arrives(1).arrives(1, packet_id=9).arrives(1, packet_id=10))
    assert found.duplicates == (Duplicate(1, 3, dup=False, same_packet_id=False),)


def test_reordered_counts_the_late_ones() -> None:
    """Two came after a message with a higher id; a second copy is no matter of order."""
    log = LogBuilder().arrives(1).arrives(4).arrives(2).arrives(3).arrives(5).arrives(1, dup=True)
    assert counted(log).reordered == 2


def test_messages_without_a_number_are_not_ours() -> None:
    """Foreign telemetry is not counted."""
    log = LogBuilder().hub("telemetry", message_id=None).hub("telemetry", message_id="x").app("sent", id="x")
    assert counted(log) == Telemetry()


def test_without_commands_the_device_tells_what_it_sent() -> None:
    """A device elsewhere is not commanded by the harness."""
    assert counted(LogBuilder().app("sent", id=1).failure("send_failed", "E", id=2).arrives(3)).sent == 3


@given(st.lists(st.tuples(st.sampled_from(["send", "arrives", "sent", "send_failed"]), st.integers(0, 6)), max_size=40))
def test_counts_against_a_plain_model(steps: list[tuple[str, int]]) -> None:
    """Whatever happens in whatever order, each message is counted once, and as what it is."""
    log = LogBuilder()
    for what, number in steps:
        if what in {"send", "arrives"}:
            getattr(log, what)(number)
        else:
            log.app(what, id=number)
    found = counted(log)
    told = {what: {number for word, number in steps if word == what} for what in ("sent", "send_failed", "arrives")}
    arrivals = [number for what, number in steps if what == "arrives"]
    known = {number for _, number in steps}
    lost = [
        number
        for number in known
        if number not in arrivals
        and (
            number in told["sent"]
            or (number not in told["send_failed"] and any(arrived > number for arrived in arrivals))
        )
    ]
    firsts = list(dict.fromkeys(arrivals))
    late = [one for place, one in enumerate(firsts) if any(earlier > one for earlier in firsts[:place])]
    assert found.sent == len(known)
    assert found.sent == found.reached + found.lost + found.send_failed + found.unfinished
    assert found.lost_ids == tuple(sorted(lost))
    assert found.duplicated == len([one for one in known if arrivals.count(one) > 1])
    assert found.reordered == len(late)


def c2d(number: int, why: str = "schedule") -> LogBuilder:
    """A C2D message that is queued."""
    name = f"c2d-{number}"
    return LogBuilder().harness("stimulus", what="c2d", id=name, why=why).hub("c2d-queued", message_id=name)


def test_c2d_shown_to_the_application() -> None:
    """It was queued and the application saw it."""
    log = c2d(1).hub("c2d-acknowledged", message_id="c2d-1").app("c2d", message_id="c2d-1", size=2)
    assert messages(log.log().events).c2d == Exchanges(asked=1, answered=1)


def test_c2d_acknowledged_where_the_application_names_none() -> None:
    """An adapter that does not tell the id: the acknowledgement has to do."""
    log = c2d(1).hub("c2d-acknowledged", message_id="c2d-1").app("c2d", size=2)
    assert messages(log.log().events).c2d == Exchanges(asked=1, answered=1)


def test_c2d_swallowed_by_the_device() -> None:
    """Acknowledged, but the application, which names the others, never saw it."""
    log = c2d(1).hub("c2d-acknowledged", message_id="c2d-1").hub("c2d-queued", message_id="c2d-2")
    log.hub("c2d-acknowledged", message_id="c2d-2").app("c2d", message_id="c2d-2").hub("c2d-queued", message_id="c2d-3")
    assert messages(log.log().events).c2d == Exchanges(asked=3, answered=1, lost=1, open=1)


def test_c2d_of_which_the_application_sees_none() -> None:
    """An application that is shown nothing at all has lost what the device acknowledged."""
    log = c2d(1).hub("c2d-acknowledged", message_id="c2d-1").hub("c2d-queued", message_id="c2d-2")
    assert messages(log.log().events).c2d == Exchanges(asked=2, lost=1, open=1)


def test_the_probe_of_the_gap_is_counted_apart() -> None:
    """What was sent because the device had just left."""
    found = messages(c2d(1, "gap").hub("c2d-queued", message_id="c2d-2").log().events)
    assert (found.gap_c2d, found.c2d) == (Exchanges(asked=1, open=1), Exchanges(asked=1, open=1))


def test_methods() -> None:
    """Answered, given up by the hub, still open; the probe of the gap apart."""
    log = LogBuilder().harness("stimulus", what="method", id="3", why="gap")
    for number in "1234":
        log.hub("method-called", request_id=number, name="probe")
    log.hub("method-answered", request_id="1", status=200).hub("method-failed", request_id="2", code="504101")
    found = messages(log.hub("method-answered", request_id="3", status=200).log().events)
    assert found.methods == Exchanges(asked=3, answered=1, lost=1, open=1)
    assert found.gap_methods == Exchanges(asked=1, answered=1)


def transfer(log: LogBuilder, number: int, delivery_id: int, state: str = "") -> LogBuilder:
    """Message `number` reaches the hub over AMQP, and is answered where a state says how."""
    log.send(number).hub("telemetry", message_id=str(number), delivery_id=delivery_id, settled=False, size=9)
    return log.hub("disposition", message_id=str(number), delivery_id=delivery_id, state=state) if state else log


def test_duplicates_over_amqp() -> None:
    """There is nothing by which the protocol could tell them."""
    found = counted(transfer(transfer(LogBuilder().enter(60), 1, 0, "accepted"), 1, 1, "accepted"))
    assert found.duplicates == (Duplicate(1, 2, dup=False, same_packet_id=False),)


def test_a_transfer_the_hub_did_not_take() -> None:
    """It has not arrived; sent again and accepted, it has, once."""
    log = transfer(transfer(LogBuilder().enter(60), 1, 0, "released"), 2, 1, "rejected")
    assert counted(log).reached == 0
    found = counted(transfer(log, 1, 2, "accepted"))
    assert (found.reached, found.duplicated) == (1, 0)


def test_a_c2d_message_that_came_back() -> None:
    """It is queued again: open, until it is delivered after all."""
    log = LogBuilder().enter(60).hub("c2d-queued", message_id="a").hub("c2d-sent", message_id="a", delivery_id=0)
    log.hub("c2d-returned", message_id="a", why="link-lost")
    assert messages(log.log().events).c2d == Exchanges(asked=1, open=1)
    log.hub("c2d-sent", message_id="a", delivery_id=1).app("c2d", message_id="a", size=2)
    assert messages(log.log().events).c2d == Exchanges(asked=1, answered=1)


def test_the_probe_of_a_renewal_is_counted_apart() -> None:
    """As that of the gap is."""
    log = LogBuilder().harness("stimulus", what="c2d", id="r", why="renewal").hub("c2d-queued", message_id="r")
    found = messages(log.hub("c2d-queued", message_id="s").log().events)
    assert (found.renewal_c2d.asked, found.c2d.asked, found.gap_c2d.asked) == (1, 1, 0)


def under_way() -> LogBuilder:
    """Messages 1 to 4 reach the hub, the first is acknowledged, and the connection goes."""
    log = LogBuilder().connect(60)
    for number in (1, 2, 3, 4):
        log.send(number).arrives(number)
    return log.hub("puback", packet_id=1).cut().connect(60)


def test_coming_again_in_another_order_is_reordered() -> None:
    """4 came again first: 2 and 3 come after what was sent after them. 1 had been acknowledged."""
    found = counted(under_way().arrives(4, packet_id=9).arrives(2, packet_id=10).arrives(3, packet_id=11))
    assert (found.duplicated, found.reordered) == (3, 2)


def test_coming_again_in_order_is_not() -> None:
    """Whatever new message is sent between them."""
    found = counted(under_way().arrives(2, packet_id=9).arrives(5).arrives(3, packet_id=10).arrives(4, packet_id=11))
    assert (found.duplicated, found.reordered) == (3, 0)


def test_what_has_not_come_again_is_not_reordered() -> None:
    """In a log that holds every message."""
    assert counted(under_way().arrives(4, packet_id=9)).reordered == 0


def test_what_is_left_out_after_a_later_one_came_again_is_reordered() -> None:
    """In a log without quiet rows: 2 and 3 did not come before 4."""
    events = under_way().arrives(4, packet_id=9).log().events
    assert telemetry(events, rows_left_out=True).reordered == 2


@given(st.permutations([2, 3, 4]))
def test_reordered_are_those_behind_a_later_one(order: list[int]) -> None:
    """Whatever the order is in which they come again."""
    log = under_way()
    for number in order:
        log.arrives(number, packet_id=number + 8)
    behind = {one for place, one in enumerate(order) if any(other > one for other in order[:place])}
    assert counted(log).reordered == len(behind)


def test_totals_count_what_the_rows_leave_out() -> None:
    """Sent and received; what is missing has failed as far as the application was told, and is unfinished otherwise."""
    log = LogBuilder().delivered(1).failure("send_failed", "E", id=9).failure("send_failed", "E", id=10)
    found = messages(log.log().events, totals={"sent": 10, "received": 5}).telemetry
    assert (found.sent, found.reached, found.lost, found.send_failed, found.unfinished) == (10, 5, 0, 2, 3)


def test_nothing_is_missing_where_everything_was_received() -> None:
    """A confirmed message whose arrival is left out is not lost, nor a failed one."""
    log = LogBuilder().send(1).app("sent", id=1).failure("send_failed", "E", id=2)
    found = messages(log.log().events, totals={"sent": 2, "received": 2}).telemetry
    assert (found.lost, found.send_failed, found.unfinished) == (0, 0, 0)


def test_half_the_totals_are_none() -> None:
    """Then the events are counted."""
    assert messages(LogBuilder().delivered(1).log().events, totals={"sent": 2}).telemetry.sent == 1


@pytest.mark.parametrize(("received", "told"), [(8, True), (7, False)])
def test_what_is_missing_and_did_not_fail_may_be_lost(received: int, told: bool) -> None:  # noqa: FBT001 - a column
    """Totals do not tell it; where all that is missing has failed, none is lost."""
    log = LogBuilder().delivered(1).failure("send_failed", "E", id=9).failure("send_failed", "E", id=10)
    found = messages(log.log().events, totals={"sent": 10, "received": received}).telemetry
    assert ("lost" not in found.untold) is told


@pytest.mark.parametrize(("received", "told"), [(0, True), (3, False)])
def test_messages_without_numbers_do_not_tell_what_came_again(received: int, told: bool) -> None:  # noqa: FBT001 - a column
    """Nor in which order; where none arrived, none came again."""
    events = LogBuilder().hub("telemetry", conn=1, address="a").log().events
    found = messages(events, totals={"sent": 3, "received": received}).telemetry
    assert ({"duplicated", "reordered"} & set(found.untold) == set()) is told


def test_a_log_that_holds_every_message_tells_all() -> None:
    """Nothing is unknown of it."""
    assert messages(LogBuilder().delivered(1).log().events).telemetry.untold == ()
