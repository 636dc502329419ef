"""Tests of what a machine is said to lack for an SDK."""

import shutil
from pathlib import Path

import pytest
from support.plans import a_profile

from harness.device.runtimes import RUNTIMES, missing_executable, real_sdk_problem
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


def test_the_harness_own_python_is_always_there() -> None:
    """Whatever is on the path."""
    assert missing_executable("python") == ""
    assert all(runtime.executables for name, runtime in RUNTIMES.items() if name != "python")
