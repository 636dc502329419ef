"""Settings and their effect: the default lifetime, and whether lifetime and margin do what they say.

`lifetime`: two cells whose first tokens differ, one at least with a lifetime that was set and is borne out. `margin`: two cells that differ in their margin only,
and renew at different points. Where the cells do not show it, an adapter that offers no such setting settles it.
"""

import itertools

from harness.analysis.evidence import Evidence, Observed, follows_margin, margin_of, own_key, printable
from harness.analysis.findings import CellFindings
from harness.analysis.law import TOLERANCE_S, seconds
from harness.analysis.renewals import LIFETIME_TOLERANCE_S

__all__ = ["default_lifetime", "lifetime_configurable", "point_configurable"]


def default_lifetime(evidence: Evidence) -> float | None:
    """Seconds the first token had left, in a cell in which nothing set its lifetime."""
    firsts = (cell.first_lifetime_s for cell in own_key(evidence.subject) if cell.set_lifetime_s is None)
    return next((first for first in firsts if first is not None), None)


def lifetime_configurable(evidence: Evidence) -> Observed:
    """Whether the first token lives as long as was set."""
    first = [(cell.set_lifetime_s, cell.first_lifetime_s) for cell in own_key(evidence.subject)]
    lived = [(asked, life) for asked, life in first if life is not None]
    for asked, life in lived:
        if asked is not None and abs(life - asked) > LIFETIME_TOLERANCE_S:
            return Observed((False,), f"{seconds(asked)} was set, the first token had {seconds(life)}")
    spread = max((life for _, life in lived), default=0.0) - min((life for _, life in lived), default=0.0)
    if spread > 2 * LIFETIME_TOLERANCE_S and any(asked is not None for asked, _ in lived):
        return Observed((True,), "configurable")
    return _offered("lifetime", evidence, "it needs cells with two lifetimes")


def point_configurable(evidence: Evidence) -> Observed:
    """Whether the margin moves the point of renewal."""
    pairs = [pair for pair in itertools.combinations(evidence.row, 2) if _differ_in_margin_only(*pair)]
    effects = [effect for pair in pairs if (effect := _margin_effect(*pair)) is not None]
    if effects:
        return Observed((any(effects),), printable(any(effects)))
    return _offered("margin", evidence, "it needs two cells that renew and differ in the margin only")


def _differ_in_margin_only(first: CellFindings, second: CellFindings) -> bool:
    return first.set_lifetime_s == second.set_lifetime_s and margin_of(first) != margin_of(second)


def _margin_effect(first: CellFindings, second: CellFindings) -> bool | None:
    """Whether the margin moves the renewal point; None where it need not, for both cells renew where they were asked to."""
    one, other = (next((renewal.point_s for renewal in cell.renewals), None) for cell in (first, second))
    if one is None or other is None:
        return None
    if abs(one - other) > 2 * TOLERANCE_S:
        return True
    asked = ((cell, point) for cell, point in ((first, one), (second, other)) if margin_of(cell) != (None, None))
    return None if all(follows_margin(cell, point) for cell, point in asked) else False


def _offered(capability: str, evidence: Evidence, otherwise: str) -> Observed:
    """`not configurable` where every adapter that introduced itself lacks the capability."""
    known = [cell.capabilities for cell in evidence.subject if cell.capabilities is not None]
    lacking = known and not any(name.startswith(capability) for names in known for name in names)
    if lacking:
        return Observed((False,), "not configurable: the adapter offers no such setting")
    return Observed(reason=otherwise)
