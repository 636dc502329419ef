"""Rows made directly, of SDKs whose renewals cost what a test says."""

from collections.abc import Sequence

from msgspec.structs import asdict, replace
from support.analysis_findings import cell, renewal, renewing

from harness.analysis.findings import (
    AbsenceFinding,
    CellFindings,
    InBandFinding,
    Messages,
    PerRequestFinding,
    Return,
    Signature,
    Telemetry,
)
from harness.analysis.law import Fit, LawFinding, Observation
from harness.analysis.rows import Row

MARGIN = Fit("margin", 119.0, 120.0, 121.0, 0.1)
FRACTION = Fit("fraction", 0.75, 0.8, 0.85, 0.1)
HUB_CUT = Fit("hub-cut", 0.0, 0.0, 0.0, 0.1)
NEVER = Fit("none", 0.0, 0.0, 0.0, 0.0)
RECORDED = {"kind": "recorded", "date": "2026-01-02"}
SEEN = (Observation(130.0, 10.0), Observation(170.0, 50.0))


def sent(count: int, **changes: object) -> Messages:
    """So many messages, which arrived but for `changes`."""
    return Messages(telemetry=replace(Telemetry(sent=count, reached=count), **changes))


def left(point_s: float, errors: int = 0, *, gap_ms: float | None = 100.0, **changes: object) -> AbsenceFinding:
    """A renewal with a gap and so many errors, on either side."""
    how = "hub-cut" if errors else "reconnect"
    signature = Signature(errors=errors, informational=1, app_errors=errors // 2)
    return renewal(point_s, how, **{"gap_ms": gap_ms, "signature": signature, **changes})  # type: ignore[arg-type] # a word of the type's


def in_place(point_s: float, **changes: object) -> InBandFinding:
    """A renewal on the standing connection, which cost nothing."""
    return replace(InBandFinding(point_s, 1.0, point_s=point_s), **changes)


def per_request(point_s: float) -> PerRequestFinding:
    """A request with a new token, which cost nothing."""
    return PerRequestFinding(**asdict(in_place(point_s)))


def cells_of(*renewals: AbsenceFinding | InBandFinding, name: str = "L", **changes: object) -> tuple[CellFindings, ...]:
    """Cells of two lifetimes, each with one of the renewals."""
    made = []
    for number, one in enumerate(renewals):
        absent = isinstance(one, AbsenceFinding)
        seen: dict[str, object] = {"absences": (one,) if absent else (), "in_band": () if absent else (one,)}
        fields = {"cell": f"{name}{number + 1}", "messages": sent(20), **seen, **changes}
        made.append(renewing(130.0 + 40 * number, 10.0, **fields))  # type: ignore[arg-type] # fields of a cell
    return tuple(made)


def a_row(fit: Fit | None = MARGIN, cells: Sequence[CellFindings] | None = None, **changes: object) -> Row:
    """The renewal row of a real SDK of an hour's default lifetime, by default one that reconnects at a margin, without an error."""
    law = LawFinding(fit, "" if fit else "two fit alike", observations=SEEN)
    made = cells_of(left(10.0), left(50.0)) if cells is None else tuple(cells)
    row = Row(
        "sdk", "An SDK", "1.0", "mqtt", "renewal", "sending", "real", {"kind": "this-run"},
        default_lifetime_s=3600.0, law=law, cells=made,
    )  # fmt: skip
    return replace(row, **changes)


def a_defaults_row(**changes: object) -> Row:
    """The row that shows the default lifetime."""
    default = cell(cell="defaults", scenario="defaults", first_lifetime_s=3599.6)
    return replace(a_row(cells=[default], scenario="defaults", law=None), **changes)


def an_end(how: Return | None, scenario: str = "cut-idle", **changes: object) -> Row:
    """A row about another end than a token's."""
    ended = cell(cell=scenario, scenario=scenario, about_the_end=True, messages=sent(5))
    return replace(a_row(cells=[ended], scenario=scenario, law=None, returned=how), **changes)


def an_sdk(
    sdk: str = "sdk", fit: Fit | None = MARGIN, cells: Sequence[CellFindings] | None = None, **changes: object
) -> list[Row]:
    """All rows of one SDK over one transport."""
    rows = (a_row(fit, cells), a_defaults_row(), an_end("by-itself"))
    return [replace(row, sdk=sdk, **changes) for row in rows]
