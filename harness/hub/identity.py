"""Whom the hub knows: one device with its keys, and the hub's shared access policies."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from harness.hub.certificates import Registration
from harness.sas import Scope, decode_key

__all__ = ["DEVICE_CONNECT", "Identity", "SharedAccessPolicy"]

DEVICE_CONNECT = "DeviceConnect"
"""The right a policy must hold for a device to connect with its key."""

Status = Literal["enabled", "disabled"]


@dataclass(frozen=True, slots=True)
class SharedAccessPolicy:
    """A rule of the hub: its key (base64) and its rights, such as `DeviceConnect`."""

    key: str = field(repr=False)
    rights: frozenset[str] = frozenset({DEVICE_CONNECT})


@dataclass(frozen=True, slots=True)
class Identity:
    """The device as registered, on the hub `hub_name` (`<name>.azure-devices.net`).

    `status`: `disabled` blocks all access (IoT Hub documentation, "Understand the identity registry").
    `registered`: false for a device that the hub does not know, or no longer, so that nothing else here counts.
    `sas_enabled`: false where the hub refuses shared access signatures of devices (`disableDeviceSAS`).
    `certificates`: by which the hub knows the device, and then by no key and no token; None: by its keys.
    `policies`: the hub's rules by name. Raises `ValueError` where a key is no base64 or the status is none.
    """

    hub_name: str
    device_id: str
    primary_key: str = field(repr=False)
    secondary_key: str = field(repr=False)
    status: Status = "enabled"
    policies: Mapping[str, SharedAccessPolicy] = field(default_factory=dict)
    sas_enabled: bool = True
    registered: bool = True
    certificates: Registration | None = None

    def __post_init__(self) -> None:
        """Check the keys and the status."""
        for key in (self.primary_key, self.secondary_key, *(policy.key for policy in self.policies.values())):
            decode_key(key)
        if self.status not in get_args(Status):
            raise ValueError(f"status = {self.status!r} has to be one of {', '.join(get_args(Status))}")

    def with_rolled_key(self) -> "Identity":
        """The same with another primary key, and another secondary one where that was the same; which, follows from the old one."""
        key = base64.b64encode(hashlib.sha256(b"rolled " + decode_key(self.primary_key)).digest()).decode()
        secondary = key if self.secondary_key == self.primary_key else self.secondary_key
        return replace(self, primary_key=key, secondary_key=secondary)

    def scope(self, host: str) -> Scope:
        """The device as a resource of the hub that is called `host`."""
        return (host, "devices", self.device_id)
