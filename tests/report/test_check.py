"""Tests of what a check tells people: on the terminal, and in the summary of a step."""

from support.rows import CONFIRMED, DIFFERS, RECORDED, SILENT, a_row, known, not_run

from harness.analysis import Required, RunFacts, Verdict, check
from harness.report.check import check_text, step_summary
from harness.report.layout import WIDTH

FACTS = RunFacts("r1", "2026-11-30T06:53:17Z", "", "0.1.0")


def test_a_check_that_passes_is_short() -> None:
    """With how many differences are known, and how many entries were not shown."""
    text = check_text(check([a_row(DIFFERS, CONFIRMED)], [known(), known("other")]))
    assert text.splitlines() == [
        "Check: passed",
        "Known differences: 1; entries that this run could not show: 1.",
    ]


def test_what_fails_is_named_with_the_remedy() -> None:
    """Transports that agree share a line."""
    rows = [
        a_row(DIFFERS),
        a_row(DIFFERS, transport="mqtt-ws"),
        a_row(CONFIRMED, device="emulated"),
        not_run("environment", sdk="c"),
    ]
    found = check(rows, [known("hub-log")], [Required("c")])
    text = check_text(found)
    assert max(map(len, text.splitlines())) <= WIDTH
    joined = text.replace("\n", " ")
    assert "Check: failed" in joined
    assert (
        "python 2.14.0 (real), mqtt and mqtt-ws, renewal: drop: claimed lifetime + 0 s, observed lifetime - 120 s"
        in joined
    )
    assert "python 2.14.0 (emulated), mqtt, renewal: hub-log: claimed" in joined
    assert "(known.toml: differences[0] (python hub-log))" in joined
    assert "c: mqtt, renewal: environment: because" in joined
    assert "for --known" in joined
    assert "Remove the entry" in joined


def test_the_summary_of_a_step() -> None:
    """Counts, what fails, what is known with reason and link, and which run it was."""
    rows = [a_row(DIFFERS, CONFIRMED, SILENT), a_row(DIFFERS, scenario="expiry"), a_row(DIFFERS, origin=RECORDED)]
    text = step_summary(check(rows, [known(scenarios=("renewal",))], [Required("c")]), FACTS)
    assert text.startswith("## Token expiry: check failed, 2 verdicts differ from the documents\n")
    assert "| real                      | 2         | 1           | 1                  |" in text
    assert "| real, recorded 2026-11-24 |" in text
    assert "### Differs from the documents, and no list says so" in text
    assert "It is so. https://example.org/why" in text
    assert "the run has no such cell" in text
    assert text.endswith("Run r1, started 2026-11-30T06:53:17Z, harness 0.1.0.\n")


def test_a_summary_of_nothing() -> None:
    """Says so."""
    text = step_summary(check([], []), RunFacts("recordings"))
    assert "check failed" in text
    assert "Nothing was judged." in text
    assert "Nothing was measured, so there is nothing to pass" in text


def test_a_check_of_nothing_says_why_it_fails() -> None:
    """Which nothing else would."""
    text = check_text(check([not_run("environment")], []))
    assert text.startswith("Check: failed\nNothing was measured, so there is nothing to pass")
    assert max(map(len, text.splitlines())) <= WIDTH


def test_markup_in_a_summary_is_text() -> None:
    """A table's cell cannot end it, nor begin an element."""
    hostile = Verdict("a|b", "unaware", "differs", "<img src=x>", "c\nd|e")
    text = step_summary(check([a_row(hostile)], []), FACTS)
    assert "&lt;img src=x>" in text
    assert "a\\|b" in text
    assert "c<br>d\\|e" in text


def test_the_name_of_a_run_is_text() -> None:
    """It comes from a file that anybody may have written; so does the rest of the line."""
    facts = RunFacts("<b>\u202er", "2026\n# x", "", "*0*")
    assert step_summary(check([], []), facts).endswith("Run &lt;b>\\\\u202er, started 2026\\\\n# x, harness \\*0\\*.\n")


def test_what_was_cut_short_is_named() -> None:
    """With what to do."""
    found = check([a_row(DIFFERS, transport="amqp"), a_row(complete=False)], [known()])
    text = " ".join(check_text(found).split())
    assert text.startswith(
        "Check: failed Cut short, so that nobody knows what it would have shown: python 2.14.0 (real), mqtt, renewal Measure"
    )
    assert "### Cut short, so that nobody knows what it would have shown\n\n| SDK" in step_summary(found, FACTS)


def test_one_verdict_differs_and_two_differ() -> None:
    """As the language has it."""
    assert "1 verdict differs from" in step_summary(check([a_row(DIFFERS)], []), FACTS)
    assert "2 verdicts differ from" in step_summary(
        check([a_row(DIFFERS), a_row(DIFFERS, transport="amqp")], []), FACTS
    )


def test_cells_that_never_began_are_counted() -> None:
    """On the terminal and in the summary."""
    for count, told in ((1, "1 planned cell never began"), (2, "2 planned cells never began")):
        found = check([a_row()], [], never_began=count)
        assert told in check_text(found)
        assert told in step_summary(found, FACTS)
