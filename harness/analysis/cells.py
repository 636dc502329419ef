"""One cell's log -> its findings."""

from collections.abc import Mapping, Sequence

import msgspec

from harness.analysis.fields import items, mapping, number, of_kind, text
from harness.analysis.findings import AbsenceFinding, CellFindings, Signature
from harness.analysis.messages import messages
from harness.analysis.recovery import recovery
from harness.analysis.renewals import (
    first_lifetime,
    first_uses,
    gap_ms,
    is_noisy,
    point_in_life,
    renewal_of,
    token_lifetime,
    worst_lag_ms,
)
from harness.analysis.signatures import collapse, hub_records, signatures
from harness.analysis.timeline import Absence, Timeline, make_timeline
from harness.events import CELL_END, CellLog, Event, Header
from harness.scenario import HUB_GRACE_S

__all__ = ["analyse_cell"]


def analyse_cell(log: CellLog) -> CellFindings:
    """Everything the log shows; never raises on an incomplete or foreign log."""
    header, events, timeline = log.header, log.events, make_timeline(log)
    status, reason, awaited = _end(events)
    records = hub_records(events, timeline.closing_s)
    hello = next(of_kind(events, "app", "hello"), None)
    recovered, why_not = recovery(timeline, events)
    first_s, set_s = first_lifetime(timeline), _set_lifetime(header)
    return CellFindings(
        cell=header.cell,
        sdk=header.sdk,
        sdk_name=header.sdk_name,
        version=header.version,
        transport=header.transport,
        device=header.device,
        scenario=text(header.scenario, "id"),
        traffic="+".join(map(str, items(header.scenario, "traffic"))) or "idle",
        credential=text(header.scenario, "credential"),
        status=status,
        reason=reason,
        awaited=awaited,
        repeat=header.repeat,
        origin=header.origin,
        way=header.way,
        settings=header.settings,
        grace_s=_grace(header),
        capabilities=_capabilities(hello),
        first_lifetime_s=None if first_s is None else round(first_s, 3),
        set_lifetime_s=set_s,
        watched_s=round(timeline.closing_s - timeline.first_connect_s, 3),
        connections=len(timeline.admitted),
        refused=sum(one.refused for one in timeline.connections),
        put_tokens=sum(1 for _ in of_kind(events, "hub", "put-token")),
        absences=_absences(events, timeline, token_lifetime(first_s, set_s), signatures(events, timeline, records)),
        hub_log=collapse(record.code for record in records),
        messages=messages(events),
        recovery=recovered,
        recovery_reason=why_not,
        notes=_notes(events, hello, header),
    )


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
    events: Sequence[Event], timeline: Timeline, lifetime_s: float | None, found: Sequence[Signature]
) -> tuple[AbsenceFinding, ...]:
    lags, uses = list(of_kind(events, "harness", "lag")), first_uses(timeline)
    pairs = zip(timeline.absences, found, strict=True)
    return tuple(
        msgspec.structs.replace(
            _absence(absence, worst_lag_ms(lags, absence)),
            lifetime_s=lifetime_s,
            point_s=_point(absence, lifetime_s, uses),
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


def _notes(events: Sequence[Event], hello: Event | None, header: Header) -> tuple[str, ...]:
    """What a reader of the row should know besides the figures: the run's own notes, and an SDK of another version than stated."""
    reported = _reported_version(hello.fields) if hello else ""
    other = f"the device reports version {reported}, the profile speaks of {header.version}"
    noted = [text(event.fields, "text") for event in of_kind(events, "harness", "note")]
    return tuple(filter(None, [other if reported not in {"", header.version} else "", *noted]))


def _reported_version(hello: Mapping[str, object]) -> str:
    return text(hello, "sdk_version")
