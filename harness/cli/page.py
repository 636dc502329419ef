"""From a run's results to its page."""

from collections.abc import Mapping

from harness.analysis import chronicles
from harness.cli.results import Results, facts_of, without_collections
from harness.report.page import html_page
from harness.scenario import bundled_scenarios

__all__ = ["lasting_page", "page_of"]


def page_of(results: Results) -> str:
    """The page of a run, or of recordings: every row, and each of the cells whose log could be read."""
    files = {
        **{log.header.cell: f"{log.header.cell}.jsonl" for log in results.recorded},
        **{log.header.cell: f"cells/{log.header.cell}.jsonl" for log in results.logs},
    }
    return _page(results, files)


def lasting_page(results: Results, files: Mapping[str, str]) -> str:
    """The page to be kept beside the logs. `files`: where each log is seen from there, by the name of its cell."""
    return _page(results, files, linked=True)


def _page(results: Results, files: Mapping[str, str], *, linked: bool = False) -> str:
    logs = (*results.logs, *results.recorded)
    with without_collections():
        told = list(chronicles(results.rows, logs, bundled_scenarios({row.scenario for row in results.rows})))
        return html_page(
            facts_of(results.record), results.rows, told, files=files, shortfalls=_shortfalls(results), linked=linked
        )


def _shortfalls(results: Results) -> list[str]:
    """What the page cannot show of the run."""
    planned, unread = len(results.record.cells), (*results.problems, *results.refused)
    return [
        *(["The run was interrupted."] if results.record.status == "interrupted" else []),
        *([f"{results.missing} of the {planned} planned cells never began."] if results.missing else []),
        *map(str, unread),
    ]
