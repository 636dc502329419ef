"""The story of a cell as text; whatever the log has from others is made harmless for a terminal."""

from harness.analysis import Story
from harness.report.layout import WIDTH, wrap
from harness.report.neutral import neutral

__all__ = ["story_text"]

_MARGIN = 12


def story_text(story: Story) -> str:
    """Who took part; what happened, each sentence behind its moment; how it ended."""
    lines = [f"{line.at_s:{_MARGIN - 4}.2f} s  {_hanging(neutral(line.text))}" for line in story.lines]
    about, ending = neutral(" ".join(story.about)), "\n".join(map(neutral, story.ending))
    return "\n\n".join([neutral(story.cell), wrap(about, WIDTH), "\n".join(lines), wrap(ending, WIDTH)])


def _hanging(text: str) -> str:
    return ("\n" + " " * _MARGIN).join(wrap(text, WIDTH - _MARGIN).split("\n"))
