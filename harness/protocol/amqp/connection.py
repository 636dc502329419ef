"""One network connection: frames, OPEN and CLOSE, time limits (AMQP 1.0 part 2, section 2.4). The roles add what stands before.

The machine checks the protocol, keeps time limits and windows, and answers what the standard leaves no choice about:
heartbeats, echoes, violations. Everything else is its owner's decision: whom to accept, what to settle and when, how to end.
Frames leave in the order in which they were queued; everything queued between two calls of `data_to_send` is one chunk.

Sending follows the rules of `link`, with OPEN and CLOSE for ATTACH and DETACH.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from msgspec import Struct

from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.protocol.amqp.conditions import (
    DECODE_ERROR,
    FRAME_SIZE_TOO_SMALL,
    FRAMING_ERROR,
    ILLEGAL_STATE,
    RESOURCE_LIMIT_EXCEEDED,
    AmqpViolation,
)
from harness.protocol.amqp.events import (
    CloseReceived,
    Event,
    HeartbeatReceived,
    OpenReceived,
    ProtocolViolation,
    Timeout,
)
from harness.protocol.amqp.frames import (
    HEADER_SIZE,
    MIN_MAX_FRAME_SIZE,
    Frame,
    FrameDecoder,
    FrameType,
    encode_accepted,
    encode_frame,
    wrap,
)
from harness.protocol.amqp.numbers import Numbers
from harness.protocol.amqp.performatives import Begin, Close, Error, Open
from harness.protocol.amqp.schema import encode_composite
from harness.protocol.amqp.session import Session
from harness.protocol.amqp.state import CONNECTION_READS, SASL_READS, SESSION_READS, Half, Phase
from harness.protocol.amqp.types import Value


class Limits(Struct, frozen=True):
    """What one peer may claim. Over `max_message_size` its link ends, over `incoming_window` its session, else the connection.

    The first four are announced, and by default those of IoT Hub. `max_message_size` (bytes) holds where no link announced
    another. `max_links`, `max_unsettled` and `max_buffered`, the bytes of unfinished messages, count over the whole connection.
    `open_timeout_s` is the time from the network connection to the peer's OPEN, `close_timeout_s` that from our CLOSE to the
    peer's.
    """

    max_frame_size: int = 65_536
    channel_max: int = 8_191
    handle_max: int = 262_143
    incoming_window: int = 5_000
    max_sessions: int = 1_000
    max_links: int = 1_000
    max_unsettled: int = 10_000
    max_message_size: int = 1_048_576
    max_buffered: int = 8_388_608
    open_timeout_s: float = 60.0
    close_timeout_s: float = 10.0


HEARTBEATS_PER_IDLE_TIME_OUT = 4
"""How often within the peer's idle-time-out we look whether anything was sent; two looks without are under half of it."""
MIN_HEARTBEAT_S = 0.25
"""However short the peer's idle-time-out is."""


class Connection(ABC):
    """One connection, from the first byte to the last; `now` is in seconds since the Unix epoch throughout.

    Attributes:
        limits: what the peer may claim.
        phase, local, remote: see `state`.
        peer: its OPEN, once it came.
        mechanism: of the SASL exchange; None if there was none.
        max_outgoing_frame: the largest frame we send, in bytes.
    """

    __slots__ = (
        "_begun", "_buffered", "_channels", "_close_deadline", "_decoder", "_events", "_heartbeat_at", "_heartbeat_s",
        "_held", "_idle_limit_s", "_open_deadline", "_output", "_quiet", "_received_at", "_sending", "_sessions",
        "_unsettled", "limits", "local", "max_outgoing_frame", "mechanism", "peer", "phase", "remote",
    )  # fmt: skip

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.phase = Phase.HEADER
        self.local = self.remote = Half.UNUSED
        self.peer: Open | None = None
        self.mechanism: str | None = None
        self.max_outgoing_frame = limits.max_frame_size
        self._decoder = FrameDecoder(limits.max_frame_size)
        self._events: list[Event] = []
        self._output: list[bytes] = []
        self._held: list[bytes] = []  # frames queued before our AMQP header
        self._sending = False  # our AMQP header is out
        self._channels = Numbers()
        self._sessions: dict[int, Session] = {}  # by our channel
        self._begun: dict[int, Session] = {}  # by the peer's
        self._unsettled = self._buffered = 0
        self._open_deadline: float | None = None
        self._close_deadline: float | None = None
        self._idle_limit_s: float | None = None
        self._received_at = 0.0
        self._heartbeat_s: float | None = None
        self._heartbeat_at = 0.0
        self._quiet = True

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Those of which at least one side has not ended, in the order of their channels."""
        return tuple(self._sessions[channel] for channel in sorted(self._sessions))

    def events(self) -> list[Event]:
        """What happened since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> bytes:
        """Everything queued since the last call, as one chunk."""
        if not self._output:
            return b""
        data = b"".join(self._output)
        self._output.clear()
        self._quiet = False
        return data

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the peer, in any fragmentation; a violation becomes an event. Ignored after the end."""
        if self.phase is Phase.CLOSED:
            return
        self._received_at = now
        self._decoder.append(data)
        self._read(now)
        if self.phase is Phase.SASL_DECISION and len(self._decoder) > self.limits.max_frame_size:
            self._violation(FRAMING_ERROR, f"more than {self.limits.max_frame_size} bytes {self.phase.value}")

    def next_deadline(self) -> float | None:
        """When `on_time` has something to do; None for never."""
        if self.phase is Phase.CLOSED:
            return None
        deadlines = [self._close_deadline, self._open_deadline, self._idle_deadline(), self._heartbeat_deadline()]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def on_time(self, now: float) -> None:
        """Send a heartbeat, or end the connection, if the deadline for it has come; earlier calls do nothing."""
        if self.phase is Phase.CLOSED:
            return
        if _due(self._close_deadline, now):
            self._time_out(Timeout("close"))
        elif _due(self._open_deadline, now):
            self._time_out(Timeout("open"))
        elif _due(self._idle_deadline(), now):
            self._send_close(Error(RESOURCE_LIMIT_EXCEEDED, "the connection was idle for too long"))
            self._time_out(Timeout("idle"))
        elif _due(self._heartbeat_deadline(), now):
            self._beat(now)

    def open(
        self,
        container_id: str,
        *,
        hostname: str | None = None,
        idle_time_out_ms: int | None = None,
        idle_limit_s: float | None = None,
        properties: dict[str, Value] | None = None,
    ) -> None:
        """Queue OPEN: a client's first frame, a server's answer.

        Args:
            container_id: our name.
            hostname: of the server that a client wants; a server's own.
            idle_time_out_ms: announced: the peer sends something at least so often.
            idle_limit_s: silence after which the peer counts as gone; by default twice the announced time, as section
                2.4.5 asks for.
            properties: of the connection.

        Raises:
            LocalProtocolError: OPEN was queued before.
        """
        if self.local is Half.ACTIVE:
            raise LocalProtocolError("a connection carries one OPEN of each side")
        if self.local is Half.ENDED:
            return
        self.local = Half.ACTIVE
        limits = self.limits
        self.send_frame(
            0,
            Open(
                container_id,
                hostname,
                limits.max_frame_size,
                limits.channel_max,
                idle_time_out_ms,
                properties=properties,
            ),
        )
        if idle_limit_s is None and idle_time_out_ms:
            idle_limit_s = idle_time_out_ms / 500
        self._idle_limit_s = idle_limit_s

    def begin(self, *, outgoing_window: int | None = None, properties: dict[str, Value] | None = None) -> Session:
        """Queue BEGIN for a new session; the answer is the event `BeginReceived` with it.

        Raises:
            LocalProtocolError: it is too early, or all channels are taken.
        """
        if self.local is Half.UNUSED:
            raise LocalProtocolError("BEGIN before OPEN")
        if self.local is Half.ENDED or self.remote is Half.ENDED:
            session = Session(self, 0)
            session.finish()
            return session
        session = self._new_session()
        window = self.limits.incoming_window if outgoing_window is None else outgoing_window
        session.send_begin(window, properties)
        return session

    def close(self, error: Error | None = None, *, now: float) -> None:
        """Queue CLOSE, as an announcement or an answer; nothing but the peer's CLOSE is read then, and for a while only.

        To a peer that closed before its OPEN was answered there is nothing to say.

        Raises:
            LocalProtocolError: it is too early.
        """
        if self.local is Half.UNUSED and self.remote is Half.ENDED:
            self.abandon()
        elif self.local is Half.UNUSED:
            raise LocalProtocolError("CLOSE before OPEN")
        elif self.local is Half.ACTIVE:
            self._send_close(error)
            self._close_deadline = now + self.limits.close_timeout_s
            self._end_if_both_closed()

    def abandon(self) -> None:
        """The owner ends the connection: nothing is read or queued any more; bytes already queued can still leave."""
        self.phase = Phase.CLOSED
        self.local = self.remote = Half.ENDED
        self._end_sessions()

    # What sessions and links call.

    def emit(self, event: Event) -> None:
        """Tell the owner."""
        self._events.append(event)

    def send_frame(self, channel: int, body: Struct) -> None:
        """Queue a frame; one that the peer does not take for its size is a violation, as it is the peer who limits it."""
        self.send_encoded(channel, encode_composite(body))

    def send_encoded(self, channel: int, content: bytes) -> None:
        """Queue a frame with this content."""
        if self.local is not Half.ACTIVE:
            return
        if HEADER_SIZE + len(content) > self.max_outgoing_frame:
            self._violation(FRAME_SIZE_TOO_SMALL, f"a frame of {HEADER_SIZE + len(content)} bytes cannot be sent")
            return
        (self._output if self._sending else self._held).append(wrap(FrameType.AMQP, channel, content))

    def send_accepted(self, channel: int, delivery_id: int) -> None:
        """Queue the frequent DISPOSITION."""
        self._output.append(encode_accepted(channel, delivery_id))

    def count_unsettled(self, change: int) -> None:
        """So many more messages of the peer are unsettled.

        Raises:
            AmqpViolation: they are too many.
        """
        self._unsettled += change
        if change > 0 and self._unsettled > self.limits.max_unsettled:
            raise AmqpViolation(RESOURCE_LIMIT_EXCEEDED, f"more than {self.limits.max_unsettled} unsettled messages")

    def count_buffered(self, change: int) -> None:
        """So many more bytes of unfinished messages are held.

        Raises:
            AmqpViolation: they are too many.
        """
        self._buffered += change
        if change > 0 and self._buffered > self.limits.max_buffered:
            raise AmqpViolation(
                RESOURCE_LIMIT_EXCEEDED, f"more than {self.limits.max_buffered} bytes of unfinished messages"
            )

    def check_links(self) -> None:
        """One more link is to begin.

        Raises:
            AmqpViolation: it would be one too many.
        """
        if sum(session.link_count for session in self._sessions.values()) >= self.limits.max_links:
            raise AmqpViolation(RESOURCE_LIMIT_EXCEEDED, f"more than {self.limits.max_links} links")

    def release(self, session: Session) -> None:
        """Both sides have ended it: its channel is free."""
        if self._sessions.pop(session.channel, None) is not None:
            self._channels.release(session.channel)

    # What the roles add and use.

    @abstractmethod
    def _on_header(self, header: bytes) -> None:
        """Eight bytes where a protocol header belongs."""

    @abstractmethod
    def _on_sasl(self, body: Struct) -> None:
        """A SASL frame that the phase allows."""

    def _start_frames(self) -> None:
        """Our AMQP header is out: what was held may follow."""
        self._sending = True
        self._output += self._held
        self._held.clear()

    def _violation(self, condition: str, reason: str) -> None:
        self._events.append(ProtocolViolation(condition, reason))
        self._send_close(Error(condition, reason))
        self.abandon()

    # Reading.

    def _read(self, now: float) -> None:
        try:
            while self._read_one(now):
                pass
        except RemoteProtocolError as error:
            condition = error.condition if isinstance(error, AmqpViolation) else DECODE_ERROR
            self._violation(condition, str(error))

    def _read_one(self, now: float) -> bool:
        """Handle what comes next, unless it is not complete or not to be read yet."""
        if self.phase is Phase.FRAMES:
            frame = self._decoder.next_frame(FrameType.AMQP)
            if frame is not None:
                self._on_frame(frame, now)
            return frame is not None
        if self.phase in SASL_READS:
            return self._read_sasl()
        if self.phase in (Phase.HEADER, Phase.AMQP_HEADER):
            header = self._decoder.next_header()
            if header is not None:
                self._on_header(header)
            return header is not None
        return False

    def _read_sasl(self) -> bool:
        frame = self._decoder.next_frame(FrameType.SASL)
        if frame is None:
            return False
        if type(frame.body) not in SASL_READS[self.phase]:
            raise AmqpViolation(ILLEGAL_STATE, f"{_name(frame)} is not allowed {self.phase.value}")
        assert frame.body is not None
        self._on_sasl(frame.body)
        return True

    def _on_frame(self, frame: Frame, now: float) -> None:
        channel, body, payload = frame
        if body is None:
            self._events.append(HeartbeatReceived())
        elif type(body) not in CONNECTION_READS[self.remote]:
            raise AmqpViolation(ILLEGAL_STATE, f"{_name(frame)} is not allowed {self.remote.value}")
        elif isinstance(body, Close):
            self._on_close(body)
        elif isinstance(body, Open):
            self._on_open(body, now)
        elif self.local is not Half.ENDED:
            self._on_session_frame(channel, body, payload)

    def _on_session_frame(self, channel: int, body: Struct, payload: bytes) -> None:
        session = self._begun.get(channel)
        if type(body) not in SESSION_READS[Half.UNUSED if session is None else Half.ACTIVE]:
            used = "with" if session else "without"
            raise AmqpViolation(ILLEGAL_STATE, f"{type(body).__name__.upper()} on a channel {used} a session")
        if session is None:
            assert isinstance(body, Begin)
            self._on_begin(channel, body)
        else:
            session.on_frame(body, payload)
            if session.remote is Half.ENDED:
                self._begun.pop(channel, None)

    def _on_open(self, peer: Open, now: float) -> None:
        if peer.max_frame_size < MIN_MAX_FRAME_SIZE:
            raise AmqpViolation(FRAMING_ERROR, f"a max-frame-size of {peer.max_frame_size} bytes")
        self.peer, self.remote = peer, Half.ACTIVE
        self.max_outgoing_frame = min(peer.max_frame_size, self.limits.max_frame_size)
        self._open_deadline = None
        if peer.idle_time_out:
            self._heartbeat_s = max(peer.idle_time_out / 1000 / HEARTBEATS_PER_IDLE_TIME_OUT, MIN_HEARTBEAT_S)
            self._heartbeat_at = now + self._heartbeat_s
        self._events.append(OpenReceived(peer))

    def _on_close(self, close: Close) -> None:
        self.remote = Half.ENDED
        self._end_sessions()
        self._events.append(CloseReceived(close))
        self._end_if_both_closed()

    def _on_begin(self, channel: int, begin: Begin) -> None:
        if channel > self.limits.channel_max:
            raise AmqpViolation(FRAMING_ERROR, f"channel {channel} exceeds {self.limits.channel_max}")
        if begin.remote_channel is None:
            session = self._invited()
        else:
            answered = self._sessions.get(begin.remote_channel)
            if answered is None or answered.begin is not None:
                raise AmqpViolation(ILLEGAL_STATE, "BEGIN in answer to none of ours")
            session = answered
        self._begun[channel] = session
        session.on_begin(begin, channel)

    def _invited(self) -> Session:
        """A session that the peer begins."""
        if len(self._sessions) >= self.limits.max_sessions:
            raise AmqpViolation(RESOURCE_LIMIT_EXCEEDED, f"more than {self.limits.max_sessions} sessions")
        try:
            return self._new_session()
        except LocalProtocolError:
            raise AmqpViolation(RESOURCE_LIMIT_EXCEEDED, "more sessions than the peer allows us to answer") from None

    def _new_session(self) -> Session:
        channel_max = self.limits.channel_max if self.peer is None else self.peer.channel_max
        session = Session(self, self._channels.take(channel_max))
        self._sessions[session.channel] = session
        return session

    # Ending and time.

    def _send_close(self, error: Error | None) -> None:
        if self.local is Half.ACTIVE:
            self.local = Half.ENDED
            self._end_sessions()
            if self._sending:
                self._output.append(encode_frame(FrameType.AMQP, 0, Close(error)))

    def _end_sessions(self) -> None:
        for session in self._sessions.values():
            session.finish()
        self._sessions.clear()
        self._begun.clear()

    def _end_if_both_closed(self) -> None:
        if self.local is self.remote is Half.ENDED:
            self.abandon()

    def _time_out(self, timeout: Timeout) -> None:
        self._events.append(timeout)
        self.abandon()

    def _idle_deadline(self) -> float | None:
        if self._idle_limit_s is None or self.remote is Half.UNUSED:
            return None
        return self._received_at + self._idle_limit_s

    def _heartbeat_deadline(self) -> float | None:
        if self._heartbeat_s is None or self.local is not Half.ACTIVE:
            return None
        return self._heartbeat_at

    def _beat(self, now: float) -> None:
        """Send an empty frame if nothing was sent since the last look."""
        assert self._heartbeat_s is not None
        self._heartbeat_at = now + self._heartbeat_s
        if self._quiet and not self._output:
            self._output.append(encode_frame(FrameType.AMQP, 0, None))
        self._quiet = True


def _due(deadline: float | None, now: float) -> bool:
    return deadline is not None and now >= deadline


def _name(frame: Frame) -> str:
    return "an empty frame" if frame.body is None else type(frame.body).__name__.upper()
