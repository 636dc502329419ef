"""The acts a device program is led through, each one life of it, with a hub of its own; what they showed is judged elsewhere.

| act | what is done |
|---|---|
| `greeting` | lines that are no commands, commands out of turn, then `close` |
| `course` | all goes well, and twice the hub's answers are held back; at the end the hub ends the connection |
| `refused` | the key is wrong |
| `malformed` | no client can be made of the connection string |
| `hang-up` | stdin ends without `close` while a send waits |
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from harness.device.adapter import AdapterProcess, Limits
from harness.documents import CONNECTED
from harness.errors import AdapterError, EnvironmentProblem
from harness.events import Event
from harness.profile import LoadedProfile
from harness.run.conformance.dam import Dam
from harness.run.conformance.record import Act, ActName
from harness.run.conformance.scene import Patience, Scene
from harness.run.keys import Keys
from harness.run.opening import open_command
from harness.run.stage import Stage, Staging
from harness.run.traffic import METHOD

__all__ = ["Patience", "examine_program"]

_AT_ONCE: Final = 6  # programs at a time: starting one takes a second of a core, and then they mostly wait
_UNKNOWN: Final = b'{"cmd":"hum"}'
_GARBAGE: Final = {
    "garbage": b"this is no command",
    "unknown": _UNKNOWN,
    "early": b'{"cmd":"send","id":1}',
    "lacking": b'{"id":1}',
}


async def examine_program(
    loaded: LoadedProfile,
    transports: Sequence[str],
    staging: Staging,
    *,
    patience: Patience | None = None,
    limits: Limits | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Act]:
    """Lead the device program of `loaded` through all acts, over each of `transports`, or all that its hello names where there are none.

    A program that cannot introduce itself is spared the rest, and so is a transport that its hello does not name. `say` is told in one line what is going on.

    Raises:
        EnvironmentProblem: this machine cannot start the program.
    """
    places = asyncio.Semaphore(_AT_ONCE)
    patience, limits = patience or Patience(), limits or Limits()

    async def play(name: ActName, transport: str) -> Act:
        async with places:
            say(" ".join(filter(None, ["acting:", name, transport])))
            return await _play(Scene(name, transport, loaded, staging.clock, patience, limits), staging)

    greeting = msgspec.structs.replace(await play("greeting", ""), asked=tuple(transports))
    hello = next(iter(greeting.app("hello")), None)
    if hello is None:
        return [greeting]
    named = _transports_of(hello)
    over = [one for one in transports or named if one in named]
    unnamed = [one for one in transports if one not in named]
    parts = [("malformed", over[0]), *_each(over)] if over else []
    played = await asyncio.gather(*(play(name, transport) for name, transport in parts))
    spared = [Act(name, one, problem=f"`hello` does not name the transport {one}") for name, one in _each(unnamed)]
    return [greeting, *played, *spared]


def _transports_of(hello: Event) -> list[str]:
    named = hello.fields.get("transports")
    return [str(one) for one in named if one in CONNECTED] if isinstance(named, list) else []


def _each(transports: Iterable[str]) -> list[tuple[ActName, str]]:
    names: tuple[ActName, ...] = ("course", "refused", "hang-up")
    return [(name, transport) for transport in transports for name in names]


async def _play(scene: Scene, staging: Staging) -> Act:
    try:
        if scene.name == "greeting":
            await _greeting(scene)
        else:
            await _at_a_hub(scene, staging)
    except AdapterError as problem:
        scene.failure = scene.failure or problem
    except EnvironmentProblem as problem:
        if scene.name == "greeting":
            raise
        return scene.act(problem=str(problem))
    return scene.act()


@contextlib.asynccontextmanager
async def _alive(scene: Scene, program: AdapterProcess, *, silently: bool = False) -> AsyncIterator[AdapterProcess]:
    try:
        await program.start()
        yield program
    finally:
        scene.note("closing", silently=silently)
        await program.stop(silently=silently)


async def _greeting(scene: Scene) -> None:
    async with _alive(scene, scene.program()) as program:
        for what, text in _GARBAGE.items():
            await scene.line(program, what, text)


async def _at_a_hub(scene: Scene, staging: Staging) -> None:
    async with staging.stage(scene.cell(None), scene.keys, scene.recorder) as stage:
        dam = Dam(stage.hub.hub)
        await stage.start(lambda _: dam)
        program = scene.program(stage.way.hosts_file, stage.way.ca_file)
        async with _alive(scene, program, silently=scene.name == "hang-up"):
            await _SCRIPTS[scene.name](_Play(scene, stage, dam, program))


@dataclass(frozen=True, slots=True)
class _Play:
    """A program that has been started, and its hub."""

    scene: Scene
    stage: Stage
    dam: Dam
    program: AdapterProcess

    def open(self, *, keys: Keys | None = None, **changes: object) -> None:
        """Write `open`, with the right key unless told otherwise."""
        scene = self.scene
        command, _ = open_command(
            scene.cell(self.program.hello), self.stage.way, keys or scene.keys, self.stage.ca_pem, scene.clock.now()
        )
        shown = {name: command[name] for name in ("transport", "lifetime_s", "c2d", "methods") if name in command}
        scene.note("command", cmd="open", **shown)
        self.program.send({**command, **changes})

    async def opened(self) -> bool:
        """Wait for the answer to `open`; whether it is `opened`."""
        seen = self.scene.seen
        await self.scene.until(lambda: seen("app", "opened", "open_failed") > 0, self.scene.patience.open_s)
        return seen("app", "opened") > 0

    def hold(self, *, back: bool) -> None:
        """Hold back what the hub says, or let it through."""
        self.scene.note("dam", shut=back)
        if back:
            self.dam.shut()
        else:
            self.dam.release()


async def _course(play: _Play) -> None:
    scene, program = play.scene, play.program
    play.hold(back=True)
    play.open()
    await scene.until(lambda: scene.seen("hub", "accepted") > 0, scene.patience.open_s)
    await scene.line(program, "unknown", _UNKNOWN)
    await asyncio.sleep(scene.patience.hold_s)
    play.hold(back=False)
    if not await play.opened():
        return
    await scene.line(program, "second-open", b'{"cmd":"open","transport":"mqtt","connection_string":""}')
    scene.send(program, 1, 2)
    await scene.results(2)
    await _reach_the_device(play)
    play.hold(back=True)
    scene.send(program, 3, 4)
    await scene.line(program, "unknown", _UNKNOWN)
    await asyncio.sleep(scene.patience.hold_s)
    play.hold(back=False)
    await scene.results(4)
    await _lose_the_connection(play)


async def _reach_the_device(play: _Play) -> None:
    scene, now = play.scene, play.scene.clock.now()
    play.stage.hub.send_c2d("c2d-1", b"{}", now)
    limit_s = scene.patience.result_s
    play.stage.hub.call_method("1", METHOD, b"{}", now, connect_timeout_s=limit_s, response_timeout_s=limit_s)
    await scene.until(
        lambda: (
            all(scene.seen("hub", kind) for kind in ("c2d-acknowledged", "method-answered"))
            and all(scene.seen("app", kind) for kind in ("c2d", "method"))
        ),
        limit_s,
    )


async def _lose_the_connection(play: _Play) -> None:
    """The hub ends the connection; a program that says so does within a moment, and one that does not is not waited for long."""
    scene = play.scene
    scene.note("cut")
    play.stage.hub.hub.stop(scene.clock.now())
    before = scene.seen("app", "status", "background_exception")
    await scene.until(lambda: scene.seen("app", "status", "background_exception") > before, scene.patience.answer_s)


async def _refused(play: _Play) -> None:
    scene = play.scene
    play.open(keys=scene.wrong_keys)
    await scene.until(lambda: scene.seen("app", "opened", "open_failed", "status") > 0, scene.patience.open_s)
    await scene.line(play.program, "unknown", _UNKNOWN)


async def _malformed(play: _Play) -> None:
    play.open(connection_string="no connection string")
    await play.opened()
    await play.scene.line(play.program, "unknown", _UNKNOWN)


async def _hang_up(play: _Play) -> None:
    scene = play.scene
    play.open()
    if await play.opened():
        play.hold(back=True)
        scene.send(play.program, 1)
        await scene.until(lambda: scene.seen("hub", "telemetry") > 0, scene.patience.result_s)


_SCRIPTS: Final[Mapping[ActName, Callable[[_Play], Awaitable[None]]]] = {
    "course": _course,
    "refused": _refused,
    "malformed": _malformed,
    "hang-up": _hang_up,
}
