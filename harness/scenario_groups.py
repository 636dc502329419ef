"""Which scenarios `--scenario` means: one by its name, a group of them by what its documents say, all, or the usual ones. Pure.

A scenario belongs to every group that it fits, the user's own too; there is no list to keep up. A `long` one is part of no other group, nor of `all`.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from harness.documents import TRANSPORTS
from harness.errors import ScenarioError
from harness.scenario import DEFAULT_SCENARIOS, HTTPS_SCENARIOS, Scenario

__all__ = ["ALL", "GROUPS", "LONG_S", "Group", "members", "select_scenarios"]

ALL: Final = "all"
LONG: Final = "long"
LONG_S: Final = 300.0
"""A scenario whose limit is above so many seconds is a long one."""


class Group(NamedTuple):
    """What a group is about, in a line, and which scenarios are in it."""

    about: str
    holds: Callable[[Scenario], bool]


def _is_long(scenario: Scenario) -> bool:
    return scenario.end.limit_s > LONG_S


def _expires(scenario: Scenario) -> bool:
    """Whether a fixed token comes to its end, and that is what is waited for."""
    of_the_end = any(fault.at in {"expiry", "grace-end"} for fault in scenario.faults)
    undisturbed = bool(scenario.end.cuts or scenario.end.refused_requests) and not scenario.faults
    return scenario.credential == "token" and (of_the_end or undisturbed)


GROUPS: Final[Mapping[str, Group]] = {
    ALL: Group("every scenario but the long ones", lambda one: not _is_long(one)),
    "renewals": Group(
        "the SDK owns the key and renews its token: undisturbed, refused, unanswered, interrupted",
        lambda one: one.credential == "key" and not one.refused_at_first,
    ),
    "expiries": Group("a token comes to its end, and nobody has renewed it in time", _expires),
    "own-tokens": Group("the application is the one to supply further tokens", lambda one: one.supply is not None),
    "refusals": Group("the hub refuses the device from the start", lambda one: one.refused_at_first),
    "clocks": Group("the device's clock is off", lambda one: one.device.clock_ahead_s != 0),
    "certificates": Group("the device comes with a client certificate", lambda one: one.credential == "certificate"),
    "faults": Group(
        "hub or network do what they should not, at a point of the token's life", lambda one: bool(one.faults)
    ),
    "network": Group(
        "the hub cannot be reached for a while",
        lambda one: any(fault.action == "outage" for fault in one.faults),
    ),
    "https": Group("HTTPS alone", lambda one: set(one.is_about) == {"https"}),
    LONG: Group("takes from some minutes to an hour, and is in no other group", _is_long),
}
"""By name, in the order in which they are told."""


def members(group: str, known: Mapping[str, Scenario]) -> list[Scenario]:
    """The scenarios of a group, in the order in which they are known."""
    return [one for one in known.values() if GROUPS[group].holds(one) and _is_long(one) == (group == LONG)]


def select_scenarios(
    known: Mapping[str, Scenario],
    wanted: Iterable[str],
    transports: Iterable[str] = (),
    offered: Iterable[str] = TRANSPORTS,
) -> list[Scenario]:
    """The scenarios and groups named in `wanted`, each scenario once; the default ones where none is, others where `transports` asks for https alone.

    Of a group only what can be run: those about one of the `transports`, or, where none is asked for, about one that the SDKs have `offered`.

    Raises:
        ScenarioError: an unknown name, a group of which nothing can be run, or a scenario that is named like a group.
    """
    asked = tuple(transports)
    names = list(wanted) or list(HTTPS_SCENARIOS if set(asked) == {"https"} else DEFAULT_SCENARIOS)
    chosen = [one for name in names for one in _named(name, known, asked or tuple(offered))]
    return list({one.id: one for one in chosen}.values())


def _named(name: str, known: Mapping[str, Scenario], possible: tuple[str, ...]) -> Iterator[Scenario]:
    if name in GROUPS:
        fitting = [one for one in members(name, known) if set(one.is_about) & set(possible)]
        if not fitting:
            raise ScenarioError(
                f"no scenario of the group {name!r} is about {', '.join(possible)}",
                where="--scenario",
                remedy="Name other transports with --transport, or another group",
            )
        yield from fitting
    elif name in known:
        yield known[name]
    else:
        raise ScenarioError(f"unknown scenario {name!r}", where="--scenario", remedy=_remedy(name, known))


def _remedy(name: str, known: Mapping[str, Scenario]) -> str:
    groups = f"The groups are {', '.join(GROUPS)}"
    close = difflib.get_close_matches(name, [*GROUPS, *known], n=1)
    return f"Did you mean `{close[0]}`? {groups}" if close else f"{groups}; the scenarios {', '.join(known)}"
