"""How tables are laid out: plain text that fits a width, or Markdown. One place, so that all tables look alike."""

from collections.abc import Sequence
from typing import Final, Literal

from tabulate import SEPARATING_LINE, tabulate

from harness.report.neutral import neutral

__all__ = ["WIDTH", "Cell", "Form", "markdown", "render", "wrap"]

WIDTH = 120
"""Columns that a text table may take."""
Form = Literal["text", "markdown"]
_IN_MARKDOWN: Final = str.maketrans({"\\": "\\\\", "|": "\\|", "*": "\\*", "<": "&lt;", "\n": "<br>"})
Cell = str | int | float | None


def render(headers: Sequence[str], rows: Sequence[Sequence[Cell]], form: Form, *, widths: Sequence[int] = ()) -> str:
    """A table. In `text`, columns are wrapped at `widths` and rows parted by lines; in `markdown`, line breaks become `<br>`."""
    if form == "markdown":
        return tabulate(
            [[markdown(_text(cell)) for cell in row] for row in rows], headers, tablefmt="github", disable_numparse=True
        )
    if not widths:
        return tabulate([list(map(_text, row)) for row in rows], headers, tablefmt="simple", disable_numparse=True)
    heads, *body = [
        [wrap(_text(cell), width) for cell, width in zip(row, widths, strict=True)] for row in (headers, *rows)
    ]
    parted: list[object] = []
    for row in body:
        parted += [SEPARATING_LINE, row] if parted else [row]
    return tabulate(parted, heads, tablefmt="simple", disable_numparse=True)  # type: ignore[arg-type] # a line stands for a row


def wrap(text: str, width: int) -> str:
    """`text` in lines of at most `width` characters, broken at spaces where possible; its own line breaks stay."""
    return "\n".join(line for paragraph in text.split("\n") for line in _lines(paragraph, width))


def _lines(paragraph: str, width: int) -> list[str]:
    lines = [""]
    for word in paragraph.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
            continue
        pieces = [word[start : start + width] for start in range(0, len(word), width)]
        lines = [*lines, *pieces] if lines[-1] else [*lines[:-1], *(pieces or [""])]
    return lines


def _text(cell: Cell) -> str:
    """What stands in a cell; its own line breaks stay, and of what nobody can see the number is told."""
    return "" if cell is None else "\n".join(map(neutral, str(cell).split("\n")))


def markdown(text: str) -> str:
    """`text` as it reads in a table's cell or a line of Markdown; links in it stay links."""
    return text.translate(_IN_MARKDOWN)
