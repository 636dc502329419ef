"""What a check found, for the terminal and for the summary of a CI step; transports that agree share a line."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from harness.analysis import Check, Judged, Mark, Row, RunFacts
from harness.report.columns import evidence
from harness.report.layout import WIDTH, Cell, markdown, render, wrap
from harness.report.neutral import neutral
from harness.report.volume import HEADING, volume_table

__all__ = ["check_text", "step_summary"]

_TITLES: Final[dict[Mark, str]] = {
    "unlisted": "Differs from the documents, and no list says so",
    "stale": "Is confirmed now, and an entry says that it differs",
    "known": "Differs, as is known",
}
_MISSING: Final = "Required, and did not run"
_CUT_SHORT: Final = "Cut short, so that nobody knows what it would have shown"
_REMEDIES: Final[dict[Mark, str]] = {
    "unlisted": "If it is to be accepted, give it an entry with its reason and a link in a file for --known.",
    "stale": "Remove the entry, or narrow its versions, transports, scenarios or devices.",
}
_MEASURE_AGAIN: Final = (
    "Measure it again, by itself if you like: `harness merge` puts what is whole in place of what was cut short."
)
_UNMEASURED: Final = "Nothing was measured, so there is nothing to pass: the rows say why, and `harness doctor` what is missing on this machine."
_INDENT: Final = "    "
_HEADERS: Final = ["SDK", "transport", "scenario", "claim", "claimed", "observed"]


def check_text(found: Check) -> str:
    """What fails the check, a thing a line, and how many differences are known."""
    parts = [f"Check: {'passed' if found.passed else 'failed'}"]
    if not found.measured:
        parts.append(wrap(_UNMEASURED, WIDTH))
    for mark in ("unlisted", "stale"):
        if told := [_sentence(*one) for one in _merged(found.marked(mark))]:
            parts += [f"{_TITLES[mark]}:", *map(_indented, told), _indented(_REMEDIES[mark])]
    if found.missing:
        told = [f"{one.required}: {_whose(one.row)}{one.reason}" for one in found.missing]
        parts += [f"{_MISSING}:", *map(_indented, told)]
    if found.cut_short:
        parts += [f"{_CUT_SHORT}:", *map(_indented, map(_row, found.cut_short)), _indented(_MEASURE_AGAIN)]
    if found.never_began:
        parts.append(wrap(_never_began(found), WIDTH))
    known, unseen = len(found.marked("known")), len(found.not_shown)
    parts.append(f"Known differences: {known}; entries that this run could not show: {unseen}.")
    return "\n".join(parts)


def step_summary(found: Check, facts: RunFacts) -> str:
    """The same as Markdown, with the number of verdicts and the errors a day; short, for it stands beside other steps'."""
    differ = found.differing
    title = "passed" if found.passed else "failed"
    parts = [
        f"## Token expiry: check {title}, {differ} verdict{' differs' if differ == 1 else 's differ'} from the documents",
        _counts(found),
        *([] if found.measured else [_UNMEASURED]),
        *([_never_began(found)] if found.never_began else []),
    ]
    for mark in ("unlisted", "stale", "known"):
        if rows := [_line(*one) for one in _merged(found.marked(mark))]:
            parts += [f"### {_TITLES[mark]}", render(_headers(mark), rows, "markdown")]
    if found.missing:
        told = [[str(one.required), f"{_whose(one.row)}{one.reason}"] for one in found.missing]
        parts += [f"### {_MISSING}", render(["required", "why"], told, "markdown")]
    if found.cut_short:
        cells: list[list[Cell]] = [[_subject(row), row.transport, row.scenario] for row in found.cut_short]
        parts += [f"### {_CUT_SHORT}", render(_HEADERS[:3], cells, "markdown")]
    if volume := volume_table(found.rows, "markdown"):
        parts += [f"### {HEADING}", volume]
    whose = f"Run {facts.run}, started {facts.started or 'elsewhere'}, harness {facts.harness}."
    parts.append(markdown(neutral(whose)))
    return "\n\n".join(parts) + "\n"


def _never_began(found: Check) -> str:
    count = found.never_began
    return f"{count} planned cell{' ' if count == 1 else 's '}never began, and nobody knows what {'it' if count == 1 else 'they'} would have shown."


def _counts(found: Check) -> str:
    """A line for each kind of device, with the number of its verdicts of each kind."""
    words = list(dict.fromkeys(one.verdict.verdict for one in found.judged))
    counted: dict[str, Counter[str]] = {}
    for one in found.judged:
        counted.setdefault(", ".join(evidence(one.row)), Counter())[one.verdict.verdict] += 1
    rows: list[list[Cell]] = [[who, *(counts[word] for word in words)] for who, counts in counted.items()]
    return render(["device", *words], rows, "markdown") if rows else "Nothing was judged."


def _indented(text: str) -> str:
    return textwrap.indent(wrap(text, WIDTH - len(_INDENT)), _INDENT)


_Merged = tuple[Judged, list[str]]


def _merged(judged: Iterable[Judged]) -> list[_Merged]:
    """The verdicts that say the same, each with its transports."""
    merged: dict[tuple[str, ...], _Merged] = {}
    for one in judged:
        verdict = one.verdict
        entry = one.entry.name if one.entry else ""
        key = (_who(one), one.row.scenario, verdict.claim, verdict.claimed, verdict.observed, entry)
        merged.setdefault(key, (one, []))[1].append(one.row.transport)
    return list(merged.values())


def _who(one: Judged) -> str:
    return _subject(one.row)


def _subject(row: Row) -> str:
    return f"{row.sdk} {row.version} ({', '.join(evidence(row))})"


def _row(row: Row) -> str:
    return f"{_subject(row)}, {row.transport}, {row.scenario}"


def _whose(row: Row | None) -> str:
    return "" if row is None else f"{row.transport}, {row.scenario}: "


def _sentence(one: Judged, transports: Sequence[str]) -> str:
    verdict = one.verdict
    entry = f" ({one.entry.name})" if one.entry else ""
    where = f"{_who(one)}, {' and '.join(transports)}, {one.row.scenario}"
    return f"{where}: {verdict.claim}: claimed {verdict.claimed}, observed {verdict.observed}{entry}"


def _headers(mark: Mark) -> list[str]:
    return [*_HEADERS, *({"known": ["reason"], "stale": ["entry"]}.get(mark, []))]


def _line(one: Judged, transports: Sequence[str]) -> list[str]:
    row, verdict = one.row, one.verdict
    told = [_who(one), "\n".join(transports), row.scenario, verdict.claim, verdict.claimed, verdict.observed]
    if one.entry is None:
        return told
    known = one.entry.difference
    return [*told, one.entry.name if one.mark == "stale" else f"{known.reason} {known.link}"]
