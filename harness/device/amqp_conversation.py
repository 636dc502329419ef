"""One AMQP connection of an emulated device, from the protocol header to the last frame.

    OPEN, BEGIN -> the `$cbs` links -> put-token -> 200: the device's links -> messages, put-token again in between
                                                 -> else: put-token again, or the end

Where a client certificate stands for the token, the device's links follow BEGIN, without SASL, and the hub refuses the first that it does not grant.

What the hub does to it is told in the words of `link`, with what this SDK makes of it.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Literal, TypeAlias

from harness.device.amqp_words import CBS, Words, dashed
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
    Wish,
)
from harness.emulation import AmqpEmulation
from harness.errors import RemoteProtocolError
from harness.protocol.amqp import events as amqp
from harness.protocol.amqp.client import ClientConnection
from harness.protocol.amqp.conditions import NOT_IMPLEMENTED, UNAUTHORIZED_ACCESS
from harness.protocol.amqp.connection import Limits
from harness.protocol.amqp.link import Link as Attachment
from harness.protocol.amqp.messages import Data, Message, decode_message
from harness.protocol.amqp.performatives import (
    Accepted,
    Error,
    ErrorField,
    ReceiverSettleMode,
    SenderSettleMode,
    Source,
    Target,
)
from harness.protocol.amqp.performatives import (
    Received as Partial,
)
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.session import Session
from harness.protocol.amqp.state import Half, Phase
from harness.protocol.amqp.types import Uuid, Value

__all__ = ["Conversation"]

CLOSE_TIMEOUT_S = 5.0
"""How long the hub's CLOSE is awaited; a cell does not wait much longer for a device to close."""
_SUCCESS = range(200, 300)
_Rule: TypeAlias = Literal["same-connection", "new-connection", "returns-and-ends", "gives-up"]
_Node: TypeAlias = Literal["methods/devicebound", "twin"]


class Conversation:
    """Begins with `authenticate`. `connection` is the machine that reads and writes the bytes. Times are seconds since the Unix epoch."""

    def __init__(
        self, profile: AmqpEmulation, words: Words, host: str, now: float, *, certificate: bool = False
    ) -> None:
        self._profile, self._words, self._certificate = profile, words, certificate
        limits = Limits(
            max_frame_size=profile.max_frame_size,
            channel_max=profile.channel_max,
            open_timeout_s=profile.authentication_timeout_s,
            close_timeout_s=CLOSE_TIMEOUT_S,
        )
        mechanism = None if profile.sasl == "none" or certificate else profile.sasl
        self.connection = ClientConnection(mechanism=mechanism, hostname=host, limits=limits)
        self.connection.connect(now)
        self.connection.open(
            words.named(profile.container_id), hostname=host, idle_time_out_ms=profile.idle_time_out_ms
        )
        self._session = self.connection.begin()
        self._cbs_session = self._session if profile.sessions == "one" or certificate else self.connection.begin()
        self._cbs: tuple[SenderLink, ReceiverLink] | None = None
        self._links: list[Attachment] = []
        self._telemetry: SenderLink | None = None
        self._answers: SenderLink | None = None
        self._c2d: ReceiverLink | None = None
        self._keys: dict[bytes, int] = {}
        self._awaited: set[Attachment] = set()
        self._token, self._shows_nothing = "", False
        self._request: object = None
        self._refusals = 0
        self._admitted = self._leaving = self._begun = False
        self._deadline: float | None = None
        self._renewal_deadline: float | None = None
        self._news: list[LinkEvent] = []

    @property
    def stands(self) -> bool:
        """Whether the connection is in use, and the `$cbs` links with it."""
        in_use = not self._leaving and self.connection.remote is self.connection.local is Half.ACTIVE
        if self._certificate:
            return in_use
        return in_use and self._cbs is not None and all(link.remote is Half.ACTIVE for link in self._cbs)

    @property
    def is_renewing(self) -> bool:
        """Whether the SDK waits for the answer to a renewal."""
        return self._admitted and self._request is not None and self._profile.after_failed_renewal != "goes-on"

    @property
    def has_left(self) -> bool:
        """Whether leave was taken and nothing more is awaited."""
        return self._leaving and self.connection.phase is Phase.CLOSED

    # Tokens

    def authenticate(self, token: str, now: float) -> None:
        """Show the token as soon as the `$cbs` links are there; what a former authentication has left of the device's links is detached."""
        for link in self._links:
            link.detach()
        if self._links and self._session is not self._cbs_session:
            self._session.end()
            self._session = self.connection.begin()
        self._links.clear()
        self._telemetry = self._answers = self._c2d = None
        self._admitted = False
        self._deadline, self._renewal_deadline = now + self._profile.authentication_timeout_s, None
        if self._certificate and self._begun:
            self._news.append(self._admit())
        elif self._cbs is not None and not self._awaited.intersection(self._cbs):
            self._put(token)
        else:
            self._token, self._shows_nothing = token, not token and not self._certificate
        self._awaited.intersection_update(self._cbs or ())

    def renew(self, token: str, now: float) -> None:
        """Show another token."""
        if self._profile.put_token_timeout_s is not None:
            self._renewal_deadline = now + self._profile.put_token_timeout_s
        self._put(token)

    def _put(self, token: str) -> None:
        assert self._cbs is not None
        self._token, self._request = "", self._words.request_id()
        self._cbs[0].send(self._words.put_token(token, self._request), settled=self._profile.presettles_cbs)

    def _attach_cbs(self) -> None:
        names, properties = self._profile.names, self._words.link_properties("cbs")
        mode = SenderSettleMode.SETTLED if self._profile.presettles_cbs else SenderSettleMode.UNSETTLED
        self._cbs = (
            self._cbs_session.sender(
                self._words.named(names.cbs_sender), Target(CBS), snd_settle_mode=mode, properties=properties
            ),
            self._cbs_session.receiver(
                self._words.named(names.cbs_receiver),
                Source(CBS),
                target=Target(self._words.reply_to or CBS),
                snd_settle_mode=mode,
                properties=properties,
            ),
        )
        self._awaited.update(self._cbs)

    def _answered(self, message: Message) -> Iterator[LinkEvent]:
        request, answered = self._request, message.properties.correlation_id
        if request is None or type(answered) is not type(request) or answered != request:
            return
        self._request = self._deadline = self._renewal_deadline = None
        status = message.application_properties.get("status-code")
        if isinstance(status, int) and status in _SUCCESS:
            self._refusals = 0
            yield Renewed() if self._admitted else self._admit()
        elif self._admitted:
            yield self._unrenewed(Ending.REFUSED_RENEWAL)
        else:
            self._refusals += 1
            stands = self._refusals < self._profile.refusals_per_connection
            yield Refused(wait_s=self._profile.repeat_delay_s if stands else None)

    def _admit(self) -> Admitted:
        self._admitted, self._deadline = True, None
        return Admitted()

    def _unrenewed(self, ending: Ending) -> Ended | Unrenewed:
        match self._profile.after_failed_renewal:
            case "closes":
                self._admitted = False
                return Ended(ending, then="gives-up", fails="renewal" in self._profile.fails_at)
            case "repeats":
                self._admitted, self._refusals = False, 1
                return Ended(ending, wait_s=self._profile.repeat_delay_s)
            case rule:
                return Unrenewed(stops=rule == "stops")

    # The device's links

    def listen(self, wishes: Collection[Wish], now: float) -> bool:
        """Attach what the device listens on, and the telemetry link where it is not left for later."""
        if self._profile.attaches_telemetry == "at-once":
            self._attach_telemetry()
        if "twin" in wishes:
            self._pair("twin", self._profile.names.twin_sender, self._profile.names.twin_receiver)
        if "c2d" in wishes:
            second = self._profile.settles_c2d == "second"
            self._c2d = self._session.receiver(
                self._words.named(self._profile.names.c2d),
                Source(self._words.address("messages/devicebound")),
                rcv_settle_mode=ReceiverSettleMode.SECOND if second else ReceiverSettleMode.FIRST,
                properties=self._words.link_properties("device"),
            )
            self._links.append(self._c2d)
        if "methods" in wishes:
            names = self._profile.names
            self._answers = self._pair("methods/devicebound", names.methods_sender, names.methods_receiver)
        self._awaited.update(self._links)
        if self._awaited and not self._is_open_before_its_links:
            self._deadline = now + self._profile.authentication_timeout_s
            return True
        return False

    @property
    def _is_open_before_its_links(self) -> bool:
        return self._certificate and self._profile.after_refused_links == "falls-silent"

    def _attach_telemetry(self) -> SenderLink:
        self._keys.clear()
        link = self._session.sender(
            self._words.named(self._profile.names.telemetry),
            Target(self._words.address("messages/events")),
            properties=self._words.link_properties("device"),
        )
        self._telemetry = link
        self._links.append(link)
        return link

    def _pair(self, node: _Node, sender: str, receiver: str) -> SenderLink:
        """Two links that belong together, one for each direction."""
        address = self._words.address(node)
        correlation = self._words.correlation_id("twin" if node == "twin" else "methods")
        properties = self._words.link_properties("pairs", correlation)
        settled = self._profile.presettles_pairs
        mode = SenderSettleMode.SETTLED if settled else SenderSettleMode.UNSETTLED
        outgoing = self._session.sender(
            self._words.named(sender), Target(address), snd_settle_mode=mode, properties=properties
        )
        incoming = self._session.receiver(
            self._words.named(receiver), Source(address), snd_settle_mode=mode, properties=properties
        )
        self._links += (outgoing, incoming)
        return outgoing

    def send(self, number: int, key: int, properties: Mapping[str, str]) -> None:
        """Send a message."""
        link = self._telemetry or self._attach_telemetry()
        payload, message_format = self._words.telemetry(number, properties)
        self._keys[link.send(payload, message_format=message_format)] = key

    def answer(self, call: Called) -> None:
        """Send the answer to a direct method."""
        if self._answers is not None:
            self._answers.send(self._words.method_answer(call.reply_to), settled=self._profile.presettles_pairs)

    # The end

    def leave(self, now: float) -> bool:
        """Say goodbye; whether an answer is awaited before the transport ends."""
        self._leaving = True
        self._deadline = self._renewal_deadline = None
        connection = self.connection
        if connection.phase is not Phase.FRAMES or connection.peer is None:
            return False
        for link in (*self._links, *(self._cbs or ())):
            link.detach()
        for session in connection.sessions:
            session.end()
        connection.close(now=now)
        return self._profile.awaits_close and not self.has_left

    # Time

    def next_deadline(self) -> float | None:
        """When `on_time` has something to do."""
        if self._news:
            return -math.inf
        deadlines = (self._deadline, self._renewal_deadline, self.connection.next_deadline())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def on_time(self, now: float) -> None:
        """Send heartbeats, and stop waiting."""
        self.connection.on_time(now)
        if self._deadline is not None and self._deadline <= now:
            self._deadline = None
            self._news.append(Broken())
        if self._renewal_deadline is not None and self._renewal_deadline <= now:
            self._renewal_deadline = self._request = None
            self._news.append(self._unrenewed(Ending.UNANSWERED_RENEWAL))

    # What comes from the hub

    def events(self, now: float) -> Iterator[LinkEvent]:
        """What happened, oldest first; a cloud-to-device message is settled when its event was handled."""
        for event in self.connection.events():
            for told in self._told(event, now):
                if not self._leaving:
                    yield told
        news, self._news = self._news, []
        yield from news

    def _told(self, event: amqp.Event, now: float) -> Iterator[LinkEvent]:
        match event:
            case amqp.BeginReceived(session) if self._shows_nothing:
                if session is self._session and not self._leaving:
                    yield from self._begin_without_token()
            case amqp.BeginReceived() if self._certificate:
                self._begun = True
                yield self._admit()
            case amqp.BeginReceived(session):
                if session is self._cbs_session and self._cbs is None and not self._leaving:
                    self._attach_cbs()
            case amqp.AttachReceived(link):
                yield from self._on_attach(link)
            case amqp.TransferReceived():
                yield from self._on_transfer(event)
            case amqp.DispositionReceived():
                yield from self._on_disposition(event)
            case amqp.DetachReceived(link, detach):
                yield from self._on_detach(link, detach.error)
            case _:
                yield from self._told_of_the_whole(event, now)

    def _told_of_the_whole(self, event: amqp.Event, now: float) -> Iterator[LinkEvent]:
        match event:
            case amqp.CloseReceived(close):
                self.connection.close(now=now)
                yield self._ending(Ending.CLOSE, self._profile.after_close, close.error)
            case amqp.EndReceived(session):
                yield from self._on_end(session)
            case amqp.ProtocolViolation() | amqp.SessionViolation() | amqp.LinkViolation() | amqp.Timeout():
                yield Broken()
            case amqp.SaslOutcomeReceived(code) if code:
                yield Broken()

    def _begin_without_token(self) -> Iterator[LinkEvent]:
        """The hub judges a device without a token by its first link; until then, an SDK that attaches it lazily takes itself for admitted."""
        if self._profile.attaches_telemetry == "at-once":
            self._attach_telemetry()
        else:
            self._deadline = None
            yield self._admit()

    def _on_attach(self, link: Attachment) -> Iterator[LinkEvent]:
        if link not in self._links and link not in (self._cbs or ()):
            if link.local is Half.UNUSED:
                link.refuse(Error(NOT_IMPLEMENTED, "a device attaches its links itself"))
            return
        if link.refused:
            return  # DETACH follows
        if isinstance(link, ReceiverLink):
            link.grant(self._profile.credit)
        self._awaited.discard(link)
        if self._awaited:
            return
        if self._token:
            self._put(self._token)
        elif self._admitted and self._deadline is not None:
            self._deadline = None
            yield Listening()

    def _on_transfer(self, event: amqp.TransferReceived) -> Iterator[LinkEvent]:
        link = event.link
        try:
            message = decode_message(event.payload)
        except RemoteProtocolError:
            yield Broken()
            return
        if self._cbs is not None and link is self._cbs[1]:
            self._settle(event)
            yield from self._answered(message)
            return
        if link is self._c2d:
            body = message.body
            size = len(body.content) if isinstance(body, Data) else 0
            yield Received(_text(message.properties.message_id), size)
        elif "IoThub-methodname" in message.application_properties:
            identity = message.properties.correlation_id
            name = _text(message.application_properties["IoThub-methodname"])
            yield Called(name or "", _text(identity) or "", identity)
        self._settle(event)

    def _settle(self, event: amqp.TransferReceived) -> None:
        if not event.settled:
            first = self._profile.settles_c2d == "first"
            event.link.settle(event.delivery_id, settled=first)

    def _on_disposition(self, event: amqp.DispositionReceived) -> Iterator[LinkEvent]:
        if not event.settled:
            event.link.settle(event.tag)
        if event.link is self._telemetry and not isinstance(event.state, Partial):
            key = self._keys.pop(event.tag, None)
            if key is not None:
                yield Acknowledged(key) if isinstance(event.state, Accepted) else Rejected(key)

    def _on_detach(self, link: Attachment, error: ErrorField | None) -> Iterator[LinkEvent]:
        link.detach()
        if link in (self._cbs or ()):
            yield Broken()
        elif link in self._links and self._admitted:
            refused = self._certificate and link.refused
            self._admitted = False
            self._request = self._deadline = self._renewal_deadline = None
            yield self._refused() if refused else self._ending(Ending.DETACH, self._profile.after_detach, error)
        elif link in self._links and self._shows_nothing:
            yield Refused()

    def _refused(self) -> Refused | Ended:
        """What this SDK makes of links that the hub refuses for want of a good certificate."""
        match self._profile.after_refused_links:
            case "same-connection":
                return Ended(Ending.DETACH, wait_s=self._profile.detach_delay_s)
            case "falls-silent":
                return Ended(Ending.DETACH, then="falls-silent")
        return Refused()

    def _ending(self, ending: Ending, rule: _Rule, error: ErrorField | None) -> Ended:
        """What this SDK makes of DETACH or CLOSE, by its `rule`; with another error than that of a token it takes it for a drop."""
        profile = self._profile
        wait_s = profile.detach_delay_s if rule == "same-connection" else None
        stall_s = profile.close_stall_s if ending is Ending.CLOSE else 0.0
        if not isinstance(error, Error) or error.condition != UNAUTHORIZED_ACCESS:
            return Ended(Ending.DROP if wait_s is None else ending, wait_s=wait_s, stall_s=stall_s)
        return Ended(
            ending,
            then=rule if rule in ("gives-up", "returns-and-ends") else "returns",
            wait_s=wait_s,
            stall_s=stall_s,
            fails=ending.name.lower() in profile.fails_at,
            forgets=bool(stall_s) and profile.forgets_unattached and self._telemetry is None,
        )

    def _on_end(self, session: Session) -> Iterator[LinkEvent]:
        if session.local is Half.ACTIVE:
            session.end()
            yield Broken()


def _text(identity: Value) -> str | None:
    """An identifier as people read it."""
    if isinstance(identity, Uuid):
        return dashed(identity)
    if isinstance(identity, bytes):
        return identity.hex()
    return None if identity is None else str(identity)
