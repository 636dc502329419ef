"""The speed of `harness diagnose` beside bare `json.loads` over the same file, in the same process and run: no server takes part.

The file holds JSON lines as Azure Monitor writes them: a thousand devices, each renewing by the hub's cut, with a record of another category now
and then. `json.loads` does the least that a reader of it in Python could do: it decodes every line, and nothing is done with what comes out.
"""

import gc
import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Final

from benchmarks.jobs import Measurement
from benchmarks.workloads import Target, Workload
from harness.diagnosis import Export, Patients
from harness.hub.diagnostics import CLOSED_REMOTELY, TOKEN_EXPIRED, Operation, Origin, Problem, build_record

__all__ = ["BARE", "OURS", "READING", "an_export", "measure"]

OURS: Final = "harness diagnose"
BARE: Final = "json.loads"
READING: Final = Workload(
    "diagnose",
    f"an export of a hub's log, read and judged by {OURS}; beside it, {BARE} for each line",
    "publish",
    "CPU us per record",
    0,
    target=Target(at_least_ratio=0.3),
)
RECORDS: Final = 100_000
_DEVICES: Final = 1000
_PERIOD_S: Final = 4200.0
_START: Final = 1_767_225_600.0
_SDK: Final = "com.microsoft.azure.sdk.iot.iot-device-client/2.5.0 (17.0.15; Linux; amd64)"
_STEPS: Final[tuple[tuple[Operation, Problem | None, float], ...]] = (
    ("deviceConnect", None, 0.0),
    ("deviceDisconnect", TOKEN_EXPIRED, _PERIOD_S - 2),
    ("deviceDisconnect", CLOSED_REMOTELY, _PERIOD_S - 2),
)


def an_export(records: int) -> bytes:
    """A file of at least so many records."""
    return "".join(line for _, line in zip(range(records), _lines(), strict=False)).encode()


def _lines() -> Iterator[str]:
    cycle = 0
    while True:
        for operation, problem, after_s in _STEPS:
            for number in range(_DEVICES):
                at = _START + cycle * _PERIOD_S + number + after_s
                origin = Origin("benchmark.azure-devices.net", f"device-{number:04}", "mqtt", "203.0.113.7", _SDK)
                yield json.dumps(build_record(operation, at, origin, problem)) + "\n"
        cycle += 1


def measure(text: bytes) -> dict[str, Measurement]:
    """One round: both over the same bytes."""
    return {BARE: _timed(_bare, text), OURS: _timed(_diagnose, text)}


def _timed(read: Callable[[bytes], int], text: bytes) -> Measurement:
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    records = read(text)
    return Measurement(records, time.process_time() - cpu, time.perf_counter() - wall)


def _bare(text: bytes) -> int:
    return sum(1 for line in io.BytesIO(text) if json.loads(line))


def _diagnose(text: bytes) -> int:
    export, patients = Export(io.BufferedReader(io.BytesIO(text)), "export"), Patients()
    for batch in export.batches():
        patients.add(batch)
    patients.findings()
    return export.read
