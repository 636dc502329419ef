"""Nobody's misfortune, and no input, disturbs another identity: one process, one clock, every event in its turn.

Beside devices that nothing is done to, every bundled scenario is played over every transport that it is about, and hostile bytes come in at other
doors. What an untouched device and its hub say and send, to the last byte, is what they say and send alone.
"""

import heapq
import itertools
from collections.abc import Iterator, Sequence
from functools import cache
from random import Random
from typing import Any, Protocol

import pytest
from support.cell_world import CellWorld
from support.device_hub import PEER
from support.device_world import HOST, KEY, START

from fuzz.mutation import fragments
from fuzz.targets import target
from harness.documents import TRANSPORTS
from harness.hub.device import Device
from harness.hub.hub import Hub
from harness.hub.identity import Identity
from harness.hub.policy import Policy
from harness.plan import Cell, Request, make_plan
from harness.profile import bundled_folder, load_profile
from harness.scenario import find_scenarios

pytestmark = pytest.mark.slow(seconds=60)

UNTOUCHED = [
    ("python", "mqtt"), ("java", "mqtt-ws"), ("node", "amqp"), ("dotnet", "amqp-ws"), ("c", "https"),
]  # fmt: skip
FULL_S, SHORT_S = 45.0, 26.0
SCENARIOS = find_scenarios()
PLAYER = "java"  # which speaks over all of them
HOSTILE = {"mqtt": "mqtt-server", "amqp": "amqp-server", "mqtt-ws": "mqtt-server", "amqp-ws": "amqp-server", "https": "https-server"}  # fmt: skip
INPUTS_A_SECOND = 10


class Neighbour(Protocol):
    """Somebody on the clock that all share."""

    def next_due(self) -> float:
        """When it has something to do next, in seconds since the Unix epoch."""
        ...

    def run(self, seconds: float, /) -> None:
        """Do all that is due until so many seconds since the start."""
        ...


class Attacker:
    """Connects to a hub of its own by one transport, again and again, and sends what the fuzzer makes."""

    def __init__(self, transport: str) -> None:
        self.said = 0
        self._transport, self._random = transport, Random(transport)
        self._hub = Hub(Identity(HOST, f"attacked-{transport}", KEY, KEY), Policy(), emit=self._emit)
        self._due = START

    def next_due(self) -> float:
        """The next input."""
        return self._due

    def run(self, seconds: float) -> None:
        """Send the inputs that are due."""
        while self._due <= START + seconds:
            self._attack(self._due)
            self._due += 1 / INPUTS_A_SECOND

    def _attack(self, now: float) -> None:
        protocol = self._transport.removesuffix("-ws")
        connection = self._hub.open("websocket" if protocol != self._transport else protocol, PEER, now, lambda: None)
        if protocol != self._transport:
            name = "mqtt" if protocol == "mqtt" else "AMQPWSB10"
            connection = connection.upgraded(name, "/$iothub/websocket", now)
        for part in fragments(target(HOSTILE[self._transport]).mutator.make(self._random), self._random):
            connection.receive(part, now)
            connection.data_to_send()
        connection.on_time(now)
        connection.transport_closed("device", "rst", now)

    def _emit(self, _kind: str, _now: float, /, **_: object) -> None:
        self.said += 1


def cells(sdk: str, transports: Sequence[str], scenarios: Sequence[str]) -> list[Cell]:
    """The cells of an emulated device."""
    wanted = [SCENARIOS[name] for name in scenarios]
    request = Request(transports=transports, device="emulated")
    profile = load_profile(bundled_folder() / sdk)
    return [cell for cell in make_plan([profile], wanted, request, lambda _: "") if not cell.why_not]


def untouched(sdk: str, transport: str) -> Cell:
    """The cell of a device that renews and does all that there is to do."""
    return cells(sdk, [transport], ["https-renewal" if transport == "https" else "renewal"])[0]


def every_cell() -> Iterator[Cell]:
    """One of each scenario over each transport that it is about."""
    for transport in TRANSPORTS:
        names = [name for name, one in SCENARIOS.items() if transport in one.is_about]
        seen: set[str] = set()
        for cell in cells(PLAYER, [transport], names):
            if cell.scenario.id not in seen:
                seen.add(cell.scenario.id)
                yield cell


def side_by_side(everybody: Sequence[Neighbour], until_s: float) -> None:
    """Let time pass for all of them, each event in its turn."""
    turns = [(one.next_due(), index) for index, one in enumerate(everybody)]
    heapq.heapify(turns)
    while turns and turns[0][0] <= START + until_s:
        now, index = heapq.heappop(turns)
        everybody[index].run(now - START)
        heapq.heappush(turns, (everybody[index].next_due(), index))
    for one in everybody:
        one.run(until_s)


Log = tuple[bytes, ...]


@cache
def alone(sdk: str, transport: str, until_s: float) -> Log:
    """What an untouched device and its hub say and send with nobody beside them."""
    world = CellWorld(untouched(sdk, transport), until_s)
    world.run(until_s)
    return tuple(world.log)


def differences(crowd: Sequence[Neighbour], until_s: float, who: Sequence[tuple[str, str]]) -> list[str]:
    """Where the logs of untouched devices begin to differ if there is a crowd beside them."""
    expected = [alone(*one, until_s) for one in who]
    worlds = [CellWorld(untouched(*one), until_s) for one in who]
    side_by_side([*crowd, *worlds], until_s)
    return [text for one, world in zip(expected, worlds, strict=True) if (text := difference(one, tuple(world.log)))]


def difference(expected: Log, found: Log) -> str:
    """The first of it, in brief; empty where there is none."""
    pairs = itertools.zip_longest(expected, found)
    return next((f"{one!r:.300} became {other!r:.300}" for one, other in pairs if one != other), "")


def test_nothing_disturbs_an_untouched_device() -> None:
    """Every scenario over every transport at once, and hostile bytes: refusals, faults, outages, takeovers, changed identities."""
    worlds = [CellWorld(cell, FULL_S) for cell in every_cell()]
    attackers = [Attacker(transport) for transport in HOSTILE]
    assert differences([*worlds, *attackers], FULL_S, UNTOUCHED) == []
    played = {world._cell.scenario.id for world in worlds}
    assert played == set(SCENARIOS)
    assert all(attacker.said > INPUTS_A_SECOND * FULL_S for attacker in attackers)


FEW = ["device-deleted", "takeover", "throttled", "network-drop-half-open", "expiry"]
BESIDE = [("python", "mqtt"), ("node", "amqp")]


def few() -> list[CellWorld]:
    """A crowd that is enough to show what is planted."""
    return [CellWorld(cell, SHORT_S) for transport in ("mqtt", "amqp") for cell in cells(PLAYER, [transport], FEW)]


def test_a_few_do_not_disturb() -> None:
    """What the tests below hold against the same with a planted fault."""
    assert differences(few(), SHORT_S, BESIDE) == []


@pytest.mark.parametrize("shared", ["session", "methods", "faults", "connections", "gate", "_occupant"])
def test_cross_talk_is_found(monkeypatch: pytest.MonkeyPatch, shared: str) -> None:
    """Any part of what a hub remembers about its device, were it shared by all hubs."""
    for one in BESIDE:
        alone(*one, SHORT_S)  # as it is without the planted fault
    share(monkeypatch, shared)
    try:
        found = differences(few(), SHORT_S, BESIDE)
    except Exception:  # noqa: BLE001 - that is a way to find it, too
        return
    assert found


def share(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let all devices have one and the same attribute `name`: that of the first one that is made, and whatever it becomes."""
    common: list[Any] = []

    def put(self: Device, value: Any) -> None:
        if not common:
            common[:] = [value, self]
        elif name not in self.__dict__:  # it is being made
            self.__dict__[name] = None
        else:
            common[0] = value

    monkeypatch.setattr(Device, name, property(lambda _self: common[0], put), raising=False)
