"""Runs the comparison or the tests on a machine that has a clone of this project and Python with venv, and nothing else.

usage: python3 bootstrap.py compare [OPTION ...]     measure SDKs; the options are those of `harness compare`
       python3 bootstrap.py test [OPTION ...]        pass the tests; the options are those of `tox run`

tox goes into an environment of its own below `.venv-bootstrap` beside this file, one for each Python and each set of pinned
requirements; what tox makes stands in `.tox`. Removing both folders undoes everything.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TextIO

# What stands above and the grammar of this file suit Python 3.6, so that an older one gets as far as being told.
OLDEST = (3, 11)
if sys.version_info < OLDEST:
    version = sys.version.split()[0]
    print(f"bootstrap: Python {version} is too old. Run this file with Python 3.11 or newer.", file=sys.stderr)
    sys.exit(2)

REQUIREMENTS = ("tox==4.67.15", "virtualenv==21.15.11")
CHECKOUT = Path(__file__).resolve().parent
ENVIRONMENTS = CHECKOUT / ".venv-bootstrap"
TOX_FOLDER = CHECKOUT / ".tox"
INTERRUPTED = 130


class Problem(Exception):  # noqa: N818 - a message for a person: what is wrong, and the remedy
    """What keeps the command from running."""


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def main(arguments: list[str]) -> int:
    """Carry out the command line and return the exit status of what ran: 130 after Ctrl-C, 2 where the command is unknown."""
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    commands = {"compare": compare, "test": test}
    if not arguments or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return commands[arguments[0]](arguments[1:])
    except Problem as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def compare(arguments: list[str]) -> int:
    """Measure, in an environment that is made ready first, by one process at a time.

    The harness takes this process's place: its output, exit status, signals and working folder are the caller's.
    """
    tox = tox_command()
    say("making the environment of the comparison ready; the first time this takes a while")
    with lock("compare"):
        made = run([*tox, "run", "-e", "compare", "-qq", "--notest"], output=sys.stderr)
    if made:
        return made
    harness = [str(python_of(TOX_FOLDER / "compare")), "-P", "-m", "harness", "compare"]
    return become([*harness, *arguments], {**os.environ, **variables()})


def variables() -> dict[str, str]:
    """What tox.ini sets for the comparison."""
    return {
        "PYTHONPATH": str(CHECKOUT),
        "HARNESS_CACHE": os.environ.get("HARNESS_CACHE") or str(TOX_FOLDER / "cache"),
    }


def test(arguments: list[str]) -> int:
    """Run tox, with every further Python that it would not find by itself."""
    found = unactivated_pythons()
    if found:
        say(f"tox may also use Python {', '.join(python.parent.parent.name for python in found)}")
    discover = ["--discover", *map(str, found)] if found else []
    return run([*tox_command(), "run", *discover, *arguments])


def tox_command() -> list[str]:
    """The command that starts the pinned tox, which is installed first where it is missing."""
    folder = ENVIRONMENTS / environment_name()
    python = python_of(folder)
    ready = folder / "ready"
    with lock("install"):
        if not ready.exists():
            say(f"installing {' and '.join(REQUIREMENTS)} below {ENVIRONMENTS.name}")
            make_environment(folder, python)
            ready.touch()
    return [str(python), "-m", "tox", "--root", str(CHECKOUT), "--workdir", str(TOX_FOLDER)]


def python_of(environment: Path) -> Path:
    """Where a virtual environment has its interpreter."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def environment_name() -> str:
    """Differs wherever another interpreter or other requirements would make another environment."""
    made_from = "\n".join([sys.version, sys.base_prefix, *REQUIREMENTS])
    return f"{sys.version_info.major}.{sys.version_info.minor}-{hashlib.sha256(made_from.encode()).hexdigest()[:12]}"


def make_environment(folder: Path, python: Path) -> None:
    """Make the environment anew, over whatever an interrupted attempt left."""
    missing = [module for module in ("venv", "ensurepip") if importlib.util.find_spec(module) is None]
    if missing:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Problem(
            f"this Python lacks its own module {missing[0]}, so it cannot make virtual environments."
            f" On Debian and Ubuntu `apt install python{version}-venv` (or python3-venv) brings it"
        )
    shutil.rmtree(folder, ignore_errors=True)
    if run([sys.executable, "-m", "venv", str(folder)], output=sys.stderr):
        raise Problem(f"no virtual environment could be made in {folder}, see above")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS]
    if run(pip, output=sys.stderr):
        raise Problem("pip could not install tox, see above. Is the package index within reach?")


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Let one process at a time in; the system releases the lock of a process that dies."""
    ENVIRONMENTS.mkdir(exist_ok=True)
    with (ENVIRONMENTS / f"{name}.lock").open("ab+") as file:
        try:
            import fcntl  # noqa: PLC0415 - only where the system has it
        except ImportError:
            yield  # two at once are not kept apart here
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another run of this file to finish installing")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def unactivated_pythons() -> list[Path]:
    """The newest Python of each minor version that lies in pyenv's folder, where only the activated ones are on the PATH."""
    newest: dict[tuple[int, int], tuple[int, Path]] = {}
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for python in root.glob("versions/*/bin/python"):
        version = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", python.parent.parent.name)
        if not version:
            continue
        major, minor, patch = map(int, version.groups())
        if (major, minor) >= OLDEST:
            newest[major, minor] = max(newest.get((major, minor), (-1, python)), (patch, python))
    return [newest[minor][1] for minor in sorted(newest)]


def run(command: list[str], output: TextIO | None = None) -> int:
    """Run `command` in the checkout to its end, writing to `output` instead of standard output.

    It has a session of its own, so that Ctrl-C and SIGTERM come to it once, with its children, and only from here.
    """
    with signals_held() as release:
        process = subprocess.Popen(command, cwd=CHECKOUT, stdout=output, start_new_session=True)
        try:
            release()
            return process.wait()
        except KeyboardInterrupt as interrupt:
            end(process, signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)
            raise


@contextlib.contextmanager
def signals_held() -> Iterator[Callable[[], None]]:
    """Keep signals back until the function given is called: one inside Popen would leave a process that nobody knows of."""
    kept: list[int] = []
    before = {
        number: signal.signal(number, lambda got, _: kept.append(got)) for number in (signal.SIGINT, signal.SIGTERM)
    }

    def release() -> None:
        while before:
            signal.signal(*before.popitem())
        while kept:
            os.kill(os.getpid(), kept.pop())

    try:
        yield release
    finally:
        release()


def end(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a session and wait for its first process, which is killed where it is asked again."""
    if os.name == "nt":
        process.wait()  # Ctrl-C reached it from the console
        return
    for signal_number in (number, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        with contextlib.suppress(KeyboardInterrupt):
            process.wait()
            return


def become(command: list[str], environment: dict[str, str]) -> int:
    """Put `command` in the place of this process; where a system cannot do that, run it and return its exit status."""
    if os.name == "nt":
        return subprocess.run(command, env=environment, check=False).returncode
    return os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted


def terminate(_number: int, _frame: FrameType | None) -> None:
    """Make SIGTERM end this process as Ctrl-C does."""
    raise Terminated


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"bootstrap: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    sys.exit(main(sys.argv[1:]))
