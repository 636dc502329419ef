"""One cell's log -> its findings."""

from collections.abc import Sequence

import msgspec

from harness.analysis.aftermath import aftermath
from harness.analysis.circumstances import circumstances
from harness.analysis.fields import items, mapping, number, of_kind, text
from harness.analysis.findings import AbsenceFinding, CellFindings, InBandFinding, PerRequestFinding, Signature
from harness.analysis.first_refusal import awaits_first_refusal, first_refusal
from harness.analysis.inband import PointOf, in_band, refused_renewals
from harness.analysis.lacking import clock_rate, origin_of_row
from harness.analysis.messages import messages, outcomes
from harness.analysis.notes import notes
from harness.analysis.recovery import recovery
from harness.analysis.renewals import (
    clearest_token,
    first_token,
    first_uses,
    gap_ms,
    is_noisy,
    outlived,
    point_in_life,
    renewal_of,
    token_lifetime,
    worst_lag_ms,
)
from harness.analysis.requests import token_use
from harness.analysis.signatures import hub_records, is_cut_short, overall, signatures
from harness.analysis.timeline import Absence, Timeline, make_timeline
from harness.analysis.visits import Token
from harness.events import CELL_END, CellLog, Event, Header
from harness.scenario import HUB_GRACE_S

__all__ = ["analyse_cell"]

OWN_WAY = frozenset({"", "fin"})
"""How a hub ends connections where the scenario does not say; the first documents wrote `fin` where nothing was set."""


def analyse_cell(log: CellLog) -> CellFindings:
    """Everything the log shows; never raises on an incomplete or foreign log."""
    timeline = make_timeline(log)
    cell = _with_tokens(_stated(log, timeline), timeline, log.events)
    whole = msgspec.structs.replace(cell, **_course(log, timeline, cell))
    return msgspec.structs.replace(whole, notes=notes(log, whole, timeline.closing_s))


def _stated(log: CellLog, timeline: Timeline) -> CellFindings:
    """What the header, the cell's last event and the device program say of the cell."""
    header, scenario = log.header, log.header.scenario
    hello = next(of_kind(log.events, "app", "hello"), None)
    reported = text(hello.fields, "sdk_version") if hello else ""
    status, reason, awaited = _end(log.events)
    return CellFindings(
        cell=header.cell,
        sdk=header.sdk,
        sdk_name=header.sdk_name,
        version=header.version if header.device == "emulated" else reported or header.version,
        transport=header.transport,
        device=header.device,
        scenario=text(scenario, "id"),
        traffic="+".join(map(str, items(scenario, "traffic"))) or "idle",
        credential=text(scenario, "credential"),
        status=status,
        reason=reason,
        awaited=awaited and bool(timeline.admitted or awaits_first_refusal(log)),
        repeat=header.repeat,
        origin=origin_of_row(header.origin),
        way=header.way,
        settings=header.settings,
        settings_of=text(scenario, "settings"),
        awaits_renewals=(number(mapping(scenario, "end"), "renewals") or 0) > 0,
        grace_s=_grace(header),
        reported_version=reported,
        capabilities=_capabilities(hello),
        set_lifetime_s=_set_lifetime(header),
        disturbed=_is_disturbed(header),
        closes_otherwise=scenario.get("closes_otherwise") is True,
        about_the_end=_is_about_the_end(header),
        lacks=header.lacks,
        clock_rate=clock_rate(header),
        circumstances=circumstances(header),
    )


def _with_tokens(cell: CellFindings, timeline: Timeline, events: Sequence[Event]) -> CellFindings:
    """The cell with its first token, and whether one was watched to its end."""
    first = first_token(timeline, _told_s(events)) if cell.clock_rate is None else clearest_token(timeline)
    return msgspec.structs.replace(
        cell,
        token_outlived=outlived(timeline, cell.grace_s),
        first_lifetime_s=first and first.lifetime_s,
        first_lifetime_between_s=first and (first.least_s, first.most_s),
    )


def _course(log: CellLog, timeline: Timeline, cell: CellFindings) -> dict[str, object]:
    """What happened from the first time the device asked to be let in to the closing."""
    records = hub_records(log.events, timeline.closing_s)
    whole = overall(log.events, timeline, records)
    recovered, why_not = recovery(timeline, log.events, sends_hidden=cell.sends_hidden)
    lifetime_s, point_of = _points(timeline, cell)
    became = outcomes(log.events)
    traffic = messages(log.events, totals=log.header.totals, rows_left_out="quiet-rows" in cell.lacks)
    return {
        "watched_s": round(max(timeline.closing_s - timeline.first_connect_s, 0.0), 3),
        "connections": len(timeline.admitted),
        "refused": sum(one.refused + sum(put.refused for put in one.puts) for one in timeline.visits),
        "put_tokens": sum(1 for _ in of_kind(log.events, "hub", "put-token")),
        "absences": _absences(log.events, timeline, cell, signatures(log.events, timeline, records)),
        "token_use": token_use(log.events, timeline.closing_s),
        "in_band": _as_timed(
            cell,
            in_band(
                log.events,
                timeline,
                records,
                became,
                traffic.telemetry.lost_ids,
                lifetime_s=lifetime_s,
                point_of=point_of,
            ),
        ),
        "refused_renewals": refused_renewals(log.events, timeline, records, point_of),
        "first_refusal": first_refusal(log, timeline),
        "aftermath": aftermath(timeline, log.events, cell, became.c2d),
        "hub_log": whole.hub,
        "app": whole.app,
        "log": whole.log,
        "messages": traffic,
        "recovery": recovered,
        "recovery_reason": why_not,
    }


def _as_timed(cell: CellFindings, found: tuple[InBandFinding, ...]) -> tuple[InBandFinding, ...]:
    """The renewals in place, or by request; how long the answers took is told only where the log has requests and answers apart."""
    if cell.transport == "https":
        found = tuple(PerRequestFinding(**msgspec.structs.asdict(one)) for one in found)
    if "answer-times" not in cell.lacks:
        return found
    return tuple(msgspec.structs.replace(one, took_ms=None) for one in found)


def _points(timeline: Timeline, cell: CellFindings) -> tuple[float | None, PointOf]:
    """What the cell's tokens are made for, and where in the life of one of them a moment lies."""
    lifetime_s, uses = token_lifetime(cell.first_token, cell.set_lifetime_s), first_uses(timeline)
    return lifetime_s, lambda token, at_s: point_in_life(token, at_s, lifetime_s, uses[token.id])


def _told_s(events: Sequence[Event]) -> float:
    """When the device was told to open; where the log does not say, when the cell began."""
    commands = of_kind(events, "harness", "command")
    return next((event.t / 1e6 for event in commands if event.fields.get("cmd") == "open"), 0.0)


def _end(events: Sequence[Event]) -> tuple[str, str, bool]:
    """Status, reason, and whether what the scenario waited for was seen."""
    end = next(of_kind(reversed(events), "harness", CELL_END), None)
    if end is None:
        return "interrupted", "the log ends before the cell does", False
    return text(end.fields, "status"), text(end.fields, "reason"), end.fields.get("awaited") is True


def _is_disturbed(header: Header) -> bool:
    return bool(items(header.scenario, "faults"))


def _is_about_the_end(header: Header) -> bool:
    """Whether the scenario makes the hub end the device's stay in a way of its own, or helps the device back afterwards."""
    ends_otherwise = text(mapping(header.scenario, "hub"), "close") not in OWN_WAY
    return _is_disturbed(header) or ends_otherwise or text(mapping(header.scenario, "supply"), "at") == "cut"


def _set_lifetime(header: Header) -> float | None:
    if text(header.scenario, "credential") == "token":
        return number(header.scenario, "token_lifetime_s")
    return number(header.settings, "lifetime_s")


def _grace(header: Header) -> float:
    stated = (number(header.hub, "grace_s"), number(mapping(header.scenario, "hub"), "grace_s"))
    return next((grace for grace in stated if grace is not None), HUB_GRACE_S)


def _capabilities(hello: Event | None) -> tuple[str, ...] | None:
    if hello is None or not isinstance(hello.fields.get("capabilities"), list | tuple):
        return None
    return tuple(map(str, items(hello.fields, "capabilities")))


def _absences(
    events: Sequence[Event], timeline: Timeline, cell: CellFindings, found: Sequence[Signature]
) -> tuple[AbsenceFinding, ...]:
    lags = list(of_kind(events, "harness", "lag"))
    lifetime_s, point_of = _points(timeline, cell)
    interrupted = cell.status != "finished"
    pairs = zip(timeline.absences, found, strict=True)
    return tuple(
        msgspec.structs.replace(
            _absence(absence, worst_lag_ms(lags, absence)),
            lifetime_s=lifetime_s,
            point_s=_point(absence.left.last_token, absence.left_s, point_of),
            cut_short=is_cut_short(absence, timeline, interrupted=interrupted),
            signature=signature,
        )
        for absence, signature in pairs
    )


def _absence(absence: Absence, lag_ms: float) -> AbsenceFinding:
    gap = gap_ms(absence)
    return AbsenceFinding(
        left_s=absence.left_s,
        back_s=absence.back_s,
        gap_ms=gap,
        cause=absence.cause,
        first=absence.first,
        refused=len(absence.refused),
        renewal=renewal_of(absence),
        lag_ms=lag_ms,
        noisy=is_noisy(gap, lag_ms),
    )


def _point(token: Token | None, at_s: float, point_of: PointOf) -> float | None:
    return None if token is None else point_of(token, at_s)
