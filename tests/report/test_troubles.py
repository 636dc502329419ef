"""The table of what went wrong."""

from typing import Any

from harness.analysis import Trouble
from harness.report.layout import WIDTH
from harness.report.troubles import troubles_table


def a_line(**changes: Any) -> Trouble:
    """A line of an expired token."""
    fields: dict[str, Any] = {
        "sdk": "python", "version": "2.14.0", "device": "real", "origin": {"kind": "this-run"}, "transports": ("mqtt", "mqtt-ws"),
        "scenarios": ("expiry",), "traffic": "sending+listening", "happened": ("token-expired", "refused: token-expired"),
        "told": ("callback", "exception on next call"), "finds_out": "by a callback at once: changed False",
        "error": ("azure.iot.ConnectionDroppedError", "OSError"), "message": "m", "reasons": ("EXPIRED_SAS_TOKEN",),
        "codes": ("CONNACK 5",), "hub_log": ("401003", "404104"), "hub_says": (), "quoted": True, "log": "WARNING a line", "retries": "tries at every send: 13 in vain",
        "comes_back": "not back within 12 s", "episodes": 1, "cells": ("one",), **changes,
    }  # fmt: skip
    return Trouble(**fields)


def test_everything_of_a_line_is_shown() -> None:
    """In Markdown with whole classes, the scenarios and the log."""
    text = troubles_table([a_line()], "markdown")
    for part in (
        "python<br>2.14.0<br>mqtt<br>mqtt-ws<br>real",
        "token-expired →<br>refused: token-expired<br>(sending + listening; expiry)<br>cell one",
        "callback,<br>exception on next call",
        "by a callback at once: changed False",
        "azure.iot.ConnectionDroppedError &lt;- OSError<br>with the hub's words<br>CONNACK 5, 401003, 404104<br>EXPIRED_SAS_TOKEN<br>log: WARNING a line",
        "tries at every send: 13 in vain<br>not back within 12 s",
    ):
        assert part in text


def test_the_text_fits_its_width() -> None:
    """And names classes in brief, and of the SDK's log the beginning of a line."""
    text = troubles_table(
        [a_line(finds_out="x" * 200, error=("a.b.c." + "Y" * 80,), log="WARNING lost " + "it " * 90), a_line()], "text"
    )
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "azure.iot" not in text
    assert "log: WARNING lost it" in text
    assert text.count("it") < 60


def test_a_line_of_the_text_names_some_scenarios() -> None:
    """And where its cells are named."""
    text = troubles_table([a_line(scenarios=("cut", "drop", "expiry", "reset"))], "text")
    assert "listening; cut," in text
    assert "and 2 more)" in text
    assert "errors.md" in text.splitlines()[-1]


def test_a_recording_says_so() -> None:
    """With its date."""
    assert "recorded 2026-11-24" in troubles_table(
        [a_line(origin={"kind": "recorded", "date": "2026-11-24"})], "markdown"
    )


def test_nothing_where_nothing_went_wrong() -> None:
    """Not even a heading."""
    assert troubles_table([], "text") == ""
