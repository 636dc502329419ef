"""The rows as JSON."""

import msgspec
from support.analysis_logs import LogBuilder, claim, early_renewal, header

from harness.analysis.rows import analyse
from harness.analysis.summary import summary

PROMISED = {
    "sdk",
    "version",
    "transport",
    "scenario",
    "device",
    "origin",
    "renewal",
    "renewals",
    "put_tokens",
    "hub_log",
    "sent",
    "lost",
    "duplicated",
    "reordered",
    "gap_ms",
    "verdicts",
}


def of(log: LogBuilder) -> dict[str, object]:
    """The only row of what was built, after a journey through JSON."""
    document = msgspec.json.decode(msgspec.json.encode(summary(analyse([log.log()]))))
    assert document["schema"] == 1
    (row,) = document["rows"]
    assert isinstance(row, dict)
    return row


def test_a_row_that_ran() -> None:
    """All that is promised, and neither status nor reason."""
    head = header(settings={"lifetime_s": 130}, claims=(claim("closes-first", "hub"),))
    row = of(early_renewal(130, head))
    assert row.keys() >= PROMISED
    assert row.keys().isdisjoint({"status", "reason"})
    assert (row["renewal"], row["renewals"], row["gap_ms"], row["origin"]) == ("reconnect", 2, [4.0, 4.0], "this-run")
    verdicts = row["verdicts"]
    assert isinstance(verdicts, list)
    assert {"claim": "closes-first", "verdict": "differs", "claimed": "hub", "observed": "device"}.items() <= verdicts[
        0
    ].items()


def test_a_row_that_did_not_run() -> None:
    """Status and reason, and no figure that could be taken for a measurement."""
    row = of(LogBuilder(header(origin={"kind": "recorded", "date": "2026-11-24"})).end("environment", "no port"))
    assert row.keys() >= PROMISED | {"status", "reason"}
    assert (row["status"], row["reason"], row["renewals"], row["sent"], row["gap_ms"]) == (
        "environment",
        "no port",
        None,
        None,
        None,
    )
    assert (row["origin"], row["origin_details"]) == ("recorded", {"kind": "recorded", "date": "2026-11-24"})


def test_cells_do_not_repeat_their_row() -> None:
    """But keep what is their own."""
    cells = of(early_renewal())["cells"]
    assert isinstance(cells, list)
    assert cells[0].keys().isdisjoint({"sdk", "device", "origin"})
    assert cells[0].keys() >= {"cell", "settings", "notes", "absences", "messages"}
