"""A hub, its events in a list, and devices that speak to it in whole packets: what the tests of `harness.hub` share."""

import dataclasses
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from harness.hub.base import HubConnection
from harness.hub.certificates import Certificate, Registration
from harness.hub.hub import Hub
from harness.hub.identity import Identity, SharedAccessPolicy
from harness.hub.policy import Policy
from harness.protocol.mqtt.codec import Decoder, encode
from harness.protocol.mqtt.packets import (
    Connack,
    Connect,
    Packet,
    Publish,
    Suback,
    Subscribe,
)
from harness.sas import make_token

HUB_NAME = "contoso.azure-devices.net"
DEVICE = "dev1"
PRIMARY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
SECONDARY = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
RULE_KEY = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
IDENTITY = Identity(
    HUB_NAME,
    DEVICE,
    PRIMARY,
    SECONDARY,
    policies={
        "device": SharedAccessPolicy(RULE_KEY),
        "service": SharedAccessPolicy(RULE_KEY, frozenset({"ServiceConnect"})),
    },
)
CERTIFICATE = Certificate("5A" * 20, "A5" * 32, DEVICE, 1_767_000_000.0, 1_768_000_000.0, "C0" * 32)
SELF_SIGNED = dataclasses.replace(IDENTITY, certificates=Registration("self-signed", "5A" * 20))
BY_AUTHORITY = dataclasses.replace(IDENTITY, certificates=Registration("ca", authorities=frozenset({"C0" * 32})))
POLICY = Policy(grace_s=10.0, skew_s=5.0)
NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z
LIFETIME = 60
RESOURCE = quote(f"{HUB_NAME}/devices/{DEVICE}", safe="")
USER_NAME = f"{HUB_NAME}/{DEVICE}/?api-version=2021-04-12&DeviceClientType=sdk%2F1.0"
EVENTS = f"devices/{DEVICE}/messages/events/"
C2D = f"devices/{DEVICE}/messages/devicebound/#"


def token(se: float = NOW + LIFETIME, resource: str = RESOURCE, key: str = PRIMARY, skn: str | None = None) -> str:
    """A token of the device that is good at NOW, or whatever else is asked for."""
    return make_token(resource, key, int(se), skn)


def connect_packet(
    password: str | None = None,
    username: str | None = USER_NAME,
    client_id: str = DEVICE,
    *,
    clean: bool = False,
    keep_alive: int = 0,
) -> Connect:
    """A CONNECT of the device; without `password` it carries a good token."""
    return Connect(client_id, keep_alive, clean, username, (password or token()).encode())


class Wire:
    """One device's connection to the hub, in packets instead of bytes."""

    def __init__(self, connection: HubConnection, wakes: list[int]) -> None:
        self.hub_side, self._wakes, self._decoder = connection, wakes, Decoder()

    @property
    def wakes(self) -> int:
        """How often the hub woke this connection's owner."""
        return self._wakes.count(self.hub_side.number)

    def send(self, *packets: Packet, at: float = NOW) -> list[Packet]:
        """Send packets in one chunk; what the hub answers."""
        self.hub_side.receive(b"".join(map(encode, packets)), at)
        return self.received()

    def received(self) -> list[Packet]:
        """What the hub has sent since the last call."""
        return self._decoder.feed(self.hub_side.data_to_send())

    def telemetry(self, number: int, at: float = NOW) -> list[Packet]:
        """Send telemetry message `number` with QoS 1 and that packet identifier."""
        return self.send(Publish(f"{EVENTS}%24.mid={number}", b"{}", 1, number), at=at)

    def subscribe(self, *filters: str, qos: int = 1, at: float = NOW) -> list[Packet]:
        """Subscribe; what comes after the SUBACK."""
        suback, *rest = self.send(Subscribe(1, tuple((item, qos) for item in filters)), at=at)
        assert suback == Suback(1, (min(qos, 1),) * len(filters))
        return rest


class World:
    """A hub with everything around it."""

    def __init__(self, policy: Policy = POLICY, identity: Identity = IDENTITY, *, recording: bool = True) -> None:
        self.events: list[tuple[str, float, dict[str, Any]]] = []
        self.secrets: list[str] = []
        self._wakes: list[int] = []
        self._connections: list[HubConnection] = []
        self.hub = Hub(
            identity,
            policy,
            emit=self._emit if recording else None,
            learn_secret=self.secrets.append,
            names=frozenset({"127.64.0.1"}),
        )

    def _emit(self, kind: str, now: float, /, **fields: object) -> None:
        msgspec.json.encode(fields)  # a log has to be able to hold them
        self.events.append((kind, now, fields))

    def proven(self, certificate: Certificate = CERTIFICATE, at: float = NOW) -> Wire:
        """A new connection of a device with a certificate, before its CONNECT."""
        connection = self.accept("mqtt", at=at)
        connection.proven(certificate)
        return Wire(connection, self._wakes)

    def open(self, transport: str = "mqtt", peer: str = "203.0.113.7:50123", at: float = NOW) -> Wire:
        """A new connection, before its CONNECT."""
        return Wire(self.accept(transport, peer, at), self._wakes)

    def accept(self, transport: str, peer: str = "203.0.113.7:50123", at: float = NOW) -> HubConnection:
        """The hub's side of a new connection, whatever it is to speak."""
        number = len(self._connections) + 1
        self._connections.append(self.hub.open(transport, peer, at, lambda: self._wakes.append(number)))
        return self._connections[-1]

    def connection(self, number: int) -> HubConnection:
        """The hub's side of the connection that was accepted as this one."""
        return self._connections[number - 1]

    def wakes(self, number: int) -> int:
        """How often the hub woke the owner of this connection."""
        return self._wakes.count(number)

    def connected(self, packet: Connect | None = None, at: float = NOW, *, present: bool = False) -> Wire:
        """A connection whose CONNECT was accepted; all the hub sent so far is the CONNACK."""
        wire = self.open(at=at)
        assert wire.send(packet or connect_packet(), at=at) == [Connack(0, present)]
        return wire

    def kinds(self) -> list[str]:
        """The kinds of all events, in order."""
        return [kind for kind, _, _ in self.events]

    def find(self, kind: str) -> list[dict[str, Any]]:
        """The fields of the events of one kind."""
        return [fields for other, _, fields in self.events if other == kind]

    def one(self, kind: str) -> dict[str, Any]:
        """The fields of the only event of a kind."""
        (fields,) = self.find(kind)
        return fields

    def codes(self) -> list[str]:
        """The diagnostics records so far: the code of an error, else the operation."""
        records: list[Mapping[str, str]] = [fields["record"] for fields in self.find("record")]
        return [record.get("resultType", record["operationName"]) for record in records]
