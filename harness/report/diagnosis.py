"""What the devices of a log suffer from: by cause, device by device, and what to do."""

from collections import Counter
from collections.abc import Sequence

from harness.diagnosis import WORST_FIRST, Finding
from harness.report.layout import WIDTH, render, wrap
from harness.report.neutral import neutral

__all__ = ["diagnosis_text"]

_BY_CAUSE = ["cause", "devices", "of these with errors", "errors"]
_HEADERS = ["device", "cause", "SDK", "connections", "errors", "the hub said"]
_WIDTHS = [26, 13, 16, 18, 12, 25]
_LONGEST = 240
_MINUTE_S = 60


def diagnosis_text(findings: Sequence[Finding], limit: int) -> str:
    """A summary where there are more devices than `limit` (0: no limit), a table with a line for each of the first ones, and what to do."""
    shown = findings[:limit] if limit else findings
    hidden = len(findings) - len(shown)
    parts = [
        _summary(findings) if hidden else "",
        render(_HEADERS, [_line(one) for one in shown], "text", widths=_WIDTHS),
        f"{_devices(hidden)} more: see all with --limit 0, or one with --device ID." if hidden else "",
        _advice(findings),
    ]
    return "\n\n".join(filter(None, parts))


def _summary(findings: Sequence[Finding]) -> str:
    devices = Counter(one.told.cause for one in findings)
    suffering = Counter(one.told.cause for one in findings if one.errors)
    errors: Counter[str] = Counter()
    for one in findings:
        errors[one.told.cause] += sum(one.errors.values())
    rows = [[cause, devices[cause], suffering[cause], errors[cause]] for cause in WORST_FIRST if devices[cause]]
    return render(_BY_CAUSE, rows, "text")


def _line(finding: Finding) -> list[str]:
    told = finding.told
    errors = [f"{neutral(code, 12)} x {count}" for code, count in sorted(finding.errors.items())]
    return [
        neutral(told.device_id, _LONGEST),
        told.cause,
        neutral(told.sdk or "unknown", _LONGEST),
        "\n".join(_connections(finding)) or "-",
        "\n".join(errors) or "none",
        neutral(told.message, _LONGEST) or "-",
    ]


def _connections(finding: Finding) -> list[str]:
    told = finding.told
    how = [
        f"{finding.cuts} cut" if finding.cuts else "",
        f"{finding.losses} lost" if finding.losses else "",
        f"{finding.renewals} renewed" if finding.renewals else "",
        f"last {_span(told.period_s)}" if told.period_s is not None else "",
        f"token about {_span(told.lifetime_s)}" if told.lifetime_s is not None else "",
        f"grace about {_span(told.grace_s)}" if told.grace_s is not None else "",
    ]
    return [part for part in how if part]


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE_S else f"{seconds / _MINUTE_S:.3g} min"


def _advice(findings: Sequence[Finding]) -> str:
    """Each remedy once, with its cause and how many devices it is for."""
    counts: dict[tuple[str, str], int] = {}
    for one in findings:
        if one.told.remedy:
            key = (one.told.cause, one.told.remedy)
            counts[key] = counts.get(key, 0) + 1
    told = (f"{cause} ({_devices(count)}): {remedy}" for (cause, remedy), count in counts.items())
    return "\n".join(wrap(line, WIDTH) for line in told)


def _devices(count: int) -> str:
    return f"{count} device{'' if count == 1 else 's'}"
