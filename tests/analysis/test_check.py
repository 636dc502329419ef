"""Tests of the check: what passes, what fails, and what says nothing."""

import pytest
from support.rows import CONFIRMED, DIFFERS, RECORDED, SILENT, UNSEEN, a_row, known, not_run

from harness.analysis import Required, Row, Verdict, check, check_summary


def test_a_run_as_documented_passes() -> None:
    """Confirmed, silent or not observed."""
    found = check([a_row(CONFIRMED, SILENT, UNSEEN)], [])
    assert found.passed
    assert [one.mark for one in found.judged] == ["", "", ""]


def test_a_difference_that_nobody_knows_fails() -> None:
    """In recordings too: whatever the tables show."""
    found = check([a_row(DIFFERS), a_row(DIFFERS, origin=RECORDED)], [known(scenarios=("expiry",))])
    assert [one.mark for one in found.judged] == ["unlisted", "unlisted"]
    assert not found.passed


def test_a_known_difference_passes() -> None:
    """With its entry."""
    entry = known()
    found = check([a_row(DIFFERS)], [known(transports=("amqp",)), entry])
    assert (found.passed, found.judged[0].mark, found.judged[0].entry) == (True, "known", entry)


def test_an_entry_that_is_none_any_more_fails() -> None:
    """Be it in one row of those it speaks of."""
    found = check([a_row(DIFFERS), a_row(CONFIRMED, transport="mqtt-ws")], [known(), known("hub-log")])
    assert [(one.row.transport, one.mark) for one in found.judged] == [("mqtt", "known"), ("mqtt-ws", "stale")]
    assert not found.passed


def test_what_was_not_observed_leaves_an_entry_alone() -> None:
    """Nor does a row that did not run, or a kind of which documents are silent."""
    entries = [known("lifetime"), known("closes-first"), known("drop")]
    found = check([a_row(UNSEEN, SILENT), not_run("environment")], entries)
    assert found.passed
    assert found.not_shown == tuple(entries)


def test_an_entry_beside_one_that_speaks_of_the_same_was_shown_too() -> None:
    """A user's own file may repeat a bundled one."""
    assert check([a_row(DIFFERS)], [known(), known(reason="Also mine.")]).not_shown == ()


@pytest.mark.parametrize("rows", [[], [not_run("unsupported"), not_run("environment")]], ids=["no row", "none ran"])
def test_where_nothing_was_measured_nothing_passes(rows: list[Row]) -> None:
    """A machine on which nothing can run would stay green for ever."""
    found = check(rows, [])
    assert (found.passed, check_summary(found)["measured"]) == (False, False)


def test_what_was_cut_short_fails() -> None:
    """Though nothing that was seen differs."""
    assert not check([a_row(CONFIRMED), a_row(transport="amqp", complete=False)], []).passed
    assert not check([a_row(CONFIRMED), not_run("interrupted", transport="amqp")], []).passed


def test_cells_that_never_began_fail() -> None:
    """Of them there is no row."""
    assert not check([a_row(CONFIRMED)], [], never_began=1).passed


def test_what_a_recording_measured_can_be_judged() -> None:
    """Where nothing else is there."""
    assert check([a_row(CONFIRMED, origin=RECORDED)], []).passed


def test_a_required_cell_that_did_not_run_fails() -> None:
    """Whatever the verdicts."""
    found = check([a_row(CONFIRMED)], [], [Required("python", transport="amqp")])
    assert not found.passed
    assert [str(one.required) for one in found.missing] == ["python/amqp"]


def test_recordings_are_not_counted_as_this_runs() -> None:
    """They were measured elsewhere."""
    assert check([a_row(DIFFERS), a_row(DIFFERS, origin=RECORDED)], []).differing == 1


def test_the_summary_for_programs() -> None:
    """Each thing with its circumstances, an entry with reason and link."""
    unseen = known("lifetime")
    rows = [
        a_row(DIFFERS),
        a_row(Verdict("point", "renewal-point", "differs", "1 s", "2 s")),
        not_run("environment", transport="amqp"),
        a_row(transport="amqp-ws", complete=False),
    ]
    found = check_summary(check(rows, [known(), unseen], [Required("python", transport="amqp"), Required("c")]))
    here = {
        "sdk": "python",
        "version": "2.14.0",
        "transport": "mqtt",
        "scenario": "renewal",
        "device": "real",
        "origin": "this-run",
    }
    assert found == {
        "passed": False,
        "measured": True,
        "unlisted": [{**here, "claim": "point", "claimed": "1 s", "observed": "2 s"}],
        "stale": [],
        "known": [
            {
                **here,
                "claim": "drop",
                "claimed": "lifetime + 0 s",
                "observed": "lifetime - 120 s",
                "entry": "known.toml: differences[0] (python drop)",
                "reason": "It is so.",
                "link": "https://example.org/why",
            }
        ],
        "missing": [
            {"required": "python/amqp", "reason": "environment: because", **here, "transport": "amqp"},
            {"required": "c", "reason": "the run has no such cell"},
        ],
        "never_began": 0,
        "cut_short": [{**here, "transport": "amqp-ws"}],
        "not_shown": [unseen.name],
    }
