"""What follows once the hub, or a fault, has ended the device's stay."""

import msgspec
import pytest
from support.analysis_logs import LogBuilder, header
from support.scenarios import bundled_scenarios

from harness.analysis.cells import analyse_cell
from harness.analysis.findings import Aftermath
from harness.events import Header


def after(log: LogBuilder) -> Aftermath:
    """What followed in what was built."""
    return analyse_cell(log.log()).aftermath


def with_traffic(*traffic: str, credential: str = "key") -> Header:
    """The header of a scenario with that traffic."""
    changes = {"traffic": traffic, "credential": credential}
    return header(scenario_document={**msgspec.to_builtins(bundled_scenarios()["cut-sending"]), **changes})


def cut(head: Header | None = None) -> LogBuilder:
    """A connection that a fault ends at 10 s, over MQTT."""
    return LogBuilder(head or with_traffic("sending")).connect(60).at(10).cut("fault", ["404104"])


def test_nothing_to_follow() -> None:
    """A device that leaves by itself is not asked how it came back."""
    found = after(LogBuilder().connect(60).at(10).disconnect().at(11).connect(60).at(20).end())
    assert (found.returned, found.unaware_s, found.silent_s) == ((), (), None)
    assert found.returned_reason == found.unaware_reason == "neither the hub nor a fault ended the device's stay"


def test_back_by_itself() -> None:
    """Nobody had sent anything."""
    found = after(cut().after(0.1).connect(60).at(30).end())
    assert (found.returned, found.unaware_s) == (("by-itself",), (0.1,))


def test_back_with_the_next_message() -> None:
    """Measured with Node.js: nothing until the application sends."""
    found = after(cut().at(12).send(5).after(0.01).connect(60).at(30).end())
    assert (found.returned, found.unaware_s) == (("next-send",), (2.01,))


def test_back_by_itself_although_messages_were_sent() -> None:
    """They did not make it come back."""
    assert after(cut().at(12).send(5).at(13).connect(60).at(30).end()).returned == ("by-itself",)


def test_messages_that_brought_nothing_about() -> None:
    """An attempt just after the fourth one was not made for it."""
    log = cut()
    for number, second in enumerate((12, 15, 18, 21)):
        log.at(second).send(number)
    assert after(log.at(21.1).connect(60).at(40).end()).returned == ("by-itself",)


def test_a_timer_behind_frequent_messages() -> None:
    """After ten seconds the SDK tries by itself, and a message a second leaves no time without one just before."""
    log = cut(with_traffic("sending"))
    for number in range(10):
        log.at(10.8 + number).send(number)
    assert after(log.at(20.0).connect(60).at(40).end()).returned == ("by-itself",)


def test_each_message_makes_it_try() -> None:
    """The first attempt was refused."""
    log = cut().at(12).send(5).after(0.01).refused(60).at(15).send(6).after(0.01).connect(60)
    assert after(log.at(30).end()).returned == ("next-send",)


def test_one_attempt_of_its_own_is_enough() -> None:
    """The second one was refused too, and nobody had sent."""
    log = cut().at(11).refused(60).at(12).refused(60).at(13).send(5).after(0.01).connect(60)
    assert after(log.at(30).end()).returned == ("by-itself",)


def test_how_it_returns_is_asked_from_the_first_refusal_on() -> None:
    """Measured with Python: it tries once by itself, is refused, and then tries at every send."""
    log = cut().at(11).refused(60).at(12).send(5).after(0.01).refused(60).at(16).send(6).after(0.01).connect(60)
    assert after(log.at(17).send(7).at(30).end()).returned == ("next-send",)


def test_staying_away_is_counted_from_the_first_refusal_on() -> None:
    """It tried once, in vain."""
    assert after(cut().at(12).refused(60).at(30).end()).returned == ("none",)


def test_a_message_right_after_the_end() -> None:
    """It may have come back by itself just then."""
    found = after(cut().at(10.3).send(5).after(0.01).connect(60).at(30).end())
    assert (found.returned, found.returned_reason) == (
        (),
        "a send came so soon after the end that it cannot be told what made the device return",
    )


def test_a_busy_machine() -> None:
    """With its lag, the attempt may have followed the message."""
    log = cut().at(12).send(5).at(12.3).harness("lag", worst_ms=100.0, over_s=1.0).connect(60)
    assert after(log.at(30).end()).returned_reason.startswith("the hub was late by up to 100 ms")


def test_a_machine_so_busy_that_an_answer_may_come_before_its_cause() -> None:
    """A lag of a second or more."""
    log = cut().at(12).connect(60).at(12.1).send(5).harness("lag", worst_ms=1000.0, over_s=1.0)
    assert after(log.at(30).end()).returned_reason.startswith("the hub was late by up to 1000 ms")


def test_never_back() -> None:
    """Measured with Node.js over MQTT, idle: silently offline."""
    found = after(cut(with_traffic()).at(26).end())
    assert (found.returned, found.unaware_s, found.silent_s) == (("none",), (), 16.0)


def test_not_watched_for_long_enough() -> None:
    """Ten seconds show nothing."""
    found = after(cut().at(20).end())
    assert (found.returned, found.returned_reason) == ((), "the device was watched for only 10.0 s")


def test_not_let_in() -> None:
    """It tried: that is not the same as staying away."""
    found = after(cut().at(12).refused(60).at(14).refused(60).at(30).end())
    assert (found.returned, found.returned_reason) == ((), "it tried to come back and was not let in")


def test_an_expired_token_of_the_application() -> None:
    """There is no way back with it."""
    log = LogBuilder(with_traffic("sending", credential="token")).connect(10).at(15).cut().at(40).end()
    assert after(log).returned_reason == "the application's token had expired: it could not be let in again"


@pytest.mark.parametrize("cause", ["takeover", "protocol", "tokens-refused", "keep-alive"])
def test_what_the_device_brought_about_itself(cause: str) -> None:
    """Its own new connection, its own mistake or its own silence ended the old one."""
    found = after(LogBuilder().connect(60).at(10).cut(cause).at(11).connect(60).at(30).end())
    assert found.returned == ()


def test_dark_for_three_quarters_of_a_minute() -> None:
    """Measured with Node.js after CLOSE: nothing is shown, then every message fails at once."""
    log = LogBuilder(with_traffic("sending")).enter(10).at(15).cut().at(16).send(5).at(17).send(6)
    log.at(60).failure("send_failed", "UnauthorizedError", id=5).status("disconnect")
    assert after(log.at(70).end()).unaware_s == (45.0,)


def test_a_put_token_on_the_standing_connection_is_a_sign() -> None:
    """Measured with C after DETACH: it authenticates again ten seconds later."""
    log = LogBuilder().enter(60).at(15).detach("fault", []).at(25).put_token(60).answer(admitted=True)
    found = after(log.at(40).end())
    assert (found.unaware_s, found.returned) == ((10.0,), ("by-itself",))


def test_a_refused_renewal_in_place() -> None:
    """The device left over it: how it comes back is asked too."""
    log = LogBuilder().enter(60).at(10).renew(60, 401).after(0.05).disconnect().at(12).send(5).after(0.05).enter(60)
    assert after(log.at(30).end()).returned == ("next-send",)


def test_a_refused_renewal_by_a_new_connection() -> None:
    """It counts from the refusal on."""
    log = LogBuilder().connect(60).at(10).disconnect().after(0.1).refused(60).after(0.1).connect(60)
    found = after(log.at(30).end())
    assert (found.returned, found.unaware_s) == (("by-itself",), (0.1,))


def returned(*delivered: str, traffic: tuple[str, ...] = ("sending", "listening")) -> LogBuilder:
    """A device that is back at 11 s, with C2D messages queued at 12, 14, 19 s, of which some are shown, until 22 s."""
    log = cut(with_traffic(*traffic)).hub("c2d-queued", message_id="gap").at(11).connect(60)
    for second, name in ((12, "a"), (14, "b"), (19, "late")):
        log.at(second).hub("c2d-queued", message_id=name)
        if name in delivered:
            log.after(0.01).app("c2d", message_id=name, size=2)
    return log.at(22).end()


def test_c2d_works_again() -> None:
    """All that had the time were shown."""
    assert after(returned("a", "b")).c2d == "delivered"


def test_c2d_is_dead() -> None:
    """None was, though the device is there; what was queued while it was away is another matter."""
    assert after(returned()).c2d == "dead"


def test_c2d_now_and_then() -> None:
    """Neither the one nor the other."""
    found = after(returned("b"))
    assert (found.c2d, found.c2d_reason) == (None, "1 of 2 C2D messages were delivered")


def test_c2d_nobody_listens_for() -> None:
    """There is nothing to be seen."""
    assert after(returned(traffic=("sending",))).c2d_reason == "the application does not listen"


def test_c2d_without_a_return() -> None:
    """Or without the time to tell."""
    found = after(cut(with_traffic("listening")).at(30).end())
    assert found.c2d_reason == "no C2D message was queued 5 s or more before the device left again or was closed"


def test_c2d_until_the_device_leaves_again() -> None:
    """What was queued just before is not held against it."""
    log = cut(with_traffic("listening")).at(11).connect(60).at(12).hub("c2d-queued", message_id="a").at(14)
    assert after(log.cut("fault", []).at(40).end()).c2d is None


def test_c2d_that_came_only_when_the_device_was_back_once_more() -> None:
    """In the stay it was queued in, it was dead."""
    log = cut(with_traffic("listening")).at(11).connect(60).at(12).hub("c2d-queued", message_id="a")
    log.at(25).cut("fault", []).at(26).connect(60).after(0.01).app("c2d", message_id="a", size=1)
    assert after(log.at(40).end()).c2d == "dead"


def test_c2d_of_an_application_that_tells_no_ids() -> None:
    """What the device acknowledged was shown."""
    log = cut(with_traffic("listening")).at(11).connect(60).at(12).hub("c2d-queued", message_id="a").after(0.01)
    assert after(log.app("c2d", size=1).hub("c2d-acknowledged", message_id="a").at(40).end()).c2d == "delivered"


def test_a_device_program_that_died() -> None:
    """That it stayed away says nothing about the SDK; nor does an end that came later."""
    log = cut(with_traffic()).at(12).harness("adapter-exit", code=1).at(27).end("adapter-error", "it crashed")
    found = after(log)
    assert (found.returned, found.returned_reason) == ((), "the device was watched for only 2.0 s")
    assert found.silent_s == 2.0
    gone = LogBuilder().connect(60).at(8).harness("adapter-exit", code=1).at(10).cut("fault", ["404104"]).at(40).end()
    assert after(gone).returned_reason == "neither the hub nor a fault ended the device's stay"


def expired_and_cut() -> LogBuilder:
    """A token of the application's own, cut at the end of its grace."""
    return LogBuilder(with_traffic("sending", credential="token")).connect(5).at(10).cut()


def test_back_with_a_token_supplied_late() -> None:
    """At once, and no message had been sent."""
    log = expired_and_cut().at(14).harness("token-supplied").after(0.02).connect(60)
    assert after(log.at(40).end()).returned == ("new-token",)


def test_a_late_token_that_waits_for_a_message() -> None:
    """Measured with Node.js over MQTT."""
    log = expired_and_cut().at(14).harness("token-supplied").at(15).send(4).after(0.02).connect(60)
    assert after(log.at(40).end()).returned == ("next-send",)


def test_a_late_token_that_is_not_used_for_a_while() -> None:
    """The device came back in its own time."""
    log = expired_and_cut().at(14).harness("token-supplied").at(20).connect(60)
    assert after(log.at(40).end()).returned == ("by-itself",)


def test_a_late_token_that_brings_nothing() -> None:
    """Measured with Node.js over MQTT, idle: watched from the supply on."""
    log = expired_and_cut().at(14).harness("token-supplied")
    assert after(log.at(30).end()).returned == ("none",)
