"""The moments from which the laws are fitted, drawn from a row's cells.

A renewal counts in the life of the token it replaces, from the moment the device left, or put a new one in its place; so does any other leaving that the device decided on or
the hub enforced because of the token. A cell that outlived a token (`CellFindings.token_outlived`) and saw no renewal, or no leaving at all, counts
as `never`; one that was never let in, or lost its connection for another reason, shows neither.
The cells that set no margin are asked. Where their lifetimes are too few to tell laws apart, those with a margin are heard too which show the same law: the
margin is without effect, or it is what the cells that set none show; and so are the cells of the SDK's other rows that are about renewals. Only where there are none, those with the margin of the main settings. Where these renew as that margin asks,
what they show is no default of the SDK; where they do not, the setting is without effect and they show the SDK's own law.
"""

from collections.abc import Iterator, Sequence

from harness.analysis.evidence import Evidence, follows_margin, is_about_renewals, margin_of, obeys
from harness.analysis.findings import EXPIRED, AbsenceFinding, CellFindings, InBandFinding, RenewalHow
from harness.analysis.law import Actor, LawFinding, Observation, fit_law, too_few
from harness.analysis.renewals import token_lifetime

__all__ = ["laws", "renewal_ways"]


def laws(evidence: Evidence) -> tuple[LawFinding, LawFinding, bool]:
    """The laws of renewing and of disconnecting, and whether they are those of a margin that was set."""
    heard = _heard(evidence)
    renewing = fit_law([one for cell in heard for one in _renewals_observed(cell)])
    disconnecting = fit_law([one for cell in heard for one in _disconnects_observed(cell)])
    obeyed = any(_obeys_its_margin(cell) for cell in heard)
    return renewing, disconnecting, obeyed and not any(_leaves_the_margin(cell) for cell in heard)


def _heard(evidence: Evidence) -> list[CellFindings]:
    """The cells that are asked for the law."""
    unset = [cell for cell in evidence.row if _leaves_the_margin(cell)]
    own = unset or [cell for cell in evidence.row if margin_of(cell) == margin_of(evidence.main[0])]
    seen = [one for cell in own for one in _renewals_observed(cell)]
    if not seen or not too_few(seen) or not is_about_renewals(evidence.main[0]):
        return own
    elsewhere = [cell for cell in evidence.subject if cell not in evidence.row and is_about_renewals(cell)]
    possible = [*own, *(cell for cell in (*evidence.row, *elsewhere) if cell not in own)]
    unset = [cell for cell in possible if _leaves_the_margin(cell)]
    alike = [cell for cell in possible if cell in unset or _shows_the_same(cell, unset)]
    return alike if all(cell in alike for cell in own) else own


def _leaves_the_margin(cell: CellFindings) -> bool:
    return margin_of(cell) == (None, None)


def _shows_the_same(cell: CellFindings, unset: Sequence[CellFindings]) -> bool:
    """Whether the cell's margin is without effect, or is what the cells show that set none."""
    points = [one.point_s for one in cell.renewals if one.point_s is not None]
    if points and not any(follows_margin(cell, point) for point in points):
        return True
    default = [(one, renewal.point_s) for one in unset for renewal in one.renewals]
    return bool(default) and all(point is not None and obeys(margin_of(cell), one, point) for one, point in default)


def renewal_ways(cells: Sequence[CellFindings]) -> list[RenewalHow]:
    """How each renewal was done, and `none` for each token that was cut for good after others had been renewed.

    And `none` for each cell that outlived its token without a renewal; where nothing else was seen, all cells need to have.
    """
    ways: list[RenewalHow] = [one.renewal for cell in cells for one in cell.renewals if one.renewal is not None]
    ways += ["none" for cell in cells for one in cell.unexplained if cell.renewals and _was_the_end(one)]
    without = [cell for cell in cells if not cell.renewals]
    outlived = [cell for cell in without if cell.token_outlived]
    never: list[RenewalHow] = ["none"] * len(outlived)
    return ways + never if ways or outlived == without else []


def _was_the_end(absence: AbsenceFinding) -> bool:
    return absence.cause == EXPIRED and absence.back_s is None and not absence.cut_short


def _obeys_its_margin(cell: CellFindings) -> bool:
    return any(one.point_s is not None and follows_margin(cell, one.point_s) for one in cell.renewals)


def _renewals_observed(cell: CellFindings) -> Iterator[Observation]:
    return _observations(cell, cell.renewals, never=cell.token_outlived and not cell.renewals)


def _disconnects_observed(cell: CellFindings) -> Iterator[Observation]:
    found = [one for one in cell.absences if one.cause == EXPIRED or one.first == "device"]
    return _observations(cell, found, never=cell.token_outlived and not cell.absences)


def _observations(
    cell: CellFindings, found: Sequence[AbsenceFinding | InBandFinding], *, never: bool
) -> Iterator[Observation]:
    lifetime = token_lifetime(cell.first_token, cell.set_lifetime_s)
    of_its_own = cell.token_use != "each-request"  # noqa: S105 - no password: else it shows when requests came
    if lifetime is None or lifetime <= 0 or not of_its_own:
        return
    for one in found:
        if one.point_s is not None:
            by: Actor = "hub" if one.cause == EXPIRED else "device"
            yield Observation(lifetime, one.point_s, by, cell.grace_s)
    if never:
        yield Observation(lifetime, None, grace_s=cell.grace_s)
