"""Whether a CONNECT is let in. `CHECKS` is the specification: the first check that fails decides.

The order, the texts and the codes come from IoT Hub's documentation ("401003 IoTHubUnauthorized", "Control access to IoT Hub with
shared access signatures") and from what the service was seen to answer in public issues of its SDKs. MQTT carries none of the texts: a
refused CONNECT is always answered with return code 5 (Azure IoT C SDK, "Connection and messaging reliability"); protocols with
room for a text send `text`. In the texts, `{hub}`, `{device}`, `{rule}` and `{problem}` are filled in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from harness.hub.credentials import Credentials, UserName
from harness.hub.identity import DEVICE_CONNECT, Identity
from harness.hub.policy import Policy
from harness.protocol.mqtt.packets import ConnackCode
from harness.sas import Token, covers

__all__ = ["CHECKS", "Check", "Gate", "Refusal"]

_MISSING: Final = "Authorization header missing"
_NOT_THERE: Final = "IotHub '{hub}' does not contain the specified device '{device}'"
_NOT_ALLOWED: Final = "Authorization rule '{rule}' does not allow access for '{device}'"
_RENEW: Final = "Authentication failed for this device, renew token or certificate and reconnect"
_NO: Final = ConnackCode.NOT_AUTHORIZED


@dataclass(frozen=True, slots=True)
class Check:
    """One row: `text` for the wire, the `connack` code, the `code` of the diagnostics record and its `message`."""

    name: str
    text: str
    connack: ConnackCode
    code: str
    message: str


# fmt: off
CHECKS: Final = (
    # what is checked        text for the wire                                              CONNACK  record    message of the record
    Check("user-name",       "The user name does not name a hub and a device.",                 _NO, "401003", _RENEW),
    Check("hub-name",        "The user name names another hub.",                                _NO, "401003", _NOT_THERE),
    Check("client-id",       "The client identifier differs from the user name.",               _NO, "401003", _NOT_ALLOWED),
    Check("credential",      _MISSING,                                                          _NO, "401003", _MISSING),
    Check("token-form",      "{problem}",                                                       _NO, "401003", _RENEW),
    Check("expiry",          "The specified SAS token is expired",                              _NO, "401003", _RENEW),
    Check("token-hub",       "The specified SAS token is for another hub.",                     _NO, "401003", _NOT_ALLOWED),
    Check("registered",      "Device {device} at IotHub {hub} not registered.",                 _NO, "401003", _NOT_THERE),
    Check("sas-enabled",     "The device does not use SAS tokens.",                             _NO, "401003", _RENEW),
    Check("rule",            "The shared access policy does not allow the device to connect.",  _NO, "401003", _NOT_ALLOWED),
    Check("signature",       "The specified SAS token has an invalid signature. It does not match either the primary or secondary key.",
                                                                                                _NO, "401003", _RENEW),
    Check("token-device",    "The specified SAS token is for another device.",                  _NO, "401003", _NOT_ALLOWED),
    Check("device-enabled",  "Device {device} at IotHub {hub} is disabled.",                    _NO, "404001", _RENEW),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Refusal:
    """The check that failed, with its texts filled in."""

    check: Check
    text: str
    message: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Judges the CONNECTs of one device. `names`: the host names this hub answers to, in lower case, its own included."""

    identity: Identity
    policy: Policy
    names: frozenset[str]

    def judge(self, credentials: Credentials, now: float) -> Refusal | None:
        """Why the CONNECT is refused at `now`, or None if it is let in."""
        for check, fails in _IN_ORDER:
            if fails(self, credentials, now):
                return self._refusal(check, credentials)
        return None

    def _refusal(self, check: Check, credentials: Credentials) -> Refusal:
        device = credentials.client_id
        token, user_name = credentials.token, credentials.user_name
        values = {
            "device": device,
            "hub": user_name.hub if user_name else self.identity.hub_name,
            "problem": credentials.problem,
            "rule": (token and token.policy_name(device)) or "device",
        }
        return Refusal(check, check.text.format_map(values), check.message.format_map(values))


def _user_name(credentials: Credentials) -> UserName:
    """The user name, after the check that there is one."""
    assert credentials.user_name is not None
    return credentials.user_name


def _token(credentials: Credentials) -> Token:
    """The token, after the checks that there is one."""
    assert credentials.token is not None
    return credentials.token


def _no_credential(_gate: Gate, credentials: Credentials, _now: float) -> bool:
    """A client certificate would be judged here; the identities of this hub have keys, so a CONNECT needs a token."""
    return not credentials.has_password


def _other_hub(gate: Gate, credentials: Credentials, _now: float) -> bool:
    return not any(scope[0] in gate.names for scope in _token(credentials).scopes())


def _rule_forbids(gate: Gate, credentials: Credentials, _now: float) -> bool:
    token = _token(credentials)
    name = token.policy_name(gate.identity.device_id)
    if name is None:
        return False
    policy = gate.identity.policies.get(name)
    if policy is None or DEVICE_CONNECT not in policy.rights:
        return True
    targets = [gate.identity.scope(host) for host in gate.names]
    return not any(covers(scope, target) for scope in token.scopes() for target in targets)


def _wrong_signature(gate: Gate, credentials: Credentials, _now: float) -> bool:
    token, identity = _token(credentials), gate.identity
    name = token.policy_name(identity.device_id)
    keys = (identity.primary_key, identity.secondary_key) if name is None else (identity.policies[name].key,)
    return not any(map(token.verify, keys))


def _other_device(gate: Gate, credentials: Credentials, _now: float) -> bool:
    """A device's key signs for that device only; what a policy may sign for was part of its own check."""
    token, identity = _token(credentials), gate.identity
    if token.policy_name(identity.device_id) is not None:
        return False
    return not any(identity.scope(scope[0]) == scope for scope in token.scopes())


_FAILS: Final[Mapping[str, Callable[[Gate, Credentials, float], bool]]] = {
    "user-name": lambda _gate, credentials, _now: credentials.user_name is None,
    "hub-name": lambda gate, credentials, _now: _user_name(credentials).hub not in gate.names,
    "client-id": lambda _gate, credentials, _now: _user_name(credentials).client_id != credentials.client_id,
    "credential": _no_credential,
    "token-form": lambda _gate, credentials, _now: credentials.token is None,
    "expiry": lambda gate, credentials, now: gate.policy.too_late_to_connect(_token(credentials).expiry, now),
    "token-hub": _other_hub,
    "registered": lambda gate, credentials, _now: credentials.client_id != gate.identity.device_id,
    "sas-enabled": lambda gate, _credentials, _now: not gate.identity.sas_enabled,
    "rule": _rule_forbids,
    "signature": _wrong_signature,
    "token-device": _other_device,
    "device-enabled": lambda gate, _credentials, _now: gate.identity.status != "enabled",
}

_IN_ORDER: Final = tuple((check, _FAILS[check.name]) for check in CHECKS)
