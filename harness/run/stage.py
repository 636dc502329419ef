"""Sets the stage for a cell: its address, its hub behind real listeners, the way there, and the device under test."""

import asyncio
import random
import traceback
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import Any

import msgspec

from harness.clock import Clock
from harness.device.adapter import AdapterProcess, variables_of
from harness.device.devices import device_for
from harness.device.driver import DeviceCallbacks, DeviceDriver
from harness.device.faketime import shifted_clock
from harness.errors import AdapterError, EnvironmentProblem
from harness.events import Recorder
from harness.hub.faults import Fault
from harness.hub.hub import Hub
from harness.hub.policy import Policy
from harness.net.addresses import DOORS, PORTS, AddressPool, Reservation
from harness.net.certificates import Authority, make_authority
from harness.net.connect_proxy import ConnectProxy
from harness.net.device_certificates import DeviceCertificate
from harness.net.dial import DevicePump
from harness.net.doors import CAN_SHUT
from harness.net.endpoint import HubCore
from harness.net.hosts_file import hosts_file_of
from harness.net.lag import LagMonitor
from harness.net.listeners import CellServer
from harness.net.temporary_files import temporary_file
from harness.plan import Cell
from harness.run.certificates import DeviceAuthorities
from harness.run.keys import Keys, identity_of
from harness.run.opening import Way

__all__ = ["HUB_NAME", "Stage", "Staging", "open_staging", "recording"]

_OURS = frozenset({"t", "seq", "src", "kind"})  # names of the log's envelope
_LAG_WORTH_TELLING_MS = 0.1
HUB_NAME = "harness-hub.azure-devices.net"
_RUNNING: ContextVar[Recorder | None] = ContextVar("the log of the cell whose code is running", default=None)
"""asyncio hands it on to all that a cell's code schedules: timers, tasks, and the callbacks of its sockets, those that it accepts included."""


class Stage:
    """Everything around one cell's device. `start` opens the hub's doors; until then nothing is recorded."""

    def __init__(
        self, cell: Cell, keys: Keys, recorder: Recorder, shared: "Staging", way: Way, reservation: Reservation
    ) -> None:
        self._cell, self._recorder, self._shared, self._reservation = cell, recorder, shared, reservation
        self._credential = shared.device_authorities.credential(cell)
        certificates = None if self._credential is None else self._credential.registration
        self.way = way
        self.ca_pem = shared.authority.ca_pem
        hub = cell.scenario.hub
        self.hub = _Cloud(
            Hub(
                identity_of(cell.id, cell.scenario.device, keys, HUB_NAME, certificates),
                Policy(
                    grace_s=hub.grace_s,
                    skew_s=hub.skew,
                    close=hub.close,
                    clock_shift_s=cell.scenario.device.hub_ahead_s,
                    faults=_faults(cell),
                ),
                emit=recorder.source("hub"),
                learn_secret=recorder.redactor.add,
                names=frozenset({way.host, way.address}),
            )
        )
        self.hub_described: dict[str, object] = {
            "name": HUB_NAME, "device_id": cell.id, "grace_s": hub.grace_s, "skew_s": hub.skew, "close": hub.close,
        }  # fmt: skip

    async def start(self, before: Callable[[HubCore], HubCore] = lambda hub: hub) -> None:
        """Let devices in, to the hub or to what is put `before` it."""
        self.hub.server = await CellServer.start(
            before(self.hub.hub),
            self._shared.authority.asking_for(self._shared.device_authorities.client_trust(self._credential)),
            self._reservation,
            self._shared.clock,
            names=[HUB_NAME],
            emit=self._recorder.source("hub"),
        )

    @property
    def certificate(self) -> DeviceCertificate | None:
        """What the device presents, if it is known by a certificate."""
        return None if self._credential is None else self._credential.certificate

    async def stop(self) -> None:
        """Close the doors and give the address back."""
        if self.hub.server is not None:
            await self.hub.server.stop()
        self._reservation.release()

    def device(self, on_failure: Callable[[AdapterError], None]) -> DeviceDriver:
        """The device under test, reporting to the cell's log; `on_failure` is told if it can be used no further.

        Raises:
            EnvironmentProblem: its clock is to be off, and this machine has nothing that shifts it.
        """
        profile, clock, ahead_s = self._cell.profile, self._shared.clock, self._cell.scenario.device.process_ahead_s
        if self._cell.device == "real":
            assert profile.profile.adapter is not None
            adapter, way = profile.profile.adapter, self.way
            variables = variables_of(adapter, profile.folder, way.ca_file) | shifted_clock(ahead_s)
            callbacks = recording(self._recorder, on_failure)
            return AdapterProcess(
                adapter, profile.folder, callbacks, clock, hosts_file=way.hosts_file, environment=variables
            )
        chance = random.Random(self._shared.seed ^ zlib.crc32(self._cell.id.encode()))
        device = device_for(profile.profile, self._cell.transport, random=chance)
        callbacks = recording(self._recorder, on_failure, ahead_s)
        own = _AheadClock(clock, ahead_s)
        return DevicePump(device, self.way.address, self.way.port, self._cell.transport, callbacks, own)


def _faults(cell: Cell) -> tuple[Fault, ...]:
    return tuple(Fault(**msgspec.structs.asdict(fault)) for fault in cell.scenario.faults)


class _AheadClock:
    """The clock of an emulated device: the harness's, `ahead_s` seconds ahead."""

    def __init__(self, clock: Clock, ahead_s: float) -> None:
        self._clock, self._ahead_s = clock, ahead_s

    def now(self) -> float:
        """The present moment, as the device has it."""
        return self._clock.now() + self._ahead_s


class Staging:
    """What all cells of a run share: the clock, the pool of addresses, the certificate authorities, the seed."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self.clock, self.seed = clock, seed
        self.authority: Authority = make_authority()
        self.device_authorities = DeviceAuthorities()
        self._pool = AddressPool()
        self._recorders: set[Recorder] = set()

    @asynccontextmanager
    async def stage(self, cell: Cell, keys: Keys, recorder: Recorder) -> AsyncIterator[Stage]:
        """The stage of `cell`, with these `keys`; taken down at the end.

        Raises:
            EnvironmentProblem: no address, no way for this SDK to a port that may not be bound, or a system on which no hub can be out of reach.
        """
        if not CAN_SHUT and any(fault.how not in (None, "half-open") for fault in cell.scenario.faults):
            raise EnvironmentProblem("a hub that cannot be reached needs Linux, whose listening sockets can be shut")
        async with AsyncExitStack() as undo:
            reservation = await self._pool.acquire()
            undo.callback(reservation.release)
            way = await self._way(cell, reservation, undo)
            stage = Stage(cell, keys, recorder, self, way, reservation)
            undo.push_async_callback(stage.stop)
            self._recorders.add(recorder)
            undo.callback(self._recorders.discard, recorder)
            undo.callback(_RUNNING.reset, _RUNNING.set(recorder))
            yield stage

    def report_lag(self, worst_ms: float, over_s: float) -> None:
        """Tell every running cell how late the event loop was, where it is worth a line."""
        if worst_ms < _LAG_WORTH_TELLING_MS:
            return
        for recorder in self._recorders:
            if recorder.has_header:
                fields = {"worst_ms": round(worst_ms, 3), "over_s": round(over_s, 3)}
                recorder.record("harness", "lag", self.clock.now(), fields)

    def report_defect(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Tell the cell whose callback of ours broke, or, where nobody knows whose it was, every running cell."""
        problem = context.get("exception")
        trace = "".join(traceback.format_exception(problem)) if isinstance(problem, BaseException) else ""
        fields = {"text": f"{context.get('message', 'a callback failed')}: {problem!r}", "trace": trace}
        told = self._whose(context)
        for recorder in told:
            recorder.record("harness", "defect", self.clock.now(), fields)
        if not told:  # its cell is over, and its log is closed
            loop.default_exception_handler(context)

    def _whose(self, context: Mapping[str, Any]) -> list[Recorder]:
        """The logs of the cells that a broken callback may have hit."""
        # Python 3.11 calls the loop's handler of exceptions outside the context in which a timer's callback ran.
        own = getattr(context.get("handle"), "_context", None)
        owner = _RUNNING.get() if own is None else own.get(_RUNNING)
        suspects = tuple(self._recorders) if owner is None else (owner,)
        return [one for one in suspects if one in self._recorders and one.has_header]

    async def _way(self, cell: Cell, reservation: Reservation, undo: AsyncExitStack) -> Way:
        adapter = cell.profile.profile.adapter if cell.device == "real" else None
        way = "gateway" if adapter is None else adapter.way_over(cell.transport)
        gateway = way == "gateway"
        hosts_file = None
        if way == "hosts-file":
            hosts_file = undo.enter_context(hosts_file_of({HUB_NAME: reservation.address}))
        ca_file = None
        if adapter is not None and adapter.takes_ca_file:
            ca_file = undo.enter_context(temporary_file("ca", self.authority.ca_pem))
        host = HUB_NAME if gateway or hosts_file else reservation.address
        door = DOORS[cell.transport]
        port, standard = reservation.ports[door], PORTS[door]
        if adapter is None or port == standard:
            return Way(host, reservation.address, port, gateway, hosts_file=hosts_file, ca_file=ca_file)
        if not adapter.takes_proxy(cell.transport):
            raise EnvironmentProblem(
                f"port {standard} may not be bound here and {cell.profile.profile.name} takes no proxy over {cell.transport};"
                f" `sysctl net.ipv4.ip_unprivileged_port_start={standard}` (as root) lets everybody bind it"
            )
        proxy = await ConnectProxy.start(reservation.targets([HUB_NAME]))
        undo.push_async_callback(proxy.stop)
        return Way(host, reservation.address, port, gateway, (proxy.address, proxy.port), hosts_file, ca_file)


class _Cloud:
    """The service side of the hub; the listeners are told that its deadlines may have moved."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.server: CellServer | None = None

    def send_c2d(self, message_id: str, body: bytes, now: float) -> None:
        self.hub.send_c2d(message_id, body, now)

    def call_method(
        self,
        request_id: str,
        name: str,
        body: bytes,
        now: float,
        *,
        connect_timeout_s: float,
        response_timeout_s: float,
    ) -> None:
        self.hub.call_method(
            request_id, name, body, now, connect_timeout_s=connect_timeout_s, response_timeout_s=response_timeout_s
        )
        if self.server is not None:
            self.server.wake()


def recording(recorder: Recorder, on_failure: Callable[[AdapterError], None], ahead_s: float = 0.0) -> DeviceCallbacks:
    """Callbacks that write into the log all that a device reports; `on_failure` is told too if it can be used no further.

    `ahead_s`: by how much the clock is ahead whose times the callbacks of an emulated device are told.
    """

    def on_event(event: dict[str, object], now: float) -> None:
        fields = {(f"device_{key}" if key in _OURS else key): value for key, value in event.items() if key != "event"}
        recorder.record("app", str(event["event"]), now - ahead_s, fields)

    def on_log(text: str, now: float) -> None:
        recorder.record("sdk-log", "line", now - ahead_s, {"text": text})

    def on_noise(text: str, now: float) -> None:
        recorder.record("harness", "adapter-noise", now, {"text": text})

    def on_exit(code: int, now: float) -> None:
        recorder.record("harness", "adapter-exit", now, {"code": code})

    def failed(problem: AdapterError, now: float) -> None:
        recorder.record("harness", "adapter-failure", now, {"text": str(problem)})
        on_failure(problem)

    return DeviceCallbacks(on_event, on_log, on_noise, on_exit, failed)


@asynccontextmanager
async def open_staging(clock: Clock, seed: int) -> AsyncIterator[Staging]:
    """What the cells of a run share, while it lasts; watches the event loop's lag."""
    staging = Staging(clock, seed)
    monitor = LagMonitor(staging.report_lag)
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(staging.report_defect)
    try:
        yield staging
    finally:
        loop.set_exception_handler(before)
        monitor.stop()
