"""Advice as text."""

import pytest
from msgspec.structs import replace
from support.advice_rows import FRACTION, HUB_CUT, a_row, an_sdk, cells_of, in_place, left

from harness.analysis import Advice, Needs, Row, advise
from harness.report.advice import advice_text
from harness.report.layout import WIDTH

CUT = cells_of(left(10.0, 2), left(50.0, 2))
KEPT = cells_of(in_place(10.0), in_place(50.0))
SDKS = [*an_sdk("node", FRACTION, KEPT), *an_sdk("c", FRACTION, KEPT), *an_sdk("java", HUB_CUT, CUT)]


def text(needs: Needs, rows: list[Row] = SDKS, *, limit: int = 0, everything: bool = False) -> str:
    """The advice about these rows."""
    return advice_text(advise([("a run", rows)], needs), limit=limit, everything=everything)


@pytest.mark.parametrize(
    ("needs", "asked"),
    [
        (Needs(), "nothing in particular"),
        (Needs(max_errors_per_day=0.0), "errors in the hub's log a day: at most 0"),
        (Needs(max_app_errors_per_day=1.5), "errors the application is shown a day: at most 1.5"),
        (Needs(no_loss=True, comes_back=True), "no message lost; back by itself whatever ends the connection"),
        (Needs(lifetime_s=86400.0), "tokens that live 24 h"),
        (Needs(sdks=("c", "java"), transports=("mqtt",)), "over mqtt; with c, java"),
    ],
)
def test_what_was_asked_for_comes_first(needs: Needs, asked: str) -> None:
    """In words, so that nobody takes one answer for another."""
    assert text(needs).startswith(f"Asked for: {asked}.")


def test_the_run_is_named_with_the_command_that_opens_its_cells() -> None:
    """As a shell takes it."""
    assert "Run: a run. `harness explain CELL 'a run'` tells what a cell showed." in text(Needs())


def test_a_table_ranks_and_marks_equals() -> None:
    """With the figures that rank."""
    lines = text(Needs()).splitlines()
    assert next(line.split()[:4] for line in lines if line.startswith("1=")) == ["1=", "c", "1.0", "mqtt"]
    assert "=: equal in all that ranks, and listed by name" in lines
    assert next(line.split()[-3:] for line in lines if line.startswith("3 ")) == ["41.1", "2.06", "20.6"]


def test_a_figure_that_was_not_measured_says_so_in_the_table() -> None:
    """Nothing that could be taken for a nought."""
    table = text(Needs(), an_sdk("c", FRACTION, KEPT, lacks=("hub-log",))).split("\n\n")[1]
    assert "not" in table
    assert "measured" in table


def test_each_sentence_stands_above_its_cells_and_what_they_are() -> None:
    """Three at most by name."""
    told = text(Needs(), an_sdk("java", HUB_CUT, CUT))
    assert "    - It is away for 2.06 s a day: 100 ms each time, the mean of 2.\n        real: L1, L2\n" in told
    many = text(Needs(), [a_row(cells=cells_of(*[left(10.0)] * 5))])
    assert "        real: L1, L2, L3, and 2 more" in many


def test_an_equal_is_told_with_how_many_share_its_rank() -> None:
    """In the head of its sentences."""
    assert "1=. c 1.0 over mqtt, real; at its defaults (lifetime 60 min); shares its rank with 1 other" in text(Needs())


def test_more_than_the_limit_stand_in_the_table_alone() -> None:
    """And it is said how to see them."""
    told = text(Needs(), limit=1)
    assert "2 more in the table: --limit 0 tells of all." in told
    assert "node 1.0 over" not in told
    assert "more in the table" not in text(Needs(), limit=3)


def test_where_nothing_qualifies_the_nearest_is_told_with_what_it_fails() -> None:
    """And with all that speaks for it."""
    told = text(Needs(max_errors_per_day=0.0), an_sdk("java", HUB_CUT, CUT))
    assert "Nothing here was seen to meet all of that. What comes nearest, and what it fails:" in told
    assert "    - fails: 41.1 errors in the hub's log a day, where none may be" in told
    assert "It is away for" in told


def test_where_there_is_nothing_at_all_that_is_said() -> None:
    """And the transport that was asked for."""
    told = text(Needs(transports=("https",)))
    assert "Nothing was measured that it could be told from." in told
    assert "Not measured: no cell of https is in what was read." in told


def test_the_others_are_counted_and_with_all_listed_with_their_reasons() -> None:
    """Those that nobody knows of apart."""
    rows = [*SDKS, *an_sdk("b", HUB_CUT, CUT, lacks=("hub-log",))]
    needs = Needs(max_errors_per_day=0.0)
    short, long = text(needs, rows), text(needs, rows, everything=True)
    assert "2 not seen to qualify, 1 of them for want of a measurement: --all lists them" in short
    assert "java 1.0 over mqtt" not in short
    assert long.index("Does not qualify, nearest first:") < long.index("java 1.0 over mqtt") < long.index("b 1.0 over")
    assert "    - not measured: errors in the hub's log a day: the recording holds none of the hub's records" in long


def test_with_all_and_nothing_left_out_there_is_no_list() -> None:
    """Nor a heading of one."""
    assert "Does not qualify" not in text(Needs(), everything=True)
    assert "not seen to qualify" not in text(Needs())


def test_an_emulated_device_is_explained() -> None:
    """Where there is one."""
    assert "emulated: played from the SDK's profile" in text(Needs(), an_sdk("c", FRACTION, KEPT, device="emulated"))
    assert "emulated" not in text(Needs())


def test_several_runs_are_told_apart() -> None:
    """With each candidate."""
    found: Advice = advise([("one", an_sdk("a")), ("two", an_sdk("b"))], Needs())
    assert "; run: two; shares" in advice_text(found, limit=0, everything=False)


def test_it_fits_and_texts_of_others_are_harmless() -> None:
    """However long the names are."""
    rows = [replace(row, version="1\x1b[2J") for row in an_sdk("java", HUB_CUT, CUT)]
    told = text(Needs(max_errors_per_day=0.0), [*rows, *SDKS], everything=True)
    assert "1\\x1b[2J" in told
    assert "\x1b" not in told
    assert max(map(len, told.splitlines())) <= WIDTH
