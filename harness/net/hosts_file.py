"""Files that tell a program the addresses of names, for a runtime that resolves by one (hosts(5); Java: `jdk.net.hosts.file`)."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.errors import EnvironmentProblem

__all__ = ["hosts_file_of"]


@contextmanager
def hosts_file_of(addresses: Mapping[str, str]) -> Iterator[Path]:
    """A temporary file of these addresses by name, removed at the end.

    Raises:
        EnvironmentProblem: it cannot be written; says where it would be.
    """
    lines = "".join(f"{address} {name}\n" for name, address in addresses.items())
    try:
        number, name = tempfile.mkstemp(prefix="harness-hosts-", text=True)
    except OSError as problem:
        raise EnvironmentProblem(
            f"no temporary file can be written in {tempfile.gettempdir()}: {problem.strerror or problem}."
            " Set TMPDIR to a folder that can be written"
        ) from problem
    path = Path(name)
    try:
        with os.fdopen(number, "w", encoding="ascii") as file:
            file.write(lines)
        yield path
    finally:
        path.unlink(missing_ok=True)
