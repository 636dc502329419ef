"""The workflow of the README, which a device developer pastes: it is a workflow, and its commands are commands."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import compare as comparing
from harness.cli.main import main
from harness.cli.running import Wish

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(scope="module")
def workflow() -> Any:
    """The README's block of YAML."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return yaml.safe_load(text)


def steps(workflow: Any) -> list[dict[str, Any]]:
    """The steps of all jobs."""
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_it_has_the_shape_of_a_workflow(workflow: Any) -> None:
    """Triggers, least permissions, and jobs that end; a step runs something or uses an action of one version."""
    assert workflow.keys() == {"name", True, "permissions", "jobs"}  # YAML 1.1 takes the key `on` for a boolean
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job.keys() == {"runs-on", "timeout-minutes", "steps"}
    for step in steps(workflow):
        assert step.keys() <= {"name", "if", "uses", "with", "run"}
        assert ("uses" in step) != ("run" in step)
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/none@v1"))


def commands(workflow: Any) -> list[list[str]]:
    """What the steps run, word by word."""
    return [shlex.split(step["run"]) for step in steps(workflow) if "run" in step]


def test_its_files_are_kept(workflow: Any) -> None:
    """What the command writes lies in the folder that is uploaded, also where the check fails."""
    (measuring,) = [words for words in commands(workflow) if words[0] == "harness"]
    (keeping,) = [step for step in steps(workflow) if "upload-artifact" in step.get("uses", "")]
    written = [measuring[measuring.index(option) + 1] for option in ("--junit", "--ctrf", "--badge", "--out")]
    assert {file.partition("/")[0] for file in written} == {keeping["with"]["path"]}
    assert keeping["if"] == "always()"


def test_its_command_is_one_that_the_harness_takes(
    workflow: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Options and values, up to the measuring."""
    monkeypatch.chdir(tmp_path)
    wishes: list[Wish] = []

    def measure(wish: Wish, _: object) -> int:
        wishes.append(wish)
        return 0

    monkeypatch.setattr(comparing, "measure", measure)
    (words,) = [words for words in commands(workflow) if words[0] == "harness"]
    with pytest.raises(SystemExit) as caught:
        main(words[1:])
    assert caught.value.code == 0
    assert len(wishes) == 1
