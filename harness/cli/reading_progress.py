"""A bar while a long file is read, for somebody who watches."""

import sys
from types import TracebackType
from typing import IO, Self, cast

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from harness.cli.streams import Lossy

__all__ = ["ReadingProgress"]


class ReadingProgress:
    """Shows how far a file of `size` bytes is read; without one, only how many records came."""

    def __init__(self, size: int | None) -> None:
        console = Console(file=cast("IO[str]", Lossy(sys.stderr)), stderr=True, highlight=False)
        columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TextColumn("{task.fields[records]} records,"))
        self._bar = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
        self._task = self._bar.add_task("reading", total=size, records=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def at(self, position: int, records: int) -> None:
        """So many bytes are read, and so many records of a connection were in them."""
        self._bar.update(self._task, completed=position, records=records)
