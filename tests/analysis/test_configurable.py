"""Settings and their effect."""

import msgspec
import pytest
from support.analysis_findings import cell, evidence, renewing

from harness.analysis.configurable import TOO_SLOW, default_token, lifetime_configurable, point_configurable
from harness.analysis.evidence import Evidence, Observed
from harness.analysis.findings import CellFindings, FirstToken

DEFAULTS = cell(scenario="defaults", first_lifetime_s=3599.9)


def test_default_token() -> None:
    """From the first cell that set none and saw a token."""
    found = evidence(renewing(130, 10), subject=(cell(scenario="defaults"), DEFAULTS))
    assert default_token(found) == FirstToken(3599.9, 3599.9, 3599.9)


def test_a_token_of_the_application_is_no_default() -> None:
    """Nor is a lifetime that was set."""
    fixed = cell(credential="token", first_lifetime_s=10.0)
    assert default_token(evidence(renewing(130, 10), fixed)) is None


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


@pytest.mark.parametrize(("default", "values"), [(23.25, ()), (23.3, (True,))])
def test_how_far_a_lifetime_has_to_move(default: float, values: tuple[bool, ...]) -> None:
    """By more than what two first tokens may be off."""
    set_to_20 = renewing(20, 15, first_lifetime_s=20.0)
    assert lifetime_configurable(evidence(set_to_20, cell(first_lifetime_s=default))).values == values


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


@pytest.mark.parametrize(("between", "values"), [((17.8, 19.1), ()), ((17.8, 17.9), (False,))])
def test_a_slow_connecting(between: tuple[float, float], values: tuple[bool, ...]) -> None:
    """A first token that is short is refuted by its expiry only as far as the device cannot have taken that long."""
    slow = renewing(20, 15, first_lifetime_s=17.8, first_lifetime_between_s=between)
    found = lifetime_configurable(evidence(slow, renewing(60, 55)))
    assert (found.values, found.reason == TOO_SLOW) == (values, not values)


NOT_OFFERED = Observed(
    text="the adapter offers no such setting", reason="the adapter offers no such setting", unsupported=True
)


@pytest.mark.parametrize("first", [cell(), renewing(130, 10, first_lifetime_s=3599.9)])
def test_a_setting_the_adapter_lacks(first: CellFindings) -> None:
    """Nothing was set, whatever the settings say, and so nothing can be seen."""
    found = evidence(msgspec.structs.replace(first, capabilities=("margin-s",)), cell())
    assert lifetime_configurable(found) == NOT_OFFERED


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


@pytest.mark.parametrize(("capability", "unsupported"), [("lifetime", True), ("margin-percent", False)])
def test_margin_the_adapter_lacks(capability: str, unsupported: bool) -> None:  # noqa: FBT001 - a column
    """In seconds or in percent."""
    assert point_configurable(evidence(renewing(20, 10, capabilities=(capability,)))).unsupported is unsupported


@pytest.mark.parametrize(("second", "expected"), [(25.0, NOT_OFFERED), (10.0, Observed((True,), "configurable"))])
def test_margins_the_adapter_lacks(second: float, expected: Observed) -> None:
    """That two of them make no difference shows nothing; that they make one would show all the more."""
    cells = evidence(renewing(30, 25, margin_s=3, capabilities=()), renewing(30, second, margin_s=10, capabilities=()))
    assert point_configurable(cells) == expected


@pytest.mark.parametrize(("other", "values"), [(22.5, (False,)), (22.4, (True,))])
def test_how_far_a_margin_has_to_move_the_point(other: float, values: tuple[bool, ...]) -> None:
    """By more than twice what a single point may be off."""
    cells = evidence(renewing(40, 25, margin_s=3), renewing(40, other, margin_s=6))
    assert point_configurable(cells).values == values
