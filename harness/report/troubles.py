"""What went wrong and how the application was told of it, as a table."""

from collections.abc import Iterable, Sequence
from textwrap import shorten

from harness.analysis import Trouble, device_in_words, in_brief
from harness.report.layout import Form, render
from harness.report.neutral import neutral

__all__ = ["troubles_table"]

_HEADERS = ["SDK", "what happened", "told", "finds out", "error, code, reason", "retries, comes back"]
_WIDTHS = [12, 18, 11, 25, 22, 14]
_LONGEST = 90  # characters of a line of the SDK's log, or of the hub's words, where space is short
_NAMED = 2  # scenarios or cells of a line, where there are more of them
_TITLE = "What went wrong, and how the application finds out"
_NOTE = "The cells of each line are in the run's errors.md; `harness explain CELL RUN` tells the story of one."


def troubles_table(troubles: Sequence[Trouble], form: Form) -> str:
    """A line for each trouble; `markdown` names cells too, classes, the hub's words and a line of the SDK's log, in full. Empty where nothing went wrong."""
    if not troubles:
        return ""
    columns = (_who, _happened, _told, _finds_out, _native, _after)
    body = [[_harmless(column(one, form), form) for column in columns] for one in troubles]
    heading = f"### {_TITLE}\n" if form == "markdown" else _TITLE
    note = f"\n{_NOTE}" if form == "text" else ""
    return f"{heading}\n{render(_HEADERS, body, form, widths=_WIDTHS)}{note}"


def _who(one: Trouble, _: Form) -> str:
    device = device_in_words(one.device, str(one.origin.get("date", "")))
    return _lines([one.sdk, one.version, *one.transports, device])


def _happened(one: Trouble, form: Form) -> str:
    seen = ", ".join(one.scenarios) if form == "markdown" else _some(one.scenarios)
    cells = f"cell {_some(one.cells)}" if form == "markdown" else ""
    return _lines([" →\n".join(one.happened), f"({one.traffic.replace('+', ' + ')}; {seen})", cells])


def _told(one: Trouble, _: Form) -> str:
    return ",\n".join(one.told)


def _finds_out(one: Trouble, _: Form) -> str:
    return one.finds_out


def _native(one: Trouble, form: Form) -> str:
    chain = " <- ".join(one.error)
    (classes,) = [chain] if form == "markdown" else in_brief([f": {chain}"])
    log = f"log: {_in_space(one.log, form)}" if one.log else ""
    codes = ", ".join((*one.codes, *one.hub_log))
    return _lines([classes.removeprefix(": "), _words(one, form), codes, ", ".join(one.reasons), log])


def _words(one: Trouble, form: Form) -> str:
    """Which words of the hub's the application got to read, or that it got none of those in the hub's log."""
    if one.quoted:
        return f"with the hub's words: {', '.join(f'“{_in_space(said, form)}”' for said in one.words)}"
    return "not the hub's words" if one.unread else ""


def _in_space(said: str, form: Form) -> str:
    """In full in Markdown; in text, where space is short, the beginning."""
    return said if form == "markdown" else shorten(said, _LONGEST, placeholder=" …")


def _after(one: Trouble, _: Form) -> str:
    return _lines([one.retries, one.comes_back])


def _some(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _harmless(column: str, form: Form) -> str:
    """What a terminal may be shown of it; its own line breaks stay."""
    return column if form == "markdown" else "\n".join(map(neutral, column.split("\n")))


def _lines(parts: Iterable[str]) -> str:
    return "\n".join(filter(None, parts))
