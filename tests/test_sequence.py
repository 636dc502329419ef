"""Which faults never strike for others, and how much faults can cut and refuse."""

import math

import pytest

from harness.fault import Fault
from harness.fault_words import Action, Anchor
from harness.sequence import most_cuts, most_refusals, sequence_problems

Said = tuple[Anchor, Action]


def faults(*said: Said) -> list[Fault]:
    """Each once."""
    return [Fault(at=at, action=action) for at, action in said]


def wrong(
    *said: Said, renewed: bool = False, by_policy: bool = False, skew_s: float = 1, storms: bool = False
) -> list[str]:
    """The fields that are named."""
    problems = sequence_problems(faults(*said), renewed=renewed, by_policy=by_policy, skew_s=skew_s, storms=storms)
    return [field for field, _, _ in problems]


AWAY: Said = ("away", "refuse")
DELETED: Said = ("half-life", "delete")


@pytest.mark.parametrize(
    "said",
    [
        [AWAY],
        [AWAY, ("grace-end", "cut")],
        [DELETED, AWAY],
        [DELETED, ("expiry", "roll-key")],
        [DELETED, ("grace-end", "ignore")],
        [DELETED, ("half-life", "cut")],
        [("half-life", "disable"), ("half-life", "disable")],
        [("expiry", "roll-key"), ("grace-end", "ignore")],
        [("grace-end", "delete"), ("grace-end", "cut")],
        [("half-life", "cut"), DELETED, ("expiry", "cut")],
        [("half-life", "cut"), ("away", "delete"), ("away", "refuse")],
    ],
)
def test_what_never_strikes_a_device_with_a_fixed_token(said: list[Said]) -> None:
    """One fault of each list."""
    assert len(wrong(*said)) == 1


@pytest.mark.parametrize(
    "said",
    [
        [],
        [DELETED],
        [("half-life", "cut"), AWAY],
        [AWAY, ("half-life", "cut")],
        [("expiry", "cut"), AWAY],
        [("half-life", "outage"), AWAY],
        [("half-life", "cut"), DELETED],
        [("expiry", "delete"), ("half-life", "cut"), AWAY],
        [("half-life", "cut"), ("away", "delete"), ("expiry", "cut")],
        [("half-life", "cut"), DELETED, ("grace-end", "ignore")],
    ],
)
def test_what_may_strike_it(said: list[Said]) -> None:
    """In some order of events."""
    assert wrong(*said) == []


def test_a_token_that_is_over_lets_nobody_in_without_skew() -> None:
    """So that a cut at its expiry is too late."""
    assert wrong(("expiry", "cut"), AWAY, skew_s=0) == ["faults[1].at"]


def test_in_a_storm_the_device_leaves_by_the_hubs_own_cut() -> None:
    """And comes back."""
    assert wrong(AWAY, storms=True) == []


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ([AWAY], []),
        ([DELETED, AWAY], []),
        ([DELETED, ("renewal", "refuse"), ("expiry", "cut")], ["faults[2].at"]),
        ([("renewal", "delete"), ("renewal-answer", "cut")], ["faults[1].at"]),
        ([("renewal", "delay"), ("renewal", "delete"), ("renewal-answer", "cut")], []),
        ([("renewal", "delete"), ("renewal", "cut")], ["faults[1].at"]),
        ([("before-renewal", "roll-key"), ("renewal", "cut")], []),
    ],
)
def test_a_renewed_device_leaves_by_itself(said: list[Said], fields: list[str]) -> None:
    """And may renew before its identity is changed."""
    assert wrong(*said, renewed=True) == fields


@pytest.mark.parametrize(("by_policy", "fields"), [(False, ["faults[1].at"]), (True, [])])
def test_the_token_of_a_policy_outlives_the_devices_key(*, by_policy: bool, fields: list[str]) -> None:
    """The device comes back with it."""
    assert wrong(("half-life", "roll-key"), ("expiry", "cut"), by_policy=by_policy) == fields


@pytest.mark.parametrize("action", ["roll-key", "disable", "delete"])
def test_an_identity_is_changed_once(action: Action) -> None:
    """Nobody is let in who could meet that again."""
    twice = [Fault(at="half-life", action=action, times=2)]
    problems = sequence_problems(twice, renewed=True, by_policy=False, skew_s=1, storms=False)
    assert [field for field, _, _ in problems] == ["faults[0].times"]


@pytest.mark.parametrize(
    ("said", "cuts"),
    [
        ([], 1),
        ([("half-life", "cut")], 2),
        ([("half-life", "withhold-puback")], 1),
        ([("half-life", "cut"), ("away", "refuse")], 2),
        ([("expiry", "takeover"), ("grace-end", "ignore")], 1),
        ([("grace-end", "ignore")], 0),
        ([("grace-end", "cut")], 1),
        ([DELETED], 1),
        ([("half-life", "outage")], math.inf),
    ],
)
def test_cuts_of_a_device_with_a_fixed_token(said: list[Said], cuts: float) -> None:
    """One for its end, unless it is left out or the device is let in no more by then, and those of the faults."""
    assert most_cuts(faults(*said), by_policy=False, storms=False) == cuts


def test_a_storm_is_cut_without_end() -> None:
    """Until the token is too old."""
    assert most_cuts([], by_policy=False, storms=True) == math.inf


@pytest.mark.parametrize(
    ("said", "by_policy", "refusals"),
    [
        ([("renewal", "refuse"), ("renewal", "cut"), ("away", "refuse")], False, 2),
        ([("half-life", "roll-key")], False, math.inf),
        ([("half-life", "roll-key")], True, 0),
    ],
)
def test_refusals_by_faults(*, said: list[Said], by_policy: bool, refusals: float) -> None:
    """Every attempt is refused once the identity is changed."""
    assert most_refusals(faults(*said), by_policy=by_policy) == refusals
