"""Write the dossier of defects, `results/BUGS.md`, from the committed logs: `python scripts/bugs.py`.

The defects stand in `results/bugs.toml`. Where the logs no longer show one of them on each of its transports, nothing is written and the exit code is 2.

`python scripts/bugs.py RUN` first takes from a finished run the logs that show what neither the published run nor a recording does, the smallest for each entry
and transport, into `results/published/defects`. Such a run holds the scenarios of all entries, one of which (`network-drop-half-open-long`) waits for seven minutes:

    harness compare --device real --scenario "$(python scripts/bugs.py --scenarios)"

An entry with `options` needs another run, by the command that its section of the page shows.
"""

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from harness.analysis.defects import Defect, Evidence, evidence_of
from harness.analysis.dossier import dossier
from harness.documents import Document, load
from harness.errors import UserInputError
from harness.events import CellLog
from harness.recorded import read_log
from harness.report.dossier import dossier_page
from harness.scenario import find_scenarios

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"
PAGE = RESULTS / "BUGS.md"
TABLE = RESULTS / "bugs.toml"
TAKEN = RESULTS / "published" / "defects" / "cells"


class Table(Document, frozen=True, kw_only=True):
    """`results/bugs.toml`."""

    schema: Literal[1] = 1  # a table without it is read as well
    defects: tuple[Defect, ...]


def committed_logs() -> dict[str, CellLog]:
    """The logs of the published run, those taken besides, and the recordings, by their files."""
    files = sorted([*(RESULTS / "published").rglob("cells/*.jsonl"), *(RESULTS / "recorded").rglob("*.jsonl")])
    return read_logs(files, ROOT)


def read_logs(files: Iterable[Path], root: Path) -> dict[str, CellLog]:
    """The logs in these files, by their names from `root` on."""
    names = {file.relative_to(root).as_posix(): file for file in files}
    return {name: read_log(file.read_bytes(), where=name) for name, file in names.items()}


def page(table: Path = TABLE) -> str:
    """The dossier as the logs have it today.

    Raises:
        UserInputError: an entry is wrong, or not reproduced any more.
    """
    defects = load(table, Table, UserInputError).defects
    return dossier_page(dossier(defects, committed_logs(), find_scenarios().keys()))


def scenarios(table: Path = TABLE) -> list[str]:
    """The bundled scenarios of all entries."""
    named = (name for one in load(table, Table, UserInputError).defects for name in (*one.scenarios, one.repeat))
    return sorted(set(named) & find_scenarios().keys())


def take(run: Path, table: Path = TABLE) -> list[str]:
    """Copy from a run the smallest log of each defect and transport that no other committed log shows; the names of the files."""
    defects = load(table, Table, UserInputError).defects
    others = {name: log for name, log in committed_logs().items() if not (ROOT / name).is_relative_to(TAKEN)}
    shown = evidence_of(defects, others.values())
    logs = read_logs(sorted((run / "cells").glob("*.jsonl")), run)
    found = evidence_of(defects, logs.values())
    wanted = {id(one.log) for defect in defects for one in _lacking(defect, shown[defect.id], found[defect.id])}
    names = [name for name, log in logs.items() if id(log) in wanted]
    TAKEN.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(run / name, TAKEN)
    return names


def _lacking(defect: Defect, shown: Sequence[Evidence], found: Sequence[Evidence]) -> Iterator[Evidence]:
    """For each transport that has nothing to show, the shortest evidence found."""
    seen = {one.log.header.transport for one in shown}
    for transport in defect.transports:
        new = [one for one in found if one.log.header.transport == transport and transport not in seen]
        yield from sorted(new, key=lambda one: len(one.log.events))[:1]


def main(arguments: Sequence[str] = (), table: Path = TABLE) -> int:
    """Write it; the exit code."""
    try:
        if "--scenarios" in arguments:
            sys.stdout.write(f"{','.join(scenarios(table))}\n")
            return 0
        for run in arguments:
            sys.stdout.writelines(f"taken: {name}\n" for name in take(Path(run), table))
        text = page(table)
    except UserInputError as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.exit_code
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
