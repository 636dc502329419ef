"""harness.protocol.amqp.client: protocol headers and SASL from the other side."""

import pytest
from support.amqp_world import NOW, OPEN, Peer, only

from harness.errors import LocalProtocolError
from harness.protocol.amqp.client import ClientConnection, plain
from harness.protocol.amqp.conditions import FRAMING_ERROR, NOT_IMPLEMENTED
from harness.protocol.amqp.events import OpenReceived, ProtocolViolation, SaslOutcomeReceived, Timeout
from harness.protocol.amqp.frames import AMQP_HEADER, SASL_HEADER, FrameType
from harness.protocol.amqp.performatives import Begin, Open, SaslCode, SaslInit, SaslMechanisms, SaslOutcome
from harness.protocol.amqp.state import Phase

SASL = FrameType.SASL
OFFER = SaslMechanisms(("MSSBCBS", "PLAIN", "ANONYMOUS"))


def test_no_sasl() -> None:
    """Header, OPEN and BEGIN leave at once, whatever the server does meanwhile."""
    world = Peer(client := ClientConnection())
    client.connect(NOW)
    client.open("dev", hostname="hub")
    client.begin()
    assert world.header() == AMQP_HEADER
    assert world.sent() == [
        Open("dev", "hub", 65_536, 8_191),
        Begin(None, 1, 5_000, 5_000, 262_143),
    ]
    assert world.send_bytes(AMQP_HEADER) == []
    assert world.send(OPEN) == [OpenReceived(OPEN)]


@pytest.mark.parametrize("mechanism", ["MSSBCBS", "PLAIN", "ANONYMOUS"])
def test_exchange(mechanism: str) -> None:
    """OPEN waits for the outcome."""
    response = plain("dev@sas.hub", "sas") if mechanism == "PLAIN" else None
    client = ClientConnection(mechanism=mechanism, response=response, hostname="hub")
    world = Peer(client)
    client.connect(NOW)
    client.open("dev")
    assert (world.header(), client.data_to_send()) == (SASL_HEADER, b"")
    world.send_bytes(SASL_HEADER)
    world.send_sasl(OFFER)
    assert world.sent(SASL) == [SaslInit(mechanism, response, "hub")]
    assert world.send_sasl(SaslOutcome(0)) == [SaslOutcomeReceived(SaslCode.OK)]
    assert (world.header(), world.sent()) == (AMQP_HEADER, [Open("dev", None, 65_536, 8_191)])
    world.send_bytes(AMQP_HEADER)
    assert world.send(OPEN) == [OpenReceived(OPEN)]
    assert client.mechanism == mechanism


def test_plain() -> None:
    """RFC 4616: no authorization identity."""
    assert plain("u", "p") == b"\0u\0p"


def test_being_refused() -> None:
    """The code is reported and the machine is closed."""
    world = Peer(client := ClientConnection(mechanism="ANONYMOUS"))
    client.connect(NOW)
    client.open("dev")
    world.send_bytes(SASL_HEADER)
    world.send_sasl(OFFER)
    assert world.send_sasl(SaslOutcome(SaslCode.AUTH)) == [SaslOutcomeReceived(SaslCode.AUTH)]
    assert client.phase is Phase.CLOSED


def test_a_mechanism_that_is_not_offered() -> None:
    """There is no second choice."""
    world = Peer(client := ClientConnection(mechanism="EXTERNAL"))
    client.connect(NOW)
    world.send_bytes(SASL_HEADER)
    event = only(ProtocolViolation, world.send_sasl(OFFER))
    assert event == ProtocolViolation(NOT_IMPLEMENTED, "the server does not offer EXTERNAL")


@pytest.mark.parametrize(("mechanism", "header"), [(None, SASL_HEADER), ("PLAIN", AMQP_HEADER), (None, b"HTTP/1.1")])
def test_another_header(mechanism: str | None, header: bytes) -> None:
    """The server wants something else."""
    world = Peer(client := ClientConnection(mechanism=mechanism))
    client.connect(NOW)
    assert only(ProtocolViolation, world.send_bytes(header)).condition == FRAMING_ERROR


def test_connecting_twice() -> None:
    """The owner is wrong."""
    client = ClientConnection()
    client.connect(NOW)
    with pytest.raises(LocalProtocolError, match="begins once"):
        client.connect(NOW)


def test_a_violation_before_our_header() -> None:
    """OPEN was queued and has not left, so there is nothing to close."""
    client = ClientConnection(mechanism="PLAIN")
    client.connect(NOW)
    client.open("dev")
    client.data_to_send()
    client.receive(AMQP_HEADER, NOW)
    assert client.data_to_send() == b""


def test_a_server_that_says_nothing() -> None:
    """The time to its OPEN counts from the connection."""
    client = ClientConnection()
    assert client.next_deadline() is None
    client.connect(NOW)
    assert client.next_deadline() == NOW + 60
    client.on_time(NOW + 59.9)
    assert client.events() == []
    client.on_time(NOW + 60)
    assert (client.events(), client.phase) == ([Timeout("open")], Phase.CLOSED)
