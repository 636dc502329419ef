"""When something went wrong in a cell, and what."""

from support.analysis_logs import LogBuilder, header

from harness.analysis.spans import Span, Trial, spans
from harness.analysis.timeline import make_timeline


def found_in(log: LogBuilder) -> list[Span]:
    """The spans of what was built."""
    read = log.log()
    return spans(read, make_timeline(read))


def only(log: LogBuilder) -> Span:
    """The one span of what was built."""
    (span,) = found_in(log)
    return span


def amqp() -> LogBuilder:
    """A device that came 10 s ago over AMQP with 60 s to go."""
    return LogBuilder(header(settings={"lifetime_s": 60.0}, transport="amqp")).enter(60, made_at=0.0).at(10)


def cut_at_10() -> LogBuilder:
    """A device that was let in at 0 s and cut at 10 s."""
    return LogBuilder(header("expiry")).connect(5).at(10).cut()


def test_a_renewal_in_place_that_is_refused_and_made_up_for() -> None:
    """The device stayed; what was refused since the last accepted token is one episode."""
    log = amqp().renew(60, 401).at(20).renew(60, 500).at(30).renew(60).at(40).renew(60).at(50).end()
    found = only(log)
    assert (found.names, found.stayed, found.over_s) == (
        ("refused: not-authorized", "refused: server-error"),
        True,
        30.002,
    )
    assert found.trials == (
        Trial(10.0, "refused: not-authorized", "401"),
        Trial(20.0, "refused: server-error", "500"),
    )


def test_a_renewal_in_place_that_is_refused_for_good() -> None:
    """The device stays to the end."""
    found = only(amqp().renew(60, 401).at(30).end())
    assert (found.names, found.over_s, found.stayed) == (("refused: not-authorized",), None, True)


def test_a_refused_renewal_that_ends_with_the_tokens_end() -> None:
    """Refusal and cut are one episode, which began with the refusal."""
    found = only(amqp().renew(60, 401).at(65).detach().at(66).put_token(60).answer(admitted=True).at(90).end())
    assert (found.began_s, found.over_s, found.stayed) == (10.0, 66.0, False)
    assert found.names == ("refused: not-authorized", "token-expired")


def test_a_token_that_nobody_answers() -> None:
    """If there was time for an answer."""
    assert only(amqp().put_token(60).at(30).end()).names == ("unanswered: put-token",)
    assert found_in(amqp().put_token(60).after(0.5).end()) == []


def test_a_token_after_the_closing_is_none_of_it() -> None:
    """What follows the end is not the device's doing."""
    assert found_in(amqp().harness("command", cmd="close").after(0.1).renew(60, 401).at(30).end()) == []


def test_a_device_that_nobody_answers() -> None:
    """It gave up, or was left waiting; not where it has only just asked."""
    waiting = cut_at_10().at(11).accept().present(60)
    assert only(LogBuilder().accept().present(60).after(0.2).closed("device").at(2).end()).names == (
        "unanswered: connect",
    )
    assert only(waiting.at(20).end()).names == ("token-expired", "unanswered: connect")
    assert only(cut_at_10().at(11).accept().present(60).after(0.5).end()).names == ("token-expired",)


def test_attempts_that_never_got_to_ask() -> None:
    """They ended at the door."""
    log = cut_at_10().at(11).hub("tls-failed", reason="no").at(12).hub("websocket-refused", status=503, reason="no")
    found = only(log.at(20).end())
    assert found.names == ("token-expired", "network: tls-failed", "refused: websocket")
    assert [one.code for one in found.trials] == ["", "503"]


def test_attempts_without_anything_to_show() -> None:
    """Refused before a token could be missing."""
    log = cut_at_10().at(11).hub("sasl-refused", mechanism="EXTERNAL", check="credential", message="m").at(12)
    log.hub("attach", condition="amqp:unauthorized-access", check="credential").hub("attach", condition=None)
    found = only(log.at(20).end())
    assert found.names == ("token-expired", "refused: no-credential", "refused: no-credential")
    assert [(one.code, one.reason) for one in found.trials] == [("", "m"), ("amqp:unauthorized-access", "")]


def test_how_a_stay_ended_that_nobody_cut() -> None:
    """The device left with the same token, without a word, or the connection was reset."""
    here = LogBuilder().connect(60).at(10)
    assert only(here.disconnect().at(20).end()).names == ("left: disconnect",)
    assert only(LogBuilder().connect(60).at(10).closed("device").at(20).end()).names == ("left: silently",)
    assert only(LogBuilder().connect(60).at(10).closed("hub", "rst").at(20).end()).names == ("network: reset",)


def test_a_put_token_and_a_reason_of_the_hub_name_the_refusal() -> None:
    """The decision's words count for more than its number."""
    log = amqp().put_token(60).hub("put-token-answered", status=401, description="The specified SAS token is expired")
    assert only(log.at(20).end()).names == ("refused: token-expired",)


def test_a_device_that_is_let_in_at_the_second_attempt() -> None:
    """Then it is over."""
    found = only(LogBuilder().at(1).refused(60).at(3).connect(60).at(9).end())
    assert (found.began_s, found.over_s) == (1.0, 3.0)


def requests(*answers: tuple[float, int, str, str]) -> LogBuilder:
    """Requests over HTTPS, each on a connection of its own, by the moment, status, check and reason of their answers."""
    log = LogBuilder(header("https-expiry", transport="https"))
    for number, (at_s, status, check, reason) in enumerate(answers, 7):
        token = {"digest": "d", "se": 9, "left_s": 9.0 - at_s}
        why = {"check": check, "reason": reason, "message": "m"} if check else {}
        log.at(at_s).emit("hub", "http-request", conn=number, request=1, token=token)
        log.emit("hub", "http-response", conn=number, request=1, status=status, **why)
    return log


EXPIRED = ("expiry", "The specified SAS token is expired")


def test_a_request_that_is_refused_bears_the_name_of_its_reason() -> None:
    """Although no connection is that of the stay, and the status is the same for all of them."""
    found = only(
        requests((1, 204, "", ""), (2, 401, *EXPIRED), (3, 401, "signature", "x"), (4, 204, "", "")).at(9).end()
    )
    assert (found.names, found.stayed) == (("refused: token-expired", "refused: wrong-key"), True)
    assert found.trials == (
        Trial(2.0, "refused: token-expired", "HTTP 401", EXPIRED[1]),
        Trial(3.0, "refused: wrong-key", "HTTP 401", "x"),
    )


def test_requests_that_are_refused_from_the_start() -> None:
    """Each by itself, and the span ends with the one that is not."""
    found = only(requests((1, 404, "registered", "x"), (2, 401, *EXPIRED), (3, 204, "", "")).at(9).end())
    assert (found.names, found.over_s) == (("refused: unknown-device", "refused: token-expired"), 3.0)
    assert [one.code for one in found.trials] == ["HTTP 404", "HTTP 401"]
