"""The entry point: finds the command, and turns errors into one line and an exit code."""

import contextlib
import importlib
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from harness import __version__
from harness.cli.streams import complain, discard_what_is_left, output_problem
from harness.errors import HarnessBug, HarnessError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["harness", "main"]

INTERRUPTED = 130

COMMANDS = {
    "compare": "Run SDKs side by side and print how each one behaves when its token expires.",
    "analyse": "Print the tables again from a run's logs alone.",
    "explain": "Tell the story of one cell in plain sentences, from its log alone.",
    "diff": "Print what one run shows otherwise than another: behaviour first, timings only beyond noise.",
    "baseline": "Print what a run shows as a small file, to be kept and compared with.",
    "advise": "Rank SDKs, transports and settings for what a device needs, with the evidence for each sentence.",
    "merge": "Write the cells of several runs, of several machines, into one.",
    "diagnose": "Tell renewal noise from real refusals in the log of a real IoT hub, device by device.",
    "record": "Bring a finished run's logs into the form of recorded evidence, with provenance.",
    "profiles": "Show what is known and claimed about each SDK; check a profile.",
    "adapter": "Check that a device program keeps the adapter protocol.",
    "doctor": "Show what can run on this machine, what is missing, and what brings it.",
    "history": "Run several versions of an SDK, or take several runs, and print what changed from one to the next.",
    "cache": "Show and clear the environments in which SDKs are installed.",
    "schema": "Print the JSON Schemas of the files that the harness reads and writes.",
}

HELP = """Measures how Azure IoT device SDKs behave when their credentials expire.

Each SDK is run against an emulated IoT Hub on this machine's loopback interface, over real TLS sockets, with tokens that live
for seconds. What the hub and the application saw is written to an event log, and compared with what the documents claim.

\b
  harness compare                          every SDK this machine can run, in about a minute
  harness compare --sdk python --json      one SDK, for a program to read
  harness compare --sdk python --lifetime 150
  harness compare --sdk python@2.9.0,2.14.0,node
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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """The commands that begin so, from the table: none is imported for it."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell that completes needs it

        named = [CompletionItem(name, help=told) for name, told in COMMANDS.items() if name.startswith(incomplete)]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # click would print an empty line first
            raise click.Abort from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="harness")
def harness() -> None:
    """The group itself; its help stands in `HELP`."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Exit codes: 0 done · 1 a check found something wrong · 2 usage, input, or output that cannot be written · 3 a fault of the harness or of a device program ·
    130 interrupted.
    """
    try:
        code = _run(arguments)
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        code = INTERRUPTED
    except click.ClickException as problem:
        with contextlib.suppress(OSError):
            problem.show()
        code = problem.exit_code
    except HarnessError as problem:
        complain(problem)
        code = problem.exit_code
    except Exception:  # noqa: BLE001 - whatever it is, it is a defect
        with contextlib.suppress(OSError):
            traceback.print_exc()
        code = HarnessBug.exit_code
    discard_what_is_left()
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    """Run the command line and return its exit code.

    Raises:
        UserInputError: click could not print its help.
    """
    try:
        code = harness.main(args=arguments, prog_name="harness", standalone_mode=False)
    except SystemExit:  # so click ends where what it prints by itself meets a closed pipe
        return 0
    except OSError as problem:
        if _came_from_echo(problem):
            raise output_problem(problem) from None
        raise
    return code if isinstance(code, int) else 0


def _came_from_echo(problem: OSError) -> bool:
    """Whether it was click's printing that failed; every other file is opened by code of our own."""
    *_, (frame, _line) = traceback.walk_tb(problem.__traceback__)
    return frame.f_code is click.echo.__code__
