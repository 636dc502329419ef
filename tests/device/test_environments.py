"""Tests of installing SDKs into folders of their own: once, whole or not at all, and with a log. Nothing is downloaded."""

import asyncio
import contextlib
import json
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.adapter_rig import is_running
from support.plans import a_profile, program

from harness.clock import RealClock
from harness.device.adapter import handshake
from harness.device.driver import Hello
from harness.device.environments import Environments, cache_folder, fingerprint
from harness.device.runtimes import RUNTIMES, Runtime
from harness.errors import EnvironmentProblem
from harness.profile import KnownVersion, LoadedProfile, OtherVersions, at_version

MARK = "import pathlib; pathlib.Path('installed').write_text('yes')"


class Cache:
    """A cache below a temporary folder, and what was said about it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.said = folder / "cache", list[str]()

    def environments(self, **changes: Any) -> Environments:
        """Another process's view of the cache."""
        return Environments(self.root, self.said.append, **changes)

    def prepare(self, loaded: LoadedProfile, **changes: Any) -> LoadedProfile:
        """Prepare one environment."""
        return asyncio.run(self.environments(**changes).prepare(loaded))

    def names(self) -> list[str]:
        """The endings of what stands in the cache."""
        return sorted(path.suffix if path.is_file() else "folder" for path in self.root.iterdir())


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty cache."""
    return Cache(tmp_path)


def sdk(folder: Path, code: str = MARK, name: str = "one") -> LoadedProfile:
    """A profile whose SDK is installed by a line of Python."""
    source = folder / name
    source.mkdir(exist_ok=True)
    (source / "device.py").write_text("pass", encoding="utf-8")
    adapter = program("{python}", "device.py", install=("{python}", "-c", code))
    return a_profile(name, adapter=adapter, folder=source)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, which is a matter of moments."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HARNESS_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, "/c/environments"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/iot-credential-expiry-harness/environments"),
        ({"XDG_CACHE_HOME": "relative"}, "~/.cache/iot-credential-expiry-harness/environments"),
        ({}, "~/.cache/iot-credential-expiry-harness/environments"),
    ],
)
def test_the_cache_stands_where_the_user_says(variables: dict[str, str], expected: str) -> None:
    """A relative XDG path does not count, as its specification says."""
    assert cache_folder(variables) == Path(expected).expanduser()


def test_a_profile_without_an_install_command_is_left_as_it_is(cache: Cache) -> None:
    """Its program runs in the profile's folder."""
    loaded = a_profile(adapter=program("{python}", "device.py"))
    assert cache.prepare(loaded) is loaded
    assert asyncio.run(cache.environments().find(loaded)) is loaded


def test_an_sdk_is_installed_into_a_copy(cache: Cache, tmp_path: Path) -> None:
    """The profile's folder is not touched; one line says what is done and where its log is."""
    loaded = sdk(tmp_path, f"{MARK}; print('hello')")
    folder = cache.prepare(loaded).folder
    assert (folder.parent, folder.name.rpartition("-")[0]) == (cache.root, "one-1.0")
    assert {path.name for path in folder.iterdir()} == {"device.py", "installed", ".environment.json"}
    assert [path.name for path in loaded.folder.iterdir()] == ["device.py"]
    assert folder.with_name(f"{folder.name}.log").read_text() == "hello\n"
    begun, done = cache.said
    assert "installing one 1.0, once:" in begun
    assert re.fullmatch(r"one 1\.0 is installed: \d+\.\d s", done)


def test_a_profile_in_a_read_only_folder_can_be_installed(cache: Cache, tmp_path: Path) -> None:
    """As one that came with an installed package."""
    loaded = sdk(tmp_path)
    loaded.folder.chmod(0o555)
    assert stat.S_IMODE(cache.prepare(loaded).folder.stat().st_mode) == 0o755


def test_it_is_recorded_what_an_environment_was_made_from(cache: Cache, tmp_path: Path) -> None:
    """With the whole fingerprint, of which the folder's name shows the beginning."""
    folder = cache.prepare(sdk(tmp_path)).folder
    record = json.loads((folder / ".environment.json").read_text())
    assert (record["what"], record["command"][0]) == ("one 1.0", "{python}")
    assert record["runtime"].startswith("Python 3.")
    assert record["fingerprint"].startswith(folder.name.rpartition("-")[2])


def test_the_second_time_nothing_runs(cache: Cache, tmp_path: Path) -> None:
    """And nothing is said."""
    loaded = sdk(tmp_path, f"{MARK}; open({str(tmp_path / 'runs')!r}, 'a').write('x')")
    assert cache.prepare(loaded) == cache.prepare(loaded)
    assert (tmp_path / "runs").read_text() == "x"
    assert len(cache.said) == 2


def test_what_is_not_installed_is_not_found(cache: Cache, tmp_path: Path) -> None:
    """Looking installs nothing."""
    loaded = sdk(tmp_path)
    assert asyncio.run(cache.environments().find(loaded)) is None
    assert cache.said == []
    prepared = cache.prepare(loaded)
    assert asyncio.run(cache.environments().find(loaded)) == prepared


def test_several_at_once_install_once(cache: Cache, tmp_path: Path) -> None:
    """The others wait, say so, and find it there."""
    loaded = sdk(tmp_path, f"import time; time.sleep(0.3); open({str(tmp_path / 'runs')!r}, 'a').write('x')")

    async def both() -> None:
        await asyncio.gather(*(cache.environments().prepare(loaded) for _ in range(3)))

    asyncio.run(both())
    assert (tmp_path / "runs").read_text() == "x"
    assert [line.partition(" ")[0] for line in cache.said] == ["installing", "waiting", "waiting", "one"]


def test_a_broken_install_names_its_log_and_the_next_step(cache: Cache, tmp_path: Path) -> None:
    """Nothing half made stays, and the next attempt is made anew."""
    loaded = sdk(tmp_path, f"{MARK}; print('no such package'); raise SystemExit(3)")
    for _ in range(2):
        with pytest.raises(
            EnvironmentProblem, match=r"ended with code 3; what it said stands in .*\.log\. .*tries again"
        ):
            cache.prepare(loaded)
    assert cache.names() == [".lock", ".log"]
    assert next(cache.root.glob("*.log")).read_text() == "no such package\n"
    assert len(cache.said) == 2


def test_a_version_may_not_exist_at_all(cache: Cache, tmp_path: Path) -> None:
    """Of one that was asked for by name it is said that the registry has to have it."""
    loaded = at_version(fake(tmp_path, install="raise SystemExit(1)"), "2.0")
    with pytest.raises(EnvironmentProblem, match="its package registry, and that has to have the version asked for; "):
        cache.prepare(loaded)


def test_what_an_interrupted_install_left_is_cleared_away(cache: Cache, tmp_path: Path) -> None:
    """As after a loss of power."""
    loaded = sdk(tmp_path)
    name = cache.prepare(loaded).folder.name
    (cache.root / name).rename(cache.root / f"{name}.part")
    (cache.root / f"{name}.part" / "rubbish").touch()
    assert not (cache.prepare(loaded).folder / "rubbish").exists()


def test_an_install_that_does_not_end_is_ended(cache: Cache, tmp_path: Path) -> None:
    """With its own sentence."""
    with pytest.raises(EnvironmentProblem, match=r"took longer than 0\.1 s"):
        cache.prepare(sdk(tmp_path, "import time; time.sleep(60)"), limit_s=0.1)


def test_a_cancelled_install_ends_all_it_started(cache: Cache, tmp_path: Path) -> None:
    """Ctrl-C leaves no process and no half environment behind."""
    child = "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    code = f"{child}; open('pid', 'w').write(str(p.pid)); __import__('os').rename('pid', {str(tmp_path / 'pid')!r}); time.sleep(60)"

    async def interrupted() -> None:
        task = asyncio.create_task(cache.environments().prepare(sdk(tmp_path, code)))
        await asyncio.to_thread(wait_for, (tmp_path / "pid").exists)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: not is_running(pid))
    assert cache.names() == [".lock", ".log"]


def test_a_command_that_cannot_be_started_is_said(cache: Cache, tmp_path: Path) -> None:
    """By the system's own words."""
    loaded = a_profile(adapter=program("x", install=("no-such-command-here",)), folder=sdk(tmp_path).folder)
    with pytest.raises(EnvironmentProblem, match=r"cannot be started \(No such file or directory\)"):
        cache.prepare(loaded)


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """With the variable that moves it."""
    with pytest.raises(EnvironmentProblem, match="Set HARNESS_CACHE to a folder that can be written"):
        asyncio.run(Environments(Path("/dev/null/x"), print).prepare(sdk(tmp_path)))


def test_a_runtime_that_does_not_answer_is_said(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what brings it."""
    monkeypatch.setitem(RUNTIMES, "python", Runtime("X", ("no-such-runtime",), "get X"))
    with pytest.raises(EnvironmentProblem, match=r"no-such-runtime --version cannot be run: .* get X"):
        cache.prepare(sdk(tmp_path))


def test_a_runtime_that_hangs_is_ended_with_all_it_started(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left behind of what was only asked for its version."""
    hanging = tmp_path / "hanging"
    hanging.write_text('#!/bin/sh\nsleep 100 &\necho $! > "$0.started"\nwait\n', encoding="utf-8")
    hanging.chmod(0o755)
    monkeypatch.setitem(RUNTIMES, "python", Runtime("X", (str(hanging),), "get X"))
    monkeypatch.setattr("harness.device.environments.VERSION_LIMIT_S", 0.3)
    with pytest.raises(EnvironmentProblem, match=r"hanging --version cannot be run: it did not answer. get X"):
        cache.prepare(sdk(tmp_path))
    started = int((tmp_path / "hanging.started").read_text(encoding="utf-8"))
    wait_for(lambda: not is_running(started))


def test_each_sdk_has_its_own_outcome(cache: Cache, tmp_path: Path) -> None:
    """A broken one does not keep the others from being installed."""
    profiles = [sdk(tmp_path, name="good"), sdk(tmp_path, "raise SystemExit(1)", name="bad")]
    outcomes = asyncio.run(cache.environments().prepare_all(profiles))
    assert isinstance(outcomes["good", "1.0"], LoadedProfile)
    assert isinstance(outcomes["bad", "1.0"], EnvironmentProblem)


def test_the_fingerprint_is_of_all_an_install_depends_on(tmp_path: Path) -> None:
    """Files by name and content, the command, the runtime; each changes it."""
    (tmp_path / "lock").write_text("1")
    seen = [fingerprint(tmp_path, ("npm", "ci"), "v20")]
    seen += [fingerprint(tmp_path, ("npm", "i"), "v20"), fingerprint(tmp_path, ("npm", "ci"), "v22")]
    (tmp_path / "lock").write_text("2")
    seen.append(fingerprint(tmp_path, ("npm", "ci"), "v20"))
    (tmp_path / "lock").rename(tmp_path / ".lock")
    seen.append(fingerprint(tmp_path, ("npm", "ci"), "v20"))
    assert len(set(seen)) == len(seen)


def test_the_fingerprint_is_of_nothing_else(tmp_path: Path) -> None:
    """A corrected claim, or what tools leave behind, asks for no new install."""
    (tmp_path / "lock").write_text("1")
    before = fingerprint(tmp_path, ("npm", "ci"), "v20")
    (tmp_path / "profile.toml").write_text("claims")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "x.js").write_text("x")
    assert fingerprint(tmp_path, ("npm", "ci"), "v20") == before


def test_what_is_left_out_is_neither_copied_nor_counted(cache: Cache, tmp_path: Path) -> None:
    """A lock file of the profile's own version says nothing about others."""
    loaded = sdk(tmp_path)
    (loaded.folder / "lock").write_text("1")
    adapter = loaded.profile.adapter
    assert adapter is not None
    without = msgspec.structs.replace(adapter, without=("lock",))
    loaded = msgspec.structs.replace(loaded, profile=msgspec.structs.replace(loaded.profile, adapter=without))
    folder = cache.prepare(loaded).folder
    assert not (folder / "lock").exists()
    (loaded.folder / "lock").write_text("2")
    assert cache.prepare(loaded).folder == folder


# Versions: each of a fake SDK that is "installed" by writing its version into a file, which its device program says.

SAYS_VERSION = """
import json, pathlib, sys
said = pathlib.Path("version").read_text()
hello = {"event": "hello", "t": 0, "protocol": 1, "sdk": "fake", "sdk_version": said, "runtime": "none"}
print(json.dumps({**hello, "transports": ["mqtt"], "capabilities": []}), flush=True)
sys.stdin.read()
"""
WRITE = "import pathlib, sys; pathlib.Path('version').write_text(sys.argv[1])"


def fake(folder: Path, *, install: str = WRITE, program_text: str = SAYS_VERSION, own: bool = True) -> LoadedProfile:
    """A profile of version 1.0 of a fake SDK, and of any other; `own` false: its own version needs no install."""
    source = folder / "fake"
    source.mkdir()
    (source / "device.py").write_text(program_text, encoding="utf-8")
    others = OtherVersions(install=("{python}", "-c", install, "{version}"), command=("{python}", "{folder}/device.py"))
    adapter = program(
        "{python}",
        "device.py",
        install=("{python}", "-c", WRITE, "1.0") if own else (),
        other_versions=others,
    )
    return a_profile("fake", adapter=adapter, folder=source, versions=(KnownVersion(version="2.0"),))


async def verify(loaded: LoadedProfile) -> Hello:
    """The real handshake."""
    return await handshake(loaded, RealClock())


def test_versions_stand_side_by_side(cache: Cache, tmp_path: Path) -> None:
    """Each in its own folder, installed at the same time, verified by what its program says of itself."""
    loaded = fake(tmp_path)
    wanted = [loaded, at_version(loaded, "2.0"), at_version(loaded, "3.0rc1")]
    outcomes = asyncio.run(cache.environments(verify=verify).prepare_all(wanted))
    assert list(outcomes) == [("fake", "1.0"), ("fake", "2.0"), ("fake", "3.0rc1")]
    folders = [one.folder for one in outcomes.values() if isinstance(one, LoadedProfile)]
    assert [(folder / "version").read_text() for folder in folders] == ["1.0", "2.0", "3.0rc1"]
    assert len(set(folders)) == 3
    record = json.loads((folders[1] / ".environment.json").read_text())
    assert (record["sdk"], record["version"], record["said_version"]) == ("fake", "2.0", "2.0")


def test_an_install_of_another_version_is_none(cache: Cache, tmp_path: Path) -> None:
    """However well it went: the program's word counts, and the log says so, too."""
    loaded = at_version(fake(tmp_path, install="import pathlib; pathlib.Path('version').write_text('1.9')"), "2.0")
    says = r"fake 2\.0 was installed and does not pass its handshake: fake 2\.0 was asked for, and the device program runs 1\.9\. .*\.log; "
    with pytest.raises(EnvironmentProblem, match=says):
        cache.prepare(loaded, verify=verify)
    assert cache.names() == [".lock", ".log"]
    assert "the device program runs 1.9" in next(cache.root.glob("*.log")).read_text()


def test_an_install_whose_program_does_not_run_is_none(cache: Cache, tmp_path: Path) -> None:
    """With its last words."""
    loaded = at_version(fake(tmp_path, program_text="raise SystemExit('no such module')"), "2.0")
    with pytest.raises(EnvironmentProblem, match=r"does not pass its handshake: .* no such module\."):
        cache.prepare(loaded, verify=verify)
    assert cache.names() == [".lock", ".log"]


def test_the_own_version_asked_for_by_name_has_to_be_that(cache: Cache, tmp_path: Path) -> None:
    """Where it runs as it is, and somebody has installed another one there; not asked for, it is measured as what it is."""
    loaded = fake(tmp_path, own=False)
    (loaded.folder / "version").write_text("1.1")
    assert cache.prepare(loaded, verify=verify) is loaded
    with pytest.raises(
        EnvironmentProblem,
        match=r"fake 1\.0 was asked for, and the device program runs 1\.1\. .*install the version there",
    ):
        cache.prepare(at_version(loaded, "1.0"), verify=verify)
    (loaded.folder / "version").write_text("1.0")
    assert cache.prepare(at_version(loaded, "1.0"), verify=verify).folder == loaded.folder


def test_the_own_version_whose_program_does_not_run(cache: Cache, tmp_path: Path) -> None:
    """It is this machine's fault, not the harness's."""
    loaded = fake(tmp_path, own=False, program_text="raise SystemExit(1)")
    with pytest.raises(EnvironmentProblem, match="ended by itself with exit code 1"):
        cache.prepare(at_version(loaded, "1.0"), verify=verify)


def test_an_environment_made_unasked_tells_its_version_later(cache: Cache, tmp_path: Path) -> None:
    """A profile's install may bring another version than it says; whoever names the version does not get it, nor without the record."""
    loaded = fake(tmp_path)
    adapter = loaded.profile.adapter
    assert adapter is not None
    wrong = msgspec.structs.replace(adapter, install=("{python}", "-c", WRITE, "1.1"))
    loaded = msgspec.structs.replace(loaded, profile=msgspec.structs.replace(loaded.profile, adapter=wrong))
    folder = cache.prepare(loaded, verify=verify).folder
    for _ in range(2):
        with pytest.raises(EnvironmentProblem, match=r"the device program runs 1\.1, in "):
            cache.prepare(at_version(loaded, "1.0"), verify=verify)
        (folder / ".environment.json").unlink()


def test_an_environment_that_nobody_verified_is_verified_once(cache: Cache, tmp_path: Path) -> None:
    """By whoever uses it first and can; it is noted, so that the next one need not."""
    loaded = fake(tmp_path)
    folder = cache.prepare(loaded).folder
    assert json.loads((folder / ".environment.json").read_text()).get("said_version") is None
    started: list[Path] = []

    async def counted(one: LoadedProfile) -> Hello:
        started.append(one.folder)
        return await verify(one)

    assert cache.prepare(loaded, verify=counted) == cache.prepare(loaded, verify=counted)
    assert started == [folder]
    assert json.loads((folder / ".environment.json").read_text())["said_version"] == "1.0"
    assert [path.name for path in folder.glob(".*")] == [".environment.json"]


def test_an_environment_that_nobody_verified_and_does_not_run(cache: Cache, tmp_path: Path) -> None:
    """It is this machine's fault, and not one of every cell: the log is named, and what removes it."""
    loaded = fake(tmp_path, program_text="raise SystemExit('no such module')")
    cache.prepare(loaded)
    says = r"fake 1\.0 is installed and does not pass its handshake: .* no such module\..*\.log; `harness cache clear --sdk fake@1\.0`"
    with pytest.raises(EnvironmentProblem, match=says):
        cache.prepare(loaded, verify=verify)


def test_a_cache_that_cannot_be_written_can_be_used(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is noted in it."""
    loaded = sdk(tmp_path)
    folder = cache.prepare(loaded).folder

    def refused(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr("harness.device.environments.FileLock.attempt", refused)
    assert cache.prepare(loaded).folder == folder
