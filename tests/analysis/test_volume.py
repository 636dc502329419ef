"""Errors per device and day: reckoned from what was observed, and from nothing else."""

import msgspec
import pytest
from support.analysis_findings import cell, renewal, renewing

from harness.analysis.findings import AbsenceFinding, InBandFinding, RenewalHow, Signature
from harness.analysis.law import Fit, LawFinding, Observation
from harness.analysis.rows import Row
from harness.analysis.volume import Volume, sentences, volumes

SEEN = (Observation(130.0, 10.0), Observation(170.0, 50.0))
MARGIN = Fit("margin", 119.0, 120.0, 121.0, 0.1)
FRACTION = Fit("fraction", 0.79, 0.8, 0.81, 0.1)
HUB_CUT = Fit("hub-cut", 0.0, 0.0, 0.0, 0.1)
NEVER = Fit("none", 0.0, 0.0, 0.0, 0.0)


def a_renewal(errors: int, informational: int, app_errors: int = 0, **changes: object) -> AbsenceFinding:
    """A renewal with so many records and exceptions."""
    how: RenewalHow = "hub-cut" if errors else "reconnect"
    signature = Signature(errors=errors, informational=informational, app_errors=app_errors)
    return renewal(10.0, how, signature=signature, **changes)


def a_row(
    fit: Fit | None = MARGIN, renewals: tuple[AbsenceFinding, ...] = (a_renewal(0, 2),), **changes: object
) -> Row:
    """A row of a real SDK of an hour's default lifetime with that law, in which these renewals were seen."""
    cells = (renewing(130, 10.0, absences=renewals),)
    row = Row(
        "sdk", "An SDK", "1.0", "mqtt", "renewal", "sending", "real", {"kind": "this-run"},
        default_lifetime_s=3600.0, law=LawFinding(fit, "" if fit else "two fit alike", observations=SEEN), cells=cells,
    )  # fmt: skip
    return msgspec.structs.replace(row, **changes)


def only(row: Row) -> Volume:
    """The only volume of a row."""
    (found,) = volumes([row])
    return found


@pytest.mark.parametrize(
    ("fit", "period_s", "renewals", "between"),
    [
        (MARGIN, 3480.0, 24.828, (24.82, 24.835)),
        (FRACTION, 2880.0, 30.0, (29.63, 30.38)),
        (HUB_CUT, 4200.0, 20.571, (20.571, 20.571)),
    ],
)
def test_renewals_a_day(fit: Fit, period_s: float, renewals: float, between: tuple[float, float]) -> None:
    """By the law at the default lifetime, with the interval of its parameter; the hub's grace is the service's, not the scenario's."""
    found = only(a_row(fit))
    assert (found.period_s, found.renewals_per_day) == (period_s, renewals)
    assert found.renewals_per_day_between == pytest.approx(between, abs=0.006)
    assert found.grace_s == (600.0 if fit is HUB_CUT else None)


def test_errors_a_day_are_renewals_times_records() -> None:
    """One cut every 70 minutes with two error records: 41 a day; what the application saw is reckoned alike."""
    found = only(a_row(HUB_CUT, (a_renewal(2, 1, 1), a_renewal(2, 1, 2))))
    assert (found.errors_per_renewal, found.renewals_seen) == (2.0, 2)
    assert (found.errors_per_day, found.informational_per_day, found.app_errors_per_day) == (41.1, 20.6, 30.9)


def test_a_renewal_without_records_is_a_figure_too() -> None:
    """In place, over AMQP: nothing in the hub's log, which is no lack of knowledge."""
    row = a_row(FRACTION, cells=(cell(in_band=(InBandFinding(10.0, 1.0),)),))
    assert (only(row).errors_per_day, only(row).reason) == (0.0, "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"default_lifetime_s": None}, "the default lifetime was not observed"),
        ({"law": None}, "no renewal was observed"),
        ({"law": LawFinding(None, "nothing")}, "no renewal was observed"),
        ({"fit": None}, "the law was not observed: two fit alike"),
        ({"law_margin_set": True}, "the law was observed with a margin that was set"),
        ({"renewals": ()}, "no renewal was seen to its end"),
        ({"renewals": (a_renewal(2, 1, cut_short=True),)}, "no renewal was seen to its end"),
        ({"fit": NEVER}, "it never renews: the hub cuts it once, after 4200 s"),
        ({"default_lifetime_s": 60.0}, "lifetime - 120 s leaves nothing of a lifetime of 60 s"),
        ({"status": "environment", "reason": "no port"}, "no port"),
        ({"status": "unsupported"}, "unsupported"),
    ],
)  # fmt: skip
def test_what_was_not_observed_has_no_figure(changes: dict[str, object], reason: str) -> None:
    """But the reason, and no figure that could be taken for one."""
    found = only(a_row(**changes))  # type: ignore[arg-type] # a table of changes
    assert (found.errors_per_day, found.app_errors_per_day, found.reason) == (None, None, reason)


def test_a_disturbed_scenario_shows_no_default() -> None:
    """Where the hub is made to misbehave, neither the law nor the records are those of the SDK's defaults."""
    row = a_row(cells=(renewing(130, 10.0, about_the_end=True),))
    assert only(row).reason == "the law was not observed: the scenario disturbs it"


def test_renewals_at_a_margin_that_was_set_do_not_count() -> None:
    """Where cells without one were seen."""
    cells = (
        renewing(130, 10.0, absences=(a_renewal(0, 2),)),
        renewing(130, 10.0, margin_s=5.0, absences=(a_renewal(4, 2),)),
    )
    assert only(a_row(cells=cells)).errors_per_day == 0.0


def test_a_margin_without_effect_does_not_matter() -> None:
    """The law is the SDK's own then, and so are the renewals."""
    row = a_row(HUB_CUT, cells=(renewing(130, 10.0, margin_s=5.0, absences=(a_renewal(2, 1),)),))
    assert only(row).errors_per_day == 41.1


def test_a_subject_is_told_once_from_the_row_that_shows_most() -> None:
    """In whatever order the rows come."""
    rows = [a_row(law=None, scenario="defaults"), a_row(), a_row(fit=None, scenario="expiry")]
    (found,) = volumes(rows)
    assert (found.scenario, found.reason) == ("renewal", "")


def volume(sdk: str, transport: str, errors: float | None, device: str = "real", date: str = "") -> Volume:
    """One with that figure, of two records a renewal."""
    return Volume(
        sdk,
        "1",
        transport,
        device,
        "recorded" if date else "this-run",
        date,
        errors_per_day=errors,
        errors_per_renewal=2.0,
        renewals_per_day=20.571,
    )


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            [volume("c", "mqtt", 0), volume("c", "amqp", 0), volume("java", "mqtt", 41.1), volume("java", "amqp", 0)],
            (
                "real: no error in the hub's log with c 1 over every transport measured, and over amqp with every SDK measured;"
                " most with java 1 over mqtt: 41 errors a day (2 x 20.6 renewals)."
            ),
        ),
        (
            [volume("a", "mqtt", 0), volume("a", "amqp", 3), volume("b", "mqtt", 3), volume("b", "amqp", 3)],
            (
                "real: no error in the hub's log with a 1 over mqtt; most with a 1 over amqp, b 1 over mqtt and amqp:"
                " 3 errors a day (2 x 20.6 renewals)."
            ),
        ),
        (
            [volume("a", "mqtt", 0), volume("b", "mqtt", 0)],
            "real: no error in the hub's log with every SDK measured, over mqtt.",
        ),
        (
            [volume("a", "mqtt", 0), volume("a", "https", None), volume("b", "mqtt", 3), volume("b", "https", 0)],
            (
                "real: no error in the hub's log with a 1 over mqtt, b 1 over https; most with b 1 over mqtt:"
                " 3 errors a day (2 x 20.6 renewals)."
            ),
        ),
        (
            [volume("a", "mqtt", 0), msgspec.structs.replace(volume("a", "https", None), measured=False)],
            "real: no error in the hub's log with every SDK measured, over mqtt.",
        ),
        (
            [volume("a", "mqtt", None), volume("b", "mqtt", 41.1, date="2026-11-24")],
            "real, recorded 2026-11-24: 41 errors a day in the hub's log with every SDK measured, over mqtt.",
        ),
    ],
)  # fmt: skip
def test_the_sentence_follows_from_the_figures(found: list[Volume], sentence: str) -> None:
    """Whole SDKs, then whole transports, then what is left; what was measured and has no figure makes neither whole."""
    assert sentences(found) == (sentence,)


def test_real_and_emulated_devices_have_sentences_of_their_own() -> None:
    """Neither speaks for the other; without a figure there is none."""
    told = sentences([volume("a", "mqtt", 0), volume("b", "mqtt", 41.1, "emulated"), volume("c", "mqtt", None)])
    assert [sentence.partition(":")[0] for sentence in told] == ["real", "emulated"]
    assert sentences([volume("c", "mqtt", None)]) == ()
