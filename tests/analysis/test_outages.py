"""What an outage looks like in the findings, and what cannot be told while nobody could reach the hub."""

import msgspec
import pytest
from support.analysis_logs import LogBuilder, header
from support.scenarios import bundled_scenarios

from harness.analysis.cells import analyse_cell
from harness.analysis.findings import CellFindings
from harness.analysis.outages import reachable_s


def struck(how: str = "restart", scenario: str = "cut-sending") -> LogBuilder:
    """A connection that an outage strikes at 10 s."""
    document = msgspec.to_builtins(bundled_scenarios()[scenario])
    return LogBuilder(header(scenario_document=document)).connect(60).at(10).strike(how)


def over(log: LogBuilder, at: float) -> LogBuilder:
    """The outage ends."""
    return log.at(at).emit("hub", "outage-ended", how="", seconds=0.0)


def found(log: LogBuilder) -> CellFindings:
    """What the log shows."""
    return analyse_cell(log.log())


def test_an_outage_is_an_absence_by_a_fault() -> None:
    """From the moment it strikes, whenever the hub hears of it; what the cell is about."""
    log = over(struck("half-open").at(12).connect(60).hub("closed", conn=1, first="hub", how="rst"), 15)
    cell = found(log.at(30).end())
    (absence,) = cell.absences
    assert (absence.cause, absence.first, absence.left_s, absence.back_s) == ("fault", "hub", 10.0, 12.0)
    assert cell.telling == (absence,)
    assert cell.aftermath.unaware_s == (2.0,)


def test_a_connection_that_was_cut_before() -> None:
    """Keeps its cause."""
    cell = found(LogBuilder().connect(60).at(10).cut("token-expired").strike("rst").at(30).end())
    assert [absence.cause for absence in cell.absences] == ["token-expired"]


@pytest.mark.parametrize(
    ("how", "since", "until"),
    [("restart", 10.0, 15.0), ("blackhole", 12.0, 15.0), ("half-open", 10.0, 10.0), ("rst", 9.0, 9.0), ("rst", 16.0, 16.0)],
)  # fmt: skip
def test_when_attempts_are_seen(how: str, since: float, until: float) -> None:
    """At once, unless the moment lies in an outage that keeps devices out."""
    assert reachable_s(since, over(struck(how), 15).log().events) == until


def test_an_outage_without_an_end() -> None:
    """The cell was over before."""
    assert reachable_s(10.0, struck("rst").log().events) == float("inf")


def test_messages_that_could_bring_nothing_about() -> None:
    """Those of the outage do not count against an answer to the first one after it."""
    log = struck()
    for number, second in enumerate((11, 13)):
        log.at(second).send(number)
    cell = found(over(log, 15).at(16).send(9).after(0.01).connect(60).at(40).end())
    assert cell.aftermath.returned == ("next-send",)


def test_never_back_after_an_outage() -> None:
    """It has to be watched for fifteen seconds from its end."""
    told = over(struck(), 20).at(30).end(), over(struck(), 15).at(31).end()
    assert [found(log).aftermath.returned for log in told] == [(), ("none",)]
    assert found(told[0]).aftermath.returned_reason == "the device was watched for only 10.0 s"
    assert [found(log).recovery for log in told] == ["none", "none"]


def test_what_a_held_connection_does_not_show() -> None:
    """Is said in a note, of the one kind of outage that stands for a peer which is gone."""
    (note,) = found(struck("half-open").at(30).end()).notes
    assert note.startswith("from 10.0 s on the far end was gone, but the device's kernel saw its segments acknowledged")
    assert found(struck("rst").at(30).end()).notes == ()


def test_what_is_not_emulated() -> None:
    """Is said too: the limits that an SDK has for answers were measured and are in no profile."""
    document = msgspec.to_builtins(bundled_scenarios()["network-drop-half-open"])
    log = LogBuilder(header(scenario_document=document, device="emulated")).connect(60).at(10).strike("half-open")
    assert found(log.at(30).end()).notes[0].startswith("not emulated: ")


def test_out_of_reach_to_the_end() -> None:
    """Nobody can tell what a device did that could not come."""
    cell = found(struck().at(60).end())
    assert cell.aftermath.returned_reason == cell.recovery_reason == "the hub was out of reach to the end"
    assert (cell.aftermath.returned, cell.recovery) == ((), None)
