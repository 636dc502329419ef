"""The open command of the adapter protocol, read and checked for an emulated device."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness import sas
from harness.profile import Profile

__all__ = ["Opening", "parse_open"]

_CREDENTIALS = frozenset({"SharedAccessKey", "SharedAccessSignature", "x509"})
_WILDCARDS = frozenset("+#")


@dataclass(frozen=True, slots=True)
class Opening:
    """What the application asks for. It has the device's `key`, a `token` of its own, a client `certificate`, or, where it only speaks of one, nothing.

    `used`: the settings that `opened` echoes, which are those this SDK has.
    """

    host: str
    device_id: str
    key: str | None
    token: str | None
    lifetime_s: float | None
    margin_s: float | None
    margin_percent: float | None
    c2d: bool
    methods: bool
    used: Mapping[str, object]
    certificate: bool = False


def parse_open(command: Mapping[str, object], profile: Profile, transport: str) -> Opening:
    """Read an open command.

    Raises:
        ValueError: the command is impossible; the message quotes no secret.
    """
    wanted = command.get("transport", transport)
    if wanted != transport:
        raise ValueError(f"this device was started for {transport}, not for {wanted}")
    parts = _connection_string(command.get("connection_string"))
    if command.get("cert_pem") and "x509" not in parts:
        raise ValueError("cert_pem stands beside a key or a token, and the device has one credential")
    lifetime = margin_s = margin_percent = None
    if "SharedAccessKey" in parts:
        lifetime = _seconds(command, "lifetime_s")
    if profile.emulation.margin_setting == "margin-s":
        margin_s = _seconds(command, "margin_s")
    if profile.emulation.margin_setting == "margin-percent":
        margin_percent = _seconds(command, "margin_percent")
    used = {
        "transport": transport, "lifetime_s": lifetime, "margin_s": margin_s, "margin_percent": margin_percent,
        "c2d": _switch(command, "c2d") or None, "methods": _switch(command, "methods") or None,
    }  # fmt: skip
    return Opening(
        host=parts["HostName"],
        device_id=parts["DeviceId"],
        key=parts.get("SharedAccessKey"),
        token=parts.get("SharedAccessSignature"),
        lifetime_s=lifetime,
        margin_s=margin_s,
        margin_percent=margin_percent,
        c2d=_switch(command, "c2d"),
        methods=_switch(command, "methods"),
        used={name: value for name, value in used.items() if value is not None},
        certificate=bool(command.get("cert_pem")),
    )


def _connection_string(text: object) -> dict[str, str]:
    if not isinstance(text, str) or not text.isascii() or not text.isprintable():
        raise ValueError("connection_string is missing or holds characters that cannot stand in one")
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    for name in ("HostName", "DeviceId"):
        if not parts.get(name):
            raise ValueError(f"connection_string has no {name}")
    if _WILDCARDS & set(parts["DeviceId"]):
        raise ValueError("DeviceId holds a character that cannot stand in an MQTT topic")
    if len(_CREDENTIALS & set(parts)) != 1:
        raise ValueError("connection_string needs either a SharedAccessKey or a SharedAccessSignature, or x509=true")
    _check_credential(parts)
    return parts


def _check_credential(parts: Mapping[str, str]) -> None:
    try:
        sas.decode_key(parts.get("SharedAccessKey", ""))
    except ValueError:
        raise ValueError("SharedAccessKey is no base64") from None


def _seconds(command: Mapping[str, object], name: Literal["lifetime_s", "margin_s", "margin_percent"]) -> float | None:
    value = command.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LONGEST_S:
        raise ValueError(f"{name} is no number of at least 0")
    return value


_LONGEST_S = 1e11  # beyond it, times in seconds lose their fractions


def _switch(command: Mapping[str, object], name: Literal["c2d", "methods"]) -> bool:
    value = command.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"{name} is neither true nor false")  # noqa: TRY004 - a fault of the command, not of our types
    return value
