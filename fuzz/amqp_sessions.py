"""Targets of AMQP that hold state: connections of both roles, with an owner that does all that an owner can."""

from random import Random
from typing import Final

from fuzz import amqp_corpus as corpus
from fuzz.amqp_codec import repair_frame
from fuzz.mutation import Mutator, Seed, fragments
from fuzz.target import Outcome, Target, require
from harness.protocol.amqp import performatives as p
from harness.protocol.amqp.client import ClientConnection
from harness.protocol.amqp.connection import Limits
from harness.protocol.amqp.events import (
    AttachReceived,
    BeginReceived,
    CloseReceived,
    DetachReceived,
    DispositionReceived,
    EndReceived,
    Event,
    LinkViolation,
    OpenReceived,
    ProtocolViolation,
    SaslInitReceived,
    SessionViolation,
    Timeout,
    TransferReceived,
)
from harness.protocol.amqp.frames import SASL_HEADER
from harness.protocol.amqp.link import Link
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.sender import SenderLink
from harness.protocol.amqp.server import ServerConnection
from harness.protocol.amqp.state import Phase

_LIMITS: Final = Limits(
    max_frame_size=4_096, incoming_window=8, max_links=4, max_sessions=3, max_unsettled=5, max_message_size=600,
    max_buffered=900,
)  # fmt: skip
_MECHANISMS: Final = (None, "PLAIN")
_LONG: Final = bytes(1_500)
_SENT_PER_BYTE: Final = 64


def server() -> Target:
    """The hub's side."""
    return Target(
        "amqp-server",
        "what a client sends -> ServerConnection; events",
        "events",
        Mutator(_seeds(0), stock=corpus.frames(), words=corpus.WORDS, repair=_repair, lead=3),
        _read_server,
    )


def client() -> Target:
    """A device's side."""
    return Target(
        "amqp-client",
        "what a server sends -> ClientConnection; events",
        "events",
        Mutator(_seeds(1), stock=corpus.frames(), words=corpus.WORDS, repair=_repair, lead=3),
        _read_client,
    )


def _seeds(side: int) -> list[Seed]:
    """Whole transcripts of one side, those without SASL more often, and the beginnings of those."""
    whole = [corpus.transcripts(mechanism)[side] for mechanism in _MECHANISMS]
    return [*whole, *[whole[0]] * 2, *(whole[0][:length] for length in (4, 6, 8))]


def _repair(chunk: bytes) -> bytes:
    return chunk if chunk.startswith(b"AMQP") else repair_frame(chunk)


def _read_server(chunks: list[bytes], random: Random) -> Outcome:
    return _drive(ServerConnection(now=corpus.NOW, limits=_LIMITS), chunks, random)


def _read_client(chunks: list[bytes], random: Random) -> Outcome:
    """Everything a client does on its own is queued before the first byte arrives."""
    mechanism = "PLAIN" if chunks and chunks[0] == SASL_HEADER else None
    machine = ClientConnection(mechanism=mechanism, limits=_LIMITS)
    machine.connect(corpus.NOW)
    machine.open("device", idle_time_out_ms=60_000)
    session = machine.begin()
    session.sender("up", p.Target("there")).send(_LONG)
    session.receiver("down", p.Source("there")).grant(2)
    return _drive(machine, chunks, random)


def _drive(machine: ServerConnection | ClientConnection, chunks: list[bytes], random: Random) -> Outcome:
    """The input arrives in parts; the owner answers, mostly at once; then all time limits pass."""
    owner, now, sent = _Owner(machine, random), corpus.NOW, 0
    for part in fragments(chunks, random):
        machine.receive(part, now)
        owner.take(now)
        sent += len(machine.data_to_send())
        now += random.random() * 20
    for later in (now, now + 3_600, now + 7_200):
        machine.on_time(later)
        deadline = machine.next_deadline()
        require(deadline is None or deadline > later, "a deadline has passed and nothing happened")
    owner.take(now)
    sent += len(machine.data_to_send())
    size = sum(map(len, chunks))
    require(owner.count <= 32 + 2 * size, "more events than bytes")
    require(sent <= 8_192 + _SENT_PER_BYTE * size, "far more is answered than was asked")
    machine.abandon()
    machine.receive(b"".join(chunks), now)
    require(machine.phase is Phase.CLOSED and not (machine.sessions or machine.events()), "a closed machine goes on")
    return Outcome(owner.refusal, owner.count)


class _Owner:
    """Answers as a hub or a device would, and now and then does something else."""

    def __init__(self, machine: ServerConnection | ClientConnection, random: Random) -> None:
        self._machine, self._draw = machine, random.random
        self._serves = isinstance(machine, ServerConnection)
        self.refusal: str | None = None
        self.over = False
        self.count = 0

    def take(self, now: float) -> None:
        """Answer what has happened, and what happens by answering."""
        while events := self._machine.events():
            for event in events:
                require(not self.over, "something follows a violation")
                self.count += 1
                if isinstance(event, ProtocolViolation | SessionViolation | LinkViolation):
                    self.over = isinstance(event, ProtocolViolation)
                    self.refusal = self.refusal or f"{event.condition}: {event.reason}"
                elif self._draw() < 0.98:  # noqa: PLR2004 - a few are never answered
                    self._answer(event, now)

    def _answer(self, event: Event, now: float) -> None:
        if isinstance(event, TransferReceived):
            if not event.settled:
                event.link.settle(event.delivery_id, settled=self._draw() < 0.8)  # noqa: PLR2004
        elif isinstance(event, DispositionReceived):
            event.link.settle(event.tag)
        elif isinstance(event, DetachReceived):
            event.link.detach()
        elif isinstance(event, EndReceived):
            event.session.end()
        elif isinstance(event, CloseReceived):
            self._machine.close(now=now)
        elif isinstance(event, Timeout):
            self.over = True
        elif self._serves:
            self._serve(event, now)

    def _serve(self, event: Event, now: float) -> None:
        machine, chance = self._machine, self._draw()
        assert isinstance(machine, ServerConnection)
        if isinstance(event, AttachReceived):
            if chance < 0.05:  # noqa: PLR2004 - one in twenty
                event.link.refuse(p.Error("amqp:not-found"))
            else:
                event.link.accept()
                self._use(event.link, chance)
        elif isinstance(event, BeginReceived):
            event.session.accept()
        elif isinstance(event, OpenReceived):
            machine.open("hub", idle_time_out_ms=240_000)
        elif isinstance(event, SaslInitReceived):
            machine.sasl_outcome(p.SaslCode.OK if chance < 0.95 else p.SaslCode.AUTH, now=now)  # noqa: PLR2004

    def _use(self, link: Link, chance: float) -> None:
        if isinstance(link, ReceiverLink):
            link.grant(3 if chance < 0.5 else 50)  # noqa: PLR2004
            if chance > 0.9:  # noqa: PLR2004 - one in ten
                link.drain()
        elif isinstance(link, SenderLink):
            link.send(_LONG)
            link.send(b"b", settled=True)
