"""Cells, each with all that is told of it."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace
from support.analysis_logs import LogBuilder, early_renewal, header

from harness.analysis.chronicle import EVENTS_IN_ALL, FEWEST_EVENTS, MOST_EVENTS, Chronicle, chronicles
from harness.analysis.rows import analyse
from harness.events import CellLog
from harness.scenario import find_scenarios

BUNDLED = find_scenarios()
RECORDED = {"kind": "recorded", "date": "2026-11-24", "digest": "sha256:1"}


def of_logs(*logs: CellLog) -> list[Chronicle]:
    """The chronicles of these logs."""
    return list(chronicles(analyse(logs), logs, BUNDLED))


def command(scenario: str = "renewal", /, hub: Mapping[str, object] | None = None, **changes: Any) -> str:
    """The command for a cell with that header, whose scenario sets the hub otherwise."""
    head = header(scenario, **changes)
    document = {**head.scenario, "hub": {**head.scenario["hub"], **(hub or {})}}  # type: ignore[dict-item]
    (one,) = of_logs(LogBuilder(header(scenario, scenario_document=document, **changes)).connect(60).log())
    return one.command


def test_each_cell_comes_with_its_row_and_its_story() -> None:
    """In the order of the rows."""
    logs = [
        early_renewal(head=header(cell=name, transport=over)).log() for name, over in (("a", "mqtt"), ("b", "mqtt-ws"))
    ]
    first, second = of_logs(*logs)
    assert (first.cell.cell, first.row.transport, first.story.cell) == ("a", "mqtt", "a")
    assert (second.cell.cell, second.row.transport) == ("b", "mqtt-ws")
    assert first.title == BUNDLED["renewal"].title
    assert len(first.picture.tokens) == 3


def test_a_recording_is_not_taken_for_a_cell_of_the_run_that_has_its_name() -> None:
    """Each has its own log."""
    here = LogBuilder(header(cell="one")).connect(60).log()
    there = LogBuilder(header(cell="one", origin=RECORDED)).connect(60).at(5).cut().log()
    told = of_logs(here, there)
    assert [len(one.picture.aways) for one in told] == [0, 1]
    assert [one.command == "" for one in told] == [False, True]


def test_a_cell_without_a_log_is_not_told() -> None:
    """There is nothing to tell it from."""
    log = early_renewal().log()
    assert list(chronicles(analyse([log]), [], BUNDLED)) == []


@pytest.mark.parametrize(("cells", "most"), [(1, MOST_EVENTS), (100, EVENTS_IN_ALL // 100), (5000, FEWEST_EVENTS)])
def test_the_more_cells_the_shorter_the_excerpts(cells: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within bounds."""
    asked = []
    monkeypatch.setattr("harness.analysis.chronicle.excerpt", lambda _, most: asked.append(most))
    log = LogBuilder(header(cell="0")).connect(60).log()
    heads = (replace(log.header, cell=str(number)) for number in range(1, cells))
    list(chronicles(analyse([log]), [log, *(replace(log, header=head) for head in heads)], BUNDLED))
    assert asked == [most]


def test_the_command_measures_the_cell_again() -> None:
    """With its own settings alone."""
    said = "harness compare --sdk sdk@1.0 --transport mqtt --scenario"
    assert command() == f"{said} renewal --device real"
    assert command(settings={"lifetime_s": 130.0, "margin_percent": 15}) == (
        f"{said} renewal --device real --lifetime 130 --margin 15%"
    )
    assert command(settings={"lifetime_s": 910.0, "margin_s": 900}, device="emulated") == (
        f"{said} renewal --device emulated --lifetime 910 --margin 900"
    )
    assert command("expiry", settings={"lifetime_s": 130.0}) == f"{said} expiry --device real"


def test_the_command_has_what_was_asked_of_the_hub() -> None:
    """Where it is not the scenario's own."""
    said = "harness compare --sdk sdk@1.0 --transport mqtt --scenario renewal --device real"
    assert command(hub={"grace_s": 7.5, "close": "rst"}) == f"{said} --grace 7.5 --close rst"
    assert command(hub={"skew_s": 1.0}) == f"{said} --skew 1"


def test_a_scenario_of_the_users_own_is_named_by_its_file() -> None:
    """Its hub is its own."""
    document = {**header().scenario, "id": "mine"}
    (one,) = of_logs(LogBuilder(header(scenario_document=document)).connect(60).log())
    assert one.command.endswith("--scenario mine.toml --device real")
