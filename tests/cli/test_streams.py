"""Tests of the command line whose standard output or standard error is not taken: full, or a pipe that nobody reads."""

import contextlib
import errno
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from harness.cli import main as entry
from harness.cli.progress import CellProgress, say
from harness.cli.results import attempt
from harness.cli.streams import Lossy
from harness.errors import UserInputError

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


class Broken(io.StringIO):
    """A stream that takes nothing."""

    def write(self, _text: str, /) -> int:
        """Fail as a pipe without reader does."""
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    def flush(self) -> None:
        """Fail as a full disk does."""
        raise OSError(errno.ENOSPC, "No space left on device")


@contextlib.contextmanager
def unread_pipe() -> Iterator[int]:
    """The writing end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


def harness(*arguments: str, stdout: int) -> tuple[int, str]:
    """The exit code, and what stands on standard error."""
    command = [sys.executable, "-m", "harness", *arguments]
    result = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    return result.returncode, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["profiles", "--json"], ["--help"], ["--version"]])
def test_a_pipe_that_nobody_reads_is_no_error(arguments: list[str]) -> None:
    """`harness ... | head` says nothing more."""
    with unread_pipe() as pipe:
        assert harness(*arguments, stdout=pipe) == (0, "")


@needs_full
@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["profiles", "--json"], ["--help"], ["--version"]])
def test_output_that_cannot_be_written_is_two_with_one_line(arguments: list[str]) -> None:
    """Nobody may take what is missing for the whole."""
    with FULL.open("w") as full:
        code, error = harness(*arguments, stdout=full.fileno())
    assert code == 2
    assert error == "harness: standard output: cannot be written (No space left on device). Redirect it elsewhere\n"


def test_progress_that_nobody_reads_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured does not depend on it."""
    monkeypatch.setattr(sys, "stderr", Broken())
    with CellProgress([], quiet=False):
        say(quiet=False)("measuring")


def test_progress_needs_no_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has none where the descriptor was closed from the beginning."""
    monkeypatch.setattr(sys, "stderr", None)
    say(quiet=False)("measuring")


def test_a_lossy_stream_passes_on_what_can_be_written() -> None:
    """And is otherwise the stream behind."""
    written = io.BytesIO()
    behind = io.TextIOWrapper(written, encoding="latin-1")
    lossy = Lossy(behind)
    assert (lossy.write("é"), lossy.encoding, lossy.isatty()) == (1, "latin-1", False)
    lossy.flush()
    assert written.getvalue() == b"\xe9"


def test_every_step_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    """One that fails is told and counted, and keeps no other from being taken."""
    taken: list[str] = []

    def fail() -> None:
        raise UserInputError("cannot be written", where="findings.json")

    assert attempt(fail, lambda: taken.append("next")) == 1
    assert taken == ["next"]
    assert capsys.readouterr().err == "harness: findings.json: cannot be written\n"


def ending(problem: BaseException, monkeypatch: pytest.MonkeyPatch) -> object:
    """The exit code of a command that raises `problem`."""

    def command(*_: object) -> object:
        raise problem

    monkeypatch.setattr(click.Group, "invoke", command)
    with pytest.raises(SystemExit) as caught:
        entry.main(["profiles"])
    return caught.value.code


def test_ctrl_c_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """And exit code 130."""
    assert ending(KeyboardInterrupt(), monkeypatch) == 130
    assert capsys.readouterr().err == "harness: interrupted\n"


def test_ctrl_c_before_a_command_is_found_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the arguments are read, too."""

    def interrupted(**_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry.harness, "main", interrupted)
    with pytest.raises(SystemExit, match="130"):
        entry.main([])
    assert capsys.readouterr().err == "harness: interrupted\n"


@pytest.mark.parametrize("problem", [RuntimeError("unforeseen"), FileNotFoundError(errno.ENOENT, "unforeseen")])
def test_a_defect_is_three(
    problem: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the traceback that a report of it needs; 1 is never used."""
    assert ending(problem, monkeypatch) == 3
    assert "unforeseen" in capsys.readouterr().err
