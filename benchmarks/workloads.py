"""What is measured, and what we ask of ourselves. The table is the specification.

publish   every connection sends `in_flight` telemetry messages of 100 bytes (QoS 1, or unsettled), all connections one after the
          other, and again when every one is acknowledged. With 1 it is what device SDKs do; with more, a server may answer
          several at once.
connect   TCP, full TLS handshake, then CONNECT, CONNACK, DISCONNECT or OPEN, put-token, a telemetry link, CLOSE, and close;
          `connections` of them side by side, again and again.
idle      connections that have got so far and say nothing.

A target holds for the ratio to the peer, Mosquitto or Proton (its cost / ours: above 1.0 we are cheaper), or for the figure itself.
"""

import ssl
from typing import Final, Literal

import msgspec

__all__ = ["PAYLOAD_BYTES", "WORKLOADS", "Target", "Workload"]

PAYLOAD_BYTES: Final = 100


class Target(msgspec.Struct, frozen=True):
    """What a row is held against: at least a ratio, or at most a figure in the workload's unit."""

    at_least_ratio: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        return f">= {self.at_least_ratio:g} x" if self.at_most is None else f"<= {self.at_most:g}"

    def met(self, figure: float, ratio: float | None) -> bool | None:
        """Whether it is met; None where the peer is missing."""
        if self.at_most is not None:
            return figure <= self.at_most
        return None if ratio is None or self.at_least_ratio is None else ratio >= self.at_least_ratio


class Workload(msgspec.Struct, frozen=True):
    """One thing a client population does; `tls` is the only TLS version offered."""

    name: str
    title: str
    kind: Literal["publish", "connect", "idle"]
    unit: str
    connections: int
    transport: Literal["mqtt", "amqp"] = "mqtt"
    in_flight: int = 1
    tls: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    target: Target | None = None


_PER_PUBLISH: Final = "CPU us per publish"
_PER_CONNECT: Final = "CPU us per connect"
_PER_MESSAGE: Final = "CPU us per message"
_PER_IDLE: Final = "KiB per connection"
_RATE: Final = Target(at_least_ratio=0.7)
_CONNECT: Final = Target(at_least_ratio=0.8)
_MEMORY: Final = Target(at_most=20.0)
_AMQP_RATE: Final = Target(at_least_ratio=1.5)
_AMQP_MEMORY: Final = Target(at_most=25.0)

WORKLOADS: Final = (
    Workload("W1", "QoS 1 publishes, 200 connections, 1 in flight", "publish", _PER_PUBLISH, 200, target=_RATE),
    Workload("W16", "QoS 1 publishes, 50 connections, 16 in flight", "publish", _PER_PUBLISH, 50, in_flight=16),
    Workload("connect13", "TLS 1.3 connects, 16 at a time", "connect", _PER_CONNECT, 16, target=_CONNECT),
    Workload(
        "connect12",
        "TLS 1.2 connects, 16 at a time",
        "connect",
        _PER_CONNECT,
        16,
        tls=ssl.TLSVersion.TLSv1_2,
        target=_CONNECT,
    ),
    Workload("idle", "idle TLS 1.3 connections", "idle", _PER_IDLE, 1000, target=_MEMORY),
    Workload(
        "A1", "AMQP telemetry, 200 connections, 1 in flight", "publish", _PER_MESSAGE, 200, "amqp", target=_AMQP_RATE
    ),
    Workload(
        "A16",
        "AMQP telemetry, 50 connections, 16 in flight",
        "publish",
        _PER_MESSAGE,
        50,
        "amqp",
        16,
        target=_AMQP_RATE,
    ),
    Workload("connectA", "AMQP connects over TLS 1.3, 16 at a time", "connect", _PER_CONNECT, 16, "amqp"),
    Workload("idleA", "idle AMQP connections over TLS 1.3", "idle", _PER_IDLE, 1000, "amqp", target=_AMQP_MEMORY),
)
