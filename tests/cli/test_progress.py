"""Progress goes where somebody watches: no codes and no bar in a file, whatever the environment forces; no colours where none are wanted."""

import io
import sys

import pytest

from harness.cli.progress import CellProgress, say

ESCAPE = "\x1b"


class Terminal(io.StringIO):
    """Standard error, as a terminal has it."""

    def isatty(self) -> bool:
        """Somebody watches."""
        return True


def shown(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a run without cells prints on this standard error."""
    monkeypatch.setattr(sys, "stderr", stream)
    with CellProgress([], quiet=False):
        say(quiet=False)("installing")
    return stream.getvalue()


@pytest.mark.parametrize("forced", ["FORCE_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE"])
def test_a_file_gets_lines_alone(monkeypatch: pytest.MonkeyPatch, forced: str) -> None:
    """No code, no bar."""
    monkeypatch.setenv(forced, "1")
    assert shown(io.StringIO(), monkeypatch) == "installing\n"


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """It moves, and is gone in the end."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = shown(Terminal(), monkeypatch)
    assert "measuring" in text
    assert f"{ESCAPE}[" in text


def test_no_color_means_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal too: what is left of the codes moves the cursor."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    text = shown(Terminal(), monkeypatch)
    assert "measuring" in text
    assert [
        f"{ESCAPE}[{code}"
        for code in ("3", "38", "9")
        if f"{ESCAPE}[{code}" in text and "m" in text.partition(f"{ESCAPE}[{code}")[2][:9]
    ] == []
