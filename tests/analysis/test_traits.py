"""What a row shows in a few words; most traits are tested where versions are compared (`test_history`)."""

from typing import Any

import pytest
from support.analysis_findings import cell, renewal
from support.rows import a_row

from harness.analysis.findings import AbsenceFinding, FirstRefusal, Messages, Signature, Telemetry
from harness.analysis.rows import Row
from harness.analysis.traits import Trait, may_be_chance, of_chance, traits


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


def away(*app: str, cut_short: bool = False) -> AbsenceFinding:
    """An absence in which the application saw that."""
    return renewal(10.0, signature=Signature(app=app), cut_short=cut_short)


def of_absences(*absences: AbsenceFinding) -> Row:
    """A row of one cell with these absences, of which the first shows the usual signature."""
    return a_row(app=absences[0].signature.app, cells=(cell(absences=absences),))


def test_two_that_share_an_occurrence_are_alike() -> None:
    """For which one is the usual is chance."""
    one, other = (traits(of_absences(*absences))["application saw"] for absences in (
        (away("off", "on"), away("off", "busy", "on")), (away("off", "busy", "on"), away("off", "on", "busy")),
    ))  # fmt: skip
    assert (one.text, one.others) == ("off, on", ("off, busy, on",))
    assert one.is_like(other)


def test_an_absence_that_was_cut_short_is_no_occurrence() -> None:
    """The rest may have been about to come; where there is no other, it is one."""
    assert traits(of_absences(away("off", "on"), away("off", cut_short=True)))["application saw"].others == ()
    cut = of_absences(away("off", cut_short=True), away("off", "busy", cut_short=True))
    assert traits(cut)["application saw"].others == ("off, busy",)


def repeated(*duplicated: int, **changes: Any) -> Trait:
    """The trait of a row with a cell for each number of duplicates."""
    cells = tuple(cell(messages=Messages(telemetry=Telemetry(sent=9, duplicated=number))) for number in duplicated)
    return traits(a_row(sent=9, duplicated=sum(duplicated), cells=cells, **changes))["messages duplicated"]


def test_repeats_are_occurrences_too() -> None:
    """One of two had duplicates, and none of the other two."""
    assert repeated(2, 0).is_like(repeated(0, 0))
    assert not repeated(2, 2).is_like(repeated(0, 0))


def test_a_repeat_that_tells_the_least_there_was_shows_no_none() -> None:
    """Where a recording leaves rows out."""
    assert repeated(2, 0, lacks=("quiet-rows",)).others == ()


def test_of_what_nothing_is_seen_there_is_no_occurrence() -> None:
    """A row made elsewhere may have no cells."""
    assert traits(a_row(app=("off",), cells=()))["application saw"] == Trait("off")


@pytest.mark.parametrize(
    ("before", "after", "chance"),
    [
        ("off, on", "off, busy, on", True),
        ("off, on, … (repeated)", "off, busy, on", True),
        ("off, on", "off, on, send_failed: Error", True),
        ("off, on", "on, off", False),
        ("off, on", "off, on, off again", False),
        ("nothing", "send_failed: Error", False),
        ("send_failed: Error", "send_failed: Other", False),
    ],
)
def test_what_is_seen_between_the_ends_may_be_chance(before: str, after: str, chance: bool) -> None:  # noqa: FBT001 - a table
    """And whether a send was under way."""
    assert may_be_chance("application saw", Trait(before), Trait(after), ()) is chance


def test_a_fault_may_strike_a_message_or_not() -> None:
    """Without a fault, it is no chance that messages are duplicated; nor is it ever that they are lost."""
    some, none, struck = Trait("some"), Trait("none"), of_chance(a_row(cells=(cell(disturbed=True),)))
    assert may_be_chance("messages duplicated", some, none, struck)
    assert not may_be_chance("messages lost", some, none, struck)
    assert not may_be_chance("messages duplicated", some, none, of_chance(a_row()))
