"""The story of a cell as text."""

from harness.analysis import Line, Story
from harness.report.layout import WIDTH
from harness.report.story import story_text


def test_the_text() -> None:
    """Moments in a column of their own, sentences beside it, within the width."""
    lines = (Line(1.5, "It came."), Line(12612.25, "It was told: " + "word " * 60))
    text = story_text(Story("a-cell", ("Who.", "What."), lines, ("How.", "Why."), True, (), ()))
    assert text.startswith("a-cell\n\nWho. What.\n\n    1.50 s  It came.\n12612.25 s  It was told: word")
    assert text.endswith("\n\nHow.\nWhy.")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "\n            word" in text
