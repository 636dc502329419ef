"""Telemetry: what the device sends, alone or in batches of Microsoft's message format 0x80013700."""

from harness.hub.amqp.node import Node
from harness.hub.amqp.refusals import THROTTLED_ERROR
from harness.hub.amqp.texts import properties_of, text_of
from harness.protocol.amqp.encoding import encode
from harness.protocol.amqp.events import TransferReceived
from harness.protocol.amqp.messages import BATCH_FORMAT, Body, Data, SingleValue, decode_messages
from harness.protocol.amqp.performatives import ACCEPTED, DeliveryState, Rejected

__all__ = ["Telemetry"]


class Telemetry(Node):
    """Where telemetry arrives. Nothing is looked into where nobody records it."""

    __slots__ = ()

    def received(self, transfer: TransferReceived, now: float) -> None:
        """A message or a batch: record it, accept it, if nothing is wrong with that on purpose."""
        state: DeliveryState = ACCEPTED
        if self.owner.throttling:
            self.owner.throttling, state = False, Rejected(THROTTLED_ERROR)
        if not self.owner.recording:
            self.settle(transfer, state)
            return
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

    def settle(self, transfer: TransferReceived, state: DeliveryState = ACCEPTED) -> bool:
        """Say what became of a message, as long as the hub says anything."""
        return not self.owner.silent and super().settle(transfer, state)


def _size(body: Body) -> int:
    """The bytes of a body; what is no data counts as encoded."""
    if isinstance(body, Data):
        return len(body.content)
    return len(encode(body.value if isinstance(body, SingleValue) else list(body.sections)))
