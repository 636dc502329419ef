"""The command: measures round by round, prints the table, writes the JSON."""

import base64
import platform
import shlex
import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

import click
import msgspec

from benchmarks.document import Facts, Figures, Settings, Versions
from benchmarks.exports import BARE, READING, RECORDS, an_export
from benchmarks.exports import measure as measure_reading
from benchmarks.figures import Row, make_rows, table
from benchmarks.jobs import Device, LoadJob, Measurement, read, start, write
from benchmarks.measuring import cores, load_average, machine
from benchmarks.page import PAGE, measure_page, page_table
from benchmarks.servers import (
    MOSQUITTO,
    PROTON,
    Population,
    Server,
    find_mosquitto,
    find_proton,
    hub,
    mosquitto,
    mosquitto_version,
    proton,
)  # fmt: skip
from benchmarks.startup import STARTUP, measure_startup, startup_table
from benchmarks.workloads import WORKLOADS, Workload
from harness import __version__
from harness.sas import make_token

_HUB_NAME: Final = "benchmark.azure-devices.net"
_KEY: Final = base64.b64encode(bytes(range(32))).decode()
_TOKEN_LIFETIME_S: Final = 86_400
_ALL: Final = (*WORKLOADS, READING)
_PEERS: Final = {"mqtt": MOSQUITTO, "amqp": PROTON}
_REMEDIES: Final = {
    MOSQUITTO: "Mosquitto is not installed, so there are no ratios over MQTT. To install it: apt-get install mosquitto",
    PROTON: "python-qpid-proton is not installed, so there are no ratios over AMQP. To install it, with a C compiler and Python's "
    "headers: python -m pip install --group proton",
}
_NAMES: Final = (*(workload.name for workload in _ALL), STARTUP, PAGE)
_API: Final = "?api-version=2021-04-12&DeviceClientType=benchmark"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=4, show_default=True, type=click.IntRange(1), help="Measurements of each server.")
@click.option("--seconds", default=1.5, show_default=True, type=click.FloatRange(0.01), help="Length of a measurement.")
@click.option("--count", type=click.IntRange(1), help="Operations per measurement, at least, instead of a duration.")
@click.option("--idle", default=1000, show_default=True, type=click.IntRange(11), help="Idle connections.")
@click.option("--only", multiple=True, metavar="NAME", help=f"{', '.join(_NAMES)}; repeatable.")
@click.option("--stdlib-loop", is_flag=True, help="asyncio's own event loop, even if uvloop is installed.")
@click.option("--mosquitto", "program", default="mosquitto", metavar="PATH", help="The peer's program.")
@click.option("--json", "target", type=click.Path(dir_okay=False, path_type=Path), help="Also write the figures here.")
def main(only: tuple[str, ...], program: str, target: Path | None, **options: object) -> None:
    """Measure what the emulated hub costs per operation, beside Mosquitto (MQTT) and Proton (AMQP) in the same run; how fast a command starts; and the page of 500 cells.

    The figures are CPU time of the server's process, not speed on this machine. Targets are printed as met or not met; the
    exit code says only whether everything could be measured.
    """
    settings, mosquitto_found = msgspec.convert(options, Settings), find_mosquitto(program)
    workloads, peers = _workloads(only, settings.idle), _peers(mosquitto_found, settings)
    facts = _facts(mosquitto_found, settings)
    rows = [row for workload in workloads for row in _measure(workload, peers, settings)]
    startup = measure_startup(settings.rounds) if not only or STARTUP in only else []
    page = measure_page(settings.rounds) if not only or PAGE in only else None
    facts = msgspec.structs.replace(facts, load_average=(*facts.load_average, load_average()))
    print(_introduction(facts, workloads))
    if rows:
        print(table(rows))
    if startup:
        print(f"\nFrom start to end of a command, by the wall clock\n\n{startup_table(startup)}")
    if page:
        print(f"\nThe page of a run, by the wall clock\n\n{page_table(page)}")
    for missing in sorted(
        {_PEERS[workload.transport] for workload in workloads if workload is not READING} - peers.keys()
    ):
        print(f"\nno peer: {_REMEDIES[missing]}")
    if target is not None:
        figures = Figures(
            schema=1, **msgspec.structs.asdict(facts), rows=tuple(rows), startup=tuple(startup), page=page
        )
        target.write_bytes(msgspec.json.format(msgspec.json.encode(figures)) + b"\n")


def _workloads(names: tuple[str, ...], idle: int) -> list[Workload]:
    known = {workload.name: workload for workload in _ALL}
    for name in ("idle", "idleA"):
        known[name] = msgspec.structs.replace(known[name], connections=idle)
    unknown = [name for name in names if name not in _NAMES]
    if unknown:
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(_NAMES)}", param_hint="--only")
    return [workload for name, workload in known.items() if not names or name in names]


def _peers(program: str | None, settings: Settings) -> dict[str, Server]:
    """Those that are installed."""
    peers = {} if program is None else {MOSQUITTO: mosquitto(program)}
    return peers if find_proton() is None else {**peers, PROTON: proton(uvloop=_uses_uvloop(settings))}


def _measure(workload: Workload, peers: Mapping[str, Server], settings: Settings) -> list[Row]:
    if workload is READING:
        return _measure_reading(settings)
    peer, uvloop = _PEERS[workload.transport], _uses_uvloop(settings)
    ours = [hub("hub", recording=False, uvloop=uvloop), hub("hub, recording", recording=True, uvloop=uvloop)]
    servers = [peers[peer], *ours] if peer in peers else ours
    rounds = [dict(_round(workload, servers, settings, number)) for number in range(1, settings.rounds + 1)]
    return make_rows(workload, rounds, peer=peer)


def _measure_reading(settings: Settings) -> list[Row]:
    text = an_export(settings.count or RECORDS)
    rounds = []
    for number in range(1, settings.rounds + 1):
        rounds.append(measure_reading(text))
        for name, measurement in rounds[-1].items():
            _tell(READING, number, settings, name, measurement)
    return make_rows(READING, rounds, peer=BARE)


def _round(
    workload: Workload, servers: list[Server], settings: Settings, number: int
) -> Iterator[tuple[str, Measurement]]:
    for server in servers:
        measurement = _measure_once(workload, server, settings)
        _tell(workload, number, settings, server.name, measurement)
        yield server.name, measurement


def _tell(workload: Workload, number: int, settings: Settings, name: str, measurement: Measurement) -> None:
    where = f"{workload.name:9} round {number}/{settings.rounds}  {name:14}"
    print(f"{where} {measurement.figure(workload):8.1f} {workload.unit}", file=sys.stderr, flush=True)


def _measure_once(workload: Workload, server: Server, settings: Settings) -> Measurement:
    """Start the server afresh, let the load generator loose on it, end both."""
    devices = _devices(workload.connections)
    population = Population(workload.transport, _HUB_NAME, _KEY, tuple(device.device_id for device in devices))
    for_server, for_load = cores()
    with server.run(population, for_server) as serving, start("benchmarks.load") as generator:
        write(generator, LoadJob(workload, serving, devices, settings.seconds, settings.count, for_load))
        return read(generator, Measurement)


def _devices(number: int) -> tuple[Device, ...]:
    return tuple(_device(f"device-{index:04}") for index in range(number))


def _device(device_id: str) -> Device:
    resource = quote(f"{_HUB_NAME}/devices/{device_id}", safe="")
    token = make_token(resource, _KEY, int(time.time()) + _TOKEN_LIFETIME_S)
    return Device(_HUB_NAME, device_id, f"{_HUB_NAME}/{device_id}/{_API}", token)


def _facts(peer: str | None, settings: Settings) -> Facts:
    return Facts(
        command=shlex.join(sys.argv),
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        machine=machine(),
        load_average=(load_average(),),
        settings=settings,
        pinned=None not in cores(),
        event_loop=f"uvloop {version('uvloop')}" if _uses_uvloop(settings) else "asyncio",
        versions=Versions(
            python=platform.python_version(),
            openssl=ssl.OPENSSL_VERSION,
            harness=__version__,
            mosquitto=peer and mosquitto_version(peer),
            proton=find_proton(),
        ),
    )


def _uses_uvloop(settings: Settings) -> bool:
    return not settings.stdlib_loop and find_spec("uvloop") is not None


def _introduction(facts: Facts, workloads: list[Workload]) -> str:
    lines = [f"{name}: {_text(value)}" for name, value in msgspec.structs.asdict(facts).items()]
    titles = [f"{workload.name}: {workload.title}" for workload in workloads]
    return "\n".join([*lines, "", *titles, "", "ratio: the peer's figure / the hub's; above 1 the hub is cheaper", ""])


def _text(value: object) -> str:
    plain = msgspec.to_builtins(value)
    if isinstance(plain, dict):
        return ", ".join(f"{name} {item}" for name, item in plain.items())
    return " -> ".join(map(str, plain)) if isinstance(plain, (list, tuple)) else str(plain)
