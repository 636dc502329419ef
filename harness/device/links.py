"""Which link an emulated device has over a transport."""

from random import Random

from harness.device.amqp_link import AmqpLink
from harness.device.link import Link
from harness.device.mqtt_link import MqttLink
from harness.emulation import Emulation

__all__ = ["link_for"]


def link_for(emulation: Emulation, transport: str, random: Random) -> Link:
    """A link over `transport`; `random` names what has to be unique."""
    farewell = emulation.farewell.over(transport)
    if transport.startswith("amqp") and emulation.amqp is not None:
        return AmqpLink(emulation, emulation.amqp, farewell, random)
    return MqttLink(emulation, farewell)
