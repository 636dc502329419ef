"""bootstrap.py: what a newcomer's first command does before tox takes over."""

import ast
import configparser
import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TextIO

import pytest

FILE = Path(__file__).parents[1] / "bootstrap.py"
posix = pytest.mark.skipif(os.name == "nt", reason="sessions and exec are those of POSIX")


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The file as a module, with its environments below a temporary folder."""
    spec = importlib.util.spec_from_file_location("bootstrap", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ENVIRONMENTS", tmp_path / "environments")
    return module


@pytest.fixture
def ran(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been run, with tox being installed and no further Python."""
    commands: list[list[str]] = []

    def run(command: list[str], *_: object, **__: object) -> int:
        commands.append(command)
        return 0

    monkeypatch.setattr(bootstrap, "tox_command", lambda: ["tox"])
    monkeypatch.setattr(bootstrap, "unactivated_pythons", list)
    monkeypatch.setattr(bootstrap, "run", run)
    monkeypatch.setattr(bootstrap, "become", run)
    return commands


@pytest.fixture
def pyenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Lays a Python where pyenv lays them."""
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    def lay(version: str) -> Path:
        python = tmp_path / "versions" / version / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
        return python

    return lay


def test_compare_prepares_and_then_measures(bootstrap: ModuleType, ran: list[list[str]]) -> None:
    """The environment is made first; the options reach `harness compare`."""
    assert bootstrap.main(["compare", "--sdk", "python"]) == 0
    made, measured = ran
    assert made == ["tox", "run", "-e", "compare", "-qq", "--notest"]
    assert Path(measured[0]).relative_to(FILE.parent).parts[:2] == (".tox", "compare")
    assert measured[1:] == ["-P", "-m", "harness", "compare", "--sdk", "python"]


@pytest.mark.parametrize("given", ["", "elsewhere"])
def test_the_comparison_gets_the_variables_of_tox(
    bootstrap: ModuleType, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As tox.ini sets them; the user's own cache is kept."""
    monkeypatch.setenv("HARNESS_CACHE", given)
    if not given:
        monkeypatch.delenv("HARNESS_CACHE")
    settings = configparser.ConfigParser(interpolation=None, inline_comment_prefixes="#")
    settings.read(FILE.with_name("tox.ini"))
    lines = settings["testenv:compare"]["set_env"].replace("{env:HARNESS_CACHE:{work_dir}/cache}", given or "{cache}")
    wanted = lines.format(tox_root=FILE.parent, cache=FILE.parent / ".tox" / "cache")
    assert [f"{name} = {value}" for name, value in bootstrap.variables().items()] == wanted.split("\n")[1:]


def test_compare_stops_where_nothing_can_be_prepared(
    bootstrap: ModuleType, ran: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment that cannot be made is not used."""

    def failing(command: list[str], output: TextIO) -> int:
        ran.append(command)
        return 1

    monkeypatch.setattr(bootstrap, "run", failing)
    assert (bootstrap.main(["compare"]), len(ran)) == (1, 1)


def test_test_hands_its_options_to_tox(bootstrap: ModuleType, ran: list[list[str]]) -> None:
    """A part of the tests can be chosen."""
    bootstrap.main(["test", "-e", "lint"])
    assert ran == [["tox", "run", "-e", "lint"]]


def test_test_names_further_pythons(
    bootstrap: ModuleType, ran: list[list[str]], pyenv: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python that is not on the PATH is shown to tox."""
    python = pyenv("3.12.1")
    monkeypatch.setattr(bootstrap, "unactivated_pythons", lambda: [python])
    bootstrap.main(["test"])
    assert ran == [["tox", "run", "--discover", str(python)]]


def test_newest_patch_of_each_python(bootstrap: ModuleType, pyenv: Callable[[str], Path]) -> None:
    """Of each minor version from 3.11 the newest is taken; numbers are compared as numbers."""
    for version in ("3.10.13", "3.12.9", "3.13.0t", "pypy3.11-7.3.19", "system"):
        pyenv(version)
    newest = [pyenv("3.11.7"), pyenv("3.12.10")]
    assert bootstrap.unactivated_pythons() == newest


@pytest.mark.parametrize("arguments", [[], ["tests"], ["--version"]])
def test_unknown_command(bootstrap: ModuleType, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is no command gets the usage and exit status 2."""
    assert bootstrap.main(arguments) == 2
    assert "usage:" in capsys.readouterr().err


def test_help(bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """The usage is no error where it is asked for."""
    assert bootstrap.main(["--help"]) == 0
    assert "usage:" in capsys.readouterr().out


def test_old_python(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An old Python is told which one is needed, before anything that it does not understand."""
    monkeypatch.setattr(sys, "version_info", (3, 6, 15))
    with pytest.raises(SystemExit, match="2"):
        exec(compile(FILE.read_text(encoding="utf-8"), FILE, "exec"), {})  # noqa: S102 - the file under test
    assert "3.11 or newer" in capsys.readouterr().err


def test_old_python_can_read_the_file() -> None:
    """Its grammar is that of Python 3.6, which has no `annotations` in `__future__` either."""
    tree = ast.parse(FILE.read_text(encoding="utf-8"), feature_version=(3, 6))
    assert "__future__" not in [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_python_without_venv(
    bootstrap: ModuleType, module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Python that Debian divided is told the package that completes it."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else find_spec(name))
    assert bootstrap.main(["test"]) == 1
    assert f"{module}, so" in (said := capsys.readouterr().err)
    assert "-venv" in said


def test_other_requirements_make_another_environment(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed pin is not run with the old installation."""
    before = bootstrap.environment_name()
    monkeypatch.setattr(bootstrap, "REQUIREMENTS", ("tox==4.0.0",))
    assert bootstrap.environment_name() != before


def test_an_interrupted_installation_is_made_anew(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an environment that was finished is used, and it is used without being made again."""
    made: list[Path] = []
    half_made = bootstrap.ENVIRONMENTS / bootstrap.environment_name() / "bin"
    half_made.mkdir(parents=True)
    monkeypatch.setattr(bootstrap, "make_environment", lambda folder, _python: made.append(folder))
    bootstrap.tox_command()
    bootstrap.tox_command()
    assert made == [half_made.parent]


def test_ctrl_c(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interruption is told from a failure."""

    def interrupted() -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "tox_command", interrupted)
    assert bootstrap.main(["test"]) == 130


def test_exit_status_passes_through(bootstrap: ModuleType) -> None:
    """What ran says how it ended."""
    assert bootstrap.run([sys.executable, "-c", "raise SystemExit(3)"]) == 3


def test_what_prepares_leaves_standard_output_alone(bootstrap: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    """Standard output belongs to the rows."""
    with Path(os.devnull).open("w", encoding="utf-8") as output:
        bootstrap.run([sys.executable, "-c", "print('installed')"], output=output)
    assert not capfd.readouterr().out


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_preparation_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    """A signal to this process alone ends the children of what it started too; no shell, for one may lose a signal that comes between two commands."""
    child = "import subprocess; own = subprocess.Popen(['sleep', '60']); print('begun', flush=True); own.wait()"
    program = tmp_path / "program.py"
    program.write_text(
        f"import runpy, signal, sys\n"
        f"bootstrap = runpy.run_path({str(FILE)!r})\n"
        f"signal.signal(signal.SIGTERM, bootstrap['terminate'])\n"
        f"bootstrap['main'].__globals__['tox_command'] = lambda: bootstrap['run']([sys.executable, '-c', {child!r}])\n"
        f"raise SystemExit(bootstrap['main'](['test']))\n"
    )
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"begun\n"
    process.send_signal(number)
    assert process.communicate(timeout=20)[0] == b""  # nobody holds the pipe any more
    assert process.returncode == 130


@posix
def test_what_is_prepared_takes_over(bootstrap: ModuleType, tmp_path: Path) -> None:
    """In the same process and folder, with the variables given, so that signals and the exit status are its own."""
    program = "import os; print(os.getpid(), os.getcwd(), os.environ['GIVEN']); raise SystemExit(3)"
    code = (
        f"import os, runpy, sys; print(os.getpid(), flush=True)\n"
        f"runpy.run_path({str(FILE)!r})['become']([sys.executable, '-c', {program!r}], {{**os.environ, 'GIVEN': 'x'}})"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    before, after = result.stdout.splitlines()
    assert (after, result.returncode) == (f"{before} {tmp_path} x", 3)


def test_the_second_waits_for_the_first(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that start at once do not install into the same folder at the same time, and the second says why it waits."""
    pytest.importorskip("fcntl", reason="kept apart where the system has file locks")
    waiting = threading.Event()
    monkeypatch.setattr(bootstrap, "say", lambda _text: waiting.set())
    done: list[str] = []

    def second() -> None:
        with bootstrap.lock("install"):
            done.append("second")

    thread = threading.Thread(target=second)
    with bootstrap.lock("install"):
        thread.start()
        assert waiting.wait(10)
        done.append("first")
    thread.join(10)
    assert done == ["first", "second"]
