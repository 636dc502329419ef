"""Renewals in place, and refused ones."""

import msgspec
from support.analysis_logs import LogBuilder, header, renews_in_place

from harness.analysis.cells import analyse_cell
from harness.analysis.findings import AbsenceFinding, CellFindings, Exchanges, InBandFinding, RefusedRenewal, Signature
from harness.analysis.law import TOLERANCE_S


def cell(log: LogBuilder) -> CellFindings:
    """The findings of what was built."""
    return analyse_cell(log.log())


def renewed(log: LogBuilder) -> InBandFinding:
    """The first renewal in place of what was built."""
    return cell(log).in_band[0]


def standing() -> LogBuilder:
    """A device that came 60 s ago over AMQP, at 10 s."""
    return LogBuilder(header(settings={"lifetime_s": 60.0})).enter(60, made_at=0.0).at(10)


def test_the_measured_renewals() -> None:
    """Two in place, at expiry - 900 s, with no absence, no gap, no event, nothing lost in either direction."""
    found = cell(renews_in_place())
    assert [abs(one.point_s - 10) < TOLERANCE_S for one in found.in_band if one.point_s is not None] == [True, True]
    assert [(one.undisturbed, one.took_ms, one.c2d, one.methods) for one in found.in_band] == [
        (True, 2.0, Exchanges(1, 1), Exchanges(1, 1))
    ] * 2
    assert [(one.renewal, one.gap_ms) for one in found.renewals] == [("in-band", None)] * 2
    assert (found.absences, found.put_tokens, found.connections) == ((), 3, 1)
    assert (found.messages.renewal_c2d, found.messages.c2d.asked, found.messages.gap_c2d.asked) == (
        Exchanges(2, 2),
        0,
        0,
    )


def test_the_life_of_a_token_that_was_renewed_in_place() -> None:
    """It counts from its first use on; the first token tells what it was made for."""
    first, second = cell(standing().renew(60).at(21).renew(60).at(30).end()).in_band
    assert (first.lifetime_s, first.point_s, second.point_s) == (60.0, 10.0, 11.0)


def test_no_life_without_a_token_before() -> None:
    """What was replaced could not be read."""
    assert renewed(LogBuilder().enter(None).at(10).renew(60).at(15).end()).point_s is None


def test_leaving_during_a_renewal() -> None:
    """A second later the device is gone: that is no undisturbed renewal, and the hub's log shows it."""
    found = renewed(standing().renew(60).after(1).disconnect().at(15).enter(60).at(20).end())
    assert (found.left, found.undisturbed, found.signature.hub) == (True, False, ("disconnect",))


def test_leaving_long_after_a_renewal() -> None:
    """That is another matter."""
    found = renewed(standing().renew(60).after(3).disconnect().at(20).end())
    assert (found.left, found.undisturbed) == (False, True)


def test_what_the_application_sees_of_it() -> None:
    """From half a second before, for the pipe, to two seconds after; the hub writes no record."""
    log = standing().at(9.7).status("EARLY").at(10).renew(60).after(1).status("LATE").after(3).status("TOO_LATE")
    found = renewed(log.at(20).end())
    assert (found.signature.app, found.signature.hub, found.undisturbed) == (("EARLY", "LATE"), (), False)


def test_a_message_lost_during_a_renewal() -> None:
    """Handed over then, and passed over by a later one."""
    log = standing().send(1).renew(60).at(15).delivered(2)
    found = renewed(log.send(3).at(20).delivered(4).end())
    assert (found.lost, found.undisturbed) == ((1,), False)


def test_a_c2d_message_lost_during_a_renewal() -> None:
    """The device acknowledged what the application never saw."""
    log = standing().put_token(60).harness("stimulus", what="c2d", id="a", why="renewal")
    log.hub("c2d-queued", message_id="a").answer().hub("c2d-acknowledged", message_id="a", state="accepted")
    found = renewed(log.at(20).end())
    assert (found.c2d, found.undisturbed) == (Exchanges(asked=1, lost=1), False)


def test_the_next_put_token_takes_its_share() -> None:
    """What comes within half a second before it belongs to it."""
    log = standing().renew(60).after(1).put_token(61).after(0.002).answer().status("SEEN").at(20).end()
    first, second = cell(log).in_band
    assert (first.signature.app, second.signature.app) == ((), ("SEEN",))


def test_a_cell_that_ends_too_soon() -> None:
    """What is missing may have been about to come."""
    assert renewed(standing().renew(60).after(1).end()).cut_short


REFUSED = Signature(("refused 401003",), "error", errors=1)


def test_a_refused_renewal_after_which_the_device_stays() -> None:
    """It is renewed at the next attempt."""
    found = cell(standing().renew(60, 401).at(20).renew(60).at(30).end())
    assert found.refused_renewals == (RefusedRenewal(10.0, "in-band", 401, None, 20.002, 10.0, False, REFUSED),)
    assert (len(found.in_band), found.connections) == (1, 1)


def test_a_refused_renewal_that_is_never_made_up_for() -> None:
    """The device stays, with the old token."""
    (found,) = cell(standing().renew(60, 401).at(20).end()).refused_renewals
    assert found == RefusedRenewal(10.0, "in-band", 401, None, None, 10.0, False, REFUSED)


def test_a_refused_renewal_after_which_the_device_leaves() -> None:
    """Measured with Node.js: it closes at once, and is back with the next message."""
    found = cell(standing().renew(60, 401).after(0.05).disconnect().at(12).enter(60).at(20).end())
    seen = Signature(("refused 401003", "disconnect", "connect"), "informational+error", errors=1, informational=2)
    assert found.refused_renewals == (RefusedRenewal(10.0, "in-band", 401, 10.052, 12.0, 10.0, False, seen),)
    assert [one.renewal for one in found.renewals] == ["reconnect"]


def test_a_device_that_leaves_for_good() -> None:
    """No new token was ever accepted."""
    found = cell(standing().renew(60, 401).after(0.05).disconnect().at(20).end())
    seen = Signature(("refused 401003", "disconnect"), "informational+error", errors=1, informational=1)
    assert found.refused_renewals == (RefusedRenewal(10.0, "in-band", 401, 10.052, None, 10.0, False, seen),)


def test_a_refused_renewal_by_a_new_connection() -> None:
    """As over MQTT: it had left to renew, and was refused with the new token."""
    log = LogBuilder().connect(60).at(10).disconnect().after(0.1).refused(60).after(1).connect(60)
    seen = Signature(("disconnect", "refused 401003", "connect"), "informational+error", errors=1, informational=2)
    found = cell(log.at(20).end()).refused_renewals
    assert found == (RefusedRenewal(10.1, "reconnect", 5, None, 11.1, signature=seen),)


def test_a_refused_old_token_is_no_refused_renewal() -> None:
    """Nothing new was presented."""
    log = LogBuilder().connect(10).at(15).cut().after(0.1).refused(10, made_at=0.0)
    assert cell(log.at(20).end()).refused_renewals == ()


def test_the_token_in_use_refused_once_more() -> None:
    """No renewal was refused, but something was, and the device left over it."""
    log = LogBuilder().enter(10, made_at=0.0).at(12).put_token(10, made_at=0.0).after(0.002).answer(401)
    found = cell(log.after(0.05).disconnect().at(30).end())
    assert (found.refused, found.refused_renewals, found.in_band) == (1, (), ())
    assert found.aftermath.returned == ("none",)


def test_the_token_in_use_accepted_once_more_is_no_renewal() -> None:
    """Measured with .NET: it presents the old token before the new one."""
    log = standing().put_token(60, made_at=0.0).after(0.002).answer().after(0.1).renew(60)
    assert [one.at_s for one in cell(log.at(30).end()).in_band] == [10.102]


def test_a_refused_renewal_is_not_made_up_for_by_the_old_token() -> None:
    """That was good before."""
    log = LogBuilder().enter(60, made_at=0.0).at(10).renew(60, 401).at(11).put_token(60, made_at=0.0).answer()
    assert cell(log.at(30).end()).refused_renewals[0].renewed_s is None


def test_what_follows_the_closing_is_the_harnesss_doing() -> None:
    """A put-token that falls into it says nothing."""
    found = cell(standing().harness("command", cmd="close").renew(60).renew(61, 401).at(20).end())
    assert (found.in_band, found.refused_renewals) == ((), ())


def test_a_refusal_nobody_asked_for_is_worth_a_note() -> None:
    """Where the scenario asks for it, the row is about nothing else."""
    changes = [("renewal", ("the hub refused a new token at 10.0 s (401)",)), ("renewal-refused", ())]
    for scenario, notes in changes:
        log = LogBuilder(header(scenario)).enter(60).at(10).renew(60, 401).at(20).end()
        assert cell(log).notes == notes


DISTURBED = header("renewal-refused", transport="amqp")


def test_a_row_about_a_refusal_shows_the_refusal() -> None:
    """Not the renewals that go well after it: measured with Node.js over AMQP."""
    log = LogBuilder(DISTURBED).enter(60).at(10).renew(60, 401).after(0.05).failure("disconnect", "UnauthorizedError")
    log.after(0.01).disconnect().at(12).enter(60).at(22).renew(60).at(32).renew(60)
    (found,) = cell(log.at(40).end()).telling
    assert isinstance(found, AbsenceFinding)
    assert (found.left_s, found.signature.app) == (10.062, ("disconnect: UnauthorizedError",))
    assert found.signature.hub == ("refused 401003", "disconnect", "connect")


def test_what_the_application_saw_long_before_the_cut() -> None:
    """Measured with C over AMQP: a status at the refusal, and nine seconds later the hub detaches the links."""
    log = LogBuilder(DISTURBED).enter(20).at(15).renew(20, 401).after(0.01).status("UNAUTHENTICATED", "BAD_CREDENTIAL")
    log.at(24).detach().at(25).put_token(20).answer(admitted=True).status("AUTHENTICATED", "OK").at(40).end()
    (found,) = cell(log).telling
    assert found.signature.app == ("UNAUTHENTICATED/BAD_CREDENTIAL", "AUTHENTICATED/OK")
    assert found.signature.hub == ("refused 401003", "401003", "404104", "connect")


def test_a_refusal_over_which_nobody_leaves() -> None:
    """It is what the row shows, once for each attempt at renewing."""
    log = LogBuilder(DISTURBED).enter(60).at(10).renew(60, 401).at(12).renew(60, 401).at(13).renew(60).at(23).renew(60)
    (found,) = cell(log.at(40).end()).telling
    assert isinstance(found, RefusedRenewal)
    twice = msgspec.structs.replace(REFUSED, errors=2)
    assert (found.at_s, found.back_s, found.signature) == (10.0, 13.002, twice)


def test_a_refusal_on_the_way_back() -> None:
    """Of two absences, it lies in the first."""
    log = LogBuilder(header("renewal-refused")).connect(60).at(10).disconnect().after(0.1).refused(60).after(1)
    log.connect(60).at(20).disconnect().after(0.1).connect(60)
    (found,) = cell(log.at(40).end()).telling
    assert isinstance(found, AbsenceFinding)
    assert (found.left_s, found.signature.hub) == (10.0, ("disconnect", "refused 401003", "connect"))


def test_a_refusal_from_which_the_device_never_came_back() -> None:
    """The absence lasts until the end."""
    log = LogBuilder(header("renewal-refused")).connect(60).at(10).disconnect().after(0.1).refused(60)
    (found,) = cell(log.at(40).end()).telling
    assert isinstance(found, AbsenceFinding)
    assert (found.left_s, found.back_s) == (10.0, None)


def test_a_fault_that_never_struck() -> None:
    """The row shows what there is."""
    found = cell(LogBuilder(DISTURBED).enter(60).at(10).renew(60).at(20).end())
    assert found.telling == found.in_band
