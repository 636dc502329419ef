"""The story of a cell as text."""

from harness.analysis import Line, Story
from harness.report.layout import WIDTH
from harness.report.story import story_text


def test_the_text() -> None:
    """Moments in a column of their own, sentences beside it, within the width."""
    lines = (Line(1.5, "It came."), Line(12612.25, "It was told: " + "word " * 60))
    text = story_text(
        Story(
            cell="a-cell",
            about=("Who.", "What."),
            lines=lines,
            ending=("How.", "Why."),
            complete=True,
            told=(),
            episodes=(),
        )
    )
    assert text.startswith("a-cell\n\nWho. What.\n\n    1.50 s  It came.\n12612.25 s  It was told: word")
    assert text.endswith("\n\nHow.\nWhy.")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "\n            word" in text


def test_no_control_character_reaches_a_terminal() -> None:
    """Of a scenario's title, what a device says, and how the cell ended; a line break in them makes no line of its own."""
    lines = (Line(1.0, "It says \x1b[2J."),)
    about = ("\x1b]0;title\x07\n   1.00 s  Forged.",)
    text = story_text(
        Story(cell="a\x07cell", about=about, lines=lines, ending=("\x9b1m",), complete=True, told=(), episodes=())
    )
    assert text == ("a\\x07cell\n\n\\x1b]0;title\\x07\\n   1.00 s  Forged.\n\n    1.00 s  It says \\x1b[2J.\n\n\\x9b1m")
