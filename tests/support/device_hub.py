"""An emulated device and the real `Hub`, in virtual time: what `device_world` is for MQTT alone, over any transport."""

import dataclasses
import heapq
import math
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from support.device_world import HOST, KEY, LATENCY_S, START, World

from harness.device.actions import Dial, Hangup, Write
from harness.hub.base import HubConnection
from harness.hub.certificates import Certificate
from harness.hub.hub import Hub
from harness.hub.identity import Identity
from harness.hub.policy import Policy
from harness.profile import Profile

PEER = "203.0.113.7:50123"
POLICY = Policy(grace_s=5.0, skew_s=0.0)
_FAR_AHEAD_S = 1e6


class HubWorld(World):
    """One emulated device and its hub.

    `said`: what the hub said, as (seconds since the start, kind, fields). `deaf`: what the device says is lost; `mute`: what the hub says
    is held back. `identity`: how the hub knows the device; `certificate`: what TLS proves for it.
    """

    def __init__(
        self,
        profile: Profile,
        transport: str = "amqp",
        *,
        policy: Policy = POLICY,
        random: Random | None = None,
        identity: Identity | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        self.said: list[tuple[float, str, dict[str, Any]]] = []
        self.deaf = self.mute = False
        self._held = b""
        self.connection: HubConnection | None = None
        self._transport, self._certificate = transport, certificate
        known = identity or Identity(HOST, "d1", KEY, KEY)
        self.the_hub = Hub(known, policy, emit=self._emit, names=frozenset({"127.64.0.1"}))
        super().__init__(profile, transport=transport, random=random)

    def _emit(self, kind: str, now: float, /, **fields: object) -> None:
        self.said.append((round(now - START, 2), kind, fields))

    # What a test does

    def run(self, seconds: float, *, limit: int = 100_000) -> None:
        """Let time pass until `seconds` since the start; fails where anybody does not let it."""
        end = START + seconds
        for _ in range(limit):
            due = self._deadlines()
            self.now = max(self.now, min(end, self.next_due()))
            if self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            elif late := [clock for clock, when in due if when <= self.now]:
                late[0].on_time(self.now)
            elif self.now >= end:
                return
            self._settle()
        raise AssertionError("time stands still: somebody always has something to do")

    def next_due(self) -> float:
        """When anybody has something to do next, in seconds since the Unix epoch; infinity where nobody has."""
        planned = [self._due[0][0]] if self._due else []
        return min((*planned, *(when for _, when in self._deadlines())), default=math.inf)

    def _clocks(self) -> Iterator[Any]:
        """All that keeps time."""
        yield from (self.device, self.the_hub)
        if self.connection is not None:
            yield self.connection

    def _deadlines(self) -> list[tuple[Any, float]]:
        return [(clock, when) for clock in self._clocks() if (when := clock.next_deadline()) is not None]

    def cut(self, how: str = "fin") -> None:
        """The network ends the connection now."""
        if (connection := self.connection) is not None:
            self.connection = None
            connection.transport_closed("hub", how, self.now)
            self.device.lost(how, self.now)
            self._settle()

    def refuse(self, *, always: bool = True) -> None:
        """Every token counts as expired from now on, or no longer."""
        device = self.the_hub._device
        shift = _FAR_AHEAD_S if always else 0.0
        device.gate = dataclasses.replace(device.gate, policy=dataclasses.replace(device.policy, clock_shift_s=shift))

    def stop_hub(self) -> None:
        """The hub stops: it closes with another error than that of a token."""
        self.the_hub.stop(self.now)
        self._settle()

    def send_c2d(self, message_id: str) -> None:
        """A cloud-to-device message."""
        self.the_hub.send_c2d(message_id, b"hello", self.now)
        self._settle()

    def call_method(self, request_id: str) -> None:
        """A direct method."""
        self.the_hub.call_method(request_id, "probe", b"{}", self.now, connect_timeout_s=5.0, response_timeout_s=5.0)
        self._settle()

    # What a test asks

    def moments(self, said: str, **fields: object) -> list[float]:
        """When the hub said this, to the tenth of a second."""
        return [round(at, 1) for at, kind, told in self.said if kind == said and fields.items() <= told.items()]

    def find(self, kind: str) -> list[dict[str, Any]]:
        """The fields of what the hub said of a kind."""
        return [fields for _, other, fields in self.said if other == kind]

    # Both ends of the wire

    def _settle(self) -> None:
        """Carry everything to and fro until both sides are quiet."""
        busy = True
        while busy:
            self.told += self.device.events()
            actions = self.device.actions()
            for action in actions:
                self._carry_out(action)
            busy = self._hub_speaks() or bool(actions)
        self.told += self.device.events()

    def _carry_out(self, action: Dial | Write | Hangup) -> None:
        match action:
            case Dial():
                self.at(self.now + LATENCY_S, self._arrive if self.reachable else self._miss)
            case Write(data):
                if self.connection is not None and not self.deaf:
                    self.connection.receive(data, self.now)
            case Hangup(how):
                self.hangups.append(how)
                self._due = [entry for entry in self._due if entry[2] not in (self._arrive, self._miss)]
                heapq.heapify(self._due)
                if self.connection is not None:
                    self.connection.transport_closed("device", how, self.now)
                    self.connection = None
                self.at(self.now + LATENCY_S, self._gone)

    def _arrive(self) -> None:
        connection = self.the_hub.open(
            "websocket" if self._transport.endswith("-ws") else self._transport, PEER, self.now, lambda: None
        )
        if self._certificate is not None:
            connection.proven(self._certificate)
        if self._transport.endswith("-ws"):
            protocol = "AMQPWSB10" if self._transport == "amqp-ws" else "mqtt"
            connection = connection.upgraded(protocol, "/$iothub/websocket", self.now)
        self.connection, self._held = connection, b""
        self.device.connected(self.now)

    def _hub_speaks(self) -> bool:
        connection = self.connection
        if connection is None:
            return False
        self._held += connection.data_to_send()
        data = b"" if self.mute else self._held
        if data:
            self._held = b""
            self.device.receive(data, self.now)
        if connection.close_request is not None and connection is self.connection:
            self.connection = None
            connection.transport_closed("hub", connection.close_request, self.now)
            how = connection.close_request
            self._after(lambda: self.device.lost(how, self.now))
            return True
        return bool(data)

    def _after(self, act: Callable[[], None]) -> None:
        self.at(self.now + LATENCY_S, act)
