"""The project's own shape: layout, pins that stand in two places, and documents that are true to the code."""

import ast
import configparser
import re
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from support.scenarios import bundled_scenarios

from harness.cli.main import COMMANDS
from harness.cli.main import harness as program
from harness.scenario_groups import GROUPS

ROOT = Path(__file__).parents[1]
CODE = sorted(
    path
    for folder in ("harness", "tests", "sdk_profiles", "benchmarks", "fuzz")
    for path in (ROOT / folder).rglob("*.py")
)
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "results/published/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
LONGEST_FILE = 600


def name(path: Path) -> str:
    """How a test's parameter is called."""
    return path.relative_to(ROOT).as_posix()


def pyproject() -> dict[str, Any]:
    """The project's metadata."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tox() -> configparser.ConfigParser:
    """The environments."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "tox.ini", encoding="utf-8")
    return config


def test_modules_are_short() -> None:
    """A file that outgrows one idea has to be divided."""
    assert [name(path) for path in CODE if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE] == []


def test_modules_say_what_lives_in_them() -> None:
    """Every module that is not empty begins with a docstring."""
    texts = {name(path): path.read_text(encoding="utf-8") for path in CODE}
    assert [path for path, text in texts.items() if text and not ast.get_docstring(ast.parse(text))] == []


def test_readme_begins_with_the_two_commands() -> None:
    """The first block of the README is what a newcomer and CI run."""
    first = re.search(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert first
    assert first[1].splitlines() == ["python3 bootstrap.py compare", "python3 bootstrap.py test"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    """A relative link of a document names a file that is there."""
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_named_files_exist(path: Path) -> None:
    """A file or folder of the package that a document names in code style is there."""
    named = re.findall(r"`((?:harness|tests|docs|results|benchmarks)/[\w./-]*)`", path.read_text(encoding="utf-8"))
    ignored_by_git = {"results/runs"}
    assert [each for each in named if each not in ignored_by_git and not (ROOT / each).exists()] == []


def test_architecture_knows_every_room() -> None:
    """A module or package at the top of the harness has its line in the table of rooms."""
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = [path for path in (ROOT / "harness").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert [room.stem for room in rooms if not room.stem.startswith("__") and f"`{room.stem}" not in text] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_names_every_command(command: str) -> None:
    """A command that exists is documented."""
    assert f"`harness {command}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_names_the_options_of_compare() -> None:
    """The table of options is complete and names no other."""
    compare = program.get_command(click.Context(program), "compare")
    assert compare
    options = {max(parameter.opts, key=len) for parameter in compare.params}
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("`harness compare` takes:")[2].partition("\n\n`harness compare` ends")[0]
    assert set(re.findall(r"`(--[a-z-]+)", table)) == options


def readme_between(start: str, end: str) -> str:
    """A part of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert start in text
    return text.partition(start)[2].partition(end)[0]


def scenario_names(table: str) -> list[str]:
    """The names in the table of scenarios; `…-idle` stands for the name before it with that ending."""
    names: list[str] = []
    for row in table.splitlines():
        before = ""
        for part in re.findall(r"`(…?[a-z0-9-]+)`", row):
            if part.startswith("…"):
                names.append(before + part.removeprefix("…"))
            else:
                names.append(before := part)
    return names


def test_readme_names_every_scenario_and_no_other() -> None:
    """Its table of scenarios is complete, and what stands there in code style is there."""
    names = scenario_names(readme_between("The scenarios:\n", "\n\n`…` stands"))
    assert {*names} == {*bundled_scenarios()}


def test_readme_tells_the_groups_of_scenarios() -> None:
    """In the words of the program."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", readme_between("| group | |\n", "\n\n"), re.MULTILINE)
    assert rows == [(name, group.about) for name, group in GROUPS.items()]


def test_the_oldest_and_the_newest_python_are_tested() -> None:
    """Those of the classifiers; on the oldest the branches are counted too."""
    classifiers = pyproject()["project"]["classifiers"]
    claimed = re.findall(r"Python :: 3\.(\d+)", "\n".join(classifiers))
    newest = re.search(r"coverage, py3(\d+)", tox()["tox"]["env_list"])
    assert newest
    oldest = tox()["testenv:coverage"]["base_python"].removeprefix("py3")
    assert (oldest, newest[1]) == (claimed[0], claimed[-1])


def test_bootstrap_asks_for_the_same_python() -> None:
    """The oldest Python stands in pyproject.toml and in bootstrap.py."""
    oldest = re.search(r"OLDEST = \((\d+), (\d+)\)", (ROOT / "bootstrap.py").read_text(encoding="utf-8"))
    assert oldest
    assert pyproject()["project"]["requires-python"] == f">={oldest[1]}.{oldest[2]}"


def test_bootstrap_installs_a_tox_that_fits() -> None:
    """The pinned tox is not older than tox.ini asks for."""
    pinned = re.search(r"tox==([\d.]+)", (ROOT / "bootstrap.py").read_text(encoding="utf-8"))
    assert pinned
    wanted = tox()["tox"]["min_version"]
    assert [int(part) for part in pinned[1].split(".")] >= [int(part) for part in wanted.split(".")]


def test_coverage_is_asked_of_rooms_that_exist() -> None:
    """A renamed room cannot slip out of the coverage check."""
    rooms = re.findall(r"\*/(harness/\w+)/\*", tox()["testenv:coverage"]["commands"])
    assert rooms
    assert [room for room in rooms if not (ROOT / room / "__init__.py").exists()] == []
