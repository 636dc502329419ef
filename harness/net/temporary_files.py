"""Temporary files by which a program is told something that it takes from files only, such as names of hosts or a certificate authority."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import EnvironmentProblem

__all__ = ["temporary_file"]


@contextmanager
def temporary_file(what: str, text: str) -> Iterator[Path]:
    """A file with this text, ASCII and readable by its owner alone, removed at the end; `what` stands in its name.

    Raises:
        EnvironmentProblem: it cannot be written; says where it would be.
    """
    try:
        number, name = tempfile.mkstemp(prefix=f"harness-{what}-", text=True)
    except OSError as problem:
        raise EnvironmentProblem(
            f"no temporary file can be written in {tempfile.gettempdir()}: {problem.strerror or problem}."
            " Set TMPDIR to a folder that can be written"
        ) from problem
    path = Path(name)
    try:
        with os.fdopen(number, "w", encoding="ascii") as file:
            file.write(text)
        yield path
    finally:
        path.unlink(missing_ok=True)
