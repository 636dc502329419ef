"""A run that is read of on another day."""

from pathlib import Path

from harness.cli.results import derive

PUBLISHED = Path(__file__).parents[2] / "results" / "published" / "reference"


def test_what_was_measured_in_the_run_has_its_date() -> None:
    """It stays what this run measured, and recordings keep theirs."""
    origins = [row.origin for row in derive(PUBLISHED, dated=True).rows]
    assert {(one["kind"], one["date"]) for one in origins} == {("this-run", "2026-11-30"), ("recorded", "2026-11-24")}


def test_by_itself_it_has_none() -> None:
    """Whoever ran it knows the day."""
    origins = [row.origin for row in derive(PUBLISHED).rows]
    assert {one.get("date") for one in origins} == {None, "2026-11-24"}
