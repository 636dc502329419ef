"""Files that tell a program the addresses of names, for a runtime that resolves by one (hosts(5); Java: `jdk.net.hosts.file`)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.net.temporary_files import temporary_file

__all__ = ["hosts_file_of"]


@contextmanager
def hosts_file_of(addresses: Mapping[str, str]) -> Iterator[Path]:
    """A temporary file of these addresses by name, removed at the end.

    Raises:
        EnvironmentProblem: it cannot be written; says where it would be.
    """
    lines = "".join(f"{address} {name}\n" for name, address in addresses.items())
    with temporary_file("hosts", lines) as path:
        yield path
