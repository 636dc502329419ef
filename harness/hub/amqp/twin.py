"""The twin: requests arrive on one link of a pair, answers leave on the other.

A request says in its message annotations which `operation` it wants (GET, PATCH, PUT to subscribe, DELETE to unsubscribe) and of which
`resource`; the answer repeats the correlation-id, in its type, and has the annotations `status` and, after a patch, `version`
(Azure IoT SDKs). Desired properties are never changed, so nobody is notified.
"""

from typing import Final

from harness.hub.amqp.node import Node
from harness.hub.amqp.texts import text_of
from harness.hub.twin import Twin
from harness.protocol.amqp import types as t
from harness.protocol.amqp.events import TransferReceived
from harness.protocol.amqp.messages import Data, Message, Properties, decode_message

__all__ = ["TwinAnswers", "TwinRequests"]

_DESIRED: Final = "/notifications/twin/properties/desired"
_REPORTED: Final = "/properties/reported"
_OPERATIONS: Final = {"GET": "get", "PATCH": "patch", "PUT": "subscribe", "DELETE": "unsubscribe"}
"""The event's words."""
_RESOURCES: Final = {"patch": _REPORTED, "subscribe": _DESIRED, "unsubscribe": _DESIRED}
"""What the operations are for; GET is for the whole twin, whatever it says."""

_Done = tuple[int, dict[str, t.Value], bytes]
"""Status, further annotations and body of an answer."""
_BAD: Final[_Done] = (400, {}, b"")


class TwinRequests(Node):
    """Where requests arrive."""

    __slots__ = ()

    def received(self, transfer: TransferReceived, now: float) -> None:
        """A request: settle it, do it, answer it."""
        message = decode_message(transfer.payload)
        self.settle(transfer)
        asked = message.message_annotations
        operation = _OPERATIONS.get(str(asked.get("operation")), "unknown")
        fits = asked.get("resource") == _RESOURCES.get(operation, asked.get("resource"))
        status, annotations, body = _done(operation, message, self.owner.device.twin) if fits else _BAD
        correlation_id = message.properties.correlation_id
        answers = self.partner(TwinAnswers)
        if answers is not None:
            annotations = {"status": t.Int(status), **annotations}
            properties = Properties(correlation_id=correlation_id)
            answers.reply(Message(Data((body,)), properties, message_annotations=annotations))
        self.owner.note("twin", now, operation=operation, request_id=text_of(correlation_id), status=status)


class TwinAnswers(Node):
    """Where answers leave."""

    __slots__ = ()


def _done(operation: str, message: Message, twin: Twin) -> _Done:
    """Do it."""
    if operation == "get":
        return 200, {}, twin.document()
    if operation == "patch" and isinstance(message.body, Data):
        version = twin.patch(message.body.content)
        return _BAD if version is None else (204, {"version": version}, b"")
    return (200, {}, b"") if operation in ("subscribe", "unsubscribe") else _BAD
