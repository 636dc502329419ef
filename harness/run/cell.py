"""One cell: one identity on a hub of its own, one device under test, the scenario's traffic, and the log of it all."""

import asyncio
import contextlib
import datetime as dt
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from harness import __version__
from harness.clock import Clock
from harness.device.driver import DeviceDriver
from harness.documents import CONNECTED
from harness.errors import AdapterError, EnvironmentProblem
from harness.events import CELL_END, FORMAT, Event, Header, Recorder
from harness.hub.base import shown_token
from harness.plan import Cell
from harness.redaction import Redactor
from harness.run.keys import Keys
from harness.run.opening import make_own_token, open_command
from harness.run.stage import Stage, Staging
from harness.run.supply import Supplier
from harness.run.traffic import Traffic
from harness.run.watch import Watch
from harness.runfolder import RunFolder, iso
from harness.sas import parse

__all__ = ["CellOutcome", "CellRun", "Status"]

_SETTLE_S = 2.0
_POLL_S = 0.05
_START_S = 5.0  # a device that is not open by then waits for the network, not for a processor

_FAULTS = frozenset({"adapter-error", "harness-error"})

Status = Literal["finished", "interrupted", "environment", "unsupported", "adapter-error", "harness-error"]


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """How a cell ended, for the line of progress; what it measured stands in its log."""

    cell: Cell
    status: Status
    reason: str
    seconds: float
    renewals: int = 0
    cuts: int = 0
    fault: bool = False  # of the harness or of the device program, even where the cell was measured


class _UnsupportedError(Exception):
    """The SDK, by its device program's word, cannot do what the cell asks."""


def _unwritable(problem: OSError) -> str:
    return f"the cell's log cannot be written ({problem.strerror or problem})"


class CellRun:
    """Runs one cell and writes its log, whatever happens. `started` is called, once or more, when its device has stopped starting."""

    def __init__(
        self, cell: Cell, folder: RunFolder, staging: Staging, clock: Clock, started: Callable[[], None]
    ) -> None:
        self._cell, self._folder, self._staging, self._clock = cell, folder, staging, clock
        self._started = started
        self._keys = Keys.draw(cell.scenario.device)
        self._watch = Watch(cell.scenario.end, cell.awaited_renewals)
        self._supplier = Supplier(cell.scenario.supply, cell.scenario.token_lifetime_s or 0.0)
        self._traffic: Traffic | None = None
        self._failure: AdapterError | None = None
        self._failed = asyncio.Event()
        self._opened = False
        self._sends: set[object] = set()
        self._hello: Mapping[str, object] = {}
        self._defect = ""

    async def run(self) -> CellOutcome:
        """Run the cell to its end. Cancelled, it writes its last event and lets the cancellation through."""
        started = self._clock.now()
        try:
            file = self._folder.open_cell(self._cell.id)
        except OSError as problem:
            return CellOutcome(self._cell, "environment", _unwritable(problem), 0.0)
        with file:
            self._recorder = Recorder(file.write, started=started, redactor=Redactor(self._keys.secrets))
            self._recorder.listen(self._observe)
            status: Status = "interrupted"
            reason = "stopped before its end"
            try:
                status, reason = await self._guarded()
            finally:
                self._note(
                    CELL_END,
                    status=status,
                    reason=reason,
                    awaited=self._watch.is_satisfied,
                )
        if self._recorder.failure:
            status, reason = "environment", _unwritable(self._recorder.failure)
        fault = self._failure is not None or self._defect != "" or status in _FAULTS
        seconds = self._clock.now() - started
        return CellOutcome(self._cell, status, reason, seconds, self._watch.renewals, self._watch.cuts, fault)

    async def _guarded(self) -> tuple[Status, str]:
        """Measure; whatever goes wrong becomes the cell's status and costs this cell only."""
        try:
            if self._cell.status:
                return self._cell.status, self._cell.why_not
            async with self._staging.stage(self._cell, self._keys, self._recorder) as stage:
                self._recorder.header(self._header(stage.way.described(), stage.hub_described))
                return await self._measure(stage)
        except EnvironmentProblem as problem:
            return "environment", str(problem)
        except _UnsupportedError as problem:
            return "unsupported", str(problem)
        except AdapterError as problem:
            return "adapter-error", str(problem)
        except Exception as problem:  # noqa: BLE001 - a defect costs this cell only, and is told
            self._ensure_header()
            self._note("defect", text=f"{type(problem).__name__}: {problem}", trace=traceback.format_exc())
            return "harness-error", f"{type(problem).__name__}: {problem}"
        finally:
            self._ensure_header()

    async def _measure(self, stage: Stage) -> tuple[Status, str]:
        device = stage.device(self._on_failure)
        emit = self._recorder.source("harness")
        self._traffic = Traffic(
            self._cell.scenario, stage.hub, lambda number: self._send(device, number), self._clock, emit,
            methods=self._cell.transport in CONNECTED,
        )  # fmt: skip
        await stage.start()
        try:
            await device.start()
            self._require()
            now = self._clock.now()
            command, secrets_of_it = open_command(
                self._cell, stage.way, self._keys, stage.ca_pem, now, stage.certificate
            )
            self._hide(secrets_of_it)
            self._command(device, command)
            self._supplier.issued(now)
            await self._until_over(self._traffic, lambda: self._supply(device, stage))
            measured = self._failure is None
        finally:
            self._traffic = None  # the device leaves for good now: no gap to put anything into
            self._note("command", cmd="close")
            await device.stop()
        if self._failure and not measured:
            raise self._failure
        return "finished", f"while closing: {self._failure}" if self._failure else self._shortfall()

    def _require(self) -> None:
        """Raise where the device program does not name what the cell is going to ask of it."""
        settings = self._cell.settings
        wanted = {
            "lifetime": settings.lifetime_s is not None,
            "margin": settings.margin_s is not None,
            "margin-percent": settings.margin_percent is not None,
            "own-token": self._cell.scenario.credential == "token",
            "token-update": self._cell.scenario.supply is not None,
            # Nothing at all is what a certificate is that was never handed over.
            "x509": self._cell.scenario.credential in {"certificate", "none"},
        }
        lacking = [
            capability
            for capability, needed in wanted.items()
            if needed and capability not in self._offers("capabilities")
        ]
        if lacking:
            raise _UnsupportedError(f"the device program does not name the capability {', '.join(lacking)}")
        if self._cell.transport not in self._offers("transports"):
            raise _UnsupportedError(f"the device program does not name the transport {self._cell.transport}")

    def _offers(self, what: str) -> frozenset[object]:
        named = self._hello.get(what, ())
        return frozenset(named) if isinstance(named, list | tuple) else frozenset()

    async def _until_over(self, traffic: Traffic, supply: Callable[[], None]) -> None:
        """Let the traffic flow, and tokens be supplied, from the moment the device is open until the scenario's end, or its limit."""
        began = self._clock.now()
        flowing: asyncio.Task[None] | None = None
        try:
            while not self._is_over(began):
                if self._clock.now() - began >= _START_S:
                    self._started()
                if flowing is None and self._opened:
                    flowing = asyncio.create_task(traffic.run())
                supply()
                await self._pause()
                if (
                    flowing is not None and flowing.done()
                ):  # it runs until it is cancelled, unless something of ours broke
                    await flowing
        finally:
            if flowing is not None:
                flowing.cancel()
                await asyncio.gather(flowing, return_exceptions=True)
        await self._settle()

    def _is_over(self, began: float) -> bool:
        now = self._clock.now()
        if self._failure or self._recorder.failure or now - began >= self._cell.limit_s:
            return True
        seen_at, after_s = self._watch.seen_at, self._cell.scenario.end.after_s
        return seen_at is not None and self._recorder.microseconds(now) - seen_at >= after_s * 1e6

    async def _settle(self) -> None:
        """Give messages under way a moment to arrive before the device is closed."""
        deadline = self._clock.now() + _SETTLE_S
        while self._sends and self._watch.connected and not self._failure and self._clock.now() < deadline:
            await self._pause()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._failed.wait(), _POLL_S)

    def _shortfall(self) -> str:
        """What the cell did not get to see, or nothing."""
        if self._defect:
            return f"while it ran, the harness itself failed: {self._defect}"
        if self._watch.failed_to_open and not self._watch.is_satisfied:
            return "the device could not open its connection"
        if self._watch.seen_at is None:
            return f"what the scenario waits for was not seen within {self._cell.limit_s:g} s"
        return ""

    def _send(self, device: DeviceDriver, number: int) -> None:
        self._sends.add(number)
        self._command(device, {"cmd": "send", "id": number})

    def _supply(self, device: DeviceDriver, stage: Stage) -> None:
        """Hand the device another token, if one is due."""
        now = self._clock.now()
        why = self._supplier.take(now)
        if why is not None:
            token, secrets_of_it = make_own_token(self._cell, stage.way, self._keys, now)
            self._hide(secrets_of_it)
            by_its_clock = now + self._cell.scenario.device.process_ahead_s
            self._note("token-supplied", why=why, token=shown_token(parse(token), by_its_clock))
            self._command(device, {"cmd": "token", "sas": token})
            self._supplier.issued(now)

    def _hide(self, texts: Iterable[str]) -> None:
        """Keep these texts out of all that is written from now on."""
        for text in texts:
            self._recorder.redactor.add(text)

    def _command(self, device: DeviceDriver, command: Mapping[str, object]) -> None:
        shown = ("cmd", "id", "transport", "lifetime_s", "margin_s", "margin_percent", "c2d", "methods")
        self._note("command", **{key: command[key] for key in shown if key in command})
        device.send(command)

    def _on_failure(self, problem: AdapterError) -> None:
        self._failure = self._failure or problem
        self._failed.set()

    def _observe(self, event: Event) -> None:
        if event.kind == "defect" and event.src == "harness":
            self._defect = self._defect or str(event.fields.get("text"))
        if event.src == "app":
            if event.kind == "hello":
                self._hello = event.fields
            self._opened = self._opened or event.kind == "opened"
            if event.kind in {"opened", "open_failed"}:
                self._started()
            if event.kind in {"sent", "send_failed"}:
                self._sends.discard(event.fields.get("id"))
        self._supplier.observe(event, self._clock.now())
        turn = self._watch.observe(event)
        if turn is not None and self._traffic is not None:
            # Not from inside the hub's own call: the hub is at work on this very connection.
            asyncio.get_running_loop().call_soon(self._traffic.device_turned, turn)

    def _note(self, kind: str, **fields: object) -> None:
        self._recorder.record("harness", kind, self._clock.now(), fields)

    def _ensure_header(self) -> None:
        if not self._recorder.has_header:
            self._recorder.header(self._header({}, {}))

    def _header(self, way: Mapping[str, object], hub: Mapping[str, object]) -> Header:
        cell, profile = self._cell, self._cell.profile.profile
        return Header(
            format=FORMAT,
            cell=cell.id,
            sdk=profile.sdk,
            sdk_name=profile.name,
            version=profile.version,
            transport=cell.transport,
            device=cell.device,
            scenario=msgspec.to_builtins(cell.scenario),
            settings={**msgspec.to_builtins(cell.settings), "index": cell.settings_index},
            hub=hub,
            way={**way, **({"why_emulated": cell.why_emulated} if cell.why_emulated else {})},
            claims=tuple(msgspec.to_builtins(claim) for claim in profile.claims),
            repeat=cell.repeat,
            started=iso(dt.datetime.now(dt.UTC)),
            harness=__version__,
        )
