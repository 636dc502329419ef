"""What stands before and after a cell's story."""

import pytest
from support.analysis_logs import LogBuilder, header, renews_in_place

from harness.analysis.cells import analyse_cell
from harness.analysis.frame import about, ending
from harness.analysis.telling import tell
from harness.analysis.timeline import make_timeline


def begins(log: LogBuilder) -> list[str]:
    """The sentences before the story."""
    read = log.log()
    return list(about(read, analyse_cell(read)))


def ends(log: LogBuilder) -> list[str]:
    """The sentences after it."""
    read = log.log()
    return list(ending(read, tell(read), make_timeline(read)))


def test_a_cell_in_which_all_went_well() -> None:
    """What became of messages, both ways, and how it ended."""
    assert ends(renews_in_place()) == [
        "Of 6 messages, 6 reached the hub.",
        "Of 2 C2D messages, 2 shown to the application.",
        "Of 2 direct methods, 2 answered.",
        "The harness closed the client at 22.1 s; the cell is finished.",
    ]


def test_an_incomplete_log_says_so() -> None:
    """And from when on nothing is known."""
    assert ends(LogBuilder().connect(60).at(7)) == [
        "The log is incomplete: it ends at 0 s, and what happened after that is not known."
    ]


def test_a_cell_that_did_not_run() -> None:
    """The reason is all there is."""
    assert ends(LogBuilder().end("environment", "no Java here", awaited=False)) == [
        "The cell was not measured (environment): no Java here."
    ]
    assert ends(LogBuilder().end("harness-error")) == ["The cell was not measured (harness-error): nobody says why."]


def test_what_was_awaited_and_not_seen() -> None:
    """It is part of how the cell ended."""
    assert ends(LogBuilder().connect(60).at(9).end(awaited=False)) == [
        "The harness closed the client at 9 s; the cell is finished. What the scenario waits for was not seen."
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "The SDK makes its tokens from the device's key, for as long as it likes."),
        (
            {"lifetime_s": 20.0},
            "The SDK makes its tokens from the device's key; the application sets their lifetime to 20 s.",
        ),
        (
            {"lifetime_s": 20.0, "margin_s": 5.0},
            "The SDK makes its tokens from the device's key; the application sets their lifetime to 20 s, and asks for a renewal 5 s before their end.",
        ),
        (
            {"lifetime_s": 20.0, "margin_percent": 15.0},
            "The SDK makes its tokens from the device's key; the application sets their lifetime to 20 s, and asks for a renewal 15 % of it before their end.",
        ),
    ],
)
def test_who_makes_the_tokens(settings: dict[str, object], said: str) -> None:
    """And for how long."""
    assert begins(LogBuilder(header(settings=settings)))[1] == said


def test_a_credential_that_is_no_token() -> None:
    """By the scenario's own word."""
    odd = begins(LogBuilder(header(scenario_document={"id": "odd", "credential": "certificate"})))
    assert odd[1] == "The application hands it what the scenario calls certificate."
    assert begins(LogBuilder(header(scenario_document={"id": "odd"})))[1].endswith("calls nothing.")


def test_who_took_part() -> None:
    """An emulated device; a recording; a scenario with faults; one of which nothing is known."""
    emulated = begins(LogBuilder(header("cut-idle", device="emulated")))
    assert emulated[0].startswith("An emulated device that plays the An SDK 1.0 over mqtt, in the scenario cut-idle: ")
    assert emulated[2].endswith(" On purpose, it does this: cut at half-life.")
    assert emulated[3] == "The application does nothing with its client once it is open."
    origin = {"kind": "recorded", "date": "2026-11-24"}
    unknown = {
        "id": "odd",
        "credential": "token",
        "traffic": ["sending"],
        "faults": [{"action": "refuse", "times": 2}, 1],
    }
    recorded = begins(LogBuilder(header(scenario_document=unknown, origin=origin)))
    assert recorded[0] == "The real An SDK 1.0 over mqtt (recorded on 2026-11-24), in the scenario odd."
    assert recorded[1] == "The application hands it a token; the SDK cannot make another."
    assert recorded[3] == "The application sends a message every few s."
