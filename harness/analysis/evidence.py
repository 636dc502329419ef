"""What verdicts are drawn from: the measured cells, and what they showed about one kind of claim."""

from collections.abc import Iterable

import msgspec

from harness.analysis.fields import number
from harness.analysis.findings import CellFindings, FirstToken
from harness.analysis.law import TOLERANCE_S, LawFinding, describe, seconds
from harness.analysis.renewals import token_lifetime
from harness.claims import ClaimValue
from harness.law import Law

__all__ = ["Evidence", "Observed", "follows_margin", "is_about_renewals", "margin_of", "obeys", "own_key", "printable"]


class Evidence(msgspec.Struct, frozen=True):
    """The measured cells a row's verdicts are drawn from: of its main settings, of the row, of the SDK in every scenario."""

    main: tuple[CellFindings, ...]
    row: tuple[CellFindings, ...]
    subject: tuple[CellFindings, ...]


class Observed(msgspec.Struct, frozen=True):
    """What was observed about one kind of claim: distinct values with a text to print, or none and the reason.

    For the kinds that speak of a law, `law` holds it, and there is a text even where no law could be chosen. For the token's lifetime,
    `first` holds the token it was read from. `longer_s`: where something was never seen to end, how long it lasted at least. `unsupported`:
    the device under test has no means to show it.
    """

    values: tuple[ClaimValue, ...] = ()
    text: str = ""
    reason: str = ""
    law: LawFinding | None = None
    first: FirstToken | None = None
    longer_s: float | None = None
    unsupported: bool = False


def printable(value: ClaimValue) -> str:
    """A claimed or observed value in words."""
    if isinstance(value, bool):
        return "configurable" if value else "not configurable"
    if isinstance(value, Law):
        return describe(value)
    if isinstance(value, tuple):
        return " → ".join(value) or "nothing"
    return value if isinstance(value, str) else seconds(value)


def margin_of(cell: CellFindings) -> tuple[float | None, float | None]:
    """The margin the cell's settings ask for: in seconds, and in percent of the lifetime."""
    return number(cell.settings, "margin_s"), number(cell.settings, "margin_percent")


def follows_margin(cell: CellFindings, point_s: float) -> bool:
    """Whether a renewal at `point_s` is what the margin in the cell's settings asks for, as near as a law can tell."""
    return cell.set_lifetime_s is not None and obeys(margin_of(cell), cell, point_s)


def obeys(asked: tuple[float | None, float | None], cell: CellFindings, point_s: float) -> bool:
    """Whether a renewal of the cell at `point_s` is what a margin, in seconds or in percent of the lifetime, asks for."""
    margin, percent = asked
    lifetime = token_lifetime(cell.first_token, cell.set_lifetime_s)
    if lifetime is None or (margin is None and percent is None):
        return False
    point = lifetime - margin if margin is not None else lifetime * (1 - (percent or 0.0) / 100)
    return abs(point_s - point) <= TOLERANCE_S


def is_about_renewals(cell: CellFindings) -> bool:
    """Whether the cell's scenario is about renewals: see `harness.analysis.verdicts`."""
    owns = cell.credential == "key" and not cell.disturbed
    return owns and (cell.settings_of == "profile" or cell.awaits_renewals)


def own_key(cells: Iterable[CellFindings]) -> list[CellFindings]:
    """The cells in which the SDK makes its tokens itself."""
    return [cell for cell in cells if cell.credential == "key"]
