"""A device program on the stage: what is done to it, what it says and what its hub sees, in one record."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.clock import Clock
from harness.device.adapter import AdapterProcess, Limits, variables_of
from harness.device.driver import EVENTS, DeviceCallbacks, Hello
from harness.errors import AdapterError
from harness.events import Event, Recorder
from harness.plan import Cell
from harness.profile import LoadedProfile, Settings
from harness.redaction import Redactor
from harness.registration import Registration
from harness.run.conformance.record import Act, ActName
from harness.run.keys import Keys
from harness.run.stage import recording
from harness.scenario import End, Scenario

__all__ = ["Patience", "Scene"]

_LIFETIME_S: Final = 1800.0  # no SDK's default, and no renewal while an act lasts
_SCENARIO: Final = Scenario(
    schema=1, id="conformance", title="", credential="key", traffic=("listening",), settings="none", end=End(after_s=0, limit_s=600),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Patience:
    """How long something is waited for, in seconds. `hold_s`: how long the hub's answers are held back."""

    answer_s: float = 5.0  # to a line that is no command
    open_s: float = 30.0
    result_s: float = 20.0
    hold_s: float = 2.0


@dataclass
class Scene:
    """An act while it is played."""

    name: ActName
    transport: str
    loaded: LoadedProfile
    clock: Clock
    patience: Patience
    limits: Limits
    events: list[Event] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    failure: AdapterError | None = None

    def __post_init__(self) -> None:
        """Listen to everything."""
        self.keys, self.wrong_keys = (Keys.draw(Registration()) for _ in range(2))
        self.recorder = Recorder(
            lambda _: None, started=self.clock.now(), redactor=Redactor([*self.keys.secrets, *self.wrong_keys.secrets])
        )
        self.recorder.listen(self._observe)
        self._changed = asyncio.Event()

    def program(self, hosts_file: Path | None = None, ca_file: Path | None = None) -> AdapterProcess:
        """The device program, not started yet."""
        adapter = self.loaded.profile.adapter
        assert adapter is not None
        callbacks = _watched(recording(self.recorder, self._failed), self.recorder.redactor, self.leaks)
        variables = variables_of(adapter, self.loaded.folder, ca_file)
        return AdapterProcess(
            adapter, self.loaded.folder, callbacks, self.clock,
            hosts_file=hosts_file, environment=variables, limits=self.limits,
        )  # fmt: skip

    def cell(self, hello: Hello | None) -> Cell:
        """The act as a cell, with a lifetime where the SDK takes one."""
        profile = self.loaded.profile
        lifetime = min(max(_LIFETIME_S, profile.lifetime_min_s), profile.lifetime_max_s)
        settings = Settings(lifetime_s=lifetime if hello and hello.can("lifetime") else None)
        return Cell(
            f"conformance-{self.name}-{self.transport}", self.loaded, self.transport, _SCENARIO, settings, 0, 1, "real", 60.0, 600.0
        )  # fmt: skip

    def note(self, kind: str, **fields: object) -> None:
        """Record what is done to the program."""
        self.recorder.record("harness", kind, self.clock.now(), fields)

    def seen(self, src: str, *kinds: str) -> int:
        """How many events of these kinds there were."""
        return sum(event.src == src and event.kind in kinds for event in self.events)

    async def until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Wait until `condition` holds, for `limit_s` at most or until the program failed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while not condition() and self.failure is None:
                    self._changed.clear()
                    await self._changed.wait()
        return condition()

    async def line(self, program: AdapterProcess, what: str, text: bytes) -> None:
        """Write a line that is no command, and wait for the answer."""
        answers = self.seen("app", "bad_command")
        self.note("line", what=what)
        program.say(text)
        await self.until(lambda: self.seen("app", "bad_command") > answers, self.patience.answer_s)
        self.note("waited", what=what)

    def send(self, program: AdapterProcess, *numbers: int) -> None:
        """Write `send` commands."""
        for number in numbers:
            self.note("command", cmd="send", id=number)
            program.send({"cmd": "send", "id": number})

    async def results(self, count: int) -> None:
        """Wait until so many sends have ended."""
        await self.until(lambda: self.seen("app", "sent", "send_failed") >= count, self.patience.result_s)

    def act(self, problem: str = "") -> Act:
        """What there was to see."""
        failure = "" if self.failure is None else str(self.failure)
        return Act(self.name, self.transport, tuple(self.events), failure, tuple(dict.fromkeys(self.leaks)), problem)

    def _observe(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def _failed(self, problem: AdapterError) -> None:
        self.failure = self.failure or problem
        self._changed.set()


def _watched(callbacks: DeviceCallbacks, redactor: Redactor, leaks: list[str]) -> DeviceCallbacks:
    """`callbacks`, before which everything is looked through for what is secret."""

    def on_event(event: dict[str, object], now: float) -> None:
        if redactor.value(event) != event:
            name = event["event"]
            leaks.append(f"stdout (in the event `{name}`)" if name in EVENTS else "stdout (in an event)")
        callbacks.on_event(event, now)

    def on_log(text: str, now: float) -> None:
        if redactor.text(text) != text:
            leaks.append("stderr")
        callbacks.on_log(text, now)

    def on_noise(text: str, now: float) -> None:
        if redactor.text(text) != text:
            leaks.append("stdout (in a line that is no event)")
        callbacks.on_noise(text, now)

    return DeviceCallbacks(on_event, on_log, on_noise, callbacks.on_exit, callbacks.on_failure)
