"""Settings and their effect."""

import pytest
from support.analysis_findings import cell, evidence, renewing

from harness.analysis.configurable import default_lifetime, lifetime_configurable, point_configurable
from harness.analysis.evidence import Evidence, Observed
from harness.analysis.findings import CellFindings

DEFAULTS = cell(scenario="defaults", first_lifetime_s=3599.9)


def test_default_lifetime() -> None:
    """From the first cell that set none and saw a token."""
    found = evidence(renewing(130, 10), subject=(cell(scenario="defaults"), DEFAULTS))
    assert default_lifetime(found) == 3599.9


def test_a_token_of_the_application_is_no_default() -> None:
    """Nor is a lifetime that was set."""
    fixed = cell(credential="token", first_lifetime_s=10.0)
    assert default_lifetime(evidence(renewing(130, 10), fixed)) is None


@pytest.mark.parametrize(
    "cells",
    [
        evidence(renewing(130, 10), renewing(170, 50)),
        evidence(renewing(130, 10), subject=(DEFAULTS,)),
    ],
)
def test_lifetime_moves(cells: Evidence) -> None:
    """Two lifetimes were set, or one beside the default, and the first tokens follow."""
    assert lifetime_configurable(cells) == Observed((True,), "configurable")


def test_lifetime_does_not_move() -> None:
    """What was set is not what the token has."""
    found = lifetime_configurable(evidence(renewing(130, 10, first_lifetime_s=3599.9)))
    assert found == Observed((False,), "130 s was set, the first token had 3599.9 s")


@pytest.mark.parametrize("cells", [evidence(renewing(130, 10)), evidence(DEFAULTS), evidence(cell())])
def test_lifetime_needs_two(cells: Evidence) -> None:
    """One lifetime shows no effect; different defaults are no setting."""
    assert lifetime_configurable(cells) == Observed(reason="it needs cells with two lifetimes")


def test_two_defaults_are_no_setting() -> None:
    """First tokens that differ although nothing was set."""
    found = lifetime_configurable(evidence(DEFAULTS, cell(first_lifetime_s=60.0)))
    assert found.values == ()


def test_a_setting_the_adapter_lacks() -> None:
    """It says what it can set."""
    found = lifetime_configurable(evidence(cell(capabilities=("margin-s",)), cell()))
    assert found == Observed((False,), "not configurable: the adapter offers no such setting")


def test_effect_counts_more_than_capabilities() -> None:
    """What moves is configurable, whatever the adapter says of itself."""
    cells = evidence(renewing(130, 10, capabilities=()), renewing(170, 50, capabilities=()))
    assert lifetime_configurable(cells).values == (True,)


def test_margin_moves_the_point() -> None:
    """One cell leaves it to the SDK, the other sets it."""
    assert point_configurable(evidence(renewing(940, 40), renewing(940, 20, margin_s=920))) == Observed(
        (True,), "configurable"
    )


def test_margin_without_effect() -> None:
    """Two margins, one point, and not what either asked for."""
    cells = evidence(renewing(20, 25, "hub-cut", margin_s=3), renewing(20, 25, "hub-cut", margin_s=6))
    assert point_configurable(cells) == Observed((False,), "not configurable")


NEEDS_A_PAIR = "it needs two cells that renew and differ in the margin only"


@pytest.mark.parametrize(
    "second",
    [
        renewing(30, 10, margin_s=20),  # another lifetime too
        renewing(20, 10),  # the same margin
        renewing(20, 10, margin_s=10),  # the default may be what was asked for
        renewing(20, 10, margin_s=10, absences=()),  # never renewed
    ],
)
def test_margin_needs_a_telling_pair(second: CellFindings) -> None:
    """Two cells that differ in nothing but the margin, and would differ if it had an effect."""
    assert point_configurable(evidence(renewing(20, 10), second)) == Observed(reason=NEEDS_A_PAIR)


@pytest.mark.parametrize(("capabilities", "values"), [(("lifetime",), (False,)), (("margin-percent",), ())])
def test_margin_the_adapter_lacks(capabilities: tuple[str, ...], values: tuple[bool, ...]) -> None:
    """In seconds or in percent."""
    assert point_configurable(evidence(renewing(20, 10, capabilities=capabilities))).values == values
