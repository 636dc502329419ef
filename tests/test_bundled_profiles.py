"""The bundled profiles: what every one of them has to say, and what the comparison needs of their settings."""

import itertools
import json
import math
import re

import pytest
from support.scenarios import bundled_scenarios

from harness.analysis.aftermath import CLEAR_S
from harness.analysis.recovery import REACTION_S
from harness.claims import Claim
from harness.emulation import AmqpEmulation
from harness.law import Law
from harness.profile import Profile, find_profiles

PROFILES = {loaded.profile.sdk: loaded for loaded in find_profiles()}
GRACE_S = 5.0
TOLERANCE_S = 1.0

every_profile = pytest.mark.parametrize("profile", [loaded.profile for loaded in PROFILES.values()], ids=list(PROFILES))


def point(lifetime: float, law: Law) -> float:
    """Seconds after its making at which a token is replaced under `law`."""
    at = {
        "margin": lifetime - law.seconds,
        "fraction": lifetime * law.fraction,
        "hub-cut": lifetime + GRACE_S,
    }
    return at[law.law]


def points(profile: Profile, law: Law) -> list[tuple[float, float]]:
    """(lifetime, seconds after its making) of the renewals at the settings that leave the margin alone."""
    alone = [one.lifetime_s for one in profile.settings if one.margin_s is None and one.lifetime_s is not None]
    return [(lifetime, point(lifetime, law)) for lifetime in alone]


def claims(sdk: str) -> dict[str, Claim]:
    """The SDK's claims by id."""
    return {claim.id: claim for claim in PROFILES[sdk].profile.claims}


def test_the_five_sdks_are_there() -> None:
    """One profile for each SDK, over every transport it has: Python's speaks no AMQP."""
    assert sorted(PROFILES) == ["c", "dotnet", "java", "node", "python"]
    without_amqp = [sdk for sdk, one in PROFILES.items() if one.profile.transports == ("mqtt", "mqtt-ws")]
    assert without_amqp == ["python"]
    others = [one.profile.transports[:4] for sdk, one in PROFILES.items() if sdk != "python"]
    assert set(others) == {("mqtt", "mqtt-ws", "amqp", "amqp-ws")}


@every_profile
def test_https_is_spoken_or_it_is_said_why_not(profile: Profile) -> None:
    """Python's has no HTTP for devices, and nobody has measured .NET's."""
    assert ("https" in profile.transports) == (profile.sdk in {"c", "java", "node"})
    assert ("https" in profile.not_offered) == ("https" not in profile.transports)


@every_profile
def test_two_lifetimes_are_far_enough_apart(profile: Profile) -> None:
    """30 s or a factor of 2, so that margin and fraction cannot both fit within the SDK's polling error."""
    laws = [profile.emulation.over(transport).renewal for transport in profile.transports]
    for law in laws:
        if law.law != "none":  # a token for each request
            assert_far_enough_apart(dict(points(profile, law)))


def assert_far_enough_apart(by_lifetime: dict[float, float]) -> None:
    """The first two of these renewal points by lifetime tell the laws apart."""
    assert len(by_lifetime) >= 2
    (short, at_short), (long, at_long) = sorted(by_lifetime.items())[:2]
    assert long - short >= 30 or long >= 2 * short
    same_margin = abs((short - at_short) - (long - at_long)) <= 2 * TOLERANCE_S
    same_fraction = (at_short - TOLERANCE_S) / short <= (at_long + TOLERANCE_S) / long and (
        at_long - TOLERANCE_S
    ) / long <= (at_short + TOLERANCE_S) / short
    assert not (same_margin and same_fraction)


@every_profile
def test_the_main_settings_show_two_renewals_in_time(profile: Profile) -> None:
    """Two renewals at the first settings and one at each other end within a minute."""
    emulation = profile.emulation
    for index, settings in enumerate(profile.settings):
        law = emulation.renewal
        if settings.margin_s is not None:
            law = Law(law="margin", seconds=settings.margin_s)
        assert settings.lifetime_s is not None
        latest = point(settings.lifetime_s, law) + emulation.renewal_quantum_s + emulation.expiry_offset_s
        assert latest * (2 if index == 0 else 1) <= 55


def refused_s(profile: Profile, transport: str) -> float:
    """When the first renewal at the main settings is refused, in seconds after the first token was made."""
    manners, settings = profile.emulation.over(transport), profile.settings[0]
    assert settings.lifetime_s is not None
    at = point(settings.lifetime_s, manners.renewal)
    if manners.renewal_quantum_s:
        looks = at / manners.renewal_quantum_s
        at = manners.renewal_quantum_s * (int(looks) + 1 if manners.renewal_needs == "passed" else math.ceil(looks))
    by_a_cut = manners.renewal.law == "hub-cut"
    return at + (profile.emulation.expiry_offset_s + manners.reconnect_delay_s if by_a_cut else 0.0)


def retries_s(profile: Profile, transport: str, times: int) -> list[float]:
    """When the SDK tries again by itself, after each of `times` refusals: at the earliest and at the latest."""
    manners = profile.emulation.over(transport)
    waits: tuple[float, ...] = ()
    if isinstance(manners, AmqpEmulation) and manners.after_failed_renewal == "repeats":
        waits = (manners.repeat_delay_s,) * times
    elif manners.after_refusal == "retries" or profile.emulation.after_failed_renewal == "retries-until-renewal":
        waits = manners.refused_retry_s[:times]
    factors = (1 - manners.refused_retry_jitter, 1 + manners.refused_retry_jitter)
    refused = refused_s(profile, transport)
    return [refused + wait * factor for wait in itertools.accumulate(waits) for factor in factors]


@pytest.mark.parametrize("transport", ["mqtt", "amqp"])
@every_profile
def test_no_attempt_of_its_own_looks_like_the_answer_to_a_message(profile: Profile, transport: str) -> None:
    """In the scenario of a refused renewal none is due shortly after a send, so that the two can be told apart.

    Nor is the refusal shortly before one: nothing can be told of the half second after it. Messages begin once the device is open.
    """
    if transport not in profile.transports:
        return
    scenario = bundled_scenarios()["renewal-refused"]
    send_s = scenario.intervals.send_s
    for opening_s in (0.0, 0.5):
        for at in retries_s(profile, transport, scenario.faults[0].times):
            assert (at - opening_s) % send_s > REACTION_S + 0.1
        assert (refused_s(profile, transport) - opening_s) % send_s < send_s - CLEAR_S


@pytest.mark.parametrize("transport", ["mqtt", "amqp"])
@every_profile
def test_a_cut_lies_in_the_middle_between_two_messages(profile: Profile, transport: str) -> None:
    """Neither the attempt that follows it, nor the half a second in which nothing can be told, meets one."""
    if transport not in profile.transports:
        return
    scenario = bundled_scenarios()["cut-sending"]
    assert scenario.token_lifetime_s is not None
    half, send_s = scenario.token_lifetime_s / 2, scenario.intervals.send_s
    back = profile.emulation.over(transport).reconnect_delay_s
    for cut in (half - 0.5, half):  # the expiry stands in whole seconds
        assert (cut + back) % send_s > REACTION_S + 0.1
        assert cut % send_s < send_s - CLEAR_S


@pytest.mark.parametrize("sdk", ["node", "dotnet"])
def test_a_configurable_renewal_point_is_tried(sdk: str) -> None:
    """Where the documents call it configurable, one lifetime stands there with two margins."""
    settings = PROFILES[sdk].profile.settings
    pairs = [
        (one, other)
        for one, other in itertools.combinations(settings, 2)
        if one.lifetime_s == other.lifetime_s
        and (one.margin_s, one.margin_percent) != (other.margin_s, other.margin_percent)
    ]
    assert pairs
    assert claims(sdk)["renewal-point-configurable"].value is True


def test_python_disconnects_at_lifespan_in_microsofts_words() -> None:
    """The statement that the measurement is held against, beside the 120 s of the same row."""
    of = claims("python")
    assert of["disconnect-point"].value == Law(law="lifespan", seconds=0)
    assert of["renewal-point"].value == Law(law="margin", seconds=120)
    assert "troubleshoot" in of["disconnect-point"].source.document


@pytest.mark.parametrize("sdk", ["java", "dotnet"])
def test_java_and_dotnet_disconnect_after_the_grace(sdk: str) -> None:
    """The table's ten minutes are the hub's grace; both informational events and errors are logged."""
    assert claims(sdk)["disconnect-point"].value == Law(law="hub-cut")
    assert claims(sdk)["hub-log-levels"].value == "informational+error"
    assert claims(sdk)["hub-log"].value == ("401003", "404104", "connect")


def test_the_recommendation_of_the_c_sdk_is_put_to_the_test() -> None:
    """The article about 401003 names it as the remedy: then its renewal leaves no error in the hub's log."""
    claim = claims("c")["hub-log-levels"]
    assert claim.value == "informational"
    assert claim.source.section == "401003 IotHubUnauthorized error"


@every_profile
def test_claims_every_profile_makes(profile: Profile) -> None:
    """The lifetime of an hour, whether it can be set, the renewal point, and what happens there."""
    of = {claim.kind: claim for claim in profile.claims if claim.when.scenario is None}
    assert of["token-lifetime"].value == 3600
    assert {"lifetime-configurable", "renewal-point", "disconnect-point", "renewal-action"} <= set(of)


@every_profile
def test_sources_can_be_looked_up(profile: Profile) -> None:
    """A document has a section and an address; a measurement says how it was made. Dates are ISO, a measurement's may be a month."""
    for claim in profile.claims:
        source = claim.source
        assert source.section
        measured = source.document == "measured"
        assert measured or source.url.startswith("https://")
        assert re.fullmatch(r"\d{4}-\d\d(-\d\d)?" if measured else r"\d{4}-\d\d-\d\d", source.date)


@pytest.mark.parametrize("sdk", ["node", "python"])
def test_a_device_program_stands_beside_its_profile(sdk: str) -> None:
    """The others are emulated."""
    adapter = PROFILES[sdk].profile.adapter
    assert adapter is not None
    assert (PROFILES[sdk].folder / adapter.command[1]).is_file()
    assert set(adapter.transports) <= set(PROFILES[sdk].profile.transports)


def test_nodes_packages_are_pinned_to_the_version_of_the_profile() -> None:
    """Exactly, and by their digests; the registry they come from is the user's own."""
    node = PROFILES["node"]
    wanted = json.loads((node.folder / "package.json").read_text())["dependencies"]
    locked = json.loads((node.folder / "package-lock.json").read_text())["packages"]
    installed = {name: package for name, package in locked.items() if name}
    assert wanted["azure-iot-device"] == node.profile.version
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert [name for name, package in installed.items() if "integrity" not in package or "resolved" in package] == []
