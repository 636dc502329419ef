"""An emulated device against the real one that it plays, in the same run or recorded: where the two cells differ in what they showed.

Compared are the absences (why, who began, how it came back), what the application saw of each, the renewals in place and where in the token's life they
came, the renewals that were refused and what followed, and, where both tell, how the device returned or recovered. Moments agree within the
tolerance of a law, gaps within a tenth of a second and five times the worst lag of the hub's loop; where an attempt was refused, the gap hangs on when the next message was due. What the recording lacks, or was made under an accelerated clock, is not compared.
Within a run, two cells are of the same circumstances where nothing but the device tells them apart.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from harness.analysis.findings import AbsenceFinding, CellFindings, InBandFinding, RefusedRenewal
from harness.analysis.law import TOLERANCE_S
from harness.analysis.renewals import NOISE_FACTOR

__all__ = ["Likeness", "differences", "likenesses"]

GAP_MS: Final = 100.0


class Likeness(msgspec.Struct, frozen=True):
    """A real device's cell and the emulated one's under the same circumstances, and what differs between them, each in one line."""

    sdk: str
    version: str
    transport: str
    scenario: str
    real: str
    emulated: str
    differences: tuple[str, ...]


def likenesses(cells: Iterable[CellFindings]) -> tuple[Likeness, ...]:
    """For each real device measured in this run whose emulated device was too, how like the two are; in the order of the real ones."""
    measured = [cell for cell in cells if cell.measured and cell.origin.get("kind", "this-run") == "this-run"]
    played = {_circumstances(cell): cell for cell in measured if cell.device == "emulated"}
    found = ((cell, played.get(_circumstances(cell))) for cell in measured if cell.device == "real")
    return tuple(_likeness(real, emulated) for real, emulated in found if emulated is not None)


def _circumstances(cell: CellFindings) -> tuple[object, ...]:
    return cell.sdk, cell.version, cell.transport, cell.scenario, msgspec.json.encode(cell.settings), cell.repeat


def _likeness(real: CellFindings, emulated: CellFindings) -> Likeness:
    found = differences(real, emulated, names=("real", "emulated"))
    return Likeness(real.sdk, real.version, real.transport, real.scenario, real.cell, emulated.cell, found)


def differences(
    recorded: CellFindings, played: CellFindings, *, names: tuple[str, str] = ("recorded", "played")
) -> tuple[str, ...]:
    """What differs, each in one line: `recorded`, then `played`, by these `names`."""
    one, two = names
    return tuple(
        f"{what}: {one} {told}, {two} {other}" for what, told, other in _compared(recorded, played) if told != other
    )


def _compared(recorded: CellFindings, played: CellFindings) -> Iterator[tuple[str, str, str]]:
    yield "absences", _listed(map(_course, recorded.absences)), _listed(map(_course, played.absences))
    for number, (one, other) in enumerate(zip(recorded.absences, played.absences, strict=False), start=1):
        yield from _absence(f"absence {number}", one, other)
    yield "renewals in place", str(len(recorded.in_band)), str(len(played.in_band))
    for number, (first, second) in enumerate(zip(recorded.in_band, played.in_band, strict=False), start=1):
        yield from _renewal(f"renewal in place {number}", first, second)
    refused = (recorded.refused_renewals, played.refused_renewals)
    yield "refused renewals", _listed(map(_refusal, refused[0])), _listed(map(_refusal, refused[1]))
    for what, told, seen in (
        ("recovery", recorded.recovery, played.recovery),
        ("return", recorded.aftermath.returned, played.aftermath.returned),
    ):
        if told and seen:
            yield what, str(told), str(seen)
    if recorded.messages.telemetry.sent and "lost" not in recorded.messages.telemetry.untold:
        yield "lost messages", str(recorded.messages.telemetry.lost), str(played.messages.telemetry.lost)


def _absence(name: str, one: AbsenceFinding, other: AbsenceFinding) -> Iterator[tuple[str, str, str]]:
    if not (one.cut_short or other.cut_short):
        yield f"{name}, application", _listed(one.signature.app), _listed(other.signature.app)
    if one.gap_ms is not None and other.gap_ms is not None and not one.refused:
        near = abs(one.gap_ms - other.gap_ms) <= GAP_MS + NOISE_FACTOR * (one.lag_ms + other.lag_ms)
        yield f"{name}, gap", f"{one.gap_ms:.0f} ms", f"{one.gap_ms if near else other.gap_ms:.0f} ms"
    yield from _point(name, one.point_s, other.point_s)


def _renewal(name: str, one: InBandFinding, other: InBandFinding) -> Iterator[tuple[str, str, str]]:
    yield f"{name}, application", _listed(one.signature.app), _listed(other.signature.app)
    yield from _point(name, one.point_s, other.point_s)


def _point(name: str, one: float | None, other: float | None) -> Iterator[tuple[str, str, str]]:
    if one is not None and other is not None and abs(one - other) > TOLERANCE_S:
        yield f"{name}, at", f"{one:.1f} s", f"{other:.1f} s"


def _course(absence: AbsenceFinding) -> str:
    back = "not back" if absence.back_s is None else f"back {absence.renewal or 'with the same token'}"
    refused = " refused" if absence.refused else ""
    return f"{absence.cause} by {absence.first or 'nobody knows'},{refused} {back}"


def _refusal(refused: RefusedRenewal) -> str:
    left = "left" if refused.left_s is not None else "stayed"
    return f"{refused.how} {refused.code}, {left}, {'renewed' if refused.renewed_s is not None else 'not renewed'}"


def _listed(texts: Iterable[str]) -> str:
    return "; ".join(texts) or "none"
