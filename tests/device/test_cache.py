"""What stands in the cache, and how it is removed."""

import asyncio
import os
from pathlib import Path

import pytest
from support.plans import a_profile, program

from harness.device.cache import listed, remove
from harness.device.environments import Environments
from harness.device.locks import FileLock
from harness.errors import EnvironmentProblem
from harness.profile import LoadedProfile


def sdk(folder: Path, code: str = "pass") -> LoadedProfile:
    """A profile whose SDK is installed by a line of Python."""
    source = folder / "one"
    source.mkdir(exist_ok=True)
    (source / "device.py").write_text("pass", encoding="utf-8")
    return a_profile(adapter=program("{python}", "device.py", install=("{python}", "-c", code)), folder=source)


def installed(folder: Path, root: Path) -> tuple[Environments, str]:
    """One environment that is in use until it is closed, and its name."""
    environments = Environments(root, lambda _: None)
    name = asyncio.run(environments.prepare(sdk(folder))).folder.name
    return environments, name


def test_there_is_no_cache_at_first(tmp_path: Path) -> None:
    """Which is no error."""
    assert listed(tmp_path / "none") == []


def test_an_environment_is_listed_with_what_it_is(tmp_path: Path) -> None:
    """From its record, its files and its lock."""
    environments, name = installed(tmp_path, tmp_path / "cache")
    (found,) = listed(tmp_path / "cache")
    assert (found.name, found.sdk, found.version, found.whole, found.in_use) == (name, "one", "1.0", True, True)
    assert found.fingerprint.startswith(name.rpartition("-")[2])
    assert found.runtime.startswith("Python 3.")
    assert found.size > len("pass")
    assert found.used >= found.made > 1e9
    environments.close()
    assert not listed(tmp_path / "cache")[0].in_use


def test_it_is_noted_when_an_environment_was_used_last(tmp_path: Path) -> None:
    """Every time it is made ready for a run."""
    environments, name = installed(tmp_path, tmp_path / "cache")
    environments.close()
    os.utime(tmp_path / "cache" / f"{name}.lock", (1, 1))
    assert listed(tmp_path / "cache")[0].used == 1
    installed(tmp_path, tmp_path / "cache")[0].close()
    assert listed(tmp_path / "cache")[0].used > 1e9


def test_what_a_failed_install_left_is_listed(tmp_path: Path) -> None:
    """Its log, under the name that the environment would have had."""
    with pytest.raises(EnvironmentProblem):
        asyncio.run(Environments(tmp_path / "cache", lambda _: None).prepare(sdk(tmp_path, "raise SystemExit(1)")))
    (found,) = listed(tmp_path / "cache")
    assert (found.sdk, found.version, found.whole) == ("one", "1.0", False)
    assert remove(tmp_path / "cache", found.name)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("record", "expected"),
    [('{"what": "two 2.0"}', ("two", "2.0")), ("garbage", ("one", "1.0")), (None, ("one", "1.0"))],
)
def test_environments_of_before_are_listed(tmp_path: Path, record: str | None, expected: tuple[str, str]) -> None:
    """By what there is: the record of an older harness, or the folder's name."""
    folder = tmp_path / "one-1.0-0123456789ab"
    folder.mkdir()
    if record is not None:
        (folder / ".environment.json").write_text(record)
    (found,) = listed(tmp_path)
    assert (found.sdk, found.version, found.in_use) == (*expected, False)


def test_a_stray_folder_is_listed_too(tmp_path: Path) -> None:
    """Under its own name, so that it can be removed."""
    (tmp_path / "stray").mkdir()
    (found,) = listed(tmp_path)
    assert (found.sdk, found.version) == ("stray", "")


def test_an_environment_is_removed_whole(tmp_path: Path) -> None:
    """With its log and its lock."""
    environments, name = installed(tmp_path, tmp_path / "cache")
    environments.close()
    assert remove(tmp_path / "cache", name)
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    """Until it is let go."""
    environments, name = installed(tmp_path, tmp_path / "cache")
    assert not remove(tmp_path / "cache", name)
    assert (tmp_path / "cache" / name / "device.py").exists()
    environments.close()
    assert remove(tmp_path / "cache", name)


def test_what_is_being_installed_stays(tmp_path: Path) -> None:
    """Its installer has the lock alone, and finds its folder as it was."""
    (tmp_path / "one-1.0-0123456789ab.part").mkdir()
    installer = FileLock.attempt(tmp_path / "one-1.0-0123456789ab.lock", shared=False)
    assert installer is not None
    (found,) = listed(tmp_path)
    assert (found.whole, found.in_use) == (False, True)
    assert not remove(tmp_path, found.name)
    installer.release()
    assert remove(tmp_path, found.name)


def test_a_removal_that_was_interrupted_is_ended_by_the_next(tmp_path: Path) -> None:
    """What is left of it is listed with its size, so that it does not stay for good."""
    left = tmp_path / "one-1.0-0123456789ab.doomed"
    left.mkdir()
    (left / "half").write_text("12345")
    (found,) = listed(tmp_path)
    assert (found.sdk, found.version, found.whole, found.size) == ("one", "1.0", False, 5)
    assert remove(tmp_path, found.name)
    assert list(tmp_path.iterdir()) == []


def test_what_was_removed_is_installed_again(tmp_path: Path) -> None:
    """By whoever needs it next."""
    environments, name = installed(tmp_path, tmp_path / "cache")
    environments.close()
    remove(tmp_path / "cache", name)
    assert installed(tmp_path, tmp_path / "cache")[1] == name
