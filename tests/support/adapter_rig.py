"""Drives device programs for the tests of `harness.device.adapter`, and notes everything that is reported, in order."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from harness.clock import RealClock
from harness.device.adapter import AdapterProcess, Limits
from harness.device.driver import DeviceCallbacks
from harness.errors import AdapterError
from harness.profile import AdapterProgram

PROGRAMS = Path(__file__).parent / "adapter_programs"
PYTHON_PROFILE = Path(__file__).parents[2] / "sdk_profiles" / "python"
PATIENCE_S = 20.0

Script = Callable[[AdapterProcess], Awaitable[None]]
T = TypeVar("T")


class Rig:
    """One device program and what became of it."""

    def __init__(
        self,
        program: str = "device.py",
        folder: Path = PROGRAMS,
        *,
        limits: Limits | None = None,
        environment: dict[str, str] | None = None,
        command: tuple[str, ...] | None = None,
        hosts_file: Path | None = None,
    ) -> None:
        self.events: list[dict[str, object]] = []
        self.log: list[str] = []
        self.noise: list[str] = []
        self.exits: list[int] = []
        self.failures: list[AdapterError] = []
        self.order: list[str] = []
        self._changed: asyncio.Event | None = None
        self._program = AdapterProgram(command or ("{python}", program), runtime="python", transports=("mqtt",))
        self._folder, self._limits, self._environment, self._hosts_file = folder, limits, environment, hosts_file

    def run(self, script: Script) -> None:
        """Start the program, run `script` with it, stop it. What `start` raises comes through."""

        async def play() -> None:
            adapter = self.adapter()
            try:
                await adapter.start()
                await script(adapter)
            finally:
                await adapter.stop()

        asyncio.run(play())
        gc.collect()  # a transport left open warns now, inside this test

    def adapter(self) -> AdapterProcess:
        """Make the driver; to be called inside the event loop."""
        self._changed = asyncio.Event()
        callbacks = DeviceCallbacks(
            on_event=lambda event, _: self._note("event", self.events, event),
            on_log=lambda text, _: self._note("log", self.log, text),
            on_noise=lambda text, _: self._note("noise", self.noise, text),
            on_exit=lambda code, _: self._note("exit", self.exits, code),
            on_failure=lambda error, _: self._note("failure", self.failures, error),
        )
        return AdapterProcess(
            self._program, self._folder, callbacks, RealClock(),
            hosts_file=self._hosts_file, environment=self._environment, limits=self._limits,
        )  # fmt: skip

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds; looked at after every report."""
        assert self._changed is not None
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def event(self, name: str, number: int = 1) -> dict[str, object]:
        """Wait for the event `name`, for the `number`-th time."""
        await self.until(lambda: len(self.named(name)) >= number)
        return self.named(name)[number - 1]

    def named(self, name: str) -> list[dict[str, object]]:
        """The events of that name so far."""
        return [event for event in self.events if event["event"] == name]

    def _note(self, what: str, where: list[T], item: T) -> None:
        where.append(item)
        self.order.append(what)
        assert self._changed is not None
        self._changed.set()


async def nothing(_: AdapterProcess) -> None:
    """Do nothing with the program: start and stop are the test."""


def is_running(pid: int) -> bool:
    """Whether a process is there and no mere entry that waits to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"
