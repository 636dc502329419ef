"""Shell completion, which click brings: `eval "$(_HARNESS_COMPLETE=bash_source harness)"`."""

import os
import subprocess
import sys

import pytest

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
        ("harness history --scenario expiry-c", ["expiry-close"]),
        ("harness compare --device ", ["auto", "real", "emulated", "both"]),
    ],
)
def test_commands_options_and_choices_are_completed(words: str, completed: list[str]) -> None:
    """As far as they are typed."""
    number = len(words.split(" ")) - 1
    printed = complete("bash_complete", COMP_WORDS=words, COMP_CWORD=str(number))
    assert [line.partition(",")[2] for line in printed.splitlines()] == completed
