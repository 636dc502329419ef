"""What was observed about each kind of claim."""

from typing import get_args

import msgspec
import pytest
from support.analysis_findings import cell, evidence, outliving, renewal, renewing

from harness.analysis.evidence import Observed
from harness.analysis.findings import Aftermath, InBandFinding, RefusedRenewal, Signature
from harness.analysis.observed import observe
from harness.claims import ClaimKind

BOTH = evidence(renewing(130, 10), renewing(170, 50))


@pytest.mark.parametrize("kind", get_args(ClaimKind))
def test_every_kind_has_an_observer(kind: ClaimKind) -> None:
    """A cell in which nothing happened shows nothing, and each kind says why."""
    found = observe(kind, evidence(cell()))
    assert (found.values, bool(found.reason)) == ((), True)


def test_a_law() -> None:
    """With its interval, and the law to compare with."""
    found = observe("renewal-point", BOTH)
    assert (found.text, found.law is not None) == ("lifetime - 120 s (118.8 to 121.2)", True)


def test_a_law_that_could_not_be_chosen() -> None:
    """The points are told all the same."""
    found = observe("disconnect-point", evidence(renewing(130, 10.26)))
    assert (found.values, found.text) == ((), "10.3 s of 130 s")
    assert found.reason.startswith("a law needs two lifetimes")


def test_one_point_for_each_lifetime() -> None:
    """The first of each, and what never happened."""
    cells = evidence(renewing(130, 10), renewing(130, 11), outliving(20), renewing(135, 10))
    assert observe("renewal-point", cells).text == "never in 20 s, 10 s of 130 s, 10 s of 135 s"


def test_a_margin_that_was_set_is_no_default() -> None:
    """The settings explain what was seen."""
    found = observe("renewal-point", evidence(renewing(60, 40, margin_s=20)))
    assert found == Observed(reason="the settings set the margin; a default is observed only where nothing does")


def test_renewal_action() -> None:
    """Of the main settings' cells."""
    assert observe("renewal-action", evidence(renewing(10, 15, "hub-cut"), renewing(30, 20))) == Observed(
        ("hub-cut",), "hub-cut"
    )


def test_no_renewal_in_the_whole_life() -> None:
    """Then the device does not renew."""
    assert observe("renewal-action", evidence(outliving(10))) == Observed(("none",), "none")


def test_no_renewal_so_far() -> None:
    """The token outlives the cell."""
    found = observe("renewal-action", evidence(renewing(3600, 5, absences=(), watched_s=70.0)))
    assert found.reason == "no renewal was seen in 70 s, and no token was watched to its end"


@pytest.mark.parametrize("kind", ["renewal-action", "closes-first", "hub-signature"])
def test_never_let_in(kind: ClaimKind) -> None:
    """A device that could not open its connection shows nothing, and the cell says why."""
    found = observe(kind, evidence(cell(connections=0, reason="it could not open")))
    assert found == Observed(reason="the device was never let in: it could not open")


TOO_SOON = Observed(reason="the cell ended too soon after the device had left to show all of it")


@pytest.mark.parametrize("kind", ["hub-signature", "hub-log-levels", "app-signature"])
def test_a_signature_that_was_cut_short(kind: ClaimKind) -> None:
    """What is missing may have been about to come."""
    left = renewal(5, back_s=None, gap_ms=None, renewal=None, cut_short=True)
    assert observe(kind, evidence(cell(absences=(left,)))) == TOO_SOON


def test_the_hub_s_side_is_whole_once_the_device_is_back() -> None:
    """The application's is not."""
    cells = evidence(cell(absences=(renewal(5, cut_short=True),)))
    assert observe("hub-signature", cells).values == (("disconnect", "connect"),)
    assert observe("app-signature", cells) == TOO_SOON


def test_who_closed_is_known_at_once() -> None:
    """However soon the cell ended."""
    assert observe("closes-first", evidence(cell(absences=(renewal(5, cut_short=True),)))).values == ("device",)


def test_values_that_differ_are_counted() -> None:
    """The most frequent first."""
    absences = (renewal(5, first="hub"), renewal(6), renewal(7))
    found = observe("closes-first", evidence(cell(absences=absences)))
    assert found == Observed(("device", "hub"), "device (2 of 3); hub (1 of 3)")


def test_signatures() -> None:
    """Each side of a renewal."""
    absence = renewal(5, signature=Signature(("disconnect", "connect"), "informational", ()))
    cells = evidence(cell(absences=(absence,)))
    assert observe("hub-signature", cells).text == "disconnect → connect"
    assert observe("hub-log-levels", cells).values == ("informational",)
    assert observe("app-signature", cells) == Observed(((),), "nothing")


@pytest.mark.parametrize("kind", ["closes-first", "hub-signature", "hub-log-levels"])
def test_what_the_log_does_not_tell(kind: ClaimKind) -> None:
    """A log cut short may hold an absence without its signs."""
    found = observe(kind, evidence(cell(absences=(renewal(5, first="", signature=Signature()),))))
    assert found == Observed(reason="the log does not tell")


def test_away_for_other_reasons() -> None:
    """What the log shows of a dead connection says nothing about tokens."""
    other = renewal(5, "hub-cut", cause="keep-alive", renewal=None)
    assert observe("closes-first", evidence(cell(absences=(other,)))) == Observed(
        reason="the device was away only because the hub cut it for another reason: keep-alive"
    )


def test_recovery() -> None:
    """What follows a refusal, or why that is not known."""
    assert observe("recovery", evidence(cell(recovery="retries"))).values == ("retries",)
    assert observe("recovery", evidence(cell(recovery_reason="nothing refused"))).reason == "nothing refused"


def test_token_lifetime() -> None:
    """The default, as the first token had it."""
    defaults = cell(scenario="defaults", first_lifetime_s=3599.96)
    found = observe("token-lifetime", evidence(renewing(130, 10), subject=(defaults,)))
    assert (found.values, found.text, found.first) == ((3599.96,), "3600 s", defaults.first_token)


IN_PLACE = InBandFinding(at_s=10.0, took_ms=2.0, point_s=10.0)


def test_a_renewal_in_place() -> None:
    """Nobody closes, no record is written, the application sees nothing."""
    cells = evidence(cell(transport="amqp", in_band=(IN_PLACE,)))
    assert observe("renewal-action", cells).values == ("in-band",)
    assert observe("closes-first", cells) == Observed(reason="it was done in place: nothing was closed")
    assert observe("hub-log-levels", cells) == Observed(("none",), "none")
    assert observe("hub-signature", cells) == Observed(((),), "nothing")
    assert observe("app-signature", cells) == Observed(((),), "nothing")


def test_a_renewal_in_place_that_was_cut_short() -> None:
    """Something may have been about to come, but not from the hub."""
    cells = evidence(cell(in_band=(msgspec.structs.replace(IN_PLACE, cut_short=True),)))
    assert observe("app-signature", cells) == TOO_SOON
    assert observe("hub-signature", cells).text == "nothing"


def test_what_followed_an_end() -> None:
    """Of all ends, in the main settings' cells."""
    found = Aftermath(returned=("next-send", "next-send"), unaware_s=(2.0, 1.5), c2d="dead")
    cells = evidence(cell(aftermath=found))
    assert observe("return", cells) == Observed(("next-send",), "next-send")
    assert observe("unaware", cells) == Observed((2.0, 1.5), "2 s, 1.5 s")
    assert observe("c2d-after-return", cells) == Observed(("dead",), "dead")


def test_silence_without_an_end() -> None:
    """It lasted for longer than was watched."""
    found = observe("unaware", evidence(cell(aftermath=Aftermath(silent_s=17.0))))
    assert (found.values, found.text, found.longer_s) == ((), "more than 17 s", 17.0)
    assert found.reason == "there was no sign in the 17 s it was watched for"


def test_a_refusal_over_which_nobody_leaves() -> None:
    """Nobody closes; the hub records it."""
    refused = RefusedRenewal(10.0, "in-band", 401, None, 20.0, 10.0, signature=Signature(("refused 401003",), "error"))
    cells = evidence(cell(disturbed=True, refused_renewals=(refused,), in_band=(IN_PLACE,)))
    assert observe("closes-first", cells) == Observed(reason="it was done in place: nothing was closed")
    assert observe("hub-signature", cells).text == "refused 401003"
    assert observe("hub-log-levels", cells).text == "error"
