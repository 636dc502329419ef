"""The published comparison as Markdown: the answer first, and nothing in it that was not measured."""

import re

import pytest
from support.analysis_logs import LogBuilder, header, stale_token, waits_for_the_cut

from harness.analysis import Program, RunFacts, analyse
from harness.report.published import Publication, published_page

RUN = RunFacts("a-run", "2026-11-30T06:00:00Z", "2026-11-30T06:01:00Z", "0.1.0", {"system": "Linux"})
DATED = {"kind": "this-run", "date": "2026-11-30"}


def a_publication() -> Publication:
    """Of a device that waits for the cut, one whose token ends for good, and one without a default lifetime."""
    logs = [
        *(
            waits_for_the_cut(at, header(cell=f"a-{at}", settings={"lifetime_s": at, "index": n}, origin=DATED)).log()
            for n, at in enumerate((20.0, 60.0))
        ),
        LogBuilder(header("defaults", cell="b", origin=DATED)).at(0.1).connect(3600).at(5).close().end().log(),
        stale_token(header("expiry", cell="c", origin=DATED)).log(),
    ]
    files = {"a-20.0": "reference/cells/a-20.0.jsonl"}
    programs = (Program("An SDK", "1.0", "CPython 3.13"),)
    return Publication(RUN, analyse(logs), programs, {"expiry": "A token ends"}, files, "harness compare")


@pytest.fixture(scope="module")
def page() -> str:
    """The page."""
    return published_page(a_publication())


def test_the_answer_comes_first(page: str) -> None:
    """Before whatever it rests on."""
    headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert headings[:3] == ["The answer", "If the device does not come back", "How to read it"]


@pytest.mark.parametrize("part", ["41.1", "| 401003<br>404104 ", "310 ms", "6.4 s", "tokens live for 60 min."])
def test_the_answer_has_every_figure(page: str, part: str) -> None:
    """Which errors, how often, how long each time and a day, at which lifetime."""
    assert part in page.partition("## The answer")[2].partition("\n## ")[0]


def test_each_line_leads_to_its_log(page: str) -> None:
    """Where there is one."""
    assert "[mqtt](reference/cells/a-20.0.jsonl)" in page


def test_who_does_not_come_back_is_told_what_to_mend(page: str) -> None:
    """By what the hub said, with what was done and with whom it was seen."""
    table = page.partition("## If the device does not come back")[2].partition("\n## ")[0]
    assert "| A token ends " in table
    assert "has to hand over a new one in time" in table
    assert "(real, recorded 2026-11-30)" in table


def test_what_was_measured_with_is_said(page: str) -> None:
    """The run, the machine, the SDKs."""
    told = page.partition("## How it was measured")[2].partition("\n## ")[0]
    assert [
        part for part in ("a-run", "2026-11-30T06:00:00Z", "system Linux", "CPython 3.13") if part not in told
    ] == []


def test_nothing_was_measured() -> None:
    """There is a page all the same, without a table of what was not."""
    page = published_page(Publication(RUN, (), (), {}, {}, "harness compare"))
    assert "a time that was not observed" in page
    assert "### renewal" not in page
