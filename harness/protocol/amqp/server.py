"""Server role: the protocol headers and SASL of a connection that a client opened (AMQP 1.0 part 2, 2.2; part 5, 5.3).

A client may begin with the AMQP header, as the Node.js and .NET SDKs do, or with the SASL header, as those for Java and C
do, and may send ahead what it knows will come.
"""

from msgspec import Struct

from harness.errors import LocalProtocolError
from harness.protocol.amqp.conditions import FRAMING_ERROR, UNAUTHORIZED_ACCESS, AmqpViolation
from harness.protocol.amqp.connection import Connection, Limits
from harness.protocol.amqp.events import SaslInitReceived
from harness.protocol.amqp.frames import AMQP_HEADER, SASL_HEADER, FrameType, encode_frame
from harness.protocol.amqp.performatives import SaslCode, SaslInit, SaslMechanisms, SaslOutcome
from harness.protocol.amqp.state import Phase

DEFAULT_LIMITS = Limits()
MECHANISMS = ("MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL")
"""What IoT Hub offers; EXTERNAL last, for generic clients take the first they know."""


class ServerConnection(Connection):
    """One client's connection.

    Args:
        now: when the network connection was opened.
        limits: what the client may claim.
        mechanisms: what SASL offers. Each is the owner's to judge, by `sasl_outcome`.
    """

    __slots__ = ("_mechanisms",)

    def __init__(
        self, *, now: float, limits: Limits = DEFAULT_LIMITS, mechanisms: tuple[str, ...] = MECHANISMS
    ) -> None:
        super().__init__(limits)
        self._mechanisms = mechanisms
        self._open_deadline = now + limits.open_timeout_s

    def sasl_outcome(self, code: int, *, now: float) -> None:
        """Answer sasl-init with a `SaslCode`, then read what the client has sent since: call `events` again afterwards.

        With a code other than OK the machine is closed.

        Raises:
            LocalProtocolError: there is no sasl-init to answer.
        """
        if self.phase is Phase.CLOSED:
            return
        if self.phase is not Phase.SASL_DECISION:
            raise LocalProtocolError(f"there is no sasl-init to answer {self.phase.value}")
        self._output.append(encode_frame(FrameType.SASL, 0, SaslOutcome(code)))
        if code == SaslCode.OK:
            self.phase = Phase.AMQP_HEADER
            self._read(now)
        else:
            self.abandon()

    def _on_header(self, header: bytes) -> None:
        if header == AMQP_HEADER:
            self._output.append(AMQP_HEADER)
            self.phase = Phase.FRAMES
            self._start_frames()
        elif self.phase is Phase.HEADER:
            self._output += (SASL_HEADER, encode_frame(FrameType.SASL, 0, SaslMechanisms(self._mechanisms)))
            self.phase = Phase.SASL_INIT
            if header != SASL_HEADER:  # it learns what we speak (section 2.2)
                del self._output[-1]
                raise AmqpViolation(FRAMING_ERROR, "no protocol header of AMQP 1.0")
        else:
            self._output.append(AMQP_HEADER)
            raise AmqpViolation(FRAMING_ERROR, "no AMQP header after the SASL exchange")

    def _on_sasl(self, body: Struct) -> None:
        assert isinstance(body, SaslInit)
        if body.mechanism not in self._mechanisms:
            self._output.append(encode_frame(FrameType.SASL, 0, SaslOutcome(SaslCode.AUTH)))
            raise AmqpViolation(UNAUTHORIZED_ACCESS, "sasl-init with a mechanism that was not offered")
        self.mechanism = body.mechanism
        self.phase = Phase.SASL_DECISION
        self._events.append(SaslInitReceived(body))
