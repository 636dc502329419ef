"""Whether a device is let in. `CHECKS` is the specification: the first check that fails decides.

The order, the texts and the codes come from IoT Hub's documentation ("401003 IoTHubUnauthorized", "Control access to IoT Hub with
shared access signatures") and from what the service was seen to answer in public issues of its SDKs. MQTT carries none of the texts: a
refused CONNECT is always answered with return code 5 (Azure IoT C SDK, "Connection and messaging reliability"). Over AMQP, the answer
to a put-token carries `status` and `text`; 401 and 404 with these texts were seen there. In the texts, `{hub}`, `{device}`, `{rule}`
and `{problem}` are filled in, and what the certificate and its registration are. Who has a certificate instead of a token has no texts on the wire: an ATTACH
is refused in the words of `amqp.refusals`.
"""

from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Final

from harness.hub.certificates import Certificate, find_fault
from harness.hub.credentials import Credentials
from harness.hub.diagnostics import BAD_REQUEST, REJECTED_AS_ASKED
from harness.hub.identity import DEVICE_CONNECT, Identity
from harness.hub.policy import Policy
from harness.protocol.mqtt.packets import ConnackCode
from harness.sas import Scope, Token, covers

__all__ = ["ASKED", "CHECKS", "FAULTY", "Check", "Gate", "Refusal"]

_MISSING: Final = "Authorization header missing"
_NOT_THERE: Final = "IotHub '{hub}' does not contain the specified device '{device}'"
_NOT_ALLOWED: Final = "Authorization rule '{rule}' does not allow access for '{device}'"
_RENEW: Final = "Authentication failed for this device, renew token or certificate and reconnect"
_MISMATCH: Final = (
    "Thumbprint does not match configuration: Thumbprint: SHA1Hash={sha1}, SHA2Hash={sha256};"
    " Configuration: PrimaryThumbprint={primary}, SecondaryThumbprint={secondary}"
)
_HOST, _PATH = itemgetter(0), itemgetter(slice(1, None))  # of a scope
_NO: Final = ConnackCode.NOT_AUTHORIZED


@dataclass(frozen=True, slots=True)
class Check:
    """One row: `text` for the wire, the `connack` code of MQTT, the `status` of AMQP, the record's `code` and `message`."""

    name: str
    text: str
    connack: ConnackCode
    status: int
    code: str
    message: str


# fmt: off
CHECKS: Final = (
    # what is checked        text for the wire                                              CONNACK  AMQP  record    message of the record
    Check("user-name",       "The credentials name no hub and device.",                         _NO,  400,  "401003", _RENEW),
    Check("hub-name",        "The credentials name another hub.",                               _NO,  401,  "401003", _NOT_THERE),
    Check("client-id",       "The client identifier differs from the user name.",               _NO,  401,  "401003", _NOT_ALLOWED),
    Check("credential",      _MISSING,                                                          _NO,  401,  "401003", _MISSING),
    Check("token-form",      "{problem}",                                                       _NO,  401,  "401003", _RENEW),
    Check("expiry",          "The specified SAS token is expired",                              _NO,  401,  "401003", _RENEW),
    Check("token-hub",       "The specified SAS token is for another hub.",                     _NO,  401,  "401003", _NOT_ALLOWED),
    Check("registered",      "Device {device} at IotHub {hub} not registered.",                 _NO,  404,  "401003", _NOT_THERE),
    Check("sas-enabled",     "The device does not use SAS tokens.",                             _NO,  401,  "401003", _RENEW),
    Check("rule",            "The shared access policy does not allow the device to connect.",  _NO,  401,  "401003", _NOT_ALLOWED),
    Check("signature",       "The specified SAS token has an invalid signature. It does not match either the primary or secondary key.",
                                                                                                _NO,  401,  "401003", _RENEW),
    Check("token-device",    "The specified SAS token is for another device.",                  _NO,  401,  "401003", _NOT_ALLOWED),
    Check("x509-enabled",    "The device does not use certificates.",                           _NO,  401,  "401003", _RENEW),
    Check("thumbprint",      "The certificate is not the one that is registered.",              _NO,  401,  "401003", _MISMATCH),
    Check("certificate-transport", "A certificate of an authority is not taken over WebSocket or HTTPS.",
                                                                                                _NO,  401,  "401003", _RENEW),
    Check("certificate-authority", "The hub does not know the certificate's authority.",        _NO,  401,  "401003", _RENEW),
    Check("certificate-subject",   "The certificate names another device.",                     _NO,  401,  "401003", _RENEW),
    Check("certificate-validity",  "The certificate has expired, or is not valid yet.",         _NO,  401,  "401003", _RENEW),
    Check("device-enabled",  "Device {device} at IotHub {hub} is disabled.",                    _NO,  404,  "404001", _RENEW),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Refusal:
    """The check that failed, with its texts filled in."""

    check: Check
    text: str
    message: str

    @property
    def shown(self) -> dict[str, str]:
        """What events tell of it: the check that failed, and the message of the record."""
        return {"check": self.check.name, "message": self.message}


@dataclass(frozen=True, slots=True)
class Gate:
    """Judges the credentials of one device. `names`: the host names this hub answers to, in lower case, its own included."""

    identity: Identity
    policy: Policy
    names: frozenset[str]

    def judge(self, credentials: Credentials, now: float) -> Refusal | None:
        """Why the device is refused at `now`, or None if it is let in."""
        failed = self._first_failure(credentials, now)
        return None if failed is None else self._refusal(_BY_NAME[failed], credentials)

    def refuse_by_fault(self, credentials: Credentials, code: int | None, status: int | None) -> Refusal:
        """A refusal that the token gives no reason for: as if it were too old, or with these answers of MQTT and AMQP.

        `status` is one of `FAULTY`; without it, a `code` of 3 is the server's own trouble too.
        """
        check = FAULTY[status or (500 if code == ConnackCode.SERVER_UNAVAILABLE else 401)]
        return self._refusal(check if code is None else replace(check, connack=ConnackCode(code)), credentials)

    def refuse_as_asked(self, credentials: Credentials) -> Refusal:
        """A refusal that the device itself has asked for, by a test message."""
        return self._refusal(ASKED, credentials)

    def refuse_without_credential(self, client_id: str) -> Refusal:
        """The refusal of a device that shows nothing, where no credentials arrive in which it could be missing."""
        return self._refusal(_BY_NAME["credential"], Credentials(client_id, None))

    def _first_failure(self, credentials: Credentials, now: float) -> str | None:  # noqa: C901, PLR0911, PLR0912 - a line per check
        """The name of the first of `CHECKS` that fails, in their order."""
        identity, user_name, token = self.identity, credentials.user_name, credentials.token
        if user_name is None:
            return "user-name"
        if user_name.hub not in self.names:
            return "hub-name"
        if user_name.client_id != credentials.client_id:
            return "client-id"
        if credentials.certificate is not None:
            return self._failure_of_certificate(credentials.certificate, credentials, now)
        if token is None:
            return "credential" if not credentials.has_password else "token-form"
        if self.policy.too_late_to_connect(token.expiry, now):
            return "expiry"
        scopes, rule = token.scopes(), token.policy_name(identity.device_id)
        if self.names.isdisjoint(map(_HOST, scopes)):
            return "token-hub"
        if credentials.client_id != identity.device_id or not identity.registered:
            return "registered"
        if not identity.sas_enabled or identity.certificates is not None:
            return "sas-enabled"
        if rule is not None and not self._rule_allows(rule, scopes):
            return "rule"
        if not self._signed(token, rule):
            return "signature"
        # A device's key signs for that device only; what a policy may sign for was part of its own check.
        if rule is None and ("devices", identity.device_id) not in map(_PATH, scopes):
            return "token-device"
        if identity.status != "enabled":
            return "device-enabled"
        return None

    def _failure_of_certificate(self, certificate: Certificate, credentials: Credentials, now: float) -> str | None:
        identity, known, device_id = self.identity, self.identity.certificates, credentials.client_id
        if device_id != identity.device_id:
            return "registered"
        if known is None:
            return "x509-enabled"
        by_our_clock = now + self.policy.clock_shift_s
        fault = find_fault(certificate, known, device_id, by_our_clock, credentials.transport)
        if fault is not None:
            return fault
        return None if identity.status == "enabled" else "device-enabled"

    def _rule_allows(self, rule: str, scopes: tuple[Scope, ...]) -> bool:
        policy = self.identity.policies.get(rule)
        if policy is None or DEVICE_CONNECT not in policy.rights:
            return False
        targets = [self.identity.scope(host) for host in self.names]
        return any(covers(scope, target) for scope in scopes for target in targets)

    def _signed(self, token: Token, rule: str | None) -> bool:
        """Whether the token is signed with a key of the device, or that of the rule it names."""
        if rule is not None:
            return token.verify(self.identity.policies[rule].key)
        return token.verify(self.identity.primary_key) or token.verify(self.identity.secondary_key)

    def _refusal(self, check: Check, credentials: Credentials) -> Refusal:
        device = credentials.client_id
        token, user_name = credentials.token, credentials.user_name
        named = user_name.hub if user_name else self.identity.hub_name
        values = {
            "device": device,
            "hub": self.identity.hub_name if named in self.names else named,
            "problem": credentials.problem,
            "rule": (token and token.policy_name(device)) or "device",
            **_of_certificate(credentials.certificate, self.identity),
        }
        return Refusal(check, check.text.format_map(values), check.message.format_map(values))


def _of_certificate(certificate: Certificate | None, identity: Identity) -> dict[str, str]:
    """What the texts say of the certificate and its registration."""
    known = identity.certificates
    if certificate is None or known is None:
        return {}
    return {
        "sha1": certificate.sha1, "sha256": certificate.sha256, "primary": known.primary, "secondary": known.secondary,
    }  # fmt: skip


_BY_NAME: Final = {check.name: check for check in CHECKS}
ASKED: Final = Check(
    "fault-message", "Unauthorized access", _NO, 401, REJECTED_AS_ASKED.code, REJECTED_AS_ASKED.message
)
"""The refusal of a device that has asked for `InvokeAuthError`."""
FAULTY: Final = {
    400: Check("form", "Cbs message does not contain a valid token", _NO, 400, "400000", BAD_REQUEST.message),
    401: _BY_NAME["expiry"],
    403: Check("tokens", "Too many tokens were put on this connection.", _NO, 403, "403005", _RENEW),
    404: _BY_NAME["registered"],
    500: Check("server", "The server has a problem of its own.", ConnackCode.SERVER_UNAVAILABLE, 500, "500001", _RENEW),
}
"""Refusals for no reason, by their status over AMQP: those that SDKs tell apart."""
