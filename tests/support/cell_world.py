"""A whole cell in virtual time: a bundled scenario with its registration, credential, traffic, faults and outages, and its log as bytes.

What sockets and the kernel do in a run is done here by hand: a held connection reaches nobody, a door that is shut refuses or swallows.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import msgspec
from support.device_hub import HubWorld
from support.device_world import HOST, START

from harness.device.actions import Dial, Hangup, Write
from harness.events import Recorder
from harness.hub.base import HubConnection
from harness.hub.faults import Fault
from harness.hub.outage import Outage
from harness.hub.policy import Policy
from harness.plan import Cell
from harness.run.certificates import DeviceAuthorities
from harness.run.keys import Keys, identity_of
from harness.run.opening import Way, make_own_token, open_command
from harness.run.supply import Supplier

WAY = Way(HOST, "127.64.0.1", 8883, gateway=True)
AUTHORITIES = DeviceAuthorities()
LOOK_S = 0.25  # for a token that is to be supplied


class CellWorld(HubWorld):
    """The cell's device, told to open at the start, and its hub.

    `log`: every event of hub and application, as a run would write it, and the bytes that went to and fro.
    """

    def __init__(self, cell: Cell, until_s: float) -> None:
        scenario = cell.scenario
        self.log: list[bytes] = []
        self.recorder = Recorder(self.log.append, started=START)
        self.recorder.listen(lambda event: self._supplier.observe(event, self.now))
        self._cell, self._keys = cell, keys_of(cell)
        self._supplier = Supplier(scenario.supply, scenario.token_lifetime_s or 0.0)
        self._stranded: list[HubConnection] = []
        self._outage: Outage | None = None
        self._recorded = 0  # of what the application was told
        credential = AUTHORITIES.credential(cell)
        registration = None if credential is None else credential.registration
        policy = Policy(
            grace_s=scenario.hub.grace_s, skew_s=scenario.hub.skew, close=scenario.hub.close,
            clock_shift_s=-scenario.device.clock_ahead_s,
            faults=tuple(Fault(**msgspec.structs.asdict(one)) for one in scenario.faults),
        )  # fmt: skip
        super().__init__(
            cell.profile.profile, cell.transport, policy=policy, random=Random(7),
            identity=identity_of(cell.id, scenario.device, self._keys, HOST, registration),
            certificate=None if credential is None else credential.certificate.facts,
        )  # fmt: skip
        mine = None if credential is None else credential.certificate
        self._receive_of_device, self.device.receive = self.device.receive, self._to_device
        command, _ = open_command(cell, WAY, self._keys, "PEM", START, mine)
        self.do({name: value for name, value in command.items() if name != "ca_pem"})
        self._supplier.issued(START)
        self._plan_traffic(until_s)

    def _emit(self, kind: str, now: float, /, **fields: object) -> None:
        super()._emit(kind, now, **fields)
        self.recorder.record("hub", kind, now, fields)

    # The application and the cloud

    def _plan_traffic(self, until_s: float) -> None:
        scenario, every = self._cell.scenario, self._cell.scenario.intervals
        if "sending" in scenario.traffic:
            self._repeat(every.send_s, until_s, self.send)
        if "listening" in scenario.traffic:
            self._repeat(every.c2d_s, until_s, lambda number: self.send_c2d(f"c2d-{number}"))
            if self._cell.transport != "https":
                self._repeat(every.method_s, until_s, lambda number: self.call_method(str(number)))
        if scenario.supply is not None:
            self._repeat(LOOK_S, until_s, lambda _: self._supply())

    def _repeat(self, every_s: float, until_s: float, act: Callable[[int], None]) -> None:
        for number in range(1, int(until_s / every_s)):
            self.at(START + number * every_s, lambda number=number: act(number))  # type: ignore[misc]

    def _supply(self) -> None:
        if self._supplier.take(self.now) is not None:
            token, _ = make_own_token(self._cell, WAY, self._keys, self.now)
            self.do({"cmd": "token", "sas": token})
            self._supplier.issued(self.now)

    # The network

    def _clocks(self) -> Iterator[Any]:
        yield from super()._clocks()
        yield from (one for one in self._stranded if one is not self.connection)

    def _settle(self) -> None:
        super()._settle()
        for event in self.told[self._recorded :]:
            self.recorder.record("app", str(event["event"]), self.now, event)
        self._recorded = len(self.told)
        if (outage := self.the_hub.take_outage()) is not None:
            self._begin(outage)

    def _begin(self, outage: Outage) -> None:
        if self._outage is not None and self._outage.how == "half-open":
            self._end()
        if self._outage is None:
            self._outage = outage
            self.reachable = outage.how not in {"restart", "rst"}
            self.at(self.now + outage.seconds, lambda: self._end() if self._outage is outage else None)
            close = {"restart": "fin", "rst": "rst"}.get(outage.how, outage.close)
            if self.connection is not None and close is not None:
                self.cut(close)
            elif self.connection is not None:
                self._stranded.append(self.connection)

    def _end(self) -> None:
        self._outage, self.reachable = None, True
        held, self._stranded = self._stranded, []
        for connection in held:
            if connection is self.connection:
                self.cut("rst")
            else:
                connection.transport_closed("hub", "rst", self.now)

    def _carry_out(self, action: Dial | Write | Hangup) -> None:
        match action:
            case Write(data):
                self.log.append(data)
                if self.connection not in self._stranded:
                    super()._carry_out(action)
            case Hangup() if self.connection in self._stranded:
                self.connection = None
                super()._carry_out(action)
            case _:
                super()._carry_out(action)

    def _to_device(self, data: bytes, now: float) -> None:
        self.log.append(data)
        self._receive_of_device(data, now)

    def _arrive(self) -> None:
        if self._outage is not None and self._outage.how == "blackhole":  # its SYN is sent again
            self.at(self.now + 1.0, self._arrive)
        else:
            super()._arrive()

    def _hub_speaks(self) -> bool:
        if self.connection is not None and self.connection in self._stranded:
            self.connection.data_to_send()
            return False
        return super()._hub_speaks()


def keys_of(cell: Cell) -> Keys:
    """Always the same for the same cell."""
    drawn = Keys.draw(cell.scenario.device)
    own = _key(f"{cell.id} device")
    hub = own if drawn.hub == drawn.device else _key(f"{cell.id} hub")
    return Keys(own, hub, {name: _key(f"{cell.id} {name}") for name in drawn.policies})


def _key(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
