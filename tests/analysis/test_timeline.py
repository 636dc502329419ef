"""Connections and absences from the hub's events."""

import pytest
from support.analysis_logs import LogBuilder

from harness.analysis.timeline import Timeline, make_timeline


def timeline(log: LogBuilder) -> Timeline:
    """The timeline of what was built."""
    return make_timeline(log.log())


def test_an_empty_log_has_no_connections() -> None:
    """A header alone is a timeline without anything."""
    assert timeline(LogBuilder()) == Timeline((), (), 0.0, 0.0)


def test_a_connection_counts_from_its_connect_on() -> None:
    """Something that fails in TLS has never asked to be let in."""
    found = timeline(LogBuilder().accept().hub("tls-failed", reason="no").closed("device").at(3).connect(60))
    assert ([one.number for one in found.visits], found.first_connect_s) == ([2], 3.0)


def test_a_standing_connection_is_no_absence() -> None:
    """A device that is still there has not left."""
    found = timeline(LogBuilder().at(1).connect(60))
    assert (len(found.admitted), found.absences, found.admitted[0].leaving) == (1, (), None)


def test_token_expiry_on_the_axis_of_the_cell() -> None:
    """What was left when the token was presented places its expiry."""
    token = timeline(LogBuilder().at(1).connect(60)).admitted[0].token
    assert token is not None
    assert token.expires_s == pytest.approx(60.75)


@pytest.mark.parametrize("token", [None, "text", {}])
def test_a_connection_without_a_token(token: object) -> None:
    """An X.509 device presents none."""
    found = timeline(LogBuilder().accept().hub("connect", token=token).admit())
    assert found.admitted[0].token is None


def test_a_token_without_remaining_time() -> None:
    """Without `left_s`, nothing is known about its expiry on the cell's axis."""
    found = timeline(LogBuilder().accept().hub("connect", token={"digest": "d", "se": 5}).admit())
    token = found.admitted[0].token
    assert token is not None
    assert (token.digest, token.se, token.expires_s) == ("d", 5.0, None)


def test_the_first_sign_of_leaving_counts() -> None:
    """DISCONNECT comes before the end of the transport."""
    log = LogBuilder().connect(60).at(5).hub("disconnect").at(5.5).closed("hub")
    absence = timeline(log.at(6).connect(60)).absences[0]
    assert (absence.left_s, absence.cause, absence.first, absence.back_s) == (5.0, "disconnect", "device", 6.0)


def test_closing_without_disconnect() -> None:
    """Where the transport just ends, the event says who did it."""
    absence = timeline(LogBuilder().connect(60).at(5).closed("device", "rst").at(6).connect(60)).absences[0]
    assert (absence.cause, absence.first) == ("closed", "device")


def test_a_cut_names_its_cause() -> None:
    """The hub cut it, and says why."""
    absence = timeline(LogBuilder().connect(60).at(5).cut("keep-alive", ["404104"]).at(6).connect(60)).absences[0]
    assert (absence.cause, absence.first) == ("keep-alive", "hub")


def test_a_cut_without_a_cause() -> None:
    """A foreign log may leave it out."""
    absence = timeline(LogBuilder().connect(60).at(5).hub("cut")).absences[0]
    assert absence.cause == "cut"


def test_away_to_the_end() -> None:
    """A device that does not come back is away without an end."""
    absence = timeline(LogBuilder().connect(60).at(5).cut().at(9).harness("note", text="n")).absences[0]
    assert (absence.back, absence.back_s) == (None, None)


def test_refused_attempts_belong_to_the_absence() -> None:
    """CONNECTs that were refused between leaving and being back."""
    log = LogBuilder().refused(60).at(1).connect(60).at(5).disconnect().at(6).refused(60).at(7).connect(60)
    absence = timeline(log.at(9).disconnect().at(10).refused(60)).absences[0]
    assert [one.number for one in absence.refused] == [3]


def test_takeover_is_an_absence_without_length() -> None:
    """A connection that takes over from one that stands: away for no time at all."""
    log = LogBuilder().connect(60).at(5).accept().present(70).admit()
    log.emit("hub", "cut", conn=1, cause="takeover").at(5.001).emit("hub", "closed", conn=1, first="hub")
    absence = timeline(log).absences[0]
    assert (absence.cause, absence.left_s, absence.back_s) == ("takeover", 5.0, 5.0)


def test_back_before_the_old_connection_ended() -> None:
    """The hub may notice the end of the old connection late; the device was not away for a negative time."""
    log = LogBuilder().connect(60).at(5).connect(70).at(6).emit("hub", "closed", conn=1, first="device")
    assert timeline(log).absences[0].back_s == 6.0


def test_the_harness_closing_the_device_is_no_absence() -> None:
    """What follows the command to close is not the device's doing."""
    found = timeline(LogBuilder().connect(60).at(5).close().at(6).end())
    assert (found.absences, found.closing_s, found.end_s) == ((), 5.0, 6.0)


def test_the_hub_being_stopped_is_no_absence() -> None:
    """Nor is the end of the hub."""
    assert timeline(LogBuilder().connect(60).at(5).cut("hub-stopped", [])).absences == ()


def test_other_commands_do_not_close() -> None:
    """Sending is no end."""
    found = timeline(LogBuilder().connect(60).at(1).send(1).at(5).disconnect())
    assert len(found.absences) == 1


def test_events_without_a_connection_number_are_passed_over() -> None:
    """A foreign event that lacks it belongs nowhere."""
    assert timeline(LogBuilder().emit("hub", "connect", token=None)).visits == ()


def test_the_first_connect_may_lack() -> None:
    """An attempt of which only the answer is in the log counts from the answer."""
    found = timeline(LogBuilder().at(2).accept().at(3).hub("connack", code=0))
    assert [one.attempt_s for one in found.visits] == [3.0]


def test_a_device_that_never_connects() -> None:
    """Its first CONNECT is put at the end: it was not watched at all."""
    assert timeline(LogBuilder().at(7).end()).first_connect_s == 7.0
