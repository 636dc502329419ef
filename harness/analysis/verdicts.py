"""Each claim held against what was observed.

Where a claim names a scenario, it is judged on that scenario's row. Otherwise the scenario's documents decide, not its name:

| kind | judged on |
|---|---|
| recovery, and any claim about a `token` credential | every row whose application holds a fixed token |
| token-lifetime, lifetime-configurable: drawn from all rows of the SDK | of the rows judged by the same claims, the first one, in plan order, that is about renewals; without one, the first whose SDK owns the key |
| return, unaware, c2d-after-return | every row whose scenario has faults, or sets how the hub ends a connection otherwise than by FIN |
| all others: drawn from the row alone | every row that is about renewals |

A row is about renewals where the SDK owns the key, its settings are the profile's or renewals are awaited, and the scenario has no faults: what a
fault makes of a renewal is judged only by claims that name the scenario. There, the claim's transports,
versions, traffic and credential have to be the row's too; the version is the one that was measured.
A kind of which the row shows something and of which no claim speaks gets `documents silent`.

A claimed law that names a scenario speaks of the lifetime that is set there alone: one that all of the row's observations bear out is confirmed.

A claimed `unaware` is borne out by what lies within 1.25 s of it, as a law is by its observations; where no end of it was seen, it is refuted once it
has lasted longer than that.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeGuard, get_args

import msgspec

from harness.analysis.evidence import Evidence, Observed, is_about_renewals, own_key, printable
from harness.analysis.fields import mapping, text
from harness.analysis.findings import CellFindings
from harness.analysis.law import TOLERANCE_S, consistent
from harness.analysis.observed import observe
from harness.analysis.renewals import bears_out
from harness.analysis.signatures import REPEATED
from harness.claims import Claim, ClaimKind, ClaimValue, When
from harness.law import Law
from harness.versions import covers, version_problem

__all__ = [
    "Claims",
    "Verdict",
    "VerdictWord",
    "encoded",
    "judge",
    "latest_claims",
    "read_claims",
    "without_measurement",
]

Claims = tuple[Mapping[str, object], ...]
"""The claims of a header, as they stand there."""
VerdictWord = Literal[
    "confirmed",
    "differs",
    "documents silent",
    "not observed",
    "unsupported",
    "environment",
    "harness error",
]
KINDS: Final[tuple[ClaimKind, ...]] = get_args(ClaimKind)
DRAWN_FROM_ALL_ROWS: Final = frozenset({"token-lifetime", "lifetime-configurable"})
SHOWN_WITH_A_TOKEN: Final = frozenset({"recovery", "hub-signature", "app-signature"})
AFTER_AN_END: Final[frozenset[ClaimKind]] = frozenset({"return", "unaware", "c2d-after-return"})
BORNE_OUT: Final[Mapping[bool | None, VerdictWord]] = {True: "confirmed", False: "differs", None: "not observed"}
WORD_OF_STATUS: Final[Mapping[str, VerdictWord]] = {"unsupported": "unsupported", "environment": "environment"}


class Verdict(msgspec.Struct, frozen=True):
    """The verdict on one claim; for `documents silent`, `claim` is the kind, for there is no claim.

    `claimed` and `observed` are ready to be printed; `reason` says why where nothing could be compared; `source` is where the claim stands.
    """

    claim: str
    kind: str
    verdict: VerdictWord
    claimed: str = ""
    observed: str = ""
    reason: str = ""
    source: str = ""


def latest_claims(sets: Iterable[Claims]) -> Claims:
    """Of several sets of claims the one whose documents were read last; of several of that date, the one that comes last in the order of their text.

    Neither depends on the order of the sets.
    """
    return max(sets, key=lambda claims: (max(map(_read_on, claims), default=""), encoded(claims)))


def _read_on(claim: Mapping[str, object]) -> str:
    return text(mapping(claim, "source"), "date")


def encoded(said: object) -> bytes:
    """The same bytes for what says the same, whatever the order of its fields."""
    return msgspec.json.encode(said, order="deterministic")


def read_claims(raw: Iterable[Mapping[str, object]]) -> tuple[Claim, ...]:
    """The claims of a header; those of a kind or shape this version does not know are passed over."""
    return tuple(claim for one in raw if (claim := _claim(one)) is not None)


def judge(claims: Sequence[Claim], evidence: Evidence, rows: Sequence[CellFindings]) -> tuple[Verdict, ...]:
    """The verdicts of a row that was measured; `rows` has a cell of each row of the SDK, in plan order."""
    cell = evidence.main[0]
    here = [claim for claim in claims if _is_about(claim, cell, rows)]
    spoken_of = {claim.kind for claim in here}
    silent = [kind for kind in KINDS if kind not in spoken_of and _shows(kind, cell, rows)]
    seen = ((kind, observe(kind, evidence)) for kind in silent)
    return (
        *(_verdict(claim, evidence) for claim in here),
        *(
            Verdict(kind, kind, "documents silent", observed=one.text)
            for kind, one in seen
            if one.values or one.unsupported or one.longer_s is not None
        ),
    )


def without_measurement(
    claims: Sequence[Claim], cell: CellFindings, rows: Sequence[CellFindings]
) -> tuple[Verdict, ...]:
    """The verdicts of a row none of whose main cells ran, `cell` being the first of them."""
    word = WORD_OF_STATUS.get(cell.status, "harness error")
    return tuple(
        msgspec.structs.replace(_blank(claim), verdict=word, reason=cell.reason)
        for claim in claims
        if _is_about(claim, cell, rows)
    )


def _claim(raw: Mapping[str, object]) -> Claim | None:
    try:
        claim = msgspec.convert(raw, Claim)
    except msgspec.ValidationError:
        return None
    return None if any(map(version_problem, claim.versions)) else claim


def _is_about(claim: Claim, cell: CellFindings, rows: Sequence[CellFindings]) -> bool:
    return (
        (not claim.transports or cell.transport in claim.transports)
        and (not claim.versions or covers(claim.versions, cell.version))
        and _traffic_fits(claim.when, cell)
        and _is_home(claim.kind, claim.when, cell, rows)
    )


def _traffic_fits(when: When, cell: CellFindings) -> bool:
    wanted = when.traffic
    return wanted is None or set(wanted or ("idle",)) == set(cell.traffic.split("+"))


def _is_home(kind: ClaimKind, when: When, cell: CellFindings, rows: Sequence[CellFindings]) -> bool:
    if when.scenario is not None:
        of_it = cell.scenario == when.scenario and not cell.closes_otherwise
        return of_it and when.credential in {None, cell.credential}
    if kind in AFTER_AN_END:
        return cell.about_the_end and when.credential in {None, cell.credential}
    if cell.disturbed:
        return False
    if (when.credential or ("token" if kind == "recovery" else "key")) == "token":
        return cell.credential == "token"
    if kind not in DRAWN_FROM_ALL_ROWS:
        return is_about_renewals(cell)
    possible = [row for row in own_key(rows) if _traffic_fits(when, row)]
    homes = [row for row in possible if is_about_renewals(row)] or possible
    return cell.scenario in {row.scenario for row in homes[:1]}


def _shows(kind: ClaimKind, cell: CellFindings, rows: Sequence[CellFindings]) -> bool:
    """Whether this row is where one looks for observations of `kind`."""
    if cell.credential == "token" and kind not in AFTER_AN_END:
        return kind in SHOWN_WITH_A_TOKEN and not cell.disturbed
    return _is_home(kind, When(), cell, rows)


def _blank(claim: Claim) -> Verdict:
    source = claim.source
    where = ", ".join(filter(None, (source.document, source.section)))
    return Verdict(
        claim=claim.id,
        kind=claim.kind,
        verdict="not observed",
        claimed=" or ".join(map(printable, (claim.value, *claim.variants))),
        source=f"{where} ({source.date})",
    )


def _verdict(claim: Claim, evidence: Evidence) -> Verdict:
    of_one = isinstance(claim.value, Law) and claim.when.scenario is not None
    seen = observe(claim.kind, msgspec.structs.replace(evidence, subject=evidence.row) if of_one else evidence)
    word = "unsupported" if seen.unsupported else _compare(claim, seen, of_one_lifetime=of_one)
    reason = seen.reason if word in {"not observed", "unsupported"} else ""
    return msgspec.structs.replace(_blank(claim), verdict=word, observed=seen.text, reason=reason)


def _compare(claim: Claim, seen: Observed, *, of_one_lifetime: bool = False) -> VerdictWord:
    claimed = claim.value
    if isinstance(claimed, Law):
        return _compare_law(claimed, seen, of_one_lifetime=of_one_lifetime)
    if seen.longer_s is not None and isinstance(claimed, int | float) and seen.longer_s > claimed + TOLERANCE_S:
        return "differs"
    if not seen.values:
        return "not observed"
    if seen.first is not None and isinstance(claimed, int | float):
        return BORNE_OUT[bears_out(seen.first, claimed)]
    possible = (claimed, *claim.variants)
    return "confirmed" if all(any(_equal(one, value) for one in possible) for value in seen.values) else "differs"


def _compare_law(claimed: Law, seen: Observed, *, of_one_lifetime: bool) -> VerdictWord:
    """A law is refuted by one observation it does not predict, and confirmed only where it is the law that was chosen, or was to be no more than the point in one lifetime."""
    if seen.law is None or not seen.law.observations:
        return "not observed"
    if not consistent(claimed, seen.law.observations):
        return "differs"
    return "confirmed" if seen.law.fit or of_one_lifetime else "not observed"


def _equal(claimed: ClaimValue, value: ClaimValue) -> bool:
    """Whether what was observed is as claimed.

    As near as a law can tell for seconds; a claimed signature may leave open whether anything in it came again; and where the hub logged nothing, it
    logged no errors: "only informational events" holds.
    """
    if (claimed, value) == ("informational", "none"):
        return True
    if _is_number(claimed) and _is_number(value):
        return abs(claimed - value) <= TOLERANCE_S
    return claimed == value or (isinstance(value, tuple) and value[-1:] == (REPEATED,) and claimed == value[:-1])


def _is_number(value: ClaimValue) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
