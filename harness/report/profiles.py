"""Tables of what the profiles say: which SDKs there are, and what is claimed about each."""

from collections.abc import Iterable

from harness.claims import Claim
from harness.law import Law
from harness.profile import Profile
from harness.report.layout import WIDTH, Cell, render, wrap

__all__ = ["claims_table", "profiles_table"]


def profiles_table(profiles: Iterable[tuple[Profile, str]]) -> str:
    """One line per SDK; each profile comes with why its real SDK cannot run here, or an empty text."""
    rows: list[list[Cell]] = [
        [
            p.sdk,
            p.version,
            p.name,
            ", ".join(p.transports),
            len(p.claims),
            f"emulated: {problem}" if problem else "real",
        ]
        for p, problem in profiles
    ]
    return render(["SDK", "version", "name", "transports", "claims", "run here as"], rows, "text")


def claims_table(profile: Profile) -> str:
    """What is claimed about one SDK, and where it stands."""
    rows = [
        [_what(claim), ", ".join(claim.transports) or "all", claimed(claim), _source(claim)] for claim in profile.claims
    ]
    others = [known.version for known in profile.versions]
    compared = f"; to compare it with: {', '.join(others)}" if others else ""
    heading = wrap(f"{profile.name} {profile.version} ({profile.language}){compared}", WIDTH)
    summary = f"\n{wrap(profile.summary, WIDTH)}" if profile.summary else ""
    return f"{heading}{summary}\n{render(['claim', 'transports', 'claimed', 'source'], rows, 'text', widths=[24, 12, 26, 48])}"


def _what(claim: Claim) -> str:
    """The claim's id, its kind where that is another word, and the scenario and the versions it is about."""
    kind = [] if claim.kind == claim.id else [f"({claim.kind})"]
    scenario = [] if claim.when.scenario is None else [f"in {claim.when.scenario}"]
    versions = [f"of {' or '.join(claim.versions)}"] if claim.versions else []
    return "\n".join([claim.id, *kind, *scenario, *versions])


def claimed(claim: Claim) -> str:
    """The claim's value as people write it."""
    value = claim.value
    if isinstance(value, Law):
        return law_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " → ".join(value) or "nothing"
    return f"{value:g} s" if isinstance(value, int | float) else value


def law_text(law: Law) -> str:
    """The law as a formula in the token's lifetime L."""
    texts = {
        "margin": f"L - {law.seconds:g} s",
        "fraction": f"{law.fraction:g} x L",
        "lifespan": f"L + {law.seconds:g} s" if law.seconds else "L",
        "hub-cut": "L + the hub's grace",
        "none": "never",
    }
    return texts[law.law]


def _source(claim: Claim) -> str:
    source = claim.source
    return ", ".join(filter(None, (source.document, source.section, source.date)))
