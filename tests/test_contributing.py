"""The walk-throughs of CONTRIBUTING.md, followed to the letter in an empty folder."""

import json
import os
import re
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = ROOT / "CONTRIBUTING.md"


class Step(NamedTuple):
    """A block of the walk-through; a block of TOML names its file in a comment on its first line."""

    language: str
    text: str


def section(heading: str) -> str:
    """The text of a section."""
    return CONTRIBUTING.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def walk_through(heading: str) -> list[Step]:
    """The blocks of the section, in order."""
    blocks = re.findall(r"^ *```(\w+)\n(.*?)^ *```$", section(heading), re.MULTILINE | re.DOTALL)
    return [Step(language, textwrap.dedent(text)) for language, text in blocks]


def follow(step: Step, folder: Path) -> str:
    """Do what the step says, and return what it printed."""
    if step.language == "toml":
        named = re.match(r"# (\S+)\n", step.text)
        assert named
        (folder / named[1]).write_text(step.text, encoding="utf-8")
        return ""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", step.text],  # noqa: S607 - a newcomer's own bash
        cwd=folder, env={**os.environ, "PATH": programs, "COLUMNS": "120"}, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow(seconds=30)
def test_add_a_profile(tmp_path: Path) -> None:
    """Every step works as written, and ends with the verdicts the text promises, beside a row that says `emulated`."""
    steps = walk_through("Add a profile")
    assert [step.language for step in steps] == ["sh", "toml", "sh", "sh"]
    printed = [follow(step, tmp_path) for step in steps]
    assert [word for word in ("acme", "1.4.0", "emulated", "confirmed", "differs") if word not in printed[-1]] == []
    (findings,) = tmp_path.glob("harness-results/*/findings.json")
    rows = json.loads(findings.read_bytes())["rows"]
    assert [row["law"]["fit"]["law"] for row in rows] == ["margin", "margin"]
    verdicts = {(verdict["claim"], verdict["verdict"]) for row in rows for verdict in row["verdicts"]}
    assert {("acme-renewal-action", "confirmed"), ("acme-renewal-point", "differs")} <= verdicts


@pytest.mark.slow(seconds=75)
@pytest.mark.real_sdk
def test_add_an_sdk(tmp_path: Path) -> None:
    """Each command works on the example, and the last one shows what the text says of it."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    steps = walk_through("Add an SDK")
    assert [step.language for step in steps] == ["sh"] * 4
    with ThreadPoolExecutor() as side_by_side:  # no step needs what another leaves behind
        printed = list(side_by_side.map(lambda step: follow(step, tmp_path), steps))
    assert [text for text in (printed[0], printed[2]) if " wrong" in text] == []
    (findings,) = tmp_path.glob("harness-results/*/findings.json")
    row = next(row for row in json.loads(findings.read_bytes())["rows"] if row["scenario"] == "renewal")
    assert (row["device"], row["renewal"], row["law"]["fit"]["law"]) == ("real", "none", "none")
    assert row["hub_log"] == ["401003", "404104", "refused 401003"]
    assert [word for word in ("real", "never", "not back", "documents") if word not in printed[-1]] == []


@pytest.mark.parametrize("name", ["device.py", "profile.toml"])
def test_the_lines_it_took_are_counted(name: str) -> None:
    """The text says how many lines each file of the example has."""
    lines = len((ROOT / "examples" / "paho" / name).read_text(encoding="utf-8").splitlines())
    assert f"{lines} lines of `{name}`" in section("Add an SDK")
