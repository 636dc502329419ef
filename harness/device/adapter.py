"""Runs a device program and speaks the adapter protocol with it (docs/adapter-protocol.md): JSON lines over its standard streams.

`Lines`, `EventReader` and `LogReader` are pure: bytes in, lines out. `AdapterProcess` owns the process:

    start ──hello──▶ ready ──stop: `close`, end of stdin──▶ closing ──exit──▶ gone
      │                │                                      │ too late: SIGTERM, SIGKILL
      └── crash, garbage, too late: SIGKILL, AdapterError ◀───┘

The program leads a process group of its own. Whatever is left of the group when the program has ended is killed, and a pipe that
somebody still holds open then is closed from this side, so nothing a program does can keep a cell from ending.
"""

import asyncio
import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec

from harness.clock import Clock
from harness.device.driver import COMMANDS, EVENTS, PROTOCOL_VERSION, DeviceCallbacks, Hello
from harness.device.faketime import forget_shared_clock
from harness.device.runtimes import start_remedy
from harness.errors import AdapterError, EnvironmentProblem, HarnessBug
from harness.profile import AdapterProgram, LoadedProfile

__all__ = ["CUT_MARK", "AdapterProcess", "EventReader", "Limits", "Lines", "LogReader", "handshake", "variables_of"]

CUT_MARK = " … [line cut]"
_CUT_SAFETY = 256  # the end of a line that was cut may hold half a secret, which nobody would recognise
INHERITED = ("PATH", "HOME", "LANG")
_PAGE = "docs/adapter-protocol.md"
_STDOUT_ADVICE = f"Standard output belongs to the protocol: send everything else to stderr ({_PAGE})"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device program may take: seconds, and bytes."""

    hello_s: float = 30.0
    close_s: float = 20.0  # from `close` to the end of the process
    terminate_s: float = 2.0  # from SIGTERM to SIGKILL
    drain_s: float = 0.5  # for what is still in the pipes of a process that has ended
    line: int = 64 * 1024
    noise: int = 1024 * 1024
    events: int = 16 * 1024 * 1024
    log_line: int = 16 * 1024
    log: int = 8 * 1024 * 1024
    unread: int = 1024 * 1024  # commands the program has not read


class Lines:
    """Cuts bytes into lines, keeping no more than `limit` bytes of any. Pure."""

    def __init__(self, limit: int) -> None:
        self._limit, self._kept = limit, bytearray()
        self.overlong = False

    def receive(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """Take in `data`; yield each finished line without its end, and whether it was cut."""
        first, *more = data.split(b"\n")
        self._keep(first)
        for piece in more:
            yield self._finish()
            self._keep(piece)

    def rest(self) -> Iterator[tuple[bytes, bool]]:
        """Yield the last line if nothing ended it."""
        if self._kept:
            yield self._finish()

    def _keep(self, piece: bytes) -> None:
        room = self._limit - len(self._kept)
        self._kept += piece[:room]
        self.overlong = self.overlong or len(piece) > room

    def _finish(self) -> tuple[bytes, bool]:
        line, cut = bytes(self._kept).removesuffix(b"\r"), self.overlong
        self._kept.clear()
        self.overlong = False
        return line, cut


class EventReader:
    """Reads what a device program writes to stdout: events as mappings, noise as texts. Pure."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._lines, self._noise, self._total = Lines(self._limits.line), 0, 0
        self.hello: Hello | None = None

    def receive(self, data: bytes) -> Iterator[dict[str, object] | str]:
        """Take in `data`; yield what the finished lines say.

        Raises:
            AdapterError: a line, the noise or all of it is too long, an event breaks the protocol, or its version is not ours.
        """
        self._total += len(data)
        if self._total > self._limits.events:
            raise AdapterError(
                f"wrote more than {self._limits.events} bytes to stdout. Report what happens once ({_PAGE})"
            )
        for line, cut in self._lines.receive(data):
            self._check_length(overlong=cut)
            yield self._read(line)
        self._check_length(overlong=self._lines.overlong)

    def rest(self) -> Iterator[dict[str, object] | str]:
        """Yield what the last line says if nothing ended it. Raises as `receive`."""
        for line, _ in self._lines.rest():
            yield self._read(line)

    def _check_length(self, *, overlong: bool) -> None:
        if overlong:
            raise AdapterError(f"wrote a line longer than {self._limits.line} bytes to stdout. {_STDOUT_ADVICE}")

    def _read(self, line: bytes) -> dict[str, object] | str:
        try:
            event = msgspec.json.decode(line, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._noisy(line)
        name = event.get("event")
        if not isinstance(name, str):
            return self._noisy(line)
        self._check(name, event)
        return event

    def _noisy(self, line: bytes) -> str:
        self._noise += len(line) + 1
        if self._noise > self._limits.noise:
            raise AdapterError(
                f"wrote more than {self._limits.noise} bytes that are no events to stdout. {_STDOUT_ADVICE}"
            )
        return line.decode(errors="replace")

    def _check(self, name: str, event: dict[str, object]) -> None:
        if (self.hello is None) != (name == "hello"):
            when = "first and once" if name == "hello" else f"before the event `{name}`"
            raise AdapterError(f"has to say `hello` {when} ({_PAGE})")
        if name == "hello" and event.get("protocol") != PROTOCOL_VERSION:
            raise AdapterError(
                f"speaks version {event.get('protocol')!r} of the adapter protocol, this harness speaks {PROTOCOL_VERSION}."
                " Use a harness or a device program that matches"
            )
        try:
            known = msgspec.convert(event, EVENTS[name]) if name in EVENTS else None
        except msgspec.ValidationError as problem:
            raise AdapterError(f"sent an event `{name}` that breaks the protocol: {problem} ({_PAGE})") from problem
        if isinstance(known, Hello):
            self.hello = known


class LogReader:
    """Reads what a device program writes to stderr: the SDK's log, line by line, up to a limit in total. Pure."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._lines, self._total = Lines(self._limits.log_line), 0
        self.last = ""

    def receive(self, data: bytes) -> Iterator[str]:
        """Take in `data`; yield the finished lines, long ones cut and marked."""
        before, self._total = self._total, self._total + len(data)
        if self._total <= self._limits.log:
            yield from map(self._text, self._lines.receive(data))
        elif before <= self._limits.log:
            yield f"[the log goes on; only its first {self._limits.log} bytes are kept]"

    def rest(self) -> Iterator[str]:
        """Yield the last line if nothing ended it."""
        yield from map(self._text, self._lines.rest())

    def _text(self, line: tuple[bytes, bool]) -> str:
        text, cut = line
        if cut:
            text = text[:-_CUT_SAFETY]
        self.last = text.decode(errors="replace") + (CUT_MARK if cut else "")
        return self.last


def variables_of(program: AdapterProgram, folder: Path, ca_file: Path | None) -> dict[str, str]:
    """The variables that the profile sets for its program; `ca_file` holds the authority to trust, for one that takes it from a file only."""
    words = {"python": sys.executable, "folder": folder, "ca_file": ca_file or os.devnull}
    return {name: text.format(**words) for name, text in program.environment.items()}


class AdapterProcess:
    """A device program as a `DeviceDriver`.

    `program` and `folder` come from the profile; the program runs in `folder`. `hosts_file` is by what it resolves names, where its
    way to the hub is such a file; without a hub, no name is known. Its environment holds `PATH`, `HOME`, `LANG` and
    `environment`, nothing else: no secret of whoever runs the harness reaches it.
    """

    def __init__(
        self,
        program: AdapterProgram,
        folder: Path,
        callbacks: DeviceCallbacks,
        clock: Clock,
        *,
        hosts_file: Path | None = None,
        environment: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._program, self._folder, self._callbacks, self._clock = program, folder, callbacks, clock
        self._hosts_file = hosts_file or Path(os.devnull)
        self._environment, self._limits = environment or {}, limits or Limits()
        self._events, self._log = EventReader(self._limits), LogReader(self._limits)
        self._decided, self._exited, self._lost = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._started = self._closing = self._gone = False
        self._failure: AdapterError | None = None
        self._transport: asyncio.SubprocessTransport | None = None
        self._end: asyncio.Task[None] | None = None
        self._exited_at = 0.0

    @property
    def hello(self) -> Hello | None:
        """What the program says of itself, once it has."""
        return self._events.hello

    async def start(self) -> None:
        """Start the program and wait for its `hello`. Raises as `DeviceDriver.start`."""
        await self._spawn()
        try:
            await self._handshake()
        except BaseException:
            await self._finish()
            raise
        self._started = True

    def send(self, command: Mapping[str, object]) -> None:
        """Write one command to the program; dropped where nobody can read it any more.

        Raises:
            HarnessBug: not a command of the protocol.
        """
        if command.get("cmd") not in COMMANDS:
            raise HarnessBug(f"{command.get('cmd')!r} is no command of the adapter protocol")
        self.say(msgspec.json.encode(command))

    def say(self, line: bytes) -> None:
        """Write one line to the program, a command or not; dropped where nobody can read it any more."""
        if self._transport is None or self._failure or self._closing or self._exited.is_set():
            return
        stdin = self._stdin(self._transport)
        stdin.write(line + b"\n")
        if stdin.get_write_buffer_size() > self._limits.unread:
            self._fail(f"does not read its commands. Sends must not block the command loop ({_PAGE})")

    async def stop(self, *, silently: bool = False) -> None:
        """Close the program, by force where it does not end by itself. Cancelled, it ends it at once.

        `silently`: only its stdin is closed, without a `close`, as where the harness is gone.
        """
        if self._end is None:
            return
        try:
            if self._failure is None and not self._exited.is_set():
                await self._close(silently=silently)
        finally:
            await self._finish()

    # The process.

    async def _handshake(self) -> None:
        if not await _within(self._decided, self._limits.hello_s):
            self._fail(
                f"did not say `hello` within {self._limits.hello_s:g} s. {self._by_hand()} `hello` is its first line"
            )
        if self._failure is not None:
            raise self._failure

    async def _spawn(self) -> None:
        command = self._command(python=sys.executable, folder=self._folder, hosts_file=self._hosts_file)
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | dict(self._environment)
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.subprocess_exec(
                lambda: _Pipes(self), *command, cwd=self._folder, env=environment, start_new_session=True
            )
        except OSError as problem:
            raise self._cannot_start(problem) from problem
        self._transport = transport
        self._end = loop.create_task(self._until_gone(transport), name="device program")

    def _cannot_start(self, problem: OSError) -> EnvironmentProblem:
        return EnvironmentProblem(
            f"{self._name} cannot be started: {problem.strerror}: {problem.filename}."
            f" {start_remedy(self._program.runtime)}"
        )

    async def _close(self, *, silently: bool) -> None:
        if not silently:
            self.send({"cmd": "close"})
        self._closing = True
        assert self._transport is not None
        self._stdin(self._transport).write_eof()
        if await _within(self._exited, self._limits.close_s):
            return
        self._signal(signal.SIGTERM)
        await _within(self._exited, self._limits.terminate_s)
        self._fail(
            f"did not end within {self._limits.close_s:g} s of {'the end of its stdin' if silently else '`close`'} and was"
            " ended by force."
            f" It has to exit even while its SDK blocks ({_PAGE})"
        )

    async def _finish(self) -> None:
        """End the process if it is still there, and wait until nothing is left of it."""
        assert self._end is not None
        if not self._exited.is_set():
            self._signal(signal.SIGKILL)
        await asyncio.shield(self._end)

    async def _until_gone(self, transport: asyncio.SubprocessTransport) -> None:
        await self._exited.wait()
        stdin = self._stdin(transport)
        if stdin.get_write_buffer_size():
            stdin.abort()  # otherwise closing it waits for somebody to read
        # Its last words are still in the pipes; whoever it left behind may hold those open for ever.
        await _within(self._lost, self._limits.drain_s)
        self._signal(signal.SIGKILL)
        await _within(self._lost, self._limits.drain_s)
        transport.close()
        await self._lost.wait()
        if "FAKETIME" in self._environment:
            forget_shared_clock(transport.get_pid())
        self._gone = True
        self._report_end(transport.get_returncode() or 0)

    def _report_end(self, code: int) -> None:
        self._take(self._events.rest())
        self._take_log(self._log.rest())
        self._callbacks.on_exit(code, self._exited_at)
        if not self._closing:
            self._fail(f"{_how_it_ended(code)} although nobody closed it. {self._why_it_ended()}")
        elif code:
            self._fail(f"{_how_it_ended(code)} while it was closing. {self._why_it_ended()}")

    def _why_it_ended(self) -> str:
        """The next step. Its last words are safe to repeat only before it was told a secret."""
        if self.hello is None and self._log.last:
            return f"Its last line on stderr: {self._log.last.strip()}. {self._by_hand()}"
        return "What it wrote to stderr stands in the cell's log, as `sdk-log`"

    def _by_hand(self) -> str:
        command = self._command(python="python", folder=".", hosts_file=os.devnull)
        return f"Start it by hand, in its folder: `{shlex.join(command)}`."

    def _command(self, **words: object) -> list[str]:
        return [part.format(**words) for part in self._program.command]

    @property
    def _name(self) -> str:
        return f"The device program of {self._folder.name!r}"

    def _fail(self, problem: str) -> None:
        if self._failure is not None:
            return
        self._failure = AdapterError(f"{self._name} {problem}")
        self._signal(signal.SIGKILL)
        self._decided.set()
        if self._started:
            self._callbacks.on_failure(self._failure, self._clock.now())

    def _signal(self, number: signal.Signals) -> None:
        """Signal the process group, which keeps its number as long as anybody is in it."""
        if self._transport is not None and not self._gone:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), number)

    @staticmethod
    def _stdin(transport: asyncio.SubprocessTransport) -> asyncio.WriteTransport:
        return cast("asyncio.WriteTransport", transport.get_pipe_transport(0))

    # What it says; called by _Pipes.

    def data_received(self, fd: int, data: bytes) -> None:
        """Bytes arrived on stdout (1) or stderr (2)."""
        if fd == 1:
            self._take(self._events.receive(data))
        else:
            self._take_log(self._log.receive(data))

    def stdout_closed(self) -> None:
        """Nothing more can come on stdout: harmless only if the process ends, too."""
        asyncio.get_running_loop().call_later(self._limits.drain_s, self._check_stdout)

    def process_exited(self) -> None:
        """The process has ended; its pipes may still hold something."""
        self._exited_at = self._clock.now()
        self._exited.set()

    def pipes_closed(self) -> None:
        """The process and all its pipes are gone."""
        self._lost.set()

    def _check_stdout(self) -> None:
        if not self._exited.is_set() and not self._closing:
            self._fail(f"closed its stdout and went on without it. {_STDOUT_ADVICE}")

    def _take(self, said: Iterator[dict[str, object] | str]) -> None:
        if self._failure is not None:
            return
        now = self._clock.now()
        try:
            for item in said:
                if isinstance(item, str):
                    self._callbacks.on_noise(item, now)
                else:
                    self._callbacks.on_event(item, now)
        except AdapterError as problem:
            self._fail(str(problem))
        except RecursionError:
            self._fail(f"wrote an event that is nested too deeply to be read ({_PAGE})")
        if self.hello is not None:
            self._decided.set()

    def _take_log(self, lines: Iterator[str]) -> None:
        now = self._clock.now()
        for line in lines:
            self._callbacks.on_log(line, now)


async def handshake(loaded: LoadedProfile, clock: Clock) -> Hello:
    """Start the device program of `loaded` in its folder, and end it again. Raises as `DeviceDriver.start` and `DeviceDriver.stop`."""

    def ignore(*_: object) -> None:
        """Only the handshake counts."""

    assert loaded.profile.adapter is not None
    callbacks = DeviceCallbacks(ignore, ignore, ignore, ignore, ignore)
    variables = variables_of(loaded.profile.adapter, loaded.folder, None)
    program = AdapterProcess(loaded.profile.adapter, loaded.folder, callbacks, clock, environment=variables)
    try:
        await program.start()
    finally:
        await program.stop()
    assert program.hello is not None
    return program.hello


class _Pipes(asyncio.SubprocessProtocol):
    """Hands what asyncio reports to its `AdapterProcess`."""

    def __init__(self, owner: AdapterProcess) -> None:
        self._owner = owner

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._owner.data_received(fd, data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - given by asyncio
        if fd == 1:
            self._owner.stdout_closed()

    def process_exited(self) -> None:
        self._owner.process_exited()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - given by asyncio
        self._owner.pipes_closed()


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether `event` was set within `seconds`."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended by itself with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by signal {-code} ({signal.Signals(-code).name})"
    return f"was ended by signal {-code}"
