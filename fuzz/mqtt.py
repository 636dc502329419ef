"""Targets of MQTT: packets, and connections of both roles, with the transcripts that the opposite role makes."""

from random import Random
from typing import Final

from fuzz.mutation import Mutator, Seed, fragments
from fuzz.target import Outcome, Target, require, weight
from harness.errors import RemoteProtocolError
from harness.protocol.mqtt.client import ClientConnection
from harness.protocol.mqtt.codec import Decoder, encode
from harness.protocol.mqtt.events import (
    ConnectReceived,
    ProtocolViolation,
    PublishReceived,
    SubscribeReceived,
    Timeout,
    UnsubscribeReceived,
)
from harness.protocol.mqtt.packets import (
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
)
from harness.protocol.mqtt.server import ServerConnection
from harness.protocol.mqtt.state import State
from harness.protocol.mqtt.wire import CONTINUES, pack_remaining_length

_NOW: Final = 1_000.0
_LIMIT: Final = 2_000
"""Largest packet: little, so that some are too large."""
_PASSWORD: Final = b"SharedAccessSignature sr=h%2Fdevices%2Fd&sig=c2ln&se=2000000000"
_CONNECTS: Final = (
    Connect("d", 60, clean_session=False, username="h/d/?api-version=2021-04-12", password=_PASSWORD),
    Connect("d", 0, True, "u", b"\0\1\2", Will("devices/d/messages/events/", b"gone", 1, retain=True)),
    Connect("", 10),
)
_UP: Final[tuple[Packet, ...]] = (
    Publish("devices/d/messages/events/%24.mid=1&k=%C3%A9", b"x" * 40, 1, 1),
    Publish("devices/d/messages/events/", b"", 1, 2, dup=True),
    Publish("$iothub/twin/GET/?$rid=1", b""),
    Publish("$iothub/methods/res/200/?$rid=2", b'{"a":1}', retain=True),
    Publish("\u00e9/\U0001f600", b"\xff\0", 2, 65_535),
    Puback(1),
    Puback(65_535),
    Subscribe(3, (("devices/d/messages/devicebound/#", 1), ("$iothub/methods/POST/#", 0), ("+/a/+", 2))),
    Subscribe(4, (("#", 1),)),
    Unsubscribe(5, ("devices/d/messages/devicebound/#", "/")),
    Pingreq(),
)
_DOWN: Final[tuple[Packet, ...]] = (
    Publish("devices/d/messages/devicebound/%24.to=%2Fdevices", b"hello", 1, 7),
    Publish("$iothub/twin/res/200/?$rid=1", b'{"desired":{}}'),
    Puback(1),
    Puback(2),
    Suback(3, (1, 0, 0x80)),
    Suback(4, (2,)),
    Unsuback(5),
    Pingresp(),
)
_WORDS: Final = (
    *(b"\0\0", b"\0\1", b"\xff\xff", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\x80\x80", b"\0\4MQTT\4", b"\xc0\x80"),
    *(b"#", b"+", b"/", b"\xed\xa0\x80", b"\xf0\x9f", b"\xc0\0", b"\xe0\0", b"\x30\0", b"\x62\2\0\1", b"\x10"),
)


def packets() -> Target:
    """Any packet, of either role."""
    everything = (*_CONNECTS, *_UP, *_DOWN, Connack(0, session_present=True), Connack(5), Disconnect())
    seeds: list[Seed] = [(encode(packet),) for packet in everything]
    seeds += [tuple(encode(packet) for packet in everything[at : at + 3]) for at in range(len(everything) - 2)]
    return Target(
        "mqtt-packets",
        "MQTT bytes -> packets; RemoteProtocolError",
        "packets",
        Mutator(seeds, words=_WORDS, repair=_repair),
        _read_packets,
    )


def server() -> Target:
    """The hub's side."""
    streams = (_transcript(connect) for connect in _CONNECTS)
    mutator = Mutator([stream for pair in streams for stream in pair], words=_WORDS, repair=_repair, lead=1)
    return Target("mqtt-server", "what a client sends -> ServerConnection; events", "events", mutator, _read_server)


def client() -> Target:
    """A device's side."""
    answers = tuple(map(encode, _DOWN))
    seeds: list[Seed] = [(encode(Connack(0, present)), *answers) for present in (False, True)]
    seeds += [(encode(Connack(0)), answer) for answer in answers] + [(encode(Connack(code)),) for code in range(1, 6)]
    mutator = Mutator(seeds, words=_WORDS, repair=_repair, lead=1)
    return Target("mqtt-client", "what a server sends -> ClientConnection; events", "events", mutator, _read_client)


def _transcript(connect: Connect) -> tuple[Seed, Seed]:
    """What our own client says on a connection, from CONNECT to DISCONNECT; and the beginning of it."""
    machine = ClientConnection()
    machine.connect(connect, _NOW)
    chunks = [machine.data_to_send()]
    machine.receive(encode(Connack(0)), _NOW)
    machine.publish("devices/d/messages/events/", b"x" * 40, qos=1, now=_NOW)
    chunks.append(machine.data_to_send())
    machine.subscribe((("devices/d/messages/devicebound/#", 1), ("+/a", 0)), now=_NOW)
    chunks.append(machine.data_to_send())
    chunks += [encode(packet) for packet in _UP if not isinstance(packet, Publish) or packet.qos <= 1]
    machine.disconnect()
    chunks.append(machine.data_to_send())
    return tuple(chunks), tuple(chunks[:3])


def _repair(chunk: bytes) -> bytes:
    """The packet with the remaining length that it has."""
    at = 1
    while at < len(chunk) and at < 4 and chunk[at] >= CONTINUES:  # noqa: PLR2004 - a length has four bytes
        at += 1
    body = chunk[at + 1 :]
    return chunk[:1] + pack_remaining_length(len(body)) + body


def _read_packets(chunks: list[bytes], random: Random) -> Outcome:
    decoder, found, refusal = Decoder(_LIMIT), list[Packet](), None
    try:
        for part in fragments(chunks, random):
            decoder.append(part)
            while (packet := decoder.next_packet()) is not None:
                found.append(packet)
    except RemoteProtocolError as error:
        refusal = str(error)
    require(sum(map(weight, found)) <= 16 + 8 * sum(map(len, chunks)), "the packets hold more than the bytes can")
    for packet in found:
        again = Decoder().feed(encode(packet))
        require(again == [packet], "what was decoded is encoded as something else")
    return Outcome(refusal, len(found))


def _read_server(chunks: list[bytes], random: Random) -> Outcome:
    machine = ServerConnection(now=_NOW, max_packet_size=_LIMIT)
    return _drive(machine, chunks, random)


def _read_client(chunks: list[bytes], random: Random) -> Outcome:
    machine = ClientConnection(max_packet_size=_LIMIT)
    machine.connect(_CONNECTS[0], _NOW)
    return _drive(machine, chunks, random)


def _drive(machine: ServerConnection | ClientConnection, chunks: list[bytes], random: Random) -> Outcome:
    """The input arrives in parts; the owner answers everything; time goes on."""
    draw, now, sent, count = random.random, _NOW, 0, 0
    refusal: str | None = None
    for part in fragments(chunks, random):
        machine.receive(part, now)
        while events := machine.events():
            for event in events:
                require(refusal is None, "something follows a violation")
                count += 1
                if isinstance(event, ProtocolViolation):
                    refusal = event.reason
                elif isinstance(event, Timeout):
                    refusal = f"timeout: {event.which}"
                else:
                    _answer(machine, event, now, draw())
        now += draw() * 20
        machine.on_time(now)
        sent += len(machine.data_to_send())
        deadline = machine.next_deadline()
        require(deadline is None or deadline > now, "a deadline has passed and nothing happened")
    size, sent = sum(map(len, chunks)), sent + len(machine.data_to_send())
    require(count <= 2 + size, "more events than bytes")
    require(sent <= 1_000 + 64 * size, "far more is answered than was asked")
    machine.close()
    machine.receive(b"".join(chunks), now)
    require(machine.state is State.CLOSED and not machine.data_to_send(), "a closed machine speaks")
    return Outcome(refusal, count)


def _answer(machine: ServerConnection | ClientConnection, event: object, now: float, chance: float) -> None:
    """As a hub or a device would; sometimes it does nothing, or the opposite."""
    if isinstance(machine, ClientConnection):
        if isinstance(event, PublishReceived) and event.packet.packet_id is not None:
            machine.acknowledge(event.packet.packet_id, now=now)
        elif machine.state is State.CONNECTED:
            machine.publish("devices/d/messages/events/", b"x", qos=int(chance * 2), now=now)
    elif isinstance(event, ConnectReceived):
        _answer_connect(machine, event.packet.keep_alive, now, chance)
    elif isinstance(event, PublishReceived):
        if event.packet.packet_id is not None:
            machine.acknowledge(event.packet.packet_id)
    elif isinstance(event, SubscribeReceived):
        machine.suback(event.packet.packet_id, tuple(qos for _, qos in event.packet.filters))
        machine.publish("devices/d/messages/devicebound/", b"x", qos=1)
    elif isinstance(event, UnsubscribeReceived):
        machine.unsuback(event.packet.packet_id)


def _answer_connect(machine: ServerConnection, keep_alive: int, now: float, chance: float) -> None:
    if chance < 0.02:  # noqa: PLR2004 - one in fifty
        machine.refuse(5, now)
    elif chance < 0.95:  # noqa: PLR2004 - the rest are never answered
        machine.accept(session_present=chance < 0.5, keep_alive_timeout_s=1.5 * keep_alive or None, now=now)  # noqa: PLR2004
