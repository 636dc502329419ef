"""A tiny hub in virtual time for emulated devices: no sockets, no clock; it knows CONNECT, tokens, QoS 1 and the cut at expiry."""

import functools
import heapq
import itertools
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from harness import sas
from harness.device.actions import Dial, Hangup, Write
from harness.device.devices import device_for
from harness.profile import Profile, bundled_folder, load_profile
from harness.protocol.mqtt.events import (
    ConnectReceived,
    DisconnectReceived,
    PubackReceived,
    PublishReceived,
    SubscribeReceived,
)
from harness.protocol.mqtt.packets import Connect
from harness.protocol.mqtt.server import ServerConnection

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
HOST = "contoso.azure-devices.net"
START = 1_764_000_000.25
LATENCY_S = 0.001


@functools.cache
def profile_of(sdk: str) -> Profile:
    """A bundled profile."""
    return load_profile(bundled_folder() / sdk).profile


def own_token(lifetime_s: float, *, now: float = START) -> str:
    """A token of the application's own."""
    return sas.make_token(f"{HOST}%2Fdevices%2Fd1", KEY, int(now + lifetime_s))


def open_command(*, token: str = "", **fields: object) -> dict[str, object]:
    """The command `open`, with the device's key or `token`, or with a certificate where `fields` have one."""
    credential = f"SharedAccessSignature={token}" if token else f"SharedAccessKey={KEY}"
    credential = "x509=true" if "cert_pem" in fields else credential
    text = f"HostName={HOST};GatewayHostName=127.64.0.1;DeviceId=d1;{credential}"
    return {"cmd": "open", "connection_string": text, **fields}


class World:
    """One emulated device and its hub.

    `wire`: what reached the hub, as (seconds since the start, text). `hangups`: how the device ended its transports. `told`: its events. `answer` may be replaced: from a
    CONNECT and its token's remaining seconds to a CONNACK code, or None for silence.
    """

    def __init__(
        self, profile: Profile, *, transport: str = "mqtt", grace_s: float = 5.0, random: Random | None = None
    ) -> None:
        self.now = START
        self.grace_s = grace_s
        self.acknowledges = self.grants = self.reachable = True
        self.answer: Callable[[Connect, float], int | None] = lambda _connect, left_s: 0 if left_s > 0 else 5
        self.device: Any = device_for(profile, transport, random=random or Random(1))  # one machine or the other
        self.wire: list[tuple[float, str]] = []
        self.hangups: list[str] = []
        self.told: list[dict[str, object]] = []
        self.connects: list[Connect] = []
        self.server: ServerConnection | None = None
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._settle()

    # What a test does

    def do(self, command: Mapping[str, object]) -> None:
        """Give the device a command now."""
        self.device.command(command, self.now)
        self._settle()

    def send(self, number: int) -> None:
        """Let the device send message `number` now."""
        self.do({"cmd": "send", "id": number})

    def send_each_second(self, first: int, last: int) -> None:
        """Schedule messages `first` to `last` at their seconds since the start."""
        for number in range(first, last + 1):
            self.at(START + number, lambda number=number: self.send(number))  # type: ignore[misc]

    def at(self, when: float, act: Callable[[], None]) -> None:
        """Schedule something."""
        heapq.heappush(self._due, (when, next(self._order), act))

    def run(self, seconds: float, *, limit: int = 100_000) -> None:
        """Let time pass until `seconds` since the start; fails where the device does not let it."""
        end = START + seconds
        for _ in range(limit):
            own = self.device.next_deadline()
            when = min(own if own is not None else end, self._due[0][0] if self._due else end, end)
            self.now = max(self.now, when)
            if self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            elif own is not None and own <= self.now:
                self.device.on_time(self.now)
            elif self.now >= end:
                return
            self._settle()
        raise AssertionError("time stands still: the device always has something to do")

    def cut(self, how: str = "fin") -> None:
        """The hub ends the connection now."""
        if self.server is not None:
            self.server = None
            self._log("cut")
            self.device.lost(how, self.now)
            self._settle()

    def hub(self, act: Callable[[ServerConnection], object]) -> None:
        """Let the hub do something on the present connection, now."""
        assert self.server is not None
        act(self.server)
        self.device.receive(self.server.data_to_send(), self.now)
        self._settle()

    # What a test asks

    def times(self, text: str) -> list[float]:
        """When `text` stood on the wire, in seconds since the start, to the tenth."""
        return [round(at, 1) for at, entry in self.wire if entry == text]

    def order(self) -> list[str]:
        """What stood on the wire."""
        return [entry for _, entry in self.wire]

    def events(self, *names: str) -> list[dict[str, object]]:
        """The device's events of these names."""
        return [event for event in self.told if event["event"] in names]

    def shown(self) -> list[str]:
        """What the application was shown, one text each, without the log and the completions."""
        quiet = {"hello", "sdk_log", "sent", "c2d", "method"}
        return [_text(event) for event in self.told if event["event"] not in quiet]

    # Both ends of the wire

    def _settle(self) -> None:
        self.told += self.device.events()
        for action in self.device.actions():
            match action:
                case Dial():
                    self.at(self.now + LATENCY_S, self._arrive if self.reachable else self._miss)
                case Write(data):
                    self._receive(data)
                case Hangup(how):
                    self.hangups.append(how)
                    self.server = None
                    self._due = [entry for entry in self._due if entry[2] not in (self._arrive, self._miss)]
                    heapq.heapify(self._due)
                    self.at(self.now + LATENCY_S, self._gone)
        self.told += self.device.events()

    def _arrive(self) -> None:
        self.server = ServerConnection(now=self.now)
        self.device.connected(self.now)

    def _miss(self) -> None:
        self.device.lost("refused", self.now)

    def _gone(self) -> None:
        self.device.lost("fin", self.now)

    def _receive(self, data: bytes) -> None:
        server = self.server
        if server is None:
            return
        server.receive(data, self.now)
        for event in server.events():
            self._handle(server, event)
        if reply := server.data_to_send():
            self.device.receive(reply, self.now)
            self._settle()

    def _handle(self, server: ServerConnection, event: object) -> None:
        match event:
            case ConnectReceived(packet):
                self._connect(server, packet)
            case PublishReceived(packet):
                self._log(f"PUBLISH {packet.topic}{' dup' if packet.dup else ''}")
                if self.acknowledges and packet.packet_id is not None:
                    server.acknowledge(packet.packet_id)
            case SubscribeReceived(packet):
                self._log("SUBSCRIBE " + " ".join(f"{name}:{qos}" for name, qos in packet.filters))
                if self.grants:
                    server.suback(packet.packet_id, tuple(qos for _, qos in packet.filters))
            case DisconnectReceived():
                self._log("DISCONNECT")
            case PubackReceived(packet_id):
                self._log(f"PUBACK {packet_id}")
            case _:
                self._log(type(event).__name__)

    def _connect(self, server: ServerConnection, packet: Connect) -> None:
        token = sas.parse((packet.password or b"").decode())
        assert token.verify(KEY)
        self.connects.append(packet)
        code = self.answer(packet, token.expiry - self.now)
        self._log("CONNECT" if not code else f"CONNECT refused {code}")
        if code:
            server.refuse(code, self.now)
        elif code == 0:
            server.accept(session_present=len(self.connects) > 1, keep_alive_timeout_s=None, now=self.now)
            self.at(token.expiry + self.grace_s, lambda: self.cut() if self.server is server else None)

    def _log(self, text: str) -> None:
        self.wire.append((self.now - START, text))


def _text(event: Mapping[str, object]) -> str:
    chain = event.get("error")
    classes = [str(link["class"]).rpartition(".")[2] for link in chain] if isinstance(chain, list) else []
    state = "/".join(str(event[name]) for name in ("status", "reason") if name in event)
    return ": ".join(filter(None, (str(event["event"]), state, " <- ".join(classes))))
