"""The bundled device programs keep the adapter protocol, by the word of `harness adapter check`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow(seconds=100)]

PROFILES = Path(__file__).parents[2] / "sdk_profiles"
RUNTIMES = ("python", "node", "java", "c", "dotnet")


@pytest.mark.parametrize("sdk", [pytest.param(name, marks=pytest.mark.real_sdk(runtime=name)) for name in RUNTIMES])
def test_the_bundled_program_is_right(sdk: str) -> None:
    """Over every transport; what is remarked is only what an SDK may be without."""
    checked = subprocess.run(
        [sys.executable, "-m", "harness", "adapter", "check", str(PROFILES / sdk), "--json", "--quiet"],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    told = json.loads(checked.stdout)
    assert [one for one in told["findings"] if one["state"] in {"wrong", "not tested"}] == []
    assert checked.returncode == 0
    remarked = {one["check"] for one in told["findings"] if one["state"] == "note"}
    assert remarked <= {"status callbacks arrive", "a refused key is reported"}
