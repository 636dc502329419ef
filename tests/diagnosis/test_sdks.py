"""SDKs by what they call themselves and by their rhythm; lifetimes and graces."""

import pytest

from harness.diagnosis.sdks import LAWS, by_rhythm, by_version, token_of
from harness.profile import LoadedProfile, find_profiles

BUNDLED = find_profiles()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", None),
        ("azure-iot-device-iothub-py/2.14.0(3.11.7;Linux;x86_64)", "python 2.14.0"),
        ("azure-iot-device/1.18.4 (node v20.20.2; Debian 12; x64)", "node 1.18.4"),
        ("com.microsoft.azure.sdk.iot.iot-device-client/2.5.0 (17.0.15; Linux; amd64)", "java 2.5.0"),
        ("com.microsoft.azure.iothub-java-client/1.7.23", "java 1.7.23"),
        (".NET/1.38.0 (.NET Core 3.1.19; Microsoft Windows 10.0.22000; X64; {a})", "dotnet 1.38.0"),
        ("Microsoft.Azure.Devices.Client/1.2.0", "dotnet 1.2.0"),
        ("iothubclient/1.14.0 (native; Linux; x86_64)", "c 1.14.0"),
        ("C + (OSSimplified = Eclipse ThreadX)", "embedded-c"),
        ("acme-iot/1.4.0", "acme-iot 1.4.0"),
        ("acme", "acme"),
        ("/", None),
    ],
)
def test_by_version(text: str, named: str | None) -> None:
    """An SDK that is not known has the name that it gives itself."""
    assert by_version(text) == named


@pytest.mark.parametrize("loaded", BUNDLED, ids=lambda loaded: loaded.profile.sdk)
def test_bundled_profiles_agree(loaded: LoadedProfile) -> None:
    """On the name and on the law over MQTT."""
    profile, emulation = loaded.profile, loaded.profile.emulation
    assert by_version(emulation.user_agent) == f"{profile.sdk} {profile.version}"
    law = LAWS[profile.sdk]
    assert emulation.renewal.law == law.kind
    assert law.parameter == (emulation.renewal.seconds or emulation.renewal.fraction or 0)


@pytest.mark.parametrize(
    ("period", "protocol", "cut", "named"),
    [
        (2700, "Mqtt", False, "node (by its rhythm)"),
        (2881, "MqttWs", False, "c (by its rhythm)"),
        (3479, "mqtt", False, "python (by its rhythm)"),
        (1234, "Mqtt", False, None),
        (4200, "Mqtt", True, "java or dotnet (by its rhythm)"),
        (25, "Mqtt", True, None),
        (2700, "Amqp", False, None),
        (2700, "", False, None),
        (None, "Mqtt", True, None),
    ],
)
def test_by_rhythm(period: float | None, protocol: str, cut: bool, named: str | None) -> None:  # noqa: FBT001 - a table
    """Only at the defaults, and over MQTT, does it tell."""
    assert by_rhythm(period, protocol, cut=cut) == named


@pytest.mark.parametrize(
    ("sdk", "period", "cut", "token"),
    [
        pytest.param("java 2.5.0", 4201, True, (3600, 600), id="the default, and the documented grace"),
        pytest.param(None, 3902, True, (3600, 300), id="the default, and the grace that was seen"),
        pytest.param("dotnet 1.38.0", 1801, True, (1200, 600), id="the documentation's example"),
        pytest.param(None, 902, True, (300, 600), id="its other example"),
        pytest.param(None, 450, True, (150, 300), id="too short for the documented grace"),
        pytest.param(None, 25, True, (None, None), id="too short for either"),
        pytest.param("node 1.18.4", 2700, False, (3600, None), id="margin"),
        pytest.param("c 1.14.0", 2881, False, (3600, None), id="fraction"),
        pytest.param("python 2.14.0", 57, False, (177, None), id="to the second"),
        pytest.param("java 2.5.0", 2700, False, (None, None), id="not its way"),
        pytest.param(None, 2700, False, (None, None), id="unknown"),
        pytest.param("java", None, True, (None, None), id="no rhythm"),
    ],
)
def test_tokens(sdk: str | None, period: float | None, cut: bool, token: tuple[int | None, int | None]) -> None:  # noqa: FBT001 - a table
    """Lifetime and grace."""
    assert token_of(sdk, period, cut=cut) == token
