"""The service's own test messages: telemetry by whose application properties a device asks the hub to go wrong.

Microsoft's end-to-end tests of its SDKs bring faults about in this way (`FaultInjection.cs` for .NET, `ErrorInjectionHelper.java`); the
service does so for hubs of its own, this hub always. What exactly it does then is not published: the left column is Microsoft's, the rest is ours.

| operation | over MQTT | over AMQP | over HTTPS |
|---|---|---|---|
| `KillTcp` | the connection is reset | the same | the same, that by which the request came |
| `ShutDownMqtt` | the connection ends by TLS close_notify and FIN | - | - |
| `ShutDownAmqp`, `KillAmqpConnection` | - | CLOSE `amqp:connection:forced` | - |
| `KillAmqpSession` | - | END `amqp:internal-error` of the session by which the message came; the device stays in | - |
| `KillAmqpCBSLinkReq`, `KillAmqpCBSLinkResp` | - | DETACH `amqp:link:detach-forced` of its links to `$cbs`, on which it sends, or receives; it stays in | - |
| `KillAmqpD2CLink`, `KillAmqpC2DLink` | - | the same of its links for telemetry, or cloud-to-device messages | - |
| `KillAmqpTwinLinkReq`, `KillAmqpTwinLinkResp` | - | the same of those for the twin, on which it sends, or receives | - |
| `KillAmqpMethodReqLink`, `KillAmqpMethodRespLink` | - | the same of those for methods, on which it receives calls, or sends answers | - |
| `InvokeThrottling` | for the duration, the next message ends the connection | for the duration, messages are rejected, `com.microsoft:device-container-throttled` | for the duration, messages are refused with 429 |
| `InvokeMaxMessageQuota` | the same | the same, `amqp:resource-limit-exceeded` | the same with 403 |
| `InvokeAuthError` | the connection ends; for the duration, CONNECT is refused with 5 | the links are detached, `amqp:unauthorized-access`; for the duration, tokens are refused with 401 | for the duration, requests are refused with 401 |

The reason is the description of an AMQP error. All of it happens after the delay, unless the device has left that connection by then; over HTTPS,
where a connection means nothing, that goes for `KillTcp` alone. The duration is that of the last three, over all connections of the device; what
was killed may come back at once. On one connection, or over HTTPS, `MOST_WAITING` messages wait for the end of their delay, and no more.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

__all__ = [
    "MOST_S",
    "MOST_WAITING",
    "OPERATION",
    "OPERATIONS",
    "Burden",
    "Deed",
    "End",
    "FaultMessage",
    "KillLinks",
    "KillSession",
    "Strain",
    "read_fault_message",
]

OPERATION: Final = "AzIoTHub_FaultOperationType"
"""The application property that makes a message such a one; its value is the operation."""
_REASON: Final = "AzIoTHub_FaultOperationCloseReason"
_DELAY: Final = "AzIoTHub_FaultOperationDelayInSecs"
_DURATION: Final = "AzIoTHub_FaultOperationDurationInSecs"

MOST_S: Final = 3600.0
"""The longest delay and the longest duration, in seconds."""
MOST_WAITING: Final = 16
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)
_SHOWN: Final = 256  # characters of what a device may make as long as it likes

Protocol = Literal["mqtt", "amqp", "https"]
Strain = Literal["throttled", "quota", "unauthorized"]


class End(NamedTuple):
    """The connection ends, by `close`, or (None) in the protocol's good order."""

    close: Literal["rst"] | None


class KillSession(NamedTuple):
    """The session by which the message came ends."""


class KillLinks(NamedTuple):
    """The links of this kind end, on which the device is `role`: "sender" or "receiver"."""

    kind: Literal["cbs", "telemetry", "c2d", "twin", "methods"]
    role: Literal["sender", "receiver"]


class Burden(NamedTuple):
    """The hub refuses what the device wants, for the duration."""

    strain: Strain


Deed = End | KillSession | KillLinks | Burden

_ALL: Final[frozenset[Protocol]] = frozenset({"mqtt", "amqp", "https"})
_MQTT: Final[frozenset[Protocol]] = frozenset({"mqtt"})
_AMQP: Final[frozenset[Protocol]] = frozenset({"amqp"})

OPERATIONS: Final[Mapping[str, tuple[Deed, frozenset[Protocol]]]] = {
    "KillTcp": (End("rst"), _ALL),
    "KillAmqpConnection": (End(None), _AMQP),
    "KillAmqpSession": (KillSession(), _AMQP),
    "KillAmqpCBSLinkReq": (KillLinks("cbs", "sender"), _AMQP),
    "KillAmqpCBSLinkResp": (KillLinks("cbs", "receiver"), _AMQP),
    "KillAmqpD2CLink": (KillLinks("telemetry", "sender"), _AMQP),
    "KillAmqpC2DLink": (KillLinks("c2d", "receiver"), _AMQP),
    "KillAmqpTwinLinkReq": (KillLinks("twin", "sender"), _AMQP),
    "KillAmqpTwinLinkResp": (KillLinks("twin", "receiver"), _AMQP),
    "KillAmqpMethodReqLink": (KillLinks("methods", "receiver"), _AMQP),
    "KillAmqpMethodRespLink": (KillLinks("methods", "sender"), _AMQP),
    "InvokeThrottling": (Burden("throttled"), _ALL),
    "InvokeMaxMessageQuota": (Burden("quota"), _ALL),
    "InvokeAuthError": (Burden("unauthorized"), _ALL),
    "ShutDownAmqp": (End(None), _AMQP),
    "ShutDownMqtt": (End(None), _MQTT),
}
"""What each operation does, and the protocols that have it."""


class FaultMessage(NamedTuple):
    """What a message asks for. `delay_s`, `duration_s`: None for what is no number; `problem`: why nothing is done, None where something is."""

    operation: str
    reason: str
    delay_s: float | None
    duration_s: float | None
    problem: str | None

    @property
    def deed(self) -> Deed:
        """What is to be done, where there is no problem."""
        return OPERATIONS[self.operation][0]

    @property
    def detail(self) -> str:
        """What the end that it brings about says of it."""
        return f"asked for by {self.operation}" + (f": {self.reason}" if self.reason else "")

    @property
    def shown(self) -> dict[str, object]:
        """What its event tells."""
        return self._asdict()


def read_fault_message(properties: Mapping[str, str | None], protocol: Protocol) -> FaultMessage | None:
    """What these application properties ask of a connection of this protocol; None if nothing. Nothing in them raises."""
    if protocol == "https":  # there they are headers, whose names have no case (RFC 9110 section 5.1)
        given = {name.lower(): value for name, value in properties.items()}
        properties = {name: given.get(name.lower()) for name in (OPERATION, _REASON, _DELAY, _DURATION)}
    operation = properties.get(OPERATION)
    if operation is None:
        return None
    delay, duration = _seconds(properties.get(_DELAY)), _seconds(properties.get(_DURATION))
    problem = _problem(operation, protocol, delay, duration)
    return FaultMessage(operation[:_SHOWN], (properties.get(_REASON) or "")[:_SHOWN], delay, duration, problem)


def _problem(operation: str, protocol: Protocol, delay: float | None, duration: float | None) -> str | None:
    if operation not in OPERATIONS:
        return "there is no such operation"
    deed, protocols = OPERATIONS[operation]
    if protocol not in protocols:
        return f"{protocol.upper()} has no such thing"
    for name, seconds in ((_DELAY, delay), (_DURATION, duration)):
        if seconds is None or seconds > MOST_S:
            return f"{name} is no number of seconds from 0 to {MOST_S:g}"
    if isinstance(deed, Burden) and not duration:
        return f"{_DURATION} is missing or 0, and it lasts no longer"
    return None


def _seconds(text: str | None) -> float | None:
    """The seconds that a property says, 0 without it, None for what is no number."""
    if not text:
        return 0.0
    return float(text) if _NUMBER.fullmatch(text) else None
