"""What a reader of a row should know besides its figures: whatever the row is not about."""

import pytest
from support.analysis_logs import LogBuilder, claim, header

from harness.analysis.cells import analyse_cell
from harness.analysis.findings import CellFindings
from harness.analysis.rows import Row, analyse

NOTHING_SHOWN = (claim("app-signature", []), claim("hub-signature", []), claim("hub-log-levels", "none"))


def renewing_twice(scenario: str = "renewal") -> LogBuilder:
    """Renewed in place at 15 s, with nothing shown."""
    claims = (*NOTHING_SHOWN, claim("renewal-action", "in-band"))
    head = header(scenario, settings={"lifetime_s": 20.0}, transport="amqp", claims=claims)
    return LogBuilder(head).enter(20).at(15).renew(20)


def cut_for_good() -> LogBuilder:
    """After two renewals in place none follows, and the hub detaches the links."""
    log = renewing_twice().at(30).renew(20).at(60).detach().after(0.01).status("disconnect")
    return log.failure("send_failed", "UnauthorizedError", id=9).at(75).close().end()


def reset_in_between() -> LogBuilder:
    """The connection breaks between two renewals in place, and the device is back with the token it has."""
    log = renewing_twice().at(22).closed("device", "rst").record("deviceDisconnect", "404104")
    log.after(0.05).failure("send_failed", "NotConnectedError", id=3).at(24).enter(20, made_at=15)
    return log.at(30).renew(20).at(50).close().end()


def cell(log: LogBuilder) -> CellFindings:
    """What was built."""
    return analyse_cell(log.log())


def row(log: LogBuilder) -> Row:
    """The row of what was built."""
    (only,) = analyse([log.log()])
    return only


@pytest.mark.parametrize(
    ("log", "note"),
    [
        (cut_for_good(), "the device was also away, from 60.0 s on: token-expired, not back in 15.0 s"),
        (reset_in_between(), "the device was also away, from 22.0 s on: closed, back again"),
    ],
    ids=["cut for good", "reset in between"],
)
def test_an_absence_beside_renewals(log: LogBuilder, note: str) -> None:
    """The renewals are what the row shows."""
    assert cell(log).notes == (note,)


@pytest.mark.parametrize(
    ("log", "differing"),
    [
        (cut_for_good(), {"app-signature", "hub-signature", "hub-log-levels", "renewal-action"}),
        (reset_in_between(), {"app-signature", "hub-signature", "hub-log-levels"}),
    ],
    ids=["cut for good", "reset in between"],
)
def test_claims_that_nothing_shows(log: LogBuilder, differing: set[str]) -> None:
    """What an absence beside the renewals shows refutes them."""
    verdicts = {verdict.claim: verdict.verdict for verdict in row(log).verdicts}
    assert {name for name, word in verdicts.items() if word == "differs"} == differing


def test_absences_of_one_kind_share_a_note() -> None:
    """A line that breaks again and again is one thing to know."""
    log = renewing_twice()
    for at in (20, 22):
        log.at(at).closed("device", "rst").at(at + 1).enter(20, made_at=15)
    (note,) = cell(log.at(30).renew(20).at(50).end()).notes
    assert note == "the device was also away, from 20.0, 22.0 s on: closed, back again"


def test_cuts_for_other_reasons_speak_for_themselves() -> None:
    """They say nothing about tokens, neither to claims."""
    log = renewing_twice().at(20).detach("keep-alive", ["404104"]).at(21).enter(20, made_at=15).at(40).end()
    assert cell(log).notes == ("the hub cut the connection for another reason than its token: keep-alive (1)",)
    assert {verdict.verdict for verdict in row(log).verdicts[: len(NOTHING_SHOWN)]} == {"confirmed"}


def test_a_fault_explains_what_follows() -> None:
    """Nothing need be said where the scenario disturbs the device."""
    log = renewing_twice("renewal-refused").at(22).closed("device", "rst").at(24).enter(20, made_at=15)
    assert cell(log.at(30).renew(20).at(50).end()).notes == ()


def test_a_renewal_in_place_that_was_noticed() -> None:
    """The usual one is what the row shows."""
    log = renewing_twice().at(30).send(1).renew(20).after(0.1).failure("send_failed", "az.Unauthorized", id=7).at(31)
    log.harness("command", cmd="send", id=2).arrives(2).at(31.5).closed("device", "rst").at(40).enter(20)
    assert cell(log.at(50).end()).notes[-1] == (
        "around the renewal in place at 30.0 s: the device left; the application saw send_failed: Unauthorized; lost 1 message"
    )


def test_a_message_lost_at_a_renewal_in_place() -> None:
    """Nobody left, and the application was shown nothing."""
    log = renewing_twice().at(30).send(1).renew(20).at(31).send(2).arrives(2).at(50).end()
    assert cell(log).notes == ("around the renewal in place at 30.0 s: lost 1 message",)
