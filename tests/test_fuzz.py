"""The fuzzer: the first inputs of every target, that it finds what is planted, and that what it finds can be found again."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from fuzz import command
from fuzz.campaign import Job, split
from fuzz.mutation import Mutator, fragments
from fuzz.running import Watch, run_inputs
from fuzz.tally import Slowest, Tally
from fuzz.target import Outcome, Target, require
from fuzz.targets import NAMES, target

RUN = Path(__file__).parents[1] / "fuzz" / "run.py"
INPUTS = 1_500

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="there are no interval timers")


def planted(data: bytes) -> Outcome:
    """A reader with a bug that some inputs meet."""
    if data.startswith(b"s") and b"word" in data:
        raise ValueError("planted")
    return Outcome(None if data == b"seed" else "not 'seed'", 1)


PLANTED = Target(
    "sas", "", "", Mutator([(b"seed",)], words=[b"word"]), lambda chunks, _random: planted(b"".join(chunks))
)


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: str, interrupted: bool = False) -> Result:
    """The command with the planted bug in the place of the target `sas`, in this process."""

    def run_jobs(jobs: list[Job], _processes: int) -> Iterator[tuple[Job, Tally]]:
        for job in jobs:
            yield job, run_inputs(PLANTED, job.seed, job.start, job.count)
            if interrupted:
                raise KeyboardInterrupt

    monkeypatch.setattr(command, "run_jobs", run_jobs)
    return CliRunner().invoke(command.main, ["--only", "sas", *arguments])


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_refusals_comes_out(name: str) -> None:
    """And they are not all refused at the first byte."""
    tally = run_inputs(target(name), 1, 0, INPUTS)
    assert tally.findings == {}
    assert tally.accepted + tally.refusals.total() == tally.inputs == INPUTS
    assert min(tally.accepted, tally.refusals.total()) > INPUTS / 10
    assert len(tally.refusals) >= 4


@pytest.mark.parametrize("name", NAMES)
def test_an_input_depends_on_its_index_alone(name: str) -> None:
    """A series in parts comes to the same as in one piece."""
    whole, parts = run_inputs(target(name), 2, 100, 60), Tally()
    for start, count in ((140, 20), (100, 40)):
        parts.add(run_inputs(target(name), 2, start, count))
    assert replace(parts, cpu_ns=0, slowest=Slowest()) == replace(whole, cpu_ns=0, slowest=Slowest())


def test_a_planted_bug_is_found() -> None:
    """With the class and the place of the exception, and the first input that met it."""
    tally = run_inputs(PLANTED, 0, 0, 5_000)
    ((what, finding),) = tally.findings.items()
    assert what.startswith("ValueError in tests/test_fuzz.py, planted, line ")
    assert tally.accepted + tally.refusals.total() + finding.count == tally.inputs
    assert list(run_inputs(PLANTED, 0, finding.index, 1).findings.values()) == [replace(finding, count=1)]
    assert run_inputs(PLANTED, 0, 0, finding.index).findings == {}


def test_a_broken_rule_is_found() -> None:
    """Under the name of the rule."""

    def read(_chunks: list[bytes], _random: Random) -> Outcome:
        require(holds=False, rule="too much")
        return Outcome(None, 0)

    (what,) = run_inputs(replace(PLANTED, read=read), 0, 0, 10).findings
    assert what.endswith("too much")


@posix_only
def test_an_endless_input_is_found() -> None:
    """It is ended, and the next one is run."""

    def read(_chunks: list[bytes], _random: Random) -> Outcome:
        while True:
            pass

    with Watch(0.02) as watch:
        tally = run_inputs(replace(PLANTED, read=read), 0, 0, 2, watch)
    ((what, finding),) = tally.findings.items()
    assert what.startswith("HangError")
    assert finding.count == 2


def test_a_finding_is_printed_with_the_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command to run the input again, and its bytes; the exit code is 1."""
    done = run_command(monkeypatch, "--inputs", "5000", "--seed", "3")
    (finding,) = run_inputs(PLANTED, 3, 0, 5_000).findings.values()
    assert done.exit_code == 1
    assert f"again: tox run -e fuzz -- --only sas --seed 3 --start {finding.index} --inputs 1" in done.stdout
    assert f"input {finding.index}: {finding.data.hex()}" in done.stdout


def test_nothing_found_is_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table says what was accepted and what was refused."""
    done = run_command(monkeypatch, "--inputs", "1")
    assert done.exit_code == 0
    assert "accepted" in done.stdout
    assert "1 inputs" in done.stdout


def test_what_was_done_before_ctrl_c_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two parts the first."""
    done = run_command(monkeypatch, "--inputs", "10000", interrupted=True)
    assert "5,000 inputs" in done.stdout
    assert "interrupted" in done.stdout
    assert done.exit_code in {1, 130}


def test_an_unknown_target_is_refused() -> None:
    """The names that exist are told."""
    done = CliRunner().invoke(command.main, ["--only", "http"])
    assert done.exit_code == 2
    assert all(f"'{name}'" in done.stderr for name in NAMES)


def test_parts_make_up_the_series() -> None:
    """Every index once, whatever the number."""
    parts = split(["sas"], 0, 3, 12_001)
    assert [index for part in parts for index in range(part.start, part.start + part.count)] == list(range(3, 12_004))


def test_fragments_are_the_stream() -> None:
    """In every way of cutting."""
    chunks, random = [b"abc", b"", b"defghi"], Random(0)
    ways = [fragments(chunks, random) for _ in range(50)]
    assert {b"".join(way) for way in ways} == {b"abcdefghi"}
    assert len({len(way) for way in ways}) > 3


@posix_only
@pytest.mark.slow
def test_the_program() -> None:
    """In processes of its own, as tox runs it."""
    arguments = ["--inputs", "6000", "--only", "sas", "--only", "mqtt-packets", "--jobs", "2"]
    done = subprocess.run(
        [sys.executable, str(RUN), *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "12,000 inputs" in done.stdout
