"""Who the device on an AMQP connection is: SASL, put-token, its client certificate; how it is let in, and how refused."""

import math
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Final

from harness.hub.admitting import AdmittingConnection
from harness.hub.amqp import figures
from harness.hub.amqp.cbs import OK, Answer, PutToken, Reply
from harness.hub.amqp.refusals import TOKEN_INVALID, TOO_MANY_TOKENS
from harness.hub.amqp.sasl import read_plain
from harness.hub.amqp.texts import shown
from harness.hub.auth import Refusal
from harness.hub.base import shown_certificate, shown_token
from harness.hub.certificates import Certificate
from harness.hub.credentials import Credentials, UserName
from harness.hub.device import Device
from harness.hub.diagnostics import Origin, Problem
from harness.hub.ending import Cause, CloseMode
from harness.hub.faults import Fault
from harness.protocol.amqp.conditions import AmqpViolation
from harness.protocol.amqp.performatives import Error, SaslCode, SaslInit
from harness.protocol.amqp.server import ServerConnection

__all__ = ["AuthenticatingConnection"]

_NO_ANSWER: Final = "instead of an answer to the token"
_ONE_ATTEMPT_S: Final = 1.0  # a device opens several links at once


class AuthenticatingConnection(AdmittingConnection):
    """A connection that finds out who the device is; what it carries beside that is another's affair.

    `_authenticate_by`: when a device that is not let in is cut.
    """

    __slots__ = ("_authenticate_by", "_engine", "_judged_at", "_plain", "_refused", "_sdk", "_shown")

    def __init__(
        self,
        device: Device,
        number: int,
        transport: str,
        peer: str,
        wake: Callable[[], None],
        engine: ServerConnection,
    ) -> None:
        super().__init__(device, number, transport, peer, wake)
        self._engine = engine
        self._plain = False  # the token came with SASL PLAIN
        self._shown = False  # a token, or its lack was told
        self._judged_at = -math.inf  # the client certificate
        self._sdk: str | None = None  # by the account of its last link that says it
        self._refused = 0  # tokens in a row
        self._authenticate_by = math.inf

    @abstractmethod
    def _cut(self, cause: Cause, now: float, detail: str, close: CloseMode, error: Error = TOKEN_INVALID) -> None:
        """End the connection, or the device's part of it."""

    def put_token(self, request: PutToken, reply: Reply, now: float) -> None:
        """Judge a request and answer it by `reply`, unless it is to be left unanswered."""
        self._authenticate(request, reply, now)

    def _sasl(self, init: SaslInit, now: float) -> None:
        if init.mechanism == "PLAIN":
            self._plain = True
            credentials = read_plain(init.initial_response, self._device.identity.hub_name)
            self._authenticate(PutToken(None, credentials), self._sasl_answer, now)
        elif init.mechanism == "EXTERNAL" and self._certificate is None:
            self._sasl_answer(self._refuse_external(now), now)
        else:
            self._sasl_answer(OK, now)

    def _refuse_external(self, now: float) -> Answer:
        """EXTERNAL stands for a client certificate, and the device has proven none. It does not say who the device is."""
        missing = self._device.gate.refuse_without_credential("")
        self.note("sasl-refused", now, mechanism="EXTERNAL", code=int(SaslCode.AUTH), **missing.shown)
        self._log_refusal(missing, self._origin_of(""), now)
        return Answer(401, "SASL EXTERNAL without a client certificate")

    def _sasl_answer(self, answer: Answer, now: float) -> None:
        self._engine.sasl_outcome(SaslCode.OK if answer == OK else SaslCode.AUTH, now=now)
        if answer != OK:
            self._cut("refused", now, answer.text, "fin")

    def _authenticate(self, request: PutToken, reply: Reply, now: float) -> None:
        device, credentials = self._device, request.credentials
        if self._refused >= figures.MAX_REFUSED_TOKENS:
            self._cut("tokens-refused", now, f"{self._refused} tokens in a row were refused", "close", TOO_MANY_TOKENS)
            return
        self._refused += 1
        self._shown = True
        for secret in credentials.secrets:
            device.learn_secret(secret)
        self.note(
            "put-token",
            now,
            name=shown(request.name),
            token=shown_token(credentials.token, now + self._device.policy.clock_shift_s),
            device_id=shown(credentials.client_id or None),
            sdk_version=self._sdk,
        )
        if request.problem is not None:
            self._note_answer(request.problem, now, admitted=False)
            reply(request.problem, now)
            return
        origin = self._origin_of(credentials.client_id)
        verdict = device.judge(credentials, now, self.number)
        if isinstance(verdict, Fault):
            self._hold(verdict, partial(self._judge_late, credentials, origin, reply), now, _NO_ANSWER)
            self._due = self._earliest_deadline()
        else:
            self._decide(verdict, credentials, origin, reply, now)

    def _judge_late(self, credentials: Credentials, origin: Origin, reply: Reply, now: float) -> None:
        refusal = self._device.refusal(credentials, now)
        self._late_answer(lambda: self._decide(refusal, credentials, origin, reply, now), now)

    def _late_answer(self, answer: Callable[[], None], now: float) -> None:
        try:
            answer()
        except AmqpViolation as error:  # the device takes no answers
            self._cut("protocol", now, f"{error.condition}: {error}", "close")

    def _decide(
        self, refusal: Refusal | None, credentials: Credentials, origin: Origin, reply: Reply, now: float
    ) -> None:
        if refusal is None:
            self._admit(credentials, origin, reply, now)
        else:
            reply(self._refuse(refusal, origin, now), now)

    def _judge(self, certificate: Certificate, client_id: str, now: float) -> None:
        """Judge the device by its certificate, whenever it opens links; those of one second are one attempt."""
        if now < self._judged_at + _ONE_ATTEMPT_S:
            return
        device, hub_name, self._judged_at, self._shown = self._device, self._device.identity.hub_name, now, True
        user_name = UserName(hub_name.lower(), client_id)
        credentials = Credentials(client_id, user_name, certificate=certificate, transport=self._transport)
        origin = Origin(hub_name, client_id, self._transport, self._peer, self._sdk, by_certificate=True)
        refusal = device.refusal(credentials, now)  # faults are of tokens
        about: dict[str, object] = {"certificate": shown_certificate(certificate)}
        answer = OK
        if refusal is None:
            self._enter(origin, now)
        else:
            about, answer = about | refusal.shown, Answer(refusal.check.status, refusal.text)
        admitted = refusal is None
        self.note("certificate-judged", now, status=answer.status, description=answer.text, admitted=admitted, **about)
        if refusal is None:
            self._log("deviceConnect", now)
            self._due = self._earliest_deadline()
        else:
            self._log_refusal(refusal, origin, now)

    def _enter(self, origin: Origin, now: float) -> None:
        """The device is on this connection from now on, if it was not before; from now on it is what `origin` says."""
        if not self._accepted:
            self._device.enter(self, now)
            for message in self._device.session.recall():
                self.note("c2d-returned", now, message_id=message.message_id, why="link-lost")
        self._accepted, self._authenticate_by, self._origin = True, math.inf, origin
        self._refused = 0

    def _admit(self, credentials: Credentials, origin: Origin, reply: Reply, now: float) -> None:
        """Let the device in by its token, or renew its time if it is in."""
        device, token, newly = self._device, credentials.token, not self._accepted
        assert token is not None  # a put-token has one, or the gate has refused it; certificates are judged elsewhere
        fault = device.answering(token, now, self.number) if device.faults else None
        self._enter(origin, now)
        if fault is None:
            self._note_answer(OK, now, admitted=newly)
        if newly:
            self._log("deviceConnect", now)
        self._time_the_token(token, now)
        self.note("deadline", now, se=token.expiry, cut_at=self._deadline)
        if fault is None:
            reply(OK, now)
        else:
            self._hold(fault, partial(self._confirm_late, reply, admitted=newly), now, _NO_ANSWER)
        self._due = self._earliest_deadline()

    def _confirm_late(self, reply: Reply, now: float, *, admitted: bool) -> None:
        self._note_answer(OK, now, admitted=admitted)
        self._late_answer(lambda: reply(OK, now), now)

    def _refuse(self, refusal: Refusal, origin: Origin, now: float) -> Answer:
        """Nothing else changes: a device that is in stays in until its old deadline."""
        answer = Answer(refusal.check.status, refusal.text)
        self._note_answer(answer, now, admitted=False, **refusal.shown)
        self._log_refusal(refusal, origin, now)
        return answer

    def _note_answer(self, answer: Answer, now: float, *, admitted: bool, **shown: str) -> None:
        self.note("put-token-answered", now, status=answer.status, description=answer.text, admitted=admitted, **shown)

    def _missing(self, client_id: str) -> Refusal | None:
        """The refusal of a device that asks for a link and has shown nothing on this connection; once, since it asks for several."""
        if self._shown:
            return None
        self._shown = True
        return self._device.gate.refuse_without_credential(client_id)

    def _origin_of(self, client_id: str) -> Origin:
        return Origin(self._device.identity.hub_name, client_id, self._transport, self._peer, self._sdk)

    def _log_refusal(self, refusal: Refusal, origin: Origin, now: float) -> None:
        self._log("deviceConnect", now, Problem(refusal.check.code, refusal.message), origin)

    @property
    def _seed(self) -> str:
        """Tells this connection's tags and tracking ids from those of others."""
        return f"{self._device.identity.hub_name} {self.number}"
