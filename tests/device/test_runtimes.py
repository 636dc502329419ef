"""Tests of what a machine is said to lack for an SDK."""

import shutil
import sys
from pathlib import Path

import pytest
from support.plans import a_profile

from harness.device import runtimes
from harness.device.runtimes import RUNTIMES, Runtime, missing_executable, missing_part, real_sdk_problem, start_remedy
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
    """Otherwise it is the profile that names a wrong program, or the option that stands in for one."""
    monkeypatch.setattr(shutil, "which", lambda name: None if name == absent else f"/bin/{name}")
    assert start_remedy("node") == f"{says}, or --command of `harness adapter check`"


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ((), "openssl/ssl.h"),
        (("openssl/ssl.h",), "uuid/uuid.h"),
        (("openssl/ssl.h", "uuid/uuid.h"), ""),
    ],
)
@pytest.mark.parametrize("by", ["folder", "variable"])
def test_what_an_install_compiles_with_is_looked_for(
    there: tuple[str, ...], missing: str, by: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the compilers' folders and in those of CPATH, after the executables."""
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(runtimes, "HEADER_FOLDERS", (str(tmp_path),) if by == "folder" else ())
    monkeypatch.setenv("CPATH", f":{tmp_path}" if by == "variable" else "")
    for header in there:
        (tmp_path / header).parent.mkdir(exist_ok=True)
        (tmp_path / header).touch()
    assert missing_part("c") == missing


def test_headers_are_looked_for_on_linux_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other systems have them elsewhere."""
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(runtimes, "HEADER_FOLDERS", ())
    monkeypatch.delenv("CPATH", raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert missing_part("c") == ""


def test_the_harness_own_python_is_always_there() -> None:
    """Whatever is on the path."""
    assert missing_executable("python") == ""
    assert all(runtime.executables for name, runtime in RUNTIMES.items() if name != "python")


@pytest.mark.parametrize(
    ("said", "too_old"),
    [("8.0.404", False), ("v10.0.100", False), ("7.0.1", True), ("No .NET SDKs were found.", True), ("", True)],
)
def test_a_runtime_that_is_too_old(said: str, too_old: bool) -> None:  # noqa: FBT001 - a table
    """By its major version; what tells none is none."""
    assert Runtime("R", ("r",), "get it", at_least=8).too_old(said) is too_old
    assert Runtime("R", ("r",), "get it").too_old(said) is False
