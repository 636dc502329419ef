"""What `--json` writes, as structures; `harness/schemas/benchmarks.schema.json` is the JSON Schema. Fields may be added."""

from typing import Literal

import msgspec

from benchmarks.figures import Row
from benchmarks.measuring import Machine
from benchmarks.page import PageFigures
from benchmarks.startup import Startup

__all__ = ["Facts", "Figures", "Settings", "Versions"]


class Settings(msgspec.Struct, frozen=True):
    """How much is measured, and on which event loop."""

    rounds: int
    seconds: float
    count: int | None
    idle: int
    stdlib_loop: bool


class Versions(msgspec.Struct, frozen=True):
    """Of what takes part; null where it is not installed."""

    python: str
    openssl: str
    harness: str
    mosquitto: str | None
    proton: str | None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """How it was measured. `started`: in UTC. `load_average`: runnable processes in the last minute, before and after. `pinned`: each process has its core."""

    command: str
    started: str
    machine: Machine
    load_average: tuple[float, ...]
    settings: Settings
    pinned: bool
    event_loop: str
    versions: Versions


class Figures(Facts, frozen=True, kw_only=True):
    """What was measured, each empty or null where it was not asked for."""

    schema: Literal[1]
    rows: tuple[Row, ...]
    startup: tuple[Startup, ...]
    page: PageFigures | None
