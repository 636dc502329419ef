"""Several versions of a real SDK side by side, each in an environment of its own. The first time, they are installed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow(seconds=60)


def harness(*arguments: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the harness to its end."""
    command = [sys.executable, "-m", "harness", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == expect, result.stderr
    return result


def rows(root: Path, sdk: str) -> list[dict[str, Any]]:
    """The rows of a comparison in which nothing is set and nothing happens."""
    fixed = ["--scenario", "defaults", "--transport", "mqtt", "--json", "-q", "--out", str(root)]
    return list(json.loads(harness("compare", "--sdk", sdk, *fixed).stdout)["rows"])


@pytest.mark.parametrize(
    ("sdk", "versions"),
    [
        pytest.param("python", ["2.9.0", "2.14.0"], marks=pytest.mark.real_sdk(runtime="python")),
        pytest.param("node", ["1.17.8", "1.18.4"], marks=[pytest.mark.matrix, pytest.mark.real_sdk(runtime="node")]),
        pytest.param("java", ["2.0.0"], marks=[pytest.mark.matrix, pytest.mark.real_sdk(runtime="java")]),
        pytest.param("c", ["1.10.1"], marks=[pytest.mark.matrix, pytest.mark.real_sdk(runtime="c")]),
    ],
)
def test_versions_are_measured_side_by_side(tmp_path: Path, sdk: str, versions: list[str]) -> None:
    """Each is what it says of itself, and has its tokens live for an hour."""
    found = rows(tmp_path, f"{sdk}@{','.join(versions)}")
    assert [(row["version"], row["device"], row.get("status")) for row in found] == [
        (version, "real", None) for version in versions
    ]
    assert [row["cells"][0]["reported_version"] for row in found] == versions
    assert [row["default_lifetime_s"] for row in found] == [pytest.approx(3600, abs=2.0)] * len(versions)


@pytest.mark.real_sdk(runtime="python")
def test_a_version_that_does_not_exist_is_a_problem_of_the_environment(tmp_path: Path) -> None:
    """The others are measured all the same; the row names the log."""
    missing, there = rows(tmp_path, "python@2.99.0,2.14.0")
    assert (missing["version"], missing["status"]) == ("2.99.0", "environment")
    assert "python 2.99.0 could not be installed" in missing["reason"]
    log = Path(missing["reason"].partition("what it said stands in ")[2].partition(".log")[0] + ".log")
    assert "azure-iot-device==2.99.0" in log.read_text()
    assert "status" not in there


@pytest.mark.real_sdk(runtime="python")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="versions before 2.7 import what Python 3.12 no longer has")
def test_what_a_version_cannot_do_is_unsupported(tmp_path: Path) -> None:
    """In 2.0.0 the lifetime is a constant: its renewals are an hour apart, whatever is asked for."""
    fixed = ["--scenario", "renewal", "--transport", "mqtt", "--json", "-q", "--out", str(tmp_path)]
    (row,) = json.loads(harness("compare", "--sdk", "python@2.0.0", *fixed).stdout)["rows"]
    assert (row["status"], "capability lifetime" in row["reason"]) == ("unsupported", True)


@pytest.mark.matrix
@pytest.mark.real_sdk(runtime="python")
def test_a_refused_renewal_is_tried_again_from_2_10_0_on(tmp_path: Path) -> None:
    """And not before: the device stays away. 2.15.0rc1 has lost it again. It comes out of the logs, also when they are read again."""
    scenario = ["--scenario", "renewal-refused-idle", "--transport", "mqtt", "--lifetime", "135"]
    told = harness(
        "history", "--sdk", "python@2.9.0,2.10.0,2.15.0rc1", *scenario, "--json", "-q", "--out", tmp_path
    ).stdout
    (history,) = json.loads(told)["histories"]
    refused = [step["shows"]["refused renewals"] for step in history["steps"]]
    assert refused == ["not renewed any more", "renewed 10 s later", "not renewed any more"]
    assert [step["shows"]["return"] for step in history["steps"]] == ["none", "by-itself", "none"]
    changes = [(one["what"], one["before"], one["after"], one["since"]) for one in history["steps"][1]["changes"]]
    assert ("return", "none", "by-itself", "2.9.0") in changes
    (folder,) = tmp_path.iterdir()
    assert harness("history", folder, "--json").stdout == told
    by_version = {
        row["version"]: [one["verdict"] for one in row["verdicts"] if one["kind"] == "return"]
        for row in json.loads((folder / "findings.json").read_text())["rows"]
    }
    assert by_version == {"2.9.0": ["confirmed"], "2.10.0": ["confirmed"], "2.15.0rc1": ["confirmed"]}


def test_versions_that_were_never_published_are_refused() -> None:
    """Where the profile has to know the packages that go together; it says which it knows."""
    error = harness("compare", "--sdk", "node@1.17.7", expect=2).stderr
    assert (
        "node@1.17.7 cannot be installed: its profile does not say with which amqp, http, mqtt. Use one of 1.17.0, 1.17.6"
        in error
    )
