"""The keys of a cell (what the device has, what the hub knows, those of the hub's policies), drawn afresh, and the identity made with them."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.hub.certificates import Registration as Certificates
from harness.hub.identity import Identity, SharedAccessPolicy
from harness.registration import Registration

__all__ = ["Keys", "identity_of"]


@dataclass(frozen=True, slots=True)
class Keys:
    """In base64. `device`: the device's own; `hub`: the one registered for it; `policies`: by name."""

    device: str = field(repr=False)
    hub: str = field(repr=False)
    policies: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def draw(cls, registration: Registration) -> "Keys":
        """Keys for a device that the hub knows like this."""
        own = _draw_key()
        known = own if registration.key == "own" else _draw_key()
        return cls(own, known, {name: _draw_key() for name in registration.policies})

    @property
    def secrets(self) -> list[str]:
        """All of them."""
        return [self.device, self.hub, *self.policies.values()]


def _draw_key() -> str:
    """A key as IoT Hub makes them: 32 bytes."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def identity_of(
    device_id: str, registration: Registration, keys: Keys, hub_name: str, certificates: Certificates | None = None
) -> Identity:
    """The device as its hub has it; one that is known by its certificate has keys that nobody uses."""
    rights = registration.policies.items()
    return Identity(
        hub_name=hub_name,
        device_id=device_id,
        primary_key=keys.hub,
        secondary_key=keys.hub,
        status=registration.status,
        policies={name: SharedAccessPolicy(keys.policies[name], frozenset(allowed)) for name, allowed in rights},
        registered=registration.registered,
        certificates=certificates,
    )
