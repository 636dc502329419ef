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
        "codes": ("CONNACK 5",), "hub_log": ("401003", "404104"), "hub_says": (), "quoted": True, "words": ("token expired",), "unread": False, "log": "WARNING a line", "retries": "tries at every send: 13 in vain",
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
        "azure.iot.ConnectionDroppedError &lt;- OSError<br>with the hub's words: “token expired”<br>CONNACK 5, 401003, 404104<br>EXPIRED_SAS_TOKEN<br>log: WARNING a line",
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


def test_the_words_of_the_hub_are_whole_in_markdown_only() -> None:
    """In text, their beginning."""
    line = a_line(quoted=True, words=("very " * 60 + "end",))
    assert " very end”" in troubles_table([line], "markdown")
    text = troubles_table([line], "text")
    assert "“very" in text
    assert "end”" not in text


def test_that_nobody_reads_the_words_of_the_hub_is_said() -> None:
    """Where its log has some."""
    unread = a_line(quoted=False, words=(), unread=True)
    assert "OSError<br>not the hub's words<br>CONNACK 5" in troubles_table([unread], "markdown")


def test_without_words_of_the_hub_nothing_is_said_of_them() -> None:
    """Neither that they were read, nor that they were not."""
    assert "words" not in troubles_table([a_line(quoted=False, words=())], "text")


def test_no_control_character_reaches_a_terminal() -> None:
    """Of what the SDK logs, the hub says, or the device is called."""
    line = a_line(log="\x1b[31mred", words=("\x1b[2J",), sdk="\x1b]0;x\x07", finds_out="\x9b1m")
    assert not set("\x1b\x07\x9b") & set(troubles_table([line], "text"))


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
