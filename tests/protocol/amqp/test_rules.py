"""What real clients demand of a hub that speaks AMQP 1.0, one test for each lesson.

Azure's device SDKs differ in what they tolerate: the C SDK (uAMQP) reads frames in the order in which they come and casts
where it decodes, the Java SDK (proton-j) casts to the type it expects, Node.js (rhea) tolerates nearly everything. The order
of the tests is that of the rules.
"""

import pytest
from support.amqp_world import (
    BEGIN,
    NOW,
    RECEIVES,
    SENDS,
    ServerPeer,
    credit_for,
    message,
    only,
    server,
)

from harness.errors import LocalProtocolError
from harness.protocol.amqp import types as t
from harness.protocol.amqp.events import AttachReceived, CloseReceived, SaslInitReceived, TransferReceived
from harness.protocol.amqp.frames import AMQP_HEADER, SASL_HEADER, FrameType
from harness.protocol.amqp.messages import (
    Message,
    Properties,
    SingleValue,
    decode_message,
    encode_message,
)
from harness.protocol.amqp.performatives import (
    RECEIVER,
    Accepted,
    Attach,
    Close,
    Detach,
    Disposition,
    Error,
    Flow,
    SaslInit,
    SaslMechanisms,
    Source,
    Target,
    Transfer,
)
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.state import Phase

CBS_SENDER = Attach("$cbs-sender", 0, False, source=Source("cbs"), target=Target("$cbs"), initial_delivery_count=0)
CBS_RECEIVER = Attach("$cbs-receiver", 1, True, source=Source("$cbs"), target=Target("cbs"))
EXPIRED = Error("amqp:unauthorized-access", "Token Invalid.")


def cbs() -> tuple[ServerPeer, ReceiverLink, SenderLink]:
    """Both `$cbs` links are attached at once, as the C SDK does."""
    world = server()
    requests, answers = (event.link for event in world.send(CBS_SENDER, CBS_RECEIVER))  # type: ignore[union-attr]
    requests.accept()
    answers.accept()
    assert isinstance(requests, ReceiverLink)
    assert isinstance(answers, SenderLink)
    requests.grant(100)
    world.send(credit_for(CBS_RECEIVER, 10_000))
    return world, requests, answers


def test_rule_1_frames_leave_as_they_were_issued() -> None:
    """The disposition of a put-token strictly before the transfer of its answer, or the C SDK's renewal fails."""
    world, requests, answers = cbs()
    world.sent()
    request = only(TransferReceived, world.send(message()))
    requests.settle(request.delivery_id)
    answers.send(encode_message(Message(SingleValue(None))))
    answers.send(b"another")
    requests.grant(50)
    assert [type(body) for body in world.sent()] == [Disposition, Transfer, Transfer, Flow]


def test_rule_2_no_flow_before_the_attach_replies() -> None:
    """Both replies, then credit; the C SDK drops its first put-token otherwise. Credit before the reply is our mistake."""
    world = server()
    requests = only(AttachReceived, world.send(CBS_SENDER)).link
    assert isinstance(requests, ReceiverLink)
    with pytest.raises(LocalProtocolError):
        requests.grant(100)
    answers = only(AttachReceived, world.send(CBS_RECEIVER)).link
    world.send(Flow(1, 5_000, 1, 5_000, echo=True))
    requests.accept()
    answers.accept()
    requests.grant(100)
    assert [type(body) for body in world.sent()] == [Attach, Attach, Flow, Flow]


def test_rule_3_both_headers_and_an_array_of_mechanisms() -> None:
    """Node.js and .NET skip SASL, C wants MSSBCBS in an array, generic clients take the first they know."""
    bare = ServerPeer()
    bare.send_bytes(AMQP_HEADER)
    assert bare.header() == AMQP_HEADER
    world = ServerPeer()
    world.send_bytes(SASL_HEADER)
    world.header()
    assert world.sent(FrameType.SASL) == [SaslMechanisms(("MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL"))]
    assert only(SaslInitReceived, world.send_sasl(SaslInit("MSSBCBS", b"")))


@pytest.mark.parametrize("identifier", ["m-1", t.Uuid(bytes(range(16))), t.ULong(7), b"m-1"])
def test_rule_4_identifiers_keep_their_type(identifier: t.Value) -> None:
    """A string from Node.js and .NET, a uuid from Java, a ulong from C: the correlation-id is what the message-id was."""
    request = decode_message(encode_message(Message(properties=Properties(message_id=identifier))))
    answer = encode_message(Message(properties=Properties(correlation_id=request.properties.message_id)))
    again = decode_message(answer).properties.correlation_id
    assert (again, type(again)) == (identifier, type(identifier))


def test_rule_5_types_by_schema() -> None:
    """Java casts content-type to symbol, status-code to int, .NET and C too; ulong for max-message-size."""
    encoded = encode_message(
        Message(properties=Properties(content_type="a"), application_properties={"status-code": t.Int(200)})
    )
    assert bytes.fromhex("a30161") in encoded
    assert bytes.fromhex("71000000c8") in encoded
    world = server()
    only(AttachReceived, world.send(SENDS)).link.accept(max_message_size=1_048_576)
    assert bytes.fromhex("800000000000100000") in world.machine.data_to_send()


def test_rule_6_credit_and_windows_are_refreshed_at_half() -> None:
    """Half the credit is used: credit. Half the window: the session's FLOW. `echo` is answered, `drain` consumes."""
    world = server()
    world.receiver(credit=1_000)
    sender = world.sender()
    world.send(*(message(number, settled=True) for number in range(499)))
    assert world.sent() == []
    world.send(message(499))
    assert [body.link_credit for body in world.sent()] == [1_000]  # type: ignore[union-attr]
    world.send(Flow(1, 5_000, 1, 5_000, echo=True))
    assert [type(body) for body in world.sent()] == [Flow]
    world.send(Flow(1, 5_000, 1, 5_000, 1, 0, 9, drain=True))
    assert [(body.link_credit, body.drain) for body in world.sent()] == [(0, True)]  # type: ignore[union-attr]
    assert sender.credit == 0


def test_rule_7_after_our_close_only_close_counts() -> None:
    """Everything else is dropped, and after ten seconds we go."""
    world = server()
    world.receiver(credit=10)
    world.machine.close(EXPIRED, now=NOW)
    assert world.send(message(), Detach(0), RECEIVES) == []
    assert world.machine.next_deadline() == NOW + 10
    assert world.send(Close()) == [CloseReceived(Close())]
    assert world.machine.phase is Phase.CLOSED


def test_rule_8_a_network_fault_says_nothing() -> None:
    """`abandon` for faults leaves no CLOSE on the wire; `close` for polite ends does. They look different to clients."""
    world = server()
    world.machine.abandon()
    assert world.machine.data_to_send() == b""
    world = server()
    world.machine.close(now=NOW)
    assert world.sent() == [Close()]


def test_rule_9_expiry_detaches_link_by_link() -> None:
    """`$cbs` stays, and a renewal is still heard; CLOSE and closed=false are there for whoever wants them."""
    world, requests, _ = cbs()
    telemetry = world.attached(Attach("events", 2, False, target=Target("t"), initial_delivery_count=0))
    c2d = world.attached(Attach("c2d", 3, True, source=Source("s")))
    world.sent()
    telemetry.detach(EXPIRED)
    c2d.detach(EXPIRED, closed=False)
    assert world.sent() == [Detach(2, True, EXPIRED), Detach(3, False, EXPIRED)]
    assert only(TransferReceived, world.send(message(5))).link is requests
    world.machine.close(EXPIRED, now=NOW)
    assert world.sent() == [Close(EXPIRED)]


def test_rule_10_addresses_are_left_to_the_owner() -> None:
    """Paths, absolute URIs, encoded ids and unusual capitals arrive as they were sent, and are echoed so."""
    for address in ("/devices/d/messages/deviceBound", "amqps://hub:5671/devices/d%2B1/twin"):
        world = server()
        link = only(AttachReceived, world.send(Attach("n", 0, True, source=Source(address)))).link
        link.accept()
        (attach,) = world.sent()
        assert isinstance(attach, Attach)
        assert attach.source == Source(address)


def test_rule_11_several_clients_opinions_at_once() -> None:
    """Fixed link names in every session, several sessions on one connection, each with a type of identifier of its own."""
    world = ServerPeer().opened()
    for channel in (0, 1, 2):
        world.begun(BEGIN, channel)
        link = world.attached(SENDS, channel)
        assert isinstance(link, ReceiverLink)
        link.grant(1)
        event = only(TransferReceived, world.send(message(channel), channel=channel))
        event.link.settle(event.delivery_id)
        *_, last = world.frames()
        assert last == (channel, Disposition(RECEIVER, channel, settled=True, state=Accepted()), b"")
