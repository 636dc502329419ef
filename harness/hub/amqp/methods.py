"""Direct methods: calls leave on one link of a pair, answers arrive on the other.

A call has the method's name in the application property `IoThub-methodname` and a UUID as its correlation-id, which the SDKs for C
and Java insist on; an answer repeats the correlation-id and has `IoThub-status` (Azure IoT SDKs).
"""

import hashlib
from typing import Final

from harness.hub.amqp.figures import MAX_WAITING_ANSWERS
from harness.hub.amqp.node import Node
from harness.hub.amqp.texts import text_of
from harness.protocol.amqp import types as t
from harness.protocol.amqp.events import TransferReceived
from harness.protocol.amqp.messages import Data, Message, Properties, decode_message
from harness.protocol.amqp.sender import SenderLink

__all__ = ["MethodAnswers", "MethodRequests", "uuid_of"]

_NAME: Final = "IoThub-methodname"
_STATUS: Final = "IoThub-status"


def uuid_of(request_id: str) -> t.Uuid:
    """The correlation-id of a call: one and the same for one request id."""
    return t.Uuid(hashlib.sha256(request_id.encode()).digest()[:16])


class MethodRequests(Node):
    """Where calls leave for the device."""

    __slots__ = ()
    link: SenderLink

    def deliver(self, now: float) -> None:
        """Send the calls that wait, as far as credit and window go, and as the device settles what it wants to settle."""
        while self._may_call and (calls := self.owner.device.methods.send_waiting(now, 1)):
            (call,) = calls
            properties = Properties(correlation_id=uuid_of(call.request_id))
            self.reply(Message(Data((call.body,)), properties, {_NAME: call.name}))
            self.owner.note("method-sent", now, request_id=call.request_id)

    @property
    def _may_call(self) -> bool:
        return self.may_send and len(self.link.unsettled) < MAX_WAITING_ANSWERS


class MethodAnswers(Node):
    """Where the device's answers arrive."""

    __slots__ = ()

    def received(self, transfer: TransferReceived, now: float) -> None:
        """An answer; one that no call waits for is ignored."""
        message = decode_message(transfer.payload)
        self.settle(transfer)
        status = message.application_properties.get(_STATUS)
        request_id = self._request_id(message.properties.correlation_id)
        if isinstance(status, int) and request_id is not None and self.owner.device.methods.answered(request_id):
            self.owner.note("method-answered", now, request_id=request_id, status=int(status))

    def _request_id(self, correlation_id: t.Value) -> str | None:
        """The call with this correlation-id, which some clients send back as text or bytes."""
        given = text_of(correlation_id)
        for request_id in self.owner.device.methods.request_ids:
            uuid = uuid_of(request_id)
            if given in (text_of(uuid), uuid.hex()):
                return request_id
        return None
