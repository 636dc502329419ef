"""Which SDKs were measured, and on which runtimes: what the device programs said of themselves."""

from collections.abc import Iterable

import msgspec

from harness.analysis.fields import text
from harness.events import CellLog

__all__ = ["Program", "programs"]


class Program(msgspec.Struct, frozen=True, order=True):
    """An SDK in one version, with the runtime below it as its device program names it."""

    name: str
    version: str
    runtime: str


def programs(logs: Iterable[CellLog]) -> tuple[Program, ...]:
    """Those of all real devices of the logs, each once, by name."""
    said = ((log.header, event.fields) for log in logs for event in log.events if event.kind == "hello")
    return tuple(
        sorted(
            {
                Program(header.sdk_name, text(fields, "sdk_version"), text(fields, "runtime"))
                for header, fields in said
                if header.device != "emulated"
            }
        )
    )
