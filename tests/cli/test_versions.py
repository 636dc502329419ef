"""Versions that cannot be had, as a user meets them: a fake SDK of which nothing is downloaded."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PROFILE = """
schema = 1
sdk = "fake"
name = "A fake SDK"
language = "Python"
version = "1.0"
transports = ["mqtt"]

[[settings]]
lifetime_s = 30

[adapter]
command = ["{python}", "device.py"]
runtime = "python"
transports = ["mqtt"]

[adapter.other_versions]
install = ["{python}", "install.py", "{version}"]
covers = ["<5"]
why = "there is none"

[emulation]
user_agent = "mine/1.0"
api_version = "2021-04-12"
keep_alive_s = 60
default_lifetime_s = 3600
renewal = { law = "fraction", fraction = 0.8 }
"""
INSTALL = """
import sys
if sys.argv[1] == "2.0":
    sys.exit("there is no 2.0")
"""
DEVICE = """
import json, sys
hello = {"event": "hello", "t": 0, "protocol": 1, "sdk": "fake", "sdk_version": "1.0", "runtime": "none"}
print(json.dumps({**hello, "transports": ["mqtt"], "capabilities": []}), flush=True)
sys.stdin.read()
"""


def compare(folder: Path, *arguments: str) -> tuple[dict[str, dict[str, Any]], str]:
    """The rows by version, and what was said on standard error."""
    profile = folder / "fake"
    profile.mkdir()
    for name, text in (("profile.toml", PROFILE), ("install.py", INSTALL), ("device.py", DEVICE)):
        (profile / name).write_text(text)
    fixed = ["--profiles", str(profile), "--scenario", "defaults", "--json", "--out", str(folder / "runs")]
    result = subprocess.run(
        [sys.executable, "-m", "harness", "compare", *fixed, *arguments],
        env={**os.environ, "HARNESS_CACHE": str(folder / "cache")}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return {row["version"]: row for row in json.loads(result.stdout)["rows"]}, result.stderr


def test_each_version_that_cannot_be_had_says_why(tmp_path: Path) -> None:
    """One cannot be installed, one turns out to be another, one the device program cannot be made with."""
    rows, said = compare(tmp_path, "--sdk", "fake@2.0,3.0,5.0")
    assert [(version, row["status"]) for version, row in rows.items()] == [
        ("2.0", "environment"),
        ("3.0", "environment"),
        ("5.0", "unsupported"),
    ]
    assert "`'{python}' install.py 2.0` ended with code 1; what it said stands in " in rows["2.0"]["reason"]
    assert "fake 3.0 was asked for, and the device program runs 1.0" in rows["3.0"]["reason"]
    assert rows["5.0"]["reason"].startswith(
        "the device program is made for <5 (there is none); others need one of their own"
    )
    assert all(rows[version]["reason"] in said for version in ("2.0", "3.0"))
    logs = {path.name.split("-")[1]: path.read_text() for path in (tmp_path / "cache").rglob("*.log")}
    assert ("there is no 2.0" in logs["2.0"], "runs 1.0" in logs["3.0"]) == (True, True)


def test_another_version_is_never_emulated(tmp_path: Path) -> None:
    """Its row says so instead."""
    rows, _ = compare(tmp_path, "--sdk", "fake@3.0", "--device", "emulated")
    assert (rows["3.0"]["status"], "another version" in rows["3.0"]["reason"]) == ("unsupported", True)
