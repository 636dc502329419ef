"""What the connection machines tell their owner, in the order it happened.

Both roles: PublishReceived, ProtocolViolation, Timeout. The last two end the connection: the machine is closed when the
owner sees them. Server role: `ServerEvent`. Client role: `ClientEvent`.
"""

from typing import Literal

from msgspec import Struct

from harness.protocol.mqtt.packets import Connect, Publish, Subscribe, Unsubscribe


class PublishReceived(Struct, frozen=True, gc=False):
    """A PUBLISH of any QoS arrived; with QoS 1 the owner owes `acknowledge(packet.packet_id)`, or withholds it on purpose."""

    packet: Publish


class ProtocolViolation(Struct, frozen=True, gc=False):
    """The peer broke the protocol; the machine is closed. `reason` never quotes a field that may be a secret.

    `answered`: the CONNACK code the specification demands as the answer, which the machine has given (MQTT-3.1.2-2).
    """

    reason: str
    answered: int | None = None


class Timeout(Struct, frozen=True, gc=False):
    """The peer was silent for too long; the machine is closed.

    Server role: `connect` (no CONNECT came) or `keep-alive`. Client role: `connack` or `ping` (no PINGRESP came).
    """

    which: Literal["connect", "keep-alive", "connack", "ping"]


class ConnectReceived(Struct, frozen=True, gc=False):
    """Server role: CONNECT arrived; the owner answers with `accept` or `refuse`, and nothing is read before."""

    packet: Connect


class PubackReceived(Struct, frozen=True, gc=False):
    """Server role: the client acknowledged a publish; the identifier need not be one that is awaited."""

    packet_id: int


class SubscribeReceived(Struct, frozen=True, gc=False):
    """Server role: the owner answers with `suback`."""

    packet: Subscribe


class UnsubscribeReceived(Struct, frozen=True, gc=False):
    """Server role: the owner answers with `unsuback`."""

    packet: Unsubscribe


class PingReceived(Struct, frozen=True, gc=False):
    """Server role: PINGREQ arrived; the machine has answered it."""


class DisconnectReceived(Struct, frozen=True, gc=False):
    """Server role: the client takes leave (section 3.14), its will is void; the machine is closed."""


class Connected(Struct, frozen=True, gc=False):
    """Client role: CONNACK arrived. With a `return_code` other than 0 the machine is closed."""

    return_code: int
    session_present: bool


class Acknowledged(Struct, frozen=True, gc=False):
    """Client role: PUBACK arrived; the identifier need not be one that is awaited."""

    packet_id: int


class Subscribed(Struct, frozen=True, gc=False):
    """Client role: SUBACK arrived; per filter the granted QoS or `packets.SUBACK_FAILURE`."""

    packet_id: int
    return_codes: tuple[int, ...]


class Unsubscribed(Struct, frozen=True, gc=False):
    """Client role: UNSUBACK arrived."""

    packet_id: int


class PongReceived(Struct, frozen=True, gc=False):
    """Client role: PINGRESP arrived."""


ServerEvent = (
    ConnectReceived
    | PublishReceived
    | PubackReceived
    | SubscribeReceived
    | UnsubscribeReceived
    | PingReceived
    | DisconnectReceived
    | ProtocolViolation
    | Timeout
)
ClientEvent = (
    Connected | PublishReceived | Acknowledged | Subscribed | Unsubscribed | PongReceived | ProtocolViolation | Timeout
)
