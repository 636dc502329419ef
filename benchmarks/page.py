"""How long the page of 500 cells takes, and how long it is, beside bare Python doing the least possible with the same logs.

The cells are those of the published run, again and again under names of their own. What is timed, in turns and by the wall clock:

bare      `json.loads` of every line of the logs
analyse   the logs read and analysed, as `harness analyse` does it, whether a page is asked for or not
page      the page: what it tells of each cell (its story, its picture, what is shown of its log), to the text of the file
"""

import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from tabulate import tabulate

from harness.cli.page import page_of
from harness.cli.results import derive
from harness.runfolder import read_run

__all__ = ["PAGE", "PageFigures", "measure_page", "page_table"]

T = TypeVar("T")
PAGE: Final = "page"
"""Its name among those of the workloads."""
CELLS: Final = 500
TARGET_MS: Final = 1000.0
TARGET_BYTES: Final = 2_000_000
_PUBLISHED: Final = Path(__file__).parents[1] / "results" / "published" / "reference"


class Stage(msgspec.Struct, frozen=True):
    """One step: wall-clock milliseconds of every sample, and their median."""

    name: str
    median_ms: float
    samples_ms: tuple[float, ...]


class PageFigures(msgspec.Struct, frozen=True):
    """`page_bytes`: how long the page is, in UTF-8; `log_bytes`: how long the logs are that it was made from."""

    cells: int
    stages: tuple[Stage, ...]
    page_bytes: int
    log_bytes: int


def measure_page(rounds: int, cells: int = CELLS) -> PageFigures:
    """All stages, `rounds` times one after the other, after once that is not counted."""
    with _a_run(cells) as run:
        samples: dict[str, list[float]] = {}
        size = 0
        for number in range(rounds + 1):
            size = _once(run, samples if number else {})
        logs = sum(file.stat().st_size for file in (run / "cells").iterdir())
    stages = (Stage(name, round(statistics.median(told), 1), tuple(told)) for name, told in samples.items())
    return PageFigures(cells, tuple(stages), size, logs)


@contextmanager
def _a_run(cells: int) -> Iterator[Path]:
    """A run's folder with so many cells."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        (run / "cells").mkdir()
        files = sorted((_PUBLISHED / "cells").glob("*.jsonl"))
        names = []
        for number, file in enumerate(itertools.islice(itertools.cycle(files), cells)):
            head, newline, rest = file.read_bytes().partition(b"\n")
            header = {**json.loads(head), "cell": f"{number}-{file.stem}", "repeat": 1 + number // len(files)}
            (run / "cells" / f"{header['cell']}.jsonl").write_bytes(msgspec.json.encode(header) + newline + rest)
            names.append(header["cell"])
        record = msgspec.structs.replace(read_run(_PUBLISHED), cells=tuple(names))
        (run / "run.json").write_bytes(msgspec.json.encode(record))
        yield run


def _once(run: Path, samples: dict[str, list[float]]) -> int:
    """Every stage once; the length of the page."""
    _timed("bare", samples, lambda: _bare(run))
    results = _timed("analyse", samples, lambda: derive(run))
    return len(_timed("page", samples, lambda: page_of(results)).encode())


def _timed(name: str, samples: dict[str, list[float]], work: Callable[[], T]) -> T:
    began = time.perf_counter()
    result = work()
    samples.setdefault(name, []).append(round((time.perf_counter() - began) * 1e3, 1))
    return result


def _bare(run: Path) -> None:
    for file in (run / "cells").iterdir():
        for line in file.read_bytes().splitlines():
            json.loads(line)


def page_table(found: PageFigures) -> str:
    """The stages, then the length; with the targets, met or not."""
    bare = found.stages[0].median_ms
    rows = [
        [
            one.name,
            f"{one.median_ms:.0f} ms",
            f"{min(one.samples_ms):.0f} to {max(one.samples_ms):.0f}",
            f"{one.median_ms / bare:.1f} x",
            f"<= {TARGET_MS:.0f} ms: {_met(one.median_ms <= TARGET_MS)}" if one.name == "page" else "",
        ]
        for one in found.stages
    ]
    table = tabulate(rows, ["stage", "median", "samples", "of bare Python", "target"], tablefmt="simple")
    size = f"{found.page_bytes / 1e6:.2f} MB for {found.cells} cells, whose logs have {found.log_bytes / 1e6:.1f} MB"
    return f"{table}\n\n{size}; target <= {TARGET_BYTES / 1e6:g} MB: {_met(found.page_bytes <= TARGET_BYTES)}"


def _met(fulfilled: bool) -> str:  # noqa: FBT001 - the only thing there is to say
    return "met" if fulfilled else "not met"
