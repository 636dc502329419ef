"""harness.protocol.mqtt.server, driven by bytes and a clock that is a number."""

import pytest

from harness.errors import LocalProtocolError
from harness.protocol.mqtt.codec import Decoder, encode
from harness.protocol.mqtt.events import (
    ConnectReceived,
    DisconnectReceived,
    PingReceived,
    ProtocolViolation,
    PubackReceived,
    PublishReceived,
    ServerEvent,
    SubscribeReceived,
    Timeout,
    UnsubscribeReceived,
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
from harness.protocol.mqtt.server import ServerConnection
from harness.protocol.mqtt.state import State

CONNECT = Connect("dev", 60, clean_session=False)
TELEMETRY = Publish("devices/dev/messages/events/", b"x", 1, 7)


def send(server: ServerConnection, *packets: Packet, now: float = 100.0) -> list[ServerEvent]:
    """The client's packets arrive in one chunk."""
    server.receive(b"".join(map(encode, packets)), now)
    return server.events()


def answers(server: ServerConnection) -> list[Packet]:
    """What the server sends."""
    return Decoder().feed(server.data_to_send())


def accepted(*, keep_alive_timeout_s: float | None = None) -> ServerConnection:
    """A connection that is accepted at t = 100 s."""
    server = ServerConnection(now=100.0)
    send(server, CONNECT)
    server.accept(session_present=False, keep_alive_timeout_s=keep_alive_timeout_s, now=100.0)
    server.data_to_send()
    return server


def test_connect_is_reported_and_awaits_an_answer() -> None:
    """Nothing is sent before the owner decides."""
    server = ServerConnection(now=100.0)
    assert (server.state, send(server, CONNECT)) == (State.AWAIT_CONNECT, [ConnectReceived(CONNECT)])
    assert (server.state, server.data_to_send(), server.next_deadline()) == (State.CONNECT_RECEIVED, b"", None)


@pytest.mark.parametrize("session_present", [False, True])
def test_accepting(session_present: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """CONNACK 0 with the session-present flag the owner chose."""
    server = ServerConnection(now=100.0)
    send(server, CONNECT)
    server.accept(session_present=session_present, keep_alive_timeout_s=90.0, now=101.0)
    assert (server.state, answers(server)) == (State.CONNECTED, [Connack(0, session_present)])


def test_refusing() -> None:
    """CONNACK with the code, then nothing is read any more."""
    server = ServerConnection(now=100.0)
    send(server, CONNECT, TELEMETRY)
    server.refuse(5, 101.0)
    assert (server.state, answers(server), send(server, TELEMETRY)) == (State.CLOSED, [Connack(5)], [])


def test_refusing_with_code_0() -> None:
    """That would be accepting."""
    server = ServerConnection(now=100.0)
    send(server, CONNECT)
    with pytest.raises(LocalProtocolError, match="no refusal"):
        server.refuse(0, 100.0)


def test_packets_sent_ahead_of_connack_are_read_after_it() -> None:
    """Section 3.1.4 lets a client go on without waiting; in one chunk with CONNECT or later."""
    server = ServerConnection(now=100.0)
    assert send(server, CONNECT, TELEMETRY) == [ConnectReceived(CONNECT)]
    assert send(server, Pingreq()) == []
    server.accept(session_present=False, keep_alive_timeout_s=None, now=101.0)
    assert server.events() == [PublishReceived(TELEMETRY), PingReceived()]
    assert answers(server) == [Connack(0), Pingresp()]


def test_a_violation_sent_ahead_of_connack_keeps_its_place() -> None:
    """What came before it is reported first."""
    server = ServerConnection(now=100.0)
    send(server, CONNECT, TELEMETRY, CONNECT)
    server.accept(session_present=False, keep_alive_timeout_s=None, now=101.0)
    assert server.events() == [
        PublishReceived(TELEMETRY),
        ProtocolViolation("CONNECT is not allowed on an accepted connection"),
    ]


def test_what_is_sent_ahead_of_connack_is_bounded() -> None:
    """A client cannot fill the memory before it is accepted."""
    server = ServerConnection(now=100.0, max_packet_size=100)
    send(server, CONNECT)
    server.receive(bytes(100), 100.0)
    assert server.events() == []
    server.receive(b"x", 100.0)
    assert server.events() == [ProtocolViolation("more than 100 bytes between CONNECT and its answer")]
    assert server.state is State.CLOSED


@pytest.mark.parametrize(
    ("packet", "event"),
    [
        (TELEMETRY, PublishReceived(TELEMETRY)),
        (Publish("t", b"", 2, 1), PublishReceived(Publish("t", b"", 2, 1))),
        (Puback(3), PubackReceived(3)),
        (Subscribe(4, (("a/#", 1),)), SubscribeReceived(Subscribe(4, (("a/#", 1),)))),
        (Unsubscribe(5, ("a/#",)), UnsubscribeReceived(Unsubscribe(5, ("a/#",)))),
        (Pingreq(), PingReceived()),
        (Disconnect(), DisconnectReceived()),
    ],
)
def test_packets_of_an_accepted_client(packet: Packet, event: ServerEvent) -> None:
    """One event for each."""
    assert send(accepted(), packet) == [event]


@pytest.mark.parametrize("packet", [CONNECT, Connack(0), Suback(1, (0,)), Unsuback(1), Pingresp()])
def test_packets_a_client_may_not_send_any_more(packet: Packet) -> None:
    """A second CONNECT (section 3.1) and all that only servers send."""
    server = accepted()
    name = type(packet).__name__.upper()
    assert send(server, packet) == [ProtocolViolation(f"{name} is not allowed on an accepted connection")]
    assert server.state is State.CLOSED


@pytest.mark.parametrize("packet", [TELEMETRY, Pingreq(), Disconnect(), Connack(0)])
def test_first_packet_is_not_connect(packet: Packet) -> None:
    """MQTT-3.1.0-1."""
    server = ServerConnection(now=100.0)
    name = type(packet).__name__.upper()
    assert send(server, packet) == [ProtocolViolation(f"{name} is not allowed before CONNECT")]
    assert server.data_to_send() == b""


def test_another_protocol_level_gets_connack_1() -> None:
    """MQTT-3.1.2-2: an MQTT 5 client learns why."""
    server = ServerConnection(now=100.0)
    server.receive(bytes.fromhex("10 0d 0004 4d515454 05 02 003c 00 0000"), 100.0)
    assert server.events() == [ProtocolViolation("CONNECT: protocol level 5 is not 4", 1)]
    assert answers(server) == [Connack(1)]


def test_another_protocol_level_in_a_second_connect() -> None:
    """No second CONNACK: it is a violation like any second CONNECT."""
    server = accepted()
    server.receive(bytes.fromhex("10 0d 0004 4d515454 05 02 003c 00 0000"), 100.0)
    assert (server.state, server.data_to_send()) == (State.CLOSED, b"")


def test_violation_after_good_packets() -> None:
    """All of one chunk up to the violation is reported, in order."""
    server = accepted()
    server.receive(encode(TELEMETRY) + b"\xff" + encode(TELEMETRY), 100.0)
    assert server.events() == [PublishReceived(TELEMETRY), ProtocolViolation("reserved type 15 as packet type")]


def test_nothing_is_read_after_disconnect() -> None:
    """MQTT-3.14.4-2: the client has no more to say."""
    assert send(accepted(), Disconnect(), TELEMETRY) == [DisconnectReceived()]


def test_acknowledgements_of_one_chunk_leave_in_one_chunk() -> None:
    """One write per read."""
    server = accepted()
    send(server, TELEMETRY, Publish("t", b"", 1, 8))
    server.acknowledge(7)
    server.acknowledge(8)
    assert server.data_to_send() == encode(Puback(7)) + encode(Puback(8))
    assert server.data_to_send() == b""


def test_answers_to_subscriptions() -> None:
    """The owner decides the codes."""
    server = accepted()
    server.suback(4, (1, 0x80))
    server.unsuback(5)
    assert answers(server) == [Suback(4, (1, 0x80)), Unsuback(5)]


def test_publishing_without_acknowledgement() -> None:
    """QoS 0 has no identifier."""
    server = accepted()
    assert server.publish("t", b"x", retain=True) is None
    assert answers(server) == [Publish("t", b"x", retain=True)]


def test_publishing_with_an_identifier_of_the_session() -> None:
    """Sent again with DUP, it keeps its identifier."""
    server = accepted()
    assert server.publish("t", b"x", qos=1, packet_id=9, dup=True) == 9
    assert answers(server) == [Publish("t", b"x", 1, 9, dup=True)]


def test_fresh_identifiers_avoid_given_ones() -> None:
    """Until their PUBACK; then they come round again."""
    server = accepted()
    server.publish("t", b"", qos=1, packet_id=1)
    server.publish("t", b"", qos=1, packet_id=3)
    send(server, Puback(3))
    assert [server.publish("t", b"", qos=1) for _ in range(2)] == [2, 3]


def test_publishing_with_qos_2() -> None:
    """Not supported, so never begun."""
    with pytest.raises(LocalProtocolError, match="QoS 2 is not supported"):
        accepted().publish("t", b"", qos=2, packet_id=1)


def test_sending_before_accepting() -> None:
    """The owner is wrong."""
    server = ServerConnection(now=100.0)
    with pytest.raises(LocalProtocolError, match="nothing can be sent before CONNECT"):
        server.acknowledge(1)


def test_accepting_without_connect() -> None:
    """The owner is wrong."""
    with pytest.raises(LocalProtocolError, match="no CONNECT to answer before CONNECT"):
        ServerConnection(now=100.0).accept(session_present=False, keep_alive_timeout_s=None, now=100.0)


def test_refusing_after_accepting() -> None:
    """The owner is wrong."""
    with pytest.raises(LocalProtocolError, match="no CONNECT to answer on an accepted connection"):
        accepted().refuse(5, 100.0)


def test_answers_that_come_after_the_end_are_dropped() -> None:
    """The client may be gone while its last packets are still being answered."""
    server = accepted()
    send(server, TELEMETRY, Disconnect())
    server.acknowledge(7)
    server.suback(1, (0,))
    server.unsuback(2)
    assert (server.publish("t", b"", qos=1), server.publish("t", b"", qos=1, packet_id=3)) == (None, 3)
    server.accept(session_present=False, keep_alive_timeout_s=None, now=100.0)
    server.refuse(5, 100.0)
    assert server.data_to_send() == b""


def test_closing_keeps_what_is_queued() -> None:
    """The owner cuts; the PUBACKs it gave before can still leave, later ones cannot."""
    server = accepted()
    server.acknowledge(7)
    server.close()
    server.acknowledge(8)
    assert (answers(server), send(server, TELEMETRY), server.next_deadline()) == ([Puback(7)], [], None)


def test_waiting_for_connect() -> None:
    """The wait begins when the network connection opens, and incomplete bytes do not prolong it."""
    server = ServerConnection(now=100.0, connect_timeout_s=60.0)
    server.receive(encode(CONNECT)[:5], 159.0)
    assert server.next_deadline() == 160.0
    server.on_time(159.9)
    assert server.events() == []
    server.on_time(160.0)
    assert (server.events(), server.state) == ([Timeout("connect")], State.CLOSED)


def test_keep_alive_runs_out() -> None:
    """Every complete packet starts it afresh (section 3.1.2.10); half a packet does not."""
    server = accepted(keep_alive_timeout_s=90.0)
    assert server.next_deadline() == 190.0
    send(server, Pingreq(), now=150.0)
    server.receive(encode(TELEMETRY)[:5], 200.0)
    assert server.next_deadline() == 240.0
    server.on_time(239.9)
    assert server.events() == []
    server.on_time(240.0)
    assert (server.events(), server.state) == ([Timeout("keep-alive")], State.CLOSED)


def test_keep_alive_starts_with_accepting() -> None:
    """A late CONNACK does not count against the client."""
    server = ServerConnection(now=100.0)
    send(server, CONNECT)
    server.accept(session_present=False, keep_alive_timeout_s=90.0, now=150.0)
    assert server.next_deadline() == 240.0


def test_no_keep_alive() -> None:
    """None turns it off."""
    server = accepted()
    server.on_time(1e12)
    assert (server.next_deadline(), server.state) == (None, State.CONNECTED)
