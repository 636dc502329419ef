"""`harness diagnose`: what the devices in the log of a real hub suffer from."""

import contextlib
import difflib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import click

from harness.cli.streams import complain, json_text, note, show
from harness.diagnosis import SPAN, Diagnosis, Export, Finding, Patients
from harness.errors import LogError, UserInputError
from harness.report.diagnosis import diagnosis_text
from harness.report.neutral import neutral

__all__ = ["diagnose"]

INTERRUPTED = 130
STANDARD_INPUT = "-"
NAME_OF_INPUT = "standard input"
LINES = 20
NEAR = 5


@click.command()
@click.argument("file", type=click.Path(readable=False, allow_dash=True))
@click.option("--device", "devices", metavar="ID", multiple=True, help="Show only this device. Repeatable.")
@click.option(
    "--limit",
    type=click.IntRange(0),
    help=f"Show so many devices, the worst first; 0: all.  [default: {LINES}, all in JSON]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the devices as JSON.")
@click.option("--quiet", is_flag=True, help="Say nothing about what was read.")
def diagnose(file: str, devices: Sequence[str], limit: int | None, *, as_json: bool, quiet: bool) -> int:
    """Tell renewal noise from real refusals in FILE, the log of an Azure IoT hub, device by device; `-` is standard input.

    FILE is an export of the category Connections: JSON lines or {"records": ...} from a storage account or an event hub, or a query's result from Log
    Analytics as CSV or JSON, packed by gzip or not. JSON lines and CSV take memory for each device and for the records of a window; a single JSON document
    takes it for the whole document. Records may be out of order, missing or there twice;
    what cannot be read is left out, told on standard error, and makes the exit code 2.
    """
    patients, code = Patients(), 0
    with _opened(file) as (stream, name):
        export = Export(stream, name)
        try:
            _read(export, patients, stream, quiet=quiet)
        except KeyboardInterrupt:
            code = INTERRUPTED
    everyone = patients.findings() if export.read else []
    found = _chosen(everyone, devices, name) if everyone else []
    misplaced = sum(one.misplaced for one in everyone)
    if as_json:
        told = tuple(one.told for one in found[: limit or None])
        show(json_text(Diagnosis(1, told, export.unreadable, misplaced)))
    elif found:
        show(diagnosis_text(found, LINES if limit is None else limit))
    if not quiet:
        note(_what_was_read(name, export))
    if misplaced:
        complain(_disorder(name, everyone, misplaced))
    for problem in filter(None, (export.left_out, export.cut_short)):
        complain(problem)
        code = code or LogError.exit_code
    if code == INTERRUPTED:
        complain(f"interrupted: {name} was not read to its end, so this is incomplete")
    return code


@contextlib.contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, str]]:
    """The bytes of FILE, and its name for people.

    Raises:
        LogError: it cannot be opened.
    """
    if file == STANDARD_INPUT:
        if sys.stdin is None:  # so it is where the descriptor was closed from the beginning
            raise LogError("is closed", where=NAME_OF_INPUT, remedy="Name a file")
        yield sys.stdin.buffer, NAME_OF_INPUT
        return
    try:
        stream = open(file, "rb")  # noqa: SIM115, PTH123 - closed below; `-` is no path
    except OSError as problem:
        remedy = "Name a file that harness diagnose can read, or - for standard input"
        raise LogError(f"cannot be read ({problem.strerror})", where=file, remedy=remedy) from problem
    with stream:
        yield stream, file


def _read(export: Export, patients: Patients, stream: BinaryIO, *, quiet: bool) -> None:
    """Take in all records, with a bar for somebody who watches."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        for batch in export.batches():
            patients.add(batch)
        return
    from harness.cli.reading_progress import ReadingProgress  # noqa: PLC0415 - rich is slow to import

    with ReadingProgress(_size(stream)) as progress:
        for batch in export.batches():
            patients.add(batch)
            progress.at(_position(stream), export.read)


def _size(stream: BinaryIO) -> int | None:
    """How many bytes there are, where that is known."""
    facts = os.fstat(stream.fileno())
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def _position(stream: BinaryIO) -> int:
    return stream.tell() if stream.seekable() else 0


def _chosen(found: list[Finding], devices: Sequence[str], name: str) -> list[Finding]:
    """Those that were asked for.

    Raises:
        UserInputError: one of them is not there.
    """
    if not devices:
        return found
    known = {one.told.device_id: one for one in found}
    for device in devices:
        if device not in known:
            near = difflib.get_close_matches(device, known, NEAR) or list(known)[:NEAR]
            raise UserInputError(
                f"there is no device {neutral(device)!r}",
                where=name,
                field="--device",
                remedy=f"Name one of those in it, as {', '.join(map(neutral, near))}",
            )
    return [one for one in found if one.told.device_id in devices]


def _disorder(name: str, everyone: Sequence[Finding], misplaced: int) -> UserInputError:
    """What it means that records could not be put in order."""
    devices = sum(1 for one in everyone if one.misplaced)
    return UserInputError(
        f"{misplaced} records stand more than {SPAN} records from their place in time, so causes may be wrong for as many devices as {devices} "
        "(renewal noise then looks like network)",
        where=name,
        remedy="Sort the export by its time and read it again",
    )


def _what_was_read(name: str, export: Export) -> str:
    """One line: the form, how many records, and what else was there."""
    skipped = ", ".join(f"{count} of {neutral(what)}" for what, count in export.skipped.items())
    told = [f"{name}: {export.form}", f"{export.read} records of connections", f"skipped {skipped}" if skipped else ""]
    return neutral(", ".join(filter(None, told)))
