"""Tests of what is made of a device that was never let in."""

import pytest
from support.analysis_logs import LogBuilder, header

from harness.analysis import CellFindings, FirstRefusal, analyse_cell
from harness.analysis.first_refusal import pattern_of

RENEW = "Authentication failed for this device, renew token or certificate and reconnect"
HEAD = header("wrong-key")


def attempt(log: LogBuilder, at_s: float, kind: str = "connack", **fields: object) -> LogBuilder:
    """An attempt on a connection of its own, refused 20 ms after it began."""
    log.at(at_s).accept().after(0.02)
    answer = {"code": 5, "check": "signature", "message": RENEW} if kind == "connack" else {}
    return log.hub(kind, **{**answer, **fields})


def found(log: LogBuilder, until_s: float = 10.0) -> CellFindings:
    """The findings of a cell that the harness ends then."""
    return analyse_cell(log.at(until_s).harness("command", cmd="close").app("closed").end().log())


def refusal(log: LogBuilder, until_s: float = 10.0) -> FirstRefusal:
    """The first refusal, which there has to be."""
    first = found(log, until_s).first_refusal
    assert first
    return first


def test_a_refused_connect_names_check_message_and_code() -> None:
    """And that the device leaves it at that."""
    log = attempt(LogBuilder(HEAD), 1.0).failure("open_failed", "CredentialError")
    assert refusal(log) == FirstRefusal(
        by="hub", at_s=1.02, check="signature", message=RENEW, pattern=RENEW, wire="CONNACK 5", attempts=1, watched_s=8.98,
        then="none",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "fields", "wire"),
    [
        ("put-token-answered", {"status": 404, "check": "registered", "message": "m"}, "put-token 404"),
        (
            "attach",
            {"condition": "amqp:unauthorized-access", "check": "credential", "message": "m"},
            "attach amqp:unauthorized-access",
        ),
        ("sasl-refused", {"code": 1, "check": "credential", "message": "m"}, "SASL 1"),
        ("http-response", {"status": 401, "check": "signature", "message": "m"}, "HTTP 401"),
    ],
)
def test_other_protocols_have_other_words(kind: str, fields: dict[str, object], wire: str) -> None:
    """As far as a device can tell them apart."""
    assert refusal(attempt(LogBuilder(HEAD), 1.0, kind, **fields)).wire == wire


def test_of_a_certificate_the_device_sees_the_links_that_are_refused() -> None:
    """The first of them on its connection; where none was seen, it is only known that they are."""
    log = attempt(LogBuilder(HEAD), 1.0, "certificate-judged", status=401, check="thumbprint", message="m")
    assert refusal(log).wire == "attach refused"
    log = attempt(LogBuilder(HEAD), 1.0, "certificate-judged", status=401, check="thumbprint", message="m")
    log.hub("attach", condition=None).hub("attach", condition="amqp:unauthorized-access")
    assert (refusal(log).check, refusal(log).wire) == ("thumbprint", "attach amqp:unauthorized-access")


def test_further_attempts_without_a_send_are_retries() -> None:
    """Counted from the first on."""
    log = LogBuilder(HEAD)
    for at_s in (1.0, 1.5, 3.5):
        attempt(log, at_s)
    first = refusal(log)
    assert (first.attempts, first.then, first.at_s) == (3, "retries", 1.02)


def test_further_attempts_that_sends_bring_about_are_no_retries() -> None:
    """Each on a connection of its own, at once after its send."""
    log = attempt(LogBuilder(HEAD), 1.0)
    for number in (1, 2, 3):
        log.at(1.0 + number).send(number)
        attempt(log, 1.01 + number)
    assert refusal(log).then == "next-send"


def test_another_put_token_on_the_same_connection_is_an_attempt_of_its_own() -> None:
    """It began when it was refused."""
    answer: dict[str, object] = {"status": 401, "check": "expiry", "message": RENEW}
    log = attempt(LogBuilder(HEAD), 1.0, "put-token-answered", **answer)
    log.at(2.0).send(1).at(5.0).hub("put-token-answered", **answer)
    assert (refusal(log).attempts, refusal(log).then) == (2, "retries")


def test_a_hub_that_was_late_cannot_tell_what_brought_an_attempt_about() -> None:
    """With the lag added, the attempts answer the sends; without it, they do not."""
    log = attempt(LogBuilder(HEAD), 1.0)
    for number in (1, 2, 3):
        log.at(1.0 + 2 * number).send(number)
        attempt(log, 1.5 + 2 * number)
    log.harness("lag", worst_ms=400.0, over_s=1.0)
    assert refusal(log).then is None


def test_too_short_a_watch_shows_nothing_of_what_follows() -> None:
    """The SDK might have been about to try again."""
    assert refusal(attempt(LogBuilder(HEAD), 1.0), until_s=3.0).then is None


def test_an_application_may_be_told_that_it_is_connected() -> None:
    """Before the first link is asked for."""
    log = attempt(LogBuilder(HEAD).app("opened", settings={}), 1.0)
    assert refusal(log).believed


def test_an_sdk_that_refuses_before_the_hub_is_asked() -> None:
    """That is what the scenario waited for, in another place."""
    log = LogBuilder(header("token-cut-off")).at(0.5).failure("open_failed", "ValueError")
    assert refusal(log) == FirstRefusal(by="sdk", at_s=0.5, watched_s=9.5, then="none")
    cell = found(LogBuilder(header("token-cut-off")).failure("open_failed", "ValueError"))
    assert cell.awaited is True


@pytest.mark.parametrize(
    "log",
    [
        LogBuilder(header("defaults")).failure("open_failed", "ValueError"),
        LogBuilder(HEAD),
        attempt(LogBuilder(HEAD), 1.0).at(2.0).connect(60),
    ],
    ids=["in another scenario", "nothing happened", "let in later"],
)
def test_what_is_no_refusal_from_the_start(log: LogBuilder) -> None:
    """A client that cannot be opened where nobody was to be refused; a device that never came; one that was let in."""
    assert not found(log).first_refusal


@pytest.mark.parametrize(
    ("message", "pattern"),
    [
        ("Authorization header missing", "Authorization header missing"),
        ("IotHub 'h' does not contain the specified device 'd'", "IotHub '*' does not contain the specified device '*'"),
        ("Authorization rule 'r' does not allow access for 'd'", "Authorization rule '*' does not allow access for '*'"),
        (RENEW, RENEW),
        (
            "Thumbprint does not match configuration: Thumbprint: SHA1Hash=A1, SHA2Hash=B2; Configuration: PrimaryThumbprint=C3, SecondaryThumbprint=D4",
            "Thumbprint does not match configuration: Thumbprint: SHA1Hash=*, SHA2Hash=*; Configuration: PrimaryThumbprint=*, SecondaryThumbprint=*",
        ),
    ],
)  # fmt: skip
def test_the_messages_of_the_article(message: str, pattern: str) -> None:
    """All five of symptom 2, each value a star."""
    assert pattern_of(message) == pattern
