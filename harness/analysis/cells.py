"""One cell's log -> its findings."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from harness.analysis.fields import items, mapping, number, of_kind, text
from harness.analysis.findings import EXPIRED, AbsenceFinding, CellFindings, Signature
from harness.analysis.messages import messages
from harness.analysis.recovery import recovery
from harness.analysis.renewals import (
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
from harness.analysis.signatures import hub_records, is_cut_short, overall, signatures
from harness.analysis.timeline import Absence, Timeline, make_timeline
from harness.events import CELL_END, CellLog, Event, Header
from harness.scenario import HUB_GRACE_S

__all__ = ["analyse_cell"]


def analyse_cell(log: CellLog) -> CellFindings:
    """Everything the log shows; never raises on an incomplete or foreign log."""
    timeline = make_timeline(log)
    cell = _with_tokens(_stated(log, timeline), timeline, log.events)
    return msgspec.structs.replace(cell, **_course(log, timeline, cell))


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
        awaited=awaited and bool(timeline.admitted),
        repeat=header.repeat,
        origin=header.origin,
        way=header.way,
        settings=header.settings,
        settings_of=text(scenario, "settings"),
        awaits_renewals=(number(mapping(scenario, "end"), "renewals") or 0) > 0,
        grace_s=_grace(header),
        reported_version=reported,
        capabilities=_capabilities(hello),
        set_lifetime_s=_set_lifetime(header),
        notes=_notes(log, timeline, reported),
    )


def _with_tokens(cell: CellFindings, timeline: Timeline, events: Sequence[Event]) -> CellFindings:
    """The cell with its first token, and whether one was watched to its end."""
    first = first_token(timeline, _told_s(events))
    return msgspec.structs.replace(
        cell,
        token_outlived=outlived(timeline, cell.grace_s),
        first_lifetime_s=first and first.lifetime_s,
        first_lifetime_between_s=first and (first.least_s, first.most_s),
    )


def _course(log: CellLog, timeline: Timeline, cell: CellFindings) -> dict[str, object]:
    """What happened from the first CONNECT to the closing."""
    records = hub_records(log.events, timeline.closing_s)
    whole = overall(log.events, timeline, records)
    recovered, why_not = recovery(timeline, log.events)
    return {
        "watched_s": round(max(timeline.closing_s - timeline.first_connect_s, 0.0), 3),
        "connections": len(timeline.admitted),
        "refused": sum(one.refused for one in timeline.connections),
        "put_tokens": sum(1 for _ in of_kind(log.events, "hub", "put-token")),
        "absences": _absences(log.events, timeline, cell, signatures(log.events, timeline, records)),
        "hub_log": whole.hub,
        "app": whole.app,
        "log": whole.log,
        "messages": messages(log.events),
        "recovery": recovered,
        "recovery_reason": why_not,
    }


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
    lags, uses = list(of_kind(events, "harness", "lag")), first_uses(timeline)
    lifetime_s = token_lifetime(cell.first_token, cell.set_lifetime_s)
    interrupted = cell.status != "finished"
    pairs = zip(timeline.absences, found, strict=True)
    return tuple(
        msgspec.structs.replace(
            _absence(absence, worst_lag_ms(lags, absence)),
            lifetime_s=lifetime_s,
            point_s=_point(absence, lifetime_s, uses),
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


def _point(absence: Absence, lifetime_s: float | None, uses: Mapping[tuple[str, float | None], float]) -> float | None:
    token = absence.left.token
    if token is None:
        return None
    return point_in_life(token, absence.left_s, lifetime_s, uses[token.digest, token.se])


def _notes(log: CellLog, timeline: Timeline, reported: str) -> tuple[str, ...]:
    """What a reader of the row should know besides the figures."""
    stated = log.header.version
    other = f"the device reports version {reported}, the profile speaks of {stated}"
    causes = Counter(one.cause for one in timeline.absences if one.first == "hub" and one.cause != EXPIRED)
    cuts = (
        f"the hub cut the connection for another reason than its token: {cause} ({n})" for cause, n in causes.items()
    )
    noted = (text(event.fields, "text") for event in of_kind(log.events, "harness", "note"))
    return tuple(filter(None, [other if reported not in {"", stated} else "", *cuts, *noted]))
