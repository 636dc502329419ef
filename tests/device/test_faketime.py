"""Tests of what a process is told whose clock is to be off, and of where libfaketime is looked for."""

from pathlib import Path

import pytest

from harness.device import faketime
from harness.device.faketime import find_library, forget_shared_clock, shifted_clock
from harness.errors import EnvironmentProblem


@pytest.mark.parametrize("folder", ["usr/lib/x86_64-linux-gnu/faketime", "usr/lib/faketime", "usr/local/lib/faketime"])
def test_the_library_is_found_where_systems_put_it(tmp_path: Path, folder: str) -> None:
    """The one for programs with threads."""
    library = tmp_path / folder / "libfaketimeMT.so.1"
    library.parent.mkdir(parents=True)
    library.with_name("libfaketime.so.1").touch()
    assert find_library(tmp_path) is None
    library.touch()
    assert find_library(tmp_path) == library


@pytest.mark.parametrize(("ahead_s", "told"), [(360.0, "+360"), (-360.0, "-360"), (0.5, "+0.5"), (1e6, "+1000000")])
def test_a_process_is_told_by_how_much_it_is_off(monkeypatch: pytest.MonkeyPatch, ahead_s: float, told: str) -> None:
    """In seconds, in plain figures."""
    monkeypatch.setattr(faketime, "find_library", lambda: Path("/there/libfaketimeMT.so.1"))
    variables = shifted_clock(ahead_s)
    assert (variables["LD_PRELOAD"], variables["FAKETIME"]) == ("/there/libfaketimeMT.so.1", told)


def test_only_the_wall_clock_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the clock by which programs wait, nor the times of files."""
    monkeypatch.setattr(faketime, "find_library", lambda: Path("/there/libfaketimeMT.so.1"))
    assert {"FAKETIME_DONT_FAKE_MONOTONIC", "FAKETIME_FORCE_MONOTONIC_FIX", "NO_FAKE_STAT"} < shifted_clock(60.0).keys()


def test_what_a_process_leaves_behind_is_removed(tmp_path: Path) -> None:
    """Of that process alone, and nothing is missed where it left nothing."""
    for name in ("faketime_shm_7", "sem.faketime_sem_7", "faketime_shm_77"):
        (tmp_path / name).touch()
    forget_shared_clock(7, tmp_path)
    forget_shared_clock(7, tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["faketime_shm_77"]


def test_without_the_library_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a clock is to be off, and only there."""
    monkeypatch.setattr(faketime, "find_library", lambda: None)
    assert shifted_clock(0.0) == {}
    with pytest.raises(
        EnvironmentProblem, match=r"needs libfaketime, which is not installed \(apt-get install libfaketime\)"
    ):
        shifted_clock(1.0)
