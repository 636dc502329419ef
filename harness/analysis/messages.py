"""What became of the messages, both ways.

Telemetry, by the numbered ids the harness hands to the device:

| word | the message |
|---|---|
| sent | was handed to the SDK |
| confirmed | the SDK told the application that it is through |
| reached | arrived at the hub at least once |
| duplicated | arrived more than once; whether by the protocol's own re-sending (MQTT's DUP, same packet identifier) or as a new message is noted |
| reordered | first arrived after a message with a higher id, or, of those that came again because the connection went before they were acknowledged, came again after one |
| send_failed | did not reach the hub, and the application was told of a failure |
| lost | did not reach the hub, and either the application was told that it is through, or a message with a higher id got there: it was passed over |
| unfinished | did not reach the hub, and nothing more is known: perhaps it was still under way |

Over AMQP a transfer that the hub answered by rejected or released has not arrived: the hub did not take it. The emulated hub accepts every one that no fault throttles; a
real one may not.

Where a log leaves quiet rows out, its header's totals count what was sent and what reached the hub; what is missing and has not failed is unfinished, and
whether any of it is lost is not told. What came again is then the least there was, and a message that was under way and had not come again when a later
one did is reordered. Neither is told where the messages that arrived carry no numbers.

C2D messages are answered when the application was shown them (where what it reports of them carries no ids: when the device acknowledged
them), and lost when the device acknowledged one, by accepting or rejecting it, that the application never saw; one that came back to the hub
unacknowledged is open until it is delivered after all. Direct methods are answered, or lost when the hub gave the call up. The rest is open.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from harness.analysis.fields import of_kind, once, text, whole
from harness.analysis.findings import Duplicate, Exchanges, Messages, Telemetry
from harness.events import Event

__all__ = ["Outcomes", "Results", "arrived", "exchanges", "messages", "outcomes", "probes", "telemetry"]

NOT_TAKEN = frozenset({"rejected", "released"})


class Results(msgspec.Struct, frozen=True):
    """Names of what was asked of the device, what was answered, and what was lost."""

    asked: frozenset[str]
    answered: frozenset[str]
    lost: frozenset[str]


class Outcomes(msgspec.Struct, frozen=True):
    """What became of everything the cloud sent."""

    c2d: Results
    methods: Results


def messages(
    events: Sequence[Event], *, totals: Mapping[str, int] | None = None, rows_left_out: bool = False
) -> Messages:
    """What became of all traffic of a cell; `totals` has `sent` and `received` where the events do not tell of each message."""
    found = outcomes(events)
    gap, renewal = probes(events, "gap"), probes(events, "renewal")
    return Messages(
        telemetry=_by_totals(telemetry(events, rows_left_out=rows_left_out), events, totals or {}),
        c2d=exchanges(found.c2d, found.c2d.asked - gap["c2d"] - renewal["c2d"]),
        methods=exchanges(found.methods, found.methods.asked - gap["method"] - renewal["method"]),
        gap_c2d=exchanges(found.c2d, gap["c2d"]),
        gap_methods=exchanges(found.methods, gap["method"]),
        renewal_c2d=exchanges(found.c2d, renewal["c2d"]),
        renewal_methods=exchanges(found.methods, renewal["method"]),
    )


@once
def outcomes(events: Sequence[Event]) -> Outcomes:
    """What was asked of the device, and what became of it."""
    return Outcomes(_c2d(events), _methods(events))


def exchanges(results: Results, wanted: Iterable[str]) -> Exchanges:
    """Count what became of those that are `wanted`."""
    asked = results.asked & frozenset(wanted)
    answered, lost = len(asked & results.answered), len(asked & results.lost)
    return Exchanges(asked=len(asked), answered=answered, lost=lost, open=len(asked) - answered - lost)


def probes(
    events: Iterable[Event], why: str, *, since: float = 0.0, until: float = math.inf
) -> Mapping[str, frozenset[str]]:
    """Names of the C2D messages (`c2d`) and direct methods (`method`) that the harness sent because of `why`, in a span of time."""
    sent = [
        event
        for event in of_kind(events, "harness", "stimulus")
        if event.fields.get("why") == why and since <= event.t / 1e6 < until
    ]
    return {
        what: frozenset(text(event.fields, "id") for event in sent if event.fields.get("what") == what)
        for what in ("c2d", "method")
    }


def telemetry(events: Sequence[Event], *, rows_left_out: bool = False) -> Telemetry:
    """Count the numbered messages; see the module's table."""
    confirmed = _ids(of_kind(events, "app", "sent"))
    failed = _ids(of_kind(events, "app", "send_failed")) - confirmed
    arrivals = _arrivals(events)
    sent = _handed_over(events) | confirmed | failed | arrivals.keys()
    missing = sent - arrivals.keys()
    silent = missing - failed
    passed_over = {one for one in silent if one < max(arrivals, default=one)}
    lost = (silent & confirmed) | passed_over
    duplicates = tuple(_duplicate(one, copies) for one, copies in sorted(arrivals.items()) if len(copies) > 1)
    return Telemetry(
        sent=len(sent),
        confirmed=len(confirmed),
        reached=len(arrivals),
        lost=len(lost),
        duplicated=len(duplicates),
        reordered=len(_reordered(arrivals) | _came_again_late(events, rows_left_out=rows_left_out)),
        send_failed=len(missing & failed),
        failed_but_reached=len(failed & arrivals.keys()),
        unfinished=len(silent - lost),
        lost_ids=tuple(sorted(lost)),
        duplicates=duplicates,
    )


def arrived(events: Sequence[Event]) -> frozenset[int]:
    """Numbers of the messages that reached the hub at least once."""
    return frozenset(_arrivals(events))


def _ids(events: Iterable[Event]) -> set[int]:
    numbers = (whole(event.fields, "id") for event in events)
    return {one for one in numbers if one is not None}


def _handed_over(events: Sequence[Event]) -> set[int]:
    return _ids(event for event in of_kind(events, "harness", "command") if event.fields.get("cmd") == "send")


@once
def _arrivals(events: Sequence[Event]) -> dict[int, list[Event]]:
    """The copies of each numbered message, in the order of their first arrival; others carry no number and are not ours."""
    found: dict[int, list[Event]] = {}
    not_taken = {_delivery(event) for event in of_kind(events, "hub", "disposition") if _is_not_taken(event)}
    for event in of_kind(events, "hub", "telemetry"):
        one = whole(event.fields, "message_id")
        if one is not None and _delivery(event) not in not_taken:
            found.setdefault(one, []).append(event)
    return found


def _is_not_taken(event: Event) -> bool:
    return event.fields.get("state") in NOT_TAKEN


def _delivery(event: Event) -> tuple[str, ...]:
    """What tells one AMQP transfer from others."""
    return tuple(text(event.fields, name) for name in ("conn", "delivery_id", "message_id"))


def _duplicate(one: int, copies: Sequence[Event]) -> Duplicate:
    packets = {whole(copy.fields, "packet_id") for copy in copies}
    return Duplicate(
        id=one,
        arrivals=len(copies),
        dup=all(copy.fields.get("dup") is True for copy in copies[1:]),
        same_packet_id=len(packets) == 1 and None not in packets,
    )


def _reordered(in_order_of_arrival: Iterable[int]) -> set[int]:
    highest, late = -1, set()
    for one in in_order_of_arrival:
        if one < highest:
            late.add(one)
        highest = max(highest, one)
    return late


def _came_again_late(events: Sequence[Event], *, rows_left_out: bool) -> set[int]:
    """Messages under way when a connection went, and which came again after one with a higher id."""
    late: set[int] = set()
    under_way: set[int] = set()
    for copies in _by_connection(events):
        again = dict.fromkeys(one for one, _ in copies if one in under_way)
        late |= _reordered(again)
        if rows_left_out:
            late |= {one for one in under_way - again.keys() if one < max(again, default=one)}
        acknowledged = {one for one, known in copies if known}
        under_way = (under_way | {one for one, _ in copies}) - acknowledged
    return late


def _by_connection(events: Sequence[Event]) -> list[list[tuple[int, bool]]]:
    """The numbered messages that arrived on each connection, in order, and whether the hub acknowledged them there."""
    acknowledged = {_transfer(event) for event in of_kind(events, "hub", "puback", "disposition", "http-response")}
    found: dict[str, list[tuple[int, bool]]] = {}
    for event in of_kind(events, "hub", "telemetry"):
        one = whole(event.fields, "message_id")
        if one is not None:
            copies = found.setdefault(text(event.fields, "conn"), [])
            copies.append((one, _transfer(event) in acknowledged))
    return list(found.values())


def _transfer(event: Event) -> tuple[str, ...]:
    """What an acknowledgement and the message it is about have in common."""
    return tuple(text(event.fields, name) for name in ("conn", "packet_id", "delivery_id", "request"))


def _by_totals(found: Telemetry, events: Sequence[Event], totals: Mapping[str, int]) -> Telemetry:
    """The counts as the header's totals have them, where it has any."""
    sent, received = totals.get("sent"), totals.get("received")
    if sent is None or received is None:
        return found
    missing = max(sent - received, 0)
    failed = min(len(_ids(of_kind(events, "app", "send_failed"))), missing)
    untold = [
        "confirmed",
        "failed_but_reached",
        *(["lost"] if missing > failed else []),
        *(["duplicated", "reordered"] if received and not found.reached else []),
    ]
    return msgspec.structs.replace(
        found, sent=sent, reached=received, lost=0, lost_ids=(), send_failed=failed, failed_but_reached=0,
        unfinished=missing - failed, untold=tuple(untold),
    )  # fmt: skip


def _c2d(events: Sequence[Event]) -> Results:
    queued = _names(of_kind(events, "hub", "c2d-queued"), "message_id")
    acknowledged = _names(of_kind(events, "hub", "c2d-acknowledged"), "message_id")
    arrivals = list(of_kind(events, "app", "c2d"))
    shown = _names(arrivals, "message_id")
    answered = acknowledged if arrivals and not shown else shown
    return Results(queued, answered, acknowledged - answered)


def _methods(events: Sequence[Event]) -> Results:
    called = _names(of_kind(events, "hub", "method-called"), "request_id")
    answered = _names(of_kind(events, "hub", "method-answered"), "request_id")
    failed = _names(of_kind(events, "hub", "method-failed"), "request_id")
    return Results(called, answered, failed - answered)


def _names(events: Iterable[Event], field: str) -> frozenset[str]:
    return frozenset(text(event.fields, field) for event in events) - {""}
