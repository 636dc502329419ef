"""What became of the messages, both ways.

Telemetry, by the numbered ids the harness hands to the device:

| word | the message |
|---|---|
| sent | was handed to the SDK |
| confirmed | the SDK told the application that it is through |
| reached | arrived at the hub at least once |
| duplicated | arrived more than once; whether by the protocol's own re-sending (DUP, same packet identifier) or as a new message is noted |
| reordered | first arrived after a message with a higher id |
| send_failed | did not reach the hub, and the application was told of a failure |
| lost | did not reach the hub, and either the application was told that it is through, or a message with a higher id got there: it was passed over |
| unfinished | did not reach the hub, and nothing more is known: perhaps it was still under way |

C2D messages are answered when the application was shown them (where what it reports of them carries no ids: when the device acknowledged
them), and lost when the device acknowledged one the application never saw. Direct methods are answered, or lost when the hub gave the call up. The rest is open.
"""

from collections.abc import Iterable, Sequence

from harness.analysis.fields import of_kind, text, whole
from harness.analysis.findings import Duplicate, Exchanges, Messages, Telemetry
from harness.events import Event

__all__ = ["messages", "telemetry"]


def messages(events: Sequence[Event]) -> Messages:
    """What became of all traffic of a cell."""
    c2d, methods = _c2d(events), _methods(events)
    probes = [event for event in of_kind(events, "harness", "stimulus") if event.fields.get("why") == "gap"]
    gap_c2d = {text(event.fields, "id") for event in probes if event.fields.get("what") == "c2d"}
    gap_methods = {text(event.fields, "id") for event in probes if event.fields.get("what") == "method"}
    return Messages(
        telemetry=telemetry(events),
        c2d=_exchanges(c2d, c2d[0] - gap_c2d),
        methods=_exchanges(methods, methods[0] - gap_methods),
        gap_c2d=_exchanges(c2d, c2d[0] & gap_c2d),
        gap_methods=_exchanges(methods, methods[0] & gap_methods),
    )


def telemetry(events: Sequence[Event]) -> Telemetry:
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
        reordered=_reordered(arrivals),
        send_failed=len(missing & failed),
        failed_but_reached=len(failed & arrivals.keys()),
        unfinished=len(silent - lost),
        lost_ids=tuple(sorted(lost)),
        duplicates=duplicates,
    )


def _ids(events: Iterable[Event]) -> set[int]:
    numbers = (whole(event.fields, "id") for event in events)
    return {one for one in numbers if one is not None}


def _handed_over(events: Sequence[Event]) -> set[int]:
    return _ids(event for event in of_kind(events, "harness", "command") if event.fields.get("cmd") == "send")


def _arrivals(events: Sequence[Event]) -> dict[int, list[Event]]:
    """The copies of each numbered message, in the order of their first arrival; others carry no number and are not ours."""
    found: dict[int, list[Event]] = {}
    for event in of_kind(events, "hub", "telemetry"):
        one = whole(event.fields, "message_id")
        if one is not None:
            found.setdefault(one, []).append(event)
    return found


def _duplicate(one: int, copies: Sequence[Event]) -> Duplicate:
    return Duplicate(
        id=one,
        arrivals=len(copies),
        dup=all(copy.fields.get("dup") is True for copy in copies[1:]),
        same_packet_id=len({whole(copy.fields, "packet_id") for copy in copies}) == 1,
    )


def _reordered(in_order_of_arrival: Iterable[int]) -> int:
    highest, late = -1, 0
    for one in in_order_of_arrival:
        late += one < highest
        highest = max(highest, one)
    return late


Sets = tuple[set[str], set[str], set[str]]
"""Names of what was asked, answered, lost."""


def _exchanges(sets: Sets, wanted: set[str]) -> Exchanges:
    answered, lost = len(wanted & sets[1]), len(wanted & sets[2])
    return Exchanges(asked=len(wanted), answered=answered, lost=lost, open=len(wanted) - answered - lost)


def _c2d(events: Sequence[Event]) -> Sets:
    queued = _names(of_kind(events, "hub", "c2d-queued"), "message_id")
    acknowledged = _names(of_kind(events, "hub", "c2d-acknowledged"), "message_id")
    arrivals = list(of_kind(events, "app", "c2d"))
    shown = _names(arrivals, "message_id")
    answered = acknowledged if arrivals and not shown else shown
    return queued, answered, acknowledged - answered


def _methods(events: Sequence[Event]) -> Sets:
    called = _names(of_kind(events, "hub", "method-called"), "request_id")
    answered = _names(of_kind(events, "hub", "method-answered"), "request_id")
    failed = _names(of_kind(events, "hub", "method-failed"), "request_id")
    return called, answered, failed - answered


def _names(events: Iterable[Event], field: str) -> set[str]:
    return {text(event.fields, field) for event in events} - {""}
