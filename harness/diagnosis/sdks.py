"""Which SDK a device uses: by the `sdkVersion` of its connects, else by its rhythm; and what the rhythm says of its token.

The beginnings of `sdkVersion` stand in "Monitor IoT Hub" (SDK version); that of the SDK for C is the old one for Python, too. How each SDK renews over MQTT
at its defaults stands in "Monitor, diagnose, and troubleshoot Azure IoT Hub device connectivity" and, for C and Python, in the profiles: both are
the same as those of the bundled profiles, which a test sees to.
"""

import re
from typing import Final, Literal, NamedTuple

__all__ = ["DEFAULT_LIFETIME_S", "LAWS", "Law", "Token", "by_rhythm", "by_version", "token_of"]

_PREFIXES: Final = (
    ("azure-iot-device-iothub-py", "python"),
    ("azure-iot-device", "node"),
    ("com.microsoft.azure.sdk.iot.iot-device-client", "java"),
    ("com.microsoft.azure.iothub-java-client", "java"),
    ("microsoft.azure.devices.client", "dotnet"),
    (".net", "dotnet"),
    ("iothubclient", "c"),
    ("c", "embedded-c"),
)
_VERSION: Final = re.compile(r"\s*(?P<name>[^/(\s]+)\s*(/\s*(?P<version>[^\s(;]+))?")

DEFAULT_LIFETIME_S: Final = 3600
_GRACES_S: Final = (600, 300)
"""How long the service keeps a connection whose token has expired: as documented, and as it was seen. The former where both fit."""
_NEAR: Final = 0.01
_MINUTE_S: Final = 60


class Law(NamedTuple):
    """How an SDK renews by itself: `parameter` seconds before the token's end (`margin`), or at that part of its life (`fraction`)."""

    kind: Literal["margin", "fraction", "hub-cut"]
    parameter: float = 0.0

    def lifetime_s(self, period_s: float) -> float:
        """The token's lifetime, of which a new one is taken after `period_s`."""
        return period_s + self.parameter if self.kind == "margin" else period_s / self.parameter


LAWS: Final = {
    "node": Law("margin", 900),
    "c": Law("fraction", 0.8),
    "python": Law("margin", 120),
    "java": Law("hub-cut"),
    "dotnet": Law("hub-cut"),
}


class Token(NamedTuple):
    """What a token's lifetime and the service's grace are likely to be, in seconds; None where nothing tells."""

    lifetime_s: int | None = None
    grace_s: int | None = None


def by_version(text: str) -> str | None:
    """The SDK and its version, as `python 2.14.0`; of one that is not known the name it gives itself; None for an empty text."""
    match = _VERSION.match(text)
    if match is None:
        return None
    given = match["name"].lower()
    name = next((sdk for prefix, sdk in _PREFIXES if given == prefix), match["name"])
    return f"{name} {match['version']}" if match["version"] else name


def by_rhythm(period_s: float | None, protocol: str, *, cut: bool) -> str | None:
    """Which SDKs renew so over MQTT at their defaults; None where that tells nothing, as over AMQP."""
    if period_s is None or not protocol.lower().startswith("mqtt"):
        return None
    if cut:
        fits = (
            [name for name, law in LAWS.items() if law.kind == "hub-cut"]
            if token_of(None, period_s, cut=True)[0]
            else []
        )
    else:
        own = ((name, law) for name, law in LAWS.items() if law.kind != "hub-cut")
        fits = [name for name, law in own if _is_default(law.lifetime_s(period_s))]
    return f"{' or '.join(fits)} (by its rhythm)" if fits else None


def token_of(sdk: str | None, period_s: float | None, *, cut: bool) -> Token:
    """What follows from a connection's usual length `period_s`: `cut` by the hub, or ended by the device, whose `sdk` is as `by_version` names it."""
    if period_s is None:
        return Token()
    if cut:
        return _cut(period_s)
    law = LAWS.get((sdk or "").partition(" ")[0])
    if law is None or law.kind == "hub-cut":
        return Token()
    return Token(_rounded(law.lifetime_s(period_s)))


def _cut(period_s: float) -> Token:
    """Lifetime and grace together are the period: the default lifetime with either grace, else the documented one where that leaves something."""
    defaults = [grace for grace in _GRACES_S if _is_default(period_s - grace)]
    fits = defaults or [grace for grace in _GRACES_S if period_s > grace + _MINUTE_S / 2]
    return Token(_rounded(period_s - fits[0]), fits[0]) if fits else Token()


def _is_default(lifetime_s: float) -> bool:
    return abs(lifetime_s - DEFAULT_LIFETIME_S) <= _NEAR * DEFAULT_LIFETIME_S


def _rounded(lifetime_s: float) -> int:
    """To the default or the minute that is near, since nobody chooses 3602 s."""
    if _is_default(lifetime_s):
        return DEFAULT_LIFETIME_S
    minutes = round(lifetime_s / _MINUTE_S) * _MINUTE_S
    return minutes if minutes and abs(lifetime_s - minutes) <= _NEAR * lifetime_s else round(lifetime_s)
