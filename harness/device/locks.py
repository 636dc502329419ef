"""Locks between processes that use one folder: by advisory locks on a file, which the system releases when a process dies.

Whoever removes what a lock is about removes the lock's file too, so that a lock counts only if its file is still the one in the folder. Where the
system has no such locks, everybody gets every lock.
"""

import importlib
import os
import weakref
from pathlib import Path
from types import ModuleType

__all__ = ["FileLock"]


class FileLock:
    """A lock that is held, until it is released or forgotten."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._release = weakref.finalize(self, os.close, descriptor)

    @classmethod
    def attempt(cls, path: Path, *, shared: bool) -> "FileLock | None":
        """The lock of the file at `path`, which is made where it is missing, or nothing if somebody else's lock is in its way.

        Raises:
            OSError: the file cannot be made.
        """
        lock = cls(os.open(path, os.O_RDWR | os.O_CREAT, 0o666))
        if lock._is_granted(shared=shared) and lock._is_current(path):
            return lock
        lock.release()
        return None

    def touch(self) -> None:
        """Note in the file's time of change that it was used now."""
        os.utime(self._descriptor)

    def release(self) -> None:
        """Let others have it; once is enough."""
        self._release()

    def _is_granted(self, *, shared: bool) -> bool:
        fcntl = _fcntl()
        if fcntl is None:
            return True
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _is_current(self, path: Path) -> bool:
        try:
            return os.path.samestat(os.fstat(self._descriptor), path.stat())
        except OSError:
            return False


def _fcntl() -> ModuleType | None:
    try:
        return importlib.import_module("fcntl")
    except ImportError:
        return None
