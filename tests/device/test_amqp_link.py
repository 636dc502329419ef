"""The emulated device's link over AMQP by itself, before a peer that is played frame by frame."""

from random import Random
from typing import Any

import msgspec
import pytest
from support.device_world import START, open_command, own_token, profile_of

from harness.device.actions import Dial, Hangup, Write
from harness.device.amqp_link import AmqpLink
from harness.device.amqp_words import Words, dashed
from harness.device.link import (
    Acknowledged,
    Admitted,
    Broken,
    Called,
    Ended,
    Ending,
    LinkEvent,
    Listening,
    Received,
    Refused,
    Rejected,
    Renewed,
    Unrenewed,
)
from harness.device.links import link_for
from harness.device.mqtt_link import MqttLink
from harness.device.opening import parse_open
from harness.protocol.amqp import events as amqp
from harness.protocol.amqp.conditions import DETACH_FORCED, UNAUTHORIZED_ACCESS
from harness.protocol.amqp.link import Link
from harness.protocol.amqp.messages import Data, Message, Properties, SingleValue, decode_message, encode_message
from harness.protocol.amqp.performatives import (
    ACCEPTED,
    RECEIVER,
    Disposition,
    Error,
    SaslCode,
    Source,
    Target,
)
from harness.protocol.amqp.performatives import (
    Received as Partial,
)
from harness.protocol.amqp.performatives import (
    Rejected as RejectedState,
)
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.server import ServerConnection
from harness.protocol.amqp.session import Session
from harness.protocol.amqp.state import Half
from harness.protocol.amqp.types import Int, ULong, Uuid

TOKEN = own_token(3600)
UNAUTHORIZED = Error(UNAUTHORIZED_ACCESS, "Token Invalid.")


class Peer:
    """A link and what is at its other end, which accepts everything and says nothing of its own accord.

    `told`: what the link has told. `requests`: the put-tokens that arrived. `links`: those the device has attached, by name.
    """

    def __init__(self, sdk: str = "node", **changes: Any) -> None:
        profile = profile_of(sdk)
        assert profile.emulation.amqp is not None
        amqp_changed = msgspec.structs.replace(profile.emulation.amqp, **changes)
        self.link = AmqpLink(profile.emulation, amqp_changed, "fin", Random(1))
        self.names = amqp_changed.names
        self.server = ServerConnection(now=START)
        self.told: list[LinkEvent] = []
        self.requests: list[Message] = []
        self.links: list[Link] = []
        self.sessions: list[Session] = []
        self.events: list[amqp.Event] = []
        self.sasl = SaslCode.OK
        self.attaches = True
        self.link.dial()
        self.link.connected(parse_open(open_command(), profile, "amqp"), TOKEN, START)
        self.exchange()

    def exchange(self, now: float = START) -> list[LinkEvent]:
        """Carry bytes to and fro until both sides are quiet; what the link told meanwhile."""
        before = len(self.told)
        busy = True
        while busy:
            self.link.write()
            writes = [action.data for action in self.link.actions() if isinstance(action, Write)]
            self.server.receive(b"".join(writes), now)
            for event in self.server.events():
                self._answer(event, now)
            for event in self.server.events():
                self._answer(event, now)
            data = self.server.data_to_send()
            self.link.receive(data, now)
            self.told += self.link.events(now)
            busy = bool(data)
        return self.told[before:]

    def _answer(self, event: amqp.Event, now: float) -> None:
        self.events.append(event)
        match event:
            case amqp.SaslInitReceived():
                self.server.sasl_outcome(self.sasl, now=now)
            case amqp.OpenReceived():
                self.server.open("hub")
            case amqp.BeginReceived(session):
                self.sessions.append(session)
                session.accept()
            case amqp.AttachReceived(link) if self.attaches and link.local is Half.UNUSED:
                self.links.append(link)
                link.accept(max_message_size=1_048_576)
                if isinstance(link, ReceiverLink):
                    link.grant(100)
            case amqp.TransferReceived(link=link):
                if link.name == self.cbs("sender"):
                    self.requests.append(decode_message(event.payload))
                    link.settle(event.delivery_id)

    def cbs(self, role: str) -> str:
        """The name of one of the two `$cbs` links."""
        index = {"sender": 0, "receiver": 1}[role]
        return self.links[index].name if len(self.links) > index else "-"

    def reply(self, status: object = Int(200), correlation_id: Any = None, now: float = START) -> list[LinkEvent]:
        """Answer the last put-token."""
        identity = self.requests[-1].properties.message_id if correlation_id is None else correlation_id
        message = Message(SingleValue(None), Properties(correlation_id=identity), {"status-code": status})
        sender = self.links[1]
        assert isinstance(sender, SenderLink)
        sender.send(encode_message(message))
        return self.exchange(now)

    def admitted(self, *wishes: Any) -> "Peer":
        """The same, after its first token was taken and its wishes were granted."""
        self.reply()
        self.link.listen(wishes, START)
        self.exchange()
        return self

    def last(self, kind: type[Link]) -> Any:
        """The last link of this kind that the device has attached."""
        return next(link for link in reversed(self.links) if isinstance(link, kind))

    def hangups(self) -> list[str]:
        """How the device has ended the transport."""
        return [action.how for action in self.link.actions() if isinstance(action, Hangup)]


def test_which_link_a_transport_has() -> None:
    """One over MQTT, one over AMQP."""
    emulation = profile_of("node").emulation
    assert isinstance(link_for(emulation, "mqtt-ws", Random(1)), MqttLink)
    assert isinstance(link_for(emulation, "amqp-ws", Random(1)), AmqpLink)


@pytest.mark.parametrize(
    ("sdk", "kind", "first"),
    [("c", ULong, ULong(0)), ("java", Uuid, None), ("dotnet", str, "request1"), ("node", str, None)],
)
def test_put_token_of_each_sdk(sdk: str, kind: type, first: object) -> None:
    """Message-id of the SDK's type, the token as the body, the type and name it is sent under."""
    peer = Peer(sdk)
    (request,) = peer.requests
    assert type(request.properties.message_id) is kind
    assert first is None or request.properties.message_id == first
    assert request.body == SingleValue(TOKEN)
    assert request.application_properties["operation"] == "put-token"
    wanted = "azure-devices.net:sastoken" if sdk == "dotnet" else "servicebus.windows.net:sastoken"
    assert request.application_properties["type"] == wanted
    assert peer.reply() == [Admitted()]


def test_the_answer_has_to_repeat_the_message_id_and_its_type() -> None:
    """Another one answers nothing."""
    peer = Peer("c")
    assert peer.reply(correlation_id="0") == []
    assert peer.reply(correlation_id=ULong(7)) == []
    assert peer.reply() == [Admitted()]
    assert peer.reply() == []


@pytest.mark.parametrize("status", [Int(401), "200", None, Int(300)])
def test_any_other_status_is_a_refusal(status: object) -> None:
    """Also one that is no number."""
    assert Peer("node").reply(status) == [Refused()]


def test_a_refusal_may_leave_the_connection_standing() -> None:
    """C tries again ten seconds later, up to the fifth time."""
    peer = Peer("c", refusals_per_connection=2)
    assert peer.reply(Int(401)) == [Refused(wait_s=10.0)]
    assert peer.link.stands
    peer.link.authenticate(TOKEN, START)
    peer.exchange()
    assert len(peer.requests) == 2
    assert peer.reply(Int(401)) == [Refused()]


def test_a_renewal_is_answered_or_not() -> None:
    """200 renews; another status is the profile's affair."""
    peer = Peer("java").admitted("c2d")
    peer.link.renew(TOKEN, START)
    peer.exchange()
    assert peer.reply() == [Renewed()]
    peer.link.renew(TOKEN, START)
    peer.exchange()
    assert peer.reply(Int(500)) == [Unrenewed(stops=False)]
    assert not peer.link.is_renewing


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("closes", Ended(Ending.UNANSWERED_RENEWAL, then="gives-up", fails=True)),
        ("repeats", Ended(Ending.UNANSWERED_RENEWAL, wait_s=10.0)),
        ("goes-on", Unrenewed(stops=False)),
        ("stops", Unrenewed(stops=True)),
    ],
)
def test_an_unanswered_renewal(rule: str, told: LinkEvent) -> None:
    """After its time limit; a late answer means nothing."""
    peer = Peer("node", after_failed_renewal=rule, put_token_timeout_s=7.0).admitted()
    peer.link.renew(TOKEN, START)
    peer.exchange()
    assert peer.link.is_renewing is (rule != "goes-on")
    assert peer.link.next_deadline() == START + 7
    peer.link.on_time(START + 7)
    assert peer.exchange(START + 7) == [told]
    assert peer.reply(now=START + 8) == []


def test_silence_ends_an_attempt() -> None:
    """The time limit holds for the token's answer, and again for the links."""
    peer = Peer("java")
    peer.link.on_time(START + 20)
    assert peer.exchange(START + 20) == [Broken()]
    peer = Peer("java")
    peer.reply()
    peer.attaches = False
    assert peer.link.listen({"c2d"}, START + 5)
    assert peer.exchange() == []
    peer.link.on_time(START + 25)
    assert peer.exchange(START + 25) == [Broken()]


def test_listening_ends_when_all_links_are_there() -> None:
    """Telemetry, twin, C2D and methods: six links besides those of `$cbs`."""
    peer = Peer("c")
    peer.reply()
    peer.link.listen({"twin", "c2d", "methods"}, START)
    assert peer.exchange() == [Listening()]
    assert len(peer.links) == 8
    peer.link.on_time(START + 31)
    assert peer.exchange(START + 31) == []


def test_nothing_to_listen_for() -> None:
    """Node.js attaches nothing before its first message."""
    peer = Peer("node")
    peer.reply()
    assert not peer.link.listen((), START)
    assert len(peer.links) == 2


@pytest.mark.parametrize(
    ("state", "told"),
    [(ACCEPTED, Acknowledged(1)), (RejectedState(), Rejected(1)), (None, Rejected(1))],
)
def test_what_became_of_a_message(state: Any, told: LinkEvent) -> None:
    """Accepted is good, everything else that settles is not."""
    peer = Peer("node").admitted()
    assert peer.link.send(7, START) == 1
    peer.exchange()
    receiver = peer.last(ReceiverLink)
    (delivery_id,) = receiver.unsettled
    if state is None:
        receiver.session.send_frame(Disposition(RECEIVER, delivery_id, settled=True))
    else:
        receiver.settle(delivery_id, state)
    assert peer.exchange() == [told]


def test_a_state_that_is_not_final_is_not_the_end_of_a_message() -> None:
    """The hub has received a part."""
    peer = Peer("node").admitted()
    peer.link.send(7, START)
    peer.exchange()
    receiver = peer.last(ReceiverLink)
    (delivery_id,) = receiver.unsettled
    receiver.settle(delivery_id, Partial(0, ULong(1)), settled=False)
    assert peer.exchange() == []


def test_a_state_that_is_not_settled_is_settled_by_the_device() -> None:
    """Where the hub leaves it the last word."""
    peer = Peer("node").admitted()
    peer.link.send(7, START)
    peer.exchange()
    receiver = peer.last(ReceiverLink)
    (delivery_id,) = receiver.unsettled
    receiver.settle(delivery_id, ACCEPTED, settled=False)
    assert peer.exchange() == [Acknowledged(1)]
    assert receiver.unsettled == set()


@pytest.mark.parametrize(
    ("message_id", "told"),
    [
        ("c2d-1", "c2d-1"),
        (None, None),
        (ULong(5), "5"),
        (b"\x01\xff", "01ff"),
        (Uuid(bytes(range(16))), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
    ],
)
@pytest.mark.parametrize("sdk", ["node", "dotnet"])
def test_cloud_to_device_messages(sdk: str, message_id: Any, told: str | None) -> None:
    """Its id as people read it, its size; .NET leaves the hub the last word."""
    peer = Peer(sdk).admitted("c2d")
    sender = peer.last(SenderLink)
    sender.send(encode_message(Message(Data((b"hello",)), Properties(message_id=message_id))))
    assert peer.exchange() == [Received(told, 5)]
    answers = [event for event in peer.events if isinstance(event, amqp.DispositionReceived)]
    (disposition,) = (event for event in answers if event.link is sender)
    assert disposition.settled is (sdk == "node")


def test_a_body_that_is_no_data_has_no_size() -> None:
    """Nobody sends one; it is told all the same."""
    peer = Peer("node").admitted("c2d")
    peer.last(SenderLink).send(encode_message(Message(SingleValue("hello"))))
    assert peer.exchange() == [Received(None, 0)]


def test_a_direct_method_is_answered_with_its_correlation_id() -> None:
    """In the type in which it came."""
    peer = Peer("java").admitted("methods")
    identity = Uuid(bytes(16))
    call = Message(Data((b"{}",)), Properties(correlation_id=identity), {"IoThub-methodname": "probe"})
    peer.last(SenderLink).send(encode_message(call))
    (called,) = peer.exchange()
    assert called == Called("probe", dashed(bytes(16)), identity)
    assert isinstance(called, Called)
    peer.link.answer(called, START)
    peer.exchange()
    (answer,) = [
        event
        for event in peer.events
        if isinstance(event, amqp.TransferReceived) and event.link is peer.last(ReceiverLink)
    ]
    message = decode_message(answer.payload)
    assert message.properties.correlation_id == identity
    assert message.application_properties == {"IoThub-status": 200}


def test_other_messages_are_settled_and_ignored() -> None:
    """On the twin's link, say."""
    peer = Peer("c").admitted("twin")
    peer.last(SenderLink).send(encode_message(Message(Data((b"{}",)))))
    assert peer.exchange() == []
    peer.link.answer(Called("x", "1", "1"), START)
    assert peer.exchange() == []


@pytest.mark.parametrize("where", ["cbs", "c2d"])
def test_a_message_that_is_none(where: str) -> None:
    """The hub broke the protocol."""
    peer = Peer("node").admitted("c2d")
    sender = peer.links[1] if where == "cbs" else peer.last(SenderLink)
    assert isinstance(sender, SenderLink)
    sender.send(b"\x00\x53\x99junk")
    assert peer.exchange() == [Broken()]


def test_only_the_first_detach_is_the_end() -> None:
    """The others are answered."""
    peer = Peer("c").admitted("twin", "c2d")
    device_links = peer.links[2:]
    for link in device_links:
        link.detach(UNAUTHORIZED)
    assert peer.exchange() == [Ended(Ending.DETACH, wait_s=10.0)]
    assert len([event for event in peer.events if isinstance(event, amqp.DetachReceived)]) == len(device_links)
    assert peer.link.stands


def test_a_detach_ends_the_wait_for_a_renewal() -> None:
    """Neither a late answer nor the time limit means anything after it."""
    peer = Peer("dotnet").admitted("c2d")
    peer.link.renew(TOKEN, START)
    peer.exchange()
    peer.last(SenderLink).detach(UNAUTHORIZED)
    assert peer.exchange() == [Ended(Ending.DETACH, wait_s=0.115)]
    assert peer.reply() == []
    peer.link.on_time(START + 60)
    assert peer.exchange(START + 60) == []


def test_a_refused_link_is_the_end_as_well() -> None:
    """The hub answers without terminus, then detaches with the error."""
    peer = Peer("node").admitted()
    peer.attaches = False
    peer.link.send(1, START)
    peer.exchange()
    (attach,) = (event for event in peer.events[-1:] if isinstance(event, amqp.AttachReceived))
    attach.link.refuse(UNAUTHORIZED)
    assert peer.exchange() == [Ended(Ending.DETACH, then="gives-up", fails=True)]


@pytest.mark.parametrize("error", [None, Error(DETACH_FORCED, "busy")])
@pytest.mark.parametrize(
    ("sdk", "told"),
    [("node", Ended(Ending.DROP)), ("java", Ended(Ending.DROP)), ("c", Ended(Ending.DETACH, wait_s=10.0))],
)
def test_a_detach_for_another_reason_lets_it_come_back(sdk: str, told: LinkEvent, error: Error | None) -> None:
    """It counts as a drop, except where the connection is used again."""
    peer = Peer(sdk).admitted("c2d")
    peer.last(SenderLink).detach(error)
    assert peer.exchange() == [told]


def test_a_detached_cbs_link_is_of_no_use() -> None:
    """There is no way to another token."""
    peer = Peer("c").admitted("twin")
    peer.links[0].detach(UNAUTHORIZED)
    assert peer.exchange() == [Broken()]
    assert not peer.link.stands


def test_an_ended_session_is_of_no_use() -> None:
    """Whatever the reason."""
    peer = Peer("dotnet").admitted()
    peer.sessions[0].end(UNAUTHORIZED)
    assert peer.exchange() == [Broken()]


def test_a_new_device_session_follows_on_the_same_connection() -> None:
    """.NET ends the old one; its late END is no news."""
    peer = Peer("dotnet").admitted("c2d")
    for link in peer.links[2:]:
        link.detach(UNAUTHORIZED)
    (ended,) = peer.exchange()
    assert isinstance(ended, Ended)
    assert ended.wait_s == 0.115
    peer.link.authenticate(TOKEN, START)
    assert peer.exchange() == []
    (end,) = (event for event in peer.events if isinstance(event, amqp.EndReceived))
    end.session.end()
    assert peer.exchange() == []
    assert len(peer.sessions) == 3
    assert peer.reply() == [Admitted()]


def test_what_a_standing_connection_still_has_is_detached_before_another_token() -> None:
    """C after a refused renewal: the links were open all the time."""
    peer = Peer("c").admitted("twin")
    peer.link.renew(TOKEN, START)
    peer.exchange()
    assert peer.reply(Int(401)) == [Ended(Ending.REFUSED_RENEWAL, wait_s=10.0)]
    peer.link.authenticate(TOKEN, START)
    peer.exchange()
    assert len([event for event in peer.events if isinstance(event, amqp.DetachReceived)]) == 3
    assert len(peer.requests) == 3


@pytest.mark.parametrize(
    ("sdk", "told"),
    [
        ("node", Ended(Ending.CLOSE, then="gives-up", stall_s=45.0, fails=True, forgets=True)),
        ("java", Ended(Ending.CLOSE, then="returns-and-ends")),
        ("c", Ended(Ending.CLOSE)),
        ("dotnet", Ended(Ending.CLOSE)),
    ],
)
def test_close_by_the_hub(sdk: str, told: LinkEvent) -> None:
    """It is answered; then the connection does not stand any more."""
    peer = Peer(sdk).admitted()
    peer.server.close(UNAUTHORIZED, now=START)
    assert peer.exchange() == [told]
    assert any(isinstance(event, amqp.CloseReceived) for event in peer.events)
    assert not peer.link.stands


def test_sasl_that_fails() -> None:
    """The connection is over before it began."""
    peer = Peer("c", sasl="ANONYMOUS")
    assert peer.requests
    link = peer.link
    link.lost()
    peer.server, peer.sasl, peer.told = ServerConnection(now=START), SaslCode.AUTH, []
    link.dial()
    link.connected(parse_open(open_command(), profile_of("c"), "amqp"), TOKEN, START)
    assert Broken() in peer.exchange()


def test_what_the_hub_begins_itself_is_refused() -> None:
    """A device attaches its links itself; a session nobody asked for stays unanswered."""
    peer = Peer("node").admitted()
    peer.server.begin()
    assert peer.exchange() == []
    peer.sessions[0].sender("intruder", Target("x"), source=Source("x"))
    assert peer.exchange() == []
    detached = [event.link.name for event in peer.events if isinstance(event, amqp.DetachReceived)]
    assert detached == ["intruder"]


def test_a_violation_of_the_protocol() -> None:
    """A frame of no size."""
    peer = Peer("node").admitted("c2d")
    peer.link.receive(bytes(8), START)
    assert list(peer.link.events(START)) == [Broken()]


def test_leaving_waits_for_the_hubs_close() -> None:
    """And reports nothing of what comes meanwhile."""
    peer = Peer("java").admitted("c2d")
    peer.last(SenderLink).send(encode_message(Message(Data((b"late",)))))
    peer.link.leave(START)
    assert peer.link.has_transport
    assert not peer.link.stands
    assert peer.hangups() == []
    peer.link.dial()
    assert peer.link.actions() == []
    peer.server.close(now=START)
    assert peer.exchange() == []
    assert not peer.link.stands
    assert peer.link.lost()
    assert peer.link.actions() == [Dial()]


def test_leaving_does_not_wait_for_ever() -> None:
    """Five seconds."""
    peer = Peer("java").admitted("c2d")
    peer.link.leave(START)
    assert peer.hangups() == []
    peer.link.on_time(START + 5)
    assert list(peer.link.events(START + 5)) == []
    assert peer.hangups() == ["fin"]


def test_leaving_before_the_hub_has_opened() -> None:
    """There is nobody to say goodbye to."""
    profile = profile_of("c")
    assert profile.emulation.amqp is not None
    link = AmqpLink(profile.emulation, profile.emulation.amqp, "close-notify", Random(1))
    link.dial()
    link.connected(parse_open(open_command(), profile, "amqp"), TOKEN, START)
    link.leave(START)
    link.leave(START)
    assert [action.how for action in link.actions() if isinstance(action, Hangup)] == ["close-notify"]


def test_a_link_without_a_connection_says_nothing() -> None:
    """What the device does without a transport goes nowhere."""
    profile = profile_of("node")
    link = link_for(profile.emulation, "amqp", Random(1))
    link.authenticate(TOKEN, START)
    link.renew(TOKEN, START)
    link.answer(Called("m", "1", "1"), START)
    link.receive(b"x", START)
    link.on_time(START)
    link.resend([1], START)
    link.forget()
    link.write()
    link.leave(START)
    assert link.send(1, START) == 1
    assert not link.listen({"c2d"}, START)
    assert (link.stands, link.is_renewing, link.next_deadline()) == (False, False, None)
    assert (list(link.events(START)), link.actions()) == ([], [])


def test_ids_in_addresses_are_percent_encoded() -> None:
    """A device may be called almost anything."""
    profile = profile_of("dotnet")
    assert profile.emulation.amqp is not None
    command = open_command() | {"connection_string": "HostName=h;DeviceId=a/b;SharedAccessKey=AAAA"}
    words = Words(profile.emulation, profile.emulation.amqp, parse_open(command, profile, "amqp"), Random(1))
    assert words.address("messages/devicebound") == "amqps://h:5671/devices/a%2Fb/messages/deviceBound"
