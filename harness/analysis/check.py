"""The check of a run: its verdicts held against the known differences, and its cells against those that have to have run.

| mark of a verdict | when | the check |
|---|---|---|
| `known` | the claim differs, and an entry says so | passes |
| `unlisted` | the claim differs, and no entry says so | fails |
| `stale` | the claim is confirmed, and an entry says that it differs | fails |
| none | anything else: what was not observed says nothing about an entry | passes |

A row that was cut short (the run was interrupted in the midst of it) fails it, too, and so do planned cells that never began: what they would have shown is not
known. And where no row was measured there is nothing to pass.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from harness.analysis.required import Missing, Required, missing
from harness.analysis.rows import Row
from harness.analysis.verdicts import Verdict
from harness.known import Entry

__all__ = ["Check", "Judged", "Mark", "check", "check_summary"]

Mark = Literal["", "known", "unlisted", "stale"]


class Judged(msgspec.Struct, frozen=True):
    """A verdict of a row, the entry that speaks of it, and what the check makes of it."""

    row: Row
    verdict: Verdict
    mark: Mark = ""
    entry: Entry | None = None


class Check(msgspec.Struct, frozen=True):
    """What the check found: every verdict of `rows` in order, what did not run, and the entries that this run could not show. `never_began`: how many planned cells."""

    rows: tuple[Row, ...]
    judged: tuple[Judged, ...]
    missing: tuple[Missing, ...] = ()
    not_shown: tuple[Entry, ...] = ()
    never_began: int = 0

    def marked(self, mark: Mark) -> tuple[Judged, ...]:
        """The verdicts with this mark."""
        return tuple(one for one in self.judged if one.mark == mark)

    @property
    def differing(self) -> int:
        """How many verdicts of this run, recordings apart, say that something differs."""
        here = (one for one in self.judged if one.row.origin.get("kind", "this-run") == "this-run")
        return sum(one.verdict.verdict == "differs" for one in here)

    @property
    def measured(self) -> bool:
        """Whether there is anything to judge: a row, be it of a recording, that was measured."""
        return any(not row.status for row in self.rows)

    @property
    def cut_short(self) -> tuple[Row, ...]:
        """The rows that were begun, and not measured to their end."""
        return tuple(row for row in self.rows if row.status == "interrupted" or not (row.status or row.complete))

    @property
    def passed(self) -> bool:
        """Whether something was measured, and nothing fails it."""
        failing = (self.missing, self.cut_short, self.never_began, self.marked("unlisted"), self.marked("stale"))
        return self.measured and not any(failing)


def check(
    rows: Sequence[Row], known: Sequence[Entry], required: Iterable[Required] = (), *, never_began: int = 0
) -> Check:
    """Hold the rows, those of recordings among them, against what is known and what is required."""
    judged = tuple(_judge(row, verdict, known) for row in rows for verdict in row.verdicts)
    marked = [one for one in judged if one.entry is not None]
    not_shown = tuple(one for one in known if not any(_speaks_of(one, told.row, told.verdict) for told in marked))
    return Check(tuple(rows), judged, missing(required, rows), not_shown, never_began)


def _judge(row: Row, verdict: Verdict, known: Iterable[Entry]) -> Judged:
    """Where documents are silent there is no claim, though the verdict has the name of one."""
    if verdict.verdict not in {"differs", "confirmed"}:
        return Judged(row, verdict)
    entry = next((one for one in known if _speaks_of(one, row, verdict)), None)
    if verdict.verdict == "differs":
        return Judged(row, verdict, "known" if entry else "unlisted", entry)
    return Judged(row, verdict, "stale" if entry else "", entry)


def _speaks_of(entry: Entry, row: Row, verdict: Verdict) -> bool:
    return entry.is_about(
        claim=verdict.claim,
        sdk=row.sdk,
        version=row.version,
        transport=row.transport,
        scenario=row.scenario,
        device=row.device,
    )


def check_summary(found: Check) -> dict[str, object]:
    """The check as `--json` prints it: fields are added over time, never renamed."""
    return {
        "passed": found.passed,
        "measured": found.measured,
        **{mark: [_verdict(one) for one in found.marked(mark)] for mark in ("unlisted", "stale", "known")},
        "missing": [_missing(one) for one in found.missing],
        "never_began": found.never_began,
        "cut_short": [_circumstances(row) for row in found.cut_short],
        "not_shown": [entry.name for entry in found.not_shown],
    }


def _verdict(one: Judged) -> dict[str, object]:
    row, verdict = one.row, one.verdict
    entry = {} if one.entry is None else _entry(one.entry)
    return {
        **_circumstances(row),
        "claim": verdict.claim,
        "claimed": verdict.claimed,
        "observed": verdict.observed,
        **entry,
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {"entry": entry.name, "reason": entry.difference.reason, "link": entry.difference.link}


def _missing(one: Missing) -> dict[str, object]:
    return {"required": str(one.required), "reason": one.reason, **(_circumstances(one.row) if one.row else {})}


def _circumstances(row: Row) -> dict[str, object]:
    return {
        "sdk": row.sdk,
        "version": row.version,
        "transport": row.transport,
        "scenario": row.scenario,
        "device": row.device,
        "origin": row.origin.get("kind", "this-run"),
    }
