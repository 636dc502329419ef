"""`harness record`: bring logs of a finished run into the form of recorded evidence."""

import contextlib
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

import click

from harness.analysis.fields import of_kind, text
from harness.cli.streams import show
from harness.errors import LogError, UserInputError
from harness.events import CellLog
from harness.recorded import Provenance, read_log, record_log, recording_name
from harness.runfolder import default_root, read_cells

__all__ = ["record"]

_ELSEWHERE = "Name another folder with --out DIR"


@click.command()
@click.argument("logs", metavar="LOG...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--built", required=True, metavar="TEXT", help="Where the SDK's binary came from, as `NuGet package 1.42.3`."
)
@click.option(
    "--machine", default="", metavar="TEXT", help="On what it was measured: system, processor, virtual or not."
)
@click.option("--runtime", default="", metavar="TEXT", help="The SDK's runtime, where its device program did not say.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Where the recordings go; results/recorded."
)
def record(logs: Sequence[Path], built: str, machine: str, runtime: str, out: Path | None) -> int:
    """Write recorded logs from LOG..., each a cell's file of a finished run, or a run's folder, for all its finished real devices.

    A recorded log carries its provenance and a digest. It can be analysed anywhere and is shown beside the runs of others, never as theirs.
    Where one of the logs cannot be recorded, none is written.
    """
    root = out or default_root(Path.cwd()).with_name("recorded")
    ready: dict[Path, bytes] = {}
    for where, log in [found for path in logs for found in _found(path)]:
        provenance = _provenance(log, built.strip(), machine.strip(), runtime.strip())
        target = root / recording_name(provenance) / f"{log.header.cell}.jsonl"
        _check_free(target, ready)
        ready[target] = record_log(log, provenance, where=where)
    for target, content in ready.items():
        _write(target, content)
        show(str(target))
    return 0


def _found(path: Path) -> Iterator[tuple[str, CellLog]]:
    """The log in the file, or those of the run's finished real devices."""
    if path.is_file():
        yield str(path), read_log(_content(path), where=str(path))
        return
    logs = [log for log in read_cells(path) if isinstance(log, CellLog)]
    able = [log for log in logs if log.header.device != "emulated" and log.complete and _is_finished(log)]
    if not able:
        raise LogError(
            "holds no finished cell of a real device", where=str(path), remedy="Name a run that measured one"
        )
    for log in able:
        yield f"{path}: {log.header.cell}", log


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise LogError(
            f"cannot be read ({problem.strerror})", where=str(path), remedy="Check its permissions"
        ) from problem


def _is_finished(log: CellLog) -> bool:
    return log.events[-1].fields.get("status") == "finished"


def _provenance(log: CellLog, built: str, machine: str, runtime: str) -> Provenance:
    """What the log says of itself, completed by what its owner says."""
    header = log.header
    hello = next(of_kind(log.events, "app", "hello"), None)
    said = {} if hello is None else hello.fields
    return Provenance(
        date=header.started[:10],
        sdk=header.sdk,
        version=text(said, "sdk_version") or header.version,
        runtime=runtime or text(said, "runtime"),
        built=built,
        hub=f"the emulated hub of harness {header.harness}",
        machine=machine,
    )


def _check_free(target: Path, ready: Container[Path]) -> None:
    """Evidence is never written over.

    Raises:
        UserInputError: a recording of that name is there, or is about to be.
    """
    if target in ready or target.exists():
        why = "two of the logs would have this name" if target in ready else "File exists"
        raise UserInputError(f"cannot be written ({why})", where=str(target), remedy=_ELSEWHERE)


def _write(target: Path, content: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            try:
                file.write(content)
            except OSError:
                with contextlib.suppress(OSError):
                    target.unlink()
                raise
    except OSError as problem:
        raise UserInputError(
            f"cannot be written ({problem.strerror or problem})",
            where=str(target),
            remedy=_ELSEWHERE,
        ) from problem
