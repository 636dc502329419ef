"""Settings and their effect: the default lifetime, and whether lifetime and margin do what they say.

`lifetime`: two cells whose first tokens differ, one at least with a lifetime that was set and is borne out. `margin`: two cells that differ in their margin only,
and renew at different points.

An effect counts wherever it shows. That there is none counts only where the adapter can pass the setting on: an adapter that says it cannot
has set nothing, and the question is `unsupported`, whatever the answer of a document.
"""

import itertools
from typing import Final

from harness.analysis.evidence import Evidence, Observed, follows_margin, margin_of, own_key, printable
from harness.analysis.findings import CellFindings, FirstToken
from harness.analysis.law import TOLERANCE_S, seconds
from harness.analysis.renewals import LONGER_S, SHORTER_S, bears_out

__all__ = ["TOO_SLOW", "default_token", "lifetime_configurable", "point_configurable"]

TOO_SLOW: Final = "connecting took too long for the first token to tell what it was made for"
NOT_OFFERED: Final = Observed(
    text="the adapter offers no such setting", reason="the adapter offers no such setting", unsupported=True
)


def default_token(evidence: Evidence) -> FirstToken | None:
    """The first token of a cell in which nothing set its lifetime."""
    firsts = (cell.first_token for cell in own_key(evidence.subject) if cell.set_lifetime_s is None)
    return next((first for first in firsts if first is not None), None)


def lifetime_configurable(evidence: Evidence) -> Observed:
    """Whether the first token lives as long as was set."""
    lived = [(cell.set_lifetime_s, first) for cell in own_key(evidence.subject) if (first := cell.first_token)]
    asked = [(wanted, first, bears_out(first, wanted)) for wanted, first in lived if wanted is not None]
    obeyed = [first.lifetime_s for _, first, obeys in asked if obeys]
    refuted = [
        f"{seconds(wanted)} was set, the first token had {seconds(first.lifetime_s)}"
        for wanted, first, obeys in asked
        if obeys is False
    ]
    lives = obeyed + [first.lifetime_s for wanted, first in lived if wanted is None]
    moves = bool(obeyed) and max(lives) - min(lives) > SHORTER_S + LONGER_S
    if not _offers("lifetime", evidence):
        return Observed((True,), printable(True)) if moves else NOT_OFFERED
    if refuted:
        return Observed((False,), refuted[0])
    if moves:
        return Observed((True,), printable(True))
    noisy = any(obeys is None for *_, obeys in asked)
    return Observed(reason=TOO_SLOW if noisy else "it needs cells with two lifetimes")


def point_configurable(evidence: Evidence) -> Observed:
    """Whether the margin moves the point of renewal."""
    pairs = [pair for pair in itertools.combinations(evidence.row, 2) if _differ_in_margin_only(*pair)]
    effects = [effect for pair in pairs if (effect := _margin_effect(*pair)) is not None]
    if not any(effects) and not _offers("margin", evidence):
        return NOT_OFFERED
    if effects:
        return Observed((any(effects),), printable(any(effects)))
    return Observed(reason="it needs two cells that renew and differ in the margin only")


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


def _offers(capability: str, evidence: Evidence) -> bool:
    """Whether an adapter offers the setting, or none introduced itself."""
    known = [cell.capabilities for cell in evidence.subject if cell.capabilities is not None]
    return not known or any(name.startswith(capability) for names in known for name in names)
