"""The entry point: finds the command, and turns errors into one line and an exit code."""

import importlib
import sys
from collections.abc import Sequence

import click

from harness import __version__
from harness.errors import HarnessError

__all__ = ["harness", "main"]

INTERRUPTED = 130

COMMANDS = {
    "compare": "Run SDKs side by side and print how each one behaves when its token expires.",
    "analyse": "Print the tables again from a run's logs alone.",
    "profiles": "Show what is known and claimed about each SDK; check a profile.",
    "doctor": "Show what can run on this machine, what is missing, and what brings it.",
}

HELP = """Measures how Azure IoT device SDKs behave when their credentials expire.

Each SDK is run against an emulated IoT Hub on this machine's loopback interface, over real TLS sockets, with tokens that live
for seconds. What the hub and the application saw is written to an event log, and compared with what the documents claim.

\b
  harness compare                          every SDK this machine can run, in about a minute
  harness compare --sdk python --json      one SDK, for a program to read
  harness compare --sdk python --lifetime 150
  harness doctor                           what is missing for more
"""


class _Lazy(click.Group):
    """A group whose commands are imported when they are used, so that `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"harness.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="harness")
def harness() -> None:
    """The group itself; its help stands in `HELP`."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Exit codes: 0 done · 2 usage or input · 3 a fault of the harness or of a device program · 130 interrupted.
    """
    try:
        code = harness.main(args=arguments, standalone_mode=False)
    except click.exceptions.Abort:
        code = _complain("interrupted", INTERRUPTED)
    except click.ClickException as problem:
        problem.show()
        code = problem.exit_code
    except HarnessError as problem:
        code = _complain(str(problem), problem.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


def _complain(problem: str, code: int) -> int:
    click.echo(f"harness: {problem}", err=True)
    return code
