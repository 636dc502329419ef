"""Rows of a comparison made by hand, for what is drawn from them: the check, the cases of CI systems, the reports."""

from typing import Any

from support.analysis_findings import cell

from harness.analysis import Row, Verdict
from harness.known import Entry, KnownDifference

CONFIRMED = Verdict(
    "hub-log", "hub-signature", "confirmed", "disconnect, connect", "disconnect, connect", source="A document (2026)"
)
DIFFERS = Verdict(
    "drop", "disconnect-point", "differs", "lifetime + 0 s", "lifetime - 120 s", source="A document (2026)"
)
UNSEEN = Verdict("lifetime", "token-lifetime", "not observed", "60 min", reason="no token was seen")
SILENT = Verdict("closes-first", "closes-first", "documents silent", observed="device")


def a_row(*verdicts: Verdict, **changes: Any) -> Row:
    """A row of one cell that was measured to its end, with these verdicts."""
    fields: dict[str, Any] = {
        "sdk": "python", "sdk_name": "SDK for Python", "version": "2.14.0", "transport": "mqtt", "scenario": "renewal",
        "traffic": "sending+listening", "device": "real", "awaited": True, "origin": {"kind": "this-run"}, "verdicts": verdicts,
        "cells": (cell(cell="python-mqtt-renewal-1", watched_s=2.5),), **changes,
    }  # fmt: skip
    return Row(**fields)


def not_run(status: str, reason: str = "because", **changes: Any) -> Row:
    """A row of which nothing was measured."""
    return a_row(status=status, reason=reason, complete=False, awaited=False, **changes)


RECORDED = {"kind": "recorded", "date": "2026-11-24"}


def known(claim: str = "drop", **changes: Any) -> Entry:
    """An entry about a claim of the SDK for Python."""
    fields: dict[str, Any] = {
        "claim": claim,
        "sdk": "python",
        "reason": "It is so.",
        "link": "https://example.org/why",
        **changes,
    }
    return Entry(KnownDifference(**fields), "known.toml", 0)
