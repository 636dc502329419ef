"""Rows of the comparison: the cells of one SDK, version, transport, scenario, device and origin, taken together."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from harness.analysis.cells import analyse_cell
from harness.analysis.configurable import default_token
from harness.analysis.evidence import Evidence
from harness.analysis.fields import number
from harness.analysis.findings import (
    AbsenceFinding,
    C2dAfterReturn,
    CellFindings,
    FirstRefusal,
    RefusedHow,
    RenewalHow,
    Return,
    Signature,
    Telemetry,
    Telling,
)
from harness.analysis.lacking import origin_of_row
from harness.analysis.law import LawFinding
from harness.analysis.points import laws, renewal_ways
from harness.analysis.renewals import token_lifetime
from harness.analysis.requests import TokenUse
from harness.analysis.verdicts import Claims, Verdict, encoded, judge, latest_claims, read_claims, without_measurement
from harness.claims import Claim
from harness.events import CellLog

__all__ = ["FEWEST_FOR_A_MEDIAN", "Row", "analyse", "main_cells"]

_Key = tuple[object, ...]
_Rows = Sequence[CellFindings]
FEWEST_FOR_A_MEDIAN: Final = 5


class Row(msgspec.Struct, frozen=True):
    """One line of the table. Where nothing was measured, `status` and `reason` say why and the figures are empty.

    Figures are those of the main settings' cells (those of the profile's first settings, all repeats); `law`, `disconnect_law`,
    `default_lifetime_s` and the verdicts draw on the other cells of the same SDK, version, transport, device and origin too.
    `version` is the measured one (see `CellFindings`). `status` is empty for a row that was measured, `complete` is false where one of its
    cells was not to its end, `awaited` where one of the main cells did not see what the scenario waits for.
    `lifetime_s` is what the tokens of the main cells were made for. `renewal` is how most renewals were done, `none` where there was none although
    a token was watched beyond its end, and null where that was not seen either. `refused_renewal`: how the renewal that the scenario refused was tried,
    null where none was. `first_refusal`: of the first main cell that has one. Of the absences and renewals in place the row is about: `points_s` are their
    moments in the token's life, `first` who ended the connection, `gap_ms` every gap with `lag_ms`, the worst lag of the hub's loop around it, and `noisy` for each that this lag may have
    made (nothing is closed by a renewal in place, be it refused: it has neither), `gap_median_ms` null for fewer than five, and `hub_log`, `hub_levels`, `app`, `log` their usual signature: all four from the
    first absence of those that agree in what hub and application saw, if possible of those that were not cut short. `signature_of` says
    how many absences showed it, and of how many. Without an absence, `hub_log`, `app` and `log` are those of the whole first cell.
    `returned`, `unaware_s` (the longest), `silent_s` (where an end was never noticed: for how long it was watched), `c2d_after_return`: what followed where the hub or a fault ended the device's stay, as the claims of these kinds have it;
    null where the row's scenario is not about that, or it was not seen.
    `lacks`, `clock_rate`: of the main cells (see `CellFindings`); where the clock was not the real one, gaps are not the SDK's: computation and network were not
    accelerated with it. `at_least`: counts of messages that are the least there was; `untold`: those of which the logs tell nothing.
    `token_use`: over HTTPS, and there alone, whether each request had a token of its own.
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
    awaited: bool = False
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
    token_use: TokenUse | None = None
    hub_log: tuple[str, ...] = ()
    hub_levels: str = ""
    app: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    signature_of: tuple[int, int] = (0, 0)
    sent: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    send_failed: int = 0
    unfinished: int = 0
    untold: tuple[str, ...] = ()
    gap_ms: tuple[float, ...] = ()
    gap_median_ms: float | None = None
    noisy: tuple[bool, ...] = ()
    lag_ms: tuple[float, ...] = ()
    recovery: str | None = None
    refused_renewal: RefusedHow | None = None
    first_refusal: FirstRefusal | None = None
    returned: Return | None = None
    unaware_s: float | None = None
    silent_s: float | None = None
    c2d_after_return: C2dAfterReturn | None = None
    verdicts: tuple[Verdict, ...] = ()
    cells: tuple[CellFindings, ...] = ()
    notes: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    clock_rate: float | None = None

    @property
    def at_least(self) -> tuple[str, ...]:
        """The names of the counts that are the least there was."""
        repeated = ("duplicated", "reordered") if "quiet-rows" in self.lacks else ()
        failed = ("send_failed",) if "last-rows" in self.lacks else ()
        return tuple(name for name in (*repeated, *failed) if name not in self.untold)

    @property
    def only_shows_the_default(self) -> bool:
        """Whether an idle application with the SDK's own key and settings was seen to its end, and nothing happened after the first connection.

        Its finding, the default lifetime, stands in the other rows of the SDK too.
        """
        own_key = all(cell.credential == "key" for cell in self.cells)
        asked_nothing = self.traffic == "idle" and not self.settings and own_key
        nothing_happened = not self.renewals and not self.points_s and self.hub_log == ("connect",)
        return asked_nothing and nothing_happened and self.complete and self.awaited and not self.notes


def analyse(logs: Iterable[CellLog]) -> tuple[Row, ...]:
    """The rows of a run, from the logs of its cells in plan order; they come in the order of their first cells.

    A row is judged by the claims in the headers of its own cells; where these are not the same, as in a merged run, by `latest_claims` of them. Claims that
    are drawn from all rows are judged on one of the rows that are judged by the same claims.
    """
    claims: dict[_Key, list[Claims]] = {}
    subjects: dict[_Key, list[CellFindings]] = {}
    groups: dict[_Key, list[CellFindings]] = {}
    for log, cell in _cells(logs):
        subject = _subject(cell)
        subjects.setdefault(subject, []).append(cell)
        groups.setdefault((*subject, cell.scenario), []).append(cell)
        claims.setdefault((*subject, cell.scenario), []).append(log.header.claims)
    judges = {key: latest_claims(sets) for key, sets in claims.items()}
    beside = _beside(groups, judges)
    return tuple(
        _make_row(group, subjects[key[:-1]], read_claims(judges[key]), beside[key]) for key, group in groups.items()
    )


def _beside(groups: Mapping[_Key, Sequence[CellFindings]], judges: Mapping[_Key, Claims]) -> dict[_Key, _Rows]:
    """For each row the first cells of the rows of its subject that are judged by the same claims, in plan order.

    Of a subject that is judged by several sets of claims, they come by the names of their scenarios: its plan is that of several runs, and which of these was
    named first must not decide on which row a claim is judged.
    """
    alike: dict[_Key, dict[bytes, list[_Key]]] = {}
    said = {key: encoded(claims) for key, claims in judges.items()}
    for key in groups:
        alike.setdefault(key[:-1], {}).setdefault(said[key], []).append(key)
    for sets in alike.values():
        if len(sets) > 1:
            for keys in sets.values():
                keys.sort(key=lambda key: str(key[-1]))
    return {key: [groups[one][0] for one in alike[key[:-1]][said[key]]] for key in groups}


def _cells(logs: Iterable[CellLog]) -> list[tuple[CellLog, CellFindings]]:
    """Each log with its findings. A device that never introduced itself is taken to be of the version that its like were."""
    found = [(log, analyse_cell(log)) for log in logs]
    reported: dict[_Key, str] = {}
    for log, cell in found:
        if cell.reported_version:
            reported.setdefault(_documented(log), cell.version)
    return [
        (log, cell if cell.reported_version else replace(cell, version=reported.get(_documented(log), cell.version)))
        for log, cell in found
    ]


def _documented(log: CellLog) -> _Key:
    """The subject as the header names it."""
    header = log.header
    return header.sdk, header.version, header.device, encoded(origin_of_row(header.origin))


def _subject(cell: CellFindings) -> _Key:
    """What a claim's evidence is drawn together over."""
    return cell.sdk, cell.version, cell.transport, cell.device, encoded(cell.origin)


def main_cells(group: Sequence[CellFindings]) -> list[CellFindings]:
    """The cells of the profile's first settings; where the settings carry no index, of the first ones seen."""
    chief = min(group, key=lambda cell: number(cell.settings, "index") or 0.0)
    return [cell for cell in group if cell.settings == chief.settings]


def _make_row(
    group: Sequence[CellFindings], subject: Sequence[CellFindings], claims: Sequence[Claim], rows: _Rows
) -> Row:
    main = main_cells(group)
    measured = [cell for cell in main if cell.measured]
    blank = _blank(main[0], group)
    if not measured:
        verdicts = without_measurement(claims, main[0], rows)
        return replace(blank, status=main[0].status, reason=main[0].reason, verdicts=verdicts)
    evidence = Evidence(tuple(measured), _measured(group), _measured(subject))
    telling = [absence for cell in measured for absence in cell.telling]
    whole = {name: getattr(measured[0], name) for name in ("hub_log", "app", "log")}
    return replace(
        blank,
        awaited=all(cell.awaited for cell in main),
        **_figures(evidence),
        **(_absence_figures(telling) if telling else whole),
        **_aftermath_figures(measured),
        **_telemetry_figures([cell.messages.telemetry for cell in measured]),
        verdicts=judge(claims, evidence, rows),
    )


def _measured(cells: Iterable[CellFindings]) -> tuple[CellFindings, ...]:
    return tuple(cell for cell in cells if cell.measured)


def _blank(cell: CellFindings, group: Sequence[CellFindings]) -> Row:
    """The row without its figures; its notes tell of the cells that are not what they should be."""
    failed = [one for one in group if one.status != "finished"]
    ends = [f"{one.cell}: {shortfall}" for one in group if (shortfall := _shortfall(one))]
    notes = [*ends, *(f"{one.cell}: {note}" for one in group for note in one.notes)]
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
        lacks=tuple(dict.fromkeys(lack for one in group for lack in one.lacks)),
        clock_rate=cell.clock_rate,
    )


def _shortfall(cell: CellFindings) -> str:
    """What is wrong with the cell's end, or an empty text."""
    if cell.status != "finished":
        return f"{cell.status}, {cell.reason}"
    return cell.reason or ("" if cell.awaited else "what the scenario waits for was not seen")


def _figures(evidence: Evidence) -> dict[str, object]:
    main = evidence.main
    renewing, disconnecting, margin_set = laws(evidence)
    own_key, default = main[0].credential == "key", default_token(evidence)
    return {
        "lifetime_s": token_lifetime(main[0].first_token, main[0].set_lifetime_s),
        "default_lifetime_s": default and default.lifetime_s,
        "renewal": next((way for way, _ in Counter(renewal_ways(main)).most_common(1)), None),
        "renewals": sum(len(cell.renewals) for cell in main),
        "law": renewing if own_key else None,
        "law_margin_set": own_key and margin_set,
        "disconnect_law": disconnecting if own_key else None,
        "put_tokens": sum(cell.put_tokens for cell in main),
        "token_use": next((cell.token_use for cell in main if cell.token_use), None),
        "first_refusal": next((cell.first_refusal for cell in main if cell.first_refusal), None),
        "recovery": next((cell.recovery for cell in main if cell.recovery), None),
    }


def _absence_figures(telling: Sequence[Telling]) -> dict[str, object]:
    """What the absences, the renewals in place and the refused ones have in common."""
    away = [one for one in telling if isinstance(one, AbsenceFinding)]
    gaps = [(one.gap_ms, one.noisy, one.lag_ms) for one in away if one.gap_ms is not None]
    lengths = tuple(gap for gap, _, _ in gaps)
    usual, shown = _usual_signature(telling)
    return {
        "points_s": tuple(absence.point_s for absence in telling if absence.point_s is not None),
        "first": tuple(dict.fromkeys(one.first for one in away)),
        "gap_ms": lengths,
        "noisy": tuple(noisy for _, noisy, _ in gaps),
        "lag_ms": tuple(lag_ms for _, _, lag_ms in gaps),
        "gap_median_ms": statistics.median(lengths) if len(lengths) >= FEWEST_FOR_A_MEDIAN else None,
        "hub_log": usual.hub,
        "hub_levels": usual.levels,
        "app": usual.app,
        "log": usual.log,
        "signature_of": shown,
    }


def _aftermath_figures(measured: Sequence[CellFindings]) -> dict[str, object]:
    """How the refused renewal was tried, the usual return, the longest unawareness, and what became of C2D, where the scenario is about it."""
    found = [cell.aftermath for cell in measured if cell.about_the_end]
    returned = Counter(how for one in found for how in one.returned)
    c2d = Counter(one.c2d for one in found if one.c2d is not None)
    tried = Counter(one.how for cell in measured if cell.disturbed for one in cell.refused_renewals[:1])
    return {
        "refused_renewal": next((how for how, _ in tried.most_common(1)), None),
        "returned": next((how for how, _ in returned.most_common(1)), None),
        "unaware_s": max((after_s for one in found for after_s in one.unaware_s), default=None),
        "silent_s": max((one.silent_s for one in found if one.silent_s is not None), default=None),
        "c2d_after_return": next((what for what, _ in c2d.most_common(1)), None),
    }


def _telemetry_figures(cells: Sequence[Telemetry]) -> dict[str, object]:
    names = ("sent", "lost", "duplicated", "reordered", "send_failed", "unfinished")
    untold = {name: None for one in cells for name in one.untold if name in names}
    return {**{name: sum(getattr(one, name) for one in cells) for name in names}, "untold": tuple(untold)}


def _usual_signature(telling: Sequence[Telling]) -> tuple[Signature, tuple[int, int]]:
    """The signature most absences show, from the first of them, with their number and that of all.

    Lines of the SDK's log may carry numbers and addresses, so absences agree where hub and application saw the same.
    """
    whole = [one.signature for one in telling if not one.cut_short] or [one.signature for one in telling]
    alike = Counter((one.hub, one.levels, one.app) for one in whole)
    (chosen, shown), *_ = alike.most_common(1)
    return next(one for one in whole if (one.hub, one.levels, one.app) == chosen), (shown, len(whole))
