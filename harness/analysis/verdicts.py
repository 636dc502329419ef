"""Each claim held against what was observed.

A claim is judged on one row: that of the scenario it names, else by its kind:

| kind | judged on |
|---|---|
| recovery, and any claim about a `token` credential | rows whose application holds a fixed token |
| token-lifetime, lifetime-configurable | the row of `renewal`, or of `defaults` where that was not run |
| all others | the row of `renewal` |

There, its transports, versions, traffic and credential have to be the row's. A kind of which the row shows something and of which no
claim speaks gets `documents silent`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, get_args

import msgspec

from harness.analysis.evidence import Evidence, Observed, printable
from harness.analysis.findings import CellFindings
from harness.analysis.law import consistent
from harness.analysis.observed import observe
from harness.analysis.renewals import LIFETIME_TOLERANCE_S
from harness.profile import Claim, ClaimKind, ClaimValue, Law, When

__all__ = ["Verdict", "VerdictWord", "judge", "read_claims", "without_measurement"]

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
LIFETIME_KINDS: Final = frozenset({"token-lifetime", "lifetime-configurable"})
SHOWN_WITH_A_TOKEN: Final = frozenset({"recovery", "hub-signature", "app-signature"})
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


def read_claims(raw: Iterable[Mapping[str, object]]) -> tuple[Claim, ...]:
    """The claims of a header; those of a kind or shape this version does not know are passed over."""
    return tuple(claim for one in raw if (claim := _claim(one)) is not None)


def judge(claims: Sequence[Claim], evidence: Evidence, scenarios: frozenset[str]) -> tuple[Verdict, ...]:
    """The verdicts of a row that was measured; `scenarios` are those the SDK has rows of."""
    cell = evidence.main[0]
    here = [claim for claim in claims if _is_about(claim, cell, scenarios)]
    spoken_of = {claim.kind for claim in here}
    silent = [kind for kind in KINDS if kind not in spoken_of and _shows(kind, cell, scenarios)]
    seen = ((kind, observe(kind, evidence)) for kind in silent)
    return (
        *(_verdict(claim, observe(claim.kind, evidence)) for claim in here),
        *(Verdict(kind, kind, "documents silent", observed=one.text) for kind, one in seen if one.values),
    )


def without_measurement(claims: Sequence[Claim], cell: CellFindings, scenarios: frozenset[str]) -> tuple[Verdict, ...]:
    """The verdicts of a row none of whose main cells ran, `cell` being the first of them."""
    word = WORD_OF_STATUS.get(cell.status, "harness error")
    return tuple(
        msgspec.structs.replace(_blank(claim), verdict=word, reason=cell.reason)
        for claim in claims
        if _is_about(claim, cell, scenarios)
    )


def _claim(raw: Mapping[str, object]) -> Claim | None:
    try:
        return msgspec.convert(raw, Claim)
    except msgspec.ValidationError:
        return None


def _is_about(claim: Claim, cell: CellFindings, scenarios: frozenset[str]) -> bool:
    return (
        (not claim.transports or cell.transport in claim.transports)
        and (not claim.versions or cell.version in claim.versions)
        and _traffic_fits(claim.when, cell)
        and _is_home(claim.kind, claim.when, cell, scenarios)
    )


def _traffic_fits(when: When, cell: CellFindings) -> bool:
    wanted = when.traffic
    return wanted is None or set(wanted or ("idle",)) == set(cell.traffic.split("+"))


def _is_home(kind: ClaimKind, when: When, cell: CellFindings, scenarios: frozenset[str]) -> bool:
    if when.scenario is not None:
        return cell.scenario == when.scenario and when.credential in {None, cell.credential}
    if (when.credential or ("token" if kind == "recovery" else "key")) == "token":
        return cell.credential == "token"
    home = "defaults" if kind in LIFETIME_KINDS and "renewal" not in scenarios else "renewal"
    return cell.scenario == home


def _shows(kind: ClaimKind, cell: CellFindings, scenarios: frozenset[str]) -> bool:
    """Whether a row of this scenario is where one looks for observations of `kind`."""
    if cell.credential == "token":
        return kind in SHOWN_WITH_A_TOKEN
    return _is_home(kind, When(), cell, scenarios)


def _blank(claim: Claim) -> Verdict:
    source = claim.source
    where = ", ".join(filter(None, (source.document, source.section)))
    return Verdict(
        claim=claim.id,
        kind=claim.kind,
        verdict="not observed",
        claimed=printable(claim.value),
        source=f"{where} ({source.date})",
    )


def _verdict(claim: Claim, seen: Observed) -> Verdict:
    word = _compare(claim.value, seen)
    reason = seen.reason if word == "not observed" else ""
    return msgspec.structs.replace(_blank(claim), verdict=word, observed=seen.text, reason=reason)


def _compare(claimed: ClaimValue, seen: Observed) -> VerdictWord:
    if isinstance(claimed, Law):
        return _compare_law(claimed, seen)
    if not seen.values:
        return "not observed"
    return "confirmed" if all(_equal(claimed, value) for value in seen.values) else "differs"


def _compare_law(claimed: Law, seen: Observed) -> VerdictWord:
    """A law is refuted by one observation it does not predict, and confirmed only where it is the law that was chosen."""
    if seen.law is None or not seen.law.observations:
        return "not observed"
    if not consistent(claimed, seen.law.observations):
        return "differs"
    return "confirmed" if seen.law.fit else "not observed"


def _equal(claimed: ClaimValue, value: ClaimValue) -> bool:
    if isinstance(claimed, int | float) and isinstance(value, int | float):
        return abs(claimed - value) <= (0 if isinstance(claimed, bool) else LIFETIME_TOLERANCE_S)
    return claimed == value
