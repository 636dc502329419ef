"""What goes wrong, by one name each, whatever the SDK and the transport call it: the closed list of refusals and drops.

| name | what the log shows |
|---|---|
| `token-expired` | the hub ended the stay at the end of the token's grace |
| `keep-alive` | the hub had not heard of the device for too long |
| `takeover` | the device came a second time, and the hub ended the first stay |
| `protocol` | the device broke the protocol, and the hub ended its stay |
| `tokens-refused` | the hub had refused too many tokens on end, and ended the stay |
| `other-client` | another client came with the device's identity |
| `key-rolled` | the device's key was exchanged, and the hub ended its stay |
| `device-disabled` | the device was disabled during its stay |
| `device-deleted` | the device was deleted during its stay |
| `throttled` | the hub had too much to do, and ended the stay |
| `link: detached` | the hub detached the device's AMQP links without the token's end |
| `connection: closed` | the hub sent AMQP CLOSE without the token's end |
| `network: end` | the connection ended by FIN, and neither side had taken leave |
| `network: reset` | the connection was reset |
| `network: half-open` | the far end was gone, and nobody said so |
| `network: blackhole` | the network swallowed everything |
| `network: tls-failed` | an attempt to come in ended in the TLS handshake |
| `hub: restart` | the hub's process ended |
| `hub: other` | the hub ended the stay for a reason that has no name here |
| `left: renewal` | the device took leave and came back with a new token |
| `left: disconnect` | the device took leave otherwise, by MQTT DISCONNECT or AMQP CLOSE |
| `left: silently` | the device closed its connection without taking leave |
| `refused: token-expired` | the token that was presented is too old |
| `refused: wrong-key` | its signature is of another key |
| `refused: malformed-token` | it is no token |
| `refused: no-credential` | there was none |
| `refused: unknown-device` | the hub has no such device |
| `refused: device-disabled` | it has, and lets it not in |
| `refused: rule-not-allowed` | the token's policy does not allow it |
| `refused: other-hub` | the token, or the user name, is for another hub |
| `refused: other-device` | the token is for another device |
| `refused: client-id` | client identifier and user name differ |
| `refused: user-name` | the user name is none of an IoT hub |
| `refused: sas-disabled` | the device may not use tokens |
| `refused: thumbprint` | the certificate is not the one that the hub knows |
| `refused: certificate-expired` | the certificate is too old, or not valid yet |
| `refused: certificate-transport` | an authority has signed it, and the hub takes no such certificate over WebSocket or HTTPS |
| `refused: certificate-authority` | nobody the hub knows has signed it |
| `refused: certificate-subject` | it names another device |
| `refused: x509-disabled` | the device may not use certificates |
| `refused: certificate` | the certificate is refused otherwise |
| `refused: bad-request` | what was presented cannot be read as a request to be let in |
| `refused: too-many-tokens` | too many tokens were put on the connection |
| `refused: throttled` | the hub has too much to do |
| `refused: test-message` | the device had asked for it, by a test message of the service's own |
| `refused: not-authorized` | CONNACK 5 or status 401, without a reason that the log tells |
| `refused: bad-credentials` | CONNACK 4, likewise |
| `refused: identifier` | CONNACK 2, likewise |
| `refused: protocol-version` | CONNACK 1, likewise |
| `refused: server-unavailable` | CONNACK 3, likewise |
| `refused: server-error` | the hub has a trouble of its own; a status of 500 or above |
| `refused: websocket` | the WebSocket was refused |
| `refused: other` | any other refusal |
| `unanswered: connect` | nobody answered the device that asked to be let in |
| `unanswered: put-token` | nobody answered a token presented during the stay |

Some of these come from faults that a scenario asks for. The reasons of refusals are told apart by the rule of the hub that the log names (`check`), else by the texts that its decision bears there (`reason` of a CONNACK, `description` of an
answer to a put-token); where it has none that is known here, by its code.
"""

import re
from typing import Final

__all__ = [
    "NETWORK_END",
    "TLS_FAILED",
    "TROUBLES",
    "UNANSWERED_CONNECT",
    "UNANSWERED_PUT",
    "WEBSOCKET",
    "name_of_end",
    "name_of_refusal",
]

TROUBLES: Final = tuple(re.findall(r"^\| `([^`]+)` \|", __doc__, re.MULTILINE))
"""Every name, in the order of the table above."""

NETWORK_END: Final = "network: end"
TLS_FAILED: Final = "network: tls-failed"
WEBSOCKET: Final = "refused: websocket"
UNANSWERED_CONNECT: Final = "unanswered: connect"
UNANSWERED_PUT: Final = "unanswered: put-token"

_CAUSES: Final = frozenset(
    {
        "token-expired",
        "keep-alive",
        "takeover",
        "protocol",
        "tokens-refused",
        "other-client",
        "key-rolled",
        "device-disabled",
        "device-deleted",
        "throttled",
    }
)
_ENDS: Final = {
    "fin": NETWORK_END,
    "rst": "network: reset",
    "detach": "link: detached",
    "detach-not-closed": "link: detached",
    "close": "connection: closed",
    "half-open": "network: half-open",
    "blackhole": "network: blackhole",
    "restart": "hub: restart",
}
_CONNACKS: Final = {
    1: "protocol-version",
    2: "identifier",
    3: "server-unavailable",
    4: "bad-credentials",
    5: "not-authorized",
}
_STATUSES: Final = {400: "bad-request", 401: "not-authorized", 404: "unknown-device", 429: "throttled"}
_SERVER_ERRORS: Final = 500
_CHECKS: Final = {
    "user-name": "user-name",
    "hub-name": "other-hub",
    "client-id": "client-id",
    "credential": "no-credential",
    "token-form": "malformed-token",
    "expiry": "token-expired",
    "token-hub": "other-hub",
    "registered": "unknown-device",
    "sas-enabled": "sas-disabled",
    "rule": "rule-not-allowed",
    "signature": "wrong-key",
    "token-device": "other-device",
    "device-enabled": "device-disabled",
    "x509-enabled": "x509-disabled",
    "thumbprint": "thumbprint",
    "certificate-transport": "certificate-transport",
    "certificate-authority": "certificate-authority",
    "certificate-subject": "certificate-subject",
    "certificate-validity": "certificate-expired",
    "form": "bad-request",
    "tokens": "too-many-tokens",
    "server": "server-error",
    "fault-message": "test-message",
}
"""By the hub's check."""
_TEXTS: Final = (
    ("cbs message", "bad-request"),
    ("thumbprint|is not the one that is registered", "thumbprint"),
    ("does not use certificates", "x509-disabled"),
    (r"certificate.*\bexpired|\bexpired.*certificate", "certificate-expired"),
    ("certificate of an authority is not taken", "certificate-transport"),
    ("certificate's authority", "certificate-authority"),
    ("certificate names", "certificate-subject"),
    ("certificate", "certificate"),
    ("expired", "token-expired"),
    ("(?:invalid|bad) signature", "wrong-key"),
    ("header missing", "no-credential"),
    ("not registered|does not contain", "unknown-device"),
    ("is disabled", "device-disabled"),
    ("does not use sas", "sas-disabled"),
    ("policy|rule", "rule-not-allowed"),
    ("another hub", "other-hub"),
    ("another device", "other-device"),
    ("differs from the user name", "client-id"),
    ("no hub and device", "user-name"),
    ("too many tokens", "too-many-tokens"),
    ("problem of its own", "server-error"),
    ("throttl|too many", "throttled"),
    ("malformed|missing field", "malformed-token"),
)


def name_of_end(cause: str, close: str) -> str:
    """The name of a stay's end by the hub, from the `cause` and the `close` of its `cut`, or, without one, from how the socket closed or the network failed."""
    if cause in _CAUSES:
        return cause
    return _ENDS.get(close, "hub: other") if cause in {"", "fault"} else "hub: other"


def name_of_refusal(code: int, text: str, check: str = "", *, mqtt: bool) -> str:
    """The name of a refusal, from the hub's `check`, from its text, or, where neither tells, from the code: a CONNACK's (`mqtt`) or a status."""
    known = (name for pattern, name in _TEXTS if re.search(pattern, text, re.IGNORECASE))
    by_code = _CONNACKS.get(code, "other") if mqtt else _of_status(code)
    return f"refused: {_CHECKS.get(check) or next(known, by_code)}"


def _of_status(status: int) -> str:
    return _STATUSES.get(status, "server-error" if status >= _SERVER_ERRORS else "other")
