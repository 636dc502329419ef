"""The columns of a scenario's table: what each says about a row, in as many lines as it takes."""

from collections.abc import Callable, Sequence

from harness.analysis import FirstRefusal, Row, describe_short, device_in_words, in_brief, seconds

__all__ = [
    "COLUMNS",
    "RETURNS",
    "application_in_brief",
    "columns",
    "evidence",
    "evidence_word",
    "gaps_in_short",
    "span_in_short",
]

_RECOVERIES = {"none": "no further attempt", "retries": "then retries", "next-send": "then tries at every send"}
RETURNS = {
    "by-itself": "back by itself",
    "next-send": "back at the next send",
    "new-token": "back with the new token",
    "none": "never back",
}
_C2D = {"dead": "C2D dead from then on", "delivered": "C2D works again"}
_COUNTS = {"sent": "sent", "lost": "lost", "duplicated": "dup", "reordered": "reord", "send_failed": "failed"}
_WAYS = {"per-request": "by request"}
_TOKENS = {"each-request": "a token for each", "kept": "token kept until then"}
_MANY = 3
_SECOND_MS = 1000


def columns(row: Row, *, brief: bool) -> list[str]:
    """The cells of a measured row, in the order of `COLUMNS`."""
    chosen = {**COLUMNS, **_IN_BRIEF} if brief else COLUMNS
    return [column(row) for column in chosen.values()]


def evidence(row: Row) -> list[str]:
    """What the device was, where it was measured and how it was led to the hub."""
    return [
        device_in_words(row.device, str(row.origin.get("date", ""))),
        *(["via proxy"] if row.way.get("via_proxy") else []),
    ]


def evidence_word(row: Row) -> str:
    """What the device was, or that it was recorded elsewhere."""
    return "recorded" if row.origin.get("kind") == "recorded" else row.device


def _who(row: Row) -> str:
    return "\n".join([row.sdk, row.version, row.transport, *evidence(row), *_shortfalls(row)])


def _shortfalls(row: Row) -> list[str]:
    if row.status:
        return []
    if not row.complete:
        return ["incomplete"]
    return [] if row.awaited else ["not all seen"]


def _token(row: Row) -> str:
    own = "" if row.lifetime_s is None else f"{row.lifetime_s:g} s"
    default = f"default\n{row.default_lifetime_s / 60:.3g} min" if row.default_lifetime_s else ""
    return "\n".join(filter(None, [own, default]))


def _point(row: Row) -> str:
    law = describe_short(row.law.fit) if row.law and row.law.fit else ""
    return "\n".join(filter(None, [law, _points(row.points_s)])) or "-"


def _points(points: Sequence[float]) -> str:
    if len(points) > _MANY:
        return f"at {min(points):.1f} to {max(points):.1f} s"
    return f"at {', '.join(f'{point:.1f}' for point in points)} s" if points else ""


def _renewal(row: Row) -> str:
    first = f"{' / '.join(row.first)} first" if row.first else ""
    tokens = _TOKENS.get(row.token_use or "", "") if row.renewals else ""
    return ",\n".join(filter(None, [*_way(row), tokens, first, *_afterwards(row)]))


def _way(row: Row) -> list[str]:
    """How the device renews; of a renewal that was refused, how it tried, and, where it stayed, how it made up for it."""
    if row.first_refusal:
        return _first_refusal(row.first_refusal)
    if row.refused_renewal is None:
        return [_WAYS.get(row.renewal or "", row.renewal or "-")]
    return [f"{row.refused_renewal} refused", f"then {row.renewal}" if row.renewal and not row.first else ""]


def _first_refusal(refused: FirstRefusal) -> list[str]:
    """How a device was refused that was never let in, and what followed."""
    if refused.by == "sdk":
        return ["refused by the SDK itself"]
    again = _RECOVERIES.get(refused.then or "", "")
    times = (
        f" ({refused.attempts - 1} in {refused.watched_s:.0f} s)"
        if refused.attempts > 1
        else f" in {refused.watched_s:.0f} s"
    )
    return [
        f"refused: {refused.wire}",
        f"{again}{times}" if again else "",
        "yet called connected" if refused.believed else "",
    ]


def _afterwards(row: Row) -> list[str]:
    """What the device did once it was refused, or the hub had ended its stay."""
    returned = RETURNS.get(row.returned or "", "") or _RECOVERIES.get(row.recovery or "", "")
    return [_unaware(row), returned, _C2D.get(row.c2d_after_return or "", "")]


def _unaware(row: Row) -> str:
    """For how long the device noticed nothing at the worst, where it was not at once."""
    noticed, silent = row.unaware_s or 0.0, row.silent_s or 0.0
    longest = seconds(max(noticed, silent))
    return "" if longest == "0 s" else f"unaware for {'more than ' if silent >= noticed else ''}{longest}"


def _hub_log(row: Row) -> str:
    if "hub-log" in row.lacks:
        return "not observed"
    codes = " →\n".join(row.hub_log) or "nothing"
    levels = row.hub_levels.replace("informational", "info").replace("+", " + ")
    return "\n".join([codes, *([f"({levels})"] if levels else [])])


def _hub_log_with_message(row: Row) -> str:
    """The same, and of a device that was never let in the errorMessage, as the documents write it."""
    refused = row.first_refusal
    return "\n".join([_hub_log(row), *([f'"{refused.pattern}"'] if refused and refused.pattern else [])])


def _hub_log_with_check(row: Row) -> str:
    """The same with the check that failed, for want of room."""
    refused = row.first_refusal
    return "\n".join([_hub_log(row), *([refused.check] if refused and refused.check else [])])


def _application(row: Row) -> str:
    return _shown([*row.app, *(f"log: {line}" for line in row.log)], row)


def application_in_brief(row: Row) -> str:
    """Each thing once, classes without their packages, and of the SDK's log only how much there was."""
    logged = [f"(log: {len(row.log)} at WARNING or above)"] if row.log else []
    return _shown([*in_brief(row.app), *logged], row)


def _shown(lines: Sequence[str], row: Row) -> str:
    """The lines, and how many of the times the device was away or renewed looked like this, where not all did."""
    shown, of = row.signature_of
    share = [f"({shown} of {of} times)"] if shown < of else []
    return "\n".join([*(lines or ["nothing"]), *share])


def _gaps(row: Row) -> str:
    if not row.gap_ms:
        return "not back" if row.points_s and row.first else "-"
    if row.clock_rate is not None:
        gaps = "\n".join(f"{gap:.0f}" for gap in row.gap_ms)
        return f"{gaps}\nx{row.clock_rate:g}, not the SDK's"
    marks = [*row.noisy, *[False] * len(row.gap_ms)]
    if row.gap_median_ms is not None:
        noise = "~" if any(marks) else ""
        return f"median {row.gap_median_ms:.1f}{noise}\n{min(row.gap_ms):.1f} to {max(row.gap_ms):.1f}\nof {len(row.gap_ms)}"
    return "\n".join(f"{gap:.1f}{'~' if noisy else ''}" for gap, noisy in zip(row.gap_ms, marks, strict=False))


def gaps_in_short(row: Row) -> str:
    """How long the device was away, in a few letters: the median, or the least and the longest; empty where it never was."""
    if row.gap_ms:
        return span_in_short(row.gap_ms if row.gap_median_ms is None else [row.gap_median_ms])
    return "not back" if row.points_s and row.first else ""


def span_in_short(gaps_ms: Sequence[float]) -> str:
    """The least and the longest of these, in one unit."""
    least, longest = min(gaps_ms), max(gaps_ms)
    unit, scale, digits = ("s", _SECOND_MS, 1 if least >= _SECOND_MS else 2) if longest >= _SECOND_MS else ("ms", 1, 0)
    return f"{' to '.join(dict.fromkeys(f'{gap / scale:.{digits}f}' for gap in (least, longest)))} {unit}"


def _messages(row: Row) -> str:
    names = [name for name in _COUNTS if name != "send_failed" or row.send_failed]
    return "\n".join(_count(row, name) for name in names) if row.sent else "none"


def _count(row: Row, name: str) -> str:
    """How many messages that happened to, as far as the logs tell."""
    if name in row.untold:
        return f"{_COUNTS[name]} not observed"
    return f"{'≥ ' if name in row.at_least else ''}{getattr(row, name)} {_COUNTS[name]}"


def _claims(row: Row) -> str:
    words = [verdict.verdict for verdict in row.verdicts]
    return "\n".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words)) or "none"


COLUMNS: dict[str, Callable[[Row], str]] = {
    "SDK": _who,
    "token": _token,
    "renewal or cut": _point,
    "renewal": _renewal,
    "hub log": _hub_log_with_message,
    "application saw": _application,
    "gap ms": _gaps,
    "messages": _messages,
    "claims": _claims,
}
_IN_BRIEF: dict[str, Callable[[Row], str]] = {
    "hub log": _hub_log_with_check,
    "application saw": application_in_brief,
}
