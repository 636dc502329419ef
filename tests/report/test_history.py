"""The tables of what changed from version to version."""

from typing import Any

import msgspec

from harness.analysis import Change, History, Step
from harness.report.history import history_table

FIRST = Step("1.0", shows={"renewal": "reconnect", "leaves": "without a word"})
CHANGED = Step("1.1", shows={"renewal": "in-band"}, changes=(Change("renewal", "reconnect", "in-band", "1.0"),))
SAME = Step("1.2", shows={"renewal": "in-band"})
FAILED = Step("0.9", "environment", "no such package")


def a_history(*steps: Step, **changes: Any) -> History:
    """A history of these steps."""
    found = History(
        sdk="one", sdk_name="An SDK", transport="mqtt", scenario="renewal", traffic="idle", device="real", steps=steps
    )
    return msgspec.structs.replace(found, **changes)


def test_the_first_tells_all_and_the_others_what_they_changed() -> None:
    """A version that could not be measured says why, wherever it stands."""
    text = history_table([a_history(FAILED, FIRST, CHANGED, SAME)], "text")
    lines = [" ".join(line.split()) for line in text.splitlines() if "---" not in line]
    assert lines == [
        "one, renewal (traffic: idle; real), mqtt",
        "version what changed",
        "0.9 environment: no such package",
        "1.0 renewal: reconnect",
        "leaves: without a word",
        "1.1 renewal: reconnect → in-band",
        "1.2 as before",
    ]


def test_transports_that_agree_are_taken_together() -> None:
    """The others have tables of their own."""
    three = [
        a_history(FIRST, CHANGED),
        a_history(FIRST, SAME, transport="amqp"),
        a_history(FIRST, CHANGED, transport="mqtt-ws"),
    ]
    text = history_table(three, "text")
    assert "one, renewal (traffic: idle; real), mqtt, mqtt-ws\n" in text
    assert text.count("version") == 2


def test_the_evidence_stands_in_the_heading() -> None:
    """As in every other table."""
    recorded = a_history(FIRST, origin={"kind": "recorded", "date": "2026-11-24"})
    assert history_table([recorded], "markdown").startswith(
        "### one, renewal (traffic: idle; real, recorded 2026-11-24), mqtt\n"
    )


def test_there_may_be_nothing() -> None:
    """Neither to run nor to see."""
    assert history_table([], "text") == "Nothing was run."
    assert "shows nothing" in history_table([a_history(Step("1.0"))], "text")


def test_text_fits_its_width() -> None:
    """However much a version shows."""
    wordy = Step("1.0", shows={"application saw": "status " * 40})
    assert all(len(line) <= 120 for line in history_table([a_history(wordy)], "text").splitlines())


def test_several_runs_are_dated() -> None:
    """To the minute; the first that was measured tells all it shows, though the next is of the same version."""
    first = msgspec.structs.replace(FIRST, run="one", date="2026-11-24T10:20:30Z")
    second = Step("1.0", shows=FIRST.shows, run="two", date="2026-11-30T10:20:30Z")
    text = history_table([a_history(first, second)], "markdown")
    assert "| 1.0<br>2026-11-24 10:20 | renewal: reconnect" in text
    assert "| 1.0<br>2026-11-30 10:20 | as before" in text


def test_settings_stand_in_the_heading() -> None:
    """Where any were set."""
    text = history_table([a_history(FIRST, settings={"lifetime_s": 20.0})], "text")
    assert text.startswith("one, renewal (traffic: idle; real; lifetime 20 s), mqtt\n")


def test_texts_of_others_are_harmless_for_a_terminal() -> None:
    """A baseline may come from anywhere."""
    text = history_table([a_history(Step("1.0\x1b", shows={"renewal": "\x1b[31m"}), scenario="\x1b")], "text")
    assert "\x1b" not in text
