"""Real SDKs where port 443 may not be bound: through their own proxy option and the harness's CONNECT proxy."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.privileges import way_without_the_right

SCENARIO = """
schema = 1
id = "short"
title = "One renewal"
credential = "key"
settings = "profile"
traffic = ["sending", "listening"]
[hub]
grace_s = 3.0
[end]
renewals = 1
after_s = 1.0
limit_s = 30.0
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sdk", "lifetime", "renewal"),
    [
        pytest.param("python", "124", "reconnect", marks=pytest.mark.real_sdk(runtime="python")),
        pytest.param("c", "10", "reconnect", marks=pytest.mark.real_sdk(runtime="c")),
        pytest.param("java", "5", "hub-cut", marks=pytest.mark.real_sdk(runtime="java")),
    ],
)
def test_it_renews_over_websocket_through_the_proxy(tmp_path: Path, sdk: str, lifetime: str, renewal: str) -> None:
    """The row says `via proxy`; the SDK proves the hub's real name, which it sends as SNI."""
    scenario = tmp_path / "short.toml"
    scenario.write_text(SCENARIO)
    wanted = ["--sdk", sdk, "--device", "real", "--transport", "mqtt-ws", "--scenario", str(scenario)]
    arguments = ["compare", *wanted, "--lifetime", lifetime, "--json", "-q"]
    command = [*way_without_the_right(), sys.executable, "-m", "harness", *arguments]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)
    assert result.returncode == 0, result.stderr
    (row,) = json.loads(result.stdout)["rows"]
    assert row["way"]["via_proxy"] is True
    assert (row["renewal"], row["renewals"], row["lost"]) == (renewal, 1, 0)


@pytest.mark.slow
@pytest.mark.real_sdk(runtime="c")
def test_an_sdk_that_takes_no_proxy_over_https_is_not_tried(tmp_path: Path) -> None:
    """The SDK for C has an HTTP client of its own, which knows no proxy: its cell is a matter of the environment."""
    wanted = ["--sdk", "c", "--device", "real", "--transport", "https", "--scenario", "wrong-key", "--json", "-q"]
    command = [*way_without_the_right(), sys.executable, "-m", "harness", "compare", *wanted]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)
    assert result.returncode == 0, result.stderr
    (row,) = json.loads(result.stdout)["rows"]
    assert row["status"] == "environment"
    assert "port 443 may not be bound here and Azure IoT device SDK for C takes no proxy over https" in row["reason"]
