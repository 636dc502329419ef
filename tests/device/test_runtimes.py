"""Tests of what a machine is said to lack for an SDK."""

import shutil
from pathlib import Path

import pytest
from support.plans import a_profile

from harness.device.runtimes import RUNTIMES, missing_executable, real_sdk_problem, start_remedy
from harness.profile import AdapterProgram


@pytest.mark.parametrize(
    ("absent", "says"),
    [
        (("node", "npm"), "Node.js is not installed (apt-get install nodejs npm)"),
        (("npm",), "npm is not installed (apt-get install nodejs npm)"),
        ((), ""),
    ],
)
def test_what_is_missing_is_named_with_what_brings_it(
    absent: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A runtime by its name, a tool beside it by its own."""
    monkeypatch.setattr(shutil, "which", lambda name: None if name in absent else f"/bin/{name}")
    (tmp_path / "device.js").touch()
    adapter = AdapterProgram(command=("node", "device.js"), runtime="node", transports=("mqtt",))
    assert real_sdk_problem(a_profile(adapter=adapter, folder=tmp_path)) == says


def test_an_absent_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the folder it should be in."""
    monkeypatch.setattr(shutil, "which", lambda name: name)
    adapter = AdapterProgram(command=("node", "device.js"), runtime="node", transports=("mqtt",))
    assert real_sdk_problem(a_profile(adapter=adapter, folder=tmp_path)) == f"device.js is missing in {tmp_path}"


@pytest.mark.parametrize(
    ("absent", "says"),
    [
        ("npm", "It needs Node.js: apt-get install nodejs npm. Or correct adapter.command in the profile"),
        ("", "Correct adapter.command in the profile"),
    ],
)
def test_a_runtime_is_the_remedy_only_where_it_is_missing(
    absent: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it is the profile that names a wrong program."""
    monkeypatch.setattr(shutil, "which", lambda name: None if name == absent else f"/bin/{name}")
    assert start_remedy("node") == says


def test_the_harness_own_python_is_always_there() -> None:
    """Whatever is on the path."""
    assert missing_executable("python") == ""
    assert all(runtime.executables for name, runtime in RUNTIMES.items() if name != "python")
