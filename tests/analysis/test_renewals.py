"""Coming back with a new token."""

import pytest
from support.analysis_logs import LogBuilder

from harness.analysis.fields import of_kind
from harness.analysis.findings import FirstToken
from harness.analysis.renewals import (
    bears_out,
    first_token,
    first_uses,
    gap_ms,
    is_noisy,
    outlived,
    point_in_life,
    renewal_of,
    token_lifetime,
    worst_lag_ms,
)
from harness.analysis.timeline import Absence, Timeline, make_timeline
from harness.analysis.visits import Token


def timeline(log: LogBuilder) -> Timeline:
    """The timeline of what was built."""
    return make_timeline(log.log())


def absence(log: LogBuilder) -> Absence:
    """The first absence of what was built."""
    return timeline(log).absences[0]


def gone(seconds: float = 5.0) -> LogBuilder:
    """A device that left by DISCONNECT."""
    return LogBuilder().connect(60).at(seconds).disconnect()


def test_leaving_by_itself_is_a_reconnect() -> None:
    """DISCONNECT, then a new token."""
    assert renewal_of(absence(gone().after(0.1).connect(60))) == "reconnect"


def test_closing_without_disconnect_is_a_reconnect() -> None:
    """It was the device's decision all the same."""
    assert renewal_of(absence(LogBuilder().connect(60).at(5).closed("device").connect(60))) == "reconnect"


def test_being_cut_is_a_hub_cut() -> None:
    """The hub ended it, the new token followed."""
    assert renewal_of(absence(LogBuilder().connect(60).at(65).cut().at(66).connect(60))) == "hub-cut"


@pytest.mark.parametrize("cause", ["keep-alive", "protocol", "takeover", ""])
def test_a_cut_for_another_reason_is_no_renewal(cause: str) -> None:
    """The new token is that of a new connection, whatever the old one's age."""
    assert renewal_of(absence(LogBuilder().connect(60).at(5).cut(cause).at(6).connect(60))) is None


def test_taking_over_is_no_renewal() -> None:
    """Perhaps the device had lost the connection long before the hub noticed."""
    log = LogBuilder().connect(60).at(5).connect(60).emit("hub", "cut", conn=1, cause="takeover")
    assert renewal_of(absence(log)) is None


def test_closed_by_the_hub_without_a_reason_is_no_renewal() -> None:
    """Nothing says that the token was the reason."""
    assert renewal_of(absence(LogBuilder().connect(60).at(5).closed("hub").at(6).connect(60))) is None


def test_the_same_token_is_no_renewal() -> None:
    """A reconnect with the cached token renews nothing."""
    assert renewal_of(absence(gone().connect(60, made_at=0.0))) is None


def test_another_digest_with_the_same_expiry_is_a_renewal() -> None:
    """Two tokens made within one second differ in their signature only where their text does."""
    log = LogBuilder().accept().hub("connect", token={"digest": "a", "se": 9, "left_s": 9}).admit().at(1).disconnect()
    log.accept().hub("connect", token={"digest": "b", "se": 9, "left_s": 8}).admit()
    assert renewal_of(absence(log)) == "reconnect"


def test_not_back_is_no_renewal() -> None:
    """A device that stays away has renewed nothing."""
    assert renewal_of(absence(gone())) is None


def test_without_tokens_there_is_no_renewal() -> None:
    """X.509 devices have none."""
    assert renewal_of(absence(LogBuilder().connect().at(5).disconnect().connect())) is None


def test_the_first_token() -> None:
    """Of the first CONNECT that has one, refused or not, counted from when its connection was accepted; CONNECT and command limit it."""
    log = LogBuilder().at(1).connect().at(2).accept().after(0.5).present(60, made_at=2.0)
    found = first_token(timeline(log.hub("connack", code=5).at(3).connect(90)), 1.5)
    assert found == FirstToken(59.75, 59.25, 60.25)


@pytest.mark.parametrize(("told", "most"), [(0.0, 60.0), (9.0, 59.0)])
def test_a_connection_of_which_the_beginning_is_missing(told: float, most: float) -> None:
    """Then its CONNECT has to do."""
    log = LogBuilder().at(1).hub("connect", token={"digest": "a", "se": 60, "left_s": 59.0})
    assert first_token(timeline(log), told) == FirstToken(59.0, 59.0, most)


def test_no_first_token() -> None:
    """Nothing presented, nothing known."""
    log = LogBuilder().connect().at(1).accept().hub("connect", token={"digest": "a"})
    assert first_token(timeline(log), 0.0) is None


def exactly(seconds: float) -> FirstToken:
    """A first token on a connection that took no time."""
    return FirstToken(seconds, seconds, seconds)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (exactly(58.0), True),
        (exactly(57.9), False),
        (exactly(61.25), True),
        (exactly(61.3), False),
        (FirstToken(57.9, 57.0, 58.0), None),
        (FirstToken(61.3, 61.25, 61.3), None),
    ],
)
def test_bears_out(first: FirstToken, expected: bool | None) -> None:  # noqa: FBT001 - a column
    """A lifetime of 60 s: expiry times are cut to whole seconds, connecting takes a moment, and some SDKs add a second."""
    assert bears_out(first, 60.0) is expected


@pytest.mark.parametrize(("lifetime_s", "expected"), [(3635.0, True), (3637.0, None)])
def test_a_hundredth_of_a_lifetime_is_near_enough(lifetime_s: float, expected: bool | None) -> None:  # noqa: FBT001
    """However long connecting took in seconds."""
    assert bears_out(FirstToken(lifetime_s, 3599.5, 3640.0), 3600.0) is expected


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (LogBuilder().connect(10).at(16.26), True),  # expiry, at 9.75 s, grace and tolerance have passed
        (LogBuilder().connect(10).at(15.9), False),
        (LogBuilder().at(5).refused(10).at(20), False),
        (LogBuilder().connect().at(20), False),
        (LogBuilder().connect(10).at(3).cut("keep-alive").at(20), False),
        (LogBuilder().connect(10).at(8.4).cut("keep-alive").at(20), False),
        (LogBuilder().connect(10).at(8.6).cut("keep-alive").at(20), True),
        (LogBuilder().connect(10).at(5).cut().at(20), True),  # by a hub that judges by a shifted clock
        (LogBuilder().connect(10).at(3).cut("keep-alive").connect(12).at(22), True),
        (LogBuilder().accept().hub("connect", token={"digest": "a"}).admit().at(20), False),
    ],
)
def test_outlived(log: LogBuilder, expected: bool) -> None:  # noqa: FBT001 - a column
    """A connection that stood to the end of its token, or was cut for it; a refused or lost one shows nothing."""
    assert outlived(timeline(log.harness("note", text="still there")), 5.0) is expected


@pytest.mark.parametrize(
    ("first", "asked", "expected"),
    [
        (129.4, 130.0, 130.0),  # borne out
        (131.0, 130.0, 130.0),  # an SDK that adds a second
        (3599.6, 130.0, 3600.0),  # the setting was ignored
        (128.0, 130.0, 130.0),
        (3599.6, None, 3600.0),
        (None, 130.0, 130.0),
        (None, None, None),
    ],
)
def test_token_lifetime(first: float | None, asked: float | None, expected: float | None) -> None:
    """What was asked for where the first token bears it out, else what the first token had."""
    assert token_lifetime(None if first is None else exactly(first), asked) == expected


def test_a_slow_connecting_does_not_change_what_was_set() -> None:
    """The settings are known; the first token only looks short."""
    assert token_lifetime(FirstToken(17.8, 17.8, 19.1), 20.0) == 20.0


def test_first_uses_keeps_the_earliest() -> None:
    """A token that is presented again was first used before."""
    found = first_uses(
        timeline(LogBuilder().at(1).connect(60).at(5).disconnect().at(6).connect(60, made_at=1.0).at(7).connect())
    )
    assert list(found.values()) == [1.0]


@pytest.mark.parametrize(
    ("first_used", "expected"),
    [
        (0.5, 9.5),  # made when it was needed
        (5.0, 9.0),  # made before it was needed: at expiry - lifetime, or within a second after it
    ],
)
def test_point_in_life(first_used: float, expected: float) -> None:
    """Counted from the moment the token was made, as well as that is known."""
    assert point_in_life(Token("d", 1.0, 60.0), 10.0, 60.0, first_used) == expected


@pytest.mark.parametrize(("expires", "lifetime"), [(None, 60.0), (60.0, None)])
def test_point_in_life_unknown(expires: float | None, lifetime: float | None) -> None:
    """Without expiry or lifetime there is no such point."""
    assert point_in_life(Token("d", 1.0, expires), 10.0, lifetime, 0.0) is None


def test_gap() -> None:
    """From leaving to CONNACK 0, in milliseconds."""
    assert gap_ms(absence(gone().after(0.0042).connect(60))) == pytest.approx(4.2)


def test_no_gap_without_return() -> None:
    """A device that stays away has no gap to measure."""
    assert gap_ms(absence(gone())) is None


@pytest.mark.parametrize(
    ("at", "worst"),
    [
        (4.8, 0.0),  # the second it covers ended more than a tenth of one before the device left
        (4.95, 8.0),
        (5.5, 8.0),
        (6.1, 8.0),  # the second it covers began within a tenth of one of the return
        (6.2, 0.0),
    ],
)
def test_worst_lag_around_an_absence(at: float, worst: float) -> None:
    """A lag report counts where the time it covers is within a tenth of a second of the absence."""
    log = gone().after(0.01).connect(60).at(at).harness("lag", worst_ms=8.0, over_s=1.0)
    assert worst_lag_ms(list(of_kind(log.log().events, "harness", "lag")), absence(log)) == worst


def test_worst_lag_of_an_absence_without_return() -> None:
    """Around the leaving, then; a report that does not say how bad it was counts for nothing."""
    log = gone().at(5.2).harness("lag", worst_ms=8.0).harness("lag").at(30).harness("lag", worst_ms=9.0)
    assert worst_lag_ms(list(of_kind(log.log().events, "harness", "lag")), absence(log)) == 8.0


@pytest.mark.parametrize(
    ("gap", "lag", "noisy"), [(4.0, 0.5, False), (4.0, 0.81, True), (4.0, 0.8, False), (None, 9.0, False)]
)
def test_noise(gap: float | None, lag: float, noisy: bool) -> None:  # noqa: FBT001 - a column of the table
    """Below five times the lag a gap is noisy."""
    assert is_noisy(gap, lag) is noisy
