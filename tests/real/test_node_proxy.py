"""The real Node.js SDK where port 443 may not be bound: through the agent its applications can set and the harness's CONNECT proxy."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.privileges import way_without_the_right

pytestmark = [pytest.mark.real_sdk(runtime="node"), pytest.mark.slow]

SCENARIO = """
schema = 1
id = "short"
title = "One renewal"
credential = "key"
settings = "profile"
traffic = ["sending", "listening"]
[end]
renewals = 1
after_s = 1.0
limit_s = 20.0
"""


def test_it_renews_over_websockets_through_the_proxy(tmp_path: Path) -> None:
    """Over MQTT by another tunnel, over AMQP in the one it has."""
    scenario = tmp_path / "short.toml"
    scenario.write_text(SCENARIO)
    arguments = ["compare", "--sdk", "node", "--device", "real", "--transport", "mqtt-ws,amqp-ws"]
    result = subprocess.run(
        [
            *way_without_the_right(), sys.executable, "-m", "harness", *arguments,
            "--scenario", str(scenario), "--lifetime", "904", "--json", "-q",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    rows = {row["transport"]: row for row in json.loads(result.stdout)["rows"]}
    assert all(row["way"]["via_proxy"] for row in rows.values())
    assert {name: (row["renewal"], row["renewals"], row["lost"]) for name, row in rows.items()} == {
        "mqtt-ws": ("reconnect", 1, 0), "amqp-ws": ("in-band", 1, 0),
    }  # fmt: skip
