"""The emulated device's parts, each by itself: outbox, retries, credential, topics, link, reports."""

from random import Random
from typing import Any

import msgspec
import pytest
from support.device_world import START, open_command, own_token, profile_of

from harness.device import topics
from harness.device.actions import Dial, Hangup, Write
from harness.device.credential import Credential
from harness.device.link import Called
from harness.device.mqtt_link import MqttLink
from harness.device.opening import Opening, parse_open
from harness.device.outbox import IN_FLIGHT_MAX, Outbox
from harness.device.phases import Outcome, Purpose, Step, next_step
from harness.device.reports import Reports
from harness.device.retry import Retry
from harness.emulation import AppSignal, Emulation, Signals
from harness.law import Law


def emulation(**changes: Any) -> Emulation:
    """Python's emulation with `changes`."""
    return msgspec.structs.replace(profile_of("python").emulation, **changes)


def opening(**fields: Any) -> Opening:
    """What an open command asks of a device with every margin setting."""
    changed = msgspec.structs.replace(
        profile_of("node"), emulation=emulation(margin_setting=fields.pop("margin", "none"))
    )
    return parse_open(open_command(**fields), changed, "mqtt")


def credential(changed: Emulation, opened: Opening, now: float) -> Credential:
    """A token of an SDK that is over MQTT what `changed` says."""
    return Credential(changed, changed, opened, now)


RENEWAL_RETRIES = {"after_failed_renewal": "retries-until-renewal"}


@pytest.mark.parametrize(
    ("purpose", "changes", "refused", "unreachable"),
    [
        (Purpose.OPEN, {}, Step.OPEN_FAILS, Step.OPEN_FAILS),
        (Purpose.OPEN, {"signals": Signals(), "after_refusal": "gives-up"}, Step.GIVE_UP, Step.RETRY),
        (Purpose.OPEN, {"signals": Signals(), "after_refusal": "retries"}, Step.RETRY, Step.RETRY),
        (Purpose.RENEWAL, RENEWAL_RETRIES | {"after_refusal": "gives-up"}, Step.RETRY, Step.RETRY),
        (Purpose.RENEWAL, {"after_failed_renewal": "as-after-drop"}, Step.GIVE_UP, Step.RETRY),
        (Purpose.RESTORE, RENEWAL_RETRIES | {"after_refusal": "gives-up"}, Step.GIVE_UP, Step.RETRY),
        (Purpose.RESTORE, {"after_refusal": "retries"}, Step.RETRY, Step.RETRY),
        (Purpose.MESSAGE, {"after_refusal": "gives-up"}, Step.GIVE_UP, Step.GIVE_UP),
        (Purpose.MESSAGE, {"after_refusal": "retries"}, Step.RETRY, Step.GIVE_UP),
    ],
)
def test_what_follows_an_attempt_that_came_to_nothing(
    purpose: Purpose, changes: dict[str, Any], refused: Step, unreachable: Step
) -> None:
    """The table of `phases`, row by row."""
    changed = emulation(**changes)
    assert next_step(purpose, Outcome.REFUSED, changed, changed, own_token=False) is refused
    assert next_step(purpose, Outcome.UNREACHABLE, changed, changed, own_token=False) is unreachable
    assert next_step(purpose, Outcome.NO_TRANSPORT, changed, changed, own_token=False) is unreachable


def test_a_message_that_finds_nobody_there() -> None:
    """May be kept, and tried again for."""
    changed = emulation(send_without_transport="retries")
    steps = [next_step(Purpose.MESSAGE, outcome, changed, changed, own_token=False) for outcome in Outcome]
    assert steps == [Step.GIVE_UP, Step.GIVE_UP, Step.RETRY]


@pytest.mark.parametrize(("own_token", "step"), [(True, Step.GIVE_UP), (False, Step.RETRY)])
def test_a_token_of_the_applications_own_may_be_given_up_sooner(own_token: bool, step: Step) -> None:  # noqa: FBT001 - a table
    """`own_token_after_refusal` goes before `after_refusal`."""
    changed = emulation(after_refusal="retries", own_token_after_refusal="gives-up")
    assert next_step(Purpose.RESTORE, Outcome.REFUSED, changed, changed, own_token=own_token) is step


def flush(outbox: Outbox, *, first_key: int = 1) -> list[int]:
    """Let all messages out that may go, under keys from `first_key` on."""
    released: list[int] = []
    while (number := outbox.next()) is not None:
        outbox.sent(first_key + len(released), number)
        released.append(number)
    return released


def test_outbox_keeps_back_what_exceeds_the_window() -> None:
    """More messages than the window wait until acknowledgements come."""
    outbox = Outbox("same-packet")
    for number in range(IN_FLIGHT_MAX + 2):
        outbox.add(number)
    assert (len(flush(outbox)), outbox.is_waiting) == (IN_FLIGHT_MAX, True)
    assert outbox.acknowledge(1) == 0
    assert flush(outbox) == [IN_FLIGHT_MAX]


def test_outbox_gives_up_in_order() -> None:
    """In flight first, then waiting; afterwards it is empty."""
    outbox = Outbox("new-message")
    outbox.add(1)
    flush(outbox)
    outbox.add(2)
    assert outbox.give_up() == [1, 2]
    assert outbox.is_settled
    assert outbox.give_up() == []


def test_new_messages_wait_again_before_later_ones() -> None:
    """After a loss the unacknowledged come first, in their old order."""
    outbox = Outbox("new-message")
    for number in (1, 2):
        outbox.add(number)
    flush(outbox)
    outbox.add(3)
    assert outbox.connection_lost() == []
    assert outbox.resend() == ()
    assert outbox.give_up_waiting() == [1, 2, 3]


def test_what_never_comes_back_is_named_at_the_loss() -> None:
    """And only what was in flight."""
    outbox = Outbox("never")
    outbox.add(1)
    flush(outbox)
    outbox.add(2)
    assert outbox.connection_lost() == [1]
    assert outbox.connection_lost() == []
    assert outbox.give_up() == [2]


def test_the_same_packets_come_again_once_on_each_connection() -> None:
    """Neither what was acknowledged meanwhile nor what this connection carried first."""
    outbox = Outbox("same-packet")
    for number in (1, 2):
        outbox.add(number)
    flush(outbox)
    assert outbox.resend() == ()
    outbox.connection_lost()
    outbox.add(3)
    flush(outbox, first_key=3)
    outbox.acknowledge(1)
    assert outbox.resend() == (2,)
    assert outbox.resend() == ()
    outbox.connection_lost()
    assert outbox.resend() == (2, 3)


def test_retry_follows_its_schedule_and_limit() -> None:
    """The last wait repeats; no attempt begins after the limit; an end starts afresh."""
    retry = Retry(emulation(refused_retry_s=(1.0, 2.0), retry_limit_s=6.0, reconnect_delay_s=0.5), Random(0))
    assert retry.begin(100.0) == 0.5
    assert [retry.again(100.5), retry.again(101.5), retry.again(103.5), retry.again(105.5)] == [1.0, 2.0, 2.0, None]
    assert retry.has_failed
    retry.end()
    assert not retry.has_failed
    assert retry.again(200.0) == 1.0


def test_retry_jitter_comes_from_the_given_random() -> None:
    """Waits vary within the fraction, and repeat with the seed."""

    def waits(seed: int) -> list[float | None]:
        retry = Retry(emulation(refused_retry_s=(10.0,), refused_retry_jitter=0.2), Random(seed))
        return [retry.again(0.0) for _ in range(20)]

    assert waits(1) == waits(1) != waits(2)
    assert all(wait is not None and 8 <= wait <= 12 for wait in waits(1))


@pytest.mark.parametrize(
    ("law", "lifetime", "point"),
    [
        (Law(law="margin", seconds=120), 130, 10),
        (Law(law="fraction", fraction=0.5), 130, 65),
        (Law(law="lifespan", seconds=10), 130, 140),
        (Law(law="hub-cut"), 130, None),
        (Law(law="none"), 130, None),
    ],
)
def test_renewal_laws(law: Law, lifetime: float, point: float | None) -> None:
    """Each law's instant in the token's life."""
    made = credential(emulation(renewal=law, renewal_quantum_s=0.0), opening(lifetime_s=lifetime), START)
    assert made.renewal_at() == (None if point is None else START + point)


@pytest.mark.parametrize(
    ("needs", "fraction", "looks"),
    [("reached", 0.5, 10), ("passed", 0.5, 11), ("reached", 0.51, 11), ("passed", 0.51, 11)],
)
def test_renewal_needs_the_point_reached_or_passed(needs: str, fraction: float, looks: float) -> None:
    """With a look a second, 20 s: 10 s is reached at 10 and passed at 11."""
    changed = emulation(renewal=Law(law="fraction", fraction=fraction), renewal_quantum_s=1.0, renewal_needs=needs)
    assert credential(changed, opening(lifetime_s=20), START).renewal_at() == START + looks


@pytest.mark.parametrize(
    ("margin", "fields", "has_effect", "point"),
    [
        ("margin-s", {"margin_s": 20}, True, 80),
        ("margin-s", {"margin_s": 20}, False, 50),
        ("margin-percent", {"margin_percent": 30}, True, 70),
        ("margin-percent", {"margin_percent": 30}, False, 50),
        ("none", {"margin_s": 20, "margin_percent": 30}, True, 50),
    ],
)
def test_margin_settings(margin: str, fields: dict[str, Any], has_effect: bool, point: float) -> None:  # noqa: FBT001 - a table
    """A margin counts where the SDK has that setting and it has an effect."""
    changed = emulation(renewal=Law(law="fraction", fraction=0.5), renewal_quantum_s=0.0, margin_has_effect=has_effect)
    made = credential(changed, opening(margin=margin, lifetime_s=100, **fields), START)
    assert made.renewal_at() == START + point


def test_an_own_token_stays_as_it_is() -> None:
    """Renewing it restarts the count only."""
    token = own_token(100)
    changed = emulation(own_token_renewal=Law(law="fraction", fraction=0.5), renewal_quantum_s=0.0)
    made = credential(changed, opening(token=token), START)
    made.renew(START + 1000)
    assert made.text == token
    assert made.renewal_at() == START + 1000 + 1800
    assert made.notice_at() == int(START + 100) - 120


def test_a_key_has_no_notice() -> None:
    """Only an application that supplies tokens is asked for one."""
    assert credential(emulation(), opening(), START).notice_at() is None
    assert credential(emulation(own_token_notice_s=None), opening(token=own_token(9)), START).notice_at() is None


@pytest.mark.parametrize("topic", ["$iothub/methods/POST/x", "$iothub/methods/POST//?$rid=1", "a/b", "x/?$rid=1"])
def test_no_method_call(topic: str) -> None:
    """A topic without name or request id is no call."""
    assert topics.method_call(topic) is None


def mqtt_link() -> MqttLink:
    """A link that has no transport."""
    return MqttLink(emulation(), "fin")


def test_the_same_packets_keep_their_identifiers() -> None:
    """They come with DUP; a new connection frees the identifiers of requests only."""
    link = mqtt_link()
    link.dial()
    link.connected(opening(), own_token(9), START)
    link.receive(b"\x20\x02\x00\x00", START)
    list(link.events(START))
    key = link.send(1, START)
    assert link.listen({"c2d"}, START)
    link.lost()
    link.connected(opening(), own_token(9), START)
    link.receive(b"\x20\x02\x01\x00", START)
    list(link.events(START))
    link.actions()
    link.resend([key], START)
    link.write()
    (again,) = link.actions()
    assert isinstance(again, Write)
    assert again.data[0] == 0x3A
    assert link.send(2, START) not in (key, 0)
    assert link.listen({"c2d"}, START)


def test_a_link_without_a_connection_sends_nothing() -> None:
    """What the device says without a transport goes nowhere, the end included."""
    link = mqtt_link()
    link.answer(Called("m", "1", "1"), START)
    link.listen({"c2d"}, START)
    link.renew("x", START)
    link.on_time(START)
    link.receive(b"x", START)
    assert (list(link.events(START)), link.next_deadline(), link.is_renewing) == ([], None, False)
    link.leave(START)
    assert link.actions() == []


def test_a_dial_waits_for_the_end_of_the_transport_before() -> None:
    """One transport at a time; a close meanwhile calls it off."""
    link = mqtt_link()
    link.dial()
    link.close(START)
    link.dial()
    assert link.actions() == [Dial(), Hangup("fin")]
    assert link.lost()
    assert link.actions() == [Dial()]
    link.close(START)
    link.dial()
    link.abort()
    assert not link.lost()
    assert link.actions() == [Hangup("fin")]


def test_a_failure_the_profile_has_no_words_for_is_reported_all_the_same() -> None:
    """Every message ends in an event, with an error chain."""
    reports = Reports(profile_of("python"))
    reports.drain()
    reports.fail([3], [AppSignal(event="status", status="x"), AppSignal(log="line")], START)
    failed, status, log = reports.drain()
    assert (failed["event"], failed["id"]) == ("send_failed", 3)
    assert failed["error"] == [{"class": "unknown", "message": "the profile does not say"}]
    assert (status["status"], log["text"]) == ("x", "line")
    assert "id" not in status
