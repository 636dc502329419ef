"""What follows a refused reconnect."""

import pytest
from support.analysis_logs import LogBuilder, stale_token

from harness.analysis.recovery import recovery
from harness.analysis.timeline import make_timeline


def found(log: LogBuilder) -> tuple[str | None, str]:
    """The recovery of what was built."""
    read = log.log()
    return recovery(make_timeline(read), read.events)


def refused() -> LogBuilder:
    """A device whose first reconnect, at 20 s, was refused."""
    return LogBuilder().connect(10).at(15).cut().at(20).refused(10, made_at=0.0)


def test_nothing_refused() -> None:
    """There is nothing to recover from; a refused first connection is another matter."""
    log = LogBuilder().refused(10).at(1).connect(10).at(5).disconnect().at(6).connect(10)
    assert found(log) == (None, "no reconnect was refused")


def test_none() -> None:
    """It never tries again although it was watched, and was given something to send."""
    assert found(refused().at(22).send(1).at(26).end()) == ("none", "")


def test_not_watched_for_long_enough() -> None:
    """Three seconds show nothing."""
    assert found(refused().at(23).end()) == (None, "the device was watched for only 3.0 s after it was refused or left")


def test_a_device_that_never_tries() -> None:
    """Silently offline after the cut: nothing was refused, and nothing was tried."""
    assert found(LogBuilder().connect(10).at(15).cut().at(27).end()) == ("none", "")


def test_a_device_that_waits_for_an_answer() -> None:
    """It tried once, and nobody answered: that attempt is the trouble, and not what followed it."""
    log = LogBuilder().connect(10).at(15).disconnect().at(16).accept().present(60)
    assert found(log.at(26).end()) == ("none", "")


def test_next_send() -> None:
    """Each attempt belongs to a send of its own."""
    assert found(stale_token()) == ("next-send", "")


def test_what_follows_the_return_is_no_matter_of_the_refusal() -> None:
    """A device that is there answers no send with an attempt."""
    log = refused().at(22).send(1).after(0.01).refused(10, made_at=0.0).at(24).send(2).after(0.01).connect(60)
    for second in range(26, 40):
        log.at(second).send(second)
    assert found(log.end()) == ("next-send", "")


def test_retries() -> None:
    """Attempts nobody asked for."""
    assert found(refused().at(21).refused(10, made_at=0.0).at(22).end()) == ("retries", "")


def test_an_attempt_counts_from_its_accept() -> None:
    """A TLS handshake that takes half a second does not make a retry of an answer to a send."""
    log = refused()
    for second in range(21, 25):
        log.at(second).send(second).after(0.1).accept().after(0.5).present(10, made_at=0.0)
        log.hub("connack", code=5, session_present=False, reason="no").closed("hub")
    assert found(log.at(26).end()) == ("next-send", "")


def test_a_machine_so_busy_that_an_answer_may_come_before_its_cause() -> None:
    """A lag of a second or more."""
    log = refused().at(21).refused(10, made_at=0.0).harness("lag", worst_ms=1000.0, over_s=1.0)
    recovered, reason = found(log.at(22).end())
    assert (recovered, reason[:35]) == (None, "the hub was late by up to 1000 ms: ")


def test_two_attempts_on_one_send() -> None:
    """The second of them was the SDK's own."""
    log = refused().at(21).send(1).after(0.01).refused(10, made_at=0.0).after(0.05).refused(10, made_at=0.0)
    assert found(log.at(22).end()) == ("retries", "")


def test_attempts_in_step_with_some_sends() -> None:
    """A back-off in whole seconds beside a send every second: each attempt comes after a send, but most sends have none."""
    log = refused()
    for second in range(21, 29):
        log.at(second).send(second)
        if second in {21, 23, 27}:
            log.after(0.1).refused(10, made_at=0.0)
    assert found(log.at(29).end()) == ("retries", "")


def test_an_attempt_that_succeeds_counts() -> None:
    """Coming back by itself is a retry too."""
    assert found(refused().at(21).connect(10)) == ("retries", "")


def test_attempts_while_closing_do_not_count() -> None:
    """What the device does while it is being closed is not a recovery."""
    log = refused().at(26).harness("command", cmd="close").after(0.01).refused(10, made_at=0.0)
    assert found(log) == ("none", "")


def test_a_send_answered_just_before_the_end() -> None:
    """It is a cause like every other, although an unanswered one there would prove nothing."""
    log = refused()
    for second in (21.0, 22.0, 22.9):
        log.at(second).send(int(second * 10)).after(0.01).refused(10, made_at=0.0)
    assert found(log.at(23).end()) == ("next-send", "")


def test_a_send_too_late_to_be_answered() -> None:
    """It is not held against the SDK."""
    log = refused().at(21).send(1).after(0.01).refused(10, made_at=0.0)
    for number in range(2, 9):
        log.at(22.9).send(number)
    assert found(log.at(23).end()) == ("next-send", "")


def test_a_send_just_before_the_refusal() -> None:
    """It may have waited for the very connection that was refused, and its attempt is no retry of the SDK's own."""
    log = (
        LogBuilder()
        .connect(10)
        .at(15)
        .cut()
        .at(19.9)
        .send(1)
        .at(20)
        .refused(10, made_at=0.0)
        .after(0.02)
        .refused(10, made_at=0.0)
    )
    assert found(log.at(26).end()) == ("next-send", "")


@pytest.mark.parametrize(("after", "expected"), [(0.25, "next-send"), (0.2501, "retries")])
def test_how_soon_an_answer_comes(after: float, expected: str) -> None:
    """Within a quarter of a second."""
    log = refused().at(21).send(1).at(21 + after).refused(10, made_at=0.0)
    assert found(log.at(23).end()) == (expected, "")


@pytest.mark.parametrize(("late", "expected"), [(1, "next-send"), (2, "retries")])
def test_how_many_answers_may_be_late(late: int, expected: str) -> None:
    """One in four: a busy machine holds a device up now and then, and an attempt of its own is not mostly in time."""
    log = refused()
    for number in range(4):
        log.at(21 + number).send(number).after(0.4 if number < late else 0.01).refused(10, made_at=0.0)
    assert found(log.at(25).end()) == (expected, "")


def test_a_late_attempt_needs_a_send_of_its_own() -> None:
    """The send before it was answered already: the SDK tried by itself."""
    log = refused()
    for number in range(4):
        log.at(21 + number).send(number).after(0.01).refused(10, made_at=0.0)
    assert found(log.after(0.4).refused(10, made_at=0.0).at(25).end()) == ("retries", "")


@pytest.mark.parametrize(("answered", "expected"), [(3, "next-send"), (2, "retries")])
def test_how_many_sends_are_answered(answered: int, expected: str) -> None:
    """Three in four, at least."""
    log = refused()
    for number in range(4):
        log.at(21 + number).send(number)
        if number < answered:
            log.after(0.01).refused(10, made_at=0.0)
    assert found(log.at(26).end()) == (expected, "")


def test_a_late_hub_makes_answers_look_like_retries() -> None:
    """An attempt 0.3 s after a send, by a hub that was 0.1 s late, may be its answer or not."""
    log = refused().at(21).send(1).at(21.3).refused(10, made_at=0.0).at(22).harness("lag", worst_ms=100.0, over_s=1.0)
    assert found(log.at(26).end()) == (
        None,
        "the hub was late by up to 100 ms: retries and answers to a send look alike",
    )


@pytest.mark.parametrize(("at", "worst_ms"), [(22, 40.0), (19, 100.0), (28, 100.0)])
def test_a_lag_that_cannot_change_it(at: float, worst_ms: float) -> None:
    """Too small, before the trouble, or after the closing."""
    log = refused().at(21).send(1).at(21.3).refused(10, made_at=0.0).at(26).harness("command", cmd="close")
    assert found(log.at(at).harness("lag", worst_ms=worst_ms).harness("lag").at(29).end()) == ("retries", "")


def test_what_a_new_token_brings_about_is_no_matter_of_the_refusal() -> None:
    """The application supplies another one, and the device is back at once: it had tried nothing until then."""
    log = refused().at(27).harness("token-supplied").after(0.01).connect(60)
    assert found(log.at(35).end()) == ("none", "")
