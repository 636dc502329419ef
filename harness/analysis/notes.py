"""What a reader of a cell's row should know besides its figures: whatever happened that the row is not about.

A row that is about renewals shows these. What else befell the device, and a renewal in place that did not pass unnoticed, would remain unseen.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from harness.analysis.fields import of_kind, text
from harness.analysis.findings import EXPIRED, SCRIPTED, AbsenceFinding, CellFindings, InBandFinding
from harness.analysis.outages import outage_notes
from harness.analysis.signatures import in_brief
from harness.events import CellLog

__all__ = ["notes", "what_was_noticed"]


def notes(log: CellLog, cell: CellFindings, closing_s: float) -> tuple[str, ...]:
    """The notes of a cell whose findings are complete, in the order of their importance."""
    return (
        *_other_version(cell.reported_version, log.header.version),
        *_cuts(cell.absences),
        *_also_away(cell.unexplained, closing_s),
        *(
            f"around the renewal in place at {one.at_s:.1f} s: {what_was_noticed(one)}"
            for one in cell.in_band
            if not one.undisturbed
        ),
        *_refusals(cell),
        *outage_notes(log.events, emulated=log.header.device == "emulated"),
        *filter(None, (text(event.fields, "text") for event in of_kind(log.events, "harness", "note"))),
    )


def _other_version(reported: str, stated: str) -> Iterator[str]:
    if reported not in {"", stated}:
        yield f"the device reports version {reported}, the profile speaks of {stated}"


def _cuts(absences: Iterable[AbsenceFinding]) -> Iterator[str]:
    wanted = SCRIPTED | {EXPIRED}
    causes = Counter(one.cause for one in absences if one.first == "hub" and one.cause not in wanted)
    for cause, times in causes.items():
        yield f"the hub cut the connection for another reason than its token: {cause} ({times})"


def _also_away(absences: Iterable[AbsenceFinding], closing_s: float) -> Iterator[str]:
    """The absences the row is not about, those of one cause together."""
    alike: dict[tuple[str, str], list[float]] = {}
    for one in absences:
        back = "back again" if one.back_s is not None else f"not back in {closing_s - one.left_s:.1f} s"
        alike.setdefault((one.cause, back), []).append(one.left_s)
    for (cause, back), moments in alike.items():
        yield f"the device was also away, from {', '.join(f'{at:.1f}' for at in moments)} s on: {cause}, {back}"


def what_was_noticed(renewal: InBandFinding) -> str:
    """What a renewal in place that did not pass unnoticed brought about."""
    lost = {"message": len(renewal.lost), "C2D message": renewal.c2d.lost, "method call": renewal.methods.lost}
    seen = [
        "the device left" if renewal.left else "",
        f"the application saw {', '.join(in_brief(renewal.signature.app))}" if renewal.signature.app else "",
        *(f"lost {number} {what}{'s' if number > 1 else ''}" for what, number in lost.items() if number),
    ]
    return "; ".join(filter(None, seen))


def _refusals(cell: CellFindings) -> Iterator[str]:
    for one in () if cell.disturbed else cell.refused_renewals:
        yield f"the hub refused a new token at {one.at_s:.1f} s ({one.code})"
