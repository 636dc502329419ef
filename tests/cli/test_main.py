"""Tests of the command line: exit codes, errors in one line, help that teaches."""

import subprocess
import sys

import click
import pytest

from harness.__main__ import main as entry
from harness.cli.main import COMMANDS, harness, main


def exit_code(*arguments: str) -> int:
    """How the command line ends."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And it is no error to ask for it."""
    assert exit_code(*filter(None, [command]), "--help") == 0
    assert "Usage:" in capsys.readouterr().out


def test_the_commands_of_the_table_exist() -> None:
    """Each under its name, imported when it is used."""
    context = click.Context(harness)
    assert all(harness.get_command(context, name) for name in harness.list_commands(context))


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["compare", "--nonsense"], ["compare", "--repeat", "0"], ["analyse"]]
)
def test_wrong_usage_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With what is wrong on standard error."""
    assert exit_code(*arguments) == 2
    assert "Error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["compare", "--sdk", "pyton"], "harness: --sdk: unknown SDK 'pyton'. Did you mean `python`?"),
        (
            ["compare", "--transport", "mqtt,mqtts"],
            "harness: --transport: unknown transport 'mqtts'. Did you mean `mqtt`?",
        ),
        (
            ["compare", "--scenario", "renewl"],
            "harness: --scenario: unknown scenario 'renewl'. Did you mean `renewal`?",
        ),
        (["compare", "--sdk", ","], "harness: --sdk: names nothing. Name one, or leave the option out for all"),
        (
            ["compare", "--margin", "much"],
            "harness: --margin: 'much' is neither seconds nor percent. Write --margin 20 or --margin 15%",
        ),
        (["compare", "--sdk", "python", "--lifetime", "60"], "lifetime_s = 60 is outside 121 to"),
        (["compare", "--grace", "5", "--skew", "5"], "skew_s = 5 is not below grace_s = 5"),
        (["compare", "--close", "detach"], "hub.close = detach is no way to end a connection over mqtt"),
        (
            ["compare", "--scenario", "expiry-close", "--transport", "mqtt"],
            "the scenario 'expiry-close' is not about mqtt. It is about amqp, amqp-ws",
        ),
        (
            ["compare", "--scenario", "expiry-close", "--sdk", "python"],
            "the scenario 'expiry-close' is about amqp, amqp-ws, which no SDK asked for is known to offer",
        ),
        (
            ["compare", "--profiles", "/nowhere"],
            "harness: /nowhere: --profiles: does not exist. Name an existing folder",
        ),
        (["compare", "--sdk", "python", "--out", "/dev/null/x"], "harness: /dev/null/x: cannot be written"),
        (["analyse", "/nowhere"], "harness: /nowhere: is no run folder"),
        (["profiles", "check", "/nowhere"], "harness: /nowhere: cannot be read"),
    ],
)
def test_wrong_input_is_two_with_one_line(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """That names the place and the remedy, before anything starts."""
    assert exit_code(*arguments) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_profiles_lists_every_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    """With how it would be run here."""
    assert exit_code("profiles") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:7]] == [
        "c",
        "dotnet",
        "java",
        "node",
        "python",
    ]


def test_profiles_shows_claims_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    """One SDK at a time."""
    assert exit_code("profiles", "show", "python") == 0
    assert "L - 120 s" in capsys.readouterr().out


def test_an_unknown_sdk_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """As wrong usage."""
    assert exit_code("profiles", "show", "rust") == 2
    assert "no profile of 'rust'" in capsys.readouterr().err


@pytest.mark.slow
def test_help_is_fast_because_commands_are_imported_late() -> None:
    """None of the heavy libraries is loaded for it."""
    program = "import sys\nfrom harness.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert not loaded & {"asyncio", "cryptography", "msgspec", "rich", "tabulate", "websockets"}


def test_an_interrupt_before_the_command_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ends it in one line, as a later one does."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.cli.main.main", interrupted)
    with pytest.raises(SystemExit) as caught:
        entry()
    assert (caught.value.code, capsys.readouterr().err) == (130, "harness: interrupted\n")
