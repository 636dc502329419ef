"""The first table of page and published comparison: which errors a renewal leaves in the hub's log, how often, how long away, what the application is shown, what to do."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from harness.analysis import Answer, Row, answers
from harness.report.columns import application_in_brief, evidence_word, span_in_short
from harness.report.volume import volume_cells

__all__ = ["AnswerLine", "answer_lines", "code_named"]

_NAMES: Final = {"401003": "IoTHubUnauthorized", "404104": "DeviceConnectionClosedRemotely"}
"""As "Troubleshoot Azure IoT Hub error codes" calls them."""
_UNKNOWN: Final = "not observed"


class AnswerLine(msgspec.Struct, frozen=True):
    """One line; transports that agree share it, and a span is then over all of them.

    `word`: `real`, `emulated`, `remote` or `recorded`; `evidence`: the same with its date. `codes`: the errors in the hub's log. `errors`, of a day, are made of `made_of` and
    `renewals`; `bar`: as a share of the most there are, in percent, null where they are not known. `shown`: the application's exceptions a day. `cells`: of each transport, the first.
    """

    sdk: str
    version: str
    word: str
    evidence: str
    transports: tuple[str, ...]
    codes: tuple[str, ...]
    errors: str
    bar: float | None
    made_of: str
    renewals: str
    each_time: str
    a_day: str
    app: tuple[str, ...]
    shown: str
    advice: str
    cells: tuple[tuple[str, str], ...]


def answer_lines(rows: Sequence[Row]) -> list[AnswerLine]:
    """The lines in the order of the rows, those without a figure last."""
    found = answers(rows)
    most = max((one.volume.errors_per_day or 0.0 for one in found), default=0.0) or 1.0
    merged: dict[tuple[object, ...], list[Answer]] = {}
    for one in found:
        key = (volume_cells(one.volume), one.codes, one.outcome, one.away_ms is None, _app(one))
        merged.setdefault(key, []).append(one)
    return sorted((_line(alike, most) for alike in merged.values()), key=lambda one: one.bar is None)


def _line(alike: Sequence[Answer], most: float) -> AnswerLine:
    first = alike[0]
    volume = first.volume
    _, errors, made_of, renewals, shown = volume_cells(volume)
    noise = "~" if any(one.noisy for one in alike) else ""
    return AnswerLine(
        sdk=volume.sdk,
        version=volume.version,
        word=evidence_word(first.row),
        evidence=volume.evidence,
        transports=tuple(one.volume.transport for one in alike),
        codes=(_UNKNOWN,) if first.codes is None else first.codes or ("none",),
        errors=errors,
        bar=None if volume.errors_per_day is None else round(100 * volume.errors_per_day / most, 1),
        made_of=made_of,
        renewals=renewals,
        each_time=_span([one.away_ms for one in alike], noise),
        a_day=_span([one.away_s_per_day and _milliseconds(one.away_s_per_day) for one in alike], noise),
        app=_app(first),
        shown=shown,
        advice=_advice(first),
        cells=tuple((one.volume.transport, one.row.cells[0].cell) for one in alike if one.row.cells),
    )


def code_named(code: str) -> str:
    """The code with its name, where it is one of the two that the end of a token leaves; whatever else it is, as it is."""
    return f"{code} {_NAMES[code]}" if code in _NAMES else code


def _app(one: Answer) -> tuple[str, ...]:
    """What the application is shown at a renewal, in brief lines."""
    return tuple(application_in_brief(one.row).split("\n")) if one.codes is not None or one.away_ms else (_UNKNOWN,)


def _milliseconds(span_s: tuple[float, float]) -> tuple[float, float]:
    return 1e3 * span_s[0], 1e3 * span_s[1]


def _span(spans_ms: Iterable[tuple[float, float] | None], noise: str) -> str:
    """From the least to the longest of all; `never` where there was none."""
    ends = [end for span in spans_ms if span is not None for end in span]
    if not ends:
        return _UNKNOWN
    return f"{span_in_short(ends)}{noise}" if max(ends) else "never"


def _advice(one: Answer) -> str:
    """What to do about it."""
    back = "" if one.away_ms is None or not one.away_ms[1] else ": the device comes back by itself"
    if one.outcome == "ends":
        return "Hand over a new token before the old one ends: the hub turns the device out."
    if one.outcome == "unknown":
        return f"Nothing{back}." if back else ""
    if one.outcome == "quiet":
        return f"Nothing{back}."
    quiet = f"over {', '.join(one.quiet_over)} it leaves none" if one.quiet_over else "another SDK leaves none"
    return f"Nothing{back}. If the errors disturb: {quiet}."
