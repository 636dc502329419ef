"""What a row shows in a few words; most traits are tested where versions are compared (`test_history`)."""

from typing import Any

import pytest
from support.analysis_findings import cell
from support.rows import a_row

from harness.analysis.findings import FirstRefusal
from harness.analysis.traits import Trait, traits


def shown(what: str, /, **changes: Any) -> str | None:
    """How a row shows a trait."""
    found = traits(a_row(**changes)).get(what)
    return found.text if found else None


@pytest.mark.parametrize(
    ("refused", "text"),
    [
        (FirstRefusal("hub", 0.1, check="signature", wire="CONNACK 5"), "refused: CONNACK 5, signature"),
        (FirstRefusal("hub", 0.1, wire="CONNACK 5", believed=True), "refused: CONNACK 5, yet called connected"),
        (FirstRefusal("sdk", 0.1), "refused by the SDK itself"),
        (FirstRefusal("sdk", 0.1, believed=True), "refused by the SDK itself, yet called connected"),
    ],
)
def test_a_first_refusal_says_by_whom_and_how(refused: FirstRefusal, text: str) -> None:
    """And what the application was told."""
    assert shown("first connection", first_refusal=refused) == text


def test_what_follows_the_first_refusal_is_a_trait_of_its_own() -> None:
    """Null where it could not be told."""
    assert shown("after the first refusal", first_refusal=FirstRefusal("hub", 0.1, then="retries")) == "retries"
    assert shown("after the first refusal", first_refusal=FirstRefusal("hub", 0.1)) is None
    assert shown("after the first refusal") is None


def test_a_device_that_was_let_in_says_so() -> None:
    """So that a refusal is a change; one that never came shows nothing, nor does a cell that did not run."""
    assert shown("first connection") == "let in"
    assert shown("first connection", cells=(cell(connections=0),)) is None
    assert shown("first connection", cells=(cell(status="environment"),)) is None


def test_an_end_that_was_not_noticed() -> None:
    """Is worse than any that was, unless one took longer."""
    assert shown("unaware", silent_s=20.0) == "not noticed"
    assert shown("unaware", silent_s=20.0, unaware_s=3.0) == "not noticed"
    assert shown("unaware", silent_s=20.0, unaware_s=30.0) == "10 s or more"


def test_how_long_an_end_went_unnoticed_is_known_to_a_second() -> None:
    """As a law is."""
    one, near, far = (traits(a_row(unaware_s=unaware))["unaware"] for unaware in (0.0, 2.4, 2.6))
    assert one.is_like(near)
    assert not one.is_like(far)


@pytest.mark.parametrize(("count", "text"), [(0, None), (2, "some")])
def test_the_least_there_was_is_no_none(count: int, text: str | None) -> None:
    """Where a recording leaves rows out."""
    assert shown("messages duplicated", sent=9, duplicated=count, lacks=("quiet-rows",)) == text


def test_a_span_is_that_of_its_unit() -> None:
    """Seconds and fractions have nothing in common, and words none."""
    assert not Trait("a", "s", 0, 1).is_like(Trait("b", "fraction", 0, 1))
    assert not Trait("a").is_like(Trait("b"))
    assert Trait("a", "s", 0, 1).is_like(Trait("a", "fraction", 5, 6))
