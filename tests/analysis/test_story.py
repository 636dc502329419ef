"""The story of a cell."""

import re
from typing import Any

import pytest
from support.analysis_logs import LogBuilder, early_renewal, header, renews_in_place, stale_token, waits_for_the_cut

from harness.analysis.story import ENDS, Story, story
from harness.analysis.troubles import TROUBLES


def told(log: LogBuilder) -> Story:
    """The story of what was built."""
    return story(log.log())


def lines(log: LogBuilder) -> list[str]:
    """Its sentences, with their moments."""
    return [f"{line.at_s:.2f} {line.text}" for line in told(log).lines]


def cut_at_10() -> LogBuilder:
    """A device whose connection ended at 10 s."""
    return LogBuilder(header("expiry")).connect(60).at(10).cut("fault", ("404104",))


def matching(log: LogBuilder, pattern: str) -> list[str]:
    """The sentences in which something is found."""
    return [line for line in lines(log) if re.search(pattern, line)]


def test_the_story_of_an_expired_token() -> None:
    """From the first connection to the end, every repetition told once."""
    found = told(stale_token())
    assert lines(stale_token()) == [
        "0.02 The hub let the device in, by its CONNECT, with a token that ends at 9.8 s.",
        "0.02 The application's client was open.",
        "0.02 The application sent messages 1 to 14; all reached the hub.",
        "14.75 The hub ended the device's stay, since its token had expired. The hub logged 401003, then 404104.",
        "14.75 The application was told: on_connection_state_change False.",
        "14.75 The application was told: on_background_exception: ConnectionDroppedError.",
        "14.76 The device tried to come back, and was refused: not-authorized (CONNACK 5, “no”).",
        "14.76 The application was told: on_background_exception: UnauthorizedError.",
        "15.50 The application sent messages 15 to 26, about one a second; none of them ever reached the hub.",
        "15.50 12 more such attempts until 26.5 s, about one a second, each after a send.",
        "15.51 The application was told: send_failed: CredentialError <- UnauthorizedError (12 times until 26.5 s, about one a second).",
        "27.00 The device was not back when the cell was closed, 12.3 s after the trouble began.",
    ]
    assert found.about == (
        "The real An SDK 1.0 over mqtt, in the scenario expiry: A fixed token nobody renews expires while the application sends.",
        "The application hands it a token for 10 s; the SDK cannot make another.",
        "The hub keeps a connection for 5 s after its token has expired.",
        "The application sends a message every 1 s, and listens for C2D messages and direct methods.",
    )
    assert found.ending == (
        "Of 26 messages, 14 reached the hub and 12 failed (the application was told).",
        "In short: token-expired → refused: not-authorized. How the application was told: callback, exception on next call.",
        "The harness closed the client at 27 s; the cell is finished.",
    )
    assert (found.complete, found.told, len(found.episodes)) == (True, ("callback", "exception on next call"), 1)


def test_every_end_has_its_sentence() -> None:
    """Whatever ended the stay."""
    ends = [name for name in TROUBLES if not name.startswith(("refused", "unanswered", "network: tls"))]
    assert set(ENDS) == set(ends)


def test_what_happens_again_is_told_once() -> None:
    """The second cut, and what the application was told of it."""
    log = waits_for_the_cut(cuts=3)
    assert matching(log, "same happened") == [
        "51.61 The same happened 2 more times, at 51.6 and 77.5 s, and took 310 ms."
    ]
    assert len(matching(log, "EXPIRED_SAS_TOKEN .3 times until 77.5 s, about one every 25.9 s")) == 1
    assert matching(waits_for_the_cut(), "same happened") == [
        "51.61 The same happened once more, at 51.6 s, and took 310 ms."
    ]


def test_a_renewal_by_reconnecting() -> None:
    """The device takes leave and comes back."""
    assert matching(early_renewal(), "took leave|back") == [
        "10.05 The device took leave, to come back with a new token. The hub logged disconnect.",
        "10.05 The device was back with a new token, 4 ms after it had left.",
    ]
    assert told(early_renewal()).ending[1] == "Of 2 C2D messages, 2 shown to the application."


def test_renewals_in_place() -> None:
    """Nobody notices; the second is told with the first."""
    assert matching(renews_in_place(), "renew") == [
        "10.05 The device renewed its token in place, by put-token, answered after 2 ms: the application noticed nothing.",
        "20.05 1 more such renewal, at 20.1 s.",
    ]


def test_a_renewal_in_place_that_was_noticed() -> None:
    """With what was."""
    log = LogBuilder(header(settings={"lifetime_s": 60.0}, transport="amqp", lacks=["answer-times"])).enter(60).at(10)
    log.renew(60).status("Renewed").at(30).renew(60).status("Again").at(50).end()
    assert matching(log, "in place") == [
        "10.00 The device renewed its token in place, by put-token: the application saw Renewed.",
        "30.00 The device renewed its token in place, by put-token: the application saw Again.",
    ]


def test_a_refused_renewal_in_place() -> None:
    """Made up for, or not."""
    log = LogBuilder(header(transport="amqp")).enter(60).at(10).renew(60, 401)
    assert matching(log.at(20).renew(60).at(30), "presented|trouble") == [
        "10.00 The device presented a token, and was refused: not-authorized (401).",
        "20.00 Then a new token was accepted, 10 s after the trouble began.",
    ]
    never = LogBuilder(header(transport="amqp")).enter(60).at(10).renew(60, 401).at(30).end()
    assert matching(never, "trouble") == [
        "30.00 The device had no new token when the cell was closed, 20 s after the trouble began."
    ]


def test_a_device_that_is_never_let_in() -> None:
    """Nor knows anybody why."""
    log = LogBuilder().at(1).refused(60).at(2).accept().present(60).at(9).end()
    assert matching(log, "asked|let in") == [
        "1.00 The device asked to be let in, and was refused: not-authorized (CONNACK 5, “no”).",
        "2.00 The device asked to be let in, and nobody answered.",
        "9.00 The device had not been let in when the cell was closed, 8 s after the trouble began.",
    ]


def test_a_device_that_is_let_in_at_last() -> None:
    """Without a token that could be read; the door was the first obstacle."""
    log = LogBuilder().at(1).hub("tls-failed", reason="unknown CA").at(2).connect(None).at(9).end()
    assert lines(log)[:3] == [
        "1.00 The device asked to be let in, and got no further than TLS (“unknown CA”).",
        "1.00 Of all this the application was told nothing.",
        "2.00 The hub let the device in, by its CONNECT, with nothing that the log can show of a token.",
    ]
    assert matching(log, "trouble") == ["2.00 The device was let in, 1 s after the trouble began."]


def test_silence_and_the_sdks_own_log() -> None:
    """A line of it, and how many there are."""
    log = cut_at_10().after(0.1).emit("sdk-log", "line", text="ERROR " + "lost " * 60)
    log.emit("sdk-log", "line", text="ERROR again").at(12).connect(60, made_at=0.0).at(20).end()
    (line,) = matching(log, "own log")
    assert line.startswith("10.10 The SDK's own log speaks of it (2 times): “ERROR lost lost")
    assert line.endswith("lost …”")
    assert matching(log, "nothing") == ["10.00 Of all this the application was told nothing."]
    assert matching(log, "back with") == [
        "12.00 The device was back with the same token, by itself, 2 s after the trouble began."
    ]


def test_what_the_hub_logged() -> None:
    """Nothing is an answer; where the log has no records, it is none."""
    silent = LogBuilder(header("expiry")).connect(60).at(10).cut("fault", ())
    assert "The hub logged nothing of it." in matching(silent.at(20).end(), "ended")[0]
    hidden = LogBuilder(header("expiry", lacks=["hub-log"])).connect(60).at(10).cut("fault", ()).at(20).end()
    assert matching(hidden, "ended") == ["10.00 The connection ended, although the token was good."]


def test_what_the_application_is_told_while_its_client_is_closed() -> None:
    """Too late to be news; all at once."""
    log = cut_at_10().at(15).harness("command", cmd="close")
    for number in range(3):
        log.failure("send_failed", "a.b.Cancelled", id=number)
    assert matching(log.end(), "While") == [
        "15.00 While its client was being closed, the application was told: send_failed: Cancelled (3 times at once)."
    ]


def test_single_messages() -> None:
    """One that arrives, one that does not, and a few of many."""
    log = LogBuilder().connect(60).send(1).arrives(1).at(10).cut("fault").send(2).at(11).connect(60)
    log.send(3).send(4).arrives(4).at(15).harness("command", cmd="send").at(20).end()
    assert matching(log, "sent") == [
        "0.00 The application sent message 1; it reached the hub.",
        "10.00 The application sent message 2; it never reached the hub.",
        "11.00 The application sent messages 3 to 4, after 0 and 4 s; 4 reached the hub, sooner or later.",
    ]
    assert told(log).ending[0] == "Of 4 messages, 2 reached the hub and 2 were lost (2 to 3)."


def test_a_cut_short_story() -> None:
    """Told as far as it goes, with what the harness has to say."""
    found = told(LogBuilder().connect(60).at(7).harness("note", text="as it is"))
    assert not found.complete
    assert found.lines[-1].text == "The harness notes: as it is."


@pytest.mark.parametrize(
    ("transport", "events", "door"),
    [
        ("mqtt", ({"kind": "connect", "token": None}, {"kind": "connack", "code": 0}), "CONNECT"),
        ("amqp", ({"kind": "certificate-judged", "status": 200, "admitted": True},), "first link"),
    ],
)
def test_a_device_with_a_certificate(transport: str, events: tuple[dict[str, Any], ...], door: str) -> None:
    """It puts no token."""
    log = LogBuilder(header("x509-ca", transport=transport)).accept()
    for event in events:
        log.hub(**event)
    assert matching(log.at(9).end(), "let the device in") == [
        f"0.00 The hub let the device in, by its {door}, with its client certificate."
    ]


def test_another_token_over_https() -> None:
    """There is no put-token, and no place to be in."""
    log = LogBuilder(header("https-renewal", transport="https")).accept()
    for at, digest in ((1.0, "one"), (8.0, "two")):
        token = {"sr": "hub/devices/d", "se": 1_800_000_000 + int(at) + 10, "digest": digest, "left_s": 10.0}
        log.at(at).hub("http-request", request=1, token=token).after(0.01).hub("http-response", request=1, status=204)
    assert matching(log.at(20).end(), "new token") == [
        "8.00 The device showed a new token, with a request, answered after 10 ms: the application noticed nothing."
    ]


def test_one_more_attempt() -> None:
    """Has a moment, where several have an end and a rhythm."""
    log = (
        LogBuilder(header("expiry")).connect(60).at(10).cut("fault").at(11).refused(60).at(13).refused(60).at(20).end()
    )
    assert matching(log, "more such") == ["13.00 1 more such attempt, at 13 s."]


def test_what_the_hub_logs_of_an_attempt_is_not_told_of_the_end_before_it() -> None:
    """Nor what it had logged of an earlier stay."""
    log = LogBuilder(header("expiry")).connect(60).at(10).disconnect().after(0.01).connect(70).after(0.02)
    log.cut("fault").at(11).accept().present(60).record("deviceDisconnect", "404104").closed("hub").at(20).end()
    assert matching(log, "The connection ended") == [
        "10.03 The connection ended, although the token was good. The hub logged 401003, then 404104."
    ]
