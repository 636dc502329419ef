"""Cloud-to-device messages: sent one by one as credit allows, and queued again unless the device has settled them.

Completing, abandoning and rejecting a message are the outcomes accepted, released and rejected; the delivery tag is the lock token
(IoT Hub documentation, "Send cloud-to-device messages"; Azure IoT Edge's hub). A device that settles second is told so last. What comes
back as often as the service's default for the maximum delivery count is dropped, as the service moves it to the dead letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.hub.amqp.node import Node, Owner
from harness.hub.session import MAX_DELIVERIES
from harness.protocol.amqp.events import DispositionReceived
from harness.protocol.amqp.link import Link
from harness.protocol.amqp.messages import Data, Message, Properties, encode_message
from harness.protocol.amqp.performatives import DeliveryState, Modified, Received, Rejected, Released
from harness.protocol.amqp.sender import SenderLink

if TYPE_CHECKING:
    from harness.hub.amqp.addresses import Kind
    from harness.hub.session import C2dMessage

__all__ = ["C2d"]


class C2d(Node):
    """Where messages leave for the device. `_in_flight`: those it has not settled, by delivery tag, oldest first."""

    __slots__ = ("_in_flight",)
    link: SenderLink

    def __init__(self, owner: Owner, link: Link, kind: Kind, properties: Mapping[str, object]) -> None:
        super().__init__(owner, link, kind, properties)
        self._in_flight: dict[bytes, C2dMessage] = {}

    def deliver(self, now: float) -> None:
        """Send what waits, as far as credit and window go."""
        session = self.owner.device.session
        while self.may_send and (message := session.take()) is not None:
            tag = self.owner.next_tag()
            to = f"/devices/{self.owner.device.identity.device_id}/messages/devicebound"
            content = Message(Data((message.body,)), Properties(message_id=message.message_id, to=to))
            self.link.send(encode_message(content), tag=tag)
            delivery_id = self.link.unsettled.get(tag)
            if delivery_id is not None:
                self._in_flight[tag] = message
            self.owner.note("c2d-sent", now, message_id=message.message_id, delivery_id=delivery_id)

    def settled(self, disposition: DispositionReceived, now: float) -> None:
        """The device's outcome of one message; what settles without one has accepted it."""
        state = disposition.state
        if not disposition.settled and (state is None or isinstance(state, Received)):
            return
        message = self._in_flight.pop(disposition.tag, None)
        if message is None:
            return
        if not disposition.settled:
            self.link.settle(disposition.tag, state)
        if isinstance(state, Released | Modified):
            self._put_back([message], "released", now)
        else:
            self.owner.note("c2d-acknowledged", now, message_id=message.message_id, state=_name(state))

    def lost(self, now: float) -> None:
        """What the device had not settled is to be sent again."""
        self._put_back(list(self._in_flight.values()), "link-lost", now)

    def _put_back(self, messages: list[C2dMessage], why: str, now: float) -> None:
        counted = [replace(message, deliveries=message.deliveries + 1) for message in messages]
        self.owner.device.session.put_back([one for one in counted if one.deliveries < MAX_DELIVERIES])
        for one in counted:
            kind = "c2d-returned" if one.deliveries < MAX_DELIVERIES else "c2d-dropped"
            self.owner.note(kind, now, message_id=one.message_id, why=why)


def _name(state: DeliveryState | None) -> str:
    return "rejected" if isinstance(state, Rejected) else "accepted"
