"""Rows of the comparison: the cells of one SDK, version, transport, scenario, device and origin, taken together."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from harness.analysis.cells import analyse_cell
from harness.analysis.configurable import default_lifetime
from harness.analysis.evidence import Evidence
from harness.analysis.fields import number
from harness.analysis.findings import AbsenceFinding, CellFindings, RenewalHow, Telemetry
from harness.analysis.law import LawFinding
from harness.analysis.points import laws
from harness.analysis.renewals import token_lifetime
from harness.analysis.verdicts import Verdict, judge, read_claims, without_measurement
from harness.events import CellLog
from harness.profile import Claim

__all__ = ["Row", "analyse"]

T = TypeVar("T")
_Key = tuple[object, ...]
FEWEST_FOR_A_MEDIAN: Final = 5


class Row(msgspec.Struct, frozen=True):
    """One line of the table. Where nothing was measured, `status` and `reason` say why and the figures are empty.

    Figures are those of the main settings' cells (those of the profile's first settings, all repeats); `law`, `disconnect_law`,
    `default_lifetime_s` and the verdicts draw on the other cells of the same SDK, version, transport, device and origin too.
    `status` is empty for a row that was measured, `complete` is false where one of its cells was not to its end.
    `lifetime_s` is what the tokens of the main cells were made for. Of the absences the row is about: `points_s` are their moments in the
    token's life, `first` who ended the connection, `gap_ms` every gap with `noisy` for each that the hub's own lag may have made,
    `gap_median_ms` null for fewer than five, and `hub_log`, `hub_levels`, `app`, `log` their most frequent signature; without an
    absence, `hub_log` is that of the whole cell.
    The laws are null where the application holds a fixed token. `law_margin_set`: the law is that of a margin the settings asked for, not the SDK's own.
    """

    sdk: str
    sdk_name: str
    version: str
    transport: str
    scenario: str
    traffic: str
    device: str
    origin: Mapping[str, object]
    way: Mapping[str, object] = {}
    settings: Mapping[str, object] = {}
    status: str = ""
    reason: str = ""
    complete: bool = True
    lifetime_s: float | None = None
    default_lifetime_s: float | None = None
    renewal: RenewalHow | None = None
    renewals: int = 0
    points_s: tuple[float, ...] = ()
    first: tuple[str, ...] = ()
    law: LawFinding | None = None
    law_margin_set: bool = False
    disconnect_law: LawFinding | None = None
    put_tokens: int = 0
    hub_log: tuple[str, ...] = ()
    hub_levels: str = ""
    app: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    sent: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    send_failed: int = 0
    unfinished: int = 0
    gap_ms: tuple[float, ...] = ()
    gap_median_ms: float | None = None
    noisy: tuple[bool, ...] = ()
    recovery: str | None = None
    verdicts: tuple[Verdict, ...] = ()
    cells: tuple[CellFindings, ...] = ()
    notes: tuple[str, ...] = ()


def analyse(logs: Iterable[CellLog]) -> tuple[Row, ...]:
    """The rows of a run, from the logs of its cells in plan order; they come in the order of their first cells."""
    claims: dict[_Key, tuple[Claim, ...]] = {}
    subjects: dict[_Key, list[CellFindings]] = {}
    groups: dict[_Key, list[CellFindings]] = {}
    for log in logs:
        cell = analyse_cell(log)
        subject = _subject(cell)
        claims.setdefault(subject, read_claims(log.header.claims))
        subjects.setdefault(subject, []).append(cell)
        groups.setdefault((*subject, cell.scenario), []).append(cell)
    return tuple(_make_row(group, subjects[key[:-1]], claims[key[:-1]]) for key, group in groups.items())


def _subject(cell: CellFindings) -> _Key:
    """What a claim's evidence is drawn together over."""
    return cell.sdk, cell.version, cell.transport, cell.device, msgspec.json.encode(cell.origin, order="deterministic")


def _main(group: Sequence[CellFindings]) -> list[CellFindings]:
    """The cells of the profile's first settings; where the settings carry no index, of the first ones seen."""
    chief = min(group, key=lambda cell: number(cell.settings, "index") or 0.0)
    return [cell for cell in group if cell.settings == chief.settings]


def _make_row(group: Sequence[CellFindings], subject: Sequence[CellFindings], claims: Sequence[Claim]) -> Row:
    main = _main(group)
    scenarios = frozenset(cell.scenario for cell in subject)
    measured = [cell for cell in main if cell.measured]
    blank = _blank(main[0], group)
    if not measured:
        verdicts = without_measurement(claims, main[0], scenarios)
        return msgspec.structs.replace(blank, status=main[0].status, reason=main[0].reason, verdicts=verdicts)
    evidence = Evidence(tuple(measured), _measured(group), _measured(subject))
    telling = [absence for cell in measured for absence in cell.telling]
    return msgspec.structs.replace(
        blank,
        **_figures(evidence),
        **(_absence_figures(telling) if telling else {"hub_log": measured[0].hub_log}),
        **_telemetry_figures([cell.messages.telemetry for cell in measured]),
        verdicts=judge(claims, evidence, scenarios),
    )


def _measured(cells: Iterable[CellFindings]) -> tuple[CellFindings, ...]:
    return tuple(cell for cell in cells if cell.measured)


def _blank(cell: CellFindings, group: Sequence[CellFindings]) -> Row:
    """The row without its figures; its notes tell of the cells that are not what they should be."""
    failed = [f"{one.cell}: {one.status}, {one.reason}" for one in group if one.status != "finished"]
    notes = [*failed, *(f"{one.cell}: {note}" for one in group for note in one.notes)]
    return Row(
        cell.sdk,
        cell.sdk_name,
        cell.version,
        cell.transport,
        cell.scenario,
        cell.traffic,
        cell.device,
        cell.origin,
        way=cell.way,
        settings={name: value for name, value in cell.settings.items() if value is not None and name != "index"},
        complete=not failed,
        cells=tuple(group),
        notes=tuple(notes),
    )


def _figures(evidence: Evidence) -> dict[str, object]:
    main = evidence.main
    ways = [absence.renewal for cell in main for absence in cell.renewals]
    renewing, disconnecting, margin_set = laws(evidence)
    own_key = main[0].credential == "key"
    return {
        "lifetime_s": token_lifetime(main[0].first_lifetime_s, main[0].set_lifetime_s),
        "default_lifetime_s": default_lifetime(evidence),
        "renewal": _usual(ways, "none"),
        "renewals": len(ways),
        "law": renewing if own_key else None,
        "law_margin_set": own_key and margin_set,
        "disconnect_law": disconnecting if own_key else None,
        "put_tokens": sum(cell.put_tokens for cell in main),
        "recovery": next((cell.recovery for cell in main if cell.recovery), None),
    }


def _absence_figures(telling: Sequence[AbsenceFinding]) -> dict[str, object]:
    """What the absences have in common."""
    gaps = [(absence.gap_ms, absence.noisy) for absence in telling if absence.gap_ms is not None]
    signatures = [absence.signature for absence in telling]
    return {
        "points_s": tuple(absence.point_s for absence in telling if absence.point_s is not None),
        "first": tuple(dict.fromkeys(absence.first for absence in telling)),
        "gap_ms": tuple(gap for gap, _ in gaps),
        "noisy": tuple(noisy for _, noisy in gaps),
        "gap_median_ms": statistics.median(gap for gap, _ in gaps) if len(gaps) >= FEWEST_FOR_A_MEDIAN else None,
        "hub_log": _usual([one.hub for one in signatures], ()),
        "hub_levels": _usual([one.levels for one in signatures], ""),
        "app": _usual([one.app for one in signatures], ()),
        "log": _usual([one.log for one in signatures], ()),
    }


def _telemetry_figures(cells: Sequence[Telemetry]) -> dict[str, object]:
    names = ("sent", "lost", "duplicated", "reordered", "send_failed", "unfinished")
    return {name: sum(getattr(one, name) for one in cells) for name in names}


def _usual(values: Sequence[T], otherwise: T) -> T:
    """The most frequent value, the first of equals."""
    return next((value for value, _ in Counter(values).most_common(1)), otherwise)
