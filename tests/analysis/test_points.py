"""Observations of the laws."""

import pytest
from support.analysis_findings import cell, evidence, outliving, renewal, renewing

from harness.analysis.findings import CellFindings, RenewalHow
from harness.analysis.law import Observation
from harness.analysis.points import laws, renewal_ways


def test_laws_of_a_device_that_leaves_early() -> None:
    """It renews and disconnects at the same point."""
    renewing_law, disconnecting, of_a_margin = laws(evidence(renewing(130, 10), renewing(170, 50)))
    assert renewing_law.fit is not None
    assert (renewing_law.fit.law, renewing_law.fit.value, disconnecting.fit, of_a_margin) == (
        "margin",
        120.0,
        renewing_law.fit,
        False,
    )


def test_laws_of_a_device_that_waits() -> None:
    """The hub acts."""
    found, _, _ = laws(evidence(renewing(10, 15, "hub-cut"), renewing(30, 35, "hub-cut")))
    assert found.observations == (Observation(10, 15, "hub", 5.0), Observation(30, 35, "hub", 5.0))


def test_cells_without_a_margin_are_asked() -> None:
    """What the settings ask for is no default."""
    found, _, of_a_margin = laws(evidence(renewing(60, 40, margin_s=20), renewing(910, 10), renewing(940, 40)))
    assert ([one.lifetime_s for one in found.observations], of_a_margin) == ([910, 940], False)


def test_a_margin_that_is_obeyed() -> None:
    """Where every cell sets one, and is obeyed, the law is that margin's."""
    cells = evidence(renewing(60, 40, margin_s=20), renewing(90, 70, margin_s=20), renewing(90, 60, margin_s=30))
    found, _, of_a_margin = laws(cells)
    assert ([one.lifetime_s for one in found.observations], of_a_margin) == ([60, 90], True)


def test_a_margin_without_effect() -> None:
    """The device waits for the hub whatever is set: that is its own law."""
    _, _, of_a_margin = laws(evidence(renewing(20, 25, "hub-cut", margin_s=3)))
    assert of_a_margin is False


def test_cuts_for_other_reasons_are_no_observations() -> None:
    """A dead connection that brings a new token says nothing of the law."""
    other = renewal(7, "hub-cut", cause="keep-alive", renewal=None)
    renewed, disconnected, _ = laws(evidence(renewing(60, 7, absences=(other,))))
    assert (renewed.observations, disconnected.observations) == ((), ())


def test_a_takeover_is_no_observation() -> None:
    """Nobody knows when the old connection was given up."""
    other = renewal(7, cause="takeover", first="hub", renewal=None)
    _, disconnected, _ = laws(evidence(renewing(60, 7, absences=(other,))))
    assert disconnected.observations == ()


def test_an_absence_without_a_point() -> None:
    """Nothing to count from."""
    found, _, _ = laws(evidence(renewing(60, 7, absences=(renewal(7, point_s=None),))))
    assert found.observations == ()


def test_never_needs_the_whole_life() -> None:
    """A cell that outlived a token and saw nothing, and one that did not."""
    renewed, disconnected, _ = laws(evidence(outliving(10), renewing(30, 15, absences=())))
    assert renewed.observations == disconnected.observations == (Observation(10, None, "device", 5.0),)


def test_never_disconnecting_needs_a_connection_that_stood() -> None:
    """One that was lost for another reason may have hidden what was to come."""
    other = renewal(9, cause="keep-alive", first="hub", renewal=None)
    renewed, disconnected, _ = laws(evidence(outliving(10, absences=(other,))))
    assert (len(renewed.observations), disconnected.observations) == (1, ())


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([renewing(10, 5), renewing(10, 15, "hub-cut")], ["reconnect", "hub-cut"]),
        ([outliving(10), outliving(10)], ["none", "none"]),
        ([outliving(10), cell()], []),
        ([renewing(10, 5), cell()], ["reconnect"]),
        ([renewing(10, 5), outliving(10)], ["reconnect", "none"]),
        ([cell()], []),
    ],
)
def test_renewal_ways(cells: list[CellFindings], expected: list[str]) -> None:
    """Each renewal; and none where none came, if nothing is open in the other cells."""
    assert renewal_ways(cells) == expected


def test_a_lifetime_that_is_none() -> None:
    """No token, or one that was made expired, has no life to count in."""
    found, _, _ = laws(evidence(cell(), renewing(0, 1)))
    assert found.observations == ()


def test_a_token_that_was_cut_for_good() -> None:
    """After others had been renewed, this one was not."""
    last = renewal(25.0, "hub-cut", renewal=None, back_s=None, gap_ms=None)
    assert renewal_ways([cell(absences=(renewal(10.0), last))]) == ["reconnect", "none"]


def test_a_cut_whose_end_was_not_seen() -> None:
    """The device may have been about to come back."""
    last = renewal(25.0, "hub-cut", renewal=None, back_s=None, gap_ms=None, cut_short=True)
    assert renewal_ways([cell(absences=(renewal(10.0), last))]) == ["reconnect"]


def row(*cells: CellFindings, elsewhere: tuple[CellFindings, ...]) -> tuple[str, bool, list[float]]:
    """The law, whether it is that of a margin that was set, and the lifetimes it was drawn from."""
    found, _, of_a_margin = laws(evidence(*cells, subject=elsewhere))
    return found.fit.law if found.fit else "", of_a_margin, [one.lifetime_s for one in found.observations]


def elsewhere(lifetime_s: float, point_s: float, how: RenewalHow = "reconnect", /, **changes: object) -> CellFindings:
    """A cell of another scenario about renewals."""
    return renewing(lifetime_s, point_s, how, scenario="other", **changes)  # type: ignore[arg-type]


def percent(lifetime_s: float, point_s: float, share: float, how: RenewalHow = "reconnect", /) -> CellFindings:
    """A cell whose margin was set in percent."""
    settings = {"lifetime_s": lifetime_s, "margin_percent": share}
    return renewing(lifetime_s, point_s, how, settings=settings)


def test_a_margin_set_to_what_the_sdk_does_by_itself_shows_its_law() -> None:
    """15 percent of 20 s were set; an hour was left to the SDK, which renewed at 85 percent of it."""
    found = row(percent(20, 17, 15), elsewhere=(elsewhere(3600, 3060),))
    assert found == ("fraction", False, [20, 3600])


def test_a_margin_without_effect_shows_it_too() -> None:
    """The hub's cut comes at whatever lifetime, whatever was set."""
    found = row(percent(20, 25, 15, "hub-cut"), elsewhere=(elsewhere(3600, 3605, "hub-cut"),))
    assert found == ("hub-cut", False, [20, 3600])


def test_another_margin_shows_its_own() -> None:
    """10 percent were set and obeyed: that is no default."""
    assert row(percent(20, 18, 10), elsewhere=(elsewhere(3600, 3060),)) == ("", True, [20])


def test_two_lifetimes_of_the_row_need_no_other_row() -> None:
    """What others show is theirs."""
    assert row(renewing(130, 10), renewing(170, 50), elsewhere=(elsewhere(900, 780),))[2] == [130, 170]


def test_rows_that_are_not_about_renewals_are_not_heard() -> None:
    """Nor do they hear others."""
    disturbed = elsewhere(3600, 3060, disturbed=True)
    assert row(renewing(20, 17), elsewhere=(disturbed,))[2] == [20]
    assert row(renewing(20, 17, disturbed=True), elsewhere=(elsewhere(3600, 3060),))[2] == [20]
