"""Tests of what the doctor says about an SDK that has to be installed."""

import asyncio
from pathlib import Path

import pytest
from support.plans import a_profile, program

from harness.device.environments import Environments
from harness.profile import LoadedProfile
from harness.run.health import Check, examine

INSTALL = ("{python}", "-c", "import pathlib; pathlib.Path('installed').touch()")


def checked(loaded: LoadedProfile, cache: Path, *, install: bool) -> Check:
    """The finding about one SDK."""
    environments = Environments(cache, lambda _: None)
    return asyncio.run(examine([loaded], environments, install=install))[-1]


def an_sdk(*install: str) -> LoadedProfile:
    """A profile whose device program is a polite one."""
    return a_profile(adapter=program("{python}", "polite.py", install=install))


def test_an_sdk_that_is_not_installed_yet_is_left_alone(tmp_path: Path) -> None:
    """Looking does not install; what would is named."""
    check = checked(an_sdk(*INSTALL), tmp_path / "cache", install=False)
    assert (check.name, check.state) == ("one 1.0", "ok")
    assert check.found == "Python is there; the SDK is not installed yet: the first comparison installs it"
    assert check.remedy == "harness doctor --install does it now"
    assert not (tmp_path / "cache").exists()


def test_it_is_installed_where_that_is_asked_for(tmp_path: Path) -> None:
    """And then found, and its handshake made in its environment."""
    loaded = an_sdk(*INSTALL)
    asked = checked(loaded, tmp_path, install=True)
    assert (asked.state, asked.found) == ("ok", "real, on test; mqtt; can: lifetime, own-token")
    assert checked(loaded, tmp_path, install=False) == asked


@pytest.mark.parametrize("install", [True, False])
def test_an_sdk_that_needs_no_install_is_there(tmp_path: Path, install: bool) -> None:  # noqa: FBT001 - both ways
    """As the harness's own."""
    assert checked(an_sdk(), tmp_path, install=install).found == "real, on test; mqtt; can: lifetime, own-token"


def test_a_broken_install_is_told_with_its_log(tmp_path: Path) -> None:
    """It will be emulated."""
    check = checked(an_sdk("{python}", "-c", "raise SystemExit(1)"), tmp_path, install=True)
    assert check.state == "limited"
    assert check.found.startswith("emulated only: one 1.0 could not be installed: ")
    assert f"stands in {tmp_path}" in check.found
