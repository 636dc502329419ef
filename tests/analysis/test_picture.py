"""What the picture of a cell draws."""

import pytest
from support.analysis_logs import LogBuilder, early_renewal, header, renews_in_place, stale_token, waits_for_the_cut

from harness.analysis.cells import analyse_cell
from harness.analysis.picture import Away, Exchange, Moment, Picture, Stay, picture


def drawn(log: LogBuilder) -> Picture:
    """The picture of what was built."""
    read = log.log()
    return picture(read, analyse_cell(read))


def moments(log: LogBuilder, *kinds: str) -> list[str]:
    """The moments of these kinds, with their times."""
    return [f"{one.at_s:.2f} {one.text}" for one in drawn(log).moments if one.kind in kinds]


def test_tokens_live_from_their_first_use() -> None:
    """Each is in use until the next one is accepted, the last one until the closing; the hub keeps the connection for the grace."""
    first, second, third = drawn(waits_for_the_cut()).tokens
    assert [first.used_s, second.used_s] == pytest.approx([0.1, 26.0], abs=0.1)
    assert (first.until_s, third.until_s) == (second.used_s, drawn(waits_for_the_cut()).closing_s)
    assert first.expires_s is not None
    assert first.kept_s == first.expires_s + 5.0
    assert first.made_s == pytest.approx(0.1)


def test_a_token_put_during_a_stay() -> None:
    """It counts from its put-token, and is in use from the answer on."""
    first, second, _ = drawn(renews_in_place()).tokens
    assert second.used_s == pytest.approx(10.05)
    assert first.until_s == pytest.approx(10.052)


def test_a_token_that_was_refused_was_never_in_use() -> None:
    """And one is drawn once, however often it is shown."""
    log = LogBuilder(header("expiry")).connect(60).at(5).refused(30).at(6).refused(30, made_at=5)
    assert [one.until_s is None for one in drawn(log).tokens] == [False, True]


def test_a_token_of_which_little_is_known() -> None:
    """It has no end."""
    log = LogBuilder().accept().hub("connect", token={"digest": "d", "se": 5}).admit().at(2).close()
    (token,) = drawn(log).tokens
    assert (token.made_s, token.expires_s, token.kept_s) == (None, None, None)


def test_a_device_without_tokens() -> None:
    """A client certificate is none."""
    log = LogBuilder().accept().hub("connect", token=None).admit()
    assert (drawn(log).tokens, len(drawn(log).stays)) == ((), 1)


def test_stays_and_times_away() -> None:
    """With how they ended; what still stands lasts to the end."""
    log = LogBuilder(header("expiry")).connect(60).at(5).cut("fault", ()).at(6).connect(60).at(9).send(1)
    found = drawn(log)
    assert found.stays == (Stay(0.0, 5.0, 1, "fault, hub first"), Stay(6.0, 9.0, 2, ""))
    assert found.aways == (Away(5.0, 6.0, back=True),)
    gone = LogBuilder(header("expiry")).connect(60).at(5).cut().at(7).send(1)
    assert drawn(gone).aways == (Away(5.0, 7.0, back=False),)


def test_messages_stand_where_they_were_handed_over() -> None:
    """With what became of them."""
    log = (
        LogBuilder(header("expiry"))
        .connect(60)
        .at(1)
        .delivered(1)
        .at(2)
        .send(2)
        .arrives(2)
        .at(2.5)
        .arrives(2, dup=True)
    )
    log.at(3).send(3).failure("send_failed", "Error", id=3).at(4).send(4).at(5).delivered(5).at(6).send(6)
    log.hub("telemetry", message_id="a name").harness("command", cmd="other")
    assert drawn(log).telemetry == (
        Exchange(1.0, "reached", "1"),
        Exchange(2.0, "again", "2"),
        Exchange(3.0, "failed", "3"),
        Exchange(4.0, "lost", "4"),
        Exchange(5.0, "reached", "5"),
        Exchange(6.0, "open", "6"),
    )


def test_what_the_cloud_sent() -> None:
    """C2D messages and direct methods, from when they were asked for."""
    log = LogBuilder().connect(60).at(1).hub("c2d-queued", message_id="a").app("c2d", message_id="a")
    log.at(2).hub("method-called", request_id="1").hub("method-failed", request_id="1", code="504101")
    log.at(3).hub("method-called", request_id="2")
    assert drawn(log).cloud == (
        Exchange(1.0, "reached", "C2D a"),
        Exchange(2.0, "lost", "method 1"),
        Exchange(3.0, "open", "method 2"),
    )


def test_renewals_have_their_point_in_the_tokens_life() -> None:
    """By reconnecting with the time away, in place without."""
    assert moments(early_renewal(renewals=1), "renewal") == [
        "10.05 renewal, reconnect, 10 s after the token was made; away for 4 ms"
    ]
    assert moments(renews_in_place(renewals=1), "renewal") == ["10.05 renewal, in-band, 10 s after the token was made"]


def test_a_renewal_of_which_the_point_is_not_known() -> None:
    """It is left out of the words."""
    log = LogBuilder().accept().hub("connect", token={"digest": "a", "se": 1}).admit().at(5).disconnect().at(6)
    log.accept().hub("connect", token={"digest": "b", "se": 2}).admit().at(9).close()
    assert moments(log, "renewal") == ["5.00 renewal, reconnect; away for 1 s"]


def test_refusals() -> None:
    """Of devices and of tokens."""
    assert moments(stale_token(sends=1), "refused") == ["14.76 refused: 5", "15.50 refused: 5"]
    log = LogBuilder(header(transport="amqp")).enter(60).at(5).renew(60, status=401)
    assert moments(log, "refused") == ["5.00 token refused: 401"]


def test_faults_in_the_scenarios_words() -> None:
    """And outages with their ends."""
    log = LogBuilder().connect(60).hub("fault", action="cut", at="half-life").at(2).strike("rst").at(3)
    log.emit("hub", "outage-ended", how="rst").hub("fault-message", operation="KillTcp")
    assert moments(log, "fault") == [
        "0.00 cut at half-life",
        "2.00 outage begins: rst",
        "3.00 outage ends: rst",
        "3.00 KillTcp",
    ]


def test_records_errors_and_what_the_application_was_told() -> None:
    """Up to the closing; classes without their packages; the SDK's own log where it warns."""
    log = (
        LogBuilder(header("expiry")).connect(60).at(5).cut().status("GONE").failure("send_failed", "a.b.Failure", id=1)
    )
    log.emit("sdk-log", "line", text="WARN something").emit("sdk-log", "line", text="INFO nothing")
    log.at(6).harness("command", cmd="close").status("CLOSED").record("deviceDisconnect")
    assert moments(log, "error") == ["5.00 401003", "5.00 404104"]
    assert moments(log, "record") == ["0.00 connect", "6.00 disconnect"]
    assert moments(log, "told", "exception", "warning") == [
        "5.00 GONE",
        "5.00 send_failed: Failure",
        "5.00 WARN something",
    ]


def test_the_moments_are_in_order() -> None:
    """Whatever they are."""
    found = drawn(stale_token()).moments
    assert list(found) == sorted(found, key=lambda one: one.at_s)
    assert Moment(14.75, "error", "401003") in found


def test_it_can_be_told_in_a_sentence() -> None:
    """For those who cannot see it."""
    assert drawn(stale_token(sends=1)).told == (
        "In 16 s: 1 token, 1 stay at the hub, 1 time away, at most for 1.3 s, 15 messages, 1 of them missing, 2 refusals, "
        "4 errors in the hub's log and 3 exceptions for the application."
    )
    assert drawn(LogBuilder().connect(60)).told == (
        "In 0 s: 1 token, 1 stay at the hub, never away, 0 errors in the hub's log and 0 exceptions for the application."
    )


def test_a_cell_in_which_nothing_happened() -> None:
    """A header is enough."""
    assert drawn(LogBuilder()).stays == ()


def test_what_a_recording_lacks_is_not_taken_for_seen() -> None:
    """Messages are counted by its totals, and what nobody knows of the hub's log is said."""
    log = LogBuilder(header(lacks=("hub-log", "quiet-rows"), totals={"sent": 60, "received": 60}))
    found = drawn(log.connect(60).at(1).send(1).at(9).send(2))
    assert found.lacks == ("hub-log", "quiet-rows")
    assert {one.fate for one in found.telemetry} == {"reached"}
    assert found.told == (
        "In 9 s: 1 token, 1 stay at the hub, never away, 60 messages, none of them missing and 0 exceptions for the application; "
        "the recording holds none of the hub's records."
    )
