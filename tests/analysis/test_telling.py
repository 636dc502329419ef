"""What went wrong in a cell, and how the application was told."""

from support.analysis_logs import LogBuilder, early_renewal, header, renews_in_place, stale_token, waits_for_the_cut

from harness.analysis.telling import CellTelling, Episode, Trial, tell
from harness.events import CellLog


def told(log: LogBuilder) -> CellTelling:
    """What was told in what was built."""
    return tell(log.log())


def only(log: LogBuilder) -> Episode:
    """The one episode of what was built."""
    (episode,) = told(log).episodes
    return episode


def amqp() -> LogBuilder:
    """A device that came 10 s ago over AMQP with 60 s to go."""
    return LogBuilder(header(settings={"lifetime_s": 60.0}, transport="amqp")).enter(60, made_at=0.0).at(10)


def cut_at_10() -> LogBuilder:
    """A device that was let in at 0 s, was told so, and cut at 10 s."""
    log = LogBuilder(header("expiry")).connect(5).after(0.1).status("Connected").app("opened", settings={})
    return log.at(10).cut()


def test_a_cell_in_which_all_went_well() -> None:
    """No episode, and nothing to tell."""
    assert (told(renews_in_place()).episodes, told(renews_in_place()).told) == ((), ())


def test_a_renewal_by_reconnecting_is_a_leave_with_a_new_token() -> None:
    """And the handler that says False is news, the one that says True is none."""
    first, second = told(early_renewal()).episodes
    assert (first.happened, first.told, first.told_by) == (
        ("left: renewal",),
        ("callback",),
        "on_connection_state_change False",
    )
    assert (first.renewal, first.trials, first.left, second.happened) == ("reconnect", (), True, first.happened)


def test_an_expired_token_and_all_that_follows_is_one_episode() -> None:
    """The drop, then the refusals, each name once; told at once by a callback, later by the calls."""
    found = only(stale_token())
    assert found.happened == ("token-expired", "refused: not-authorized")
    assert (len(found.trials), found.trials[0].code, found.tried_for_s) == (13, "CONNACK 5", 11.741)
    assert (found.told, found.told_s, found.over_s) == (("callback", "exception on next call"), 0.001, None)
    assert (found.error, found.message, found.retries) == (("ConnectionDroppedError",), "m", "next-send")
    assert found.hub_log == ("401003", "404104", "refused 401003")


def test_a_cut_that_the_device_gets_over() -> None:
    """With its reason, and how it came back."""
    first, _ = told(waits_for_the_cut()).episodes
    assert (first.happened, first.reasons, first.watched_s, first.retries) == (
        ("token-expired",),
        ("EXPIRED_SAS_TOKEN", "CONNECTION_OK"),
        0.31,
        "by-itself",
    )


def test_silence() -> None:
    """Nothing but the state that was told at the beginning, and a line of the log."""
    log = cut_at_10().after(0.1).emit("sdk-log", "line", text="ERROR lost it").at(12).connect(60)
    found = only(log.after(0.1).status("Connected").at(20).end())
    assert (found.told, found.told_s, found.told_by, found.log) == (("silent",), None, "", "ERROR lost it")
    assert found.shown == ("Connected",)


def test_the_closing_of_the_client_is_no_news() -> None:
    """What is shown after it was asked to close comes too late."""
    log = cut_at_10().at(15).harness("command", cmd="close").after(0.1).failure("send_failed", "Cancelled", id=1).end()
    assert only(log).told == ("silent",)


def test_a_device_that_is_never_let_in() -> None:
    """The episode begins with the first refusal; whatever it is shown is news."""
    log = LogBuilder().at(1).refused(60).failure("open_failed", "Unauthorized").status("Connected").at(3).refused(60)
    found = only(log.at(9).end())
    assert (found.began_s, found.happened, found.left, found.over_s) == (1.0, ("refused: not-authorized",), False, None)
    assert (found.told, found.retries, found.tried_for_s) == (("exception on next call", "callback"), None, 2.0)


def test_a_device_that_is_let_in_at_the_second_attempt() -> None:
    """Then it is over."""
    found = only(LogBuilder().at(1).refused(60).at(3).connect(60).at(9).end())
    assert (found.began_s, found.over_s, found.watched_s) == (1.0, 3.0, 2.0)


def test_a_renewal_in_place_that_is_refused_and_made_up_for() -> None:
    """The device stayed; what was refused since the last accepted token is one episode."""
    log = amqp().renew(60, 401).at(20).renew(60, 500).at(30).renew(60).at(40).renew(60).at(50).end()
    found = only(log)
    assert (found.happened, found.left, found.over_s) == (
        ("refused: not-authorized", "refused: server-error"),
        False,
        30.002,
    )
    assert found.trials == (
        Trial(10.0, "refused: not-authorized", "401"),
        Trial(20.0, "refused: server-error", "500"),
    )
    assert found.hub_log[0] == "refused 401003"


def test_a_renewal_in_place_that_is_refused_for_good() -> None:
    """The device stays to the end."""
    found = only(amqp().renew(60, 401).at(30).end())
    assert (found.happened, found.over_s, found.watched_s) == (("refused: not-authorized",), None, 20.0)


def test_a_refused_renewal_that_ends_with_the_tokens_end() -> None:
    """Refusal and cut are one episode, which began with the refusal."""
    found = only(amqp().renew(60, 401).at(65).detach().at(66).put_token(60).answer(admitted=True).at(90).end())
    assert (found.began_s, found.over_s, found.left) == (10.0, 66.0, True)
    assert found.happened == ("refused: not-authorized", "token-expired")


def test_a_token_that_nobody_answers() -> None:
    """If there was time for an answer."""
    assert only(amqp().put_token(60).at(30).end()).happened == ("unanswered: put-token",)
    assert told(amqp().put_token(60).after(0.5).end()).episodes == ()


def test_a_token_after_the_closing_is_none_of_it() -> None:
    """What follows the end is not the device's doing."""
    assert told(amqp().harness("command", cmd="close").after(0.1).renew(60, 401).at(30).end()).episodes == ()


def test_a_device_that_nobody_answers() -> None:
    """It gave up, or was left waiting; not where it has only just asked."""
    waiting = cut_at_10().at(11).accept().present(60)
    assert only(LogBuilder().accept().present(60).after(0.2).closed("device").at(2).end()).happened == (
        "unanswered: connect",
    )
    assert only(waiting.at(20).end()).happened == ("token-expired", "unanswered: connect")
    assert only(cut_at_10().at(11).accept().present(60).after(0.5).end()).happened == ("token-expired",)


def test_attempts_that_never_got_to_ask() -> None:
    """They ended at the door."""
    log = cut_at_10().at(11).hub("tls-failed", reason="no").at(12).hub("websocket-refused", status=503, reason="no")
    found = only(log.at(20).end())
    assert found.happened == ("token-expired", "network: tls-failed", "refused: websocket")
    assert [one.code for one in found.trials] == ["", "503"]


def test_attempts_without_anything_to_show() -> None:
    """Refused before a token could be missing."""
    log = cut_at_10().at(11).hub("sasl-refused", mechanism="EXTERNAL", check="credential", message="m").at(12)
    log.hub("attach", condition="amqp:unauthorized-access", check="credential").hub("attach", condition=None)
    found = only(log.at(20).end())
    assert found.happened == ("token-expired", "refused: no-credential")
    assert [(one.code, one.reason) for one in found.trials] == [("", "m"), ("amqp:unauthorized-access", "")]


def test_whether_the_application_reads_the_words_of_the_hub() -> None:
    """Of the record, or of the decision; a record without any says nothing."""
    words = "Authentication failed"
    log = LogBuilder(header("expiry")).connect(60).at(10).cut("fault")
    for properties in (f'{{"errorMessage":"{words}"}}', '{"errorMessage":""}', "[]", "no JSON"):
        log.emit("hub", "record", record={"operationName": "deviceConnect", "level": "Error", "properties": properties})
    silent = only(log.at(11).failure("send_failed", "E", id=1).at(19).end())
    assert (silent.hub_says, silent.quoted) == ((words,), False)
    error = [{"class": "E", "message": f"it says: {words}."}, "garbage"]
    assert only(log.at(15).app("send_failed", id=2, error=error)).quoted


def test_how_a_stay_ended_that_nobody_cut() -> None:
    """The device left with the same token, without a word, or the connection was reset."""
    here = LogBuilder().connect(60).at(10)
    assert only(here.disconnect().at(20).end()).happened == ("left: disconnect",)
    assert only(LogBuilder().connect(60).at(10).closed("device").at(20).end()).happened == ("left: silently",)
    assert only(LogBuilder().connect(60).at(10).closed("hub", "rst").at(20).end()).happened == ("network: reset",)


def test_a_put_token_and_a_reason_of_the_hub_name_the_refusal() -> None:
    """The decision's words count for more than its number."""
    log = amqp().put_token(60).hub("put-token-answered", status=401, description="The specified SAS token is expired")
    assert only(log.at(20).end()).happened == ("refused: token-expired",)


def test_what_became_of_messages_is_told_of_the_whole_cell() -> None:
    """After the ways of the episodes."""
    log = LogBuilder(header("expiry")).connect(60).delivered(1, 2).send(3).app("sent", id=3).send(4).arrives(4)
    log.arrives(4).at(10).cut().at(20).end()
    assert told(log).told == ("silent", "lost", "duplicated")


def test_an_error_that_is_none() -> None:
    """Garbage in its place changes nothing."""
    found = only(cut_at_10().after(0.1).app("status", status="Gone", error=["x"]).at(20).end())
    assert (found.error, found.message, found.told) == ((), "", ("callback",))


def test_an_empty_log() -> None:
    """Nothing, and no harm."""
    log = LogBuilder().log()
    assert tell(CellLog(log.header, (), complete=False)).episodes == ()
