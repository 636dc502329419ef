"""Claims against what was observed."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from support.analysis_findings import cell, evidence, renewal, renewing
from support.analysis_logs import claim

from harness.analysis.evidence import Evidence
from harness.analysis.findings import Aftermath, CellFindings, InBandFinding, Signature
from harness.analysis.verdicts import Verdict, judge, read_claims, without_measurement
from harness.claims import ClaimKind

BOTH = evidence(renewing(130, 10), renewing(170, 50))
IN_PLACE = evidence(cell(in_band=(InBandFinding(at_s=10.0, took_ms=2.0),)))
EXPIRY = cell(
    scenario="expiry", credential="token", settings_of="none", recovery="next-send", traffic="sending+listening"
)
IDLE = cell(scenario="expiry-idle", credential="token", settings_of="none", recovery="none", traffic="idle")
DEFAULTS = cell(scenario="defaults", settings_of="none", traffic="idle", first_lifetime_s=3599.9)
OWN = cell(scenario="my-own", traffic="idle", first_lifetime_s=3599.9)
ROWS = (cell(), DEFAULTS, EXPIRY, IDLE, OWN)


def verdicts(*claims: dict[str, object], cells: Evidence = BOTH, rows: Sequence[CellFindings] = ROWS) -> list[Verdict]:
    """The verdicts on these claims, without those on kinds of which no claim speaks."""
    found = judge(read_claims(claims), cells, rows)
    return [verdict for verdict in found if verdict.verdict != "documents silent"]


def verdict(kind: ClaimKind, value: object, cells: Evidence = BOTH) -> Verdict:
    """The verdict on one claim without conditions."""
    return verdicts(claim(kind, value), cells=cells)[0]


def test_a_variant_is_as_good_as_the_value() -> None:
    """In each absence for itself; the claim is shown with both."""
    seen = evidence(
        cell(absences=(renewal(5, signature=Signature(app=("a",))), renewal(15, signature=Signature(app=("b",)))))
    )
    (found,) = verdicts(claim("app-signature", ["a"], variants=[["b"]]), cells=seen)
    assert (found.verdict, found.claimed) == ("confirmed", "a or b")
    assert verdict("app-signature", ["a"], seen).verdict == "differs"


def test_at_lifespan_differs_with_both_values() -> None:
    """The statement 'at token lifespan' about an SDK that leaves two minutes earlier."""
    assert verdict("disconnect-point", {"law": "lifespan", "seconds": 0}) == Verdict(
        claim="disconnect-point",
        kind="disconnect-point",
        verdict="differs",
        claimed="lifetime + 0 s",
        observed="lifetime - 120 s (118.8 to 121.2)",
        source="IoT Hub documentation, SDKs (2026-01-01)",
    )


@pytest.mark.parametrize(
    ("kind", "value", "cells", "word"),
    [
        ("renewal-point", {"law": "margin", "seconds": 120}, BOTH, "confirmed"),
        ("renewal-point", {"law": "margin", "seconds": 123}, BOTH, "differs"),
        ("renewal-point", {"law": "fraction", "fraction": 0.85}, evidence(renewing(10, 15, "hub-cut")), "differs"),
        ("renewal-point", {"law": "margin", "seconds": 120}, evidence(renewing(130, 10)), "not observed"),
        ("renewal-point", {"law": "margin", "seconds": 20}, evidence(renewing(60, 40, margin_s=20)), "not observed"),
        ("renewal-point", {"law": "margin", "seconds": 20}, evidence(cell()), "not observed"),
        ("renewal-action", "reconnect", BOTH, "confirmed"),
        ("renewal-action", "hub-cut", BOTH, "differs"),
        ("renewal-action", "reconnect", evidence(cell(absences=(renewal(1), renewal(2, "hub-cut")))), "differs"),
        ("renewal-action", "reconnect", evidence(cell()), "not observed"),
        ("closes-first", "device", BOTH, "confirmed"),
        ("hub-signature", ["disconnect", "connect"], BOTH, "confirmed"),
        ("hub-signature", ["401003", "404104"], BOTH, "differs"),
        ("hub-log-levels", "informational", IN_PLACE, "confirmed"),
        ("hub-log-levels", "informational+error", IN_PLACE, "differs"),
        ("hub-log-levels", "none", BOTH, "differs"),
        ("app-signature", [], BOTH, "confirmed"),
        ("lifetime-configurable", True, BOTH, "confirmed"),
        ("lifetime-configurable", False, BOTH, "differs"),
        ("token-lifetime", 3600, evidence(cell(first_lifetime_s=3601.25)), "confirmed"),
        ("token-lifetime", 3600, evidence(cell(first_lifetime_s=3603.0)), "differs"),
        ("token-lifetime", 3600, BOTH, "not observed"),
        (
            "token-lifetime",
            3600,
            evidence(cell(first_lifetime_s=3640.0, first_lifetime_between_s=(3599.0, 3640.0))),
            "not observed",
        ),
        (
            "app-signature",
            ["a"],
            evidence(cell(absences=(renewal(5, signature=Signature(app=("a", "… (repeated)"))),))),
            "confirmed",
        ),
        (
            "app-signature",
            ["a", "… (repeated)"],
            evidence(cell(absences=(renewal(5, signature=Signature(app=("a",))),))),
            "differs",
        ),
        ("lifetime-configurable", True, evidence(cell(capabilities=())), "unsupported"),
        ("renewal-point-configurable", False, evidence(cell(capabilities=())), "unsupported"),
    ],
)
def test_words(kind: ClaimKind, value: object, cells: Evidence, word: str) -> None:
    """One claim against one observation."""
    assert verdict(kind, value, cells).verdict == word


def test_not_observed_says_why() -> None:
    """And shows what was seen all the same."""
    found = verdict("renewal-point", {"law": "margin", "seconds": 120}, evidence(renewing(130, 10)))
    assert found.observed == "10 s of 130 s"
    assert found.reason.startswith("a law needs two lifetimes")


def test_documents_silent() -> None:
    """Something was observed of which no claim speaks."""
    found = judge(read_claims([claim("closes-first", "device")]), BOTH, ROWS)
    silent = {one.kind: one.observed for one in found if one.verdict == "documents silent"}
    assert silent["renewal-action"] == "reconnect"
    assert silent.keys().isdisjoint({"closes-first", "recovery", "token-lifetime"})


def test_silent_about_an_expiry() -> None:
    """A row of a fixed token shows what the log and the application show, and what follows."""
    absence = renewal(15, cause="token-expired", renewal=None, signature=Signature(("401003",), "error", ("gone",)))
    row = evidence(cell(scenario="expiry", credential="token", recovery="none", absences=(absence,)))
    assert [one.kind for one in judge((), row, ROWS)] == ["hub-signature", "app-signature", "recovery"]


def test_a_source_without_a_section() -> None:
    """Document and date are enough."""
    measured = {"document": "measured", "date": "2026-11-24"}
    assert verdicts(claim("closes-first", "device", source=measured))[0].source == "measured (2026-11-24)"


@pytest.mark.parametrize(
    ("conditions", "judged"),
    [
        ({}, True),
        ({"transports": ["mqtt"]}, True),
        ({"transports": ["amqp", "mqtt-ws"]}, False),
        ({"versions": ["0.9", "1.0"]}, True),
        ({"versions": ["2.0"]}, False),
        ({"versions": [">=1.0rc1,<2"]}, True),
        ({"versions": [">1.0"]}, False),
        ({"versions": ["latest"]}, False),
        ({"when": {"traffic": ["listening", "sending"]}}, True),
        ({"when": {"traffic": ["sending"]}}, False),
        ({"when": {"traffic": []}}, False),
        ({"when": {"credential": "key"}}, True),
        ({"when": {"credential": "token"}}, False),
        ({"when": {"scenario": "renewal"}}, True),
        ({"when": {"scenario": "renewal", "credential": "key"}}, True),
        ({"when": {"scenario": "renewal", "credential": "token"}}, False),
        ({"when": {"scenario": "expiry"}}, False),
    ],
)
def test_conditions(conditions: dict[str, Any], judged: bool) -> None:  # noqa: FBT001 - a column of the table
    """A claim is judged where its conditions hold, and nowhere else."""
    assert bool(verdicts(claim("closes-first", "device", **conditions))) is judged


@pytest.mark.parametrize(
    ("kind", "when", "where", "judged"),
    [
        ("recovery", {}, EXPIRY, True),
        ("recovery", {}, IDLE, True),
        ("recovery", {}, cell(), False),
        ("recovery", {"traffic": []}, IDLE, True),
        ("recovery", {"traffic": []}, EXPIRY, False),
        ("recovery", {"scenario": "expiry"}, IDLE, False),
        ("recovery", {"credential": "key"}, cell(), True),
        ("renewal-action", {"credential": "token"}, IDLE, True),
        ("renewal-action", {}, IDLE, False),
        ("hub-signature", {"scenario": "expiry"}, EXPIRY, True),
        ("token-lifetime", {}, cell(), True),
        ("token-lifetime", {}, DEFAULTS, False),
        ("token-lifetime", {}, OWN, False),
        ("token-lifetime", {"traffic": []}, OWN, True),
        ("token-lifetime", {"traffic": []}, DEFAULTS, False),
        ("closes-first", {}, DEFAULTS, False),
        ("closes-first", {}, OWN, True),
        ("closes-first", {}, msgspec.structs.replace(DEFAULTS, awaits_renewals=True), True),
    ],
)
def test_home(kind: ClaimKind, when: dict[str, object], where: CellFindings, judged: bool) -> None:  # noqa: FBT001
    """On which row a claim is judged."""
    value = {"token-lifetime": 3600, "hub-signature": ["401003"]}.get(kind, "none")
    assert bool(verdicts(claim(kind, value, when=when), cells=evidence(where))) is judged


def test_lifetimes_without_a_renewal_row() -> None:
    """Where only the defaults were run, their row is where the lifetime is judged."""
    found = verdicts(claim("token-lifetime", 3600), cells=evidence(DEFAULTS), rows=(EXPIRY, DEFAULTS))
    assert [one.verdict for one in found] == ["confirmed"]


def test_a_setting_the_adapter_lacks_and_no_document_speaks_of() -> None:
    """A reader learns why nothing is said about it."""
    found = judge((), evidence(renewing(130, 10, capabilities=("lifetime",))), ROWS)
    silent = {one.kind: one.observed for one in found if one.verdict == "documents silent"}
    assert silent["renewal-point-configurable"] == "the adapter offers no such setting"


def test_unsupported_says_why() -> None:
    """The adapter has no means to set it."""
    found = verdict("lifetime-configurable", True, evidence(cell(capabilities=())))
    assert (found.verdict, found.reason) == ("unsupported", "the adapter offers no such setting")


@pytest.mark.parametrize("raw", [{}, claim("a-newer-kind", 1), {**claim("recovery", "none"), "a_newer_field": 1}])
def test_claims_of_a_newer_harness_are_passed_over(raw: dict[str, object]) -> None:
    """They are not ours to judge."""
    assert read_claims([raw, claim("closes-first", "device")]) == read_claims([claim("closes-first", "device")])


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("unsupported", "unsupported"),
        ("environment", "environment"),
        ("harness-error", "harness error"),
        ("adapter-error", "harness error"),
    ],
)
def test_without_measurement(status: str, word: str) -> None:
    """The claims that would have been judged there, with the reason; nothing is counted as a failure."""
    claims = read_claims([claim("closes-first", "device"), claim("recovery", "none")])
    found = without_measurement(claims, cell(status=status, reason="because"), ROWS)
    assert [(one.claim, one.verdict, one.claimed, one.reason) for one in found] == [
        ("closes-first", word, "device", "because")
    ]


CUT = cell(
    scenario="cut-idle",
    credential="token",
    settings_of="none",
    traffic="idle",
    disturbed=True,
    about_the_end=True,
    recovery="none",
    aftermath=Aftermath(returned=("none",), silent_s=17.0),
)
REFUSED = cell(scenario="renewal-refused", disturbed=True, about_the_end=True, aftermath=Aftermath(c2d="dead"))
CLOSED = cell(
    scenario="expiry-close", credential="token", settings_of="none", traffic="sending", about_the_end=True,
    recovery="next-send", aftermath=Aftermath(unaware_s=(45.02,)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "where", "word"),
    [
        ("return", "none", CUT, "confirmed"),
        ("return", "by-itself", CUT, "differs"),
        ("return", "none", CLOSED, "not observed"),
        ("c2d-after-return", "dead", REFUSED, "confirmed"),
        ("unaware", 45, CLOSED, "confirmed"),
        ("unaware", 43, CLOSED, "differs"),
        ("unaware", 15.9, CUT, "not observed"),
        ("unaware", 15, CUT, "differs"),
        ("unaware", 45, CUT, "not observed"),
    ],
)
def test_after_an_end(kind: ClaimKind, value: object, where: CellFindings, word: str) -> None:
    """Seconds as near as a law can tell; a silence that never ended refutes what is shorter than it."""
    (found,) = verdicts(claim(kind, value), cells=evidence(where))
    assert found.verdict == word


@pytest.mark.parametrize(
    ("kind", "when", "where", "judged"),
    [
        ("return", {}, cell(), False),
        ("return", {}, EXPIRY, False),
        ("return", {"credential": "key"}, CUT, False),
        ("return", {"credential": "token"}, CUT, True),
        ("return", {"scenario": "cut-idle"}, CUT, True),
        ("recovery", {}, CUT, False),
        ("recovery", {}, CLOSED, True),
        ("renewal-action", {}, REFUSED, False),
        ("renewal-action", {"scenario": "renewal-refused"}, REFUSED, True),
        ("app-signature", {"credential": "token"}, CUT, False),
    ],
)
def test_home_of_what_a_scenario_disturbs(
    kind: ClaimKind,
    when: dict[str, object],
    where: CellFindings,
    judged: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A fault is no evidence about what happens without one, unless the claim is about it."""
    value = ["x"] if kind == "app-signature" else "none"
    assert bool(verdicts(claim(kind, value, when=when), cells=evidence(where))) is judged


def test_silent_about_what_follows_an_end() -> None:
    """What was seen of it, also where it was seen not to end; of the rest only what is not the fault's doing."""
    found = {one.kind: one.observed for one in judge((), evidence(CUT), ROWS)}
    assert found == {"return": "none", "unaware": "more than 17 s"}
    assert {one.kind for one in judge((), evidence(CLOSED), ROWS)} == {"recovery", "unaware"}


def test_a_scenario_whose_hub_closes_otherwise_is_not_the_one_that_was_claimed() -> None:
    """Nobody said what happens with the way of closing that an option asked for."""
    said = claim("unaware", 45, when={"scenario": "expiry-close"})
    assert [one.verdict for one in verdicts(said, cells=evidence(CLOSED))] == ["confirmed"]
    assert not verdicts(said, cells=evidence(msgspec.structs.replace(CLOSED, closes_otherwise=True)))


@pytest.mark.parametrize(("seconds", "word"), [(600, "confirmed"), (0, "differs")])
def test_a_law_of_one_scenario_is_the_point_in_one_lifetime(seconds: int, word: str) -> None:
    """`A token of 20 minutes is dropped after 30` needs no second lifetime, and is not asked of others."""
    claimed = claim("disconnect-point", {"law": "lifespan", "seconds": seconds}, when={"scenario": "renewal"})
    other = renewing(20, 25, "hub-cut", scenario="other")
    found = verdicts(claimed, cells=evidence(renewing(1200, 1800, "hub-cut"), subject=(other,)))
    assert [(one.verdict, one.observed) for one in found] == [(word, "1800 s of 1200 s")]
