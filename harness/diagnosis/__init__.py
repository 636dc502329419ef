"""`harness diagnose`: from a log that a real IoT hub wrote to what each of its devices suffers from. Pure: bytes of the export in, findings out.

reading, source, json_form, csv_form    the file, in whichever form, as entries
records, times                          what one record tells
window                                  the order of their moments, as far as a bounded window reaches
devices, rhythm                         what is gathered about a device; memory grows with their number, not with that of records
causes, sdks, remedies                  cause, SDK, lifetime and grace, and what to do
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from harness.diagnosis.causes import WORST_FIRST, Diagnosed, Finding, Log, judge
from harness.diagnosis.devices import Device
from harness.diagnosis.reading import Export
from harness.diagnosis.records import CONNECTED, Entry
from harness.diagnosis.window import SPAN, Window

__all__ = ["SPAN", "WORST_FIRST", "Diagnosed", "Diagnosis", "Export", "Finding", "Patients"]


class Diagnosis(msgspec.Struct, frozen=True):
    """What `--json` prints; `harness/schemas/diagnosis.schema.json` is its JSON Schema. Fields may be added.

    `unreadable`: how many lines or records were left out because they cannot be read. `misplaced`: how many records came behind a later one of
    their device, too far from their place to be put there, so that causes may be wrong.
    """

    schema: Literal[1]
    devices: tuple[Diagnosed, ...]
    unreadable: int = 0
    misplaced: int = 0


class Patients:
    """All devices of a log. `add` entries as they come, then ask for the `findings`."""

    def __init__(self, span: int = SPAN) -> None:
        self._devices: dict[str, Device] = {}
        self._window = Window(self._take, span)
        self._ends_at, self._has_connects = float("-inf"), False

    def add(self, entries: Iterable[Entry]) -> None:
        """Take in entries, in the order of the file."""
        self._window.add(entries)

    def findings(self) -> list[Finding]:
        """One for each device, worst cause first; of the same cause, first those with most errors. No entries may come after."""
        self._window.finish()
        for device in self._devices.values():
            device.finish()
        log = Log(self._ends_at, self._has_connects)
        return sorted((judge(name, device, log) for name, device in self._devices.items()), key=_place)

    def _take(self, entry: Entry) -> None:
        at, kind, name = entry[:3]
        if at > self._ends_at:  # noqa: PLR1730 - for each record, and `max` takes twice as long
            self._ends_at = at
        if kind == CONNECTED:
            self._has_connects = True
        device = self._devices.get(name)
        if device is None:
            device = self._devices[name] = Device(descending=self._window.descending)
        device.take(entry)


def _place(finding: Finding) -> tuple[int, int, str]:
    return WORST_FIRST.index(finding.told.cause), -sum(finding.errors.values()), finding.told.device_id
