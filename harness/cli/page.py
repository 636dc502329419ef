"""From a run's results to its page."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from harness.analysis import Chronicle, chronicles
from harness.cli.results import Results, facts_of
from harness.report.page import html_page
from harness.scenario import find_scenarios

__all__ = ["Told", "lasting_page", "page_of", "page_text", "tell_cells"]

Told = Sequence[Chronicle]


def page_of(results: Results) -> str:
    """The page of a run, or of recordings: every row, and each of the cells whose log could be read."""
    return page_text(results, tell_cells(results))


def lasting_page(results: Results, files: Mapping[str, str]) -> str:
    """The page to be kept beside the logs. `files`: where each log is seen from there, by the name of its cell."""
    return _page(results, tell_cells(results), files, linked=True)


def tell_cells(results: Results) -> Told:
    """All that the page tells of single cells."""
    with _without_collections():
        return list(chronicles(results.rows, (*results.logs, *results.recorded), find_scenarios()))


def page_text(results: Results, told: Told) -> str:
    """The page itself."""
    files = {
        **{log.header.cell: f"{log.header.cell}.jsonl" for log in results.recorded},
        **{log.header.cell: f"cells/{log.header.cell}.jsonl" for log in results.logs},
    }
    return _page(results, told, files)


def _page(results: Results, told: Told, files: Mapping[str, str], *, linked: bool = False) -> str:
    with _without_collections():
        return html_page(
            facts_of(results.record), results.rows, told, files=files, shortfalls=_shortfalls(results), linked=linked
        )


@contextmanager
def _without_collections() -> Iterator[None]:
    """Nothing that is made here is garbage, and looking for some among all events of all logs, again and again, takes time (`benchmarks/run.py --only page`)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _shortfalls(results: Results) -> list[str]:
    """What the page cannot show of the run."""
    planned, unread = len(results.record.cells), (*results.problems, *results.refused)
    return [
        *(["The run was interrupted."] if results.record.status == "interrupted" else []),
        *([f"{results.missing} of the {planned} planned cells never began."] if results.missing else []),
        *map(str, unread),
    ]
