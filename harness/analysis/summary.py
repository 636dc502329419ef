"""The rows as `compare --json` prints them: fields are added over time, never renamed."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from harness.analysis.findings import CellFindings
from harness.analysis.rows import Row
from harness.analysis.volume import sentences, volumes

__all__ = ["SCHEMA", "summary"]

SCHEMA: Final = 1
IDENTITY: Final = (
    "sdk",
    "sdk_name",
    "version",
    "transport",
    "scenario",
    "traffic",
    "device",
    "way",
    "settings",
    "notes",
)
AFTERMATH: Final = ("refused_renewal", "returned", "unaware_s", "silent_s", "c2d_after_return")
UNKNOWN_WITHOUT: Final = {"hub-log": ("hub_log", "hub_levels"), "sdk-log": ("log",)}
ONLY_WHERE_SEEN: Final = frozenset(
    {
        "lacks",
        "clock_rate",
        "disturbed",
        "about_the_end",
        "closes_otherwise",
        "in_band",
        "refused_renewals",
        "first_refusal",
        "token_use",
    }
)
ONLY_WHERE_ASKED: Final = frozenset({"renewal_c2d", "renewal_methods"})
SAID_BY_THE_ROW: Final = frozenset({*IDENTITY, "origin"} - {"settings", "notes"})
FIGURES: Final = (
    "renewal",
    "renewals",
    "put_tokens",
    "hub_log",
    "hub_levels",
    "app",
    "log",
    "signature_of",
    "lifetime_s",
    "default_lifetime_s",
    "points_s",
    "first",
    "law",
    "law_margin_set",
    "disconnect_law",
    "sent",
    "lost",
    "duplicated",
    "reordered",
    "send_failed",
    "unfinished",
    "gap_ms",
    "gap_median_ms",
    "noisy",
    "recovery",
    "complete",
    "awaited",
)


def summary(rows: Sequence[Row]) -> dict[str, object]:
    """`{"schema": 1, "rows": [...], "errors_per_day": {"volumes": [...], "sentences": [...]}}`, ready to be encoded.

    A figure that a recording has no evidence of is null; what it lacks stands beside it. A row that did not run has `status` and `reason`, and null for every figure; the others have neither. The figures about what followed an end are
    there where the row's scenario is about that, the first refusal where the device was never let in.
    """
    found = volumes(rows)
    per_day = {"volumes": msgspec.to_builtins(found), "sentences": list(sentences(found))}
    return {"schema": SCHEMA, "rows": [_row(row) for row in rows], "errors_per_day": per_day}


def _row(row: Row) -> dict[str, object]:
    ran = not row.status
    figures = {name: getattr(row, name) if ran else None for name in FIGURES}
    if any(cell.about_the_end for cell in row.cells):
        figures |= {name: getattr(row, name) for name in AFTERMATH}
    if row.first_refusal is not None:
        figures["first_refusal"] = row.first_refusal
    if row.token_use is not None:
        figures["token_use"] = row.token_use
    figures |= {name: None for lack in row.lacks for name in UNKNOWN_WITHOUT.get(lack, ())}
    figures |= dict.fromkeys(row.untold)
    recorded = {"lacks": row.lacks, "at_least": row.at_least, "clock_rate": row.clock_rate} if row.lacks else {}
    shown = {
        **{name: getattr(row, name) for name in IDENTITY},
        "origin": row.origin.get("kind", "this-run"),
        "origin_details": row.origin,
        **figures,
        **recorded,
        "verdicts": row.verdicts,
        "cells": [_cell(cell) for cell in row.cells],
        **({} if ran else {"status": row.status, "reason": row.reason}),
    }
    plain: dict[str, object] = msgspec.to_builtins(shown)
    return plain


def _cell(cell: CellFindings) -> Mapping[str, object]:
    """The cell without what its row says already.

    What only AMQP, HTTPS or a scenario that disturbs the device can show is left out where there is none: what was in-band, what was refused, at first or later, and
    what followed an end that the scenario is about.
    """
    plain: dict[str, object] = msgspec.to_builtins(cell)
    kept = {
        name: value
        for name, value in msgspec.to_builtins(cell.messages).items()
        if name not in ONLY_WHERE_ASKED or value["asked"]
    }
    plain["messages"] = {**kept, "telemetry": _telemetry(cell)}
    plain["in_band"] = [{**msgspec.to_builtins(one), "undisturbed": one.undisturbed} for one in cell.in_band]
    absent = {name for name in ONLY_WHERE_SEEN if not plain[name]} | (
        {"aftermath"} if not cell.about_the_end else set()
    )
    return {name: value for name, value in plain.items() if name not in SAID_BY_THE_ROW | absent}


def _telemetry(cell: CellFindings) -> Mapping[str, object]:
    """What became of the cell's messages; null where its log does not tell."""
    plain: dict[str, object] = msgspec.to_builtins(cell.messages.telemetry)
    del plain["untold"]
    return {**plain, **dict.fromkeys(cell.messages.telemetry.untold)}
