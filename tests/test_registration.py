"""Tests of how a scenario says that the hub knows its device, and how the application's token is made: what is refused, and what is taken for a refusal."""

from pathlib import Path

import pytest
from support.scenarios import bundled_scenarios

from harness.errors import ScenarioError
from harness.scenario import Scenario, load_scenario

KEY = """
schema = 1
id = "mine"
title = "Mine"
credential = "key"
settings = "none"
traffic = []
[end]
first_refusals = 1
after_s = 1.0
limit_s = 5.0
"""
TOKEN = KEY.replace('"key"', '"token"\ntoken_lifetime_s = 60')
POLICY = '[device.policies]\nservice = ["ServiceConnect"]\n[token]\npolicy = "service"\n[end]'
REFUSED = {
    "no-credential", "unknown-device", "wrong-key", "rule-not-allowed", "malformed-token", "token-cut-off", "expired-at-start",
    "device-disabled", "clock-behind-6", "clock-behind-6-process", "x509-thumbprint-mismatch", "x509-ca-expired", "x509-ca-unknown",
    "x509-ca-unsupported",
}  # fmt: skip


def made(folder: Path, base: str, section: str) -> Scenario:
    """The scenario with a section before its end."""
    path = folder / "mine.toml"
    path.write_text(base.replace("[end]", section if "[end]" in section else f"{section}\n[end]"))
    return load_scenario(path)


def test_the_bundled_scenarios_that_refuse_from_the_start() -> None:
    """Each waits for a first refusal, and for nothing else; a clock that is ahead refuses nobody."""
    known = bundled_scenarios().values()
    assert {one.id for one in known if one.refused_at_first} == REFUSED
    assert {one.id for one in known if one.end.first_refusals} == REFUSED


@pytest.mark.parametrize(
    "section",
    [
        "[device]\nregistered = false",
        '[device]\nstatus = "disabled"',
        '[device]\nkey = "another"',
        '[token]\nform = "garbled"',
        '[token]\nform = "cut-off"',
        "[device]\nclock_ahead_s = -361",
        POLICY,
    ],
)
def test_what_refuses_a_device_its_first_connection(tmp_path: Path, section: str) -> None:
    """With a token of a minute, and the service's five minutes of skew."""
    assert made(tmp_path, TOKEN, section).refused_at_first


@pytest.mark.parametrize(
    "section",
    ["[device]\nclock_ahead_s = -359", "[device]\nclock_ahead_s = 361", POLICY.replace("Service", "Device")],
)
def test_what_does_not(tmp_path: Path, section: str) -> None:
    """A drift within the skew, a clock that is ahead, a policy that lets devices connect."""
    assert not made(tmp_path, TOKEN.replace("first_refusals = 1\n", ""), section).refused_at_first


def test_a_token_that_is_over_is_within_the_skew_for_a_while(tmp_path: Path) -> None:
    """And needs no lifetime."""
    base = KEY.replace('"key"', '"token"')
    assert made(tmp_path, base, "[token]\nover_s = 301").refused_at_first
    within = made(tmp_path, base.replace("first_refusals = 1\n", ""), "[token]\nover_s = 299")
    assert (within.refused_at_first, within.presents) == (False, ("expired-token",))


@pytest.mark.parametrize(("shifted", "process_s", "hub_s"), [("hub", 0.0, 361.0), ("process", -361.0, 0.0)])
def test_one_of_the_two_clocks_is_shifted(tmp_path: Path, shifted: str, process_s: float, hub_s: float) -> None:
    """The hub's for this device the other way, or that of the device's process; refused is it either way."""
    scenario = made(tmp_path, TOKEN, f'[device]\nclock_ahead_s = -361\nclock_shifted = "{shifted}"')
    assert scenario.refused_at_first
    assert (scenario.device.process_ahead_s, scenario.device.hub_ahead_s) == (process_s, hub_s)


def test_what_has_to_be_presented() -> None:
    """For a profile to say that its SDK cannot."""
    asked = {name: one.presents for name, one in bundled_scenarios().items() if one.presents}
    assert asked == {
        "no-credential": ("no-credential",),
        "rule-not-allowed": ("policy-token",),
        "malformed-token": ("malformed-token",),
        "token-cut-off": ("malformed-token",),
        "expired-at-start": ("expired-token",),
    }


@pytest.mark.parametrize(
    ("base", "section", "says"),
    [
        (KEY, POLICY, r"mine\.toml: token: .*the application has none\. Use credential = \"token\""),
        (KEY.replace('"key"', '"none"'), '[token]\nform = "garbled"', r"token: .*has none"),
        (TOKEN, '[token]\npolicy = "service"', r"token\.policy: the hub has no policy 'service'\. Add it"),
        (TOKEN, "[token]\nover_s = 0", r"token\.over_s: is not above 0"),
        (TOKEN, "[token]\nover_s = 1e9", r"token\.over_s: .*above ten years"),
        (TOKEN, "[token]\nover_s = 600", r"token\.over_s: contradicts token_lifetime_s"),
        (TOKEN, "[device]\nclock_ahead_s = -1e9", r"device\.clock_ahead_s: is more than ten years"),
        (TOKEN, "[device]\nclock_ahead_s = nan", r"device\.clock_ahead_s: nan is no number to calculate with"),
        (TOKEN, '[device]\nclock_shifted = "process"', r"device\.clock_shifted: shifts nothing\. Say by clock_ahead_s"),
        (KEY, '[device]\nregistered = false\nkey = "another"', r"device\.registered: .*neither status nor key"),
        (KEY, '[device]\nregistered = false\nstatus = "disabled"', r"device\.registered: .*neither status nor key"),
        (KEY.replace('"key"', '"none"'), '[device]\nkey = "another"', r"device\.key: nothing is signed with the device's key"),
        (TOKEN, '[device]\nkey = "another"\n' + POLICY, r"device\.key: nothing is signed"),
        (TOKEN, POLICY.replace("service", '"a b"', 1).replace('"service"', '"a b"'), r"device\.policies\.a b: is no name"),
        (TOKEN, '[device.policies]\nservice = ["ServiceConnect"]', r"device\.policies\.service: signs no token"),
        (TOKEN, '[device.policies]\nservice = ["Everything"]', r"device\.policies.*unknown value 'Everything'"),
        (KEY, '[device]\nkey = "none"', r"device\.key: unknown value 'none'\. Known here: own, another"),
        (KEY, "[device]\nclock_ahead_s = 1", r"end\.first_refusals: nothing refuses this device its first connection"),
        (KEY.replace("first_refusals = 1\n", ""), "[device]\nregistered = false", r"end\.first_refusals: is 0, and this device is never let in"),
        (KEY + "renewals = 1\n", "[device]\nregistered = false", r"end\.renewals: is not to be seen"),
        (KEY, '[device]\nregistered = false\n[[faults]]\nat = "half-life"\naction = "cut"', r"faults: strike a device that was let in"),
        (KEY.replace("refusals = 1", "refusals = -1"), "[device]\nregistered = false", r"end\.first_refusals: is below 0"),
        (KEY.replace('"key"', '"token"'), "[device]\nregistered = false", r"token_lifetime_s: goes with"),
    ],
)  # fmt: skip
def test_contradictions_are_refused(tmp_path: Path, base: str, section: str, says: str) -> None:
    """With file, field and remedy, before anything starts."""
    with pytest.raises(ScenarioError, match=says):
        made(tmp_path, base, section)
