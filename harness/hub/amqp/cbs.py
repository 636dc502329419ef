"""Claims-based security: put-token requests, and the answers to them.

A request asks in its application properties for `operation` "put-token", names the `type` of the token and the `name` it is for; its body is
one value, the token. The answer repeats the request's message-id as its correlation-id, in the same AMQP type, and carries
`status-code` (an AMQP int, for the SDKs cast it) and `status-description`; it is sent after the request was settled, since the C SDK
counts an answer as failed that comes earlier. What is malformed is answered with 400 and the texts of Azure IoT Edge's hub.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from harness.hub.amqp.addresses import read_audience
from harness.hub.amqp.node import Node
from harness.hub.credentials import Credentials, UserName, with_token
from harness.protocol.amqp import types as t
from harness.protocol.amqp.events import TransferReceived
from harness.protocol.amqp.messages import Message, Properties, SingleValue, decode_message

__all__ = ["OK", "Answer", "CbsAnswers", "CbsRequests", "PutToken", "Reply", "read_put_token"]

TYPES: Final = ("servicebus.windows.net:sastoken", "azure-devices.net:sastoken")
"""The second is what the .NET SDK says."""


class Answer(NamedTuple):
    """Status and text."""

    status: int
    text: str


OK: Final = Answer(200, "OK")

Reply = Callable[[Answer, float], None]
"""Sends an answer, at the present that it is told."""


@dataclass(frozen=True, slots=True)
class PutToken:
    """A request. `problem`: the answer to a malformed one. `credentials`: with its token, in so far as it has one."""

    name: str | None
    credentials: Credentials
    problem: Answer | None = None


def read_put_token(message: Message) -> PutToken:
    """Take a request apart; nothing in it raises."""
    properties = message.application_properties
    name = properties.get("name")
    name = name if isinstance(name, str) and name else None
    audience = None if name is None else read_audience(name)
    client_id = "" if audience is None else audience[1]
    user_name = None if audience is None else UserName(*audience)
    token = _token_text(message)
    credentials = Credentials(client_id, user_name) if token is None else with_token(client_id, user_name, token)
    problem = next((Answer(400, text) for fails, text in _FORM if fails(properties, name, token)), None)
    return PutToken(name, credentials, problem)


_Form = Callable[[t.Value, str | None, str | None], bool]
_FORM: Final[tuple[tuple[_Form, str], ...]] = (
    (
        lambda asked, _name, _token: not any(asked.get("type") == kind for kind in TYPES),
        "Cbs message missing Type property",
    ),
    (lambda _asked, name, _token: name is None, "Cbs message missing audience property"),
    (
        lambda asked, _name, _token: asked.get("operation") != "put-token",
        "Cbs message missing operation value put-token",
    ),
    (lambda _asked, _name, token: token is None, "Cbs message does not contain a valid token"),
)


def _token_text(message: Message) -> str | None:
    body = message.body
    return body.value if isinstance(body, SingleValue) and isinstance(body.value, str) else None


class CbsRequests(Node):
    """Where put-token requests arrive."""

    __slots__ = ()

    def received(self, transfer: TransferReceived, now: float) -> None:
        """A request: settle it, then let it be judged and answered."""
        message = decode_message(transfer.payload)
        self.settle(transfer)
        self.owner.put_token(read_put_token(message), partial(self._reply, message.properties.message_id), now)

    def _reply(self, message_id: t.Value, answer: Answer, _now: float) -> None:
        answers = self.partner(CbsAnswers)
        if answers is not None:
            answers.reply(_reply(message_id, answer))


class CbsAnswers(Node):
    """Where the answers leave."""

    __slots__ = ()


def _reply(message_id: t.Value, answer: Answer) -> Message:
    status = {"status-code": t.Int(answer.status), "status-description": answer.text}
    return Message(SingleValue(None), Properties(correlation_id=message_id), status)
