"""What the device may do on an accepted connection: telemetry, twin, methods, cloud-to-device messages.

The service knows the topics of `topics` and no others, and QoS 0 and 1. It has no way to refuse a single request, so whatever is not
allowed ends the connection (IoT Hub documentation, "Communicate with an IoT hub using the MQTT protocol"): a RemoteProtocolError
whose text is the reason. Answers to twin requests and direct methods go out with QoS 0, cloud-to-device messages with the QoS the device
subscribed with; without a subscription nothing is sent.
"""

from collections.abc import Mapping
from typing import Literal, Protocol, assert_never

from harness.errors import RemoteProtocolError
from harness.hub import topics
from harness.hub.device import Device
from harness.hub.fault_messages import OPERATION
from harness.protocol.mqtt.packets import Publish, Subscribe, Unsubscribe
from harness.protocol.mqtt.server import ServerConnection

__all__ = ["DeviceLink", "Mood", "QuotaError", "ThrottledError"]

_SHOWN = 120  # characters of a topic that are shown in a reason


Mood = Literal["", "silent", "throttling", "burdened"]


class ThrottledError(RemoteProtocolError):
    """A message came too fast; not the device's fault, but it ends the connection in the same way."""


class QuotaError(RemoteProtocolError):
    """A message is more than the hub may take today; the same."""


class Heeding(Protocol):
    """Whoever does what a test message asks for."""

    def heed(self, properties: Mapping[str, str | None], now: float) -> None:
        """A message came whose properties may ask for something."""


class DeviceLink:
    """The traffic of connection `number`, from `open` on. `owner`: the connection.

    `mood`: `silent`: nothing is acknowledged any more, for an acknowledgement that comes before that of an older message would break
    MQTT 3.1.1 section 4.6. `throttling`: the next telemetry message is one too many. `burdened`: so is each, while the device's burden lasts.
    """

    __slots__ = (
        "_api_version", "_device", "_emit", "_events", "_events_and_bag", "_number", "_owner", "_server", "_topics",
        "mood",
    )  # fmt: skip

    def __init__(
        self,
        device: Device,
        server: ServerConnection,
        number: int,
        owner: Heeding,
    ) -> None:
        self._device, self._server, self._number, self._owner = device, server, number, owner
        self._api_version: str | None = None
        self.mood: Mood = ""
        self._emit, self._topics = device.emit, device.topics
        self._events, self._events_and_bag = device.topics.events, device.topics.events + "/"

    def open(self, api_version: str | None, now: float) -> None:
        """Go on with the device's session: first what was in flight, then what waits.

        `api_version` is that of the user name; without one the service takes no twin patches.
        """
        self._api_version = api_version
        if self._device.burden is not None:
            self.mood = "burdened"
        if self._server.connected:
            for message, packet in self._device.session.resend():
                self._send_c2d(message.message_id, packet, now)
            self.deliver(now)

    def published(self, packet: Publish, now: float) -> None:
        """A PUBLISH of the device; telemetry in nearly all cases, so that comes first and does no more than it has to.

        Raises:
            RemoteProtocolError: QoS 2, a topic the service does not know, or (`ThrottledError`, `QuotaError`) one message too many.
        """
        topic = packet.topic
        if packet.qos > 1:
            raise RemoteProtocolError("PUBLISH with QoS 2")
        if topic.startswith(self._events_and_bag) or topic == self._events:
            if self._device.recording or self.mood:
                self._take_telemetry(packet, now)
            elif packet.packet_id is not None:
                self._server.acknowledge(packet.packet_id)
            if OPERATION in topic:  # few are; what it asks for is read only then
                self._owner.heed(self._properties(packet), now)
        else:
            self._request(packet, now)

    def acknowledged(self, packet_id: int, now: float) -> None:
        """A PUBACK of the device; one that nothing waits for is ignored."""
        message = self._device.session.acknowledge(packet_id)
        if message is not None:
            self._emit("c2d-acknowledged", now, conn=self._number, message_id=message.message_id)

    def subscribe(self, packet: Subscribe, now: float) -> None:
        """A SUBSCRIBE of the device.

        Raises:
            RemoteProtocolError: a filter the service does not know; it does not answer with a failure code.
        """
        for topic_filter, _ in packet.filters:
            if topic_filter not in self._topics.filters:
                raise RemoteProtocolError(f"SUBSCRIBE to {topic_filter[:_SHOWN]!r}")
        codes = tuple(self._device.session.subscribe(*wanted) for wanted in packet.filters)
        self._server.suback(packet.packet_id, codes)
        filters = [list(wanted) for wanted in packet.filters]
        self._emit("subscribe", now, conn=self._number, filters=filters, codes=list(codes))
        self.deliver(now)

    def unsubscribe(self, packet: Unsubscribe, now: float) -> None:
        """An UNSUBSCRIBE of the device; filters it never subscribed to are fine (MQTT 3.1.1 section 3.10.4)."""
        for topic_filter in packet.filters:
            self._device.session.unsubscribe(topic_filter)
        self._server.unsuback(packet.packet_id)
        self._emit("unsubscribe", now, conn=self._number, filters=list(packet.filters))

    def deliver(self, now: float) -> None:
        """Send the cloud-to-device messages and method calls that wait, if the device is there and subscribed to them."""
        if not self._server.connected:
            return
        session = self._device.session
        qos = session.granted(self._topics.c2d_filter)
        while qos is not None and (message := session.take()) is not None:
            topic = self._topics.c2d(message.message_id)
            packet = session.put_in_flight(message, topic) if qos else Publish(topic, message.body)
            self._send_c2d(message.message_id, packet, now)
        if session.granted(topics.METHOD_FILTER) is not None:
            for call in self._device.methods.send_waiting(now):
                self._server.publish(topics.method_topic(call.name, call.request_id), call.body)
                self._emit("method-sent", now, conn=self._number, request_id=call.request_id)

    def _take_telemetry(self, packet: Publish, now: float) -> None:
        if self.mood in ("throttling", "burdened"):
            self._refuse(now)
        if self._device.recording:
            self._record_telemetry(packet, now)
        else:
            self._acknowledge(packet, None, now)

    def _refuse(self, now: float) -> None:
        """Refuse a message, if it is still to be refused."""
        strain = self._device.burdened(now) if self.mood == "burdened" else "throttled"
        if strain == "quota":
            raise QuotaError("the quota of messages is used up")
        if strain is not None:
            raise ThrottledError("the device sends more than it may")
        self.mood = ""

    def _properties(self, packet: Publish) -> dict[str, str | None]:
        return topics.parse_bag(packet.topic[len(self._events_and_bag) :].removesuffix("/"))

    def _record_telemetry(self, packet: Publish, now: float) -> None:
        properties = self._properties(packet)
        message_id = properties.get(topics.MESSAGE_ID)
        self._emit(
            "telemetry",
            now,
            conn=self._number,
            message_id=message_id,
            packet_id=packet.packet_id,
            qos=packet.qos,
            dup=packet.dup,
            retain=packet.retain,
            size=len(packet.payload),
            properties=properties,
        )
        self._acknowledge(packet, message_id, now)

    def _acknowledge(self, packet: Publish, message_id: str | None, now: float) -> None:
        if (
            packet.packet_id is not None and self.mood != "silent" and self._server.connected
        ):  # no DISCONNECT in the same read
            self._server.acknowledge(packet.packet_id)
            self._emit("puback", now, conn=self._number, packet_id=packet.packet_id, message_id=message_id)

    def _request(self, packet: Publish, now: float) -> None:
        request = topics.parse_request(packet.topic)
        if request is None:
            raise RemoteProtocolError(f"PUBLISH to {packet.topic[:_SHOWN]!r}")
        self._acknowledge(packet, None, now)
        match request:
            case topics.TwinGet(rid):
                self._answer_twin("get", rid, 200, None, self._device.twin.document(), now)
            case topics.TwinPatch(rid):
                version = None if self._api_version is None else self._device.twin.patch(packet.payload)
                self._answer_twin("patch", rid, 400 if version is None else 204, version, b"", now)
            case topics.MethodAnswer(request_id, status):
                if self._device.methods.answered(request_id):
                    self._emit("method-answered", now, conn=self._number, request_id=request_id, status=status)
            case _:
                assert_never(request)

    def _answer_twin(self, operation: str, rid: str, status: int, version: int | None, body: bytes, now: float) -> None:
        if self._device.session.granted(topics.TWIN_ANSWER_FILTER) is not None:
            self._server.publish(topics.twin_answer_topic(status, rid, version), body)
        self._emit("twin", now, conn=self._number, operation=operation, request_id=rid, status=status)

    def _send_c2d(self, message_id: str, packet: Publish, now: float) -> None:
        self._server.publish(packet.topic, packet.payload, qos=packet.qos, packet_id=packet.packet_id, dup=packet.dup)
        self._emit(
            "c2d-sent",
            now,
            conn=self._number,
            message_id=message_id,
            packet_id=packet.packet_id,
            dup=packet.dup,
        )
