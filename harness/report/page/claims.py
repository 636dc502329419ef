"""The documents against what was observed: what is not as documented, or could not be shown, one line for all transports that agree."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from harness.analysis import Row, Verdict
from harness.report.columns import evidence, evidence_word

__all__ = ["ClaimLine", "claim_lines", "rest"]

_LISTED: Final = frozenset({"differs", "not observed", "environment", "unsupported", "harness error"})


class ClaimLine(msgspec.Struct, frozen=True):
    """One claim about one SDK in one scenario, and its verdict."""

    sdk: str
    version: str
    word: str
    evidence: str
    scenario: str
    transports: tuple[str, ...]
    verdict: Verdict


def claim_lines(rows: Sequence[Row]) -> list[ClaimLine]:
    """Those that differ first, then the others in the order of their rows."""
    merged: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        for verdict in row.verdicts:
            if verdict.verdict in _LISTED:
                key = (row.sdk, row.version, *evidence(row), row.scenario, verdict)
                merged.setdefault(key, []).append(row)
    lines = [_line(alike, key[-1]) for key, alike in merged.items()]
    return sorted(lines, key=lambda one: one.verdict.verdict != "differs")


def _line(alike: Sequence[Row], verdict: object) -> ClaimLine:
    assert isinstance(verdict, Verdict)
    first = alike[0]
    return ClaimLine(
        sdk=first.sdk,
        version=first.version,
        word=evidence_word(first),
        evidence=", ".join(evidence(first)),
        scenario=first.scenario,
        transports=tuple(dict.fromkeys(row.transport for row in alike)),
        verdict=verdict,
    )


def rest(rows: Sequence[Row]) -> list[str]:
    """How many verdicts are not in the lines, by evidence and word: they stand with their cells."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        words = (one.verdict for one in row.verdicts if one.verdict not in _LISTED)
        counts.setdefault(evidence_word(row), Counter()).update(words)
    return [
        f"{who}: {', '.join(f'{number} {word}' for word, number in words.items())}"
        for who, words in counts.items()
        if words
    ]
