"""Client role: the protocol headers and SASL of a connection that we opened (AMQP 1.0 part 2, 2.2; part 5, 5.3)."""

from msgspec import Struct

from harness.errors import LocalProtocolError
from harness.protocol.amqp.conditions import FRAMING_ERROR, NOT_IMPLEMENTED, AmqpViolation
from harness.protocol.amqp.connection import Connection, Limits
from harness.protocol.amqp.events import SaslOutcomeReceived
from harness.protocol.amqp.frames import AMQP_HEADER, SASL_HEADER, FrameType, encode_frame
from harness.protocol.amqp.performatives import SaslCode, SaslInit, SaslMechanisms, SaslOutcome
from harness.protocol.amqp.state import Phase

DEFAULT_LIMITS = Limits()


def plain(user: str, password: str) -> bytes:
    """The initial response of mechanism PLAIN (RFC 4616)."""
    return f"\0{user}\0{password}".encode()


class ClientConnection(Connection):
    """One connection to a server.

    Frames may be queued at once: they leave after the AMQP header, and OPEN does not wait for the server's.

    Args:
        mechanism: of SASL, None to begin without.
        response: what the mechanism sends first, see `plain`; ANONYMOUS and MSSBCBS need none.
        hostname: of the server, named in sasl-init.
        limits: what the server may claim.
    """

    __slots__ = ("_connected", "_init")

    def __init__(
        self,
        *,
        mechanism: str | None = None,
        response: bytes | None = None,
        hostname: str | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        super().__init__(limits)
        self._init = None if mechanism is None else SaslInit(mechanism, response, hostname)
        self._connected = False

    def connect(self, now: float) -> None:
        """Queue the protocol header, the first thing to do; from now on the server has `open_timeout_s` for its OPEN.

        Raises:
            LocalProtocolError: it was done before.
        """
        if self._connected:
            raise LocalProtocolError("a connection begins once")
        self._connected = True
        self._open_deadline = now + self.limits.open_timeout_s
        if self._init is None:
            self._send_amqp_header()
        else:
            self._output.append(SASL_HEADER)

    def _send_amqp_header(self) -> None:
        self._output.append(AMQP_HEADER)
        self._start_frames()

    def _on_header(self, header: bytes) -> None:
        if self.phase is Phase.HEADER and self._init is not None:
            expected, following = SASL_HEADER, Phase.SASL_MECHANISMS
        else:
            expected, following = AMQP_HEADER, Phase.FRAMES
        if header != expected:
            raise AmqpViolation(FRAMING_ERROR, "the server answers with another protocol header")
        self.phase = following

    def _on_sasl(self, body: Struct) -> None:
        if isinstance(body, SaslMechanisms):
            assert self._init is not None
            if self._init.mechanism not in body.sasl_server_mechanisms:
                raise AmqpViolation(NOT_IMPLEMENTED, f"the server does not offer {self._init.mechanism}")
            self.mechanism = self._init.mechanism
            self._output.append(encode_frame(FrameType.SASL, 0, self._init))
            self.phase = Phase.SASL_OUTCOME
        else:
            assert isinstance(body, SaslOutcome)
            self._events.append(SaslOutcomeReceived(body.code))
            if body.code == SaslCode.OK:
                self.phase = Phase.AMQP_HEADER
                self._send_amqp_header()
            else:
                self.abandon()
