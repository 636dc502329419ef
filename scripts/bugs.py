"""Write the dossier of defects, `results/BUGS.md`, from the committed logs: `python scripts/bugs.py`.

The defects stand in `results/bugs.toml`. Where the logs no longer show one of them on each of its transports, nothing is written and the exit code is 2.
"""

import sys
from pathlib import Path

from harness.analysis.defects import Defect
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


class Table(Document, frozen=True):
    """`results/bugs.toml`."""

    defects: tuple[Defect, ...]


def committed_logs() -> dict[str, CellLog]:
    """The logs of the published run and of the recordings, by their files."""
    files = sorted([*(RESULTS / "published").rglob("cells/*.jsonl"), *(RESULTS / "recorded").rglob("*.jsonl")])
    names = [file.relative_to(ROOT).as_posix() for file in files]
    return {name: read_log(file.read_bytes(), where=name) for name, file in zip(names, files, strict=True)}


def page(table: Path = TABLE) -> str:
    """The dossier as the logs have it today.

    Raises:
        UserInputError: an entry is wrong, or not reproduced any more.
    """
    defects = load(table, Table, UserInputError).defects
    return dossier_page(dossier(defects, committed_logs(), find_scenarios().keys()))


def main(table: Path = TABLE) -> int:
    """Write it; the exit code."""
    try:
        text = page(table)
    except UserInputError as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.exit_code
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
