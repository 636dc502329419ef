"""The process that serves our hub: per device the objects a cell of `harness compare` has, and no device in sight.

Every device has its own hub, address, listeners and, where events are recorded, its own unbuffered file, as cells do.
"""

import asyncio
import contextlib
import sys
from functools import partial
from os import getpid
from pathlib import Path

import msgspec

from benchmarks.jobs import Address, HubJob, Serving
from benchmarks.measuring import allow_many_files
from harness.clock import RealClock
from harness.events import Recorder
from harness.hub.hub import Hub
from harness.hub.identity import Identity
from harness.hub.policy import Policy
from harness.net.addresses import AddressPool
from harness.net.certificates import make_authority
from harness.net.listeners import CellServer
from harness.redaction import Redactor


async def serve(job: HubJob) -> None:
    """Serve the job's devices until stdin ends."""
    clock, pool, authority = RealClock(), AddressPool(), make_authority()
    addresses: list[Address] = []
    async with contextlib.AsyncExitStack() as undo:
        for device in job.devices:
            reservation = await pool.acquire()
            recorder = _recorder(job, device, clock, undo)
            hub = _hub(job, device, reservation.address, recorder)
            server = await CellServer.start(hub, authority, reservation, clock, names=[job.hub_name])
            undo.push_async_callback(server.stop)
            addresses.append(Address(reservation.address, reservation.ports[job.transport]))
        announce(Serving(getpid(), tuple(addresses), authority.ca_pem))
        await asyncio.to_thread(sys.stdin.buffer.read)


def _recorder(job: HubJob, device: str, clock: RealClock, undo: contextlib.AsyncExitStack) -> Recorder | None:
    if job.record_to is None:
        return None
    file = undo.enter_context((Path(job.record_to) / f"{device}.jsonl").open("xb", buffering=0))
    return Recorder(file.write, started=clock.now(), redactor=Redactor((job.key,)))


def _hub(job: HubJob, device: str, address: str, recorder: Recorder | None) -> Hub:
    identity, names = Identity(job.hub_name, device, job.key, job.key), frozenset({address})
    if recorder is None:
        return Hub(identity, Policy(), emit=None, names=names)
    return Hub(identity, Policy(), emit=recorder.source("hub"), learn_secret=recorder.redactor.add, names=names)


def announce(serving: Serving) -> None:
    """Tell the parent that it is ready."""
    sys.stdout.buffer.write(msgspec.json.encode(serving) + b"\n")
    sys.stdout.buffer.flush()


def new_event_loop(*, wants_uvloop: bool) -> asyncio.AbstractEventLoop:
    """The event loop that serves."""
    if not wants_uvloop:
        return asyncio.new_event_loop()
    import uvloop  # noqa: PLC0415 - not on every system

    return uvloop.new_event_loop()


def main() -> None:
    """Read the job, serve."""
    allow_many_files()
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=HubJob)
    with asyncio.Runner(loop_factory=partial(new_event_loop, wants_uvloop=job.uvloop)) as runner:
        runner.run(serve(job))


if __name__ == "__main__":
    main()
