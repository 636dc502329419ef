"""How the hub knows the device of a scenario, and how the token is made that its application hands over: the sections `[device]` and `[token]`.

Everything here is so from the start; what goes wrong later is a fault (`harness.fault`). Which check of the hub says no, and in which words, is
the table of `harness.hub.auth`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from harness.documents import Document, Problem

__all__ = ["Credential", "Presented", "Registration", "Right", "TokenMaking", "is_refused", "registration_problems"]

Credential = Literal["key", "token", "certificate", "none"]
Right = Literal["RegistryRead", "RegistryWrite", "ServiceConnect", "DeviceConnect"]
"""What a shared access policy may allow (IoT Hub documentation, "Control access to IoT Hub with shared access signatures")."""
Presented = Literal["no-credential", "policy-token", "malformed-token", "expired-token"]
"""What not every SDK lets an application present; a profile names those that its SDK does not."""

LONGEST_S: Final = 315_360_000.0  # ten years; a clock is not further off, and no token has been over for longer
_POLICY_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Registration(Document, frozen=True):
    """The device as the hub has it.

    `registered`: false where the hub does not know it. `status`: `disabled` blocks all access. `key`: the device's `own`, or `another`.
    `clock_ahead_s`: how far the device's clock is ahead of the hub's, below 0 where it is behind. `clock_shifted`: the hub judges this device by a clock that
    is off the other way, or the device's `process` really runs by one that is off.
    `policies`: the hub's shared access policies that a token may be signed by, each with its rights.
    """

    registered: bool = True
    status: Literal["enabled", "disabled"] = "enabled"
    key: Literal["own", "another"] = "own"
    clock_ahead_s: float = 0.0
    clock_shifted: Literal["hub", "process"] = "hub"
    policies: Mapping[str, tuple[Right, ...]] = {}

    @property
    def process_ahead_s(self) -> float:
        """How far the clock of the device's process is really ahead."""
        return self.clock_ahead_s if self.clock_shifted == "process" else 0.0

    @property
    def hub_ahead_s(self) -> float:
        """How far the clock is ahead by which the hub judges the device."""
        return 0.0 if self.clock_shifted == "process" else -self.clock_ahead_s


class TokenMaking(Document, frozen=True):
    """The token of the application's own, when it is handed over.

    `policy`: the shared access policy whose key signs it, in place of the device's. `form`: `cut-off` before the field `se`; `garbled`: the signature
    lacks its last character. `over_s`: it ended so many seconds ago, instead of lasting for the scenario's `token_lifetime_s`.
    """

    policy: str | None = None
    form: Literal["good", "cut-off", "garbled"] = "good"
    over_s: float | None = None


def registration_problems(
    device: Registration, token: TokenMaking, *, credential: Credential, lifetime_s: float | None
) -> Iterator[Problem]:
    """What is impossible, or contradicts itself or what the device presents."""
    yield from _token_problems(token, device, credential, lifetime_s)
    yield from _device_problems(device, token, credential)


def _token_problems(
    token: TokenMaking, device: Registration, credential: Credential, lifetime_s: float | None
) -> Iterator[Problem]:
    if credential != "token" and token != TokenMaking():
        yield "token", "says how a token is made, and the application has none", 'Use credential = "token", or drop it'
        return
    if token.policy is not None and token.policy not in device.policies:
        yield (
            "token.policy",
            f"the hub has no policy {token.policy!r}",
            "Add it with its rights under `[device.policies]`",
        )
    if token.over_s is not None and not 0 < token.over_s <= LONGEST_S:
        yield "token.over_s", "is not above 0, or above ten years", "Use the seconds since the token ended"
    if token.over_s is not None and lifetime_s is not None:
        yield "token.over_s", "contradicts token_lifetime_s: the token is over", "Drop one of them"


def _device_problems(device: Registration, token: TokenMaking, credential: Credential) -> Iterator[Problem]:
    if abs(device.clock_ahead_s) > LONGEST_S:
        yield "device.clock_ahead_s", "is more than ten years", "Use the seconds that the clock is off"
    if device.clock_shifted == "process" and not device.clock_ahead_s:
        yield "device.clock_shifted", "shifts nothing", "Say by clock_ahead_s how far the clock is off, or drop it"
    if not device.registered and (device.status, device.key) != ("enabled", "own"):
        yield "device.registered", "what the hub does not know has neither status nor key", "Drop `status` and `key`"
    if device.key == "another" and (credential in {"none", "certificate"} or token.policy is not None):
        yield "device.key", "nothing is signed with the device's key", 'Use credential = "key", or drop it'
    for name in device.policies:
        field = f"device.policies.{name}"
        if not _POLICY_NAME.fullmatch(name):
            yield field, "is no name of a policy", "Use up to 64 letters, digits, `_`, `.` and `-`"
        if name != token.policy:
            yield field, "signs no token", f'Add `policy = "{name}"` under `[token]`, or drop it'


def is_refused(
    device: Registration, token: TokenMaking, *, credential: Credential, lifetime_s: float | None, skew_s: float
) -> bool:
    """Whether the hub does not let such a device in at its first attempt. `lifetime_s`: of a fixed token; of others nothing is known here."""
    left_s = lifetime_s if token.over_s is None else -token.over_s
    too_old = credential == "token" and left_s is not None and left_s + device.clock_ahead_s + skew_s < 0
    rights = None if token.policy is None else device.policies.get(token.policy, ())
    return (
        credential == "none"
        or not device.registered
        or device.status == "disabled"
        or device.key == "another"
        or token.form != "good"
        or too_old
        or (rights is not None and "DeviceConnect" not in rights)
    )
