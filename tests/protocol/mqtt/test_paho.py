"""The codec against paho-mqtt 1.6.1, the client inside Azure's Python SDK, over a pair of connected sockets.

No thread, no network and no waiting: what one side writes is there when the other reads.
"""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from paho.mqtt import client as paho

from harness.protocol.mqtt.events import (
    ConnectReceived,
    DisconnectReceived,
    PingReceived,
    PubackReceived,
    PublishReceived,
    ServerEvent,
    SubscribeReceived,
    UnsubscribeReceived,
)
from harness.protocol.mqtt.packets import Connect, Publish, Subscribe, Unsubscribe, Will
from harness.protocol.mqtt.server import ServerConnection


class Paho(paho.Client):  # type: ignore[misc]
    """paho's client on a socket it did not open, recording its callbacks."""

    def __init__(self, ours: socket.socket, **settings: Any) -> None:
        super().__init__(client_id="dev", **settings)
        self.seen: list[tuple[object, ...]] = []
        self._ours = ours
        self.on_connect = lambda _c, _u, flags, code: self.seen.append(("connect", flags["session present"], code))
        self.on_publish = lambda _c, _u, packet_id: self.seen.append(("puback", packet_id))
        self.on_subscribe = lambda _c, _u, packet_id, granted: self.seen.append(("suback", packet_id, granted))
        self.on_unsubscribe = lambda _c, _u, packet_id: self.seen.append(("unsuback", packet_id))
        self.on_message = lambda _c, _u, m: self.seen.append(("message", m.topic, m.payload, m.qos, m.dup, m.retain))

    def _create_socket_connection(self) -> socket.socket:
        return self._ours


class Wire:
    """A paho client and a server machine at the two ends of a socket pair."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.theirs.setblocking(False)
        self.client = Paho(ours, clean_session=False)
        self.server = ServerConnection(now=0.0)

    def arrive(self) -> list[ServerEvent]:
        """What paho has written reaches the server."""
        self.client.loop_write()
        self.server.receive(self.theirs.recv(1 << 16), 0.0)
        return self.server.events()

    def answer(self) -> list[tuple[object, ...]]:
        """What the server has queued reaches paho; returns the callbacks it made."""
        self.theirs.sendall(self.server.data_to_send())
        self.client.loop_read(max_packets=10)
        seen, self.client.seen = self.client.seen, []
        return seen

    def close(self) -> None:
        """Close every socket, paho's own pair included."""
        self.theirs.close()
        self.client._reset_sockets()


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Before CONNECT."""
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture
def session(wire: Wire) -> Wire:
    """After CONNACK."""
    wire.client.connect("unused", keepalive=60)
    wire.arrive()
    wire.server.accept(session_present=False, keep_alive_timeout_s=None, now=0.0)
    wire.answer()
    return wire


def test_connect(wire: Wire) -> None:
    """User name, password and will as the SDK would set them."""
    wire.client.username_pw_set("hub/dev/?api-version=2021-04-12", "token")
    wire.client.will_set("devices/dev/messages/events/", b"gone", qos=1)
    wire.client.connect("unused", keepalive=60)
    will = Will("devices/dev/messages/events/", b"gone", 1, retain=False)
    expected = Connect("dev", 60, False, "hub/dev/?api-version=2021-04-12", b"token", will)
    assert wire.arrive() == [ConnectReceived(expected)]


def test_connack(wire: Wire) -> None:
    """Accepted, with a session."""
    wire.client.connect("unused")
    wire.arrive()
    wire.server.accept(session_present=True, keep_alive_timeout_s=None, now=0.0)
    assert wire.answer() == [("connect", 1, 0)]


@pytest.mark.parametrize("code", [2, 3, 4, 5])
def test_refusal(wire: Wire, code: int) -> None:
    """Paho reads the code we sent; after code 1 it would open a new socket for MQTT 3.1."""
    wire.client.connect("unused")
    wire.arrive()
    wire.server.refuse(code, 0.0)
    assert wire.answer() == [("connect", 0, code)]


def test_publish_and_puback(session: Wire) -> None:
    """Paho reports the message as published when our PUBACK comes."""
    info = session.client.publish("devices/dev/messages/events/a=%20", b"x" * 200, qos=1)
    expected = Publish("devices/dev/messages/events/a=%20", b"x" * 200, 1, info.mid)
    assert session.arrive() == [PublishReceived(expected)]
    session.server.acknowledge(info.mid)
    assert session.answer() == [("puback", info.mid)]


def test_subscribe_and_suback(session: Wire) -> None:
    """A granted and a refused filter."""
    _, packet_id = session.client.subscribe([("a/#", 1), ("b/+", 0)])
    assert session.arrive() == [SubscribeReceived(Subscribe(packet_id, (("a/#", 1), ("b/+", 0))))]
    session.server.suback(packet_id, (1, 0x80))
    assert session.answer() == [("suback", packet_id, (1, 0x80))]


def test_unsubscribe_and_unsuback(session: Wire) -> None:
    """Several filters at once."""
    _, packet_id = session.client.unsubscribe(["a/#", "b"])
    assert session.arrive() == [UnsubscribeReceived(Unsubscribe(packet_id, ("a/#", "b")))]
    session.server.unsuback(packet_id)
    assert session.answer() == [("unsuback", packet_id)]


def test_message_to_the_client(session: Wire) -> None:
    """QoS 1 with every flag; paho answers with PUBACK."""
    session.server.publish("devices/dev/messages/devicebound/", b"hi", qos=1, packet_id=300, dup=True, retain=True)
    assert session.answer() == [("message", "devices/dev/messages/devicebound/", b"hi", 1, True, True)]
    assert session.arrive() == [PubackReceived(300)]


def test_ping(session: Wire) -> None:
    """Paho counts our PINGRESP."""
    session.client._send_pingreq()
    session.client._ping_t = 1.0
    assert session.arrive() == [PingReceived()]
    session.answer()
    assert session.client._ping_t == 0


def test_disconnect(session: Wire) -> None:
    """The client takes leave."""
    session.client.disconnect()
    assert session.arrive() == [DisconnectReceived()]
