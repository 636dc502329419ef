"""harness.protocol.amqp.server: protocol headers and SASL."""

import pytest
from support.amqp_strategies import fragments
from support.amqp_world import NOW, OPEN, ServerPeer, only

from harness.errors import LocalProtocolError
from harness.protocol.amqp.conditions import DECODE_ERROR, FRAMING_ERROR, ILLEGAL_STATE, UNAUTHORIZED_ACCESS
from harness.protocol.amqp.connection import Limits
from harness.protocol.amqp.events import OpenReceived, ProtocolViolation, SaslInitReceived
from harness.protocol.amqp.frames import AMQP_HEADER, SASL_HEADER, FrameType, encode_frame
from harness.protocol.amqp.performatives import (
    SaslCode,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
)
from harness.protocol.amqp.server import ServerConnection
from harness.protocol.amqp.state import Phase

SASL = FrameType.SASL
PLAIN = SaslInit("PLAIN", b"\0dev@sas.hub\0SharedAccessSignature", "hub")


def exchanging() -> ServerPeer:
    """After the SASL headers and mechanisms."""
    world = ServerPeer()
    assert world.send_bytes(SASL_HEADER) == []
    world.header()
    world.sent(SASL)
    return world


def test_no_sasl() -> None:
    """The Node.js and .NET SDKs begin with the AMQP header."""
    world = ServerPeer()
    assert world.send_bytes(AMQP_HEADER) == []
    assert (world.header(), world.sent()) == (AMQP_HEADER, [])
    assert world.send(OPEN) == [OpenReceived(OPEN)]
    assert world.machine.mechanism is None


def test_mechanisms() -> None:
    """All that IoT Hub offers, EXTERNAL last."""
    world = ServerPeer()
    world.send_bytes(SASL_HEADER)
    assert world.header() == SASL_HEADER
    assert world.sent(SASL) == [SaslMechanisms(("MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL"))]


def test_one_mechanism_is_an_array_too() -> None:
    """The C SDK looks for nothing else."""
    machine = ServerConnection(now=NOW, mechanisms=("MSSBCBS",))
    machine.receive(SASL_HEADER, NOW)
    assert bytes.fromhex("005340 c01001 e00d01b3000000074d535342434253") in machine.data_to_send()


@pytest.mark.parametrize(
    "init", [SaslInit("MSSBCBS", b""), SaslInit("ANONYMOUS", b"me"), SaslInit("EXTERNAL"), PLAIN], ids=repr
)
def test_exchange(init: SaslInit) -> None:
    """The owner judges, then the AMQP header follows."""
    world = exchanging()
    assert world.send_sasl(init) == [SaslInitReceived(init)]
    world.machine.sasl_outcome(SaslCode.OK, now=NOW)
    assert world.sent(SASL) == [SaslOutcome(SaslCode.OK)]
    assert world.send_bytes(AMQP_HEADER) == []
    assert world.header() == AMQP_HEADER
    assert world.send(OPEN) == [OpenReceived(OPEN)]
    assert world.machine.mechanism == init.mechanism


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_everything_sent_ahead(size: int) -> None:
    """A client need not wait for answers; what it sent waits for the owner's word."""
    stream = SASL_HEADER + encode_frame(SASL, 0, PLAIN) + AMQP_HEADER + encode_frame(FrameType.AMQP, 0, OPEN)
    world = ServerPeer()
    events = [
        event for part in fragments(stream, list(range(0, len(stream), size))) for event in world.send_bytes(part)
    ]
    assert events == [SaslInitReceived(PLAIN)]
    world.machine.sasl_outcome(SaslCode.OK, now=NOW)
    assert world.machine.events() == [OpenReceived(OPEN)]


def test_refusal() -> None:
    """The outcome leaves, nothing more is read."""
    world = exchanging()
    world.send_sasl(PLAIN)
    world.machine.sasl_outcome(SaslCode.AUTH, now=NOW)
    assert world.sent(SASL) == [SaslOutcome(SaslCode.AUTH)]
    assert (world.send_bytes(AMQP_HEADER), world.machine.phase) == ([], Phase.CLOSED)
    world.machine.sasl_outcome(SaslCode.OK, now=NOW)
    assert world.machine.data_to_send() == b""


def test_an_outcome_that_nobody_waits_for() -> None:
    """The owner is wrong."""
    with pytest.raises(LocalProtocolError, match="no sasl-init to answer before the protocol header"):
        ServerPeer().machine.sasl_outcome(SaslCode.OK, now=NOW)


def test_a_mechanism_that_was_not_offered() -> None:
    """Section 5.3.3.2: an authentication failure."""
    world = exchanging()
    event = only(ProtocolViolation, world.send_sasl(SaslInit("SCRAM-SHA-1")))
    assert (event.condition, world.sent(SASL)) == (UNAUTHORIZED_ACCESS, [SaslOutcome(SaslCode.AUTH)])


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"AMQP\x00\x00\x09\x01", b"AMQP\x02\x01\x00\x00"])
def test_another_header(data: bytes) -> None:
    """It learns what we speak (section 2.2), and that is all."""
    world = ServerPeer()
    event = only(ProtocolViolation, world.send_bytes(data))
    assert event == ProtocolViolation(FRAMING_ERROR, "no protocol header of AMQP 1.0")
    assert world.machine.data_to_send() == SASL_HEADER


def test_another_header_after_sasl() -> None:
    """There is no second exchange."""
    world = exchanging()
    world.send_sasl(PLAIN)
    world.machine.sasl_outcome(SaslCode.OK, now=NOW)
    world.sent(SASL)
    event = only(ProtocolViolation, world.send_bytes(SASL_HEADER))
    assert (event.condition, world.machine.data_to_send()) == (FRAMING_ERROR, AMQP_HEADER)


def test_a_sasl_frame_of_the_server() -> None:
    """Only sasl-init may come."""
    event = only(ProtocolViolation, exchanging().send_sasl(SaslOutcome(0)))
    assert event == ProtocolViolation(ILLEGAL_STATE, "SASLOUTCOME is not allowed before sasl-init")


def test_an_empty_sasl_frame() -> None:
    """There are no heartbeats within SASL."""
    event = only(ProtocolViolation, exchanging().send_bytes(encode_frame(SASL, 0, None)))
    assert event.reason == "an empty frame is not allowed before sasl-init"


def test_malformed_sasl() -> None:
    """The decoder's reason becomes an event."""
    event = only(ProtocolViolation, exchanging().send_bytes(bytes.fromhex("0000000c 02010000 00534145")))
    assert event == ProtocolViolation(DECODE_ERROR, "amqp:sasl-init:list without mechanism")


def test_a_flood_before_the_outcome() -> None:
    """What waits for the owner's word is limited to a frame."""
    world = ServerPeer(Limits(max_frame_size=512))
    world.send_bytes(SASL_HEADER + encode_frame(SASL, 0, PLAIN))
    assert world.send_bytes(bytes(512)) == []
    event = only(ProtocolViolation, world.send_bytes(b"x"))
    assert event.reason == "more than 512 bytes between sasl-init and its outcome"


def test_opening_before_the_client_has() -> None:
    """An owner that does not wait: its frames follow the header."""
    world = ServerPeer()
    world.machine.open("hub")
    assert world.machine.data_to_send() == b""
    world.send_bytes(AMQP_HEADER)
    assert (world.header(), len(world.sent())) == (AMQP_HEADER, 1)
