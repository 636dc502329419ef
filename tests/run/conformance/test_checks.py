"""The checks of a device program, held against acts that are right but for one thing."""

from collections.abc import Sequence

import pytest
from support.conformance_acts import (
    BAD,
    C2D,
    CONNACK,
    COURSE,
    CUT,
    EXIT,
    GREETING,
    HANG_UP,
    HELLO,
    HOLD,
    LOG,
    METHOD,
    OPEN,
    OPENED,
    REFUSED,
    RELEASE,
    STATUS,
    WRONG_KEY,
    Told,
    act,
    arrives,
    closing,
    failure,
    instead,
    line,
    send,
    sent,
    without,
)  # fmt: skip

from harness.run.conformance.checks import CHECKS, findings
from harness.run.conformance.record import Act, Finding


def finding(check: str, *acts: Act) -> Finding:
    """The only finding of that check."""
    (found,) = [one for one in findings(acts) if one.check == check]
    return found


def verdict(check: str, told: Sequence[Told]) -> tuple[str, str]:
    """State and sentence of a check about the course."""
    found = finding(check, act(told))
    return found.state, found.found


def hello(**changes: object) -> Told:
    """A hello with other words."""
    return HELLO[0], HELLO[1], {**HELLO[2], **changes}


def opened(**settings: object) -> Told:
    """An `opened` that echoes these settings."""
    return "app", "opened", {"settings": settings}


ALL_RIGHT = [
    act(GREETING, "greeting"), act(COURSE), act(WRONG_KEY, "refused"), act(WRONG_KEY, "malformed"), act(HANG_UP, "hang-up"),
]  # fmt: skip


def test_a_good_program_has_nothing_against_it() -> None:
    """Every check is tried, and right, without a remedy."""
    found = findings(ALL_RIGHT)
    assert {one.check for one in found} == {check.name for check in CHECKS}
    assert [one for one in found if one.state != "right" or one.remedy] == []


def test_each_transport_has_findings_of_its_own() -> None:
    """One that is wrong over one of them is right over the other."""
    other = Act("course", "amqp", act(without(COURSE, "method")).events)
    found = [
        (one.transport, one.state) for one in findings([act(COURSE), other]) if one.check == "direct methods arrive"
    ]
    assert found == [("mqtt", "right"), ("amqp", "wrong")]


def test_what_is_wrong_names_its_clause_and_the_remedy() -> None:
    """The author knows where to read and what to do."""
    found = finding("`sent` is true", act(instead(COURSE, sent(2))))
    assert found.remedy == ""
    wrong = finding("`sent` is true", act([*COURSE, sent(9)]))
    assert (wrong.clause, wrong.remedy[:11]) == ("Events, `sent`", "Report `sen")


def test_what_this_machine_cannot_play_is_not_tested() -> None:
    """With the machine's reason."""
    found = finding("`opened` is true", act([], problem="port 443 may not be bound"))
    assert (found.state, found.found) == ("not tested", "port 443 may not be bound")


def test_a_program_that_cannot_introduce_itself_is_told_why_and_nothing_else() -> None:
    """One thing is wrong beside the limits; the rest is not tested."""
    found = findings([act([closing()], "greeting", failure="it crashed")])
    assert {one.check for one in found if one.state == "wrong"} == {"introduces itself", "keeps the limits"}
    assert finding("introduces itself", act([], "greeting")).found == "it said nothing"
    for check in ("names known words", "names the transports asked for", "answers what is no command"):
        assert finding(check, act([], "greeting")).state == "not tested"


@pytest.mark.parametrize(
    ("changes", "state", "part"),
    [
        ({"transports": []}, "wrong", "names no transport"),
        ({"transports": ["mqtt", "coap"]}, "wrong", "`transports` names coap"),
        ({"capabilities": ["magic"]}, "note", "`capabilities` names magic"),
        ({"capabilities": []}, "right", "nothing optional"),
        ({"capabilities": "none"}, "right", "nothing optional"),
    ],
)
def test_words_of_hello(changes: dict[str, object], state: str, part: str) -> None:
    """Unknown transports are wrong, unknown capabilities only worth knowing."""
    found = finding("names known words", act([hello(**changes)], "greeting"))
    assert (found.state, part in found.found) == (state, True)


@pytest.mark.parametrize(
    ("asked", "state", "part"),
    [
        (("mqtt", "amqp", "amqp-ws"), "wrong", "does not name amqp, amqp-ws"),
        (("mqtt",), "right", "names mqtt"),
        ((), "right", "names mqtt"),
    ],
)
def test_a_transport_that_was_asked_for_and_not_tested_is_not_passed_over(
    asked: tuple[str, ...], state: str, part: str
) -> None:
    """The exit code has to tell it from one that is right; without a profile the program itself says what there is."""
    found = finding("names the transports asked for", act([HELLO], "greeting", asked=asked))
    assert (found.state, part in found.found) == (state, True)


@pytest.mark.parametrize(
    ("answers", "state", "part"),
    [
        ((), "wrong", "no `bad_command` came in answer to a line that is no JSON"),
        ((BAD, BAD), "wrong", "more than one"),
    ],
)
def test_answers_to_what_is_no_command(answers: tuple[Told, ...], state: str, part: str) -> None:
    """One each: not none, not two."""
    told = [HELLO, *line("garbage", *answers), *line("unknown", BAD)]
    found = finding("answers what is no command", act(told, "greeting"))
    assert (found.state, part in found.found) == (state, True)


def test_a_line_that_was_never_given_up_is_answered_until_the_end() -> None:
    """The program failed meanwhile."""
    found = finding("answers what is no command", act([HELLO, *line("garbage", BAD)[:-1]], "greeting"))
    assert found.state == "right"


@pytest.mark.parametrize("check", ["`open` does not block the command loop", "`send` does not block the command loop"])
def test_a_command_loop_that_waits_is_caught(check: str) -> None:
    """No answer to an unknown command while the hub was silent."""
    assert verdict(check, without(COURSE, "bad_command"))[0] == "wrong"
    assert verdict(check, [HELLO])[0] == "not tested"
    assert verdict(check, [HELLO, HOLD, RELEASE, HOLD, RELEASE])[0] == "not tested"


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ([HELLO, OPENED], "`opened` was reported although the hub had let nobody in"),
        ([HELLO, HOLD, OPENED, CONNACK, RELEASE], "`opened` was reported although the hub had not answered yet"),
        ([HELLO, HOLD, OPENED], "`opened` was reported although the hub had not answered yet"),
        ([HELLO, REFUSED], "`open_failed` came instead: AuthError: no <- Cause"),
        ([HELLO], "neither `opened` nor `open_failed` came"),
    ],
)
def test_an_opened_that_is_not_true(told: list[Told], found: str) -> None:
    """Before the hub's answer, without one, or none at all."""
    assert verdict("`opened` is true", told) == ("wrong", found)


def test_opened_after_a_put_token() -> None:
    """So the hub lets devices in over AMQP."""
    told: list[Told] = [HELLO, ("hub", "put-token-answered", {"status": 200}), OPENED]
    assert verdict("`opened` is true", told)[0] == "right"


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"transport": "mqtt", "connection_string": "x"}, "`settings` echoes connection_string"),
        ({"transport": "mqtt", "c2d": True, "methods": True}, "`settings` does not echo lifetime_s"),
        (
            {"transport": "mqtt", "lifetime_s": 60, "c2d": True, "methods": True},
            "`settings` says lifetime_s = 60 instead of 1800.0",
        ),
    ],
)
def test_settings_that_are_not_echoed(settings: dict[str, object], found: str) -> None:
    """Secrets, what is missing, what is another value."""
    assert verdict("`opened` echoes the settings", [HELLO, OPEN, opened(**settings)]) == ("wrong", found)


@pytest.mark.parametrize(
    ("left_s", "state"), [(1799.0, "right"), (1740.5, "right"), (3600.0, "wrong"), (None, "not tested")]
)
def test_the_lifetime_in_the_token(left_s: float | None, state: str) -> None:
    """Within a minute of what was asked for, as the hub sees it."""
    token = {"left_s": left_s} if left_s else None
    assert verdict("the lifetime is used", [HELLO, OPEN, ("hub", "connect", {"token": token})])[0] == state


def test_a_lifetime_that_was_not_set_is_not_tested() -> None:
    """The capability is not named; or `open` was never sent."""
    told: list[Told] = [HELLO, ("harness", "command", {"cmd": "open", "transport": "mqtt"})]
    assert verdict("the lifetime is used", told) == ("not tested", "the capability `lifetime` is not named")
    assert verdict("the lifetime is used", [HELLO])[0] == "not tested"


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (
            [HELLO, HOLD, RELEASE, HOLD, send(1), sent(1), *arrives(1), RELEASE],
            "`sent` was reported for 1 although the hub had acknowledged nothing; 1 had not even reached it",
        ),
        (
            [HELLO, HOLD, RELEASE, HOLD, send(1), *arrives(1), sent(1), RELEASE],
            "`sent` was reported for 1 although the hub had acknowledged nothing",
        ),
        (
            [HELLO, send(1), arrives(1)[0], sent(1), arrives(1)[1]],
            "`sent` was reported for 1 although the hub had acknowledged nothing",
        ),
        ([HELLO, send(1), sent(1)], "`sent` was reported for 1 although the hub had acknowledged nothing; 1 had not even reached it"),
    ],
)  # fmt: skip
def test_lies_about_acknowledgements_are_caught(told: list[Told], found: str) -> None:
    """While they are held back, before they are made, without the message."""
    assert verdict("`sent` is true", told) == ("wrong", found)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ([HELLO, send(1), *arrives(1, qos=0), sent(1)], "note"),
        ([HELLO, send(1), *arrives(1, settled=True), sent(1)], "note"),
        ([HELLO, send(1), *arrives(1), sent(1)], "not tested"),
        ([HELLO, send(1)], "not tested"),
    ],
)
def test_what_cannot_be_held_against_sent(told: list[Told], state: str) -> None:
    """An SDK that asks for no acknowledgement; a program that was never tried."""
    assert verdict("`sent` is true", told)[0] == state


@pytest.mark.parametrize(
    ("told", "state", "part"),
    [
        ([HOLD, send(1), *arrives(1), closing(silently=True), sent(1)], "wrong", "once the program was to end"),
        ([HOLD, send(1), ("app", "send_failed", {"id": 1})], "right", "`send_failed` was reported"),
        ([HELLO], "not tested", "did not get that far"),
    ],
)
def test_a_send_that_is_cut_off(told: list[Told], state: str, part: str) -> None:
    """Waiting long does not make it true."""
    found = finding("what is cut off is not `sent`", act(told, "hang-up"))
    assert (found.state, part in found.found) == (state, True)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ([send(1), sent(7)], "an id came back that no `send` had: 7"),
        ([send(1), sent(1), sent(1)], "more than one `sent` or `send_failed` came for 1"),
        ([send(1)], "neither `sent` nor `send_failed` came for 1, which the hub had acknowledged"),
        ([send(1), ("app", "send_failed", {"id": 1})], "`send_failed` although the hub was there and answered: 1"),
    ],
)
def test_each_send_ends_once(told: list[Told], found: str) -> None:
    """With its own id, once."""
    assert verdict("each send ends once", told) == ("wrong", found)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ([send(1), *arrives(1), *arrives(1)], "messages reached the hub that no `send` asked for: 1"),
        ([send(1), *arrives(1), *arrives(5), *arrives(5)], "messages reached the hub that no `send` asked for: 5 (2 times)"),
        ([send(1)], "a `send` did not reach the hub: message 1"),
        ([send(1), *arrives(1, size=40)], 'the body of message 1 is not `{"id":<id>}`: it has 40 bytes'),
    ],
)  # fmt: skip
def test_what_is_added_or_retried_is_caught(told: list[Told], found: str) -> None:
    """Messages at the hub equal sends."""
    assert verdict("adds and retries nothing", told) == ("wrong", found)


def test_what_is_sent_again_after_the_cut_is_the_sdks_own() -> None:
    """It may send again what it does not know to have arrived."""
    assert verdict("adds and retries nothing", [send(1), *arrives(1), CUT, *arrives(1)])[0] == "right"


@pytest.mark.parametrize("check", ["each send ends once", "adds and retries nothing"])
def test_without_a_send_there_is_nothing_to_say(check: str) -> None:
    """The program did not get that far."""
    assert verdict(check, [HELLO])[0] == "not tested"


@pytest.mark.parametrize(
    ("told", "state", "part"),
    [
        (without(C2D, "c2d"), "wrong", "no `c2d` was reported"),
        ([*C2D, C2D[1]], "wrong", "2 times"),
        (without(C2D, "c2d-acknowledged"), "wrong", "not acknowledged"),
        ([HELLO], "not tested", "did not get that far"),
    ],
)
def test_c2d(told: list[Told], state: str, part: str) -> None:
    """Reported once and completed."""
    found = verdict("C2D messages arrive", told)
    assert (found[0], part in found[1]) == (state, True)


def test_a_method_answered_with_another_status() -> None:
    """It has to be 200."""
    told: list[Told] = [*METHOD[:2], ("hub", "method-answered", {"status": 500})]
    assert verdict("direct methods arrive", told) == ("wrong", "the direct method was answered with status 500")


@pytest.mark.parametrize(
    ("told", "state", "part"),
    [
        ([CUT], "note", "no `status` was reported at all"),
        ([STATUS, CUT], "note", "not when the hub ended the connection"),
        ([HELLO], "not tested", ""),
    ],
)
def test_statuses(told: list[Told], state: str, part: str) -> None:
    """An SDK may have none, so their absence is worth knowing and not wrong."""
    found = verdict("status callbacks arrive", told)
    assert (found[0], part in found[1]) == (state, True)


@pytest.mark.parametrize(
    ("told", "state", "part"),
    [
        ([HELLO, OPENED], "wrong", "although the hub had refused the key"),
        ([HELLO], "wrong", "nothing was reported"),
        ([HELLO, REFUSED, REFUSED], "wrong", "came 2 times"),
        ([HELLO, ("app", "open_failed", {"error": []})], "wrong", "tells no class"),
        ([HELLO, STATUS], "note", "the refusal shows in `status` only (lost)"),
        ([HELLO, ("app", "status", {"status": "off", "reason": "BAD"})], "note", "(off/BAD)"),
    ],
)
def test_a_refused_key(told: list[Told], state: str, part: str) -> None:
    """`open_failed` with its causes, or, where the SDK has no such result, its status."""
    found = finding("a refused key is reported", act(told, "refused"))
    assert (found.state, part in found.found) == (state, True)


@pytest.mark.parametrize(("told", "part"), [([HELLO, OPENED], "`opened`"), ([HELLO], "nothing was reported")])
def test_a_client_that_cannot_be_made(told: list[Told], part: str) -> None:
    """An exception while it is made is `open_failed`."""
    found = finding("a client that cannot be made is reported", act(told, "malformed"))
    assert (found.state, part in found.found) == ("wrong", True)


def test_open_failed_does_not_end_the_program() -> None:
    """It still answers."""
    found = finding("lives on after `open_failed`", act([HELLO, REFUSED, *line("unknown")], "refused"))
    assert found.state == "wrong"
    assert finding("lives on after `open_failed`", act([HELLO], "refused")).state == "not tested"


@pytest.mark.parametrize(
    ("told", "fails", "state", "part"),
    [
        ([HELLO, OPENED, closing(), EXIT], "", "wrong", "neither `closed` nor `close_failed`"),
        ([HELLO, OPENED, closing(), failure("too late")], "too late", "wrong", "too late"),
        ([HELLO, OPENED, failure("died"), closing()], "died", "not tested", "did not get that far: died"),
        ([HELLO, closing(), EXIT], "", "right", "exit with code 0 after 1.0 s"),
    ],
)
def test_the_end(told: list[Told], fails: str, state: str, part: str) -> None:
    """Reported, within the limit; a death before it belongs to the limits."""
    found = finding("`close` ends it", act(told, failure=fails))
    assert (found.state, part in found.found) == (state, True)


def test_hanging_up_on_a_program_that_never_opened_shows_nothing() -> None:
    """It is about a send that waits."""
    assert finding("the end of stdin ends it", act([HELLO], "hang-up")).state == "not tested"


def test_noise_on_stdout() -> None:
    """Of all acts together, with the first line of it."""
    noise: Told = ("harness", "adapter-noise", {"text": "Connecting…"})
    found = finding("stdout carries events only", act(GREETING, "greeting"), act([HELLO, noise, noise]))
    assert (found.state, found.found) == ("wrong", "2 lines on stdout are no events, the first: 'Connecting…'")


def test_a_log_that_is_not_on_stderr() -> None:
    """Worth knowing once a client was open; what is logged in any act counts."""
    assert finding("the SDK's log is on stderr", act([HELLO, OPENED])).state == "note"
    assert finding("the SDK's log is on stderr", act([HELLO])).state == "not tested"
    assert finding("the SDK's log is on stderr", act([HELLO, OPENED]), act([HELLO, LOG])).state == "right"


def test_secrets() -> None:
    """Where they were written, once each."""
    leaks = ("stderr", "stdout (in an event)")
    found = finding("no secret is written", act([HELLO], leaks=leaks), act([HELLO], leaks=("stderr",)))
    assert (found.state, found.found) == ("wrong", "a key or a signature was written to stderr; stdout (in an event)")


def test_a_limit_names_the_last_line_on_stderr() -> None:
    """A program that died says there why."""
    found = finding("keeps the limits", act([HELLO, LOG], failure="it died"))
    assert found.found == "it died; the last line there: INFO connected"
