"""The story of a cell as text."""

from harness.analysis import Story
from harness.report.layout import WIDTH, wrap

__all__ = ["story_text"]

_MARGIN = 12


def story_text(story: Story) -> str:
    """Who took part; what happened, each sentence behind its moment; how it ended."""
    lines = [f"{line.at_s:{_MARGIN - 4}.2f} s  {_hanging(line.text)}" for line in story.lines]
    return "\n\n".join(
        [story.cell, wrap(" ".join(story.about), WIDTH), "\n".join(lines), wrap("\n".join(story.ending), WIDTH)]
    )


def _hanging(text: str) -> str:
    return ("\n" + " " * _MARGIN).join(wrap(text, WIDTH - _MARGIN).split("\n"))
