"""Telemetry: what the device sends, alone or in batches of Microsoft's message format 0x80013700."""

from harness.hub.amqp.node import Node
from harness.hub.amqp.texts import properties_of, shown_id
from harness.protocol.amqp.encoding import encode
from harness.protocol.amqp.events import TransferReceived
from harness.protocol.amqp.messages import BATCH_FORMAT, Data, Message, decode_messages

__all__ = ["Telemetry"]


class Telemetry(Node):
    """Where telemetry arrives. Nothing is looked into where nobody records it."""

    __slots__ = ()

    def received(self, transfer: TransferReceived, now: float) -> None:
        """A message or a batch: record it, accept it."""
        if not self.owner.recording:
            self.settle(transfer)
            return
        messages = decode_messages(transfer.payload, transfer.message_format)
        batch = {"batch": len(messages)} if transfer.message_format == BATCH_FORMAT else {}
        ids = [shown_id(message.properties.message_id) for message in messages]
        for message_id, message in zip(ids, messages, strict=True):
            self.owner.note(
                "telemetry",
                now,
                message_id=message_id,
                delivery_id=transfer.delivery_id,
                settled=transfer.settled,
                size=_size(message),
                properties=properties_of(message),
                **batch,
            )
        if self.settle(transfer):
            for message_id in ids:
                fields = {"message_id": message_id, "delivery_id": transfer.delivery_id, "state": "accepted"}
                self.owner.note("disposition", now, **fields)


def _size(message: Message) -> int:
    """Of the body: its bytes, or what its value is in bytes."""
    body = message.body
    if isinstance(body, Data):
        return len(body.content)
    return len(encode(body.value if hasattr(body, "value") else list(body.sections)))
