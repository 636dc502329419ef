"""What went wrong in a cell, and how the application was told."""

from support.analysis_logs import LogBuilder, early_renewal, header, renews_in_place, stale_token, waits_for_the_cut

from harness.analysis.telling import CellTelling, Episode, tell
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
    assert found.rested_s == 6.0


def never_let_in(*statuses: str, opened: bool = True) -> LogBuilder:
    """A device whose SDK shows `statuses`, says that it is open, is refused, and shows the last of them again."""
    log = LogBuilder().at(1)
    for status in statuses:
        log.status(status)
    if opened:
        log.app("opened", settings={})
    log.at(1.1).refused(60)
    for status in statuses[-1:]:
        log.status(status)
    return log


def test_success_that_an_sdk_declares_before_the_hub_has_judged_is_no_news() -> None:
    """What it shows as it opens says that all is well, also of a device that is never let in."""
    found = only(never_let_in("connect").failure("send_failed", "Unauthorized", id=1).at(9).end())
    assert (found.told, found.told_by) == (("exception on next call",), "send_failed: Unauthorized")
    assert found.shown == ("connect", "send_failed: Unauthorized", "… (repeated)")


def test_of_what_is_shown_before_the_opening_the_last_counts() -> None:
    """A client that opens after a trouble has shown that trouble."""
    log = never_let_in("retrying", "connect").status("retrying").at(9).end()
    assert only(log).told_by == "retrying"


def test_a_status_before_a_client_that_never_opens_is_news() -> None:
    """Nothing says that it meant success."""
    assert only(never_let_in("connect", opened=False).at(9).end()).told_by == "connect"


def test_a_client_that_opens_without_a_status_says_nothing() -> None:
    """What comes after it is news."""
    assert only(never_let_in().status("connect").at(9).end()).told_by == "connect"


def test_a_status_with_an_exception_is_news_whenever_it_is_shown() -> None:
    """Also where the client opens after it."""
    log = LogBuilder().at(1).app("status", status="gone", error=[{"class": "E", "message": "m"}])
    assert only(log.app("opened", settings={}).refused(60).at(9).end()).told_by == "gone: E"


def test_what_a_device_does_that_is_refused_from_the_start() -> None:
    """Where the hub's decision is in the log, it is told as of a refused reconnect."""
    log = (
        LogBuilder()
        .at(1)
        .accept()
        .present(60)
        .hub("connack", conn=1, code=5, check="signature", reason="no", message="no")
    )
    assert only(log.at(9).end()).retries == "none"


def test_whether_the_application_reads_the_words_of_the_hub() -> None:
    """Of the record, or of the decision; a record without any says nothing."""
    words = "Authentication failed"
    log = LogBuilder(header("expiry")).connect(60).at(10).cut("fault")
    for properties in (f'{{"errorMessage":"{words}"}}', '{"errorMessage":""}', "[]", "no JSON"):
        log.emit("hub", "record", record={"operationName": "deviceConnect", "level": "Error", "properties": properties})
    silent = only(log.at(11).failure("send_failed", "E", id=1).at(19).end())
    assert (silent.hub_says, silent.quoted) == ((words,), False)
    error = [{"class": "E", "message": f"it says: {words}."}, "garbage"]
    found = only(log.at(15).app("send_failed", id=2, error=error))
    assert (found.quoted, found.words) == (True, (words,))


def refused_in_words(code: str = "401003") -> LogBuilder:
    """A device that is cut at 10 s, of which the hub's log says why, with `code`."""
    said = {"operationName": "deviceDisconnect", "level": "Error", "resultType": code}
    log = LogBuilder(header("expiry")).connect(60).at(10).cut("fault")
    return log.emit("hub", "record", record={**said, "properties": '{"errorMessage":"renew token"}'})


def test_words_of_the_hubs_log_that_nobody_is_shown() -> None:
    """Whatever else the application is shown."""
    assert only(refused_in_words().at(11).failure("send_failed", "E", id=1).at(19).end()).unread


def test_words_that_the_application_is_shown_are_read() -> None:
    """In an exception's message."""
    error = [{"class": "E", "message": "please renew token"}]
    assert not only(refused_in_words().at(11).app("send_failed", id=1, error=error).at(19).end()).unread


def test_words_in_the_sdks_own_log_are_shown() -> None:
    """Although the application gets none of them."""
    found = only(refused_in_words().at(11).emit("sdk-log", "line", text="ERROR renew token").at(19).end())
    assert (found.quoted, found.unread) == (False, False)


def test_words_about_another_code_are_not_missed() -> None:
    """That a connection has ended says nothing of why."""
    assert not only(refused_in_words("404104").at(19).end()).unread


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


def test_properties_that_are_nested_without_end_have_no_message() -> None:
    """Nor do such that are no JSON."""
    for properties in ("[" * 9000, "{"):
        log = LogBuilder().connect(60).at(10).cut("fault", codes=())
        log.emit(
            "hub", "record", record={"operationName": "deviceDisconnect", "level": "Error", "properties": properties}
        )
        (one,) = told(log.after(0.1).connect(60).at(20).end()).episodes
        assert one.hub_says == ()
