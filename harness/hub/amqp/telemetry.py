"""Telemetry: what the device sends, alone or in batches of Microsoft's message format 0x80013700."""

from typing import Final

from harness.hub.amqp.node import Node
from harness.hub.amqp.refusals import QUOTA_ERROR, THROTTLED_ERROR
from harness.hub.amqp.texts import properties_of, text_of
from harness.hub.fault_messages import OPERATION
from harness.protocol.amqp.encoding import encode
from harness.protocol.amqp.events import TransferReceived
from harness.protocol.amqp.messages import BATCH_FORMAT, Body, Data, SingleValue, decode_messages
from harness.protocol.amqp.performatives import ACCEPTED, DeliveryState, Rejected

__all__ = ["Telemetry"]

_OPERATION: Final = OPERATION.encode()


class Telemetry(Node):
    """Where telemetry arrives. Where nobody records it, nothing is looked into but what may be a test message."""

    __slots__ = ()

    def received(self, transfer: TransferReceived, now: float) -> None:
        """A message or a batch: record it, accept it, if nothing is wrong with that on purpose."""
        state: DeliveryState = self._judge(now) if self.owner.throttling else ACCEPTED
        if not self.owner.recording:
            self.settle(transfer, state)
        else:
            messages = decode_messages(transfer.payload, transfer.message_format)
            delivery_id, note = int(transfer.delivery_id), self.owner.note
            batch = {"batch": len(messages)} if transfer.message_format == BATCH_FORMAT else {}
            ids = [text_of(message.properties.message_id) for message in messages]
            for message_id, message in zip(ids, messages, strict=True):
                note(
                    "telemetry",
                    now,
                    message_id=message_id,
                    delivery_id=delivery_id,
                    settled=transfer.settled,
                    size=_size(message.body),
                    properties=properties_of(message),
                    **batch,
                )
            if self.settle(transfer, state):
                outcome = "accepted" if state is ACCEPTED else "rejected"
                for message_id in ids:
                    note("disposition", now, message_id=message_id, delivery_id=delivery_id, state=outcome)
        if _OPERATION in transfer.payload and state is ACCEPTED:  # few are; what it asks for is read only then
            self._heed(transfer, now)

    def _heed(self, transfer: TransferReceived, now: float) -> None:
        for message in decode_messages(transfer.payload, transfer.message_format):
            properties = {str(name): text_of(value) for name, value in message.application_properties.items()}
            self.owner.heed_in(properties, self.link.session, now)

    def _judge(self, now: float) -> DeliveryState:
        """Refuse a message, if it is still to be refused."""
        owner = self.owner
        strain = "throttled" if owner.throttling == "once" else owner.device.burdened(now)
        owner.throttling = "" if owner.device.burden is None else "meanwhile"
        if strain is None:
            return ACCEPTED
        return Rejected(QUOTA_ERROR if strain == "quota" else THROTTLED_ERROR)

    def settle(self, transfer: TransferReceived, state: DeliveryState = ACCEPTED) -> bool:
        """Say what became of a message, as long as the hub says anything."""
        return not self.owner.silent and super().settle(transfer, state)


def _size(body: Body) -> int:
    """The bytes of a body; what is no data counts as encoded."""
    if isinstance(body, Data):
        return len(body.content)
    return len(encode(body.value if isinstance(body, SingleValue) else list(body.sections)))
