"""Standard output and standard error when nobody takes them: a closed pipe, a full disk.

standard output     a closed pipe means that nobody reads any further, which is no error; anything else is the user's to know
standard error      what is said there is for somebody who watches: it is lost where it cannot be written
"""

import contextlib
import io
import os
import sys
from typing import TextIO

import click

from harness.errors import UserInputError

__all__ = ["Lossy", "complain", "discard_what_is_left", "json_text", "note", "output_problem", "show"]


def show(text: str) -> None:
    """Print `text` on standard output.

    Raises:
        UserInputError: it cannot be written, for another reason than a closed pipe.
    """
    try:
        click.echo(text)
    except BrokenPipeError:
        pass
    except OSError as problem:
        raise output_problem(problem) from None


def json_text(value: object) -> str:
    """What a command found as JSON to be shown; `value` may hold structures."""
    import json  # noqa: PLC0415 - `harness --help` needs neither

    import msgspec  # noqa: PLC0415

    return json.dumps(msgspec.to_builtins(value), indent=2)


def note(text: str) -> None:
    """Print one line on standard error, or nothing where that cannot be written."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def complain(problem: object) -> None:
    """Print what is wrong on standard error, or nothing where that cannot be written."""
    note(f"harness: {problem}")


def output_problem(problem: OSError) -> UserInputError:
    """What to tell when standard output could not be written."""
    reason = problem.strerror or problem
    return UserInputError(f"cannot be written ({reason})", where="standard output", remedy="Redirect it elsewhere")


def discard_what_is_left() -> None:
    """At the very end: let what the two streams hold and cannot write go nowhere. Python would try once more, and exit with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)


class Lossy(io.TextIOBase):
    """A text stream in front of another that loses what cannot be written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override] # a plain attribute there
        """That of the stream behind."""
        return self._stream.encoding

    def fileno(self) -> int:
        """That of the stream behind."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Whether somebody watches."""
        return self._stream.isatty()

    def write(self, text: str, /) -> int:
        """Write `text`, or lose it."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what was kept back, or lose it."""
        with contextlib.suppress(OSError):
            self._stream.flush()
