"""Claims: what documents or measurements say about an SDK, each with its source."""

import datetime as dt
import itertools
import re
from collections.abc import Sequence
from typing import Literal

from harness.documents import Document, Traffic, Transport
from harness.errors import ProfileError
from harness.law import Law, law_problem
from harness.versions import meet, version_problem

__all__ = ["Claim", "ClaimKind", "ClaimSource", "ClaimValue", "When", "check_claims"]

ClaimKind = Literal[
    "token-lifetime",  # seconds, where nothing set it
    "lifetime-configurable",  # bool
    "renewal-point",  # Law: when a new token is first used, counted in the life of the old one
    "renewal-point-configurable",  # bool
    "disconnect-point",  # Law: when the connection goes, counted in the life of its token
    "renewal-action",  # "reconnect" | "in-band" | "per-request" | "hub-cut" | "none"
    "token-use",  # "each-request" | "kept": over HTTPS, whether every request has a token of its own
    "closes-first",  # "device" | "hub"
    "hub-log-levels",  # "informational" | "informational+error" | "none": levels of the hub's records around a renewal; without any, "informational" holds too
    "hub-signature",  # codes of the hub's records in order, a connect written as "connect", a clean close as "disconnect"
    "app-signature",  # what the application is shown, in order; an empty list is "nothing"
    "recovery",  # "none" | "retries" | "next-send": after a refused reconnect
    "return",  # "by-itself" | "next-send" | "new-token" | "none": let in again after the hub or a fault ended the device's stay
    "unaware",  # seconds from such an end to the first thing the application is shown or the device attempts
    "c2d-after-return",  # "delivered" | "dead": C2D messages that are queued once the device is back
]

ClaimValue = bool | int | float | str | tuple[str, ...] | Law


class ClaimSource(Document, frozen=True):
    """Where a claim stands: a document with section and date, or `document = "measured"` with a date and a note of how."""

    document: str
    date: str
    section: str = ""
    url: str = ""


class When(Document, frozen=True):
    """Under which circumstances a claim is made; what is left out is left open."""

    traffic: tuple[Traffic, ...] | None = None
    credential: Literal["key", "token"] | None = None
    scenario: str | None = None


class Claim(Document, frozen=True):
    """One statement about an SDK, with its source. `versions`: versions and ranges of them (see `harness.versions`); empty `transports` or `versions` mean all.

    `variants`: what the application may be shown in place of `value`, by chance; of an app-signature only.
    """

    id: str
    kind: ClaimKind
    value: ClaimValue
    source: ClaimSource
    transports: tuple[Transport, ...] = ()
    versions: tuple[str, ...] = ()
    when: When = When()
    note: str = ""
    variants: tuple[tuple[str, ...], ...] = ()


def check_claims(claims: Sequence[Claim], where: str) -> None:
    """Raise `ProfileError`, naming the file `where`, the claim and the remedy, where one is wrong or two overlap."""
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        field = f"claims[{index}] ({claim.id})"
        if claim.id in seen:
            raise ProfileError(
                "the id is used twice", where=where, field=field, remedy="Give every claim an id of its own"
            )
        seen.add(claim.id)
        _check_source(claim, where, field)
        _check_versions(claim, where, field)
        if not _value_fits(claim):
            raise ProfileError(
                f"{claim.value!r} is no value of a claim of kind {claim.kind!r}",
                where=where, field=f"{field}.value", remedy=f"Expected: {_VALUE_OF[claim.kind][1]}",
            )  # fmt: skip
        if claim.variants and claim.kind != "app-signature":
            raise ProfileError(
                f"a claim of kind {claim.kind!r} has no variants",
                where=where, field=f"{field}.variants", remedy="Drop them; only what the application is shown is a matter of chance",
            )  # fmt: skip
    for first, second in itertools.combinations(claims, 2):
        if _overlap(first, second):
            raise ProfileError(
                f"overlaps with the claim {first.id!r}: both speak of {first.kind!r} under the same circumstances",
                where=where, field=second.id, remedy="Separate them by transports, versions or when, or drop one",
            )  # fmt: skip


def _check_source(claim: Claim, where: str, field: str) -> None:
    for name in ("document", "date"):
        if not getattr(claim.source, name).strip():
            raise ProfileError(
                "is empty", where=where, field=f"{field}.source.{name}", remedy="Say where and when the claim was made"
            )
    if claim.source.document != "measured" and not claim.source.section.strip():
        raise ProfileError(
            "is missing", where=where, field=f"{field}.source.section", remedy="Name the section that makes the claim"
        )
    if not _is_date(claim.source.date):
        raise ProfileError(
            f"{claim.source.date!r} is no date",
            where=where, field=f"{field}.source.date", remedy="Write it as 2026-01-31, 2026-01 or 2026",
        )  # fmt: skip


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", text):
        return False
    try:
        dt.date.fromisoformat(text + "-01-01"[len(text) - 4 :])
    except ValueError:
        return False
    return True


def _check_versions(claim: Claim, where: str, field: str) -> None:
    for version in claim.versions:
        if problem := version_problem(version):
            raise ProfileError(
                problem,
                where=where, field=f"{field}.versions",
                remedy='Name versions and ranges of them, as ["1.4.0", ">=1.5,<2.0.0rc1"]',
            )  # fmt: skip


def _overlap(first: Claim, second: Claim) -> bool:
    """A law, and an example of its own scenario with its own lifetime, are two claims."""
    if isinstance(first.value, Law) and (first.when.scenario is None) != (second.when.scenario is None):
        return False
    return (
        first.kind == second.kind
        and _meet(first.transports, second.transports)
        and (not first.versions or not second.versions or meet(first.versions, second.versions))
        and all(
            None in (mine, theirs) or mine == theirs
            for mine, theirs in zip(_circumstances(first.when), _circumstances(second.when), strict=True)
        )
    )


def _circumstances(when: When) -> tuple[object, ...]:
    """What a claim is made under, each None where it is left open; the order in which traffic is named says nothing."""
    return (None if when.traffic is None else frozenset(when.traffic), when.credential, when.scenario)


def _meet(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    return not first or not second or bool(set(first) & set(second))


_LAW = (Law,), 'a table { law = "margin" | "fraction" | "lifespan" | "hub-cut" | "none", … }'
_SWITCH = (bool,), "true or false"
_VALUE_OF: dict[ClaimKind, tuple[tuple[type, ...], str]] = {
    "token-lifetime": ((int, float), "seconds above 0"),
    "lifetime-configurable": _SWITCH,
    "renewal-point": _LAW,
    "renewal-point-configurable": _SWITCH,
    "disconnect-point": _LAW,
    "renewal-action": ((str,), '"reconnect", "in-band", "per-request", "hub-cut" or "none"'),
    "token-use": ((str,), '"each-request" or "kept"'),
    "closes-first": ((str,), '"device" or "hub"'),
    "hub-log-levels": ((str,), '"informational", "informational+error" or "none"'),
    "hub-signature": ((tuple,), "a list of codes"),
    "app-signature": ((tuple,), "a list of texts"),
    "recovery": ((str,), '"none", "retries" or "next-send"'),
    "return": ((str,), '"by-itself", "next-send", "new-token" or "none"'),
    "unaware": ((int, float), "seconds, 0 or more"),
    "c2d-after-return": ((str,), '"delivered" or "dead"'),
}
_WORDS: dict[ClaimKind, frozenset[str]] = {
    "renewal-action": frozenset({"reconnect", "in-band", "per-request", "hub-cut", "none"}),
    "token-use": frozenset({"each-request", "kept"}),
    "closes-first": frozenset({"device", "hub"}),
    "hub-log-levels": frozenset({"informational", "informational+error", "none"}),
    "recovery": frozenset({"none", "retries", "next-send"}),
    "return": frozenset({"by-itself", "next-send", "new-token", "none"}),
    "c2d-after-return": frozenset({"delivered", "dead"}),
}


def _value_fits(claim: Claim) -> bool:
    kinds = _VALUE_OF[claim.kind][0]
    value = claim.value
    if isinstance(value, bool) and bool not in kinds:
        return False
    if isinstance(value, (int, float)) and claim.kind in {"token-lifetime", "unaware"}:
        return value > 0 if claim.kind == "token-lifetime" else value >= 0
    if isinstance(value, Law):
        return Law in kinds and not law_problem(value)
    return isinstance(value, kinds) and (not isinstance(value, str) or value in _WORDS[claim.kind])
