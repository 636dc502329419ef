"""From a run's results to its page."""

from harness.analysis import chronicles
from harness.cli.results import Results, facts_of
from harness.report.page import html_page
from harness.scenario import find_scenarios

__all__ = ["page_of"]


def page_of(results: Results) -> str:
    """The page of a run, or of recordings: every row, and each of the cells whose log could be read."""
    logs = (*results.logs, *results.recorded)
    return html_page(
        facts_of(results.record),
        results.rows,
        chronicles(results.rows, logs, find_scenarios()),
        files={
            **{log.header.cell: f"{log.header.cell}.jsonl" for log in results.recorded},
            **{log.header.cell: f"cells/{log.header.cell}.jsonl" for log in results.logs},
        },
        shortfalls=_shortfalls(results),
    )


def _shortfalls(results: Results) -> list[str]:
    """What the page cannot show of the run."""
    planned, unread = len(results.record.cells), (*results.problems, *results.refused)
    return [
        *(["The run was interrupted."] if results.record.status == "interrupted" else []),
        *([f"{results.missing} of the {planned} planned cells never began."] if results.missing else []),
        *map(str, unread),
    ]
