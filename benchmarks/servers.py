"""The servers that are measured, each in a process of its own: the peer, and our hub with event recording off and on.

Mosquitto runs with `set_tcp_nodelay true`, without which it delays every CONNACK by 40 ms, with a certificate of the kind
the hub has, and without persistence, log or authentication; so it does less than the hub on CONNECT. Proton stands in
`proton_process`; it is a C extension without a wheel for Linux, so it may be missing.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

import msgspec

from benchmarks.jobs import Address, HubJob, Serving, read, start, write
from harness.net.certificates import make_authority

__all__ = [
    "MOSQUITTO", "PROTON", "Population", "Server", "find_mosquitto", "find_proton", "hub", "mosquitto", "mosquitto_version",
    "proton",
]  # fmt: skip

MOSQUITTO: Final = "mosquitto"
PROTON: Final = "proton"
_HOST: Final = "127.0.0.1"
_START_S: Final = 10.0
_CONFIGURATION: Final = """\
listener {port} {host}
certfile {folder}/certificate.pem
keyfile {folder}/key.pem
allow_anonymous true
set_tcp_nodelay true
persistence false
log_dest none
"""


class Population(msgspec.Struct, frozen=True):
    """The devices a server has to let in over one transport: of one hub, all with one key, which is no secret."""

    transport: Literal["mqtt", "amqp"]
    hub_name: str
    key: str
    devices: tuple[str, ...]


class Server(msgspec.Struct, frozen=True):
    """A server by its name in the table, and how to run it for a population while the context is entered."""

    name: str
    run: Callable[[Population, int | None], AbstractContextManager[Serving]]


def find_mosquitto(program: str) -> str | None:
    """Its path; Debian installs it where the PATH of ordinary users does not look."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


def find_proton() -> str | None:
    """The version of its Python package, where that is installed."""
    try:
        return version("python-qpid-proton")
    except PackageNotFoundError:
        return None


def mosquitto_version(program: str) -> str:
    """As its help text tells it."""
    text = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"version (\S+)", text)
    return match[1] if match else "unknown"


def mosquitto(program: str) -> Server:
    """The peer."""

    @contextlib.contextmanager
    def run(_population: Population, core: int | None) -> Iterator[Serving]:
        with TemporaryDirectory() as folder:
            port = _free_port()
            ca_pem = _prepare(Path(folder), port)
            process = subprocess.Popen([program, "-c", f"{folder}/mosquitto.conf"])
            try:
                _pin(process.pid, core)
                _await_listener(process, port)
                yield Serving(process.pid, (Address(_HOST, port),), ca_pem)
            finally:
                _end(process)

    return Server(MOSQUITTO, run)


def proton(*, uvloop: bool) -> Server:
    """The peer over AMQP."""

    @contextlib.contextmanager
    def run(population: Population, core: int | None) -> Iterator[Serving]:
        with _served("benchmarks.proton_process", population, core, None, uvloop) as serving:
            yield serving

    return Server(PROTON, run)


def hub(name: str, *, recording: bool, uvloop: bool) -> Server:
    """Our hub; its events go to a file, or nowhere."""

    @contextlib.contextmanager
    def run(population: Population, core: int | None) -> Iterator[Serving]:
        with (
            TemporaryDirectory() as folder,
            _served("benchmarks.hub_process", population, core, folder if recording else None, uvloop) as serving,
        ):
            yield serving

    return Server(name, run)


@contextlib.contextmanager
def _served(
    module: str,
    population: Population,
    core: int | None,
    record_to: str | None,
    uvloop: bool,  # noqa: FBT001 - only for the two above
) -> Iterator[Serving]:
    process = start(module)
    try:
        _pin(process.pid, core)  # before the process makes threads, which inherit it
        known = population
        write(process, HubJob(known.transport, known.hub_name, known.key, known.devices, record_to, uvloop))
        yield read(process, Serving)
    finally:
        _end(process)


def _pin(pid: int, core: int | None) -> None:
    if core is not None:
        os.sched_setaffinity(pid, {core})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _prepare(folder: Path, port: int) -> str:
    """Write what Mosquitto reads, for the user it becomes when root starts it; returns the authority's certificate."""
    folder.chmod(0o755)
    authority = make_authority()
    issued = authority.issue(["localhost"], [_HOST])  # the very kind of certificate the hub has
    (folder / "key.pem").write_text(issued.key)
    (folder / "certificate.pem").write_text(issued.certificate)
    (folder / "mosquitto.conf").write_text(_CONFIGURATION.format(port=port, host=_HOST, folder=folder))
    for file in folder.iterdir():
        file.chmod(0o644)
    return authority.ca_pem


def _await_listener(process: subprocess.Popen[bytes], port: int) -> None:
    ends = time.monotonic() + _START_S
    while time.monotonic() < ends and process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection((_HOST, port)).close()
            return
        time.sleep(0.01)
    raise RuntimeError(f"{process.args!r} does not listen on {_HOST}:{port} (exit code {process.poll()})")


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.terminate()
    try:
        process.wait(_START_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
