"""What one run shows otherwise than another: behaviour, timings, claims, and what could not be compared. Transports that agree share a line."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from harness.analysis import Apart, Change, Compared, Diff, Side, device_in_words
from harness.analysis.diff import ABSENT, MEASURED
from harness.report.layout import WIDTH, Form, markdown, render, wrap
from harness.report.neutral import neutral
from harness.report.settings import settings_in_words

__all__ = ["diff_report"]

_TITLE: Final = "What one run shows otherwise than another"
_OTHER_MACHINE: Final = "The machines are not the same: they have a part in the timings."
_OTHER_CIRCUMSTANCES: Final = "The scenarios of these names, or the hub's settings in them, are not the same in both, and have a part in what changed"
_BEHAVIOUR: Final = "Behaviour changed"
_PARTS: Final[tuple[tuple[str, Callable[[Compared], Sequence[Change]]], ...]] = (
    (_BEHAVIOUR, lambda row: row.behaviour),
    ("May be chance", lambda row: row.chance),
    ("Timing changed, beyond the noise of both", lambda row: row.timing),
    ("Claimed otherwise: the documents changed, not the SDK", lambda row: row.claims),
    ("Shown by one only", lambda row: row.one_sided),
)
_WIDTHS: Final = (23, 9, 24, 56)
_APART_WIDTHS: Final = (23, 9, 24, 27, 27)
_INDENT: Final = "    "
_WHO: Final = ("SDK", "transport", "scenario")

Line = tuple[str, ...]


def diff_report(found: Diff, form: Form) -> str:
    """The whole difference; a part of which there is nothing is left out, but for that about behaviour."""
    told = neutral if form == "text" else str
    parts = [
        _sides(found, form),
        *(_changed(found, *one, told, form) for one in _PARTS),
        *_apart(found.apart, told, form),
    ]
    return "\n\n".join(filter(None, (*parts, _rest(found))))


def _changed(
    found: Diff, title: str, changes: Callable[[Compared], Sequence[Change]], told: Callable[[str], str], form: Form
) -> str:
    rows = [row for row in found.compared if changes(row)]
    if not rows:
        return f"{title}: no row" if title == _BEHAVIOUR else ""
    lines = _merged((_who(row, told), row.transport, _old_new(changes(row), told)) for row in rows)
    return _part(f"{title}: {len(rows)} of {len(found.compared)} rows", (*_WHO, "old → new"), lines, _WIDTHS, form)


def _apart(rows: Sequence[Apart], told: Callable[[str], str], form: Form) -> list[str]:
    """What could not be compared: with the reason what was not measured, in brief where neither has it for the same reason, and what only one of the two has."""
    only = [row for row in rows if _is_only_in_one(row)]
    alike = [
        row
        for row in rows
        if MEASURED not in {row.old, row.new} and (row.old == row.new or ABSENT in {row.old, row.new})
    ]
    unmeasured = [row for row in rows if row not in only and row not in alike]
    lines = _merged((_who(row, told), row.transport, (told(row.old), told(row.new))) for row in unmeasured)
    heading = f"Not measured: {len(unmeasured)} rows"
    parts = [_part(heading, (*_WHO, "old", "new"), lines, _APART_WIDTHS, form)] if lines else []
    for where, there in (
        ("Measured in neither", alike),
        ("Only in new", [row for row in only if row.new_version]),
        ("Only in old", [row for row in only if row.old_version]),
    ):
        if there:
            parts.append(_in_brief(f"{where}: {len(there)} rows", there, form))
    return parts


def _is_only_in_one(row: Apart) -> bool:
    """Whether one run has measured it and the other does not have it."""
    return MEASURED in {row.old, row.new} and not (row.old_version and row.new_version)


def _in_brief(heading: str, rows: Iterable[Apart], form: Form) -> str:
    """For each SDK the scenarios, those of the same transports, and of the same reason, together."""
    transports: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        scenario, *circumstances = _circumstances(row)
        reason = "" if MEASURED in {row.old, row.new} else f": {row.new if row.old == ABSENT else row.old}"
        key = (", ".join(_subject(row)), f"{scenario} ({', '.join(circumstances)})", reason)
        transports.setdefault(key, []).append(row.transport)
    scenarios: dict[tuple[str, str, str], list[str]] = {}
    for (who, scenario, reason), over in transports.items():
        scenarios.setdefault((who, ", ".join(over), reason), []).append(scenario)
    lines = [f"{who}, {over}: {', '.join(those)}{reason}" for (who, over, reason), those in scenarios.items()]
    return f"{_titled(heading, form)}\n{_listed(lines, form)}"


def _listed(lines: Iterable[str], form: Form) -> str:
    if form == "markdown":
        return "\n".join(f"- {markdown(line)}" for line in lines)
    return "\n".join(textwrap.indent(wrap(neutral(line), WIDTH - len(_INDENT)), _INDENT) for line in lines)


def _sides(found: Diff, form: Form) -> str:
    sides = [f"{name}: {_side(side)}" for name, side in (("old", found.old), ("new", found.new))]
    other = [] if found.old.machine == found.new.machine else [_OTHER_MACHINE]
    return f"{_titled(_TITLE, form)}\n{_listed([*sides, *other, *_other_circumstances(found)], form)}"


def _other_circumstances(found: Diff) -> list[str]:
    scenarios = dict.fromkeys(row.scenario for row in found.compared if row.circumstances_changed)
    return [f"{_OTHER_CIRCUMSTANCES}: {', '.join(scenarios)}."] if scenarios else []


def _side(side: Side) -> str:
    machine = ", ".join(side.machine.values())
    begun = f"started {side.started}" if side.started else "measured elsewhere"
    return ", ".join(
        filter(None, (f"run {side.run}", begun, f"harness {side.harness}" if side.harness else "", machine))
    )


def _rest(found: Diff) -> str:
    alike = sum(not any(changes(row) for _, changes in _PARTS) for row in found.compared)
    return f"As before: {alike} of {len(found.compared)} rows that both have measured."


def _part(heading: str, headers: Sequence[str], lines: Sequence[Line], widths: Sequence[int], form: Form) -> str:
    return f"{_titled(heading, form)}\n{render(headers, lines, form, widths=widths)}"


def _titled(heading: str, form: Form) -> str:
    return f"### {heading}\n" if form == "markdown" else heading


def _merged(lines: Iterable[tuple[Line, str, Line]]) -> list[Line]:
    """The lines that say the same, each with its transports."""
    merged: dict[tuple[Line, Line], list[str]] = {}
    for who, transport, said in lines:
        merged.setdefault((who, said), []).append(transport)
    return [(who[0], "\n".join(transports), who[1], *said) for (who, said), transports in merged.items()]


def _who(row: Compared | Apart, told: Callable[[str], str]) -> Line:
    scenario, traffic, *settings = _circumstances(row)
    return "\n".join(map(told, _subject(row))), "\n".join(map(told, (scenario, f"({traffic})", *settings)))


def _subject(row: Compared | Apart) -> Line:
    versions = " → ".join(dict.fromkeys(filter(None, (row.old_version, row.new_version))))
    return f"{row.sdk} {versions}", device_in_words(row.device, str(row.origin.get("date", "")))


def _circumstances(row: Compared | Apart) -> Line:
    """The scenario, its traffic and, where anything was set, the settings."""
    settings = settings_in_words(row.settings)
    return (row.scenario, row.traffic, *([settings] if settings else []))


def _old_new(changes: Iterable[Change], told: Callable[[str], str]) -> Line:
    return ("\n".join(told(f"{one.what}: {one.before} → {one.after}") for one in changes),)
