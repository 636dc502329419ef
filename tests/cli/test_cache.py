"""`harness cache`, with environments that are installed in no time."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.device.environments import Environments, cache_folder
from harness.profile import at_version, load_profile

PROFILE = """
schema = 1
sdk = "fake"
name = "A fake SDK"
language = "Python"
version = "1.0"
transports = ["mqtt"]

[[settings]]
lifetime_s = 30

[adapter]
command = ["{python}", "device.py"]
runtime = "python"
transports = ["mqtt"]
install = ["{python}", "-c", "pass", "1.0"]

[adapter.other_versions]
install = ["{python}", "-c", "pass", "{version}"]

[emulation]
user_agent = "mine/1.0"
api_version = "2021-04-12"
keep_alive_s = 60
default_lifetime_s = 3600
renewal = { law = "fraction", fraction = 0.8 }
"""


class World:
    """A profile of a fake SDK, and a cache in which it is installed on request."""

    def __init__(self, folder: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.profile, self.root, self._capsys = folder / "fake", root, capsys
        self.profile.mkdir()
        (self.profile / "profile.toml").write_text(PROFILE)
        (self.profile / "device.py").write_text("pass")
        self.held = Environments(root, lambda _: None)

    def install(self, *versions: str) -> None:
        """Install these versions, which are in use until `held` is closed."""
        loaded = load_profile(self.profile)
        asyncio.run(self.held.prepare_all([at_version(loaded, version) for version in versions]))

    def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Run `harness cache` and return what it says on both streams."""
        with pytest.raises(SystemExit) as caught:
            main(["cache", *arguments, "--profiles", str(self.profile)])
        said = self._capsys.readouterr()
        assert caught.value.code == code, said
        return said.out, said.err

    def left(self) -> list[tuple[str, str]]:
        """Version and state of what is listed."""
        document = json.loads(self.run("list", "--json")[0])
        assert (document["schema"], document["folder"]) == (1, str(self.root))
        return [(one["version"], one["state"]) for one in document["environments"]]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    """A cache of its own."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    world = World(tmp_path, cache_folder({"HARNESS_CACHE": str(tmp_path / "cache")}), capsys)
    yield world
    world.held.close()


def test_an_empty_cache(world: World) -> None:
    """It says where it would be."""
    assert world.run("list")[0] == f"Nothing is installed.\n\n0 in {world.root}, 0 B\n"
    assert world.run("clear", "--all")[0] == "Nothing to remove.\n"


def test_what_is_installed_is_listed(world: World) -> None:
    """With its size, its times, its fingerprint, and whether it is current."""
    world.install("1.0", "2.0")
    lines = world.run("list")[0].splitlines()
    time = r"\d{4}-\d\d-\d\d \d\d:\d\dZ"
    for line, version in zip(lines[2:], ("1.0", "2.0"), strict=False):
        assert re.fullmatch(rf"fake +{version} +current, in use +\d+ B +{time} +{time} +[0-9a-f]{{12}} *", line)


def test_what_no_comparison_would_use_is_stale(world: World) -> None:
    """Here the device program has changed; only such goes with --stale."""
    world.install("1.0")
    (world.profile / "device.py").write_text("pass # changed")
    world.install("2.0")
    world.held.close()
    assert world.left() == [("1.0", "stale"), ("2.0", "current")]
    assert re.search(r"\n1 removed, [1-9]\d* B\n$", world.run("clear", "--stale", "--yes")[0])
    assert world.left() == [("2.0", "current")]


def test_a_version_that_its_profile_has_given_up_is_stale(world: World) -> None:
    """Nothing would install it any more."""
    world.install("2.0")
    text = PROFILE.replace("[adapter.other_versions]\n", "").replace(
        'install = ["{python}", "-c", "pass", "{version}"]\n', ""
    )
    (world.profile / "profile.toml").write_text(text)
    assert world.left() == [("2.0", "stale")]


def test_what_nothing_is_known_about_stays(world: World) -> None:
    """A profile that is not among those of this call may need it."""
    world.install("1.0")
    world.held.close()
    (world.profile / "profile.toml").write_text(PROFILE.replace('"fake"', '"other"'))
    assert world.left() == [("1.0", "unknown")]
    assert world.run("clear", "--stale", "--yes")[0] == "Nothing to remove.\n"


def test_the_log_of_a_failed_install_is_broken(world: World) -> None:
    """And goes with what is stale."""
    (world.profile / "profile.toml").write_text(PROFILE.replace('"pass", "1.0"', '"raise SystemExit(1)", "1.0"'))
    world.install("1.0")
    assert world.left() == [("1.0", "broken")]
    world.run("clear", "--stale", "--yes")
    assert world.left() == []


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--sdk", "fake"], []),
        (["--sdk", "fake@1.0,3.0"], ["2.0"]),
        (["--sdk", "other"], ["1.0", "2.0", "3.0"]),
        (["--all"], []),
        (["--stale"], ["1.0", "2.0", "3.0"]),
    ],
)
def test_what_is_asked_for_is_removed(world: World, arguments: list[str], left: list[str]) -> None:
    """By SDK, by version, or all."""
    world.install("1.0", "2.0", "3.0")
    world.held.close()
    world.run("clear", "--yes", *arguments)
    assert [version for version, _ in world.left()] == left


def test_nothing_is_removed_without_being_named(world: World) -> None:
    """The options are told."""
    assert "Say --sdk, --stale or --all" in world.run("clear", code=2)[1]


def test_it_is_asked_before_anything_is_removed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After it has been shown; `no` leaves everything."""
    world.install("1.0")
    world.held.close()
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    shown = world.run("clear", "--all")[0]
    assert "fake 1.0  " in shown
    assert shown.endswith("Nothing is removed.\n")
    assert [version for version, _ in world.left()] == ["1.0"]
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "y")
    world.run("clear", "--all")
    assert world.left() == []


@pytest.mark.parametrize(
    ("ending", "code", "part"), [(EOFError, 2, "nobody answers. Add --yes"), (KeyboardInterrupt, 130, "interrupted")]
)
def test_without_an_answer_nothing_is_removed(
    world: World, monkeypatch: pytest.MonkeyPatch, ending: type[BaseException], code: int, part: str
) -> None:
    """A script that forgets --yes is told so; Ctrl-C is what it always is."""
    world.install("1.0")
    world.held.close()

    def unanswered(_: str) -> str:
        raise ending

    monkeypatch.setattr("click.termui.visible_prompt_func", unanswered)
    assert part in world.run("clear", "--all", code=code)[1]
    assert [version for version, _ in world.left()] == ["1.0"]


def test_what_is_in_use_is_not_removed(world: World) -> None:
    """It is said, and the exit code tells."""
    world.install("1.0")
    assert "fake 1.0 is in use and stays" in world.run("clear", "--all", "--yes", code=2)[1]
    assert [version for version, _ in world.left()] == ["1.0"]


def test_what_cannot_be_removed_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others go all the same."""
    world.install("1.0")
    world.held.close()

    def refused(*_: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("harness.cli.cache.remove", refused)
    assert "cannot be removed (Permission denied)" in world.run("clear", "--all", "--yes", code=2)[1]
