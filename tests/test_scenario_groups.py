"""Which scenarios a name, a group or nothing stands for."""

from collections.abc import Iterable

import msgspec
import pytest
from support.scenarios import bundled_scenarios

from harness.errors import ScenarioError
from harness.scenario import DEFAULT_SCENARIOS, HTTPS_SCENARIOS
from harness.scenario_groups import ALL, GROUPS, LONG_S, members, select_scenarios

KNOWN = bundled_scenarios()


def chosen(*wanted: str, transports: Iterable[str] = (), **more: Iterable[str]) -> list[str]:
    """The names of the scenarios that are meant."""
    return [one.id for one in select_scenarios(KNOWN, wanted, transports, **more)]


def test_nothing_asked_for_means_the_default_ones() -> None:
    """In their order."""
    assert tuple(chosen()) == DEFAULT_SCENARIOS
    assert tuple(chosen(transports=["https", "mqtt"])) == DEFAULT_SCENARIOS


def test_over_https_alone_other_scenarios_are_the_default() -> None:
    """The usual ones are about connections."""
    assert tuple(chosen(transports=["https"])) == HTTPS_SCENARIOS


def test_all_are_all_but_the_long_ones() -> None:
    """Which take minutes, and would hold everything else up."""
    assert {*chosen(ALL), *chosen("long")} == set(KNOWN)
    assert set(chosen("long")) == {"renewal-default", "network-drop-half-open-long"}
    assert all(KNOWN[name].end.limit_s <= LONG_S for name in chosen(ALL))


@pytest.mark.parametrize(
    ("group", "some", "none"),
    [
        ("renewals", {"renewal", "defaults", "renewal-refused-idle", "key-rolled"}, {"wrong-key", "expiry", "renewal-default"}),
        ("expiries", {"expiry", "expiry-uncut", "expiry-reset-idle", "own-token-never", "https-expiry"}, {"cut-idle", "clock-ahead-4"}),
        ("own-tokens", {"own-token-renewed", "own-token-never-idle"}, {"expiry"}),
        ("refusals", {"no-credential", "wrong-key", "x509-ca-expired", "clock-behind-6"}, {"clock-behind-4", "x509-ca"}),
        ("clocks", {"clock-ahead-4", "clock-behind-6"}, {"expired-at-start"}),
        ("certificates", {"x509-ca", "x509-thumbprint-mismatch"}, {"wrong-key"}),
        ("faults", {"renewal-refused", "takeover-idle", "hub-restart"}, {"expiry", "network-drop-half-open-long"}),
        ("network", {"hub-restart", "network-drop-rst-idle"}, {"cut-idle"}),
        ("https", {"https-renewal", "https-expiry-listening"}, {"renewal"}),
    ],
)  # fmt: skip
def test_a_group_is_what_its_scenarios_have_in_common(group: str, some: set[str], none: set[str]) -> None:
    """By their documents."""
    found = set(chosen(group))
    assert some <= found
    assert not none & found


def test_every_scenario_is_in_a_group_besides_all() -> None:
    """But for those of a device that is let in by a good token of its own and meets nothing."""
    grouped = {one.id for name in GROUPS if name != ALL for one in members(name, KNOWN)}
    assert set(KNOWN) == grouped


def test_no_scenario_has_the_name_of_a_group() -> None:
    """Else one of the two could not be asked for."""
    assert not set(GROUPS) & set(KNOWN)


def test_names_and_groups_together() -> None:
    """Each scenario once, in the order asked for."""
    assert chosen("x509-ca", "certificates", "x509-ca")[:2] == ["x509-ca", "x509-ca-expired"]
    assert len(chosen("certificates", "x509-ca")) == len(chosen("certificates"))


def test_of_a_group_comes_what_the_transports_allow() -> None:
    """A scenario that was named comes all the same: what is wrong with it, the plan says."""
    assert "expiry-close" not in chosen("expiries", transports=["mqtt"])
    assert "connack-lost" not in chosen("renewals", offered=["amqp"])
    assert "https-renewal" not in chosen(ALL, offered=["mqtt", "amqp"])
    assert chosen("expiry-close", transports=["mqtt"]) == ["expiry-close"]


def test_a_group_of_which_nothing_can_be_run() -> None:
    """It is an error, not nothing."""
    says = r"--scenario: no scenario of the group 'network' is about https\. Name other transports with --transport"
    with pytest.raises(ScenarioError, match=says):
        chosen("network", transports=["https"])


def test_an_unknown_name_gets_a_suggestion() -> None:
    """With the nearest name, and the groups; else with all there are."""
    with pytest.raises(
        ScenarioError, match=r"unknown scenario 'renewel'\. Did you mean `renewal`\? The groups are all, "
    ):
        chosen("renewel")
    with pytest.raises(
        ScenarioError, match=r"unknown scenario '\?'\. The groups are all, .*; the scenarios clock-ahead-4, "
    ):
        chosen("?")
    with pytest.raises(ScenarioError, match=r"Did you mean `refusals`\?"):
        chosen("refusal")


def test_a_scenario_of_the_users_own_is_in_the_groups_it_fits() -> None:
    """There is no list in which it would have to stand."""
    own = msgspec.structs.replace(KNOWN["x509-ca"], id="mine")
    assert "mine" in [one.id for one in select_scenarios({**KNOWN, "mine": own}, ["certificates"])]
