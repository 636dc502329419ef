"""Locks of files: alone or together, given back in every way, and worth nothing once their file has gone."""

import os
from pathlib import Path
from types import ModuleType

import pytest

from harness.device.locks import FileLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a lock."""
    return tmp_path / "one.lock"


def attempt(path: Path, *, shared: bool) -> FileLock:
    """A lock that nothing is in the way of."""
    lock = FileLock.attempt(path, shared=shared)
    assert lock is not None
    return lock


def test_several_share_a_lock(path: Path) -> None:
    """And keep whoever wants it alone from it."""
    held = [attempt(path, shared=True), attempt(path, shared=True)]
    assert FileLock.attempt(path, shared=False) is None
    for lock in held:
        lock.release()
    attempt(path, shared=False).release()


def test_one_has_a_lock_alone(path: Path) -> None:
    """Neither alone nor together can others have it."""
    held = attempt(path, shared=False)
    assert FileLock.attempt(path, shared=True) is None
    assert FileLock.attempt(path, shared=False) is None
    held.release()


def test_a_lock_is_released_once(path: Path) -> None:
    """Twice does no harm; and what is forgotten is released."""
    lock = attempt(path, shared=False)
    lock.release()
    lock.release()
    lock = attempt(path, shared=False)
    del lock
    attempt(path, shared=False).release()


def test_a_lock_whose_file_was_removed_is_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its opening and its locking: whoever came later has another file."""
    real_open = os.open

    def open_and_lose(name: Path, *arguments: int) -> int:
        descriptor = real_open(name, *arguments)
        name.unlink()
        return descriptor

    monkeypatch.setattr(os, "open", open_and_lose)
    assert FileLock.attempt(path, shared=False) is None


def test_a_lock_tells_when_it_was_used(path: Path) -> None:
    """By its file's time of change."""
    lock = attempt(path, shared=True)
    os.utime(path, (0, 0))
    lock.touch()
    assert path.stat().st_mtime > 1e9
    lock.release()


def test_a_system_without_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps nobody apart."""

    def no_module(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", no_module)
    held = attempt(path, shared=False)
    attempt(path, shared=False).release()
    held.release()
