"""harness.protocol.mqtt.client, driven by bytes and a clock that is a number."""

import pytest

from harness.errors import LocalProtocolError
from harness.protocol.mqtt.client import ClientConnection
from harness.protocol.mqtt.codec import Decoder, encode
from harness.protocol.mqtt.events import (
    Acknowledged,
    ClientEvent,
    Connected,
    PongReceived,
    ProtocolViolation,
    PublishReceived,
    Subscribed,
    Timeout,
    Unsubscribed,
)
from harness.protocol.mqtt.packets import (
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
)
from harness.protocol.mqtt.session import PacketIds
from harness.protocol.mqtt.state import State

CONNECT = Connect("dev", 60, clean_session=False)


def send(client: ClientConnection, *packets: Packet, now: float = 100.0) -> list[ClientEvent]:
    """The server's packets arrive in one chunk."""
    client.receive(b"".join(map(encode, packets)), now)
    return client.events()


def sent(client: ClientConnection) -> list[Packet]:
    """What the client sends."""
    return Decoder().feed(client.data_to_send())


def connected(client: ClientConnection | None = None, connect: Connect = CONNECT) -> ClientConnection:
    """A client whose CONNECT of t = 100 s was accepted."""
    client = client or ClientConnection()
    client.connect(connect, 100.0)
    send(client, Connack(0))
    client.data_to_send()
    return client


def test_connecting() -> None:
    """CONNECT first, then its answer."""
    client = ClientConnection()
    client.connect(CONNECT, 100.0)
    assert (client.state, sent(client)) == (State.CONNECT_SENT, [CONNECT])
    assert send(client, Connack(0, session_present=True)) == [Connected(0, session_present=True)]
    assert client.state is State.CONNECTED


def test_being_refused() -> None:
    """The code is reported and the machine is closed."""
    client = ClientConnection()
    client.connect(CONNECT, 100.0)
    assert send(client, Connack(5), Pingresp()) == [Connected(5, session_present=False)]
    assert client.state is State.CLOSED


def test_connecting_twice() -> None:
    """The owner is wrong."""
    with pytest.raises(LocalProtocolError, match="one CONNECT"):
        connected().connect(CONNECT, 100.0)


@pytest.mark.parametrize(
    ("packet", "event"),
    [
        (Publish("t", b"x", 1, 3), PublishReceived(Publish("t", b"x", 1, 3))),
        (Puback(4), Acknowledged(4)),
        (Suback(5, (1, 0x80)), Subscribed(5, (1, 0x80))),
        (Unsuback(6), Unsubscribed(6)),
        (Pingresp(), PongReceived()),
    ],
)
def test_packets_of_the_server(packet: Packet, event: ClientEvent) -> None:
    """One event for each."""
    assert send(connected(), packet) == [event]


@pytest.mark.parametrize(
    "packet", [CONNECT, Connack(0), Subscribe(1, (("t", 0),)), Unsubscribe(1, ("t",)), Pingreq(), Disconnect()]
)
def test_packets_a_server_may_not_send(packet: Packet) -> None:
    """A second CONNACK and all that only clients send; 3.1.1 has no DISCONNECT from the server."""
    client = connected()
    name = type(packet).__name__.upper()
    assert send(client, packet) == [ProtocolViolation(f"{name} is not allowed on an accepted connection")]
    assert client.state is State.CLOSED


def test_first_packet_is_not_connack() -> None:
    """MQTT-3.2.0-1."""
    client = ClientConnection()
    client.connect(CONNECT, 100.0)
    assert send(client, Pingresp()) == [ProtocolViolation("PINGRESP is not allowed before CONNACK")]


def test_a_server_that_speaks_first() -> None:
    """Nothing may come before CONNECT."""
    assert send(ClientConnection(), Connack(0)) == [ProtocolViolation("CONNACK is not allowed before CONNECT")]


def test_malformed_bytes() -> None:
    """The decoder's reason becomes an event."""
    client = connected()
    client.receive(b"\xd0\x01\x00", 100.0)
    assert client.events() == [ProtocolViolation("PINGRESP: 1 bytes after the last field")]


def test_requests() -> None:
    """Fresh identifiers from 1 up, all in one chunk."""
    client = connected()
    assert client.publish("t", b"0", now=100.0) is None
    assert client.publish("t", b"1", qos=1, now=100.0) == 1
    assert client.subscribe((("t/#", 1),), now=100.0) == 2
    assert client.unsubscribe(("t/#",), now=100.0) == 3
    client.acknowledge(9, now=100.0)
    assert sent(client) == [
        Publish("t", b"0"),
        Publish("t", b"1", 1, 1),
        Subscribe(2, (("t/#", 1),)),
        Unsubscribe(3, ("t/#",)),
        Puback(9),
    ]


def test_requests_with_given_identifiers() -> None:
    """The owner's choice is kept."""
    client = connected()
    client.publish("t", b"", qos=1, packet_id=7, dup=True, retain=True, now=100.0)
    client.subscribe((("t", 0),), packet_id=8, now=100.0)
    client.unsubscribe(("t",), packet_id=9, now=100.0)
    assert sent(client) == [Publish("t", b"", 1, 7, True, True), Subscribe(8, (("t", 0),)), Unsubscribe(9, ("t",))]


def test_identifiers_are_in_use_until_the_answer() -> None:
    """PUBACK, SUBACK and UNSUBACK free one each."""
    ids = PacketIds()
    client = connected(ClientConnection(ids=ids))
    client.publish("t", b"", qos=1, now=100.0)
    client.subscribe((("t", 0),), now=100.0)
    client.unsubscribe(("t",), now=100.0)
    assert len(ids) == 3
    send(client, Puback(1), Suback(2, (0,)), Unsuback(3))
    assert len(ids) == 0


def test_disconnecting() -> None:
    """DISCONNECT is the last packet (MQTT-3.14.4-2)."""
    client = connected()
    client.disconnect()
    assert (client.state, sent(client), client.next_deadline()) == (State.CLOSED, [Disconnect()], None)


def test_requests_after_the_end_are_dropped() -> None:
    """They take no identifier either."""
    ids = PacketIds()
    client = connected(ClientConnection(ids=ids))
    client.close()
    assert client.publish("t", b"", qos=1, now=100.0) is None
    assert client.subscribe((("t", 0),), now=100.0) is None
    assert client.unsubscribe(("t",), packet_id=4, now=100.0) == 4
    client.acknowledge(1, now=100.0)
    client.disconnect()
    client.receive(encode(Pingresp()), 100.0)
    assert (client.data_to_send(), client.events(), len(ids)) == (b"", [], 0)


def test_sending_before_connack_changes_nothing() -> None:
    """The owner is wrong, and the wait for CONNACK is not prolonged."""
    client = ClientConnection()
    client.connect(CONNECT, 100.0)
    with pytest.raises(LocalProtocolError, match="nothing can be sent before CONNACK"):
        client.publish("t", b"", now=130.0)
    assert client.next_deadline() == 160.0


def test_connack_does_not_come() -> None:
    """The wait is a parameter."""
    client = ClientConnection(connack_timeout_s=10.0)
    assert client.next_deadline() is None
    client.on_time(1e12)
    client.connect(CONNECT, 100.0)
    client.on_time(109.9)
    assert (client.events(), client.next_deadline()) == ([], 110.0)
    client.on_time(110.0)
    assert (client.events(), client.state) == ([Timeout("connack")], State.CLOSED)


def test_ping_after_silence() -> None:
    """PINGREQ when nothing was sent for the keep-alive of CONNECT (section 3.1.2.10)."""
    client = connected()
    client.publish("t", b"", now=130.0)
    client.data_to_send()
    assert client.next_deadline() == 190.0
    client.on_time(189.9)
    assert sent(client) == []
    client.on_time(190.0)
    assert sent(client) == [Pingreq()]


def test_answered_ping() -> None:
    """The next one is due an interval after the last."""
    client = connected()
    client.on_time(160.0)
    assert client.next_deadline() == 190.0
    send(client, Pingresp(), now=160.1)
    assert client.next_deadline() == 220.0


def test_unanswered_ping() -> None:
    """The wait is a parameter; sending does not prolong it."""
    client = connected(ClientConnection(ping_timeout_s=5.0))
    client.on_time(160.0)
    client.publish("t", b"", now=164.0)
    client.on_time(165.0)
    assert (client.events(), client.state) == ([Timeout("ping")], State.CLOSED)


def test_ping_more_often_than_promised() -> None:
    """The interval is a parameter."""
    assert connected(ClientConnection(ping_interval_s=15.0)).next_deadline() == 115.0


def test_no_keep_alive() -> None:
    """Keep-alive 0 means no PINGREQ."""
    client = connected(connect=Connect("dev", 0))
    client.on_time(1e12)
    assert (client.next_deadline(), sent(client)) == (None, [])
