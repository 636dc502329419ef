"""Tests of how tables are laid out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.layout import Form, render, wrap


@given(text=st.text(st.characters(codec="ascii", exclude_categories=["Cc"])), width=st.integers(1, 30))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    """Only spaces may go, where a line is broken."""
    wrapped = wrap(text, width)
    assert all(len(line) <= width for line in wrapped.split("\n"))
    assert wrapped.replace("\n", "").replace(" ", "") == text.replace(" ", "")


def test_words_stay_whole_where_they_fit() -> None:
    """A break comes at a space first; own breaks stay."""
    assert wrap("one two three\nfour", 7) == "one two\nthree\nfour"
    assert wrap("ab abcdefghij k", 4) == "ab\nabcd\nefgh\nij k"


def test_a_text_table_parts_its_rows_and_keeps_its_widths() -> None:
    """So that rows of several lines can be told apart."""
    table = render(["a", "b"], [["one two", 1], [None, "x"]], "text", widths=[3, 3])
    assert table.splitlines() == ["a    b", "---  ---", "one  1", "two", "---  ---", "     x"]


def test_a_plain_table_has_no_parting_lines() -> None:
    """One line per row."""
    assert render(["a"], [[1], [2]], "text").splitlines() == ["a", "---", "1", "2"]


def test_markdown_escapes_what_would_break_it() -> None:
    """Bars, markup, line breaks."""
    assert render(["a"], [["x|<b>\ny\\"]], "markdown").splitlines()[-1] == "| x\\|&lt;b><br>y\\\\ |"


def test_an_asterisk_stays_one() -> None:
    """Two of them in a cell would make what lies between them emphatic."""
    assert render(["a"], [["hub '*', device '*'"]], "markdown").splitlines()[-1] == "| hub '\\*', device '\\*' |"


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_what_nobody_can_see_is_told_by_its_number(form: Form) -> None:
    """Neither a terminal nor a page is turned around by it."""
    assert "\u202e" not in (table := render(["a"], [["x\u202ey"]], form))
    assert "\\u202e" in table.replace("\\\\", "\\")
