"""Tests of the plan: the matrix, its obstacles, and a developer's own settings."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.scenarios import bundled_scenarios

from harness.emulation import Emulation
from harness.errors import ScenarioError, UserInputError
from harness.law import Law
from harness.plan import Cell, DeviceChoice, Overrides, Request, make_plan, parse_margin
from harness.profile import AdapterProgram, Cannot, KnownVersion, LoadedProfile, OtherVersions, Profile, Settings

SCENARIOS = bundled_scenarios()
PROGRAM = AdapterProgram(command=("{python}", "device.py"), runtime="python", transports=("mqtt",))


def profile(sdk: str = "one", *, real: bool = False, **changes: Any) -> LoadedProfile:
    """A small profile."""
    adapter = changes.pop("adapter", PROGRAM if real else None)
    fields: dict[str, Any] = {
        "transports": ("mqtt", "mqtt-ws"),
        "settings": (Settings(lifetime_s=130), Settings(lifetime_s=170)),
        "lifetime_min_s": 121,
        **changes,
    }
    emulation = Emulation(
        user_agent="x",
        api_version="1",
        keep_alive_s=60,
        default_lifetime_s=3600,
        renewal=Law(law="margin", seconds=120),
    )
    return LoadedProfile(
        Profile(
            schema=1,
            sdk=sdk,
            name=f"SDK {sdk}",
            language="X",
            version="1.0",
            emulation=emulation,
            adapter=adapter,
            **fields,
        ),
        Path(),
    )


def plan(*profiles: LoadedProfile, scenario: str = "renewal", problem: str = "", **request: Any) -> list[Cell]:
    """The plan for a request in one scenario."""
    return make_plan(profiles or (profile(),), [SCENARIOS[scenario]], Request(**request), lambda _: problem)


def test_every_setting_on_every_transport_is_a_cell_of_its_own() -> None:
    """With a readable name that no other cell has."""
    ids = [cell.id for cell in plan(device="emulated")]
    assert ids == [
        "one-1.0-mqtt-renewal-L130-emulated-1",
        "one-1.0-mqtt-renewal-L170-emulated-1",
        "one-1.0-mqtt-ws-renewal-L130-emulated-1",
        "one-1.0-mqtt-ws-renewal-L170-emulated-1",
    ]


def test_the_main_setting_waits_for_more_renewals_than_the_others() -> None:
    """The others only let the law show."""
    assert [cell.awaited_renewals for cell in plan(transports=["mqtt"])] == [2, 1]


def test_repeats_are_cells_too() -> None:
    """For gaps with a median."""
    assert [cell.repeat for cell in plan(transports=["mqtt"], repeat=2)] == [1, 2, 1, 2]


def test_the_real_sdk_is_used_where_it_can_be() -> None:
    """Otherwise it is emulated, and the cell says why."""
    assert {cell.device for cell in plan(profile(real=True))} == {"real"}
    emulated = plan(profile(real=True), problem="Python is missing")
    assert {(cell.device, cell.why_emulated) for cell in emulated} == {("emulated", "Python is missing")}


def test_an_emulated_device_that_was_asked_for_needs_no_excuse() -> None:
    """Nothing kept the real one away."""
    asked = plan(profile(real=True), problem="Python is missing", device="emulated")
    assert {(cell.device, cell.why_emulated) for cell in asked} == {("emulated", "")}


@pytest.mark.parametrize(
    ("device", "transport", "scenario", "found"),
    [
        ("real", "mqtt", "no-credential", ("unsupported", "no call")),
        ("real", "mqtt", "wrong-key", ("", "")),
        ("real", "mqtt-ws", "no-credential", ("", "")),
        ("emulated", "mqtt", "no-credential", ("", "")),
    ],
)
def test_what_an_sdk_cannot_present_is_unsupported(
    device: DeviceChoice, transport: str, scenario: str, found: tuple[str, str]
) -> None:
    """Over the transports named, with the call that is missing; an emulated device presents everything."""
    both = msgspec.structs.replace(PROGRAM, transports=("mqtt", "mqtt-ws"))
    cannot = (Cannot(present="no-credential", why="no call", transports=("mqtt",)),)
    (cell,) = plan(profile(adapter=both, cannot=cannot), scenario=scenario, transports=[transport], device=device)
    assert (cell.status, cell.why_not) == found


@pytest.mark.parametrize(
    ("loaded", "request_", "problem", "status", "why"),
    [
        (profile(real=True), {"device": "real"}, "Java is missing", "environment", "Java is missing"),
        (profile(transports=("mqtt",)), {"transports": ["mqtt-ws"]}, "", "unsupported", "not known to offer mqtt-ws"),
        (profile(real=True), {"transports": ["mqtt-ws"]}, "", "unsupported", "the device program speaks mqtt"),
    ],
)
def test_what_cannot_run_says_why(
    loaded: LoadedProfile, request_: dict[str, Any], problem: str, status: str, why: str
) -> None:
    """It is a cell all the same: nothing passes silently."""
    (cell, *_) = plan(loaded, problem=problem, **request_)
    assert cell.status == status
    assert why in cell.why_not


@pytest.mark.parametrize(
    ("changes", "why"),
    [({}, "SDK one is not known to offer https"), ({"not_offered": {"https": "has none"}}, "SDK one has none")],
)
def test_a_transport_that_is_lacking(changes: dict[str, Any], why: str) -> None:
    """Its profile may say why."""
    (cell, *_) = plan(profile(**changes), scenario="https-renewal", transports=["https"])
    assert (cell.status, cell.why_not.startswith(why)) == ("unsupported", True)


def test_a_lacking_transport_has_its_cell_where_the_scenario_is_about_it() -> None:
    """So that the table says so; other scenarios have none."""
    lacking = profile(not_offered={"https": "has none"})
    assert {cell.transport for cell in plan(lacking, scenario="https-renewal")} == {"https"}
    assert {cell.transport for cell in plan(lacking)} == {"mqtt", "mqtt-ws"}


def test_a_scenario_about_connections_has_no_cell_over_https() -> None:
    """Unless it names it, a scenario is about the transports over which a device is connected."""
    assert {cell.transport for cell in plan(profile(transports=("mqtt", "https")))} == {"mqtt"}
    with pytest.raises(UserInputError, match="'renewal' is not about https"):
        plan(transports=["https"])


def test_a_cell_over_https_has_the_traffic_that_is_meant_for_it() -> None:
    """There an idle application shows nothing."""
    cells = plan(profile(transports=("mqtt", "https")), scenario="wrong-key")
    assert {cell.transport: cell.scenario.traffic for cell in cells} == {"mqtt": (), "https": ("sending",)}


def test_a_cell_that_awaits_a_refused_request_takes_until_then() -> None:
    """The token's life and the skew; then what the scenario adds."""
    (cell,) = plan(profile(transports=("https",)), scenario="https-expiry")
    assert cell.expected_s == 10 + 2.5 + 12


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"sdks": ["onne"]}, "--sdk: unknown SDK 'onne'. Did you mean `one`?"),
        (
            {"sdks": ["one@9"]},
            "--sdk: one@9 cannot be run. This profile is about version 1.0, and does not say how others are installed: use --sdk one",
        ),
        ({"transports": ["mqtt5"]}, "--transport: unknown transport 'mqtt5'. Did you mean `mqtt`?"),
    ],
)
def test_unknown_names_are_the_users_error(request_: dict[str, Any], says: str) -> None:
    """With the nearest known name."""
    with pytest.raises(UserInputError) as caught:
        plan(**request_)
    assert str(caught.value) == says


def test_the_version_of_the_profile_can_be_named() -> None:
    """As `sdk@version`."""
    assert plan(sdks=["one@1.0"])


def test_a_developers_own_settings_replace_the_profiles() -> None:
    """What is left out stays the profile's main setting."""
    (cell,) = plan(transports=["mqtt"], overrides=Overrides(margin_s=7))
    assert cell.settings == Settings(lifetime_s=130, margin_s=7)
    (cell,) = plan(
        profile(settings=(Settings(lifetime_s=130, margin_s=5),)),
        transports=["mqtt"],
        overrides=Overrides(lifetime_s=200),
    )
    assert cell.settings == Settings(lifetime_s=200, margin_s=5)


def test_an_impossible_lifetime_is_refused_before_anything_starts() -> None:
    """It names the SDK and the bounds."""
    with pytest.raises(
        ScenarioError, match=r"for one: lifetime_s = 60 is outside 121 to .* Change them, or name other SDKs"
    ):
        plan(overrides=Overrides(lifetime_s=60))


def test_the_bounds_of_a_lifetime_are_told_to_the_second() -> None:
    """Rounded, they would lead to the next refusal."""
    days = profile(lifetime_min_s=1.5, lifetime_max_s=2_148_383)
    with pytest.raises(ScenarioError, match=r"lifetime_s = 2592000 is outside 1\.5 to 2148383 s,"):
        plan(days, overrides=Overrides(lifetime_s=2_592_000))


@pytest.mark.parametrize("scenario", ["renewal", "defaults", "expiry"])
@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (Overrides(lifetime_s=float("nan")), "--lifetime: nan is no number"),
        (Overrides(lifetime_s=float("inf")), "--lifetime: inf is no number"),
        (Overrides(margin_s=float("inf")), "--margin: inf is no number"),
        (Overrides(margin_percent=float("nan")), "--margin: nan is no number"),
        (Overrides(lifetime_s=1e300), r"--lifetime: 1e\+300 s is no lifetime of a token\. Use seconds above 0"),
        (Overrides(lifetime_s=-5), "--lifetime: -5 s is no lifetime of a token"),
    ],
)
def test_settings_no_token_can_have_are_refused(scenario: str, overrides: Overrides, says: str) -> None:
    """Whether the scenario makes use of them or not."""
    with pytest.raises(UserInputError, match=says):
        plan(scenario=scenario, overrides=overrides)


def test_a_lifetime_reaches_the_fixed_token_too() -> None:
    """In scenarios where the application supplies it."""
    (cell, _) = plan(scenario="expiry", overrides=Overrides(lifetime_s=33))
    assert cell.scenario.token_lifetime_s == 33


@pytest.mark.parametrize(
    ("overrides", "limit"),
    [(Overrides(), 70.0), (Overrides(lifetime_s=300), 2 * 180 + 12), (Overrides(lifetime_s=300, margin_s=100), 2 * 200 + 12),
     (Overrides(lifetime_s=300, margin_percent=50), 2 * 150 + 12)],
)  # fmt: skip
def test_a_long_lifetime_gets_the_time_it_needs(overrides: Overrides, limit: float) -> None:
    """The scenario's limit is a floor."""
    assert plan(transports=["mqtt"], overrides=overrides)[0].limit_s == limit


@pytest.mark.parametrize(
    ("text", "margin"),
    [("20", Overrides(margin_s=20)), ("2.5s", Overrides(margin_s=2.5)), ("15%", Overrides(margin_percent=15))],
)
def test_a_margin_is_seconds_or_percent(text: str, margin: Overrides) -> None:
    """As the SDKs have it."""
    assert parse_margin(text, Overrides()) == margin


@pytest.mark.parametrize("text", ["", "-3", "a lot", "15 %%"])
def test_another_margin_is_refused(text: str) -> None:
    """With both forms as the remedy."""
    with pytest.raises(UserInputError, match="Write --margin 20 or --margin 15%"):
        parse_margin(text, Overrides())


def test_no_two_cells_share_a_name() -> None:
    """Not even where the names of their settings are written alike, or differ in what a file system does not tell apart."""
    alike = (Settings(lifetime_s=130.00001), Settings(lifetime_s=130.00002))
    cells = plan(profile(settings=alike), profile("One", settings=alike), transports=["mqtt"])
    names = [cell.id.lower() for cell in cells]
    assert len(names) == 4
    assert len(set(names)) == 4


def test_a_name_fits_a_device_id() -> None:
    """However long the SDK's is."""
    assert all(len(cell.id) <= 128 for cell in plan(profile("x" * 300)))


BOTH = profile("both", transports=("mqtt", "amqp"))


def test_a_scenario_makes_no_cells_on_other_transports() -> None:
    """Where it names its own."""
    cells = make_plan([BOTH, profile()], [SCENARIOS["expiry-close"], SCENARIOS["expiry"]], Request(), lambda _: "")
    assert [(cell.profile.profile.sdk, cell.scenario.id, cell.transport) for cell in cells] == [
        ("both", "expiry", "mqtt"),
        ("both", "expiry-close", "amqp"),
        ("both", "expiry", "amqp"),
        ("one", "expiry", "mqtt"),
        ("one", "expiry", "mqtt-ws"),
    ]


def test_a_transport_that_a_scenario_is_not_about() -> None:
    """Asked for together, they are a mistake."""
    says = r"--transport: the scenario 'expiry-close' is not about mqtt\. It is about amqp, amqp-ws"
    with pytest.raises(UserInputError, match=says):
        plan(BOTH, scenario="expiry-close", transports=["mqtt"])


def test_a_scenario_that_no_sdk_can_be_in() -> None:
    """Nothing passes silently."""
    says = r"--scenario: the scenario 'expiry-close' is about amqp, amqp-ws, which no SDK asked for .* Name other SDKs than one"
    with pytest.raises(UserInputError, match=says):
        plan(scenario="expiry-close")


@pytest.mark.parametrize("transports", [[], ["mqtt"], ["amqp", "mqtt-ws"]])
def test_an_end_that_a_transport_does_not_have(transports: list[str]) -> None:
    """It is refused before anything starts, with the way out."""
    expiry = SCENARIOS["expiry"]
    asked = msgspec.structs.replace(expiry, hub=msgspec.structs.replace(expiry.hub, close="detach"))
    says = r"scenario expiry: hub\.close = detach is no way to end a connection over mqtt.*--transport amqp,amqp-ws"
    with pytest.raises(UserInputError, match=says):
        make_plan([BOTH], [asked], Request(transports=transports), lambda _: "")
    assert make_plan([BOTH], [asked], Request(transports=["amqp"]), lambda _: "")


def test_the_main_settings_alone() -> None:
    """Where a scenario asks for no others; a developer's own take their place."""
    assert [cell.settings.lifetime_s for cell in plan(scenario="renewal-refused", transports=["mqtt"])] == [130]
    own = plan(scenario="renewal-refused", transports=["mqtt"], overrides=Overrides(lifetime_s=125))
    assert [cell.settings.lifetime_s for cell in own] == [125]


def test_the_longest_lifetime_alone() -> None:
    """Of those that leave the margin to the SDK; where none does, of all."""
    settings = (Settings(lifetime_s=130), Settings(lifetime_s=170), Settings(lifetime_s=190, margin_s=150))
    (cell,) = plan(profile(settings=settings), scenario="renewal-refused-idle", transports=["mqtt"])
    assert (cell.settings.lifetime_s, cell.settings_index) == (170, 0)
    (cell,) = plan(profile(settings=settings[2:]), scenario="renewal-refused-idle", transports=["mqtt"])
    assert cell.settings.lifetime_s == 190


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("renewal-refused", 10 + 25),
        ("cut-idle", 10.5 + 17),
        ("expiry-close", 15 + 56),
        ("takeover", 10.5 + 17),
        ("expiry-reset", 11 + 16),
        ("expiry-uncut", 15 + 12),
        ("slow-connack", 10 + 12),
        ("puback-lost", 2 * 10 + 33),
    ],
)
def test_how_long_a_disturbed_cell_takes(scenario: str, expected: float) -> None:
    """Until the first renewal, half of the token's time, or its end and the grace; and what follows is watched."""
    (cell,) = plan(BOTH, scenario=scenario, transports=["amqp"])
    assert (cell.expected_s, cell.limit_s >= expected + 10) == (expected, True)


OTHERS = OtherVersions(
    install=("get", "{version}", "{part}", "{folder}"), without=("lock",), covers=("<3",), why="3 is another one"
)
SEVERAL = profile(
    "many",
    adapter=msgspec.structs.replace(PROGRAM, install=("lock",), other_versions=OTHERS),
    versions=(KnownVersion(version="0.9", words={"part": "7"}), KnownVersion(version="2.0", words={"part": "8"})),
)


def several(*sdks: str, problem: str = "", device: DeviceChoice = "auto") -> list[Cell]:
    """The cells of one transport and scenario for these versions."""
    request = Request(sdks=sdks, transports=["mqtt"], device=device)
    return make_plan([SEVERAL, profile()], [SCENARIOS["defaults"]], request, lambda _: problem)


def test_several_versions_of_an_sdk_are_cells_side_by_side() -> None:
    """In the order in which they were asked for, each with its own way of being installed."""
    cells = several("many@2.0", "one", "many@0.9", "many@2.0")
    assert [(cell.profile.profile.sdk, cell.profile.profile.version) for cell in cells] == [
        ("many", "2.0"),
        ("one", "1.0"),
        ("many", "0.9"),
    ]
    adapters = [cell.profile.profile.adapter for cell in cells]
    assert [adapter and adapter.install for adapter in adapters] == [
        ("get", "2.0", "8", "{folder}"),
        None,
        ("get", "0.9", "7", "{folder}"),
    ]
    assert len({cell.id for cell in cells}) == 3


def test_the_profiles_own_version_is_run_as_ever() -> None:
    """Named or not, also by another spelling; it is one row."""
    cells = several("many", "many@1.0", "many@1")
    assert [(cell.profile.profile.version, cell.profile.asked, cell.profile.other) for cell in cells] == [
        ("1.0", True, False)
    ]
    assert cells[0].profile.profile.adapter == SEVERAL.profile.adapter


def test_another_version_is_not_emulated() -> None:
    """The profile plays its own: on a machine without the runtime it is `environment`, and asked for, `unsupported`."""
    (real,) = several("many@2.0", problem="no runtime")
    assert (real.device, real.status, real.why_not) == ("real", "environment", "no runtime")
    (emulated,) = several("many@2.0", device="emulated")
    assert (emulated.status, emulated.why_not) == (
        "unsupported",
        "only the real SDK can show it: its profile plays another version",
    )


def test_a_version_that_the_device_program_cannot_have() -> None:
    """It is `unsupported`, and the profile says why."""
    (cell,) = several("many@3.1", problem="no runtime")
    assert (cell.status, cell.why_not) == (
        "unsupported",
        "the device program is made for <3 (3 is another one); others need one of their own, in a profile of their own",
    )


@pytest.mark.parametrize(
    ("version", "says"),
    [
        (
            "1.5",
            "--sdk: many@1.5 cannot be installed: its profile does not say with which part. Use one of 0.9, 1.0, 2.0",
        ),
        ("latest", "--sdk: 'latest' is no version. Write --sdk many@0.9,1.0,2.0"),
        (">=1", "--sdk: '>=1' is no version. Write --sdk many@0.9,1.0,2.0"),
        ("1; rm", "--sdk: '1; rm' is no version. Write"),
    ],
)
def test_a_version_that_cannot_be_had(version: str, says: str) -> None:
    """The ones that can are named."""
    with pytest.raises(UserInputError) as caught:
        several(f"many@{version}")
    assert str(caught.value).startswith(says)


def test_both_devices_stand_side_by_side() -> None:
    """The real one first; where this machine has none, the emulated one alone, with the reason."""
    ids = [(cell.device, cell.why_emulated) for cell in plan(profile(real=True), device="both", transports=("mqtt",))]
    asked = ("emulated", "")
    assert ids == [("real", ""), ("real", ""), asked, asked]
    alone = plan(profile(real=True), device="both", transports=("mqtt",), problem="no runtime")
    assert [(cell.device, cell.why_emulated) for cell in alone] == [("emulated", "no runtime")] * 2
