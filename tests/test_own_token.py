"""When the application of a scenario supplies further tokens: what such a document may say."""

import msgspec
import pytest

from harness.errors import ScenarioError
from harness.own_token import Moment, Supply, supply_problems
from harness.registration import TokenMaking
from harness.scenario import End, Scenario, check_scenario

MOMENTS: tuple[Moment, ...] = ("half-life", "asked", "cut", "never")


def scenario(supply: Supply | None, *, renewals: int = 1) -> Scenario:
    """An application with tokens of its own."""
    end = End(after_s=1, limit_s=9, renewals=renewals)
    return Scenario(
        schema=1, id="mine", title="", credential="token", traffic=(), settings="none", end=end, token_lifetime_s=10.0, supply=supply
    )  # fmt: skip


@pytest.mark.parametrize("at", MOMENTS)
def test_every_moment_is_possible(at: Moment) -> None:
    """For an application that has tokens of its own."""
    assert list(supply_problems(Supply(at=at), credential="token")) == []


def test_no_supply_is_no_problem() -> None:
    """Whatever the credential."""
    assert list(supply_problems(None, credential="key")) == []


@pytest.mark.parametrize(
    ("supply", "credential", "field"),
    [
        (Supply(at="asked"), "key", "supply"),
        (Supply(at="asked", after_s=-1), "token", "supply.after_s"),
        (Supply(at="asked", times=0), "token", "supply.times"),
        (Supply(at="asked", times=101), "token", "supply.times"),
        (Supply(at="never", times=2), "token", "supply.at"),
        (Supply(at="never", after_s=1), "token", "supply.at"),
    ],
)
def test_what_cannot_be(supply: Supply, credential: str, field: str) -> None:
    """The field is named."""
    assert [named for named, _, _ in supply_problems(supply, credential=credential)] == [field]


def test_more_renewals_than_tokens() -> None:
    """Nobody else renews a token of the application."""
    with pytest.raises(ScenarioError, match=r"mine\.toml: end\.renewals: is more than the tokens"):
        check_scenario(scenario(Supply(at="asked"), renewals=2), "mine.toml")
    for supply in (None, Supply(at="never")):
        with pytest.raises(ScenarioError, match=r"end\.renewals"):
            check_scenario(scenario(supply), "mine.toml")


def test_no_further_tokens_where_the_first_is_spoilt() -> None:
    """They would have to be spoilt too."""
    spoilt = msgspec.structs.replace(scenario(Supply(at="asked")), token=TokenMaking(form="garbled"))
    with pytest.raises(ScenarioError, match=r"mine\.toml: token: "):
        check_scenario(spoilt, "mine.toml")


def test_as_many_renewals_as_tokens() -> None:
    """The ordinary case."""
    check_scenario(scenario(Supply(at="half-life", times=2), renewals=2), "mine.toml")
