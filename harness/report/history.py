"""What changed from version to version, as tables: one for each SDK and scenario, transports that agree in everything taken together."""

from collections.abc import Iterable, Sequence

from harness.analysis import History, Step, device_in_words
from harness.report.layout import WIDTH, Form, render, wrap
from harness.report.neutral import neutral
from harness.report.settings import settings_in_words

__all__ = ["history_table"]

_WIDTHS = (10, 106)


def history_table(histories: Iterable[History], form: Form) -> str:
    """Every history; the first version that was measured tells all it shows, those after it what they show otherwise."""
    merged: dict[tuple[str, ...], list[str]] = {}
    lines: dict[tuple[str, ...], list[list[str]]] = {}
    for history in histories:
        told = neutral if form == "text" else str
        body = [["\n".join(map(told, cell.split("\n"))) for cell in line] for line in _lines(history.steps)]
        key = (told(_heading(history)), *(cell for line in body for cell in line))
        merged.setdefault(key, []).append(history.transport)
        lines[key] = body
    parts = [_part(key[0], transports, lines[key], form) for key, transports in merged.items()]
    return "\n\n".join(parts) or "Nothing was run."


def _heading(history: History) -> str:
    device = device_in_words(history.device, str(history.origin.get("date", "")))
    told = "; ".join(filter(None, (history.traffic, device, settings_in_words(history.settings))))
    return f"{history.sdk}, {history.scenario} (traffic: {told})"


def _part(heading: str, transports: Sequence[str], body: Sequence[Sequence[str]], form: Form) -> str:
    text = f"{heading}, {', '.join(transports)}"
    title = f"### {text}\n" if form == "markdown" else wrap(text, WIDTH)
    return f"{title}\n{render(['version', 'what changed'], body, form, widths=_WIDTHS)}"


def _lines(steps: Sequence[Step]) -> list[list[str]]:
    first = next((step for step in steps if not step.status), None)
    several = len({(step.run, step.date) for step in steps}) > 1
    return [[_which(step, dated=several), _told(step, first=step is first)] for step in steps]


def _which(step: Step, *, dated: bool) -> str:
    """The version, and, where there are several runs, when it was measured, to the minute."""
    return f"{step.version}\n{step.date[:16].replace('T', ' ')}" if dated else step.version


def _told(step: Step, *, first: bool) -> str:
    if step.status:
        return f"{step.status}: {step.reason}"
    if first:
        return "\n".join(f"{what}: {shown}" for what, shown in step.shows.items()) or "shows nothing"
    changes = [f"{one.what}: {one.before} → {one.after}" for one in step.changes]
    return "\n".join(changes) or "as before"
