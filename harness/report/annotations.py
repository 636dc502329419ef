"""Annotations of GitHub Actions: workflow commands, a line each, that the page of a run shows beside the file they name.

What fails the check is an error, what is known a notice, and a cell that broke a warning. Of each kind, a step shows ten.
"""

from collections.abc import Callable, Sequence
from typing import Final

from harness.analysis import Case, Outcome, Suite

__all__ = ["annotations"]

_LEVELS: Final[dict[Outcome, str]] = {"failed": "error", "error": "warning", "known": "notice"}


FileOf = Callable[[Case], str]
"""The file of a case, empty for none."""


def annotations(suites: Sequence[Suite], file_of: FileOf, log_of: FileOf, *, strict: bool) -> list[str]:
    """A line for each thing to be said; cases that say the same of several transports share one.

    `file_of`: the file that a case is shown beside; `log_of`: the log that shows it, which is named in words, for the page of a run knows the files of
    the repository alone. `strict`: what fails the check fails the step too; else it is a warning.
    """
    told: dict[tuple[str, str, str], list[tuple[Suite, Case]]] = {}
    for suite in suites:
        for case in suite.cases:
            if case.outcome in _LEVELS:
                scenario = case.row.scenario if case.row else case.group
                key = (case.outcome, f"{suite.sdk} {scenario} {case.name}", case.message)
                told.setdefault(key, []).append((suite, case))
    return [_line(group, file_of, log_of, strict=strict) for group in told.values()]


def _line(group: Sequence[tuple[Suite, Case]], file_of: FileOf, log_of: FileOf, *, strict: bool) -> str:
    suite, case = group[0]
    transports = ", ".join(filter(None, dict.fromkeys(one.transport for one, _ in group)))
    scenario = case.row.scenario if case.row else ""
    title = " ".join(filter(None, (suite.sdk, transports, scenario, case.name)))
    level = _LEVELS[case.outcome]
    level = "warning" if level == "error" and not strict else level
    file, log = file_of(case), log_of(case)
    properties = ",".join(f"{name}={_property(value)}" for name, value in (("file", file), ("title", title)) if value)
    return f"::{level} {properties}::{_data(case.message)}{_data(f' (log: {log})') if log else ''}"


def _data(text: str) -> str:
    """What comes after the second `::`: only what would end the line, or the escape itself, is escaped."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """The value of a property, which a comma or a colon would end too."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
