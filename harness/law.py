"""The renewal law: when something happens in the life of a token."""

from typing import Literal

from harness.documents import Document

__all__ = ["Law", "law_problem"]


class Law(Document, frozen=True):
    """When something happens in the life of a token of lifetime L, in seconds after it was made.

    `margin`: L - seconds · `fraction`: fraction x L · `lifespan`: L + seconds · `hub-cut`: L + the hub's grace · `none`: never.
    """

    law: Literal["margin", "fraction", "lifespan", "hub-cut", "none"]
    seconds: float = 0.0
    fraction: float = 0.0


def law_problem(law: Law) -> str:
    """What is impossible about a law, or an empty text."""
    if law.law == "fraction" and not 0 < law.fraction <= 1:
        return f"fraction = {law.fraction:g} is not above 0 and up to 1"
    if law.law == "margin" and law.seconds < 0:
        return f"seconds = {law.seconds:g}: a margin cannot be below 0"
    return ""
