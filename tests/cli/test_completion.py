"""Shell completion, which click brings: `eval "$(_HARNESS_COMPLETE=bash_source harness)"`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import CompletionItem, ShellComplete

from harness.cli.main import COMMANDS, harness

pytestmark = pytest.mark.slow


def complete(how: str, **variables: str) -> str:
    """What the harness prints when a shell asks it."""
    environment = {**os.environ, "_HARNESS_COMPLETE": how, **variables}
    done = subprocess.run(
        [sys.executable, "-m", "harness"], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    """It calls the harness by its name."""
    script = complete(f"{shell}_source")
    assert f"_HARNESS_COMPLETE={shell}_complete" in script
    assert "harness" in script


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("harness co", ["compare"]),
        ("harness m", ["merge"]),
        ("harness compare --jun", ["--junit"]),
        ("harness compare --sdk py", ["python"]),
        ("harness compare --transport mqtt,am", ["mqtt,amqp", "mqtt,amqp-ws"]),
        ("harness advise --transport an", ["any"]),
        ("harness history --scenario expiry-c", ["expiry-close"]),
        ("harness compare --device ", ["auto", "real", "emulated", "both"]),
        ("harness compare --require py", ["python"]),
        ("harness analyse x --require python,ja", ["python,java"]),
        ("harness cache clear --sdk no", ["node"]),
        ("harness adapter check x --transport mqtt,", ["mqtt,mqtt", "mqtt,mqtt-ws", "mqtt,amqp", "mqtt,amqp-ws"]),
    ],
)
def test_commands_options_and_choices_are_completed(words: str, completed: list[str]) -> None:
    """As far as they are typed."""
    number = len(words.split(" ")) - 1
    printed = complete("bash_complete", COMP_WORDS=words, COMP_CWORD=str(number))
    assert [line.partition(",")[2] for line in printed.splitlines()] == completed


PATH = [("file", "x")]
ARGUMENTS: dict[tuple[str, ...], tuple[str, list[tuple[str, str]]]] = {
    ("compare",): ("x", []),
    ("analyse",): ("x", PATH),
    ("explain",): ("x", PATH),
    ("diff", "old"): ("x", PATH),
    ("baseline",): ("x", PATH),
    ("advise",): ("x", PATH),
    ("merge", "one"): ("x", PATH),
    ("diagnose",): ("x", PATH),
    ("record", "log"): ("x", PATH),
    ("profiles",): ("s", [("plain", "show")]),
    ("profiles", "show"): ("no", [("plain", "node")]),
    ("profiles", "check"): ("x", PATH),
    ("adapter",): ("c", [("plain", "check")]),
    ("adapter", "check"): ("x", PATH),
    ("doctor",): ("x", []),
    ("history",): ("x", PATH),
    ("cache",): ("", [("plain", "clear"), ("plain", "list")]),
    ("schema",): ("b", [("plain", "baseline"), ("plain", "benchmarks"), ("plain", "bugs")]),
}
"""After which words, what is begun, and what it is completed to: names, or files by the shell."""


def completions(words: tuple[str, ...], begun: str) -> list[tuple[str, str]]:
    """The kind and the text of each completion."""
    found: list[CompletionItem] = ShellComplete(harness, {}, "harness", "").get_completions([*words], begun)
    return [(one.type, one.value) for one in found]


@pytest.mark.parametrize("words", ARGUMENTS, ids=" ".join)
def test_arguments_are_completed(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder without runs."""
    monkeypatch.chdir(tmp_path)
    begun, completed = ARGUMENTS[words]
    assert completions(words, begun) == completed


def test_the_arguments_of_every_command_are_tried() -> None:
    """Of those that take none, too."""
    assert {words[0] for words in ARGUMENTS} == COMMANDS.keys()


def test_the_cells_of_the_latest_run_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside files, for the log of a cell may be named instead."""
    cells = tmp_path / "harness-results" / "one" / "cells"
    cells.mkdir(parents=True)
    for file in (cells.parent / "run.json", cells / "node-renewal.jsonl", cells / "python-renewal.jsonl"):
        file.touch()
    monkeypatch.chdir(tmp_path)
    assert completions(("explain",), "no") == [("plain", "node-renewal"), ("file", "no")]
